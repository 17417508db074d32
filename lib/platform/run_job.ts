/**
 * One job, from its request to its end.
 *
 * @module
 */
import type { Config, Settings } from "../base/config.ts";
import { deadline, linkSignal } from "../base/deadline.ts";
import { bytesOf, sha256Hex } from "../base/digest.ts";
import {
  JobElsewhere,
  JobError,
  type JobErrorCode,
  messageOf,
} from "../base/errors.ts";
import { optional, parseJson } from "../base/json.ts";
import { bugFields, errorFields, type Log } from "../base/log.ts";
import type { Tally } from "../base/tally.ts";
import type { Check } from "../schema_check.ts";
import {
  readConstraints,
  readRecordedConstraints,
  stricter,
} from "./constraints.ts";
import type { Job, JobContext, TokenBudget } from "./context.ts";
import type { Gateway } from "./gateway.ts";
import { GatewayError } from "./gateway_error.ts";
import {
  hasEnded,
  holdJob,
  type HoldTimes,
  mayHold,
  type Past,
} from "./hold_job.ts";
import type { Held, Hold } from "./job_table.ts";
import type { JobEnd } from "./packet.ts";
import { type Store, StoreError } from "./store.ts";
import { troubleOf } from "./trouble.ts";
import type { GatewayWatch } from "./watch_gateway.ts";

export interface Workbench {
  readonly topic: string;
  readonly settings: Config<Settings>;
  readonly gateway: Gateway;
  readonly store: Store;
  readonly checkInput: Check;
  readonly checkOutput: Check;
  readonly watch: GatewayWatch;
  readonly tally: Tally;
  /** Whether another process finds a job that is left unanswered. */
  readonly recoverable: boolean;
  /** When a job is no longer worth holding, in milliseconds since the epoch. */
  readonly giveUpAt: (input: unknown) => number;
  readonly holdTimes?: HoldTimes | undefined;
  /** Its input has passed the check. */
  readonly handle: (input: unknown, context: JobContext) => Promise<unknown>;
}

export interface JobCall extends Held {
  readonly log: Log;
  progress(percent: number, message: string): void;
}

const INPUT_BYTES_MAX = 4 * 1024 * 1024;
/** The workflow sees results of 256 KiB and more as null. */
const RESULT_BYTES_MAX = 200 * 1024;
const RESULT_TTL_S = 24 * 60 * 60;
const FAILURE_MS = 2_000;
/** For writes that outlive the job; the store has a bound of its own. */
const NEVER: AbortSignal = new AbortController().signal;

/**
 * Does one job: reads and checks its input, calls the handler, checks and
 * stores the output. Never throws: every error is an end, or a reason to hold
 * the job.
 *
 * @returns How it ended, or `undefined` if another process answers for it.
 */
export async function runJob(
  bench: Workbench,
  call: JobCall,
  past: Past = { sinceMs: performance.now(), holds: 0, giveUpAt: Infinity },
): Promise<JobEnd | Hold | undefined> {
  try {
    return await attempt(bench, call, past);
  } catch (error) {
    if (error instanceof JobElsewhere) return undefined;
    const code = await findTrouble(bench, error);
    const { watch, holdTimes } = bench;
    let message = messageOf(error);
    if (code === "GATEWAY_UNAVAILABLE") message = watch.trouble ?? message;
    if (code !== undefined && mayHold(call.request, bench.recoverable)) {
      const hold = holdJob(past, {
        why: message,
        watch,
        times: holdTimes,
        signal: call.signal,
        log: call.log,
        work: () => runJob(bench, call, past),
      });
      if (hold !== undefined) return hold;
      const seconds = Math.round((performance.now() - past.sinceMs) / 1000);
      message = `Gave up after ${seconds} s: ${message}`;
    }
    const failure = toJobError(error, call, code && { code, message });
    if (isLeft(bench, call, failure)) return undefined;
    await writeFailure(bench.store, call.request.jobId, failure, call.log);
    return { status: "failed", code: failure.code, message: failure.message };
  }
}

