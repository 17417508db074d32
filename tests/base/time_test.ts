import { assert, assertEquals, assertRejects } from "@std/assert";
import { backoffMs, retry, wait, within } from "../../lib/base/time.ts";

const SOON_MS = 10;
/** Whoever waits this long has failed. */
const NEVER_MS = 5_000;
const FAST = { baseMs: 2, maxMs: 4 };

class Flaky extends Error {
  override name = "Flaky";
}

/** Counts the listeners that are on a signal. */
function countListeners(signal: AbortSignal): () => number {
  let count = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: unknown[]) => {
    count++;
    Reflect.apply(addEventListener, signal, args);
  };
  signal.removeEventListener = (...args: unknown[]) => {
    count--;
    Reflect.apply(removeEventListener, signal, args);
  };
  return () => count;
}

/** Runs `fn` with a Math.random that always gives `value`. */
function withRandom<T>(value: number, fn: () => T): T {
  const { random } = Math;
  Math.random = () => value;
  try {
    return fn();
  } finally {
    Math.random = random;
  }
}

Deno.test("wait() resolves after its time and leaves the signal as it was", async () => {
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  const start = performance.now();
  const waiting = wait(SOON_MS, signal);
  assertEquals(listeners(), 1);
  await waiting;
  assertEquals(listeners(), 0);
  // A timer may fire a moment early, as it counts whole milliseconds.
  assert(performance.now() - start >= SOON_MS - 1);
});

Deno.test("wait() throws the signal's reason as soon as it aborts", async () => {
  const stop = new AbortController();
  const reason = new Flaky("shutting down");
  const waiting = wait(NEVER_MS, stop.signal);
  stop.abort(reason);
  assertEquals(await assertRejects(() => waiting, Flaky), reason);
});

Deno.test("wait() throws at once if the signal has aborted before", async () => {
  const signal = AbortSignal.abort(new Flaky("over"));
  await assertRejects(() => wait(NEVER_MS, signal), Flaky, "over");
});

Deno.test("within() gives what the promise gives, if that is in time", async (t) => {
  await t.step("a value", async () => {
    assertEquals(await within(NEVER_MS, Promise.resolve(7)), 7);
  });
  await t.step("a failure", async () => {
    const failing = Promise.reject(new Flaky("itself"));
    await assertRejects(() => within(NEVER_MS, failing), Flaky, "itself");
  });
});

Deno.test("within() throws a TimeoutError when time is up", async () => {
  const late = Promise.withResolvers<void>();
  const error = await assertRejects(
    () => within(SOON_MS, late.promise),
    DOMException,
  );
  assertEquals(error.name, "TimeoutError");
  assertEquals(error.message, "took longer than 10 ms");
  // What comes later is heard by nobody, and must not end the process.
  late.reject(new Flaky("too late"));
  await Promise.resolve();
});

const LIMITS = { baseMs: 100, maxMs: 1_500 };
const WAITS: [attempt: number, fullMs: number][] = [
  [1, 100],
  [2, 200],
  [4, 800],
  [5, 1_500], // Not 1600.
  [31, 1_500],
  [10_000, 1_500], // Not infinity.
];
for (const [attempt, fullMs] of WAITS) {
  Deno.test(`backoffMs() is ${fullMs / 2} to ${fullMs} ms after attempt ${attempt}`, () => {
    const shortest = withRandom(0, () => backoffMs(attempt, LIMITS));
    const middle = withRandom(0.5, () => backoffMs(attempt, LIMITS));
    assertEquals([shortest, middle], [fullMs / 2, fullMs * 3 / 4]);
    const longest = withRandom(1 - 2 ** -53, () => backoffMs(attempt, LIMITS));
    assert(longest > fullMs * 0.999 && longest <= fullMs);
  });
}

Deno.test("backoffMs() spreads clients that failed together", () => {
  const waits = Array.from({ length: 50 }, () => backoffMs(1, LIMITS));
  assert(new Set(waits).size > 40);
});

