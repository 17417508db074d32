/**
 * The stand-in's workflow engine: steps that are jobs, one after the other.
 *
 * It knows what a chain of worker steps needs: dependencies, `${…}` in inputs,
 * schemas, retries, idempotent starts, cancels. A workflow that uses more is
 * refused by name when it is installed.
 *
 * @module
 */
import { create } from "@bufbuild/protobuf";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { randomUUID } from "node:crypto";
import {
  type JobRequest,
  JobRequestSchema,
} from "../../lib/platform/gen/cap_pb.ts";
import type { JobRecord } from "./scheduler.ts";

/** A step as a pack writes it. */
export interface Step {
  id: string;
  name: string;
  type: string;
  topic: string;
  depends_on?: string[];
  input?: Record<string, unknown>;
  input_schema?: Record<string, unknown>;
  input_schema_id?: string;
  output_schema?: Record<string, unknown>;
  output_schema_id?: string;
  meta?: {
    actor_id?: string;
    pack_id?: string;
    capability?: string;
    risk_tags?: string[];
    requires?: string[];
  };
  retry?: {
    max_retries?: number;
    initial_backoff_sec?: number;
    max_backoff_sec?: number;
    multiplier?: number;
  };
  timeout_sec?: number;
  route_labels?: Record<string, string>;
}

/** A workflow as the gateway shows it. */
export interface Workflow {
  id: string;
  org_id: string;
  team_id: string;
  name: string;
  description: string;
  version: string;
  timeout_sec: number;
  steps: Record<string, Step>;
  input_schema?: Record<string, unknown>;
  created_by: string;
  created_at: string;
  updated_at: string;
}

interface StepRun {
  step_id: string;
  status: string;
  started_at?: string;
  completed_at?: string;
  next_attempt_at?: string;
  attempts?: number;
  input?: unknown;
  output?: string;
  error?: { message: string };
  job_id?: string;
}

/** A run as the gateway shows it. */
export interface Run {
  id: string;
  workflow_id: string;
  org_id: string;
  team_id: string;
  input: Record<string, unknown>;
  context:
    | { steps: Record<string, { result_ptr: string; output?: unknown }> }
    | null;
  status: string;
  started_at: string | null;
  completed_at: string | null;
  output: null;
  error: null;
  steps: Record<string, StepRun>;
  total_cost: 0;
  triggered_by: "";
  created_at: string;
  updated_at: string;
  idempotency_key?: string;
  labels?: Record<string, string>;
  metadata?: Record<string, string>;
  dry_run?: true;
}

/** What the engine needs from the rest. */
export interface EngineOptions {
  clock: () => number;
  schemas: ReadonlyMap<string, unknown>;
  effectiveConfig: () => unknown;
  writeContext: (jobId: string, payload: unknown) => Promise<void>;
  /** The value behind a pointer, or `undefined` if it is missing or too long. */
  readResult: (pointer: string) => Promise<string | undefined>;
  submit: (request: JobRequest, traceId: string) => void;
  cancelJob: (jobId: string) => void;
}

/** A start that the caller got wrong. */
export class InputError extends Error {}

const TERMINAL = ["succeeded", "failed", "cancelled", "timed_out"];
const STEP_STATUS: Readonly<Record<string, string>> = {
  SUCCEEDED: "succeeded",
  CANCELLED: "cancelled",
  TIMEOUT: "timed_out",
};

/** The workflow engine. */
export class Engine {
  readonly #options: EngineOptions;
  readonly workflows = new Map<string, Workflow>();
  readonly runs = new Map<string, Run>();
  readonly timelines = new Map<string, Record<string, unknown>[]>();
  readonly keys = new Map<string, string>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /** Ends every pending retry. */
  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  /** Forgets runs and keys, as the platform does with its Redis. */
  forgetRuns(): void {
    this.stop();
    this.runs.clear();
    this.timelines.clear();
    this.keys.clear();
  }

