/**
 * One trial: an incident, what strikes its post, and how that ends.
 *
 * @module
 */
import { wait, within } from "../../../lib/base/time.ts";
import { messageOf } from "../../../lib/base/errors.ts";
import type { Plan } from "./plan.ts";
import type { Lane } from "./lane.ts";
import {
  type Evidence,
  type JobFacts,
  judge,
  type Judgement,
} from "./oracle.ts";
import type { Note, Stage } from "./stage.ts";

/** What came of a trial. */
export interface Outcome extends Judgement {
  plan: Plan;
  /** On which it ran; what it left behind strikes the next one there. */
  lane: string;
  /** Names of the faults that struck; a post may not get where one waits. */
  struck: readonly string[];
  ms: number;
  /** For whoever repeats it. */
  notes: readonly Note[];
  evidence: Evidence | undefined;
  /** What both posters logged. */
  log: readonly string[];
}

/** How long a delivery may take; nothing here takes as long, but a lost one. */
const PATIENCE_MS = 2_500;
/** From a worker's own word for it to the platform's. */
const SPREAD_MS = 80;
/** No trial takes as long, on however slow a machine. */
const TRIAL_MS = 60_000;
/** After it, a job counts as lost. */
const RECOVERY_MS = 20_000;
const JOB_POLL_MS = 40;
const JOB_MS = 600;

/** Runs one trial on a lane that no other uses meanwhile. */
export async function runTrial(
  lane: Lane,
  plan: Plan,
  { incidentId, signal }: { incidentId: string; signal: AbortSignal },
): Promise<Outcome> {
  const start = performance.now();
  const stage = await lane.begin(incidentId);
  let evidence: Evidence | undefined;
  let judgement: Judgement;
  try {
    await within(TRIAL_MS, play(lane, stage, plan, signal));
    evidence = await gather(lane, stage);
    judgement = judge(evidence);
  } catch (error) {
    signal.throwIfAborted();
    const problem = `the trial broke off: ${messageOf(error)}`;
    judgement = { end: undefined, problems: [problem] };
  }
  const log = lane.posters.flatMap(({ id, lines }) =>
    lines.map(({ fields }) => `${id} ${JSON.stringify(fields)}`)
  );
  await lane.end(stage);
  const ms = Math.round(performance.now() - start);
  const struck = plan.faults.filter(({ name }, place) =>
    stage.struck.has(place) || name === "no fault"
  ).map(({ name }) => name);
  return {
    ...judgement,
    plan,
    lane: lane.name,
    struck,
    ms,
    notes: stage.notes,
    evidence,
    log,
  };
}

async function play(
  lane: Lane,
  stage: Stage,
  plan: Plan,
  signal: AbortSignal,
): Promise<void> {
  plan.faults.forEach((fault, place) => fault.arm(lane, stage.forFault(place)));
  const first = await lane.approveRun(stage);
  await lane.untilDispatched(first);
  await settle(lane, stage);
  // What has not struck by now would strike another than the first attempt.
  stage.disarm();
  const [delivery] = stage.deliveries;
  const poster = delivery?.poster ?? lane.posters[0];
  await again(lane, stage, plan, { first, poster });
  await settle(lane, stage);
  for (const jobId of stage.jobIds) await recover(lane, stage, jobId, signal);
}

/** Waits until nothing goes on; what ends may have begun something else. */
async function settle(lane: Lane, stage: Stage): Promise<void> {
  let seen: number;
  do {
    seen = stage.pending.length;
    await Promise.all(stage.pending);
    await lane.settle(stage, PATIENCE_MS);
  } while (stage.pending.length > seen);
}

async function again(
  lane: Lane,
  stage: Stage,
  { again }: Plan,
  { first, poster }: { first: string; poster: Lane["posters"][number] },
): Promise<void> {
  stage.note(`again: ${again}`);
  switch (again) {
    case "nothing more":
      return;
    case "same job, same poster":
      return await lane.deliver(first, await lane.liveOne(poster));
    case "same job, other poster":
      return await lane.deliver(
        first,
        await lane.liveOne(lane.otherThan(poster)),
      );
    case "new run": {
      // The platform forgot the incident with all that Redis held.
      if (stage.lostData) {
        return await lane.deliver(first, await lane.liveOne(poster));
      }
      await lane.untilDispatched(await lane.approveRun(stage));
      return;
    }
    case "poster started an hour later": {
      // It finds by itself what nobody answers.
      await poster.kill();
      await poster.start(1);
      for (const jobId of stage.jobIds) {
        const { state } = await lane.readJob(jobId) ?? {};
        if (state !== "RUNNING") continue;
        stage.note(`${poster.id} was started and should find ${jobId}`);
        stage.deliveries.push({ jobId, poster, starts: poster.starts });
      }
    }
  }
}

/**
 * Stands in for what recovers a job that nobody answered: it is delivered
 * again, in the end an hour later, when its claim is no longer young.
 */
async function recover(
  lane: Lane,
  stage: Stage,
  jobId: string,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + RECOVERY_MS;
  for (let count = 1; performance.now() < deadline; count++) {
    if (await isOver(lane, stage, jobId, signal)) return;
    const poster = await lane.liveOne(lane.posters[count % 2]!);
    if (count > 1) await poster.jump(1);
    stage.note(`${poster.id} recovers ${jobId}`);
    await lane.deliver(jobId, poster);
    await lane.settle(stage, PATIENCE_MS);
    if (count > 1) await poster.unjump();
  }
}

async function isOver(
  lane: Lane,
  stage: Stage,
  jobId: string,
  signal: AbortSignal,
): Promise<boolean> {
  await wait(SPREAD_MS, signal);
  const deadline = performance.now() + JOB_MS;
  while (true) {
    const job = await lane.readJob(jobId);
    // Nobody is owed an answer about what was forgotten.
    if (job === undefined) return stage.lostData;
    if (["SUCCEEDED", "FAILED"].includes(String(job["state"]))) return true;
    const late = !lane.wasAnswered(jobId) || performance.now() > deadline;
    if (late) return false;
    await wait(JOB_POLL_MS, signal);
  }
}

async function gather(lane: Lane, stage: Stage): Promise<Evidence> {
  const jobs: JobFacts[] = [];
  for (const jobId of stage.jobIds) {
    const job = await lane.readJob(jobId);
    jobs.push({
      jobId,
      state: job === undefined ? undefined : String(job["state"]),
      code: String(job?.["error_code"] ?? ""),
      message: String(job?.["error_message"] ?? ""),
    });
  }
  return {
    requests: lane.requests(stage),
    record: await lane.readRecord(stage),
    jobs,
    lostData: stage.lostData,
  };
}
