/**
 * The routes that this project's scripts and workers use, each with the
 * platform's statuses, shapes and words. Every other route of the contract
 * answers 501 with its name.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import type { Artifacts } from "./artifacts.ts";
import {
  type Faults,
  isoSeconds,
  type Json,
  parseJson,
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
import type { Kernel } from "./policy.ts";
import type { Decider, JobRecord, Scheduler } from "./scheduler.ts";
import {
  showApproval,
  showDecision,
  showJob,
  showListed,
  showWorker,
} from "./views.ts";

/** What the routes show and change. */
export interface Parts {
  clock: () => number;
  faults: Faults;
  engine: Engine;
  scheduler: Scheduler;
  packs: Packs;
  kernel: Kernel;
  artifacts: Artifacts;
  schemas: ReadonlyMap<string, unknown>;
  natsUrl: string;
  natsUp: () => boolean;
  redisUp: () => boolean;
  /** The value of a Redis key. */
  readValue: (key: string) => Promise<string | undefined>;
}

const TENANT = "default";
const RECENT_MAX = 1000;

/** Every route of the contract. */
export function createRoutes(parts: Parts): Routes {
  const { engine, scheduler, packs, kernel, artifacts, schemas } = parts;
  return {
    "GET /health": () =>
      new Response("ok", {
        headers: { "content-type": "text/plain; charset=utf-8" },
      }),
    "GET /api/v1/status": () => showStatus(parts),
    "GET /api/v1/workers": () => [...scheduler.heard.values()].map(showWorker),
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
      const body = await readJson(request).catch((): Json => ({}));
      return packs.uninstall(id, body["purge"] === true);
    },

    "GET /api/v1/workflows/{id}": ({ id }) =>
      found(engine.workflows.get(id), "not found"),
    "POST /api/v1/workflows/{id}/runs": (call) => startRun(parts, call),
    "POST /api/v1/workflows/{id}/runs/{run}/cancel": async ({ ids }) => {
      await engine.cancel(ids[1]!);
      return new Response(null, { status: 204 });
    },
    "GET /api/v1/workflow-runs/{id}": ({ id }) =>
      found(engine.runs.get(id), "not found"),
    "GET /api/v1/workflow-runs/{id}/timeline": ({ id, query }) =>
      (engine.timelines.get(id) ?? []).slice(0, limitOf(query, 200)),

    "GET /api/v1/jobs": ({ query }) => listJobs(scheduler, query),
    "GET /api/v1/jobs/{id}": ({ id }) => readJob(parts, id),
    "GET /api/v1/jobs/{id}/decisions": ({ id, query }) =>
      (scheduler.jobs.get(id)?.decisions ?? [])
        .slice(0, limitOf(query, 50)).map(showDecision),
    "GET /api/v1/approvals": ({ query }) => listApprovals(scheduler, query),
    "POST /api/v1/approvals/{id}/approve": async (call) => {
      const decider = await readDecider(parts, call);
      const { traceId } = scheduler.approve(call.id, decider);
      return { job_id: call.id, trace_id: traceId };
    },
    "POST /api/v1/approvals/{id}/reject": async (call) => {
      await scheduler.reject(call.id, await readDecider(parts, call));
      return { job_id: call.id };
    },

    "POST /api/v1/artifacts": async ({ request, query }) => {
      const header = request.headers.get("x-max-artifact-bytes");
      const asked = [query.get("max_bytes"), header].map(Number)
        .find((bytes) => bytes > 0);
      return artifacts.put(await readJson(request), asked ?? Infinity);
    },
    "GET /api/v1/artifacts/{ptr}": ({ id }) => artifacts.read(id),

    ...Object.fromEntries(NOT_HERE.map((line) => [line, () => {
      throw new Refusal(501, `devcore does not implement ${line}`);
    }])),
  };
}

/** The rest of the contract, so that nobody takes a 404 for the platform's. */
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

function found<T>(value: T | undefined, problem: string): T {
  if (value === undefined) throw new Refusal(404, problem);
  return value;
}

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
  { clock, natsUrl, natsUp, redisUp, scheduler }: Parts,
): Json {
  const [connected, ok] = [natsUp(), redisUp()];
  const status = connected ? "CONNECTED" : "RECONNECTING";
  return {
    build: { commit: "unknown", date: "unknown", version: "dev" },
    nats: { connected, status, url: natsUrl },
    redis: { error: ok ? "" : "connection lost", ok },
    time: isoSeconds(clock()),
    uptime_seconds: Math.floor(performance.now() / 1000),
    workers: { count: scheduler.heard.size },
  };
}

