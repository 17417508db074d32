/**
 * What comes of an approved job.
 *
 * @module
 */
import { ageOf } from "../../lib/base/text.ts";
import {
  follow,
  type Followed,
  type FollowOptions,
  type Hindrance,
  workerOf,
} from "../../lib/operate/approvals.ts";
import {
  describeHindrance,
  describeOutcome,
} from "../../lib/operate/outcome.ts";
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
        const { because, cure } = describeHindrance(hindrance, topic);
        context.err(
          `Nothing has happened for ${ageOf(waitedMs)}: ${because}. ` +
            `The job goes on waiting; ${cure}`,
        );
      }
      told = hindrance;
      progress(`waiting for the ${who}`);
    },
  });
}

/** Says what became of an approved job. @returns The exit code. */
export function reportEnd(
  job: Job,
  followed: Followed,
  { out, err }: CommandContext,
): number {
  const outcome = describeOutcome(job, followed);
  const { done, said, remedy, facts, warnings } = outcome;
  const goesOn = followed.end === "still running"
    ? ". It goes on without this command"
    : "";
  (done ? out : err)(said + goesOn);
  if (remedy !== "") err(remedy);
  for (const [name, fact] of facts) out(`  ${name.padEnd(10)}${fact}`);
  for (const warning of warnings) err(`Warning: ${warning}`);
  return done ? 0 : 1;
}