  /**
   * Checks the input of a start, before its key is looked at.
   *
   * @throws {InputError}
   */
  checkInput(workflow: Workflow, input: Record<string, unknown>): void {
    const problem = validate(workflow.input_schema, input);
    if (problem !== undefined) {
      throw new InputError(`input schema validation failed: ${problem}`);
    }
  }

  /** Starts a run; the first steps are submitted when this resolves. */
  async start(
    workflow: Workflow,
    input: Record<string, unknown>,
    { runId, key, dryRun }: { runId: string; key: string; dryRun: boolean },
  ): Promise<void> {
    const now = this.#now();
    const marks = dryRun ? { dry_run: "true" } : undefined;
    const run: Run = {
      id: runId,
      workflow_id: workflow.id,
      org_id: "default",
      team_id: "",
      input,
      context: null,
      status: "pending",
      started_at: null,
      completed_at: null,
      output: null,
      error: null,
      steps: {},
      total_cost: 0,
      triggered_by: "",
      created_at: now,
      updated_at: now,
      ...(key === "" ? {} : { idempotency_key: key }),
      ...(marks === undefined
        ? {}
        : { labels: marks, metadata: { ...marks }, dry_run: true as const }),
    };
    this.runs.set(runId, run);
    this.timelines.set(runId, []);
    await this.#advance(run);
  }

