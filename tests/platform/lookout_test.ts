/**
 * What a worker finds out about its surroundings, and where it says so.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { startRedisServer } from "../../deploy/devcore/redis_server.ts";
import { createLog } from "../../lib/base/log.ts";
import { lookForTwin } from "../../lib/platform/instance.ts";
import { lookAtRouting } from "../../lib/platform/routing.ts";
import {
  connectStore,
  lookAtStore,
  StoreError,
} from "../../lib/platform/store.ts";
import { type Look, Lookout } from "../../lib/platform/lookout.ts";
import { until } from "../support/until.ts";

const { signal } = new AbortController();

/** A lookout that looks every millisecond. */
function startLookout(looks: Record<string, Look>, lookMs = 1_000) {
  const lines: string[] = [];
  const log = createLog({}, {
    write(line) {
      const { level, msg, part } = JSON.parse(line);
      lines.push(`${level} ${part}: ${msg}`);
    },
  });
  const lookout = new Lookout({ log, looks, signal, everyMs: 1, lookMs });
  return Object.assign(lookout, { lines });
}

Deno.test("Lookout says a problem once in the log, and as long as it lasts", async () => {
  let looks = 0;
  let found: string | undefined = "no way";
  const look = () => Promise.resolve((looks++, found));
  await using lookout = startLookout({ road: look });
  await until("several looks", () => looks > 3);
  assertEquals(lookout.problem("road"), "no way");
  assertEquals(lookout.problem("rail"), undefined);
  found = "slow";
  await until("the other problem", () => lookout.problem("road") === "slow");
  found = undefined;
  await until("the end of it", () => lookout.problem("road") === undefined);
  assertEquals(lookout.lines, [
    "error road: Not ready: no way",
    "error road: Not ready: slow",
    "info road: A problem is gone",
  ]);
});

Deno.test("Lookout keeps its last finding when it cannot know", async () => {
  let looks = 0;
  await using lookout = startLookout({
    road: () =>
      ++looks === 1
        ? Promise.resolve("no way")
        : Promise.reject(new Error("?")),
  });
  await until("several looks", () => looks > 3);
  assertEquals(lookout.problem("road"), "no way");
  assertEquals(lookout.lines.length, 1);
});

Deno.test("Lookout goes on when one look hangs", async () => {
  const aborted: string[] = [];
  await using lookout = startLookout({
    road: (signal) =>
      new Promise(() => {
        signal.addEventListener("abort", () => aborted.push("road"));
      }),
    rail: () => Promise.resolve("no train"),
  }, 20);
  await until("the other finding", () => lookout.problem("rail"));
  await until("the hanging look to be asked again", () => aborted.length > 1);
  assertEquals(lookout.problem("road"), undefined);
});

Deno.test("Lookout forgets what is noted for a time", async () => {
  await using lookout = startLookout({});
  lookout.note("slack", "no URL", 60_000);
  lookout.note("slack", "no URL", 60_000);
  assertEquals(lookout.problem("slack"), "no URL");
  assertEquals(lookout.lines.length, 1);
  lookout.note("slack", "no URL", -1);
  assertEquals(lookout.problem("slack"), undefined);
});

Deno.test("lookForTwin() finds two live processes with one id, and no more", async (t) => {
  let nowMs = Date.now();
  await using redis = await startRedisServer({ clock: () => nowMs });
  await using store = await connectStore({
    url: redis.url,
    name: "test",
    log: createLog({}, { write() {} }),
    signal,
  });
  const start = (id = "w-1") => lookForTwin(store, id);
  const [a, other] = [start(), start("w-2")];
  await t.step("none beside the only one", async () => {
    for (let i = 0; i < 4; i++) assertEquals(await a(signal), undefined);
    assertEquals(await other(signal), undefined);
  });

  const b = start();
  await t.step("none after a kill and a restart", async () => {
    for (let i = 0; i < 4; i++) assertEquals(await b(signal), undefined);
  });

  const c = start();
  await t.step("none when a restart overlaps for one look", async () => {
    assertEquals(await c(signal), undefined);
    assertEquals(await b(signal), undefined);
    for (let i = 0; i < 3; i++) assertEquals(await c(signal), undefined);
  });

  await t.step("both say so while both are alive", async () => {
    const d = start();
    for (let i = 0; i < 3; i++) for (const one of [c, d]) await one(signal);
    for (const one of [c, d]) {
      assertStringIncludes(await one(signal) ?? "", 'WORKER_ID "w-1"');
    }
    assertStringIncludes(await c(signal) ?? "", "each process needs its own");
  });

  await t.step("no longer than the other one lives", async () => {
    assertEquals(await c(signal), undefined);
  });

  await t.step("its key does not outlive it", async () => {
    const read = () => store.read("incident-enricher:worker:w-1", 99, signal);
    assert(await read() !== undefined);
    nowMs += 31_000;
    assertEquals(await read(), undefined);
  });
});

