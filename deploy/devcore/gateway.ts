/**
 * The stand-in's HTTP gateway: the routes that this project's scripts and
 * workers use, each with the platform's statuses, shapes and words. Every other
 * route of the contract answers 501 with its name.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { BodyTooLargeError, readBounded } from "../../lib/http.ts";
import { type Engine, InputError, newRunId, type Workflow } from "./engine.ts";
import { type ConfigDocument, PackError, type Packs } from "./packs.ts";
import {
  Conflict,
  type DecisionEntry,
  type JobRecord,
  type Scheduler,
} from "./scheduler.ts";

type Json = Record<string, unknown>;

/** What can be made to go wrong with a request. */
export type RouteFault =
  | { status: number; body?: string }
  | "hang"
  | "lose reply";

/** What the gateway shows and changes. */
export interface GatewayParts {
  apiKey: string;
  clock: () => number;
  engine: Engine;
  scheduler: Scheduler;
  packs: Packs;
  config: ReadonlyMap<string, ConfigDocument>;
  schemas: ReadonlyMap<string, unknown>;
  natsUrl: string;
  natsUp: () => boolean;
  /** The policy's snapshots, the one in force first. */
  snapshots: () => readonly string[];
  readValue: (key: string) => Promise<string | undefined>;
  /** Lets what Redis has lost be forgotten. */
  refresh: () => Promise<void>;
  onRoute: (method: string, path: string) => RouteFault | undefined;
  /** Whether the next new idempotency key is to be burned. */
  burnKey: () => boolean;
}

const RATE_PER_S = 50;
const RATE_BURST = 100;
const BODY_BYTES_MAX = 64 * 1024 * 1024;
const TTL_MS: Readonly<Record<string, number>> = {
  short: 24 * 3600_000,
  standard: 7 * 24 * 3600_000,
  audit: 30 * 24 * 3600_000,
};
const RECENT_MAX = 1000;

interface StoredArtifact {
  bytes: Uint8Array;
  metadata: Json;
  expiresAt: number;
}

/** An answer other than success: one line of text. */
class Answer extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }
}

type Handler = (call: Call) => Promise<Response> | Response;

interface Call {
  request: Request;
  url: URL;
  /** Path parameters, unescaped. */
  params: string[];
}

/** The gateway's request handler. */
export class DevGateway {
  readonly #parts: GatewayParts;
  readonly #artifacts = new Map<string, StoredArtifact>();
  readonly #routes: [string, RegExp, Handler][];
  #tokens = RATE_BURST;
  #filledAt: number;

  constructor(parts: GatewayParts) {
    this.#parts = parts;
    this.#filledAt = performance.now();
    this.#routes = this.#table();
  }

