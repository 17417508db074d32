/**
 * What comes of an approved job.
 *
 * @module
 */
import { type JsonObject, objectOf, stringOf } from "../../lib/base/json.ts";
import { ageOf, printable, utcOf } from "../../lib/base/text.ts";
import {
  type Bounce,
  follow,
  type Followed,
  type FollowOptions,
  type Hindrance,
  workerOf,
} from "../../lib/operate/approvals.ts";
import { POST_TOPIC } from "../../lib/operate/pack.ts";
import type { Platform, WaitingJob } from "../../lib/operate/platform.ts";
import type { CommandContext } from "./command.ts";
import { showProgress } from "./progress.ts";

type Job = Pick<WaitingJob, "jobId" | "topic"> & {
  /** Who approved it. */
  principal: string;
};

/** Follows an approved job, and says why nothing happens if nothing does. */
export async function followJob(
  platform: Platform,
  { jobId, topic }: Pick<WaitingJob, "jobId" | "topic">,
  context: CommandContext,
  options: FollowOptions = {},
): Promise<Followed> {
  const progress = showProgress(context);
  const who = workerOf(topic);
  let told: Hindrance | undefined;
  return await follow(platform, jobId, {
    ...options,
    onWait(waitedMs, hindrance) {
      if (hindrance !== undefined && hindrance !== told) {
        const { because, cure } = HINDRANCES[hindrance];
        context.err(
          `Nothing has happened for ${ageOf(waitedMs)}: ${because(who)}. ` +
            `The job goes on waiting; ${cure}`,
        );
      }
      told = hindrance;
      progress(`waiting for the ${who}`);
    },
  });
}

const HINDRANCES: Readonly<
  Record<Hindrance, { because: (who: string) => string; cure: string }>
> = {
  "no worker": { because: (who) => `no ${who} is up`, cure: "start one" },
  licence: {
    because: () =>
      "the platform's licence lets nothing run while so many jobs are unfinished",
    cure: "decide what waits (deno task approvals), or cancel a run",
  },
};

/** Says what became of an approved job. @returns The exit code. */
export function reportEnd(
  job: Job,
  followed: Followed,
  context: CommandContext,
): number {
  const { out, err } = context;
  const isPost = job.topic === POST_TOPIC;
  switch (followed.end) {
    case "succeeded": {
      if (isPost) return reportPost(job, followed.result, context);
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
      const { state, hindrance } = followed;
      const why = hindrance === undefined
        ? ""
        : `${HINDRANCES[hindrance].because(workerOf(job.topic))}, and `;
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
  { jobId, principal }: Job,
  result: JsonObject,
  { out, err }: CommandContext,
): number {
  const text = (name: string) => printable(stringOf(result[name]), 300);
  const at = utcOf(text("posted_at"));
  const host = text("destination_host");
  const where = host === "" ? "as an artifact" : `to ${host}`;
  const { warnings: given } = result;
  const warnings = (Array.isArray(given) ? given : []).map(String);
  const warn = () =>
    warnings.filter((warning) => !warning.startsWith("Not sent: "))
      .forEach((warning) => err(`Warning: ${printable(warning, 500)}`));
  // A job that was done again repeats its own message.
  if (result["repeat"] === true && text("job_id") !== jobId) {
    const as = text("posted_as") === "" ? "" : ` as ${text("posted_as")}`;
    const there = host === "" ? "" : ` ${where}`;
    err(`Not sent: posted before${as} on ${at}${there}`);
    warn();
    return 1;
  }
  const update = objectOf(result["update_of"]);
  const what = update === undefined
    ? ""
    : `, an update of the ${printable(stringOf(update["severity"]))} of ${
      utcOf(stringOf(update["posted_at"]))
    }`;
  out(
    result["dry_run"] === true
      ? "Nothing was sent: it is a dry run"
      : `Posted ${where} on ${at}${what}`,
  );
  const approval = objectOf(result["approval"]);
  const by = stringOf(approval?.["by"]);
  const own = by === "" || by === principal;
  const facts = [
    ["approver", own ? by : `${by}, as the platform goes by the API key`],
    ["signed by", stringOf(approval?.["signed_by"])],
    ["run", text("run_id")],
    ["copy", text("artifact_ptr")],
  ] as const;
  for (const [name, fact] of facts) {
    if (fact !== "") out(`  ${name.padEnd(10)}${printable(fact)}`);
  }
  warn();
  return 0;
}