async function attempt(
  bench: Workbench,
  call: JobCall,
  past: Past,
): Promise<JobEnd | undefined> {
  const { watch, handle, gateway, recoverable, giveUpAt } = bench;
  const { request, signal } = call;
  const { jobId } = request;
  if (past.output === undefined) {
    const context = createContext(bench, call, past.sinceMs);
    const input = await readInput(bench, call);
    past.giveUpAt = giveUpAt(input);
    if (watch.failure !== undefined && mayHold(request, recoverable)) {
      // Not the failure itself: its status says nothing about this job.
      throw new GatewayError(watch.failure.message, 0, "");
    }
    const wasHeld = past.holds > 0;
    if (wasHeld && await hasEnded(gateway, jobId, signal)) return undefined;
    past.output = await handle(input, context);
  }
  const resultPtr = await writeResult(bench, jobId, past.output);
  return { status: "succeeded", resultPtr };
}

/**
 * Nothing counts as the job's fault while the gateway is not well, or a part of
 * this process is not set up.
 */
async function findTrouble(
  { watch }: Workbench,
  error: unknown,
): Promise<JobErrorCode | undefined> {
  if (error instanceof JobError && error.part !== undefined) return error.code;
  const cause = error instanceof JobError ? error.cause : error;
  if (!(cause instanceof GatewayError)) return troubleOf(cause);
  const isWell = await watch.check();
  return isWell ? troubleOf(cause) : "GATEWAY_UNAVAILABLE";
}

/**
 * Whether a stop ends this job. Another process then does it, unless it must
 * learn that a message may have been sent.
 */
function isLeft(
  { recoverable }: Workbench,
  { signal: { reason } }: JobCall,
  { code }: JobError,
): boolean {
  return recoverable && code !== "POST_IN_DOUBT" &&
    reason instanceof JobError && reason.code === "WORKER_STOPPING";
}

function createContext(
  { topic, settings, gateway, store, tally }: Workbench,
  { request, traceId, signal, log, progress }: JobCall,
  sinceMs: number,
): JobContext {
  const { env, labels } = request;
  const constraints = readConstraints(env);
  const job: Job = {
    id: request.jobId,
    topic,
    runId: env["run_id"] ?? labels["run_id"] ?? "",
    workflowId: request.workflowId,
    tenantId: request.tenantId || "default",
    traceId,
    dryRun: env["dry_run"] === "true" || labels["dry_run"] === "true",
  };
  return {
    job,
    constraints,
    ...optional("tokens", tokenBudget(request)),
    signal,
    leftMs() {
      const wholeMs = Number(request.budget?.deadlineMs ?? 0n) || Infinity;
      return sinceMs + wholeMs - performance.now();
    },
    settings,
    log,
    count: (name, count) => tally.add(name, count),
    progress,
    constraintsWith: (record) =>
      stricter(constraints, readRecordedConstraints(record)),
    gateway: {
      async putArtifact(artifact, bytesMax = Infinity) {
        const bytes = bytesOf(artifact.content).length;
        const allowed = Math.min(bytesMax, constraints.artifactBytesMax);
        if (bytes > allowed) {
          throw new JobError(
            "ARTIFACT_TOO_LARGE",
            `Cannot store artifact: got ${bytes} bytes, policy allows ${allowed}`,
          );
        }
        const labels = {
          job_id: job.id,
          run_id: job.runId,
          sha256: await sha256Hex(artifact.content),
          ...artifact.labels,
        };
        return await gateway.putArtifact({ ...artifact, labels }, signal);
      },
      async readArtifact(pointer, bytesMax, until) {
        if (until === undefined) {
          return await gateway.readArtifact(pointer, bytesMax, signal);
        }
        using both = linkSignal(signal, until);
        return await gateway.readArtifact(pointer, bytesMax, both.signal);
      },
      readJob: (jobId) => gateway.readJob(jobId, signal),
    },
    store: {
      append: (key, item) => store.append(key, item, NEVER),
      list: (key) => store.list(key, signal),
      latest: (key, itemsMax) => store.latest(key, itemsMax, signal),
      add: (key, by, ttlS) => store.add(key, by, ttlS, signal),
    },
  };
}