  /** Answers one request. */
  async handle(request: Request): Promise<Response> {
    const url = new URL(request.url);
    try {
      this.#checkOrigin(request);
      if (request.method === "OPTIONS") {
        return cors(request, new Response(null, { status: 204 }));
      }
      if (url.pathname.startsWith("/api/")) {
        this.#takeToken();
        this.#checkKey(request);
      }
      const fault = this.#parts.onRoute(request.method, url.pathname);
      if (fault === "hang") return await new Promise<Response>(() => {});
      if (typeof fault === "object") {
        return new Response(fault.body ?? "fault\n", { status: fault.status });
      }
      const response = await this.#route(request, url);
      // The work is done, and the connection breaks before the answer.
      if (fault === "lose reply") {
        throw new Deno.errors.ConnectionReset("lost reply");
      }
      return cors(request, response);
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionReset) throw error;
      return cors(request, toAnswer(error));
    }
  }

  #checkOrigin(request: Request): void {
    const origin = request.headers.get("origin");
    if (origin === null) return;
    const host = URL.parse(origin)?.hostname ?? "";
    if (!["localhost", "127.0.0.1", "[::1]"].includes(host)) {
      throw new Answer(403, "origin not allowed");
    }
  }

  /** One bucket for everybody together, and no hint when to come back. */
  #takeToken(): void {
    const now = performance.now();
    this.#tokens = Math.min(
      RATE_BURST,
      this.#tokens + (now - this.#filledAt) / 1000 * RATE_PER_S,
    );
    this.#filledAt = now;
    if (this.#tokens < 1) throw new Answer(429, "rate limited");
    this.#tokens -= 1;
  }

  #checkKey(request: Request): void {
    const key = (request.headers.get("x-api-key") ?? "").trim().replace(
      /^["']+|["']+$/g,
      "",
    ).trim();
    if (key !== this.#parts.apiKey) throw new Answer(401, "unauthorized");
  }

  async #route(request: Request, url: URL): Promise<Response> {
    const method = request.method === "HEAD" ? "GET" : request.method;
    const path = url.pathname;
    if (path.includes("//")) return redirect(path);
    const matching = this.#routes.filter(([, pattern]) => pattern.test(path));
    if (matching.length === 0) throw new Answer(404, "404 page not found");
    const found = matching.find(([verb]) => verb === method);
    if (found === undefined) {
      const allow = matching.flatMap(([verb]) =>
        verb === "GET" ? ["GET", "HEAD"] : [verb]
      ).join(", ");
      throw new Answer(405, "Method Not Allowed", { Allow: allow });
    }
    const params = found[1].exec(path)!.slice(1).map(decodeURIComponent);
    const response = await found[2]({ request, url, params });
    return request.method === "HEAD" ? new Response(null, response) : response;
  }

  #table(): [string, RegExp, Handler][] {
    const route = (
      line: string,
      handler: Handler,
    ): [string, RegExp, Handler] => {
      const [verb = "", path = ""] = line.split(" ");
      return [
        verb,
        new RegExp(`^${path.replace(/\{\w+\}/g, "([^/]+)")}$`),
        handler,
      ];
    };
    return [
      route("GET /health", () => plain("ok")),
      route("GET /api/v1/status", () => this.#status()),
      route(
        "GET /api/v1/workers",
        () => json([...this.#parts.scheduler.heard.values()].map(showWorker)),
      ),
      route("GET /api/v1/workflows/{id}", (call) => this.#readWorkflow(call)),
      route("POST /api/v1/workflows/{id}/runs", (call) => this.#startRun(call)),
      route(
        "POST /api/v1/workflows/{id}/runs/{run}/cancel",
        (call) => this.#cancelRun(call),
      ),
      route("GET /api/v1/workflow-runs/{id}", (call) => this.#readRun(call)),
      route(
        "GET /api/v1/workflow-runs/{id}/timeline",
        (call) => this.#readTimeline(call),
      ),
      route("GET /api/v1/jobs", (call) => this.#listJobs(call)),
      route("GET /api/v1/jobs/{id}", (call) => this.#readJob(call)),
      route(
        "GET /api/v1/jobs/{id}/decisions",
        (call) => this.#readDecisions(call),
      ),
      route("POST /api/v1/artifacts", (call) => this.#putArtifact(call)),
      route("GET /api/v1/artifacts/{ptr}", (call) => this.#readArtifact(call)),
      route("GET /api/v1/approvals", (call) => this.#listApprovals(call)),
      route(
        "POST /api/v1/approvals/{id}/approve",
        (call) => this.#approve(call),
      ),
      route("POST /api/v1/approvals/{id}/reject", (call) => this.#reject(call)),
      route(
        "GET /api/v1/packs",
        () => json({ items: this.#parts.packs.list() }),
      ),
      route("GET /api/v1/packs/{id}", (call) => this.#readPack(call)),
      route("POST /api/v1/packs/install", (call) => this.#installPack(call)),
      route(
        "POST /api/v1/packs/{id}/uninstall",
        (call) => this.#uninstallPack(call),
      ),
      route(
        "POST /api/v1/packs/{id}/verify",
        ({ params: [id = ""] }) => json(this.#parts.packs.verify(id)),
      ),
      route("GET /api/v1/schemas/{id}", (call) => this.#readSchema(call)),
      route("GET /api/v1/config", (call) => this.#readConfig(call)),
      route(
        "GET /api/v1/policy/snapshots",
        () => json({ snapshots: this.#parts.snapshots() }),
      ),
      ...NOT_HERE.map((line) =>
        route(line, () => {
          throw new Answer(501, `devcore does not implement ${line}`);
        })
      ),
    ];
  }

  #status(): Response {
    const { clock, natsUrl, natsUp, scheduler } = this.#parts;
    return json({
      build: { commit: "unknown", date: "unknown", version: "dev" },
      nats: {
        connected: natsUp(),
        status: natsUp() ? "CONNECTED" : "RECONNECTING",
        url: natsUrl,
      },
      redis: { error: "", ok: true },
      time: seconds(clock()),
      uptime_seconds: Math.floor(performance.now() / 1000),
      workers: { count: scheduler.heard.size },
    });
  }

  #workflow(id: string, missing: string): Workflow {
    const workflow = this.#parts.engine.workflows.get(id);
    if (workflow === undefined) throw new Answer(404, missing);
    return workflow;
  }

  #readWorkflow({ params: [id = ""] }: Call): Response {
    return json(this.#workflow(id, "not found"));
  }

  async #startRun(
    { request, url, params: [id = ""] }: Call,
  ): Promise<Response> {
    const { engine, refresh, burnKey } = this.#parts;
    await refresh();
    const text = await readText(request);
    const input = (text === "" ? {} : parseJson(text) ?? {}) as Json;
    if (typeof input !== "object" || Array.isArray(input)) {
      throw new Answer(400, "invalid json");
    }
    if (!["", "default"].includes(url.searchParams.get("org_id") ?? "")) {
      throw new Answer(403, "tenant access denied");
    }
    const workflow = this.#workflow(id, "workflow not found");
    engine.checkInput(workflow, input);
    const key = idempotencyKey(request, url);
    const known = key === "" ? undefined : engine.keys.get(key);
    if (known !== undefined) return json({ run_id: known });
    const runId = newRunId();
    if (key !== "") engine.keys.set(key, runId);
    // A limit or a crash: the key is taken, and its run was never made.
    if (key !== "" && burnKey()) {
      throw new Answer(429, "max concurrent runs reached");
    }
    const dryRun = isYes(url.searchParams.get("dry_run"));
    await engine.start(workflow, input, { runId, key, dryRun });
    return json({ run_id: runId });
  }

  #cancelRun({ params: [, runId = ""] }: Call): Response {
    this.#parts.engine.cancel(runId);
    return new Response(null, { status: 204 });
  }

  async #readRun({ params: [id = ""] }: Call): Promise<Response> {
    await this.#parts.refresh();
    const run = this.#parts.engine.runs.get(id);
    if (run === undefined) throw new Answer(404, "not found");
    return json(run);
  }

  #readTimeline({ url, params: [id = ""] }: Call): Response {
    const limit = Number(url.searchParams.get("limit")) || 200;
    return json((this.#parts.engine.timelines.get(id) ?? []).slice(0, limit));
  }

  /** Filters apply after the page is cut, as they do on the platform. */
  async #listJobs({ url }: Call): Promise<Response> {
    await this.#parts.refresh();
    const query = url.searchParams;
    const limit = Number(query.get("limit")) || 50;
    if (!["", "default"].includes(query.get("tenant") ?? "")) {
      throw new Answer(403, "tenant access denied");
    }
    const state = query.get("state")?.toUpperCase();
    const topic = query.get("topic");
    const page = [...this.#parts.scheduler.jobs.values()]
      .toSorted((a, b) => b.updatedAt - a.updatedAt)
      .slice(0, Math.min(limit, RECENT_MAX));
    const items = page
      .filter((job) => state === undefined || job.state === state)
      .filter(({ request }) => topic === null || request.topic === topic)
      .map((job) => ({ ...showListed(job), trace_id: job.traceId }));
    const next = items.length === limit ? items.at(-1)!.updated_at - 1 : null;
    return json({ items, next_cursor: next });
  }

  async #job(id: string): Promise<JobRecord> {
    await this.#parts.refresh();
    const job = this.#parts.scheduler.jobs.get(id);
    if (job === undefined) throw new Answer(404, "job not found");
    return job;
  }

  async #readJob({ params: [id = ""] }: Call): Promise<Response> {
    const job = await this.#job(id);
    const value = async (key: string) =>
      parseJson(await this.#parts.readValue(key) ?? "null", null);
    const context = await value(`ctx:${id}`);
    const result = job.resultPtr === ""
      ? null
      : await value(job.resultPtr.replace("redis://", ""));
    // The platform sets no type here, and Go takes the body for text.
    return json(showJob(job, context, result), "text/plain; charset=utf-8");
  }

  async #readDecisions({ params: [id = ""] }: Call): Promise<Response> {
    await this.#parts.refresh();
    const job = this.#parts.scheduler.jobs.get(id);
    return json((job?.decisions ?? []).map(showDecision));
  }

  async #putArtifact({ request, url }: Call): Promise<Response> {
    const body = parseJson(await readText(request)) as Json;
    const labels = (body["labels"] ?? {}) as Record<string, unknown>;
    const isText = (value: unknown) =>
      value === undefined || typeof value === "string";
    const typed = isText(body["content"]) && isText(body["content_base64"]) &&
      Object.values(labels).every(isText);
    if (!typed) throw new Answer(400, "invalid json");
    const bytes = artifactBytes(body);
    const asked = [
      url.searchParams.get("max_bytes"),
      request.headers.get("x-max-artifact-bytes"),
    ]
      .map(Number).find((bytes) => bytes > 0);
    if (asked !== undefined && bytes.length > asked) {
      throw new Answer(413, "artifact too large");
    }
    const retention = String(body["retention"] ?? "").toLowerCase();
    const kept = retention in TTL_MS ? retention : "standard";
    const pointer = `redis://art:${randomUUID()}`;
    const contentType = String(body["content_type"] ?? "");
    this.#artifacts.set(pointer, {
      bytes,
      metadata: {
        ...(contentType === "" ? {} : { content_type: contentType }),
        size_bytes: bytes.length,
        retention: kept,
        labels: { tenant_id: "default", ...labels },
      },
      expiresAt: this.#parts.clock() + TTL_MS[kept]!,
    });
    return json({ artifact_ptr: pointer, size_bytes: bytes.length });
  }

  #readArtifact({ params: [pointer = ""] }: Call): Response {
    if (!pointer.startsWith("redis://")) {
      throw new Answer(500, `invalid pointer prefix: ${pointer}`);
    }
    const artifact = this.#artifacts.get(pointer);
    if (artifact === undefined || artifact.expiresAt <= this.#parts.clock()) {
      throw new Answer(404, "artifact not found");
    }
    const { labels } = artifact.metadata as { labels: Record<string, string> };
    if (labels["tenant_id"] !== "default") {
      throw new Answer(403, "tenant access denied");
    }
    return json({
      artifact_ptr: pointer,
      content_base64: artifact.bytes.toBase64(),
      metadata: artifact.metadata,
    });
  }

  /** Oldest first, with a cursor that points backwards. */
  async #listApprovals({ url }: Call): Promise<Response> {
    await this.#parts.refresh();
    const limit = Number(url.searchParams.get("limit")) || 100;
    const until = Number(url.searchParams.get("cursor")) || Infinity;
    const items = [...this.#parts.scheduler.jobs.values()]
      .filter(({ state, updatedAt }) =>
        state === "APPROVAL_REQUIRED" && updatedAt <= until
      )
      .toSorted((a, b) => a.updatedAt - b.updatedAt)
      .slice(0, limit)
      .map(showApproval);
    const next = items.length === limit
      ? items.at(-1)!.job.updated_at - 1
      : null;
    return json({ items, next_cursor: next });
  }

  async #approve(call: Call): Promise<Response> {
    const { id, by } = await this.#decision(call);
    const job = this.#parts.scheduler.approve(
      id,
      by,
      this.#parts.snapshots()[0]!,
    );
    return json({ job_id: id, trace_id: job.traceId });
  }

  async #reject(call: Call): Promise<Response> {
    const { id, by } = await this.#decision(call);
    await this.#parts.scheduler.reject(id, by);
    return json({ job_id: id });
  }

  async #decision({ request, params: [id = ""] }: Call): Promise<
    {
      id: string;
      by: { by: string; role: string; reason: string; note: string };
    }
  > {
    const text = await readText(request);
    const body =
      (text === "" ? {} : parseJson(text, undefined, "invalid body")) as Json;
    await this.#job(id);
    const role = request.headers.get("x-principal-role") ?? "";
    return {
      id,
      by: {
        by: request.headers.get("x-principal-id")?.trim() ?? "",
        role: ["secops", "operator"].includes(role) ? "admin" : role,
        reason: String(body["reason"] ?? "").trim(),
        note: String(body["note"] ?? "").trim(),
      },
    };
  }

  #readPack({ params: [id = ""] }: Call): Response {
    const record = this.#parts.packs.find(id);
    if (record === undefined) throw new Answer(404, "not found");
    return json(record);
  }

  async #installPack({ request, url }: Call): Promise<Response> {
    let form: FormData;
    try {
      form = await request.formData();
    } catch {
      throw new Answer(400, "invalid multipart form");
    }
    const file = form.get("bundle");
    if (!(file instanceof File)) throw new Answer(400, "bundle file required");
    if (!/\.(tgz|tar\.gz)$/i.test(file.name)) {
      throw new Answer(400, "bundle must be .tgz");
    }
    const flag = (name: string) =>
      isYes(String(form.get(name) ?? url.searchParams.get(name) ?? ""));
    const { headers } = request;
    const record = await this.#parts.packs.install(
      new Uint8Array(await file.arrayBuffer()),
      {
        upgrade: flag("upgrade"),
        inactive: flag("inactive"),
        installedBy: headers.get("x-principal-id") ??
          headers.get("x-actor-id") ?? "",
      },
    );
    return json(record);
  }

  async #uninstallPack(
    { request, params: [id = ""] }: Call,
  ): Promise<Response> {
    const body = parseJson(await readText(request) || "{}", {}) as Json;
    return json(this.#parts.packs.uninstall(id, body["purge"] === true));
  }

  #readSchema({ params: [id = ""] }: Call): Response {
    if (!this.#parts.schemas.has(id)) throw new Answer(404, "schema not found");
    return json({ id, schema: this.#parts.schemas.get(id) });
  }

  #readConfig({ url }: Call): Response {
    const scope = url.searchParams.get("scope") || "system";
    const scopeId = url.searchParams.get("scope_id") ||
      (scope === "system" ? "default" : "");
    if (scope === "org" && scopeId !== "" && scopeId !== "default") {
      throw new Answer(403, "tenant access denied");
    }
    const document = this.#parts.config.get(`${scope}:${scopeId}`);
    if (document === undefined) throw new Answer(404, "config not found");
    return json(document);
  }
}

/** The rest of the contract, so that nobody takes a 404 for the platform's. */
const NOT_HERE = [
  "POST /api/v1/jobs",
  "POST /api/v1/jobs/{id}/cancel",
  "POST /api/v1/jobs/{id}/remediate",
  "GET /api/v1/memory",
  "GET /api/v1/traces/{id}",
  "GET /api/v1/workflows",
  "POST /api/v1/workflows",
  "DELETE /api/v1/workflows/{id}",
  "GET /api/v1/workflows/{id}/runs",
  "POST /api/v1/workflows/{id}/runs/{run}/steps/{step}/approve",
  "GET /api/v1/workflow-runs",
  "DELETE /api/v1/workflow-runs/{id}",
  "POST /api/v1/workflow-runs/{id}/rerun",
  "POST /api/v1/config",
  "GET /api/v1/config/effective",
  "GET /api/v1/schemas",
  "POST /api/v1/schemas",
  "DELETE /api/v1/schemas/{id}",
  "GET /api/v1/locks",
  "POST /api/v1/locks/acquire",
  "POST /api/v1/locks/release",
  "POST /api/v1/locks/renew",
  "GET /api/v1/dlq",
  "GET /api/v1/dlq/page",
  "DELETE /api/v1/dlq/{job}",
  "POST /api/v1/dlq/{job}/retry",
  "POST /api/v1/policy/evaluate",
  "POST /api/v1/policy/simulate",
  "POST /api/v1/policy/explain",
  "GET /api/v1/policy/rules",
  "GET /api/v1/policy/bundles",
  "GET /api/v1/policy/bundles/snapshots",
  "POST /api/v1/policy/bundles/snapshots",
  "GET /api/v1/policy/bundles/snapshots/{id}",
  "GET /api/v1/policy/bundles/{id}",
  "PUT /api/v1/policy/bundles/{id}",
  "POST /api/v1/policy/bundles/{id}/simulate",
  "POST /api/v1/policy/publish",
  "POST /api/v1/policy/rollback",
  "GET /api/v1/policy/audit",
  "GET /api/v1/marketplace/packs",
  "POST /api/v1/marketplace/install",
  "GET /api/v1/stream",
];

function showListed(
  { request, state, updatedAt, attempts, safety }: JobRecord,
) {
  const { jobId, topic, tenantId, meta, principalId } = request;
  return {
    id: jobId,
    updated_at: updatedAt,
    state,
    topic,
    tenant: tenantId,
    ...filled({
      principal: principalId,
      actor_id: meta?.actorId,
      capability: meta?.capability,
      risk_tags: meta?.riskTags,
      requires: meta?.requires,
      pack_id: meta?.packId,
      attempts,
      safety_decision: safety?.decision,
      safety_reason: safety?.reason,
      safety_rule_id: safety?.ruleId,
      safety_snapshot: safety?.snapshot,
    }),
  };
}

function showApproval(job: JobRecord) {
  const safety = job.safety!;
  return {
    approval_ref: safety.approvalRef,
    approval_required: false, // Read back wrong on every platform so far.
    constraints: safety.constraints,
    decision: safety.decision,
    job: showListed(job),
    job_hash: safety.jobHash,
    policy_reason: safety.reason,
    policy_rule_id: safety.ruleId,
    policy_snapshot: safety.snapshot,
  };
}

function showJob(job: JobRecord, context: unknown, result: unknown): Json {
  const { request, safety, approval, deadLetter } = job;
  const { jobId, topic, tenantId, meta, labels, workflowId } = request;
  return {
    actor_id: meta?.actorId ?? "",
    actor_type: "",
    ...(approval === undefined ? {} : filled({
      approval_at: approval.at,
      approval_by: approval.by,
      approval_job_hash: approval.jobHash,
      approval_note: approval.note,
      approval_policy_snapshot: approval.snapshot,
      approval_reason: approval.reason,
      approval_role: approval.role,
    })),
    approval_ref: safety?.approvalRef ?? "",
    approval_required: false,
    attempts: job.attempts,
    capability: meta?.capability ?? "",
    context,
    context_ptr: `redis://ctx:${jobId}`,
    ...(deadLetter === undefined ? {} : filled({
      error_code: deadLetter.code,
      error_message: deadLetter.reason,
      error_status: deadLetter.status,
      last_state: deadLetter.lastState,
    })),
    id: jobId,
    idempotency_key: meta?.idempotencyKey ?? "",
    labels,
    pack_id: meta?.packId ?? "",
    requires: emptyToNull(meta?.requires),
    result,
    result_ptr: job.resultPtr,
    risk_tags: emptyToNull(meta?.riskTags),
    run_id: labels["run_id"] ?? "",
    safety_constraints: safety?.constraints ?? null,
    safety_decision: safety?.decision ?? "",
    safety_job_hash: safety?.jobHash ?? "",
    safety_reason: safety?.reason ?? "",
    safety_remediations: null,
    safety_rule_id: safety?.ruleId ?? "",
    safety_snapshot: safety?.snapshot ?? "",
    state: job.state,
    step_id: labels["step_id"] ?? "",
    tenant: tenantId,
    topic,
    trace_id: job.traceId,
    workflow_id: workflowId,
  };
}

function showDecision(
  {
    decision,
    reason,
    ruleId,
    snapshot,
    constraints,
    approvalRef,
    jobHash,
    checkedAt,
  }: DecisionEntry,
) {
  return filled({
    decision,
    reason,
    rule_id: ruleId,
    policy_snapshot: snapshot,
    constraints,
    approval_required: approvalRef === "" ? undefined : true,
    approval_ref: approvalRef,
    job_hash: decision === "REQUIRE_APPROVAL" || reason !== "" ? jobHash : "",
    checked_at: checkedAt,
  });
}

function showWorker(worker: Json | object): Json {
  const {
    workerId,
    pool,
    activeJobs,
    maxParallelJobs,
    labels,
    capabilities,
    cpuLoad,
  } = worker as Record<string, unknown>;
  return filled({
    worker_id: workerId,
    pool,
    active_jobs: activeJobs,
    max_parallel_jobs: maxParallelJobs,
    labels,
    capabilities,
    cpu_load: cpuLoad,
  });
}

/** What Go leaves out: empty strings, zeros, empty lists and maps. */
function filled(fields: Json): Json {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) =>
      value !== undefined && value !== null && value !== "" && value !== 0 &&
      !(typeof value === "object" && Object.keys(value).length === 0)
    ),
  );
}

function emptyToNull(
  items: readonly string[] | undefined,
): readonly string[] | null {
  return items === undefined || items.length === 0 ? null : items;
}

function artifactBytes(body: Json): Uint8Array {
  const base64 = String(body["content_base64"] ?? "");
  if (base64 === "") {
    const content = String(body["content"] ?? "");
    if (content === "") throw new Answer(400, "content required");
    return new TextEncoder().encode(content);
  }
  try {
    return Uint8Array.fromBase64(base64);
  } catch {
    throw new Answer(400, "invalid base64 content");
  }
}

function idempotencyKey({ headers }: Request, { searchParams }: URL): string {
  return headers.get("idempotency-key") || headers.get("x-idempotency-key") ||
    searchParams.get("idempotency_key") ||
    searchParams.get("idempotency-key") || "";
}

function isYes(value: string | null): boolean {
  return /^(1|true|yes|y|on)$/i.test(value ?? "");
}

async function readText(request: Request): Promise<string> {
  return new TextDecoder().decode(
    await readBounded(request.body, BODY_BYTES_MAX),
  );
}

/** Parses JSON; a failure is `fallback` if one is given, else a 400. */
function parseJson(
  text: string,
  fallback?: unknown,
  problem = "invalid json",
): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (fallback !== undefined) return fallback;
    throw new Answer(400, problem);
  }
}

