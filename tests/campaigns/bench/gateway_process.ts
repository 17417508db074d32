/**
 * A gateway stand-in for benchmarks, as a process: starts runs, gives them back
 * and counts the starts of each key. Does as little as it can, since it takes
 * its time from what is measured.
 *
 * `POST /bench` forgets everything and sets how it behaves, `GET /bench` gives
 * the counts. Ends when its standard input does, so that none is left behind.
 *
 * @module
 */
import type { GatewayBehaviour, GatewayCounts } from "./gateway.ts";

const START = /^\/api\/v1\/workflows\/[^/]+\/runs$/;
const RUNS = "/api/v1/workflow-runs/";
const JSON_TYPE = { headers: { "Content-Type": "application/json" } };

let behaviour: GatewayBehaviour = { delayMs: 0 };
let starts = new Map<string, number>();
let inputs = new Map<string, string>();
let faulty = 0;

/** Whoever waits, oldest first: all wait equally long, so one timer serves all. */
const waiting: { until: number; resolve: () => void }[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    waiting.push({ until: performance.now() + ms, resolve });
    timer ??= setTimeout(release, ms);
  });
}

function release(): void {
  const now = performance.now();
  const due = waiting.findIndex(({ until }) => until > now);
  const count = due < 0 ? waiting.length : due;
  for (const { resolve } of waiting.splice(0, count)) resolve();
  const [first] = waiting;
  timer = first === undefined
    ? undefined
    : setTimeout(release, Math.ceil(first.until - now));
}

async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/bench") return await control(request);
  const { delayMs } = behaviour;
  if (pathname.startsWith(RUNS)) {
    if (delayMs > 0) await delay(delayMs);
    return read(decodeURIComponent(pathname.slice(RUNS.length)));
  }
  if (request.method !== "POST" || !START.test(pathname)) {
    return new Response("no such route", { status: 404 });
  }
  const key = request.headers.get("idempotency-key") ?? "";
  const input = await request.text();
  if (delayMs > 0) await delay(delayMs);
  return start(key, input);
}

function start(key: string, input: string): Response {
  const { fault } = behaviour;
  const isFaulty = fault !== undefined && !starts.has(key) &&
    ++faulty % 10 === 0;
  if (!isFaulty || fault !== "lose") {
    starts.set(key, (starts.get(key) ?? 0) + 1);
  }
  if (isFaulty && fault === "double") {
    return new Response("started, and yet", { status: 503 });
  }
  const mixed = isFaulty && fault === "mix";
  const runId = `run-${mixed ? "other-" : ""}${key}`;
  inputs.set(runId, input);
  return new Response(`{"run_id":"${runId}"}`, JSON_TYPE);
}

function read(runId: string): Response {
  const input = inputs.get(runId);
  if (input === undefined) return new Response("no such run", { status: 404 });
  // Each is read once; kept, they would be most of this process's memory.
  inputs.delete(runId);
  return new Response(
    `{"id":"${runId}","status":"running","input":${input}}`,
    JSON_TYPE,
  );
}

async function control(request: Request): Promise<Response> {
  if (request.method === "POST") {
    behaviour = await request.json();
    starts = new Map();
    inputs = new Map();
    faulty = 0;
  }
  const counts: GatewayCounts = { starts: [...starts] };
  return Response.json(counts);
}

const server = Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) =>
    void Deno.stdout.writeSync(new TextEncoder().encode(`${port}\n`)),
}, answer);
for await (const _ of Deno.stdin.readable);
await server.shutdown();
