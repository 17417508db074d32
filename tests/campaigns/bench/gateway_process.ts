/**
 * The gateway stand-in of benchmarks, as a process: it waits before each answer,
 * does what it is told wrong, and counts the starts of each key. Does as little
 * as it can, since it takes its time from what is measured.
 *
 * Arguments: milliseconds to wait, a fault or nothing. It prints its port, and
 * the counts once its standard input ends, so that it is never left behind.
 *
 * @module
 */
import {
  type Asked,
  plain,
  startGateway,
  type Works,
} from "../../../deploy/standins/gateway.ts";

const [delayMs = 0, fault] = [Number(Deno.args[0]), Deno.args[1]];
const starts = new Map<string, number>();
let faulty = 0;

/** Oldest first: all wait equally long, so one timer serves all. */
const waiting: { until: number; resolve: () => void }[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;

function delay(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push({ until: performance.now() + delayMs, resolve });
    timer ??= setTimeout(release, delayMs);
  });
}

function release(): void {
  const now = performance.now();
  const due = waiting.findIndex(({ until }) => until > now);
  const count = due < 0 ? waiting.length : due;
  for (const { resolve } of waiting.splice(0, count)) resolve();
  const [first] = waiting;
  timer = first && setTimeout(release, Math.ceil(first.until - now));
}

async function answer(
  { kind, key, runId }: Asked,
  works: Works,
): Promise<Response> {
  if (delayMs > 0) await delay();
  if (kind === "start") return start(key, works);
  const response = works();
  // Each is read once; kept, they would be most of this process's memory.
  const run = gateway.runs.get(runId);
  if (run !== undefined) run.input = "";
  return response;
}

function start(key: string, works: Works): Response {
  const isFaulty = fault && !starts.has(key) && ++faulty % 10 === 0;
  if (!isFaulty || fault !== "lose") {
    starts.set(key, (starts.get(key) ?? 0) + 1);
  }
  if (!isFaulty || fault === "lose") return works();
  if (fault === "mix") return works({ key: `other-${key}` });
  works();
  return plain(503, "started, and yet");
}

function print(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) {
    at += Deno.stdout.writeSync(bytes.subarray(at));
  }
}

await using gateway = startGateway(answer);
print(`${gateway.port}\n`);
for await (const _ of Deno.stdin.readable);
print(JSON.stringify([...starts]));
