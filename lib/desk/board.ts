/**
 * What waits, as the desk knows it.
 *
 * @module
 */
import type { WaitingRow } from "../operate/watch.ts";

/** All jobs that wait, and how far that is true. */
export interface Board {
  /** Oldest first. */
  readonly rows: readonly WaitingRow[];
  /** When the platform said so, in ms since the epoch. */
  readonly readMs: number | undefined;
  /** Why the platform cannot be asked now; `undefined` if it can. */
  readonly trouble: string | undefined;
  /** Notices that could not be delivered, a sentence each. */
  readonly undelivered: readonly string[];
}

/** Watches what waits. */
export interface BoardSource {
  /** Begins to watch; asking for the board or its changes does so, too. */
  start(): void;
  /** Costs no call of the gateway, and at most 2.5 s. Never throws. */
  board(): Promise<Board>;
  /** A job that waits, as the board has it. */
  find(jobId: string): WaitingRow | undefined;
  /** Reads these first: somebody looks at them. At most 50. */
  want(jobIds: readonly string[]): void;
  /** Asks the platform again soon, such as after a decision. */
  refresh(): void;
  /**
   * Calls `listener` whenever the board has changed.
   *
   * @returns Ends that.
   */
  onChange(listener: () => void): () => void;
}
