/**
 * The gateway of Cordum 1.0, where it answers otherwise than that of January
 * 2026.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import { randomUUID } from "node:crypto";
import { filled, iso, isoSeconds, Refusal, sha256 } from "./common.ts";
import { type Call, readBytes, type Routes } from "./gateway.ts";
import {
  cut,
  newestFirst,
  type Parts,
  showApproval,
  showWorker,
} from "./routes.ts";

/** By the text of a refusal, or else by its status. */
const CODES: Readonly<Record<string, string>> = {
  400: "invalid_request",
  401: "unauthorized",
  403: "access_denied",
  404: "not_found",
  409: "conflict",
  413: "too_large",
  429: "rate_limited",
  "config not found": "CONFIG_NOT_FOUND",
  "job not awaiting approval": "approval_already_resolved",
  "policy snapshot changed; re-evaluate before approving": "stale_snapshot",
  "tenant access denied": "tenant_access_denied",
};

/** @returns `undefined` for the words of its router and of devcore: text. */
export function refusalBody(
  { status, message: error, code }: Refusal,
): JsonObject | undefined {
  if (/^404 page|^Method Not|^devcore/.test(error)) return undefined;
  const known = code ?? CODES[error] ?? CODES[status] ?? "internal";
  return { code: known, error, status };
}

/** The routes of January, but for those that answer otherwise. */
export function cordum1Routes(
  parts: Parts,
  apiKey: string,
  elder: Routes,
): Routes {
  const { engine, scheduler, placement, clock, version } = parts;
  const changed = (
    line: string,
    change: (call: Call, ask: (call?: Call) => unknown) => unknown,
  ) => ({
    [line]: (call: Call) =>
      change(call, (changed = call) => elder[line]!(changed)),
  });
  const ownOnly = (line: string) =>
    changed(line, ({ id }, ask) => {
      if (engine.workflows.get(id)?.org_id !== "") return ask();
      // What was installed without a tenant is nobody's.
      throw new Refusal(403, "tenant access denied");
    });
  const decide = (verb: string, past: string) =>
    changed(`POST /api/v1/approvals/{id}/${verb}`, async (call, ask) => {
      const { approval_by, approval_at, approval_status } =
        scheduler.jobs.get(call.id)?.approval ?? {};
      if (approval_status === past) {
        return {
          status: `already_${past}`,
          approved_by: approval_by,
          approved_at: iso(Number(approval_at) / 1000),
        };
      }
      const { url, method } = call.request;
      const body = await readBytes(call.request) as BodyInit;
      // The key says who decides; headers do not.
      const headers = {
        "x-principal-id": `static:${sha256(apiKey).slice(0, 12)}`,
        "x-principal-role": "admin",
      };
      const request = new Request(url, { method, headers, body });
      return await ask({ ...call, request });
    });
  return {
    ...elder,
    ...changed(
      "GET /api/v1/config",
      (_, ask) => (ask() as { data: JsonObject }).data,
    ),
    ...changed("GET /api/v1/status", (_, ask) => {
      const { nats, workers, uptime_seconds } = ask() as JsonObject;
      const { connected, url } = nats as { connected: boolean; url: string };
      const status = connected ? "connected" : "reconnecting";
      return {
        ...STATUS,
        build: { commit: "unknown", date: "unknown", version },
        nats: { connected, status, url },
        nats_status: status,
        snapshot_meta: {
          captured_at: isoSeconds(clock()),
          writer_id: "devcore",
        },
        time: isoSeconds(clock()),
        uptime_seconds,
        workers,
      };
    }),
    "GET /api/v1/workers": () => ({
      items: placement.heard().map(({ heartbeat, at }) => ({
        ...showWorker(heartbeat),
        heartbeat_age_seconds: Math.floor((clock() - at) / 1000),
        online: false, // So far every worker without a session.
        session_state: "no_session",
      })),
    }),
    ...changed("POST /api/v1/packs/install", async (_, ask) => {
      const record = await Promise.try(ask).catch((error) => {
        const isInvalid = error instanceof Refusal && error.status === 400;
        if (!isInvalid) throw error;
        throw new Refusal(400, error.message, {}, "PACK_INSTALL_INVALID");
      }) as JsonObject;
      const worker_credential = {
        worker_id: record["id"],
        token: randomUUID(),
        pack_id: record["id"],
        created_at: record["installed_at"],
      };
      return { ...record, worker_credential };
    }),
    ...ownOnly("GET /api/v1/workflows/{id}"),
    ...ownOnly("POST /api/v1/workflows/{id}/runs"),
    "GET /api/v1/approvals": ({ query }) => {
      const isOpen = query.get("include_resolved") === "false";
      const asked = newestFirst(scheduler.jobs).toReversed().filter((job) =>
        isOpen
          ? job.state === "APPROVAL_REQUIRED"
          : job.approval["approval_status"] !== undefined
      );
      return cut(asked, query, 100, () => true, (job) => ({
        ...showApproval(job),
        approval_status: job.approval["approval_status"],
        ...filled({ resolved_by: job.approval["approval_by"] }),
      }));
    },
    ...decide("approve", "approved"),
    ...decide("reject", "rejected"),
  };
}

const CLOSED = {
  state: "CLOSED",
  failures: 0,
  fail_threshold: 3,
  cooldown_remaining_ms: 0,
};

/** What never changes here. */
const STATUS: JsonObject = {
  active_ws_clients: 0,
  circuit_breakers: { input: CLOSED, output: CLOSED },
  goroutine_count: 1,
  ha_env: {
    audit_transport: "",
    redis_min_idle_conns: "",
    redis_pool_size: "",
  },
  instance_id: "devcore",
  license: {
    mode: "community",
    status: "active",
    plan: "Community",
    features: ["audit", "break_glass_admin"],
    limits: {
      audit_retention_days: 7,
      max_concurrent_jobs: 3,
      max_workers: 3,
      requests_per_second: 500,
    },
  },
  pipeline: {
    denied: 0,
    dispatched: 0,
    failed: 0,
    pending: 0,
    running: 0,
    succeeded: 0,
  },
  rate_limiter: { mode: "redis" },
  redis: { ok: true, status: "ok" },
  redis_pool_stats: {
    hits: 0,
    idle_conns: 0,
    misses: 0,
    stale_conns: 0,
    timeouts: 0,
    total_conns: 1,
  },
  replicas: {},
};
