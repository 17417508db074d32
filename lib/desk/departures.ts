/**
 * Notes who decided about a post elsewhere: at a terminal, on the platform's own
 * page. It then no longer waits, and its record says who.
 *
 * @module
 */
import { OutsideError } from "../base/errors.ts";
import { errorFields, type Log } from "../base/log.ts";
import { type JsonObject, stringOf } from "../base/json.ts";
import { printable } from "../base/text.ts";
import { wait } from "../base/time.ts";
import { noteDecision, REASON_CHARS_MAX } from "../operate/decisions.ts";
import { TOPIC_PREFIX } from "../operate/pack.ts";
import type { Platform } from "../operate/platform.ts";
import type { WaitingRow } from "../operate/watch.ts";
import type { BoardSource } from "./board.ts";

/** Whoever decides a thousand at once gets no record of each. */
const QUEUE_MAX = 100;
/** A read and a note each. */
const PAUSE_MS = 200;

export interface Departures {
  /** Looks at what waits now, after a change. */
  look(): void;
}

/** Whether this desk decided it, by the job's record, and so has noted it. */
type IsOwn = (jobId: string, record: JsonObject) => Promise<boolean>;

/** Notes what others decide. */
export function watchDepartures(
  source: BoardSource,
  platform: Platform,
  { isOwn, log }: { isOwn: IsOwn; log: Log },
): Departures {
  let known = new Map<string, WaitingRow>();
  const queue: WaitingRow[] = [];
  let running = false;
  const run = async () => {
    if (running) return;
    running = true;
    for (let row = queue.shift(); row !== undefined; row = queue.shift()) {
      if (platform.signal.aborted) break;
      try {
        await note(platform, row, isOwn);
      } catch (error) {
        if (platform.signal.aborted) break;
        log.warn("Cannot note a decision", errorFields(error));
        if (!(error instanceof OutsideError)) break;
      }
      await wait(PAUSE_MS, platform.signal).catch(() => {});
    }
    running = false;
  };
  return {
    look() {
      void source.board().then(({ rows, trouble }) => {
        if (trouble !== undefined) return; // Nothing is known to have gone.
        const now = new Map(rows.map((row) => [row.job.jobId, row]));
        for (const [jobId, row] of known) {
          const isOurs = row.job.topic.startsWith(TOPIC_PREFIX);
          const fits = isOurs && queue.length < QUEUE_MAX;
          if (!now.has(jobId) && fits) queue.push(row);
        }
        known = now;
        void run();
      });
    },
  };
}

async function note(
  platform: Platform,
  { job: { jobId }, post }: WaitingRow,
  isOwn: IsOwn,
): Promise<void> {
  const record = await platform.findJob(jobId);
  const at = record?.["approval_at"];
  // It may have been cancelled, or decided at this desk.
  if (record === undefined || typeof at !== "number") return;
  if (await isOwn(jobId, record)) return;
  const verb = record["state"] === "DENIED" ? "rejected" : "approved";
  const reason = printable(
    stringOf(record["approval_reason"]),
    REASON_CHARS_MAX,
  );
  await noteDecision(platform, {
    at: new Date(at / 1000).toISOString(),
    ...{ jobId, verb, elsewhere: true },
    by: printable(stringOf(record["approval_by"]), 100),
    incidentId: post?.incident_id ?? "",
    severity: post?.severity ?? "",
    headline: printable(post?.headline || post?.title || "", 300),
    ...verb === "rejected" && reason !== "" ? { reason } : {},
  });
}