  /** Cancels a run, a finished one too. @throws If there is none. */
  cancel(runId: string): void {
    const run = this.runs.get(runId);
    const workflow = run && this.workflows.get(run.workflow_id);
    if (run === undefined || workflow === undefined) {
      throw new InputError("get run: redis: nil");
    }
    const now = this.#now();
    for (const id of Object.keys(workflow.steps)) {
      const step = run.steps[id] ??= { step_id: id, status: "pending" };
      if (TERMINAL.includes(step.status)) continue;
      if (step.status === "running" && step.job_id !== undefined) {
        this.#options.cancelJob(step.job_id);
      }
      step.status = "cancelled";
      step.completed_at = now;
    }
    run.status = "cancelled";
    run.completed_at = run.updated_at = now;
    this.#note(run, {
      type: "run_status",
      status: "cancelled",
      message: "run cancelled",
    });
  }

  /** Takes the end of a job. */
  async onJobEnd(job: JobRecord, message: string): Promise<void> {
    const { jobId } = job.request;
    const run = this.runs.get(jobId.slice(0, jobId.lastIndexOf(":")));
    if (run === undefined || TERMINAL.includes(run.status)) return;
    const step = Object.values(run.steps).find(({ job_id }) =>
      job_id === jobId
    );
    const definition = step &&
      this.workflows.get(run.workflow_id)?.steps[step.step_id];
    if (
      step === undefined || definition === undefined ||
      step.status !== "running"
    ) return;
    step.status = STEP_STATUS[job.state] ?? "failed";
    if (step.status !== "succeeded") {
      step.error = { message: message || `job state: ${job.state}` };
      if (
        step.status !== "cancelled" &&
        this.#scheduleRetry(run, step, definition)
      ) return;
    } else if (job.resultPtr !== "") {
      await this.#takeOutput(run, step, definition, job.resultPtr);
    }
    step.completed_at = this.#now();
    this.#note(run, {
      type: "step_completed",
      step_id: step.step_id,
      job_id: jobId,
      status: step.status,
      ...(step.status === "succeeded" && job.resultPtr !== ""
        ? { result_ptr: job.resultPtr }
        : {}),
      ...(step.error === undefined ? {} : { message: step.error.message }),
    });
    await this.#advance(run);
  }

  async #takeOutput(
    run: Run,
    step: StepRun,
    definition: Step,
    pointer: string,
  ): Promise<void> {
    const text = await this.#options.readResult(pointer);
    const output = text === undefined ? undefined : parseOrText(text);
    const schema = definition.output_schema ??
      this.#schema(definition.output_schema_id);
    const problem = output === undefined ? undefined : validate(schema, output);
    step.output = pointer;
    if (problem !== undefined) {
      step.status = "failed";
      step.error = { message: problem };
      this.#note(run, {
        type: "step_output_invalid",
        step_id: step.step_id,
        status: "failed",
        message: problem,
      });
      return;
    }
    run.context ??= { steps: {} };
    run.context.steps[step.step_id] = {
      result_ptr: pointer,
      ...(output === undefined ? {} : { output }),
    };
  }

  #scheduleRetry(run: Run, step: StepRun, { retry }: Step): boolean {
    const attempts = step.attempts ?? 1;
    if (attempts > (retry?.max_retries ?? 0)) return false;
    const initial = retry!.initial_backoff_sec || 1;
    const multiplier = (retry!.multiplier ?? 0) > 1 ? retry!.multiplier! : 2;
    const seconds = initial * multiplier ** (attempts - 1);
    const delayS = Math.floor(
      Math.min(seconds, retry!.max_backoff_sec || Infinity),
    );
    step.status = "pending";
    step.next_attempt_at = new Date(this.#options.clock() + delayS * 1000)
      .toISOString();
    run.updated_at = this.#now();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      delete step.next_attempt_at;
      if (step.status === "pending") this.#advance(run);
    }, delayS * 1000);
    this.#timers.add(timer);
    return true;
  }

  async #advance(run: Run): Promise<void> {
    const workflow = this.workflows.get(run.workflow_id);
    if (workflow === undefined || TERMINAL.includes(run.status)) return;
    const before = run.status;
    run.started_at ??= this.#now();
    const isDone = (id: string) => run.steps[id]?.status === "succeeded";
    for (const step of Object.values(workflow.steps)) {
      const { status = "", next_attempt_at } = run.steps[step.id] ?? {};
      if (
        status !== "" && status !== "pending" || next_attempt_at !== undefined
      ) continue;
      if ((step.depends_on ?? []).every(isDone)) {
        await this.#dispatch(run, step);
      }
    }
    const statuses = Object.keys(workflow.steps).map((id) =>
      run.steps[id]?.status ?? ""
    );
    if (
      statuses.some((status) => status === "failed" || status === "cancelled")
    ) run.status = "failed";
    else if (statuses.includes("timed_out")) run.status = "timed_out";
    else if (statuses.every((status) => status === "succeeded")) {
      run.status = "succeeded";
    } else run.status = "running";
    if (TERMINAL.includes(run.status)) run.completed_at = this.#now();
    if (run.status !== before) {
      this.#note(run, { type: "run_status", status: run.status });
    }
    run.updated_at = this.#now();
  }

  async #dispatch(run: Run, step: Step): Promise<void> {
    const known = run.steps[step.id];
    const attempts = (known?.attempts ?? 0) + 1;
    const jobId = `${run.id}:${step.id}@${attempts}`;
    const payload =
      step.input === undefined || Object.keys(step.input).length === 0
        ? run.input
        : fill(step.input, run);
    const schema = step.input_schema ?? this.#schema(step.input_schema_id);
    const problem = validate(schema, payload);
    if (problem !== undefined) {
      run.steps[step.id] = {
        step_id: step.id,
        status: "failed",
        error: { message: problem },
      };
      return;
    }
    await this.#options.writeContext(jobId, payload);
    run.steps[step.id] = {
      ...known,
      step_id: step.id,
      status: "running",
      started_at: this.#now(),
      attempts,
      input: payload,
      job_id: jobId,
    };
    this.#note(run, {
      type: "step_dispatched",
      step_id: step.id,
      job_id: jobId,
      status: "running",
      data: { context_ptr: `redis://ctx:${jobId}` },
    });
    this.#options.submit(this.#request(run, step, jobId), run.id);
  }

  #request(run: Run, step: Step, jobId: string): JobRequest {
    const dry: Record<string, string> = run.dry_run ? { dry_run: "true" } : {};
    const memoryId = `run:${run.id}`;
    const ids = {
      workflow_id: run.workflow_id,
      run_id: run.id,
      step_id: step.id,
    };
    const {
      actor_id = "",
      pack_id = "",
      capability = "",
      risk_tags = [],
      requires = [],
    } = step.meta ?? {};
    return create(JobRequestSchema, {
      jobId,
      topic: step.topic,
      priority: 2,
      contextPtr: `redis://ctx:${jobId}`,
      env: {
        ...ids,
        tenant_id: run.org_id,
        team_id: "",
        memory_id: memoryId,
        context_mode: "raw",
        CORDUM_EFFECTIVE_CONFIG: JSON.stringify(
          this.#options.effectiveConfig(),
        ),
        ...dry,
      },
      workflowId: run.workflow_id,
      memoryId,
      tenantId: run.org_id,
      principalId: actor_id,
      labels: { ...ids, ...step.route_labels, ...dry },
      meta: {
        tenantId: run.org_id,
        actorId: actor_id,
        capability,
        riskTags: risk_tags,
        requires,
        packId: pack_id,
      },
      ...((step.timeout_sec ?? 0) > 0
        ? { budget: { deadlineMs: BigInt(step.timeout_sec! * 1000) } }
        : {}),
    });
  }

  #schema(id: string | undefined): unknown {
    if (id === undefined || id === "") return undefined;
    return this.#options.schemas.get(id) ?? "redis: nil";
  }

  #note(run: Run, event: Record<string, unknown>): void {
    const { type, ...rest } = event;
    this.timelines.get(run.id)?.push({
      time: this.#now(),
      type,
      run_id: run.id,
      workflow_id: run.workflow_id,
      ...rest,
    });
  }

  #now(): string {
    return new Date(this.#options.clock()).toISOString();
  }
}