/** 0 means no limit, as everywhere in protobuf. */
function tokenBudget(
  { budget }: JobCall["request"],
): TokenBudget | undefined {
  if (budget === undefined) return undefined;
  const [input, output, total] = [
    budget.maxInputTokens,
    budget.maxOutputTokens,
    budget.maxTotalTokens,
  ].map((tokens) => Number(tokens) || Infinity) as [number, number, number];
  return { input, output, total };
}

async function readInput(
  { store, checkInput }: Workbench,
  { request, signal }: JobCall,
): Promise<unknown> {
  const key = `ctx:${request.jobId}`;
  const refuse = (problem: string, code: JobErrorCode = "JOB_INVALID_INPUT") =>
    new JobError(code, `Cannot read the job's input: ${problem}`);
  // Another pointer would make us read values that the job does not own.
  if (request.contextPtr !== `redis://${key}`) {
    throw refuse(`its context pointer is not "redis://${key}"`);
  }
  const text = await store.read(key, INPUT_BYTES_MAX, signal);
  if (text === undefined) {
    throw refuse(`"${key}" is missing or expired`, "JOB_CONTEXT_MISSING");
  }
  const input = parseJson(text);
  if (input === undefined) throw refuse(`"${key}" is not JSON`);
  const problem = checkInput(input);
  if (problem === undefined) return input;
  throw new JobError(
    "JOB_INVALID_INPUT",
    `Cannot use the job's input: ${problem}`,
  );
}

async function writeResult(
  { store, checkOutput }: Workbench,
  jobId: string,
  output: unknown,
): Promise<string> {
  const refuse = (code: JobErrorCode, problem: string) =>
    new JobError(code, `Cannot store the job's result: ${problem}`);
  const problem = checkOutput(output);
  if (problem !== undefined) throw refuse("JOB_INVALID_OUTPUT", problem);
  const text = JSON.stringify(output);
  const bytes = bytesOf(text).length;
  if (bytes > RESULT_BYTES_MAX) {
    throw refuse(
      "JOB_RESULT_TOO_LARGE",
      `got ${bytes} bytes, expected at most ${RESULT_BYTES_MAX}`,
    );
  }
  const key = `res:${jobId}`;
  // No deadline may lose finished work.
  await store.write(key, text, RESULT_TTL_S, NEVER);
  return `redis://${key}`;
}

/**
 * Stores the reason under a key of its own, because the platform overwrites
 * `res:<job_id>` of a failed job.
 */
async function writeFailure(
  store: Store,
  jobId: string,
  { code, message, retryable }: JobError,
  log: Log,
): Promise<void> {
  const at = new Date().toISOString();
  const detail = JSON.stringify({ code, message, retryable, at });
  try {
    using end = deadline(FAILURE_MS);
    await store.write(`res:${jobId}:error`, detail, RESULT_TTL_S, end.signal);
  } catch (error) {
    log.warn("Cannot store why the job failed", errorFields(error));
  }
}

/** Translates any error of a job into the platform's terms. */
function toJobError(
  error: unknown,
  { signal, log }: JobCall,
  trouble: { code: JobErrorCode; message: string } | undefined,
): JobError {
  const { reason } = signal;
  if (trouble !== undefined && !signal.aborted) {
    const { code, message } = trouble;
    return new JobError(code, message, { retryable: true, cause: error });
  }
  if (error instanceof JobError) return error;
  if (signal.aborted && reason instanceof JobError) return reason;
  const code = refusalCode(error);
  if (code !== undefined) {
    return new JobError(code, messageOf(error), { cause: error });
  }
  // Anything else is a bug: log it in full, report only INTERNAL.
  log.error("Handler failed", bugFields(error));
  return new JobError(
    "INTERNAL",
    "Internal error of the worker; its log has the details",
  );
}

function refusalCode(error: unknown): JobErrorCode | undefined {
  if (error instanceof StoreError) return "JOB_INVALID_INPUT";
  return error instanceof GatewayError ? "GATEWAY_REFUSED" : undefined;
}
