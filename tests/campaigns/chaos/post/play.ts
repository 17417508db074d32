/**
 * Plays one trial: a post, what is done about it after the first attempt, and how
 * that ends.
 *
 * @module
 */
import { wait } from "../../../../lib/base/time.ts";
import type { PostSeverity } from "../../../../lib/post/severity.ts";
import type { PostLane } from "./lane.ts";
import type { Evidence, JobFacts } from "./oracle.ts";
import type { Poster } from "./poster.ts";
import type { PostStage } from "./stage.ts";
import type { PostPlan } from "./suite.ts";

/** No delivery takes as long, unless it is lost. */
const PATIENCE_MS = 2_500;
/** How long the platform takes to learn what a worker has logged. */
const SPREAD_MS = 80;
/** After it, a job counts as lost. */
const RECOVERY_MS = 20_000;
const JOB_POLL_MS = 40;
const JOB_MS = 600;

export async function play(
  lane: PostLane,
  stage: PostStage,
  plan: PostPlan,
  signal: AbortSignal,
): Promise<Evidence> {
  const settle = () => stage.settle(() => lane.settle(stage, PATIENCE_MS));
  const { way, before, severity } = plan;
  if (before !== undefined) await lane.plant(stage, before);
  const first = await lane.approveRun(stage, severity);
  await lane.untilDispatched(first);
  await settle();
  // What has not struck by now would strike a later attempt.
  stage.disarm();
  const [delivery] = stage.deliveries;
  const poster = delivery?.poster ?? lane.replicas[0];
  stage.note(way);
  await WAYS[way]!(lane, stage, { first, poster, again: plan.again });
  await settle();
  for (const jobId of stage.jobIds) await recover(lane, stage, jobId, signal);
  return await gather(lane, stage, before);
}

export const WORSE = "then worse run";

async function runAgain(
  lane: PostLane,
  stage: PostStage,
  { first, poster, again }: {
    first: string;
    poster: Poster;
    again: PostSeverity;
  },
): Promise<void> {
  // The platform has forgotten the incident with all that Redis held.
  if (stage.lostData) await lane.deliver(first, await lane.liveOne(poster));
  else await lane.untilDispatched(await lane.approveRun(stage, again));
}

/** What is done about the incident once the first attempt is over. */
const WAYS: Readonly<
  Record<
    string,
    (
      lane: PostLane,
      stage: PostStage,
      attempt: { first: string; poster: Poster; again: PostSeverity },
    ) => void | Promise<void>
  >
> = {
  "then nothing more"() {},
  "then same job, same poster": async (lane, _, { first, poster }) =>
    await lane.deliver(first, await lane.liveOne(poster)),
  "then same job, other poster": async (lane, _, { first, poster }) =>
    await lane.deliver(first, await lane.liveOne(lane.otherThan(poster))),
  "then new run": runAgain,
  /** Its severity is above all before it, if there is such a one. */
  [WORSE]: runAgain,
  async "then poster started an hour later"(lane, stage, { poster }) {
    // It finds by itself the jobs that nobody answers.
    await poster.kill();
    await poster.startAhead(1);
    for (const jobId of stage.jobIds) {
      const { state } = await lane.readJob(jobId) ?? {};
      if (state !== "RUNNING") continue;
      stage.note(`${poster.id} was started and should find ${jobId}`);
      stage.deliveries.push({ jobId, poster, starts: poster.starts });
    }
  },
};

/** A new run is drawn twice as often, since it varies more. */
export const AGAIN: readonly string[] = Object.keys(WAYS)
  .flatMap((way) => way === "then new run" ? [way, way] : way);

/**
 * Recovers a job that nobody answered: delivers it again, in the end an hour
 * later, when its claim is no longer young.
 */
async function recover(
  lane: PostLane,
  stage: PostStage,
  jobId: string,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + RECOVERY_MS;
  for (let count = 1; performance.now() < deadline; count++) {
    if (await isOver(lane, stage, jobId, signal)) return;
    const poster = await lane.liveOne(lane.replicas[count % 2]!);
    if (count > 1) await poster.jump(1);
    stage.note(`${poster.id} recovers ${jobId}`);
    await lane.deliver(jobId, poster);
    await lane.settle(stage, PATIENCE_MS);
    if (count > 1) await poster.unjump();
  }
}

async function isOver(
  lane: PostLane,
  stage: PostStage,
  jobId: string,
  signal: AbortSignal,
): Promise<boolean> {
  await wait(SPREAD_MS, signal);
  const deadline = performance.now() + JOB_MS;
  while (true) {
    const job = await lane.readJob(jobId);
    // Nobody expects an answer for a job that was forgotten.
    if (job === undefined) return stage.lostData;
    if (["SUCCEEDED", "FAILED"].includes(String(job["state"]))) return true;
    const late = !lane.wasAnswered(jobId) || performance.now() > deadline;
    if (late) return false;
    await wait(JOB_POLL_MS, signal);
  }
}

async function gather(
  lane: PostLane,
  stage: PostStage,
  before: PostSeverity | undefined,
): Promise<Evidence> {
  const jobs: JobFacts[] = [];
  for (const jobId of stage.jobIds) {
    const job = await lane.readJob(jobId);
    jobs.push({
      jobId,
      severity: stage.severities.get(jobId)!,
      state: job === undefined ? undefined : String(job["state"]),
      code: String(job?.["error_code"] ?? ""),
      message: String(job?.["error_message"] ?? ""),
    });
  }
  return {
    before,
    requests: lane.requests(stage),
    record: await lane.readRecord(stage),
    jobs,
    lostData: stage.lostData,
  };
}
