/**
 * What a handler gets beside its input. Types only: every room may import them.
 *
 * @module
 */
import type { Config, Settings } from "../base/config.ts";
import type { JsonObject } from "../base/json.ts";
import type { Log } from "../base/log.ts";
import type { Constraints } from "./constraints.ts";
import type { Artifact, NewArtifact } from "./gateway.ts";

export type { Constraints, RedactionLevel } from "./constraints.ts";
export type { Artifact, NewArtifact, Retention } from "./gateway.ts";

/** What a handler may know about its job. */
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
  /** Connects what belongs to one request, across processes. */
  readonly traceId: string;
  /** Everything is rendered, nothing is sent. */
  readonly dryRun: boolean;
}

/** The gateway, bound to one job: its signal and its limits. */
export interface JobGateway {
  /**
   * Stores an artifact, labelled with the job and its own digest.
   *
   * @param bytesMax A limit beside that of the job's constraints.
   * @throws {JobError} `ARTIFACT_TOO_LARGE` if it is longer than allowed.
   */
  putArtifact(artifact: NewArtifact, bytesMax?: number): Promise<string>;
  /** Reads an artifact of at most `bytesMax` bytes. */
  readArtifact(pointer: string, bytesMax: number): Promise<Artifact>;
  /**
   * Reads a job's record as the platform has it.
   *
   * @throws {OutsideError} With `missing` if the platform has no such job.
   */
  readJob(jobId: string): Promise<JsonObject>;
}

/** Redis, for one job. */
export interface JobStore {
  /** Appends to a list, even when the job is aborted: what happened happened. */
  append(key: string, item: string): Promise<void>;
  /** Reads a whole list. */
  list(key: string): Promise<string[]>;
}

/** What a handler gets beside its input. */
export interface JobContext<S extends Settings = Settings> {
  /** The job that is being done. */
  readonly job: Job;
  /** What policy holds this job to, by the packet that brought it. */
  readonly constraints: Constraints;
  /** Aborts at the job's deadline, when it is cancelled, and at shutdown. */
  readonly signal: AbortSignal;
  /** Artifacts and job records. */
  readonly gateway: JobGateway;
  /** Lists in Redis. */
  readonly store: JobStore;
  /** The worker's configuration. */
  readonly settings: Config<S>;
  /** Names the job in every line. */
  readonly log: Log;
  /** Says how far the job is; the platform shows it and keeps nothing. */
  progress(percent: number, message: string): void;
  /**
   * What policy holds this job to by its packet and by `record`, whichever is
   * stricter. The record counts because nobody on the bus can have changed it.
   *
   * @param record `readJob()` of this job; an empty one adds nothing.
   * @throws {JobError} If a limit cannot be read, or cannot be kept.
   */
  constraintsWith(record: JsonObject): Constraints;
}
