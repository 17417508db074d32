/**
 * Benchmark of the ingester: signed webhooks a second against a gateway
 * stand-in, none of them lost and none started twice.
 *
 * The ingester is a process with its own permissions, anew for each cell, so
 * that its peak of memory is that cell's.
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
import { BenchGateway, type Fault } from "./gateway.ts";
import { percentile, runLoad } from "./load.ts";
import { readRequirements } from "../../../scripts/launch/environment.ts";

/** One line of the table. */
export interface Cell {
  inFlight: number;
  gatewayMs: number;
}

/** What was measured in one cell. */
export interface CellResult extends Cell {
  requests: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** The ingester's, user and system, for each request. */
  cpuUs: number;
  rssPeakMib: number;
  /** One text each; the warm-up's too. */
  lost: string[];
  doubled: string[];
}

/** Options of {@linkcode benchIngester}. */
export interface IngesterBenchOptions {
  cells?: readonly Cell[];
  /** At most so many, beside the warm-up. */
  requestsMax: number;
  /** None is sent later than this after a cell's first. */
  forMs: number;
  /** Sent before the clock starts. */
  warmUp: number;
  signal: AbortSignal;
  /** What the gateway does wrong. */
  fault?: Fault | undefined;
  onCell?: (cell: Cell) => void;
  onResult?: (result: CellResult) => void;
}

/** Each number in flight with each delay of the gateway. */
export const CELLS: readonly Cell[] = [0, 5].flatMap((gatewayMs) =>
  [1, 8, 64].map((inFlight) => ({ inFlight, gatewayMs }))
);

const SECRET = "bench-secret";
const START_MS = 30_000;
const USAGE_MS = 10_000;
const WARM_UP_MS = 10_000;
/** As many as the ingester is meant for. */
const WARM_UP_IN_FLIGHT = 64;
const PRELOAD = "tests/campaigns/bench/usage.ts";

/** Measures each cell. */
export async function benchIngester(
  options: IngesterBenchOptions,
): Promise<CellResult[]> {
  const { cells = CELLS, requestsMax, warmUp, signal } = options;
  await cacheWorkers(["ingester"]);
  const { ingester: requires } = await readRequirements();
  // Before any clock: signing costs as much as verifying.
  const deliveries = await makeDeliveries(warmUp + requestsMax, SECRET);
  await using gateway = await BenchGateway.start();
  const results: CellResult[] = [];
  for (const cell of cells) {
    signal.throwIfAborted();
    options.onCell?.(cell);
    await using ingester = spawnWorker("ingester", requires, {
      INGESTER_ADDR: "127.0.0.1:0",
      CORETEX_GATEWAY_URL: gateway.url,
      CORETEX_API_KEY: "bench-key",
      PAGERDUTY_WEBHOOK_SECRETS: SECRET,
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
  { forMs, warmUp, fault, signal }: IngesterBenchOptions,
): Promise<CellResult> {
  const { inFlight, gatewayMs } = cell;
  const { url } = await ingester.waitFor("Worker ready", START_MS);
  const port = Number(new URL(String(url)).port);
  await gateway.reset({ delayMs: gatewayMs, ...(fault && { fault }) });
  const load = (part: readonly Delivery[], inFlight: number, forMs: number) =>
    runLoad({
      port,
      inFlight,
      forMs,
      requests: part.map(({ request }) => request),
      isRight: (answer, nth) => isTaken(answer, part[nth]!),
    });
  const first = deliveries.slice(0, warmUp);
  const warm = await load(first, WARM_UP_IN_FLIGHT, WARM_UP_MS);
  const before = await readUsage(ingester, 1);
  const rest = deliveries.slice(warmUp);
  const result = await load(rest, inFlight, forMs);
  const after = await readUsage(ingester, 2);
  signal.throwIfAborted();
  const { starts } = await gateway.counts();
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
      new Map(starts),
    ),
  };
}

/** 202, with the id of the run that its own key has. */
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

/** The table of results. */
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
