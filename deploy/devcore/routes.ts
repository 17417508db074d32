/**
 * The routes that this project's scripts and workers use, each with the
 * platform's statuses, shapes and words. Any other route of the contract
 * answers 501 and its name.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import { toJson } from "@bufbuild/protobuf";
import { randomUUID } from "node:crypto";
import {
  ActorType,
  type Heartbeat,
  HeartbeatSchema,
} from "../../lib/platform/gen/cap_pb.ts";
import {
  type Base,
  filled,
  found,
  isoSeconds,
  listOrNull,
  need,
  parseJson,
  readPointer,
  Refusal,
  strikes,
} from "./common.ts";
import type { Engine } from "./engine.ts";
import {
  type Call,
  json,
  readBytes,
  readJson,
  type Routes,
} from "./gateway.ts";
import type { Packs } from "./packs.ts";
import type {
  Decider,
  DecisionEntry,
  JobRecord,
  Scheduler,
  SchedulerOptions,
} from "./scheduler.ts";

/** What the routes show and change. */
export interface Parts extends Base, SchedulerOptions {
  engine: Engine;
  scheduler: Scheduler;
  packs: Packs;
  artifacts: Artifacts;
  schemas: ReadonlyMap<string, unknown>;
}

/** Artifacts by their pointer. */
export type Artifacts = Map<
  string,
  { bytes: Uint8Array; metadata: JsonObject; tenant: string; expiresAt: number }
>;

const TENANT = "default";
const RECENT_MAX = 1000;
const DAY_MS = 24 * 3600_000;
const RETENTION_DAYS: JsonObject = { short: 1, standard: 7, audit: 30 };

/** Every route of the contract. */
export function createRoutes(parts: Parts): Routes {
  const { engine, scheduler, placement, packs, kernel, schemas } = parts;
  return {
    "GET /health": () =>
      new Response("ok", {
        headers: { "content-type": "text/plain; charset=utf-8" },
      }),
    "GET /api/v1/status": () => showStatus(parts),
    "GET /api/v1/workers": () => placement.workers().map(showWorker),
    "GET /api/v1/policy/snapshots": () => ({ snapshots: kernel.snapshots }),
    "GET /api/v1/config": ({ query }) => readConfig(parts, query),
    "GET /api/v1/schemas/{id}": ({ id }) => ({
      id,
      schema: found(schemas.get(id), "schema not found"),
    }),

    "GET /api/v1/packs": () => ({ items: packs.list() }),
    "GET /api/v1/packs/{id}": ({ id }) => found(packs.find(id), "not found"),
    "POST /api/v1/packs/install": (call) => installPack(packs, call),
    "POST /api/v1/packs/{id}/verify": ({ id }) => packs.verify(id),
    "POST /api/v1/packs/{id}/uninstall": async ({ id, request }) => {
      const body = await readJson(request).catch((): JsonObject => ({}));
      return packs.uninstall(id, body["purge"] === true);
    },

    "GET /api/v1/workflows/{id}": ({ id }) =>
      found(engine.workflows.get(id), "not found").shown,
    "POST /api/v1/workflows/{id}/runs": (call) => startRun(parts, call),
    "POST /api/v1/workflows/{id}/runs/{run}/cancel": async ({ ids }) => {
      await engine.cancel(ids[1]!);
      return new Response(null, { status: 204 });
    },
    "GET /api/v1/workflow-runs/{id}": ({ id }) =>
      found(engine.runs.get(id), "not found"),
    "GET /api/v1/workflow-runs/{id}/timeline": ({ id, query }) =>
      (engine.runs.get(id)?.timeline ?? []).slice(0, limitOf(query, 200)),

    "GET /api/v1/jobs": ({ query }) => listJobs(scheduler, query),
    "GET /api/v1/jobs/{id}": ({ id }) => showJob(parts, id),
    "GET /api/v1/jobs/{id}/decisions": ({ id, query }) =>
      (scheduler.jobs.get(id)?.decisions ?? [])
        .slice(0, limitOf(query, 50)).map(showDecision),
    "GET /api/v1/approvals": ({ query }) => listApprovals(scheduler, query),
    "POST /api/v1/approvals/{id}/approve": async (call) => {
      const decider = await readDecider(scheduler, call);
      const { traceId } = scheduler.approve(call.id, decider);
      return { job_id: call.id, trace_id: traceId };
    },
    "POST /api/v1/approvals/{id}/reject": async (call) => {
      await scheduler.reject(call.id, await readDecider(scheduler, call));
      return { job_id: call.id };
    },

    "POST /api/v1/artifacts": (call) => storeArtifact(parts, call),
    "GET /api/v1/artifacts/{ptr}": ({ id }) => readArtifact(parts, id),

    ...Object.fromEntries(NOT_HERE.map((line) => [line, () => {
      throw new Refusal(501, `devcore does not implement ${line}`);
    }])),
  };
}

