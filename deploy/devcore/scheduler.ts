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
import type { JsonObject } from "../../lib/base/json.ts";
import {
  clone,
  create,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createHash, randomUUID } from "node:crypto";
import {
  BudgetSchema,
  type BusPacket,
  BusPacketSchema,
  type Heartbeat,
  type JobRequest,
  JobRequestSchema,
  type JobResult,
  JobStatusSchema,
} from "../../lib/platform/gen/cap_pb.ts";
import { decodePacket, encodePacket } from "../../lib/platform/packet.ts";
import {
  type Base,
  byBytes,
  canonical,
  filled,
  isoSeconds,
  Refusal,
  strikes,
} from "./common.ts";
import type { ConfigDocuments } from "./config.ts";
import type { Decision, Kernel, RuleConstraints } from "./policy.ts";

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
  readonly decisions: DecisionEntry[] = [];
  /** Who approved or rejected it, as the gateway shows it. */
  approval: JsonObject = {};
  /** Why it failed, as the gateway shows it. */
  failure: JsonObject = {};
  /** Milliseconds since the epoch. */
  deadlineAt = Infinity;

  constructor(readonly request: JobRequest, readonly traceId: string) {}

  /** Whether it will never change again. */
  get isOver(): boolean {
    return isEnd(this.state);
  }
}

/** One answer of the policy, as it is kept. */
export interface DecisionEntry extends Decision {
  /** Empty unless a person has to decide, or has. */
  jobHash: string;
  checkedAt: number;
}

/** Who decides, and why, as the gateway shows it. */
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

/** Which pools a topic goes to, and what a pool offers. */
interface Routing {
  topics: Readonly<Record<string, string | string[]>>;
  pools: Readonly<Record<string, { requires?: string[] }>>;
}

/** What the scheduler needs from the rest. */
export interface SchedulerOptions extends Base {
  config: ConfigDocuments;
  kernel: Kernel;
}

const HEARTBEAT_TTL_MS = 30_000;
const NO_PLACE_RETRY_MS = 2_000;
const THROTTLE_RETRY_MS = 5_000;
const RUNNING_TIMEOUT_MS = 9_000_000;
const OVERLOADED = 0.9;
const LOAD_MAX = 90;
/** The label that makes an approved job a new message; the platform's own. */
const BUS_ID_LABEL = "cordum.bus_msg_id";
const EFFECTIVE_CONFIG = "CORDUM_EFFECTIVE_CONFIG";
/** Labels that say nothing of where a job may go. */
const UNCONSTRAINING =
  /^(approval_granted|secrets_present|(workflow|run|step|node|worker)_id|cordum\..*)$/;

