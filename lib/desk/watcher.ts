/**
 * Watches what waits for approval.
 *
 * @module
 */
import { messageOf, OutsideError } from "../base/errors.ts";
import { every } from "../base/time.ts";
import type { Operator } from "../operate/operator.ts";
import { readWaiting } from "../operate/waiting.ts";
import type { Board, BoardSource } from "./board.ts";

const EVERY_MS = 2_000;

export function openWatcher(
  { platform, posts, postMaxAgeS: maxAgeS }: Operator,
): BoardSource {
  const listeners = new Set<() => void>();
  const read = async (): Promise<Board> => {
    const none = { rows: [], readMs: undefined, undelivered: [] };
    try {
      const waiting = await platform.waiting();
      const read = await readWaiting(platform, waiting, {
        maxAgeS,
        posts,
      });
      const rows = waiting.map((job) => ({
        job,
        post: read.find(({ job_id }) => job_id === job.jobId),
      }));
      return { ...none, rows, readMs: Date.now(), trouble: undefined };
    } catch (error) {
      if (!(error instanceof OutsideError)) throw error;
      return { ...none, trouble: messageOf(error) };
    }
  };
  let ask = every(EVERY_MS, read);
  return {
    board: () => ask(),
    refresh() {
      ask = every(EVERY_MS, read);
      for (const listener of listeners) listener();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
