/**
 * The errors that cross module borders, and how they are worded.
 *
 * @module
 */

/** A process that cannot start because of its environment. Exit code 2. */
export class ConfigError extends Error {
  /** The class, for logs. */
  override name = "ConfigError";
}

/** Why a job could not be done, as callers may branch on it. */
export type JobErrorCode =
  | "JOB_INVALID_INPUT"
  | "JOB_INVALID_OUTPUT"
  | "JOB_WRONG_TOPIC"
  | "JOB_CONTEXT_MISSING"
  | "JOB_CONSTRAINTS_INVALID"
  | "REDACTION_UNSUPPORTED"
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

/** Options of a {@linkcode JobError}. */
export interface JobErrorOptions {
  /** Whether the same job may succeed when it is tried again. */
  retryable?: boolean;
  /** What was caught; never printed, since it may quote a secret. */
  cause?: unknown;
}

/**
 * A job that cannot be done. The worker loop turns it into `error_code` and
 * `error_message` of the job's result, so the message holds no payload text.
 */
export class JobError extends Error {
  /** The class, for logs. */
  override name = "JobError";
  /** What callers branch on. */
  readonly code: JobErrorCode;
  /** Whether the same job may succeed when it is tried again. */
  readonly retryable: boolean;

  /** Its `message` may be shown to anybody. */
  constructor(
    code: JobErrorCode,
    message: string,
    { retryable = false, cause }: JobErrorOptions = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = retryable;
  }
}

/** Something outside failed us, as it may at any time: no bug, so no stack. */
export abstract class OutsideError extends Error {
  /** The other side itself says that there is no such thing. */
  get missing(): boolean {
    return false;
  }

  /** The other side refuses our credentials. */
  get refusesKey(): boolean {
    return false;
  }
}

/** An input that the other side will never take. */
export class InputRefusedError extends OutsideError {
  /** The class, for logs. */
  override name = "InputRefusedError";
}

/** A job that another live process does and will answer: we say nothing. */
export class JobElsewhere extends Error {
  /** The class, for logs. */
  override name = "JobElsewhere";
}

/** The text of anything that was thrown, without its cause. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  // What is no error may hold a payload, or no text at all.
  return typeof error === "string" ? error : `${typeof error} was thrown`;
}
