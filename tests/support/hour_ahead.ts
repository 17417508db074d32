/**
 * Puts the clock of the process that loads it first an hour ahead.
 *
 * @module
 */
const now = Date.now;
Date.now = () => now() + 3_600_000;
