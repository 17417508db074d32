/**
 * Benchmark of the ingester: how many signed webhooks it takes per second with a
 * gateway stand-in, none of them lost and none started twice.
 *
 * Each cell has an ingester and a gateway of its own, both processes, so that
 * peak memory belongs to that cell.
 *
 * @module
 */
import { table } from "../../../scripts/terminal/format.ts";
import {
  cacheWorkers,
  spawnWorker,
  type WorkerProcess,
} from "../../../scripts/launch/process.ts";
import { runIdOf } from "../../../deploy/standins/gateway.ts";
import { type Delivery, makeDeliveries } from "./deliveries.ts";
import { type BenchGateway, type Fault, startBenchGateway } from "./gateway.ts";
import { percentile, runLoad } from "./load.ts";
import { readRequirements } from "../../../scripts/launch/environment.ts";

export interface Cell {
  inFlight: number;
  gatewayMs: number;
}

export interface CellResult extends Cell {
  requests: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Of the ingester, user and system, per request. */
  cpuUs: number;
  rssPeakMib: number;
  /** One text each, those of the warm-up included. */
  lost: string[];
  doubled: string[];
}

export interface IngesterBenchOptions {
  cells: readonly Cell[];
  /** For each cell, without its warm-up. */
  requestsMax: number;
  /** How long after a cell's first request the last may be sent. */
  forMs: number;
  /** How many are sent before the clock starts. */
  warmUp: number;
  signal: AbortSignal;
  /** What the gateway does wrong. */
  fault?: Fault | undefined;
  onCell?: (cell: Cell) => void;
  onResult?: (result: CellResult) => void;
}

export const CELLS: readonly Cell[] = [0, 5].flatMap((gatewayMs) =>
  [1, 8, 64].map((inFlight) => ({ inFlight, gatewayMs }))
);

const SECRET = "bench-secret";
const START_MS = 30_000;
const USAGE_MS = 10_000;
const WARM_UP_MS = 10_000;
/** What the ingester is meant for. */
const WARM_UP_IN_FLIGHT = 64;
const PRELOAD = "tests/campaigns/bench/usage.ts";

