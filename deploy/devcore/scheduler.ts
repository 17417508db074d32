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
import { clone, create, toBinary } from "@bufbuild/protobuf";
import { createHash, randomUUID } from "node:crypto";
import type { Bus } from "../../lib/platform/bus.ts";
import {
  type BusPacket,
  BusPacketSchema,
  type Heartbeat,
  type JobRequest,
  JobRequestSchema,
  JobStatus,
} from "../../lib/platform/gen/cap_pb.ts";
import { decodePacket, encodePacket } from "../../lib/platform/packet.ts";
import type {
  Decision,
  PolicyRequest,
  RuleConstraints,
  Word,
} from "./policy.ts";

/** The states of a job, as the gateway spells them. */
export type JobState =
  | "PENDING"
  | "APPROVAL_REQUIRED"
  | "SCHEDULED"
  | "DISPATCHED"
  | "RUNNING"
  | "SUCCEEDED"
  | "FAILED"
  | "CANCELLED"
  | "TIMEOUT"
  | "DENIED";

/** What is kept of a job. Times in microseconds since the epoch. */
export interface JobRecord {
  request: JobRequest;
  traceId: string;
  state: JobState;
  updatedAt: number;
  attempts: number;
  resultPtr: string;
  safety: DecisionEntry | undefined;
  /** Newest first. */
  decisions: DecisionEntry[];
  approval: Approval | undefined;
  deadLetter: {
    status: string;
    code: string;
    reason: string;
    lastState: JobState;
  } | undefined;
  deadlineAt: number | undefined;
}

/** One answer of the policy. */
export interface DecisionEntry extends Decision {
  approvalRef: string;
  jobHash: string;
  checkedAt: number;
}

/** Who decided, of a job that was approved or rejected. */
export interface Approval {
  by: string;
  role: string;
  at: number;
  reason: string;
  note: string;
  snapshot: string;
  jobHash: string;
}

/** Which pool a topic goes to, and what a pool offers. */
export interface Routing {
  topics: Readonly<Record<string, string[]>>;
  pools: Readonly<Record<string, { requires: string[] }>>;
}

/** What can be made to go wrong with a dispatch. */
export type DispatchFault = "drop" | "twice" | { lateMs: number };

/** What the scheduler needs from the rest. */
export interface SchedulerOptions {
  bus: Bus;
  /** Milliseconds since the epoch. */
  clock: () => number;
  decide: (request: PolicyRequest) => Decision;
  /** The config that every job gets in its environment. */
  effectiveConfig: () => unknown;
  onDispatch: (job: JobRequest) => DispatchFault | undefined;
  /** Whether this approval is to bounce, as all do on coretexOS 0.6. */
  bounces: () => boolean;
  /** Told of the end of a job that failed, so that it can be written down. */
  onDeadLetter: (job: JobRecord) => Promise<void>;
  /** Told of every end of a job. */
  onEnd: (job: JobRecord, message: string) => void;
}

const HEARTBEAT_TTL_MS = 30_000;
const NO_WORKER_RETRY_MS = 2_000;
const THROTTLE_RETRY_MS = 5_000;
const RUNNING_TIMEOUT_MS = 9_000_000;
const OVERLOADED = 0.9;
const TERMINAL: readonly JobState[] = [
  "SUCCEEDED",
  "FAILED",
  "CANCELLED",
  "TIMEOUT",
  "DENIED",
];
const UNCONSTRAINING = [
  "preferred_worker_id",
  "preferred_pool",
  "approval_granted",
  "secrets_present",
  "workflow_id",
  "run_id",
  "step_id",
  "node_id",
  "worker_id",
];
/** The platform's name in labels, environment and sender ids. */
const BUS_ID_LABEL = "cordum.bus_msg_id";