/** A new run's id. */
export function newRunId(): string {
  return randomUUID();
}

/** Says what is wrong with a value, in about the platform's words. */
function validate(schema: unknown, value: unknown): string | undefined {
  if (schema === undefined) return undefined;
  if (typeof schema !== "object" || schema === null) return String(schema);
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  const check = ajv.compile(schema);
  if (check(value)) return undefined;
  const { instancePath = "", schemaPath = "", message = "" } =
    check.errors?.[0] ?? {};
  return `schema validation failed: jsonschema: '${instancePath}' does not validate with inmemory://inline${schemaPath}: ${message}`;
}

/** Fills `${…}` into an input: whole values keep their type. */
function fill(value: unknown, run: Run): unknown {
  if (Array.isArray(value)) return value.map((item) => fill(item, run));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, fill(item, run)]),
    );
  }
  if (typeof value !== "string") return value;
  const whole = /^\s*\$\{([^{}]*)\}\s*$/.exec(value);
  if (whole !== null) return look(whole[1]!, run);
  return value.replace(
    /\$\{([^{}]*)\}/g,
    (_, path: string) => String(look(path, run) ?? ""),
  );
}

/** Paths walk objects by key; what is not there is null. */
function look(path: string, run: Run): unknown {
  const context = run.context ?? { steps: {} };
  let value: unknown = { input: run.input, ctx: context, steps: context.steps };
  for (const key of path.trim().split(".")) {
    const isObject = typeof value === "object" && value !== null &&
      !Array.isArray(value);
    value = isObject && Object.hasOwn(value as object, key)
      ? (value as Record<string, unknown>)[key]
      : null;
  }
  return value;
}

function parseOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const STEP_FIELDS: Readonly<Record<string, string>> = {
  id: "string",
  name: "string",
  type: "string",
  topic: "string",
  depends_on: "strings",
  input: "object",
  input_schema: "object",
  input_schema_id: "string",
  output_schema: "object",
  output_schema_id: "string",
  meta: "object",
  retry: "object",
  timeout_sec: "number",
  route_labels: "object",
};
const WORKFLOW_FIELDS: Readonly<Record<string, string>> = {
  id: "string",
  org_id: "string",
  team_id: "string",
  name: "string",
  description: "string",
  version: "string",
  timeout_sec: "number",
  created_by: "string",
  input_schema: "object",
  steps: "object",
};
const UNSUPPORTED = [
  "condition",
  "for_each",
  "max_parallel",
  "output_path",
  "delay_sec",
  "delay_until",
  "worker_id",
];
const UNSUPPORTED_TYPES = ["approval", "condition", "delay", "notify"];

