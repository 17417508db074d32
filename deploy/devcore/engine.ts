/**
 * The stand-in's workflow engine: runs each step as a job once the steps that it
 * depends on are done.
 *
 * It knows dependencies, `${…}` in inputs, schemas, retries, idempotent starts
 * and cancels. A workflow that uses more is refused by name at installation.
 *
 * @module
 */
import { isObject, type JsonObject, stringOf } from "../../lib/base/json.ts";
import { create } from "@bufbuild/protobuf";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import {
  ActorType,
  JobPriority,
  type JobRequest,
  JobRequestSchema,
} from "../../lib/platform/gen/cap_pb.ts";
import {
  type Base,
  filled,
  iso,
  need,
  parseJson,
  readPointer,
} from "./common.ts";
import type { JobEnd, Scheduler } from "./scheduler.ts";
import { type Step, templatePath, type Workflow } from "./workflow.ts";

interface StepRun {
  step_id: string;
  status: string;
  started_at?: string;
  completed_at?: string;
  next_attempt_at?: string;
  attempts?: number;
  input?: JsonObject;
  output?: string;
  error?: { message: string };
  job_id?: string;
}

interface StepResult {
  result_ptr: string;
  output?: unknown;
}

/** A run as the gateway shows it. */
export class Run {
  readonly org_id = "default";
  readonly team_id = "";
  context: { steps: Record<string, StepResult> } | null = null;
  status = "pending";
  started_at: string | null = null;
  completed_at: string | null = null;
  readonly output = null;
  readonly error = null;
  readonly steps: Record<string, StepRun> = {};
  readonly total_cost = 0;
  readonly triggered_by = "";
  updated_at: string;
  declare idempotency_key?: string;
  declare labels?: Record<string, string>;
  declare metadata?: Record<string, string>;
  declare dry_run?: true;
  readonly #timeline: JsonObject[] = [];
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    readonly id: string,
    readonly workflow_id: string,
    readonly input: JsonObject,
    readonly created_at: string,
  ) {
    this.updated_at = created_at;
  }

  /** Whether it will never change again. */
  get isOver(): boolean {
    return TERMINAL.includes(this.status);
  }

  get timeline(): readonly JsonObject[] {
    return this.#timeline;
  }

  /** Adds to the timeline. */
  note(time: string, type: string, event: JsonObject): void {
    const { id, workflow_id } = this;
    this.#timeline.push({ time, type, run_id: id, workflow_id, ...event });
  }

  /** Makes one change at a time. */
  locked(change: () => Promise<void> | void): Promise<void> {
    const turn = this.#turn.then(change);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}

interface EngineOptions extends Base {
  schemas: ReadonlyMap<string, unknown>;
  scheduler: Scheduler;
}

/** Without `addUsedSchema` the same `$id` may come again at an upgrade. */
const AJV = addFormats.default(
  new Ajv2020({ strict: false, addUsedSchema: false }),
);
/** A longer result is kept by pointer only. */
const INLINE_BYTES_MAX = 256 * 1024;
const TERMINAL = ["succeeded", "failed", "cancelled", "timed_out", "denied"];
const STEP_STATUS: Readonly<Record<string, string>> = {
  SUCCEEDED: "succeeded",
  CANCELLED: "cancelled",
  TIMEOUT: "timed_out",
};
const ACTOR_TYPES: Readonly<Record<string, ActorType>> = {
  human: ActorType.HUMAN,
  service: ActorType.SERVICE,
};
const PRIORITIES: Readonly<Record<string, JobPriority>> = {
  critical: JobPriority.CRITICAL,
  interactive: JobPriority.INTERACTIVE,
};

export class Engine {
  readonly workflows = new Map<string, Workflow>();
  readonly runs = new Map<string, Run>();
  /** The run of each idempotency key, for good. */
  readonly keys = new Map<string, string>();
  readonly #options: EngineOptions;

  constructor(options: EngineOptions) {
    this.#options = options;
    options.scheduler.onEnd = (jobId, end) => void this.#onJobEnd(jobId, end);
  }

  /** Checks a run's input, before its key is looked at. @throws {Refusal} */
  checkInput({ input_schema }: Workflow, input: JsonObject): void {
    const problem = validate(input_schema, input, "inline");
    need(problem === undefined, `input schema validation failed: ${problem}`);
  }

  /** Starts a run; the first steps are submitted when this resolves. */
  async start(
    workflow: Workflow,
    input: JsonObject,
    { runId, key, dryRun }: { runId: string; key: string; dryRun: boolean },
  ): Promise<void> {
    const run = new Run(runId, workflow.id, input, this.#now());
    if (key !== "") run.idempotency_key = key;
    if (dryRun) {
      run.labels = run.metadata = { dry_run: "true" };
      run.dry_run = true;
    }
    this.runs.set(runId, run);
    await run.locked(() => this.#advance(run));
  }

  /** Cancels a run, even a finished one. @throws {Refusal} If there is none. */
  async cancel(runId: string): Promise<void> {
    const run = this.runs.get(runId);
    need(run !== undefined, "get run: redis: nil");
    const workflow = this.workflows.get(run.workflow_id);
    need(workflow !== undefined, "get workflow: redis: nil");
    await run.locked(() => {
      const now = this.#now();
      const { scheduler } = this.#options;
      for (const { id } of workflow.steps) {
        const step = run.steps[id] ??= { step_id: id, status: "" };
        if (TERMINAL.includes(step.status)) continue;
        if (step.status === "running") scheduler.cancel(step.job_id!);
        step.status = "cancelled";
        step.completed_at = now;
      }
      run.status = "cancelled";
      run.completed_at = run.updated_at = now;
      const message = "run cancelled";
      run.note(now, "run_status", { status: "cancelled", message });
    });
  }

  /** Ends the steps that timed out, which nothing on the bus reports. */
  findTimeouts(): void {
    for (const job of this.#options.scheduler.timedOut.splice(0)) {
      const { state, resultPtr, request: { jobId } } = job;
      const message = `job state: ${state}`;
      this.#onJobEnd(jobId, { state, resultPtr, message });
    }
  }

  /** A stale or repeated end changes nothing. */
  async #onJobEnd(jobId: string, end: JobEnd): Promise<void> {
    const run = this.runs.get(jobId.slice(0, jobId.lastIndexOf(":")));
    await run?.locked(() => this.#takeEnd(run, jobId, end));
  }

  async #takeEnd(run: Run, jobId: string, end: JobEnd): Promise<void> {
    const step = Object.values(run.steps)
      .find(({ job_id }) => job_id === jobId);
    if (run.isOver || step?.status !== "running") return;
    const definition = this.workflows.get(run.workflow_id)
      ?.steps.find(({ id }) => id === step.step_id);
    if (definition === undefined) return;
    const { state, resultPtr, message, final } = end;
    const isDenied = this.#options.isCordum1 && state === "DENIED";
    step.status = isDenied ? "denied" : STEP_STATUS[state] ?? "failed";
    if (step.status === "succeeded") {
      delete step.error;
      delete step.next_attempt_at;
      await this.#takeOutput(run, step, definition, resultPtr);
    } else if (step.status !== "cancelled") {
      step.error = { message: message || `job state: ${state}` };
      const mayRetry = !final && step.status !== "denied";
      if (mayRetry && this.#scheduleRetry(run, step, definition.retry)) return;
    }
    step.completed_at = this.#now();
    run.note(this.#now(), "step_completed", {
      step_id: step.step_id,
      job_id: jobId,
      status: step.status,
      ...filled({ result_ptr: resultPtr, message }),
    });
    await this.#advance(run);
  }

  async #takeOutput(
    run: Run,
    step: StepRun,
    definition: Step,
    pointer: string,
  ): Promise<void> {
    if (pointer === "") return;
    step.output = pointer;
    const text = await readPointer(this.#options, pointer)
      .catch(() => undefined);
    const parsed = parseJson(text ?? "");
    const output = parsed === undefined ? text : parsed;
    const problem = output === undefined
      ? undefined
      : this.#check(definition, "output", output);
    if (problem !== undefined) {
      step.status = "failed";
      step.error = { message: problem };
      return run.note(this.#now(), "step_output_invalid", {
        step_id: step.step_id,
        job_id: step.job_id,
        status: "failed",
        result_ptr: pointer,
        message: problem,
      });
    }
    const isShort = text !== undefined &&
      new TextEncoder().encode(text).length <= INLINE_BYTES_MAX;
    run.context ??= { steps: {} };
    run.context.steps[step.step_id] = {
      result_ptr: pointer,
      ...(isShort ? { output } : {}),
    };
  }

  #scheduleRetry(run: Run, step: StepRun, retry: Step["retry"]): boolean {
    const attempts = step.attempts ?? 1;
    if (attempts > retry.max_retries) return false;
    const initial = Math.max(0, retry.initial_backoff_sec) || 1;
    const factor = retry.multiplier > 1 ? retry.multiplier : 2;
    const seconds = initial * factor ** (attempts - 1);
    const cap = Math.max(0, retry.max_backoff_sec) || Infinity;
    const delayMs = Math.floor(Math.min(seconds, cap)) * 1000;
    step.status = "pending";
    step.next_attempt_at = iso(this.#options.clock() + delayMs);
    run.updated_at = this.#now();
    this.#options.timers.after(delayMs, () => {
      run.locked(() => this.#advance(run, step));
    });
    return true;
  }

  /** Submits the steps that are ready, and `due`, whose wait is over. */
  async #advance(run: Run, due?: StepRun): Promise<void> {
    const workflow = this.workflows.get(run.workflow_id);
    if (workflow === undefined || run.isOver) return;
    const before = run.status;
    run.started_at ??= this.#now();
    const statusOf = (id: string) => run.steps[id]?.status ?? "";
    for (const step of workflow.steps) {
      const waits = statusOf(step.id) === "" ||
        run.steps[step.id] === due && due?.status === "pending";
      const ready = step.depends_on.every((id) => statusOf(id) === "succeeded");
      if (waits && ready) await this.#dispatch(run, step);
    }
    const now = this.#now();
    run.status = toRunStatus(workflow.steps.map(({ id }) => statusOf(id)));
    if (run.isOver) run.completed_at = now;
    if (run.status !== before) {
      run.note(now, "run_status", { status: run.status });
    }
    run.updated_at = now;
  }

  async #dispatch(run: Run, step: Step): Promise<void> {
    const known = run.steps[step.id];
    const attempts = (known?.attempts ?? 0) + 1;
    const jobId = `${run.id}:${step.id}@${attempts}`;
    const ids = { step_id: step.id, job_id: jobId };
    const isGiven = Object.keys(step.input).length > 0;
    // What leads to nothing is null; on Cordum 1.0 its key is left out.
    const nothing = this.#options.isCordum1 ? undefined : null;
    const payload = isGiven
      ? fill(step.input, run, nothing) as JsonObject
      : run.input;
    const problem = this.#check(step, "input", payload);
    if (problem !== undefined) {
      const error = { message: problem };
      run.steps[step.id] = { step_id: step.id, status: "failed", error };
      return;
    }
    await this.#options.write(`ctx:${jobId}`, payload);
    const started_at = this.#now();
    run.steps[step.id] = {
      ...known,
      ...ids,
      status: "running",
      started_at,
      attempts,
      ...filled({ input: payload }),
    };
    run.note(started_at, "step_dispatched", {
      ...ids,
      status: "running",
      data: { context_ptr: `redis://ctx:${jobId}` },
    });
    const request = createRequest(run, step, jobId);
    this.#options.scheduler.submit(request, run.id, JSON.stringify(payload));
  }

  #check(
    step: Step,
    side: "input" | "output",
    value: unknown,
  ): string | undefined {
    const inline = step[`${side}_schema`];
    const id = step[`${side}_schema_id`];
    const isInline = Object.keys(inline).length > 0;
    if (isInline || id === "") return validate(inline, value, "inline");
    const schema = this.#options.schemas.get(id);
    if (schema === undefined) return "redis: nil";
    return validate(schema, value, `inmemory://${id}`);
  }

  #now(): string {
    return iso(this.#options.clock());
  }
}