/** The rest of the contract: a 404 would seem to be the platform's. */
const NOT_HERE = `
POST /jobs, POST /jobs/{id}/cancel, POST /jobs/{id}/remediate
GET /memory, GET /traces/{id}, GET /stream
GET /workflows, POST /workflows, DELETE /workflows/{id}
GET /workflows/{id}/runs
POST /workflows/{id}/runs/{run}/steps/{step}/approve
GET /workflow-runs, DELETE /workflow-runs/{id}, POST /workflow-runs/{id}/rerun
POST /config, GET /config/effective
GET /schemas, POST /schemas, DELETE /schemas/{id}
GET /locks, POST /locks/acquire, POST /locks/release, POST /locks/renew
GET /dlq, GET /dlq/page, DELETE /dlq/{job}, POST /dlq/{job}/retry
POST /policy/evaluate, POST /policy/simulate, POST /policy/explain
GET /policy/rules, GET /policy/audit
GET /policy/bundles/snapshots, POST /policy/bundles/snapshots
GET /policy/bundles/snapshots/{id}
GET /policy/bundles, GET /policy/bundles/{id}, PUT /policy/bundles/{id}
POST /policy/bundles/{id}/simulate
POST /policy/publish, POST /policy/rollback
GET /marketplace/packs, POST /marketplace/install
`.trim().split(/[,\n]\s*/).map((line) => line.replace(" ", " /api/v1"));

function limitOf(query: URLSearchParams, fallback: number): number {
  const limit = Number(query.get("limit"));
  return limit > 0 ? limit : fallback;
}

function checkTenant(tenant: string | null | undefined): void {
  if (!tenant || tenant === TENANT) return;
  throw new Refusal(403, "tenant access denied");
}

function isYes(value: string | null): boolean {
  return /^(1|true|yes|y|on)$/i.test(value ?? "");
}

function showStatus(
  { clock, natsUrl, bus, store, placement, version }: Parts,
): JsonObject {
  const [connected, ok] = [bus.connected(), store.connected()];
  const status = connected ? "CONNECTED" : "RECONNECTING";
  return {
    build: { commit: "unknown", date: "unknown", version },
    nats: { connected, status, url: natsUrl },
    redis: { error: ok ? "" : "connection lost", ok },
    time: isoSeconds(clock()),
    uptime_seconds: Math.floor(performance.now() / 1000),
    workers: { count: placement.workers().length },
  };
}

export function showWorker(heartbeat: Heartbeat): JsonObject {
  const options = { useProtoFieldName: true };
  const shown = toJson(HeartbeatSchema, heartbeat, options) as JsonObject;
  delete shown["auth_token"];
  return shown;
}

function readConfig({ config }: Parts, query: URLSearchParams): unknown {
  const scope = query.get("scope") || "system";
  const scopeId = query.get("scope_id");
  if (scope === "org") checkTenant(scopeId);
  const document = scope === "system"
    ? config.get(scopeId || "default")
    : undefined;
  return found(document, "config not found");
}

async function installPack(
  packs: Packs,
  { request, query }: Call,
): Promise<JsonObject> {
  const { headers } = request;
  const body = new Response(await readBytes(request) as BodyInit, { headers });
  const form = await body.formData().catch(() => {
    throw new Refusal(400, "invalid multipart form");
  });
  const file = form.get("bundle");
  need(file instanceof File, "bundle file required");
  need(/\.(tgz|tar\.gz)$/i.test(file.name), "bundle must be .tgz");
  const flag = (name: string) =>
    isYes(String(form.get(name) ?? query.get(name) ?? ""));
  const installedBy = headers.get("x-principal-id") ||
    headers.get("x-actor-id") || "";
  return await packs.install(await file.bytes(), {
    upgrade: flag("upgrade"),
    force: flag("force"),
    inactive: flag("inactive"),
    installedBy,
  });
}

