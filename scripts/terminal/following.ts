/**
 * What comes of an approved job.
 *
 * @module
 */
import { stringOf } from "../../lib/base/json.ts";
import { ageOf, printable, utcOf } from "../../lib/base/text.ts";
import {
  type Bounce,
  follow,
  type Followed,
  workerOf,
} from "../../lib/operate/approvals.ts";
import type { Effect } from "../../lib/operate/effect.ts";
import { POST_TOPIC } from "../../lib/operate/pack.ts";
import type { Platform, WaitingJob } from "../../lib/operate/platform.ts";
import type { CommandContext } from "./command.ts";
import { showProgress } from "./progress.ts";

type Job = Pick<WaitingJob, "jobId" | "topic">;

/** Follows an approved job, and says why nothing happens if nothing does. */
export async function followJob(
  platform: Platform,
  { jobId, topic }: Job,
  context: CommandContext,
): Promise<Followed> {
  const progress = showProgress(context);
  const who = workerOf(topic);
  let isMissing = false;
  return await follow(platform, jobId, {
    onWait(waitedMs, worker) {
      const wasMissing = isMissing;
      isMissing = worker === false;
      if (isMissing && !wasMissing) {
        context.err(
          `No ${who} is up: nothing has happened for ${ageOf(waitedMs)}. ` +
            "The job goes on waiting; start one",
        );
      }
      progress(isMissing ? `waiting for a ${who}` : `waiting for the ${who}`);
    },
  });
}

/** What became of a job, and what its record said before and after. */
export interface Ended {
  job: Job;
  followed: Followed;
  effect: Effect | undefined;
  /** As it would be for one more such message. */
  after: Effect | undefined;
}

/** Says what became of an approved job. @returns The exit code. */
export function reportEnd(
  { job, followed, effect, after }: Ended,
  context: CommandContext,
): number {
  const { out, err } = context;
  const isPost = job.topic === POST_TOPIC;
  switch (followed.end) {
    case "succeeded": {
      if (isPost) return reportPost(job, followed, effect, after, context);
      out(`Done: ${printable(JSON.stringify(followed.result), 1_000)}`);
      return 0;
    }
    case "failed": {
      const { code, message } = followed;
      const why = printable(`${code} ${message}`, 1_000);
      if (code === "POST_IN_DOUBT") {
        err(`In doubt: ${why}`);
        err("Look into the channel, then settle it: deno task posts");
      } else err(`${isPost ? "Not posted" : "Not done"}: ${why}`);
      return 1;
    }
    case "bounced":
      err(
        `The job waits for approval again: ${
          BOUNCED[followed.why](workerOf(job.topic))
        }`,
      );
      return 1;
    case "still running": {
      const { state, worker } = followed;
      const why = worker === false
        ? `no ${workerOf(job.topic)} is up, and `
        : "";
      err(
        `Nothing is known yet: ${why}the job is still ${printable(state)}. ` +
          "It goes on without this command",
      );
      return 1;
    }
  }
}

const BOUNCED: Readonly<Record<Bounce, (who: string) => string>> = {
  "no worker": (who) =>
    `no ${who} is up to take it. Start one, then approve it once more`,
  "never released": () =>
    "this platform is coretexOS 0.6, which never releases an approved job",
  "not placed": (who) =>
    `no ${who} was free to take it at that moment. Approve it once more`,
};

function reportPost(
  { jobId }: Job,
  { result }: Extract<Followed, { end: "succeeded" }>,
  effect: Effect | undefined,
  after: Effect | undefined,
  { out, err }: CommandContext,
): number {
  const at = utcOf(stringOf(result["posted_at"]));
  const text = (name: string) => printable(stringOf(result[name]), 300);
  const host = text("destination_host");
  const where = host === "" ? "as an artifact" : `to ${host}`;
  const { warnings: given } = result;
  const warnings = (Array.isArray(given) ? given : []).map(String);
  // A job that was done again repeats its own message.
  const isOwn = text("job_id") === jobId && !warnings.some(isMark);
  if (result["repeat"] === true && !isOwn) {
    const as = after?.before === undefined
      ? ""
      : ` as ${after.before.severity}`;
    err(`Not sent: posted before${as} on ${at} ${where}`);
    for (const mark of warnings.filter(isMark)) {
      err(`  ${printable(mark, 500)}`);
    }
    return 1;
  }
  if (result["dry_run"] === true) {
    out("Nothing was sent: it is a dry run");
  } else {
    const what = effect?.kind === "update" ? "an update" : "a new message";
    const severity = effect === undefined ? "" : `, ${effect.severity}`;
    out(`Posted ${where} on ${at}: ${what}${severity}`);
  }
  for (const [name, label] of [["run_id", "run"], ["artifact_ptr", "copy"]]) {
    if (text(name!) !== "") out(`  ${label!.padEnd(8)}${text(name!)}`);
  }
  for (const warning of warnings) err(`Warning: ${printable(warning, 500)}`);
  return 0;
}

/** A person said that the message went out. */
function isMark(warning: string): boolean {
  return warning.startsWith("Marked as posted by ");
}
