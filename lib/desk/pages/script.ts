/**
 * The desk's script. Pure.
 *
 * @module
 */
export const SCRIPT = `"use strict";
`;
