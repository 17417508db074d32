/**
 * Reports jobs that wait for approval as they come.
 *
 * @module
 */
import { OutsideError } from "../base/errors.ts";
import { wait } from "../base/time.ts";
import type { Platform } from "./platform.ts";
import type { ReadOptions, WaitingPost } from "./waiting.ts";
import { Waiting } from "./watch.ts";

export interface Watcher {
  onWaiting(post: WaitingPost): Promise<void>;
  /** Called once when the platform stops answering. */
  onAway(error: OutsideError): void;
  onBack(): void;
}

/** Each read costs two of the 50 calls a second that the gateway allows everybody. */
const READS_MAX = 8;
const POLL_MS = 2_000;

/**
 * Reports the jobs that are waiting, and then each new one.
 *
 * @throws The reason of the platform's signal, when it aborts.
 */
export async function watchWaiting(
  platform: Platform,
  options: ReadOptions,
  watcher: Watcher,
  pollMs = POLL_MS,
): Promise<never> {
  const waiting = new Waiting(platform, options);
  const untold = new Set<string>();
  let away = false;
  while (true) {
    try {
      // A job that bounced is waiting again, and is reported again.
      for (const { jobId } of await waiting.look()) untold.add(jobId);
      const unread = waiting.unread().filter(({ jobId }) => untold.has(jobId));
      await waiting.read(unread.slice(0, READS_MAX));
      if (away) watcher.onBack();
      away = false;
      const posts = waiting.rows().flatMap(({ job, post, trouble }) =>
        untold.has(job.jobId) && trouble === undefined ? post ?? [] : []
      );
      for (const { job_id } of posts) untold.delete(job_id);
      await Promise.all(posts.map((post) => watcher.onWaiting(post)));
    } catch (error) {
      platform.signal.throwIfAborted();
      if (!(error instanceof OutsideError)) throw error;
      if (!away) watcher.onAway(error);
      away = true;
    }
    await wait(pollMs, platform.signal);
  }
}
