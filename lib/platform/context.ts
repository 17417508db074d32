/**
 * A handler's context. Types only: every room may import them.
 *
 * @module
 */
import type { Config, Settings } from "../base/config.ts";
import type { JsonObject } from "../base/json.ts";
import type { Log } from "../base/log.ts";
import type { Constraints } from "./constraints.ts";
import type { Artifact, NewArtifact } from "./gateway.ts";

export type { RedactionLevel } from "../redact/redaction.ts";
export type { Constraints } from "./constraints.ts";
export type { Artifact, NewArtifact, Retention } from "./gateway.ts";

/** The facts about a job that a handler may know. */
export interface Job {
  /** The scheduler's id. */
  readonly id: string;
  /** The topic that the worker serves. */
  readonly topic: string;
  /** The run that the job belongs to, empty outside a workflow. */
  readonly runId: string;
  /** The run's workflow, empty outside one. */
  readonly workflowId: string;
  /** `default` if the request names no tenant. */
  readonly tenantId: string;
  /** Shared by everything that belongs to one request, across processes. */
  readonly traceId: string;
  /** Render everything, send nothing. */
  readonly dryRun: boolean;
}

/** The gateway, bound to one job's signal and limits. */
export interface JobGateway {
  /**
   * Stores an artifact, labelled with the job and its own digest.
   *
   * @param bytesMax A limit beside the one in the job's constraints.
   * @throws {JobError} `ARTIFACT_TOO_LARGE` if it exceeds a limit.
   */
  putArtifact(artifact: NewArtifact, bytesMax?: number): Promise<string>;
  /**
   * Reads an artifact of at most `bytesMax` bytes.
   *
   * @param signal Ends the read, as the job's own does.
   */
  readArtifact(
    pointer: string,
    bytesMax: number,
    signal?: AbortSignal,
  ): Promise<Artifact>;
  /**
   * Reads the platform's record of a job.
   *
   * @throws {OutsideError} With `missing` if the platform has no such job.
   */
  readJob(jobId: string): Promise<JsonObject>;
}

/** Redis, for one job. */
export interface JobStore {
  /** Appends to a list, even after the job was aborted: the past is a fact. */
  append(key: string, item: string): Promise<void>;
  /** Reads a whole list. */
  list(key: string): Promise<string[]>;
  /** Reads the last items of a list, oldest first. */
  latest(key: string, itemsMax: number): Promise<string[]>;
  /**
   * Adds to a number that expires `ttlS` seconds after the last addition. What
   * is added may count twice if Redis loses a reply; what is taken off is sent
   * once, so that it is never taken off twice.
   *
   * @returns The sum.
   */
  add(key: string, by: number, ttlS: number): Promise<number>;
}

/** How many tokens of a model a job may use, as its packet has them. */
export interface TokenBudget {
  /** Of the prompt. */
  readonly input: number;
  /** Of the answer. */
  readonly output: number;
  /** Both together. */
  readonly total: number;
}

/** Everything that a handler gets beside its input. */
export interface JobContext<S extends Settings = Settings> {
  /** The job in hand. */
  readonly job: Job;
  /** The limits that policy puts on this job, as its packet has them. */
  readonly constraints: Constraints;
  /** `Infinity` where the packet sets no limit; absent if it sets none. */
  readonly tokens?: TokenBudget;
  /** Aborts at the job's deadline, when it is cancelled, and at shutdown. */
  readonly signal: AbortSignal;
  /** How long the job may still take, in milliseconds; `Infinity` if for ever. */
  leftMs(): number;
  /** Artifacts and job records. */
  readonly gateway: JobGateway;
  /** Lists in Redis. */
  readonly store: JobStore;
  /** The worker's configuration. */
  readonly settings: Config<S>;
  /** Names the job in every line. */
  readonly log: Log;
  /** Counts what the worker did, for its `/readyz`. */
  count(name: string, count: number): void;
  /** Reports the job's progress, which the platform shows but does not keep. */
  progress(percent: number, message: string): void;
  /**
   * The limits of both the packet and `record`, whichever is stricter. The
   * record counts because nobody on the bus can have changed it.
   *
   * @param record `readJob()` of this job; an empty one adds nothing.
   * @throws {JobError} If a limit cannot be read.
   */
  constraintsWith(record: JsonObject): Constraints;
}
