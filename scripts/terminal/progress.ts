/**
 * Says how long something takes.
 *
 * @module
 */
import type { CommandContext } from "./command.ts";

const EVERY_S = 5;

/** One changing line on a terminal, otherwise a line every 5 seconds. */
export class Progress {
  readonly #what: string;
  readonly #context: CommandContext;
  readonly #started = performance.now();
  #said = 0;

  constructor(what: string, context: CommandContext) {
    this.#what = what;
    this.#context = context;
  }

  /** Seconds since the start. */
  get seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  /** Says that it is still going on. */
  tick(): void {
    const { screen } = this.#context;
    const now = Math.floor(this.seconds);
    if (screen !== undefined) {
      screen.show(`  ${this.#what} ${now} s `);
    } else if (now >= this.#said + EVERY_S) {
      this.#said = now;
      this.#context.out(`  ${this.#what} ${now} s`);
    }
  }

  /** Ends the line. */
  done(result: string): void {
    this.#context.out(`  ${result}`);
  }
}

/** Shows what is waited for, one thing after the other. */
export function showProgress(context: CommandContext): (what: string) => void {
  let shown: { what: string; progress: Progress } | undefined;
  return (what) => {
    if (shown?.what !== what) {
      shown = { what, progress: new Progress(what, context) };
    }
    shown.progress.tick();
  };
}
