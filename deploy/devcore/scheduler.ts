/**
 * The stand-in's scheduler: what happens to a job between its submission and
 * its result.
 *
 * Workers depend on these traits of the platform, so they are kept: a job is
 * dispatched to `worker.<id>.jobs` and nowhere else, it is RUNNING as soon as
 * that is published, its labels restrict its placement, a worker is forgotten
 * 30 s after its last heartbeat, an approval is lost when the job cannot be
 * placed at once, and a timeout says nothing on the bus.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { randomUUID } from "node:crypto";
import {
  type BusPacket,
  BusPacketSchema,
  type JobRequest,
  JobRequestSchema,
  type JobResult,
  JobStatus,
  JobStatusSchema,
} from "../../lib/platform/gen/cap_pb.ts";
import { decodePacket, encodePacket } from "../../lib/platform/packet.ts";
import {
  type Base,
  canonical,
  filled,
  isoSeconds,
  Refusal,
  strikes,
} from "./common.ts";
import type { ConfigDocuments } from "./config.ts";
import { inspect, isRegistered, isStale, labelsOf } from "./cordum_1_jobs.ts";
import { BUS_ID_LABEL, constrain, hashJob } from "./job_request.ts";
import type { Placement } from "./placement.ts";
import type { Decision, Kernel, RuleConstraints } from "./policy.ts";
import { CORDUM_1 } from "./profile.ts";

const ENDS = ["SUCCEEDED", "FAILED", "CANCELLED", "TIMEOUT", "DENIED"] as const;

/** The states of a job, as the gateway spells them. */
type JobState =
  | "PENDING"
  | "APPROVAL_REQUIRED"
  | "RUNNING"
  | "RETRYING"
  | typeof ENDS[number];

export class JobRecord {
  state: JobState = "PENDING";
  /** Microseconds since the epoch. */
  updatedAt = 0;
  attempts = 0;
  resultPtr = "";
  /** The newest decision; it keeps the hash and constraints of an older one. */
  safety: DecisionEntry | undefined;
  /** Newest first. */
  readonly decisions: DecisionEntry[] = [];
  /** Who approved or rejected it, as the gateway shows it. */
  approval: JsonObject = {};
  /** Why it failed, as the gateway shows it. */
  failure: JsonObject = {};
  /** Milliseconds since the epoch. */
  deadlineAt = Infinity;

  constructor(
    readonly request: JobRequest,
    readonly traceId: string,
    /** Its input as text. */
    readonly content: string,
  ) {}

  /** Whether it will never change again. */
  get isOver(): boolean {
    return isEnd(this.state);
  }
}

export interface DecisionEntry extends Decision {
  /** Empty unless a person has to decide, or has decided. */
  jobHash: string;
  /** Microseconds since the epoch. */
  checkedAt: number;
}

/** Who decides on an approval, and why, as the gateway shows it. */
export interface Decider {
  approval_by: string;
  approval_role: string;
  approval_reason: string;
  approval_note: string;
}

/** How a job ended, for the workflow engine. */
export interface JobEnd {
  state: JobState;
  resultPtr: string;
  message: string;
  /** No other attempt may follow. */
  final?: boolean;
}

export interface SchedulerOptions extends Base {
  config: ConfigDocuments;
  kernel: Kernel;
  placement: Placement;
}

const NO_PLACE_RETRY_MS = 2_000;
const THROTTLE_RETRY_MS = 5_000;
const RUNNING_TIMEOUT_MS = 9_000_000;
const SENDER = "cordum-scheduler";
/** Of later versions of the protocol. */
const FAILED_RETRYABLE = 10;