function json(value: unknown, type = "application/json"): Response {
  return new Response(`${JSON.stringify(value)}\n`, {
    headers: { "content-type": type },
  });
}

function plain(text: string): Response {
  return new Response(text, {
    headers: { "content-type": "text/plain; charset=utf-8" },
  });
}

function redirect(path: string): Response {
  const target = path.replace(/\/{2,}/g, "/");
  return new Response(`<a href="${target}">Temporary Redirect</a>.\n\n`, {
    status: 307,
    headers: { location: target, "content-type": "text/html; charset=utf-8" },
  });
}

function toAnswer(error: unknown): Response {
  let status = 500;
  let headers = {};
  if (error instanceof Answer) ({ status, headers } = error);
  else if (error instanceof PackError) status = error.status;
  else if (error instanceof InputError || error instanceof BodyTooLargeError) {
    status = 400;
  } else if (error instanceof Conflict) status = 409;
  return new Response(`${(error as Error).message}\n`, {
    status,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "x-content-type-options": "nosniff",
      ...headers,
    },
  });
}

function cors(request: Request, response: Response): Response {
  const origin = request.headers.get("origin");
  if (origin === null || response.status === 403) return response;
  const headers = new Headers(response.headers);
  headers.set("access-control-allow-origin", origin);
  headers.set("vary", "Origin");
  return new Response(response.body, { status: response.status, headers });
}

function seconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