/** The scheduler. */
export class Scheduler {
  readonly jobs = new Map<string, JobRecord>();
  /** Told of every end of a job, but for those in `timedOut`. */
  onEnd: (jobId: string, end: JobEnd) => void = () => {};
  /** Jobs whose end nobody was told, for whoever looks. */
  readonly timedOut: JobRecord[] = [];
  readonly #options: SchedulerOptions;
  readonly #heard = new Map<string, { heartbeat: Heartbeat; at: number }>();
  #routing: Routing = {
    topics: { "job.default": "default" },
    pools: { default: {} },
  };

  constructor(options: SchedulerOptions) {
    this.#options = options;
    for (const subject of ["sys.heartbeat", "sys.job.result"]) {
      options.bus.subscribe(subject, (bytes) => this.#onMessage(bytes));
    }
  }

  /** Takes the overlays over; one without topics is ignored: the last stays. */
  loadRouting(): void {
    const { topics = {}, pools = {} } = this.#options.config
      .read("default", "pools") as Partial<Routing>;
    if (Object.keys(topics).length > 0) this.#routing = { topics, pools };
  }

  /** Every worker ever heard of. */
  workers(): Heartbeat[] {
    return [...this.#heard.values()].map(({ heartbeat }) => heartbeat);
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
    if (job?.isOver === false) this.#setState(job, "CANCELLED");
  }

  /**
   * Approves a waiting job and submits it again.
   *
   * @throws {Refusal} 409 if it does not wait, or the policy changed.
   */
  approve(jobId: string, decider: Decider): JobRecord {
    const job = this.#waiting(jobId);
    if (job.safety!.snapshot !== this.#options.kernel.snapshots[0]) {
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
    const reason = decider.approval_reason || "approval rejected";
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

  /** What `sys:workers:snapshot` says of pools, topics and live workers. */
  snapshot(): JsonObject {
    const live = this.#live();
    const load = (pool: string) => {
      const members = live.filter((worker) => worker.pool === pool);
      const sum = (field: "activeJobs" | "maxParallelJobs") =>
        members.reduce((total, worker) => total + worker[field], 0);
      return {
        workers: members.length,
        active_jobs: sum("activeJobs"),
        capacity: sum("maxParallelJobs"),
      };
    };
    const topics = Object.entries(this.#routing.topics).map(([topic, to]) => {
      const [pool = ""] = [to].flat();
      const { workers, capacity } = load(pool);
      return [topic, { pool, workers, capacity, available: workers > 0 }];
    });
    const workers = live.map((worker) => ({
      worker_id: worker.workerId,
      pool: worker.pool,
      active_jobs: worker.activeJobs,
      max_parallel_jobs: worker.maxParallelJobs,
      ...filled({ capabilities: worker.capabilities }),
    }));
    const pools = live.map(({ pool }) => [pool, load(pool)]);
    return {
      captured_at: isoSeconds(this.#options.clock()),
      topics: Object.fromEntries(topics),
      ...filled({ pools: Object.fromEntries(pools), workers }),
    };
  }

  #live(): Heartbeat[] {
    const since = this.#options.clock() - HEARTBEAT_TTL_MS;
    return [...this.#heard.values()].filter(({ at }) => at > since)
      .map(({ heartbeat }) => heartbeat);
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

  #writeApproval(job: JobRecord, decider: Decider): void {
    const { snapshot, jobHash } = job.safety!;
    job.approval = {
      ...decider,
      approval_by: decider.approval_by || job.request.principalId,
      approval_at: this.#now(),
      approval_policy_snapshot: snapshot,
      approval_job_hash: jobHash,
    };
  }

  /** As JetStream does: the submission comes back later. */
  #again(job: JobRecord, ms: number): void {
    const { timers } = this.#options;
    timers.after(ms, () => this.submit(job.request, job.traceId));
  }

  #check(job: JobRecord): DecisionEntry {
    const { request, safety: before } = job;
    const { kernel, faults } = this.#options;
    const jobHash = hashJob(request);
    const approved = request.labels["approval_granted"] === "true" &&
      before?.decision === "REQUIRE_APPROVAL" && before.jobHash === jobHash &&
      !strikes(faults, "bounceApprovals");
    // Honouring the approval overwrites it: on a second pass it is gone.
    const granted = { reason: "approval granted", approvalRef: "" };
    const decision: Decision = approved
      ? { ...before, decision: "ALLOW", ...granted }
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
    // Whatever the job had stored is replaced by the platform's words.
    await this.#options.write(`res:${jobId}`, {
      completed_at: isoSeconds(this.#options.clock()),
      error: { message },
      job_id: jobId,
      processed_by: "cordum-scheduler",
      status,
    });
    job.resultPtr ||= `redis://res:${jobId}`;
    this.onEnd(jobId, { state, resultPtr: "", message, ...end });
  }

  /** Finds a worker for an allowed job, now or later. */
  #place(job: JobRecord, constraints: RuleConstraints | null): void {
    const config = canonical(this.#options.config.get("default")?.data);
    const request = constrain(job.request, constraints, config);
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
    const pools = this.#routing.topics[topic];
    if (pools === undefined) return `topic ${JSON.stringify(topic)}`;
    const fold = (name: string) => name.trim().toLowerCase();
    const wanted = meta?.requires.map(fold) ?? [];
    const eligible = [pools].flat().filter((pool) => {
      const offered = this.#routing.pools[pool]?.requires?.map(fold) ?? [];
      return wanted.every((name) => offered.includes(name));
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
      activeJobs + (cpuLoad + gpuUtilization) / 100;
    return this.#live()
      .filter((worker) =>
        pools.includes(worker.pool) && !isOverloaded(worker) &&
        wanted.every(([name, value]) => worker.labels[name] === value)
      )
      .toSorted((a, b) => score(a) - score(b))[0]?.workerId;
  }

  #dispatch(job: JobRecord, workerId: string, value: JobRequest): void {
    const subject = `worker.${workerId}.jobs`;
    const publish = () =>
      this.#publish(subject, job.traceId, "cordum-scheduler", {
        case: "jobRequest",
        value,
      });
    const { timers, faults: { onDispatch } } = this.#options;
    const fault = typeof onDispatch === "function"
      ? onDispatch(value)
      : onDispatch;
    if (typeof fault === "object") timers.after(fault.lateMs, publish);
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
    const at = this.#options.clock();
    this.#heard.set(value.workerId, { heartbeat: value, at });
  }

  async #onResult(result: JobResult): Promise<void> {
    const { jobId, resultPtr, errorCode: code, errorMessage } = result;
    // Cordum 1.0 drops what no worker signs.
    if (jobId === "" || result.workerId === "") return;
    const status = JobStatusSchema.value[result.status]?.name ??
      String(result.status);
    const word = status.replace("JOB_STATUS_", "");
    // Any status that is no end counts as a failure, and as the last one.
    const end: JobEnd = isEnd(word)
      ? { state: word, resultPtr, message: errorMessage }
      : {
        state: "FAILED",
        resultPtr,
        message: `unexpected status: ${status}`,
        final: true,
      };
    const { state } = end;
    // The failure of an unknown job makes a record of it.
    const job = this.jobs.get(jobId) ??
      (state === "FAILED"
        ? this.#record(create(JobRequestSchema, { jobId }), "")
        : undefined);
    if (job === undefined || job.isOver) return;
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