export class Scheduler {
  readonly jobs = new Map<string, JobRecord>();
  /** Told when a job ends, except for those in `timedOut`. */
  onEnd: (jobId: string, end: JobEnd) => void = () => {};
  /** Jobs that ended without anyone being told. */
  readonly timedOut: JobRecord[] = [];
  readonly #options: SchedulerOptions;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    for (const subject of ["sys.heartbeat", "sys.job.result"]) {
      options.bus.subscribe(subject, (bytes) => this.#onMessage(bytes));
    }
  }

  /** Takes a new or waiting job through policy and placement. */
  submit(request: JobRequest, traceId: string, content = ""): void {
    const job = this.jobs.get(request.jobId) ??
      this.#record(request, traceId, content);
    if (job.isOver || job.state === "RUNNING") return;
    const { isCordum1, config } = this.#options;
    if (isCordum1 && !isRegistered(config, request.topic)) {
      const reason = `unknown topic ${JSON.stringify(request.topic)}`;
      this.#fail(job, "FAILED", { code: "unknown_topic", reason });
      return;
    }
    // Every pass restarts the clock, so a job without a worker keeps waiting.
    this.#setDeadline(job, request);
    const { decision, reason, constraints } = this.#check(job);
    if (decision === "DENY") {
      this.#fail(job, "DENIED", { code: "safety_denied", reason });
    } else if (decision === "REQUIRE_APPROVAL") {
      this.#setState(job, "APPROVAL_REQUIRED");
      if (isCordum1) {
        job.approval = { approval_status: "pending" };
      }
    } else if (decision === "THROTTLE") this.#again(job, THROTTLE_RETRY_MS);
    else this.#place(job, constraints);
  }

  /** Cancels a run's job, and tells its worker whatever the job's state. */
  cancel(jobId: string): void {
    const reason = "workflow run cancelled";
    const requestedBy = "workflow-engine";
    this.#publish("sys.job.cancel", jobId, requestedBy, {
      case: "jobCancel",
      value: { jobId, reason, requestedBy },
    });
    const job = this.jobs.get(jobId);
    if (job?.isOver === false) this.#setState(job, "CANCELLED");
  }

  /**
   * Approves a waiting job and submits it again.
   *
   * @throws {Refusal} 409 if it is not waiting, or the policy has changed.
   */
  approve(jobId: string, decider: Decider): JobRecord {
    const job = this.#waiting(jobId);
    const { kernel, isCordum1 } = this.#options;
    // Cordum 1.0 does not look at the fragments of packs.
    const bound = (snapshot = "") =>
      isCordum1 ? snapshot.replace(/(^|\|)cfg:.*$/, "") : snapshot;
    if (bound(job.safety!.snapshot) !== bound(kernel.snapshots[0])) {
      const message = "policy snapshot changed; re-evaluate before approving";
      throw new Refusal(409, message);
    }
    const { approval_reason, approval_note } = decider;
    Object.assign(job.request.labels, {
      approval_granted: "true",
      [BUS_ID_LABEL]: `approval:${randomUUID()}`,
      // Both become placement constraints that no worker meets.
      ...filled({ approval_reason, approval_note }),
    });
    this.#writeApproval(job, decider, "approve");
    this.#setState(job, "PENDING");
    // The caller gets its answer before the scheduler looks at the job.
    this.#again(job, 0);
    return job;
  }

  /** Rejects a waiting job. @throws {Refusal} 409 if it is not waiting. */
  async reject(jobId: string, decider: Decider): Promise<void> {
    const job = this.#waiting(jobId);
    this.#writeApproval(job, decider, "reject");
    const reason = decider.approval_reason || "approval rejected";
    await this.#fail(job, "DENIED", { code: "approval_rejected", reason });
  }

  /** Ends overdue jobs, without a word on the bus. */
  expire(): void {
    const { isCordum1, clock } = this.#options;
    const now = clock();
    for (const job of this.jobs.values()) {
      if (isCordum1 && isStale(job)) {
        job.approval = { approval_status: "invalidated" };
        const reason = "the approval request is stale";
        this.#fail(job, "DENIED", { code: "approval_invalidated", reason });
      }
      // A job that waits for a worker is submitted again before its time is up.
      if (job.isOver || job.state === "PENDING") continue;
      const endless = job.state === "RUNNING" &&
        now - job.updatedAt / 1000 > RUNNING_TIMEOUT_MS;
      if (!endless && job.deadlineAt > now) continue;
      this.#setState(job, "TIMEOUT");
      this.timedOut.push(job);
    }
  }

  #record(request: JobRequest, traceId: string, content = ""): JobRecord {
    const job = new JobRecord(request, traceId, content);
    this.jobs.set(request.jobId, job);
    this.#setState(job, "PENDING");
    return job;
  }

  #now(): number {
    return Math.round(this.#options.clock() * 1000);
  }

  #setState(job: JobRecord, state: JobState): void {
    job.state = state;
    job.updatedAt = this.#now();
    if (job.isOver) job.deadlineAt = Infinity;
  }

  #setDeadline(job: JobRecord, { budget }: JobRequest): void {
    const deadlineMs = Number(budget?.deadlineMs ?? 0n);
    if (deadlineMs > 0) job.deadlineAt = this.#options.clock() + deadlineMs;
  }

  #waiting(jobId: string): JobRecord {
    const job = this.jobs.get(jobId);
    if (job?.state === "APPROVAL_REQUIRED") return job;
    throw new Refusal(409, "job not awaiting approval");
  }

  #writeApproval(
    job: JobRecord,
    decider: Decider,
    verb: "approve" | "reject",
  ): void {
    const { snapshot, jobHash } = job.safety!;
    const status = verb === "approve" ? "approved" : "rejected";
    job.approval = {
      ...decider,
      ...this.#options.isCordum1 &&
        { approval_decision: verb, approval_status: status },
      approval_by: decider.approval_by || job.request.principalId,
      approval_at: this.#now(),
      approval_policy_snapshot: snapshot,
      approval_job_hash: jobHash,
    };
  }

  /** Submits a job again later, as JetStream does. */
  #again(job: JobRecord, ms: number): void {
    const { timers } = this.#options;
    timers.after(ms, () => this.submit(job.request, job.traceId));
  }

  #check(job: JobRecord): DecisionEntry {
    const { request, safety: before } = job;
    const { kernel, faults, isCordum1 } = this.#options;
    const jobHash = hashJob(request);
    const approved = request.labels["approval_granted"] === "true" &&
      before?.decision === "REQUIRE_APPROVAL" && before.jobHash === jobHash &&
      !strikes(faults, "bounceApprovals");
    // Honouring the approval overwrites it, so that a second pass lacks it.
    const granted = { reason: "approval granted", approvalRef: "" };
    const decision: Decision = approved
      ? { ...before, decision: "ALLOW", ...granted }
      : isCordum1
      ? inspect(job, kernel.decide(request))
      : kernel.decide(request);
    const bound = approved || decision.decision === "REQUIRE_APPROVAL";
    const entry: DecisionEntry = {
      ...decision,
      jobHash: bound ? jobHash : "",
      checkedAt: this.#now(),
    };
    job.decisions.unshift(entry);
    job.safety = {
      ...entry,
      jobHash: entry.jobHash || before?.jobHash || "",
      constraints: entry.constraints ?? before?.constraints ?? null,
    };
    return entry;
  }

  async #fail(
    job: JobRecord,
    state: JobState,
    failure: { status?: string; code: string; reason: string },
    end: Partial<JobEnd> = {},
  ): Promise<void> {
    this.#setState(job, state);
    const { jobId } = job.request;
    const { status = `JOB_STATUS_${state}`, code, reason: message } = failure;
    job.failure = {
      error_message: message,
      error_status: status,
      error_code: code,
      last_state: state,
    };
    // The platform's words replace whatever the job had stored.
    await this.#options.write(`res:${jobId}`, {
      completed_at: isoSeconds(this.#options.clock()),
      error: { message },
      job_id: jobId,
      processed_by: SENDER,
      status,
    });
    job.resultPtr ||= `redis://res:${jobId}`;
    this.onEnd(jobId, { state, resultPtr: "", message, ...end });
  }

  /** Gives an allowed job to a worker, now or later. */
  #place(job: JobRecord, constraints: RuleConstraints | null): void {
    const { config, placement, isCordum1, timers } = this.#options;
    const unfinished = this.jobs.values().filter(({ isOver }) => !isOver);
    if (isCordum1 && [...unfinished].length > CORDUM_1.unfinishedMax) {
      // No licence for more, and not a word of it.
      timers.after(CORDUM_1.replayMs, () => {
        if (job.state === "PENDING") this.#place(job, constraints);
      });
      return;
    }
    const effective = canonical(config.get("default")?.data);
    const request = constrain(job.request, constraints, effective);
    if (isCordum1) Object.assign(request.labels, labelsOf(job));
    this.#setDeadline(job, request);
    const { workerId, problem } = placement.find(request);
    if (problem !== undefined) {
      const code = "no_pool_mapping";
      this.#fail(job, "FAILED", { code, reason: `${code}: ${problem}` });
    } else if (workerId === undefined) this.#again(job, NO_PLACE_RETRY_MS);
    else this.#dispatch(job, workerId, request);
  }

  #dispatch(job: JobRecord, workerId: string, value: JobRequest): void {
    const payload = { case: "jobRequest", value } as const;
    const publish = () =>
      this.#publish(`worker.${workerId}.jobs`, job.traceId, SENDER, payload);
    const { timers, faults: { onDispatch } } = this.#options;
    const fault = typeof onDispatch === "function"
      ? onDispatch(value)
      : onDispatch;
    if (typeof fault === "object") timers.after(fault.lateMs, publish);
    else if (fault !== "drop") publish();
    if (fault === "twice") publish();
    job.attempts = 1; // Every pass counts from the start.
    this.#setState(job, "RUNNING");
  }

  #publish(
    subject: string,
    traceId: string,
    senderId: string,
    payload: NonNullable<MessageInitShape<typeof BusPacketSchema>["payload"]>,
  ): void {
    const { bus, clock } = this.#options;
    const packet = create(BusPacketSchema, {
      traceId,
      senderId,
      createdAt: timestampFromMs(Math.floor(clock())),
      protocolVersion: 1,
      payload,
    });
    bus.publish(subject, encodePacket(packet));
  }

  #onMessage(bytes: Uint8Array): void {
    let packet: BusPacket;
    try {
      packet = decodePacket(bytes);
    } catch {
      return; // The platform drops what it cannot read, too.
    }
    const { case: kind, value } = packet.payload;
    if (kind === "jobResult") this.#onResult(value);
    if (kind === "heartbeat") this.#options.placement.hear(value);
  }

  async #onResult(result: JobResult): Promise<void> {
    const { jobId, resultPtr, errorCode: code, errorMessage } = result;
    // Cordum 1.0 drops what no worker signs.
    if (jobId === "" || result.workerId === "") return;
    const { isCordum1 } = this.#options;
    const isRetryable = isCordum1 &&
      Number(result.status) === FAILED_RETRYABLE;
    const status = JobStatusSchema.value[result.status]?.name ??
      String(result.status);
    const word = status.replace("JOB_STATUS_", "");
    // Any status that is not an end counts as a failure, and a final one.
    const end: JobEnd = isEnd(word)
      ? { state: word, resultPtr, message: errorMessage }
      : {
        state: "FAILED",
        resultPtr,
        message: `unexpected status: ${status}`,
        final: true,
      };
    const { state } = end;
    let job = this.jobs.get(jobId);
    // The failure of an unknown job creates its record.
    if (job === undefined && state === "FAILED") {
      job = this.#record(create(JobRequestSchema, { jobId }), "");
    }
    if (job === undefined || job.isOver) return;
    // It is never tried again, and never ends.
    if (isRetryable) return this.#setState(job, "RETRYING");
    // The scheduler drops it, and only the run believes it.
    const isDropped = isCordum1 &&
      (result.status === JobStatus.UNSPECIFIED || result.executionMs < 0n);
    if (isDropped) return this.onEnd(jobId, end);
    const legal = job.state === "RUNNING"
      ? state !== "DENIED"
      : ["FAILED", "TIMEOUT", "DENIED"].includes(state);
    if (!legal) {
      // The job stays as it is, but the run believes bad news.
      if (state !== "SUCCEEDED") this.onEnd(jobId, end);
      return;
    }
    if (resultPtr !== "") job.resultPtr = resultPtr;
    if (state !== "SUCCEEDED") {
      const failure = { status, code, reason: errorMessage };
      return await this.#fail(job, state, failure, end);
    }
    this.#setState(job, state);
    this.onEnd(jobId, end);
  }
}

function isEnd(state: string): state is typeof ENDS[number] {
  return (ENDS as readonly string[]).includes(state);
}
