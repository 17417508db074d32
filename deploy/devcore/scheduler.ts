/**
 * The stand-in's scheduler: what happens to a job between its submission and
 * its result.
 *
 * Kept from the platform, because workers depend on it: dispatch to
 * `worker.<id>.jobs` and nowhere else, RUNNING as soon as that is published,
 * labels as placement constraints, workers that are forgotten 30 s after their
 * last heartbeat, an approval that is lost when the job cannot be placed at
 * once, timeouts without a word on the bus.
 *
 * @module
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { randomUUID } from "node:crypto";
import type { Bus } from "../../lib/platform/bus.ts";
import {
  ActorType,
  type BusPacket,
  BusPacketSchema,
  type Heartbeat,
  type JobRequest,
  JobRequestSchema,
  type JobResult,
  JobStatusSchema,
} from "../../lib/platform/gen/cap_pb.ts";
import { decodePacket, encodePacket } from "../../lib/platform/packet.ts";
import { type Faults, Refusal, strikes, Timers } from "./common.ts";
import type { Decision, Kernel } from "./policy.ts";
import { BUS_ID_LABEL, constrain, hashJob } from "./request.ts";

const ENDS = ["SUCCEEDED", "FAILED", "CANCELLED", "TIMEOUT", "DENIED"] as const;

/** The states of a job, as the gateway spells them. */
export type JobState =
  | "PENDING"
  | "APPROVAL_REQUIRED"
  | "RUNNING"
  | typeof ENDS[number];

/** What is kept of a job. Times in microseconds since the epoch. */
export class JobRecord {
  state: JobState = "PENDING";
  updatedAt = 0;
  attempts = 0;
  resultPtr = "";
  /** The newest decision; hash and constraints of an older one stay in it. */
  safety: DecisionEntry | undefined;
  /** Newest first. */
  decisions: DecisionEntry[] = [];
  approval: Approval | undefined;
  /** Why it failed. */
  deadLetter:
    | { status: string; code: string; reason: string; lastState: JobState }
    | undefined;
  /** Milliseconds since the epoch. */
  deadlineAt = Infinity;

  constructor(readonly request: JobRequest, readonly traceId: string) {}

  /** Whether it will never change again. */
  get isOver(): boolean {
    return isEnd(this.state);
  }
}

/** One answer of the policy. */
export interface DecisionEntry extends Decision {
  /** Empty unless a person has to decide, or has. */
  jobHash: string;
  checkedAt: number;
}

/** Who decides, and why. */
export interface Decider {
  by: string;
  role: string;
  reason: string;
  note: string;
}

/** Who decided, of a job that was approved or rejected. */
export interface Approval extends Decider {
  at: number;
  snapshot: string;
  jobHash: string;
}

/** How a job ended, for the workflow engine. */
export interface JobEnd {
  state: JobState;
  resultPtr: string;
  message: string;
  /** No other attempt may follow. */
  final?: boolean;
}

/** Which pools a topic goes to, and what a pool offers. */
export interface Routing {
  topics: Readonly<Record<string, string[]>>;
  pools: Readonly<Record<string, { requires: string[] }>>;
}

/** What the scheduler needs from the rest. */
export interface SchedulerOptions {
  bus: Bus;
  /** Milliseconds since the epoch. */
  clock: () => number;
  faults: Faults;
  kernel: Kernel;
  /** The config that every job gets in its environment. */
  effectiveConfig: () => string;
  /** Told of a failure before its end, so that it can be written down. */
  onDeadLetter: (job: JobRecord) => Promise<void>;
  /** Told of every end of a job. */
  onEnd: (jobId: string, end: JobEnd) => void;
}

const HEARTBEAT_TTL_MS = 30_000;
const NO_PLACE_RETRY_MS = 2_000;
const THROTTLE_RETRY_MS = 5_000;
const RUNNING_TIMEOUT_MS = 9_000_000;
const OVERLOADED = 0.9;
const LOAD_MAX = 90;
/** Labels that say nothing of where a job may go. */
const UNCONSTRAINING =
  /^(approval_granted|secrets_present|(workflow|run|step|node|worker)_id|cordum\..*)$/;

