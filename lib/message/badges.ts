/**
 * How a severity looks. Pure.
 *
 * @module
 */

/** The colour helps to find the message among others. */
export const BADGES = {
  critical: ["\u{1F534}", "CRITICAL"],
  error: ["\u{1F7E0}", "ERROR"],
  warning: ["\u{1F7E1}", "WARNING"],
  info: ["\u{1F535}", "INFO"],
} as const;