async function startRun(
  { engine, faults }: Parts,
  { request, query, id }: Call,
): Promise<JsonObject> {
  const input = await readJson(request, { empty: true });
  const workflow = found(engine.workflows.get(id), "workflow not found");
  checkTenant(query.get("org_id"));
  checkTenant(workflow.org_id);
  engine.checkInput(workflow, input);
  const { headers } = request;
  const key = headers.get("idempotency-key") ||
    headers.get("x-idempotency-key") || query.get("idempotency_key") ||
    query.get("idempotency-key") || "";
  const known = engine.keys.get(key);
  if (known !== undefined) return { run_id: known };
  const runId = randomUUID();
  if (key !== "") {
    engine.keys.set(key, runId);
    // As after a limit or a crash, the key is taken but its run never made.
    if (strikes(faults, "burnKeys")) {
      throw new Refusal(429, "max concurrent runs reached");
    }
  }
  const dryRun = isYes(query.get("dry_run"));
  await engine.start(workflow, input, { runId, key, dryRun });
  return { run_id: runId };
}

/** Filters after cutting the page, as the platform does. */
function listJobs({ jobs }: Scheduler, query: URLSearchParams): JsonObject {
  for (const name of ["team", "trace_id", "updated_after", "updated_before"]) {
    if (!query.has(name)) continue;
    const route = `GET /api/v1/jobs?${name}`;
    throw new Refusal(501, `devcore does not implement ${route}`);
  }
  checkTenant(query.get("tenant"));
  const state = query.get("state")?.toUpperCase();
  const topic = query.get("topic");
  const recent = newestFirst(jobs).slice(0, RECENT_MAX);
  const isAsked = (job: JobRecord) =>
    (state === undefined || job.state === state) &&
    (topic === null || job.request.topic === topic);
  return cut(recent, query, 50, isAsked, (job) => ({
    trace_id: job.traceId,
    ...showListed(job),
  }));
}

/** Oldest first, with a cursor that points backwards. */
function listApprovals(
  { jobs }: Scheduler,
  query: URLSearchParams,
): JsonObject {
  const waiting = newestFirst(jobs).toReversed()
    .filter(({ state }) => state === "APPROVAL_REQUIRED");
  return cut(waiting, query, 100, () => true, showApproval);
}

export function newestFirst(jobs: Scheduler["jobs"]): JobRecord[] {
  return [...jobs.values()].toSorted((a, b) => b.updatedAt - a.updatedAt);
}

export function cut(
  jobs: readonly JobRecord[],
  query: URLSearchParams,
  fallback: number,
  isAsked: (job: JobRecord) => boolean,
  show: (job: JobRecord) => JsonObject,
): JsonObject {
  const limit = limitOf(query, fallback);
  const until = Number(query.get("cursor")) || Infinity;
  const page = jobs.filter(({ updatedAt }) => updatedAt <= until)
    .slice(0, limit).filter(isAsked);
  const next_cursor = page.length === limit ? page.at(-1)!.updatedAt - 1 : null;
  return { items: page.map(show), next_cursor };
}

function showListed(job: JobRecord): JsonObject {
  const { request, deadlineAt } = job;
  const deadline = deadlineAt === Infinity ? 0 : Math.floor(deadlineAt / 1000);
  return {
    id: request.jobId,
    updated_at: job.updatedAt,
    state: job.state,
    ...filled({
      ...showFacts(job),
      principal: request.principalId,
      deadline_unix: deadline,
    }),
  };
}

/** What a job in a list and a job in full have in common. */
function showFacts({ request, attempts, safety }: JobRecord): JsonObject {
  const { topic, tenantId, meta } = request;
  const actorType = ActorType[meta?.actorType ?? 0]!.toLowerCase();
  return {
    topic,
    tenant: tenantId,
    actor_id: meta?.actorId ?? "",
    actor_type: actorType === "unspecified" ? "" : actorType,
    idempotency_key: meta?.idempotencyKey ?? "",
    capability: meta?.capability ?? "",
    risk_tags: listOrNull(meta?.riskTags),
    requires: listOrNull(meta?.requires),
    pack_id: meta?.packId ?? "",
    attempts,
    safety_decision: safety?.decision ?? "",
    safety_reason: safety?.reason ?? "",
    safety_rule_id: safety?.ruleId ?? "",
    safety_snapshot: safety?.snapshot ?? "",
  };
}

export function showApproval(job: JobRecord): JsonObject {
  const safety = job.safety!;
  return {
    job: showListed(job),
    decision: safety.decision,
    policy_snapshot: safety.snapshot,
    policy_rule_id: safety.ruleId,
    policy_reason: safety.reason,
    constraints: safety.constraints,
    job_hash: safety.jobHash,
    approval_required: false, // So far every platform gets this wrong.
    approval_ref: safety.approvalRef,
  };
}