/** A decision that an API caller asked for and does not get. */
export class Conflict extends Error {}

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
  readonly #lastBeat = new Map<string, number>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(options: SchedulerOptions) {
    this.#options = options;
    options.bus.subscribe("sys.heartbeat", (bytes) => this.#onPacket(bytes));
    options.bus.subscribe("sys.job.result", (bytes) => this.#onPacket(bytes));
  }

  /** Ends every pending retry. */
  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  /** Takes a job, or one that waited, through policy and routing. */
  submit(request: JobRequest, traceId: string): void {
    const known = this.jobs.get(request.jobId);
    if (
      known !== undefined &&
      (isTerminal(known.state) || known.state === "RUNNING")
    ) return;
    const job = known ?? {
      request,
      traceId,
      state: "PENDING",
      updatedAt: this.#now(),
      attempts: 0,
      resultPtr: "",
      safety: undefined,
      decisions: [],
      approval: undefined,
      deadLetter: undefined,
      deadlineAt: undefined,
    };
    this.jobs.set(request.jobId, job);
    const deadlineMs = Number(request.budget?.deadlineMs ?? 0n);
    // The clock starts anew on every pass, so a job without a worker waits on.
    if (deadlineMs > 0) job.deadlineAt = this.#options.clock() + deadlineMs;
    const decision = this.#check(job);
    if (decision === "DENY") return void this.#deny(job);
    if (decision === "REQUIRE_APPROVAL") {
      return this.#setState(job, "APPROVAL_REQUIRED");
    }
    if (decision === "THROTTLE") return this.#again(job, THROTTLE_RETRY_MS);
    this.#route(job);
  }

  /** Marks a job cancelled, whatever its state unless it has ended. */
  cancel(jobId: string): void {
    const job = this.jobs.get(jobId);
    if (job === undefined || isTerminal(job.state)) return;
    this.#setState(job, "CANCELLED");
  }

  /**
   * Approves a waiting job and submits it again.
   *
   * @throws {Conflict} If it does not wait, or the policy or the job changed.
   */
  approve(
    jobId: string,
    by: Pick<Approval, "by" | "role" | "reason" | "note">,
    snapshot: string,
  ): JobRecord {
    const job = this.#waiting(jobId);
    const safety = job.safety!;
    if (safety.snapshot !== snapshot) {
      throw new Conflict(
        "policy snapshot changed; re-evaluate before approving",
      );
    }
    if (safety.jobHash !== hashJob(job.request)) {
      throw new Conflict("job request changed");
    }
    const { labels } = job.request;
    labels["approval_granted"] = "true";
    // Both become placement constraints that no worker meets.
    if (by.reason !== "") labels["approval_reason"] = by.reason;
    if (by.note !== "") labels["approval_note"] = by.note;
    labels[BUS_ID_LABEL] = `approval:${randomUUID()}`;
    const { jobHash } = safety;
    job.approval = {
      ...by,
      by: by.by || job.request.principalId,
      at: this.#now(),
      snapshot,
      jobHash,
    };
    this.#setState(job, "PENDING");
    // The caller has its answer before the scheduler looks at the job.
    this.#after(0, () => this.submit(job.request, job.traceId));
    return job;
  }

  /** Rejects a waiting job. @throws {Conflict} If it does not wait. */
  async reject(
    jobId: string,
    by: Pick<Approval, "by" | "role" | "reason" | "note">,
  ): Promise<void> {
    const job = this.#waiting(jobId);
    const { snapshot, jobHash } = job.safety!;
    job.approval = {
      ...by,
      by: by.by || job.request.principalId,
      at: this.#now(),
      snapshot,
      jobHash,
    };
    await this.#fail(
      job,
      "DENIED",
      "approval_rejected",
      by.reason || "approval rejected",
    );
  }

  /** Ends what is overdue. Nothing of it goes out on the bus. */
  expire(): void {
    const now = this.#options.clock();
    for (const job of this.jobs.values()) {
      if (isTerminal(job.state)) continue;
      const age = now - job.updatedAt / 1000;
      const overdue = job.deadlineAt !== undefined && job.deadlineAt <= now;
      if (overdue || job.state === "RUNNING" && age > RUNNING_TIMEOUT_MS) {
        this.#setState(job, "TIMEOUT");
      }
    }
  }

  /** What the scheduler writes to `sys:workers:snapshot` every few seconds. */
  snapshot(): Record<string, unknown> {
    const live = this.#liveWorkers();
    const poolOf = (name: string) => {
      const members = live.filter(({ pool }) => pool === name);
      return {
        workers: members.length,
        active_jobs: sum(members.map(({ activeJobs }) => activeJobs)),
        capacity: sum(members.map(({ maxParallelJobs }) => maxParallelJobs)),
      };
    };
    const pools = [...new Set(live.map(({ pool }) => pool))].toSorted();
    const topics = Object.entries(this.routing.topics).map(
      ([topic, [pool = ""]]) => {
        const { workers, capacity } = poolOf(pool);
        return [topic, { pool, workers, capacity, available: workers > 0 }];
      },
    );
    return {
      captured_at: new Date(this.#options.clock()).toISOString().replace(
        /\.\d+Z$/,
        "Z",
      ),
      ...(pools.length === 0 ? {} : {
        pools: Object.fromEntries(pools.map((name) => [name, poolOf(name)])),
      }),
      topics: Object.fromEntries(topics),
      ...(live.length === 0 ? {} : {
        workers: live.map((
          { workerId, pool, activeJobs, maxParallelJobs, capabilities },
        ) => ({
          worker_id: workerId,
          pool,
          active_jobs: activeJobs,
          max_parallel_jobs: maxParallelJobs,
          ...(capabilities.length === 0 ? {} : { capabilities }),
        })),
      }),
    };
  }

  #now(): number {
    return Math.round(this.#options.clock() * 1000);
  }

  #setState(job: JobRecord, state: JobState): void {
    job.state = state;
    job.updatedAt = this.#now();
  }

  #waiting(jobId: string): JobRecord {
    const job = this.jobs.get(jobId);
    if (job?.state !== "APPROVAL_REQUIRED") {
      throw new Conflict("job not awaiting approval");
    }
    return job;
  }

  #after(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
  }

  /** As JetStream does: the submission comes back later. */
  #again(job: JobRecord, ms: number): void {
    this.#after(ms, () => {
      if (!isTerminal(job.state) && this.jobs.get(job.request.jobId) === job) {
        this.submit(job.request, job.traceId);
      }
    });
  }

  #check(job: JobRecord): Word {
    const { request, safety } = job;
    const jobHash = hashJob(request);
    const granted =
      request.labels["approval_granted"]?.trim().toLowerCase() === "true" &&
      safety?.decision === "REQUIRE_APPROVAL" && safety.jobHash === jobHash &&
      !this.#options.bounces();
    const entry: DecisionEntry = granted
      // Honouring the approval overwrites it: on a second pass it is gone.
      ? {
        ...safety,
        decision: "ALLOW",
        reason: "approval granted",
        approvalRef: "",
        checkedAt: this.#now(),
      }
      : this.#ask(request, jobHash, safety);
    job.safety = entry;
    job.decisions.unshift(entry);
    return entry.decision;
  }

  #ask(
    request: JobRequest,
    jobHash: string,
    before: DecisionEntry | undefined,
  ): DecisionEntry {
    const { jobId, topic, labels, meta, principalId } = request;
    const decision = this.#options.decide({
      tenant: request.tenantId || "default",
      topic,
      jobId,
      labels,
      capability: meta?.capability ?? "",
      riskTags: meta?.riskTags ?? [],
      requires: meta?.requires ?? [],
      packId: meta?.packId ?? "",
      actorId: meta?.actorId || principalId,
      actorType: meta?.actorType === 1
        ? "human"
        : meta?.actorType === 2
        ? "service"
        : "",
    });
    const asks = decision.decision === "REQUIRE_APPROVAL";
    return {
      ...decision,
      approvalRef: asks ? jobId : "",
      // Written only when there is one, so an earlier hash lingers.
      jobHash: asks ? jobHash : before?.jobHash ?? "",
      checkedAt: this.#now(),
    };
  }

  async #deny(job: JobRecord): Promise<void> {
    await this.#fail(job, "DENIED", "safety_denied", job.safety!.reason);
  }

  async #fail(
    job: JobRecord,
    state: JobState,
    code: string,
    reason: string,
  ): Promise<void> {
    this.#setState(job, state);
    job.deadLetter = {
      status: `JOB_STATUS_${state}`,
      code,
      reason,
      lastState: state,
    };
    await this.#options.onDeadLetter(job);
    this.#options.onEnd(job, reason);
  }

  #route(job: JobRecord): void {
    const { topic, meta } = job.request;
    const pools = this.routing.topics[topic];
    const requires = meta?.requires ?? [];
    const offers = (pool: string) => {
      const offered = (this.routing.pools[pool]?.requires ?? []).map((name) =>
        name.toLowerCase()
      );
      return requires.every((name) => offered.includes(name.toLowerCase()));
    };
    const eligible = pools?.filter(offers) ?? [];
    if (eligible.length === 0) {
      const reason = `no_pool_mapping: topic ${JSON.stringify(topic)}`;
      this.#fail(job, "FAILED", "no_pool_mapping", reason);
      return;
    }
    const worker = this.#choose(eligible, job.request.labels);
    if (worker === undefined) this.#again(job, NO_WORKER_RETRY_MS);
    else this.#dispatch(job, worker);
  }

  #choose(
    pools: readonly string[],
    labels: Readonly<Record<string, string>>,
  ): string | undefined {
    const wanted = Object.entries(labels).filter(([name]) =>
      !UNCONSTRAINING.includes(name) && !name.startsWith("cordum.")
    );
    return this.#liveWorkers()
      .filter(({ pool }) => pools.includes(pool))
      .filter((worker) =>
        wanted.every(([name, value]) => worker.labels[name] === value)
      )
      .filter(({ activeJobs, maxParallelJobs, cpuLoad }) =>
        cpuLoad < 90 &&
        (maxParallelJobs === 0 || activeJobs / maxParallelJobs < OVERLOADED)
      )
      .toSorted((a, b) => a.activeJobs - b.activeJobs)[0]?.workerId;
  }

  #liveWorkers(): Heartbeat[] {
    const since = this.#options.clock() - HEARTBEAT_TTL_MS;
    return [...this.heard.values()].filter(({ workerId }) =>
      (this.#lastBeat.get(workerId) ?? 0) > since
    );
  }

  #dispatch(job: JobRecord, workerId: string): void {
    const { clock, bus, onDispatch, effectiveConfig } = this.#options;
    const request = clone(JobRequestSchema, job.request);
    request.env["CORDUM_EFFECTIVE_CONFIG"] = JSON.stringify(effectiveConfig());
    applyConstraints(request, job.safety?.constraints ?? null);
    const now = clock();
    const packet = create(BusPacketSchema, {
      traceId: job.traceId,
      senderId: "cordum-scheduler",
      createdAt: {
        seconds: BigInt(Math.floor(now / 1000)),
        nanos: Math.floor(now % 1000) * 1e6,
      },
      protocolVersion: 1,
      payload: { case: "jobRequest", value: request },
    });
    const bytes = encodePacket(packet);
    const publish = () => bus.publish(`worker.${workerId}.jobs`, bytes);
    const fault = onDispatch(request);
    if (typeof fault === "object") this.#after(fault.lateMs, publish);
    else if (fault !== "drop") publish();
    if (fault === "twice") publish();
    job.attempts += 1;
    this.#setState(job, "RUNNING");
  }

  #onPacket(bytes: Uint8Array): void {
    let packet: BusPacket;
    try {
      packet = decodePacket(bytes);
    } catch {
      return; // As the platform does with what it cannot read.
    }
    const { case: kind, value } = packet.payload;
    if (kind === "heartbeat" && value.workerId !== "") {
      this.heard.set(value.workerId, value);
      this.#lastBeat.set(value.workerId, this.#options.clock());
    }
    if (kind === "jobResult") this.#onResult(value.jobId, value);
  }

  async #onResult(
    jobId: string,
    result: {
      status: JobStatus;
      resultPtr: string;
      workerId: string;
      errorCode: string;
      errorMessage: string;
    },
  ): Promise<void> {
    const job = this.jobs.get(jobId);
    // A result for a job that does not run is an illegal transition, and one
    // without a worker id is dropped by Cordum 1.0.
    if (job?.state !== "RUNNING" || result.workerId === "") return;
    job.resultPtr = result.resultPtr;
    if (result.status === JobStatus.SUCCEEDED) {
      this.#setState(job, "SUCCEEDED");
      this.#options.onEnd(job, "");
      return;
    }
    const ends: Partial<Record<JobStatus, JobState>> = {
      [JobStatus.TIMEOUT]: "TIMEOUT",
      [JobStatus.CANCELLED]: "CANCELLED",
    };
    await this.#fail(
      job,
      ends[result.status] ?? "FAILED",
      result.errorCode,
      result.errorMessage,
    );
  }
}

