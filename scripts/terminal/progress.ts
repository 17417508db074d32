/**
 * Shows how long something takes.
 *
 * @module
 */
import type { CommandContext } from "./command.ts";

const EVERY_S = 5;

/**
 * Shows one wait after another: as one changing line on a terminal, otherwise
 * as a line every 5 seconds.
 *
 * @returns Call it repeatedly with the name of the current wait.
 */
export function showProgress(
  { screen, out }: CommandContext,
): (what: string) => void {
  let shown = { what: "", started: 0, said: 0 };
  return (what) => {
    if (shown.what !== what) {
      shown = { what, started: performance.now(), said: 0 };
    }
    const seconds = Math.floor((performance.now() - shown.started) / 1000);
    if (screen !== undefined) {
      screen.show(`  ${what} ${seconds} s `);
    } else if (seconds >= shown.said + EVERY_S) {
      shown.said = seconds;
      out(`  ${what} ${seconds} s`);
    }
  };
}