export async function benchIngester(
  options: IngesterBenchOptions,
): Promise<CellResult[]> {
  const { cells, requestsMax, warmUp, signal } = options;
  await cacheWorkers(["ingester"]);
  const { ingester: requires } = await readRequirements();
  // Before any clock: signing costs as much as verifying.
  const deliveries = await makeDeliveries(warmUp + requestsMax, SECRET);
  const results: CellResult[] = [];
  for (const cell of cells) {
    signal.throwIfAborted();
    options.onCell?.(cell);
    await using gateway = await startBenchGateway({
      delayMs: cell.gatewayMs,
      fault: options.fault,
    });
    await using ingester = spawnWorker("ingester", requires, {
      INGESTER_ADDR: "127.0.0.1:0",
      CORETEX_GATEWAY_URL: gateway.url,
      CORETEX_API_KEY: "bench-key",
      PAGERDUTY_WEBHOOK_SECRETS: SECRET,
      INGEST_MAX_AGE_S: "0", // Every event bears the same date.
    }, { preload: PRELOAD });
    const stop = () => ingester.signal("SIGTERM");
    signal.addEventListener("abort", stop, { once: true });
    try {
      const measured = { cell, ingester, gateway, deliveries };
      const result = await measure(measured, options);
      options.onResult?.(result);
      results.push(result);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }
  return results;
}

interface Measured {
  cell: Cell;
  ingester: WorkerProcess;
  gateway: BenchGateway;
  deliveries: readonly Delivery[];
}

async function measure(
  { cell, ingester, gateway, deliveries }: Measured,
  { forMs, warmUp, signal }: IngesterBenchOptions,
): Promise<CellResult> {
  const { url } = await ingester.waitFor("Worker ready", START_MS);
  const port = Number(new URL(String(url)).port);
  const load = (part: readonly Delivery[], inFlight: number, forMs: number) =>
    runLoad({
      port,
      inFlight,
      forMs,
      signal,
      requests: part.map(({ request }) => request),
      isRight: (answer, nth) => isTaken(answer, part[nth]!),
    });
  const first = deliveries.slice(0, warmUp);
  const warm = await load(first, WARM_UP_IN_FLIGHT, WARM_UP_MS);
  signal.throwIfAborted();
  const before = await readUsage(ingester, 1);
  const rest = deliveries.slice(warmUp);
  const result = await load(rest, cell.inFlight, forMs);
  signal.throwIfAborted();
  const after = await readUsage(ingester, 2);
  const starts = await gateway.end();
  const sent = [...first.slice(0, warm.sent), ...rest.slice(0, result.sent)];
  const failed = [
    ...warm.failed.map(({ nth, answer }) => ({ of: first[nth]!, answer })),
    ...result.failed.map(({ nth, answer }) => ({ of: rest[nth]!, answer })),
  ];
  return {
    ...cell,
    requests: result.sent,
    perSecond: result.latencies.length / result.ms * 1000,
    p50Ms: percentile(result.latencies, 0.5),
    p99Ms: percentile(result.latencies, 0.99),
    cpuUs: (after.cpuUs - before.cpuUs) / result.sent,
    rssPeakMib: after.rssPeakBytes / 1024 ** 2,
    ...judge(
      sent.map(({ key }) => key),
      new Map(failed.map(({ of, answer }) => [of.key, answer])),
      starts,
    ),
  };
}

function isTaken(answer: string, { key }: Delivery): boolean {
  return answer.startsWith("HTTP/1.1 202 ") &&
    answer.includes(`"run_id":"${runIdOf(key)}"`);
}

/**
 * Compares what was sent with what was answered and what was started.
 *
 * @param failed Keys whose answer was not the right one, with that answer.
 * @param starts How often a run was started for a key.
 */
export function judge(
  sent: readonly string[],
  failed: ReadonlyMap<string, string>,
  starts: ReadonlyMap<string, number>,
): Pick<CellResult, "lost" | "doubled"> {
  const known = new Set(sent);
  const lost = sent.flatMap((key) => {
    const answer = failed.get(key);
    if (answer !== undefined) return `${key}: ${firstLine(answer)}`;
    return starts.has(key) ? [] : `${key}: answered, but never started`;
  });
  const doubled = [...starts].flatMap(([key, count]) => {
    if (!known.has(key)) return `${key}: started, but never sent`;
    return count === 1 ? [] : `${key}: started ${count} times`;
  });
  return { lost, doubled };
}

function firstLine(answer: string): string {
  const [line = "", ...more] = answer.split("\r\n");
  return more.length === 0 ? line : `${line}, ${more.join(" ").slice(-120)}`;
}

async function readUsage(
  ingester: WorkerProcess,
  nth: number,
): Promise<{ cpuUs: number; rssPeakBytes: number }> {
  ingester.signal("SIGUSR2");
  const line = await ingester.waitFor(
    (line) => line["msg"] === "Usage" && line["nth"] === nth,
    USAGE_MS,
  );
  return {
    cpuUs: Number(line["cpu_us"]),
    rssPeakBytes: Number(line["rss_peak_bytes"]),
  };
}

export function renderResults(results: readonly CellResult[]): string[] {
  const rows = results.map((result) => [
    `${result.inFlight}`,
    `${result.gatewayMs} ms`,
    `${result.requests}`,
    result.perSecond.toFixed(0),
    result.p50Ms.toFixed(1),
    result.p99Ms.toFixed(1),
    result.cpuUs.toFixed(0),
    result.rssPeakMib.toFixed(0),
    `${result.lost.length}`,
    `${result.doubled.length}`,
  ]);
  const head = [
    ...["in flight", "gateway", "requests", "per second", "p50 ms", "p99 ms"],
    ...["CPU µs each", "RSS MiB", "lost", "doubled"],
  ];
  return table([head, ...rows]);
}