/**
 * Reads a workflow as the platform decodes it: wrong types are refused in its
 * words, unknown keys dropped; what this engine cannot do is refused by name.
 *
 * @throws {InputError}
 */
export function readWorkflow(
  file: Record<string, unknown>,
  id: string,
  now: string,
): Workflow {
  const fields = pick(file, WORKFLOW_FIELDS, "Workflow");
  const steps: Record<string, Step> = {};
  for (
    const [stepId, value] of Object.entries(
      (fields["steps"] ?? {}) as Record<string, unknown>,
    )
  ) {
    const raw = value as Record<string, unknown>;
    const unsupported = UNSUPPORTED.find((name) => raw[name] !== undefined);
    if (unsupported !== undefined) {
      throw new InputError(
        `devcore does not implement steps with ${unsupported}`,
      );
    }
    const step = pick(raw, STEP_FIELDS, "Step.steps");
    if (UNSUPPORTED_TYPES.includes(String(step["type"]))) {
      throw new InputError(
        `devcore does not implement steps of type ${step["type"]}`,
      );
    }
    checkTemplates(step["input"]);
    steps[stepId] = {
      name: "",
      type: "",
      topic: `job.workflow.${id}`,
      ...step,
      id: stepId,
    } as Step;
  }
  const { input_schema } = fields;
  return {
    id,
    org_id: String(fields["org_id"] ?? ""),
    team_id: String(fields["team_id"] ?? ""),
    name: String(fields["name"] ?? ""),
    description: String(fields["description"] ?? ""),
    version: String(fields["version"] ?? ""),
    timeout_sec: Number(fields["timeout_sec"] ?? 0),
    steps,
    ...(input_schema === undefined
      ? {}
      : { input_schema: input_schema as Record<string, unknown> }),
    created_by: String(fields["created_by"] ?? ""),
    created_at: now,
    updated_at: now,
  };
}

/** The platform evaluates more than paths; here those give no wrong answer. */
function checkTemplates(value: unknown): void {
  if (typeof value === "object" && value !== null) {
    for (const item of Object.values(value)) checkTemplates(item);
  }
  if (typeof value !== "string") return;
  for (const [, path = ""] of value.matchAll(/\$\{([^}]*)\}?/g)) {
    if (/^\s*[\w-]+(\.[\w-]+)*\s*$/.test(path)) continue;
    throw new InputError(
      `devcore does not implement the expression \${${path}}`,
    );
  }
}

const GO_TYPES: Readonly<Record<string, string>> = {
  string: "string",
  number: "int64",
  strings: "[]string",
  object: "map[string]interface {}",
};

function pick(
  from: Record<string, unknown>,
  fields: Readonly<Record<string, string>>,
  path: string,
): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const [name, type] of Object.entries(fields)) {
    const value = from[name];
    if (value === undefined || value === null) continue;
    if (!isOfType(value, type)) {
      const got = Array.isArray(value) ? "array" : typeof value;
      throw new InputError(
        `json: cannot unmarshal ${got} into Go struct field ${path}.${name} of type ${
          GO_TYPES[type]
        }`,
      );
    }
    picked[name] = value;
  }
  return picked;
}

function isOfType(value: unknown, type: string): boolean {
  if (type === "strings") {
    return Array.isArray(value) &&
      value.every((item) => typeof item === "string");
  }
  if (type === "number") return Number.isInteger(value);
  if (type === "object") {
    return typeof value === "object" && !Array.isArray(value);
  }
  return type === "string" && typeof value === "string";
}
