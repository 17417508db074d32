/**
 * The gateway stand-in of benchmarks, as a process: it counts the starts of each
 * key, and does what it is told wrong. Does as little as it can, since it takes
 * its time from what is measured.
 *
 * `POST /bench` forgets everything and sets how it behaves, `GET /bench` gives
 * the counts. Ends when its standard input does, so that none is left behind.
 *
 * @module
 */
import {
  type Asked,
  plain,
  startGateway,
  type Works,
} from "../../../deploy/standins/gateway.ts";
import type { GatewayBehaviour, GatewayCounts } from "./gateway.ts";

let behaviour: GatewayBehaviour = { delayMs: 0 };
let starts = new Map<string, number>();
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

async function answer(asked: Asked, works: Works): Promise<Response> {
  const { kind, path, key, runId } = asked;
  if (path === "/bench") return control(asked);
  if (behaviour.delayMs > 0) await delay(behaviour.delayMs);
  if (kind === "start") return start(key, works);
  const response = works();
  // Each is read once; kept, they would be most of this process's memory.
  const run = gateway.runs.get(runId);
  if (run !== undefined) run.input = "";
  return response;
}

function start(key: string, works: Works): Response {
  const { fault } = behaviour;
  const isFaulty = fault !== undefined && !starts.has(key) &&
    ++faulty % 10 === 0;
  if (!isFaulty || fault !== "lose") {
    starts.set(key, (starts.get(key) ?? 0) + 1);
  }
  if (!isFaulty || fault === "lose") return works();
  if (fault === "mix") return works({ key: `other-${key}` });
  works();
  return plain(503, "started, and yet");
}

function control({ body }: Asked): Response {
  if (body !== "") {
    behaviour = JSON.parse(body);
    starts = new Map();
    faulty = 0;
    gateway.forget();
  }
  const counts: GatewayCounts = { starts: [...starts] };
  return Response.json(counts);
}

await using gateway = startGateway(answer);
Deno.stdout.writeSync(new TextEncoder().encode(`${gateway.port}\n`));
for await (const _ of Deno.stdin.readable);
