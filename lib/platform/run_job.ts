/**
 * One job, from its request to its end.
 *
 * @module
 */
import type { Config, Settings } from "../base/config.ts";
import { deadline } from "../base/deadline.ts";
import { bytesOf, sha256Hex } from "../base/digest.ts";
import {
  JobElsewhere,
  JobError,
  type JobErrorCode,
  messageOf,
} from "../base/errors.ts";
import { parseJson } from "../base/json.ts";
import { bugFields, errorFields, type Log } from "../base/log.ts";
import type { Check } from "../schema_check.ts";
import {
  checkSupported,
  readConstraints,
  readRecordedConstraints,
  stricter,
} from "./constraints.ts";
import type { Job, JobContext } from "./context.ts";
import type { Gateway } from "./gateway.ts";
import { GatewayError } from "./gateway_error.ts";
import type { Held } from "./job_table.ts";
import type { JobEnd } from "./packet.ts";
import { type Store, StoreError } from "./store.ts";

export interface Workbench {
  readonly topic: string;
  readonly settings: Config<Settings>;
  readonly gateway: Gateway;
  readonly store: Store;
  readonly checkInput: Check;
  readonly checkOutput: Check;
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
 * stores the output. Never throws: every error is an end.
 *
 * @returns How it ended, or `undefined` if another process answers for it.
 */
export async function runJob(
  bench: Workbench,
  call: JobCall,
): Promise<JobEnd | undefined> {
  const jobId = call.request.jobId;
  try {
    const context = createContext(bench, call);
    const input = await readInput(bench, call);
    const output = await bench.handle(input, context);
    const resultPtr = await writeResult(bench, jobId, output);
    return { status: "succeeded", resultPtr };
  } catch (error) {
    if (error instanceof JobElsewhere) return undefined;
    const failure = toJobError(error, call);
    await writeFailure(bench.store, jobId, failure, call.log);
    return { status: "failed", code: failure.code, message: failure.message };
  }
}

function createContext(
  { topic, settings, gateway, store }: Workbench,
  { request, traceId, signal, log, progress }: JobCall,
): JobContext {
  const { env, labels } = request;
  const constraints = readConstraints(env);
  checkSupported(constraints);
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
    signal,
    settings,
    log,
    progress,
    constraintsWith(record) {
      const both = stricter(constraints, readRecordedConstraints(record));
      checkSupported(both);
      return both;
    },
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
      readArtifact: (pointer, bytesMax) =>
        gateway.readArtifact(pointer, bytesMax, signal),
      readJob: (jobId) => gateway.readJob(jobId, signal),
    },
    store: {
      append: (key, item) => store.append(key, item, NEVER),
      list: (key) => store.list(key, signal),
    },
  };
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
function toJobError(error: unknown, { signal, log }: JobCall): JobError {
  if (error instanceof JobError) return error;
  if (signal.aborted && signal.reason instanceof JobError) return signal.reason;
  const code = platformCode(error);
  if (code !== undefined) {
    const retryable = code.endsWith("UNAVAILABLE");
    return new JobError(code, messageOf(error), { retryable, cause: error });
  }
  // Anything else is a bug: log it in full, report only INTERNAL.
  log.error("Handler failed", bugFields(error));
  return new JobError(
    "INTERNAL",
    "Internal error of the worker; its log has the details",
  );
}

function platformCode(error: unknown): JobErrorCode | undefined {
  if (error instanceof StoreError) {
    const passes = error.kind === "unavailable";
    return passes ? "STORE_UNAVAILABLE" : "JOB_INVALID_INPUT";
  }
  if (!(error instanceof GatewayError)) return undefined;
  return error.unavailable ? "GATEWAY_UNAVAILABLE" : "GATEWAY_REFUSED";
}