const TOPIC = "job.incident-enricher.post";
const POOL = "incident-enricher-post";

function snapshot(topics: unknown, ageMs = 0): string {
  const captured_at = new Date(Date.now() - ageMs).toISOString();
  return JSON.stringify({ captured_at, topics });
}

const WRONG = `routing sends ${TOPIC} to the pool "other", and this worker ` +
  `is in "${POOL}", so it gets no jobs; unset WORKER_POOL, or set it to the pool`;
const OTHER = snapshot({ [TOPIC]: { pool: "other" } });
const pools = (value: unknown) => ({ pools: { topics: { [TOPIC]: value } } });
/** As Cordum of January wraps it. */
const document = (data: unknown) => ({ scope: "system", revision: 1, data });
const denied = new Error("403");

type Row = [
  name: string,
  text: string | undefined,
  config: unknown,
  problem: string | undefined,
];
const ROUTES: Row[] = [
  ["to its pool", snapshot({ [TOPIC]: { pool: POOL } }), denied, undefined],
  ["to another pool", OTHER, denied, WRONG],
  ["to another pool only", OTHER, document(pools(["other"])), WRONG],
  ["to several pools", OTHER, document(pools(["other", POOL])), undefined],
  ["to several pools of 1.0", OTHER, pools(["other", POOL]), undefined],
  ["to another pool, says only 1.0", undefined, pools("other"), WRONG],
  ["to its pool, says only 1.0", undefined, pools(POOL), undefined],
  ["nowhere", snapshot({}), document({ pools: {} }), undefined],
  ["nowhere anybody knows of", snapshot({}), denied, undefined],
  ["by no snapshot", undefined, denied, undefined],
  ["by a snapshot that is none", "{}", denied, undefined],
  ["by no JSON", "{", denied, undefined],
  [
    "by an old snapshot",
    snapshot({ [TOPIC]: { pool: "other" } }, 61_000),
    denied,
    undefined,
  ],
];
for (const [name, text, config, problem] of ROUTES) {
  Deno.test(`lookAtRouting() of a topic routed ${name}`, async () => {
    const look = lookAtRouting({
      topic: TOPIC,
      pool: POOL,
      store: { read: () => Promise.resolve(text) },
      gateway: {
        call: () =>
          config === denied ? Promise.reject(denied) : Promise.resolve(config),
      },
    });
    assertEquals(await look(signal), problem);
  });
}

Deno.test("lookAtRouting() asks the gateway only before it objects, and seldom", async () => {
  let calls = 0;
  let text = snapshot({ [TOPIC]: { pool: POOL } });
  const look = lookAtRouting({
    topic: TOPIC,
    pool: POOL,
    store: { read: () => Promise.resolve(text) },
    gateway: {
      call: () => Promise.resolve((calls++, { data: pools("other") })),
    },
  });
  for (let i = 0; i < 3; i++) await look(signal);
  assertEquals(calls, 0);
  text = OTHER;
  for (let i = 0; i < 3; i++) assertEquals(await look(signal), WRONG);
  assertEquals(calls, 1);
});

Deno.test("lookAtStore() tells a Redis that refuses from one that is silent", async () => {
  const look = (read: () => Promise<undefined>) =>
    lookAtStore({ read })(signal);
  const fail = (kind: StoreError["kind"]) => () =>
    Promise.reject(new StoreError(kind, "words"));
  assertEquals(await look(() => Promise.resolve(undefined)), undefined);
  assertEquals(await look(fail("refused")), undefined);
  assertEquals(await look(fail("unavailable")), "Redis does not answer");
  assertEquals(
    await look(() => new Promise(() => {})),
    "Redis does not answer",
  );
});