async function showJob(parts: Parts, id: string): Promise<Response> {
  const job = found(parts.scheduler.jobs.get(id), "job not found");
  const value = async (pointer: string) =>
    parseJson(await readPointer(parts, pointer) ?? "") ?? null;
  const { request: { labels, workflowId }, resultPtr, safety } = job;
  const context_ptr = `redis://ctx:${id}`;
  const shown = {
    id,
    state: job.state,
    trace_id: job.traceId,
    context_ptr,
    context: await value(context_ptr),
    result_ptr: resultPtr,
    result: await value(resultPtr),
    ...showFacts(job),
    safety_constraints: safety?.constraints ?? null,
    safety_remediations: null,
    safety_job_hash: safety?.jobHash ?? "",
    approval_required: false,
    approval_ref: safety?.approvalRef ?? "",
    labels,
    workflow_id: workflowId,
    run_id: labels["run_id"] ?? "",
    step_id: labels["step_id"] ?? "",
    ...filled({ ...job.approval, ...job.failure }),
  };
  // The platform sets no type here, so Go takes the body for text.
  return json(shown, "text/plain; charset=utf-8");
}

function showDecision(entry: DecisionEntry): JsonObject {
  return filled({
    decision: entry.decision,
    reason: entry.reason,
    rule_id: entry.ruleId,
    policy_snapshot: entry.snapshot,
    constraints: entry.constraints,
    approval_required: entry.approvalRef === "" ? undefined : true,
    approval_ref: entry.approvalRef,
    job_hash: entry.jobHash,
    checked_at: entry.checkedAt,
  });
}

async function readDecider(
  { jobs }: Scheduler,
  { request, id }: Call,
): Promise<Decider> {
  const body = await readJson(request, {
    problem: "invalid body",
    empty: true,
  });
  found(jobs.get(id), "job not found");
  const header = (name: string) => request.headers.get(name)?.trim() ?? "";
  const role = header("x-principal-role");
  return {
    approval_by: header("x-principal-id"),
    approval_role: /^(secops|operator)$/i.test(role) ? "admin" : role,
    approval_reason: String(body["reason"] ?? "").trim(),
    approval_note: String(body["note"] ?? "").trim(),
  };
}

async function storeArtifact(
  { artifacts, clock }: Parts,
  { request, query }: Call,
): Promise<JsonObject> {
  const body = await readJson(request);
  const { content, content_base64, content_type = "", retention = "" } = body;
  const labels = (body["labels"] ?? {}) as Record<string, unknown>;
  const texts = [content, content_base64, content_type, retention];
  const isTyped = [...texts, ...Object.values(labels)].every((value) =>
    value === undefined || typeof value === "string"
  );
  need(isTyped, "invalid json");
  const bytes = toBytes(content_base64 as string, content as string);
  const header = request.headers.get("x-max-artifact-bytes");
  const bytesMax = [query.get("max_bytes"), header].map(Number)
    .find((bytes) => bytes > 0) ?? Infinity;
  if (bytes.length > bytesMax) throw new Refusal(413, "artifact too large");
  const asked = String(retention).toLowerCase();
  const kept = Object.hasOwn(RETENTION_DAYS, asked) ? asked : "standard";
  const pointer = `redis://art:${randomUUID()}`;
  const tenant = String(labels["tenant_id"] ?? TENANT);
  const size_bytes = bytes.length;
  artifacts.set(pointer, {
    bytes,
    metadata: {
      ...filled({ content_type }),
      size_bytes,
      retention: kept,
      labels: { ...labels, tenant_id: tenant },
    },
    tenant,
    expiresAt: clock() + Number(RETENTION_DAYS[kept]) * DAY_MS,
  });
  return { artifact_ptr: pointer, size_bytes };
}

function toBytes(base64 = "", content = ""): Uint8Array {
  if (base64 === "") {
    need(content !== "", "content required");
    return new TextEncoder().encode(content);
  }
  try {
    return Uint8Array.fromBase64(base64, { lastChunkHandling: "strict" });
  } catch {
    throw new Refusal(400, "invalid base64 content");
  }
}

/** Unlike on the platform, no other key of Redis can be read. */
function readArtifact(
  { artifacts, clock }: Parts,
  pointer: string,
): JsonObject {
  if (!pointer.startsWith("redis://")) {
    throw new Refusal(500, `invalid pointer prefix: ${pointer}`);
  }
  const kept = artifacts.get(pointer);
  const isAlive = kept !== undefined && kept.expiresAt > clock();
  const { bytes, metadata, tenant } = found(
    isAlive ? kept : undefined,
    "artifact not found",
  );
  checkTenant(tenant);
  const content_base64 = bytes.toBase64();
  return { artifact_ptr: pointer, content_base64, metadata };
}