function isOverloaded(worker: Heartbeat): boolean {
  const { activeJobs, maxParallelJobs, cpuLoad, gpuUtilization } = worker;
  const isFull = maxParallelJobs > 0 &&
    activeJobs / maxParallelJobs >= OVERLOADED;
  return isFull || cpuLoad >= LOAD_MAX || gpuUtilization >= LOAD_MAX;
}

/**
 * The hash that binds an approval to a job: of the request without what an
 * approval itself adds, in canonical form.
 */
export function hashJob(request: JobRequest): string {
  const copy = clone(JobRequestSchema, request);
  const isKept = (name: string) =>
    !/^approval_/i.test(name) && name !== BUS_ID_LABEL;
  copy.labels = sorted(copy.labels, isKept);
  copy.env = sorted(copy.env, (name) => name !== EFFECTIVE_CONFIG);
  if (copy.meta !== undefined) copy.meta.labels = sorted(copy.meta.labels);
  const bytes = toBinary(JobRequestSchema, copy);
  return createHash("sha256").update(bytes).digest("hex");
}

function sorted(
  map: Readonly<Record<string, string>>,
  keeps: (name: string) => boolean = () => true,
): Record<string, string> {
  const kept = Object.entries(map).filter(([name]) => keeps(name));
  return Object.fromEntries(kept.toSorted(([a], [b]) => byBytes(a, b)));
}

/**
 * The request as a worker gets it: with the config in force, and with the
 * policy's limits as protojson and one by one.
 */
function constrain(
  request: JobRequest,
  constraints: RuleConstraints | null,
  effectiveConfig: string,
): JobRequest {
  const copy = clone(JobRequestSchema, request);
  const { env } = copy;
  env[EFFECTIVE_CONFIG] = effectiveConfig;
  if (constraints === null) return copy;
  env["CORDUM_POLICY_CONSTRAINTS"] = toProtojson(constraints);
  const level = constraints["redaction_level"];
  if (level !== undefined) env["CORDUM_REDACTION_LEVEL"] = String(level);
  const { max_runtime_ms = 0, ...counts } = constraints["budgets"] as Record<
    string,
    number
  >;
  for (const [name, limit] of Object.entries(counts)) {
    if (limit > 0) env[`CORDUM_${name.toUpperCase()}`] = String(limit);
  }
  // Empty where the submission had none and the rule sets no time.
  const budget = copy.budget ??= create(BudgetSchema);
  const limit = BigInt(max_runtime_ms);
  if (limit > 0n && (budget.deadlineMs === 0n || limit < budget.deadlineMs)) {
    budget.deadlineMs = limit;
  }
  return copy;
}

const INT64 = ["max_runtime_ms", "max_artifact_bytes"];

/** As the platform prints it: camelCase, 64-bit numbers as text. */
function toProtojson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toProtojson).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  const members = Object.entries(value as JsonObject).map(([name, part]) => {
    const camel = name.replace(/_./g, (pair) => pair.slice(1).toUpperCase());
    const shown = INT64.includes(name) ? String(part) : part;
    return `${JSON.stringify(camel)}:${toProtojson(shown)}`;
  });
  return `{${members.join(", ")}}`;
}
