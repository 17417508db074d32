/**
 * The errors that cross module borders.
 *
 * @module
 */

/** The environment keeps the process from starting. Exit code 2. */
export class ConfigError extends Error {
  /** The class, for logs. */
  override name = "ConfigError";
}

/** Why a job could not be done. Callers may branch on it. */
export type JobErrorCode =
  | "JOB_INVALID_INPUT"
  | "JOB_INVALID_OUTPUT"
  | "JOB_WRONG_TOPIC"
  | "JOB_CONTEXT_MISSING"
  | "JOB_CONSTRAINTS_INVALID"
  | "REDACTION_INCOMPLETE"
  | "JOB_TIMEOUT"
  | "JOB_CANCELLED"
  | "JOB_RESULT_TOO_LARGE"
  | "WORKER_OVERLOADED"
  | "WORKER_STOPPING"
  | "STORE_UNAVAILABLE"
  | "GATEWAY_UNAVAILABLE"
  | "GATEWAY_REFUSED"
  | "ARTIFACT_TOO_LARGE"
  | "ARTIFACT_UNREADABLE"
  | "DIGEST_MISMATCH"
  | "NOT_APPROVED"
  | "DESTINATION_REFUSED"
  | "POST_REFUSED"
  | "POST_IN_DOUBT"
  | "POST_TOO_OLD"
  | "INTERNAL";

/** The job itself or policy is at fault; every other failure is ours. */
const REFUSALS: ReadonlySet<string> = new Set<JobErrorCode>([
  "JOB_INVALID_INPUT",
  "JOB_WRONG_TOPIC",
  "JOB_CONTEXT_MISSING",
  "JOB_CONSTRAINTS_INVALID",
  "REDACTION_INCOMPLETE",
  "JOB_CANCELLED",
  "GATEWAY_REFUSED",
  "ARTIFACT_TOO_LARGE",
  "ARTIFACT_UNREADABLE",
  "DIGEST_MISMATCH",
  "NOT_APPROVED",
  "DESTINATION_REFUSED",
  "POST_TOO_OLD",
]);

/** Whether a job with this code was refused, rather than failed by us. */
export function isRefusal(code: string): boolean {
  return REFUSALS.has(code);
}

/** Options of a {@linkcode JobError}. */
export interface JobErrorOptions {
  /** Whether another attempt at the same job may succeed. */
  retryable?: boolean;
  /** The caught error. Never printed, because it may quote a secret. */
  cause?: unknown;
  /** The part of this process that is not set up, which `/readyz` then names. */
  part?: "slack";
}

/**
 * A job cannot be done. The worker loop turns this error into the `error_code`
 * and `error_message` of the job's result, so its message holds no payload text.
 */
export class JobError extends Error {
  /** The class, for logs. */
  override name = "JobError";
  /** Callers branch on it. */
  readonly code: JobErrorCode;
  /** Whether another attempt at the same job may succeed. */
  readonly retryable: boolean;
  /** The part of this process that is not set up, which `/readyz` then names. */
  readonly part: JobErrorOptions["part"];

  /** Anybody may see `message`. */
  constructor(
    code: JobErrorCode,
    message: string,
    { retryable = false, cause, part }: JobErrorOptions = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = retryable;
    this.part = part;
  }
}

/** An outside system failed, which may happen at any time: no bug, no stack. */
export abstract class OutsideError extends Error {
  /** The other side itself says that the thing does not exist. */
  get missing(): boolean {
    return false;
  }

  /** The other side refuses our credentials. */
  get refusesKey(): boolean {
    return false;
  }
}

/** The other side will never accept this input. */
export class InputRefusedError extends OutsideError {
  /** The class, for logs. */
  override name = "InputRefusedError";
}

/** Not ours to answer: another process does the job, or nobody may do it yet. */
export class JobElsewhere extends Error {
  /** The class, for logs. */
  override name = "JobElsewhere";
}

/** The text of anything thrown, without its cause. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  // Any other object may hold a payload, or no text at all.
  return typeof error === "string" ? error : `${typeof error} was thrown`;
}
