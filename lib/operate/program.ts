/**
 * What may be named as a program to run.
 *
 * @module
 */

/** A shell splits what scripts/grants.ts prints, so blanks would break it. */
export const PROGRAM_PATTERN: RegExp = /^[\w./@+-]{1,1000}$/;