function toRunStatus(statuses: readonly string[]): string {
  const some = (status: string) => statuses.includes(status);
  if (some("failed") || some("cancelled")) return "failed";
  if (some("denied")) return "denied";
  if (some("timed_out")) return "timed_out";
  const isDone = statuses.every((status) => status === "succeeded");
  return isDone ? "succeeded" : "running";
}

function createRequest(run: Run, step: Step, jobId: string): JobRequest {
  const { priority, memory_id } = run.input;
  const memoryId = stringOf(memory_id).trim() || `run:${run.id}`;
  const ids = {
    workflow_id: run.workflow_id,
    run_id: run.id,
    step_id: step.id,
  };
  const dry: Record<string, string> = run.dry_run ? { dry_run: "true" } : {};
  const { meta, timeout_sec, topic } = step;
  const tenantId = run.org_id;
  return create(JobRequestSchema, {
    jobId,
    topic,
    priority: PRIORITIES[String(priority).toLowerCase()] ?? JobPriority.BATCH,
    contextPtr: `redis://ctx:${jobId}`,
    env: {
      ...ids,
      tenant_id: tenantId,
      team_id: "",
      memory_id: memoryId,
      context_mode: "raw",
      ...dry,
    },
    workflowId: run.workflow_id,
    memoryId,
    tenantId,
    principalId: meta.actor_id,
    labels: { ...ids, ...step.route_labels, ...dry },
    meta: {
      tenantId,
      actorId: meta.actor_id,
      actorType: ACTOR_TYPES[meta.actor_type] ?? ActorType.UNSPECIFIED,
      idempotencyKey: meta.idempotency_key,
      capability: meta.capability,
      riskTags: meta.risk_tags,
      requires: meta.requires,
      packId: meta.pack_id,
      labels: meta.labels,
    },
    ...(timeout_sec > 0
      ? { budget: { deadlineMs: BigInt(timeout_sec * 1000) } }
      : {}),
  });
}