Deno.test("retry() gives the first success and counts attempts from 1", async () => {
  const { signal } = new AbortController();
  const counts: number[] = [];
  const told: [string, number][] = [];
  const value = await retry((count) => {
    counts.push(count);
    return count < 4
      ? Promise.reject(new Flaky(`no ${count}`))
      : Promise.resolve("yes");
  }, {
    ...FAST,
    signal,
    retryable: (error) => error instanceof Flaky,
    onRetry: (error, ms) => told.push([(error as Flaky).message, ms]),
  });
  assertEquals(value, "yes");
  assertEquals(counts, [1, 2, 3, 4]);
  assertEquals(told.map(([message]) => message), ["no 1", "no 2", "no 3"]);
  for (const [at, [, ms]] of told.entries()) {
    const full = [2, 4, 4][at]!;
    assert(ms >= full / 2 && ms <= full, `wait ${at + 1} is ${ms} ms`);
  }
});

Deno.test("retry() throws at once what is not retryable", async () => {
  const { signal } = new AbortController();
  let calls = 0;
  const trying = retry(() => Promise.reject(new Flaky(`call ${++calls}`)), {
    baseMs: NEVER_MS,
    maxMs: NEVER_MS,
    signal,
    retryable: () => false,
  });
  await assertRejects(() => trying, Flaky, "call 1");
  assertEquals(calls, 1);
});

Deno.test("retry() asks anew after each failure whether another may help", async () => {
  const { signal } = new AbortController();
  let calls = 0;
  const trying = retry(() => Promise.reject(new Flaky(`call ${++calls}`)), {
    ...FAST,
    signal,
    retryable: (error) => (error as Flaky).message !== "call 3",
  });
  await assertRejects(() => trying, Flaky, "call 3");
});

Deno.test("retry() throws the failure, not the abort, when it is stopped", async (t) => {
  await t.step("while it waits", async () => {
    const stop = new AbortController();
    const trying = retry(() => Promise.reject(new Flaky("the reason")), {
      baseMs: NEVER_MS,
      maxMs: NEVER_MS,
      signal: stop.signal,
      retryable: () => true,
      onRetry: () => queueMicrotask(() => stop.abort()),
    });
    await assertRejects(() => trying, Flaky, "the reason");
  });
  await t.step("during an attempt", async () => {
    const stop = new AbortController();
    let told = 0;
    const trying = retry(() => {
      stop.abort();
      return Promise.reject(new Flaky("the reason"));
    }, {
      ...FAST,
      signal: stop.signal,
      retryable: () => true,
      onRetry: () => told++,
    });
    await assertRejects(() => trying, Flaky, "the reason");
    assertEquals(told, 0);
  });
});

Deno.test("retry() begins no attempt after its deadline", async (t) => {
  const { signal } = new AbortController();
  const attempts = async (deadlineMs: number) => {
    let calls = 0;
    const trying = retry(() => Promise.reject(new Flaky(`${++calls}`)), {
      baseMs: 4 * SOON_MS,
      maxMs: 4 * SOON_MS,
      signal,
      deadlineMs,
      retryable: () => calls < 20, // Else it would go on for ever.
    });
    await assertRejects(() => trying, Flaky);
    return calls;
  };
  await t.step("nor waits for one", async () => {
    const start = performance.now();
    assertEquals(await attempts(SOON_MS), 1);
    assert(performance.now() - start < SOON_MS);
  });
  await t.step("but one that fits", async () => {
    assert(await attempts(5 * SOON_MS) >= 2);
  });
});

Deno.test("retry() takes whatever is thrown for a failure", async () => {
  const { signal } = new AbortController();
  const seen: unknown[] = [];
  const value = await retry((count) => {
    if (count === 1) throw undefined;
    return Promise.resolve(count);
  }, {
    ...FAST,
    signal,
    retryable: (error) => seen.push(error) > 0,
  });
  assertEquals([value, ...seen], [2, undefined]);
});