function readConfig({ packs }: Parts, query: URLSearchParams): unknown {
  const scope = query.get("scope") || "system";
  const scopeId = query.get("scope_id") ||
    (scope === "system" ? "default" : "");
  if (scope === "org") checkTenant(scopeId);
  return found(packs.config.get(scope, scopeId), "config not found");
}

async function installPack(packs: Packs, call: Call): Promise<Json> {
  const { request, query } = call;
  const { headers } = request;
  const body = new Response(await readBytes(request) as BodyInit, { headers });
  const form = await body.formData().catch(() => {
    throw new Refusal(400, "invalid multipart form");
  });
  const file = form.get("bundle");
  if (!(file instanceof File)) throw new Refusal(400, "bundle file required");
  if (!/\.(tgz|tar\.gz)$/i.test(file.name)) {
    throw new Refusal(400, "bundle must be .tgz");
  }
  const flag = (name: string) =>
    isYes(String(form.get(name) ?? query.get(name) ?? ""));
  return await packs.install(new Uint8Array(await file.arrayBuffer()), {
    upgrade: flag("upgrade"),
    inactive: flag("inactive"),
    installedBy: headers.get("x-principal-id") ||
      headers.get("x-actor-id") || "",
  });
}

async function startRun(
  { engine, faults }: Parts,
  { request, query, id }: Call,
): Promise<Json> {
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
    // A limit or a crash: the key is taken, and its run was never made.
    if (strikes(faults, "burnKeys")) {
      throw new Refusal(429, "max concurrent runs reached");
    }
  }
  const dryRun = isYes(query.get("dry_run"));
  await engine.start(workflow, input, { runId, key, dryRun });
  return { run_id: runId };
}

/** Filters apply after the page is cut, as they do on the platform. */
function listJobs({ jobs }: Scheduler, query: URLSearchParams): Json {
  for (const name of ["team", "trace_id", "updated_after", "updated_before"]) {
    if (!query.has(name)) continue;
    throw new Refusal(
      501,
      `devcore does not implement GET /api/v1/jobs?${name}`,
    );
  }
  checkTenant(query.get("tenant"));
  const limit = limitOf(query, 50);
  const until = Number(query.get("cursor")) || Infinity;
  const state = query.get("state")?.toUpperCase();
  const topic = query.get("topic");
  const page = [...jobs.values()].toSorted((a, b) => b.updatedAt - a.updatedAt)
    .slice(0, RECENT_MAX).filter(({ updatedAt }) => updatedAt <= until)
    .slice(0, limit)
    .filter((job) => state === undefined || job.state === state)
    .filter(({ request }) => topic === null || request.topic === topic);
  return {
    items: page.map((job) => ({ trace_id: job.traceId, ...showListed(job) })),
    next_cursor: cursorAfter(page, limit),
  };
}

/** Oldest first, with a cursor that points backwards. */
function listApprovals({ jobs }: Scheduler, query: URLSearchParams): Json {
  const limit = limitOf(query, 100);
  const until = Number(query.get("cursor")) || Infinity;
  const page = [...jobs.values()].filter(({ state, updatedAt }) =>
    state === "APPROVAL_REQUIRED" && updatedAt <= until
  ).toSorted((a, b) => a.updatedAt - b.updatedAt).slice(0, limit);
  const next_cursor = cursorAfter(page, limit);
  return { items: page.map(showApproval), next_cursor };
}

function cursorAfter(
  page: readonly JobRecord[],
  limit: number,
): number | null {
  return page.length === limit ? page.at(-1)!.updatedAt - 1 : null;
}

async function readJob(
  { scheduler, readValue }: Parts,
  id: string,
): Promise<Response> {
  const job = found(scheduler.jobs.get(id), "job not found");
  const value = async (pointer: string) => {
    if (!pointer.startsWith("redis://")) return null;
    const text = await readValue(pointer.slice("redis://".length));
    return parseJson(text ?? "") ?? null;
  };
  const context = await value(`redis://ctx:${id}`);
  const shown = showJob(job, context, await value(job.resultPtr));
  // The platform sets no type here, and Go takes the body for text.
  return json(shown, "text/plain; charset=utf-8");
}

async function readDecider(
  { scheduler }: Parts,
  { request, id }: Call,
): Promise<Decider> {
  const body = await readJson(request, {
    problem: "invalid body",
    empty: true,
  });
  found(scheduler.jobs.get(id), "job not found");
  const header = (name: string) => request.headers.get(name)?.trim() ?? "";
  const role = header("x-principal-role");
  return {
    by: header("x-principal-id"),
    role: /^(secops|operator)$/i.test(role) ? "admin" : role,
    reason: String(body["reason"] ?? "").trim(),
    note: String(body["note"] ?? "").trim(),
  };
}