/** The scheduler. */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly jobs = new Map<string, JobRecord>();
  routing: Routing = {
    topics: { "job.default": ["default"] },
    pools: { default: { requires: [] } },
  };
  /** Every worker ever heard of, as the gateway lists them. */
  readonly heard = new Map<string, Heartbeat>();
  /** Jobs whose end nobody was told, for whoever looks. */
  readonly timedOut: JobRecord[] = [];
  readonly #heardAt = new Map<string, number>();
  /** Jobs that count against a limit; a cancelled one is never taken out. */
  readonly #active = new Set<JobRecord>();
  readonly #timers = new Timers();

  constructor(options: SchedulerOptions) {
    this.#options = options;
    for (const subject of ["sys.heartbeat", "sys.job.result"]) {
      options.bus.subscribe(subject, (bytes) => this.#onMessage(bytes));
    }
  }

  /** Ends every pending retry. */
  stop(): void {
    this.#timers.stop();
  }

  /** Forgets jobs, as the platform does with its Redis. */
  forgetJobs(): void {
    this.stop();
    this.jobs.clear();
    this.timedOut.length = 0;
    this.#active.clear();
  }

  /** Takes a job, or one that waited, through policy and routing. */
  submit(request: JobRequest, traceId: string): void {
    const job = this.jobs.get(request.jobId) ?? this.#record(request, traceId);
    if (job.isOver || job.state === "RUNNING") return;
    // The clock starts anew on every pass, so a job without a worker waits on.
    this.#setDeadline(job, request);
    const { decision, reason, constraints } = this.#check(job);
    if (decision === "DENY") {
      this.#fail(job, "DENIED", { code: "safety_denied", reason });
    } else if (decision === "REQUIRE_APPROVAL") {
      this.#setState(job, "APPROVAL_REQUIRED");
    } else if (decision === "THROTTLE") this.#again(job, THROTTLE_RETRY_MS);
    else this.#place(job, constraints);
  }

  /** Cancels the job of a run and tells its worker, whatever its state. */
  cancel(jobId: string): void {
    const reason = "workflow run cancelled";
    const requestedBy = "workflow-engine";
    this.#publish("sys.job.cancel", jobId, requestedBy, {
      case: "jobCancel",
      value: { jobId, reason, requestedBy },
    });
    const job = this.jobs.get(jobId);
    if (job === undefined || job.isOver) return;
    this.#setState(job, "CANCELLED");
    this.#active.add(job); // The platform forgets to take it out.
  }

  /**
   * Approves a waiting job and submits it again.
   *
   * @throws {Refusal} 409 if it does not wait, or policy or the job changed.
   */
  approve(jobId: string, decider: Decider): JobRecord {
    const job = this.#waiting(jobId);
    const { snapshot, jobHash } = job.safety!;
    if (snapshot !== this.#options.kernel.snapshots[0]) {
      const message = "policy snapshot changed; re-evaluate before approving";
      throw new Refusal(409, message);
    }
    if (jobHash !== hashJob(job.request)) {
      throw new Refusal(409, "job request changed");
    }
    const { labels } = job.request;
    labels["approval_granted"] = "true";
    // Both become placement constraints that no worker meets.
    if (decider.reason !== "") labels["approval_reason"] = decider.reason;
    if (decider.note !== "") labels["approval_note"] = decider.note;
    labels[BUS_ID_LABEL] = `approval:${randomUUID()}`;
    this.#writeApproval(job, decider);
    this.#setState(job, "PENDING");
    // The caller has its answer before the scheduler looks at the job.
    this.#again(job, 0);
    return job;
  }

  /** Rejects a waiting job. @throws {Refusal} 409 if it does not wait. */
  async reject(jobId: string, decider: Decider): Promise<void> {
    const job = this.#waiting(jobId);
    this.#writeApproval(job, decider);
    const reason = decider.reason || "approval rejected";
    await this.#fail(job, "DENIED", { code: "approval_rejected", reason });
  }

  /** Ends what is overdue. Nothing of it goes out on the bus. */
  expire(): void {
    const now = this.#options.clock();
    for (const job of this.jobs.values()) {
      // A job that waits for a place is submitted again before its time is up.
      if (job.isOver || job.state === "PENDING") continue;
      const endless = job.state === "RUNNING" &&
        now - job.updatedAt / 1000 > RUNNING_TIMEOUT_MS;
      if (!endless && job.deadlineAt > now) continue;
      this.#setState(job, "TIMEOUT");
      this.timedOut.push(job);
    }
  }

  /** Workers whose last heartbeat is young enough. */
  live(): Heartbeat[] {
    const since = this.#options.clock() - HEARTBEAT_TTL_MS;
    return [...this.heard.values()].filter(({ workerId }) =>
      this.#heardAt.get(workerId)! > since
    );
  }

  #record(request: JobRequest, traceId: string): JobRecord {
    const job = new JobRecord(request, traceId);
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
    if (!job.isOver) return void this.#active.add(job);
    job.deadlineAt = Infinity;
    this.#active.delete(job);
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

  #writeApproval(job: JobRecord, decider: Decider): void {
    const { snapshot, jobHash } = job.safety!;
    const by = decider.by || job.request.principalId;
    job.approval = { ...decider, by, at: this.#now(), snapshot, jobHash };
  }

  /** As JetStream does: the submission comes back later. */
  #again(job: JobRecord, ms: number): void {
    this.#timers.after(ms, () => this.submit(job.request, job.traceId));
  }

  #check(job: JobRecord): DecisionEntry {
    const { request, safety: before } = job;
    const jobHash = hashJob(request);
    const label = request.labels["approval_granted"] ?? "";
    const approved = label.trim().toLowerCase() === "true" &&
      before?.decision === "REQUIRE_APPROVAL" && before.jobHash === jobHash &&
      !strikes(this.#options.faults, "bounceApprovals");
    // Honouring the approval overwrites it: on a second pass it is gone.
    const decision: Decision = approved
      ? {
        ...before,
        decision: "ALLOW",
        reason: "approval granted",
        approvalRef: "",
      }
      : this.#ask(request);
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

  #ask(request: JobRequest): Decision {
    const { jobId, topic, labels, meta, principalId } = request;
    return this.#options.kernel.decide({
      tenant: request.tenantId || "default",
      topic,
      jobId,
      labels,
      capability: meta?.capability ?? "",
      riskTags: meta?.riskTags ?? [],
      requires: meta?.requires ?? [],
      packId: meta?.packId ?? "",
      actorId: meta?.actorId || principalId,
      actorType: actorTypeOf(request),
    });
  }

  async #fail(
    job: JobRecord,
    state: JobState,
    letter: { status?: string; code: string; reason: string },
    end: Partial<JobEnd> = {},
  ): Promise<void> {
    this.#setState(job, state);
    const status = `JOB_STATUS_${state}`;
    job.deadLetter = { status, ...letter, lastState: state };
    await this.#options.onDeadLetter(job);
    job.resultPtr ||= `redis://res:${job.request.jobId}`;
    const message = letter.reason;
    this.#options.onEnd(job.request.jobId, {
      state,
      resultPtr: "",
      message,
      ...end,
    });
  }

  /** Finds a worker for an allowed job, now or later. */
  #place(job: JobRecord, constraints: DecisionEntry["constraints"]): void {
    const config = this.#options.effectiveConfig();
    const request = constrain(job.request, constraints, config);
    const { max_concurrent_jobs: limit = 0 } =
      (constraints?.["budgets"] ?? {}) as Record<string, number>;
    // The job itself counts, so that a limit of one blocks for ever.
    if (limit > 0 && this.#active.size >= limit) {
      return this.#again(job, NO_PLACE_RETRY_MS);
    }
    this.#setDeadline(job, request);
    const pools = this.#pools(request);
    if (typeof pools === "string") {
      const code = "no_pool_mapping";
      this.#fail(job, "FAILED", { code, reason: `${code}: ${pools}` });
      return;
    }
    const workerId = this.#choose(pools, request.labels);
    if (workerId === undefined) this.#again(job, NO_PLACE_RETRY_MS);
    else this.#dispatch(job, workerId, request);
  }

  /** The pools that may take a job, or why there is none. */
  #pools({ topic, meta }: JobRequest): string[] | string {
    const pools = this.routing.topics[topic];
    if (pools === undefined) return `topic ${JSON.stringify(topic)}`;
    const eligible = pools.filter((pool) => {
      const offered = this.routing.pools[pool]?.requires ?? [];
      return meta?.requires.every((name) => isIn(offered, name)) ?? true;
    });
    return eligible.length > 0 ? eligible : "no pool satisfies requires";
  }

  #choose(
    pools: readonly string[],
    labels: Readonly<Record<string, string>>,
  ): string | undefined {
    const wanted = Object.entries(labels)
      .filter(([name]) => !UNCONSTRAINING.test(name));
    const score = ({ activeJobs, cpuLoad, gpuUtilization }: Heartbeat) =>
      activeJobs + cpuLoad / 100 + gpuUtilization / 100;
    return this.live()
      .filter((worker) =>
        pools.includes(worker.pool) && !isOverloaded(worker) &&
        wanted.every(([name, value]) => worker.labels[name] === value)
      )
      .toSorted((a, b) => score(a) - score(b))[0]?.workerId;
  }

  #dispatch(job: JobRecord, workerId: string, request: JobRequest): void {
    const publish = () =>
      this.#publish(
        `worker.${workerId}.jobs`,
        job.traceId,
        "cordum-scheduler",
        {
          case: "jobRequest",
          value: request,
        },
      );
    const { onDispatch } = this.#options.faults;
    const fault = typeof onDispatch === "function"
      ? onDispatch(request)
      : onDispatch;
    if (typeof fault === "object") this.#timers.after(fault.lateMs, publish);
    else if (fault !== "drop") publish();
    if (fault === "twice") publish();
    job.attempts = 1; // Every pass starts to count anew.
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
      return; // As the platform does with what it cannot read.
    }
    const { case: kind, value } = packet.payload;
    if (kind === "jobResult") this.#onResult(value);
    // Any other id makes a subject that no dispatch gets through to.
    if (kind !== "heartbeat" || !/^[^\s.*>]+$/.test(value.workerId)) return;
    this.heard.set(value.workerId, value);
    this.#heardAt.set(value.workerId, this.#options.clock());
  }

  async #onResult(result: JobResult): Promise<void> {
    const { jobId, status, resultPtr, errorMessage: reason } = result;
    // Cordum 1.0 drops what no worker signs.
    if (jobId === "" || result.workerId === "") return;
    const name = JobStatusSchema.value[status]?.name ?? String(status);
    const word = name.replace("JOB_STATUS_", "");
    // Any status that is no end counts as a failure.
    const state = isEnd(word) ? word : "FAILED";
    const job = this.jobs.get(jobId) ??
      // The failure of an unknown job makes a record of it.
      (state === "FAILED"
        ? this.#record(create(JobRequestSchema, { jobId }), "")
        : undefined);
    if (job === undefined || job.isOver) return;
    const end: JobEnd = isEnd(word) ? { state, resultPtr, message: reason } : {
      state,
      resultPtr,
      message: `unexpected status: ${name}`,
      final: true,
    };
    const legal = job.state === "RUNNING"
      ? state !== "DENIED"
      : ["FAILED", "TIMEOUT", "DENIED"].includes(state);
    // The job stays as it is, but the run believes bad news.
    if (!legal) {
      if (state !== "SUCCEEDED") this.#options.onEnd(jobId, end);
      return;
    }
    if (resultPtr !== "") job.resultPtr = resultPtr;
    if (state !== "SUCCEEDED") {
      const letter = { status: name, code: result.errorCode, reason };
      return await this.#fail(job, state, letter, end);
    }
    this.#setState(job, state);
    this.#options.onEnd(jobId, end);
  }
}

function isEnd(state: string): state is typeof ENDS[number] {
  return (ENDS as readonly string[]).includes(state);
}

/** `human`, `service` or nothing. */
export function actorTypeOf({ meta }: JobRequest): string {
  if (meta?.actorType === ActorType.HUMAN) return "human";
  return meta?.actorType === ActorType.SERVICE ? "service" : "";
}

function isOverloaded(worker: Heartbeat): boolean {
  const { activeJobs, maxParallelJobs, cpuLoad, gpuUtilization } = worker;
  const isFull = maxParallelJobs > 0 &&
    activeJobs / maxParallelJobs >= OVERLOADED;
  return isFull || cpuLoad >= LOAD_MAX || gpuUtilization >= LOAD_MAX;
}

function isIn(names: readonly string[], name: string): boolean {
  const folded = name.trim().toLowerCase();
  return names.some((other) => other.trim().toLowerCase() === folded);
}