/** Whether a job in this state will never change again. */
export function isTerminal(state: JobState): boolean {
  return TERMINAL.includes(state);
}

/**
 * The hash that binds an approval to a job: of the request without what an
 * approval itself adds, in canonical form.
 */
export function hashJob(request: JobRequest): string {
  const copy = clone(JobRequestSchema, request);
  const kept = (name: string) =>
    !/^approval_/i.test(name) && name !== BUS_ID_LABEL;
  copy.labels = sorted(copy.labels, kept);
  copy.env = sorted(copy.env, (name) => name !== "CORDUM_EFFECTIVE_CONFIG");
  if (copy.meta !== undefined) {
    copy.meta.labels = sorted(copy.meta.labels, () => true);
  }
  return createHash("sha256").update(toBinary(JobRequestSchema, copy)).digest(
    "hex",
  );
}

function sorted(
  map: Readonly<Record<string, string>>,
  kept: (name: string) => boolean,
): Record<string, string> {
  const names = Object.keys(map).filter(kept).toSorted((a, b) =>
    a < b ? -1 : 1
  );
  return Object.fromEntries(names.map((name) => [name, map[name]!]));
}

/** Hands the policy's limits to the worker, as protojson and one by one. */
function applyConstraints(
  request: JobRequest,
  constraints: RuleConstraints | null,
): void {
  if (constraints === null) return;
  const { env } = request;
  const budgets = (constraints["budgets"] ?? {}) as Record<string, number>;
  env["CORDUM_POLICY_CONSTRAINTS"] = JSON.stringify(toProtojson(constraints));
  const level = constraints["redaction_level"];
  if (typeof level === "string" && level !== "") {
    env["CORDUM_REDACTION_LEVEL"] = level;
  }
  for (
    const name of ["max_artifact_bytes", "max_concurrent_jobs", "max_retries"]
  ) {
    if ((budgets[name] ?? 0) > 0) {
      env[`CORDUM_${name.toUpperCase()}`] = String(budgets[name]);
    }
  }
  const limit = budgets["max_runtime_ms"] ?? 0;
  const asked = Number(request.budget?.deadlineMs ?? 0n);
  const { budget } = create(JobRequestSchema, { budget: request.budget ?? {} });
  request.budget = budget!;
  if (limit > 0) {
    request.budget.deadlineMs = BigInt(
      asked === 0 ? limit : Math.min(asked, limit),
    );
  }
}

const INT64 = ["max_runtime_ms", "max_artifact_bytes"];

function toProtojson(
  value: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => {
      const camel = name.replace(
        /_([a-z])/g,
        (_, letter: string) => letter.toUpperCase(),
      );
      const isPart = typeof part === "object" && part !== null &&
        !Array.isArray(part);
      const shown = isPart
        ? toProtojson(part as Record<string, unknown>)
        : part;
      return [camel, INT64.includes(name) ? String(shown) : shown];
    }),
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