/** Says what is wrong with a value, in roughly the platform's words. */
function validate(
  schema: unknown,
  value: unknown,
  base: string,
): string | undefined {
  let check;
  try {
    check = AJV.compile(schema as JsonObject);
  } catch (error) {
    return `compile schema: ${(error as Error).message}`;
  }
  if (check(value)) return undefined;
  const { instancePath = "", schemaPath = "", message = "" } =
    check.errors?.[0] ?? {};
  return `schema validation failed: jsonschema: '${instancePath}' does not validate with inmemory://${base}${schemaPath}: ${message}`;
}

/**
 * Fills `${…}` into an input; the values keep their type.
 *
 * @param nothing Stands for what is not there.
 */
function fill(value: unknown, run: Run, nothing: null | undefined): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => fill(item, run, nothing) ?? null);
  }
  if (isObject(value)) {
    const entries = Object.entries(value)
      .map(([key, item]) => [key, fill(item, run, nothing)] as const);
    return Object.fromEntries(
      entries.filter(([, filled]) => filled !== undefined),
    );
  }
  const path = typeof value === "string" ? templatePath(value) : undefined;
  if (path === undefined) return value;
  // A path walks objects by key.
  return path.reduce<unknown>(
    (at, key) => isObject(at) && Object.hasOwn(at, key) ? at[key] : nothing,
    { input: run.input, steps: run.context?.steps },
  );
}
