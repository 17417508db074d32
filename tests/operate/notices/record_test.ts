/**
 * Who may send a notice, by its record and in every order of commands.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { claim, settle } from "../../../lib/operate/notices/claims.ts";
import {
  foldNotices,
  noticeKey,
  type Told,
} from "../../../lib/operate/notices/record.ts";
import { stageOf } from "../../../lib/operate/notices/stages.ts";
import { fakeStore, START_MS } from "../../support/notices.ts";

type Row = [name: string, items: unknown[], expected: Partial<Told>];

const at = new Date(START_MS).toISOString();
const claimed = (token: string, rank = 0, over?: string) => ({
  type: "claim",
  to: "slack",
  rank,
  token,
  at,
  ...(over === undefined ? {} : { over }),
});
const sent = (token: string) => ({ type: "sent", token, at });
const failed = (token: string) => ({
  type: "failed",
  token,
  why: "500",
  at,
  again: at,
});
const held = (token: string, rank = 0) => ({ holder: { token, rank } });
const free = { holder: undefined };

const ROWS: Row[] = [
  ["nothing", [], { rank: -1, failures: 0, ...free }],
  ["a claim holds", [claimed("a")], held("a")],
  ["a second claim is void", [claimed("a"), claimed("b")], held("a")],
  [
    "a claim goes over the one that it names",
    [claimed("a"), claimed("b", 0, "a")],
    held("b"),
  ],
  [
    "of two that go over one, the first holds",
    [claimed("a"), claimed("b", 0, "a"), claimed("c", 0, "a")],
    held("b"),
  ],
  [
    "sent ends it",
    [claimed("a"), sent("a")],
    { rank: 0, ...free, failures: 0 },
  ],
  [
    "what was sent is not claimed again",
    [claimed("a"), sent("a"), claimed("b")],
    { rank: 0, ...free },
  ],
  [
    "a later stage is",
    [claimed("a"), sent("a"), claimed("b", 1)],
    { rank: 0, ...held("b", 1) },
  ],
  [
    "an earlier one is not",
    [claimed("a", 2), sent("a"), claimed("b", 1)],
    { rank: 2, ...free },
  ],
  [
    "a failure frees it",
    [claimed("a"), failed("a"), claimed("b")],
    { failures: 1, ...held("b") },
  ],
  [
    "failures add up until one is sent",
    [claimed("a"), failed("a"), claimed("b"), failed("b")],
    { failures: 2, why: "500", againMs: START_MS, ...free },
  ],
  [
    "none is left after it",
    [claimed("a"), failed("a"), claimed("b"), sent("b")],
    { failures: 0, why: "", againMs: 0, rank: 0 },
  ],
  [
    "a failure of a claim that does not hold counts nothing",
    [claimed("a"), claimed("b"), failed("b")],
    { failures: 0, ...held("a") },
  ],
  [
    "sent counts even after somebody went over it, who goes on",
    [claimed("a"), claimed("b", 0, "a"), sent("a")],
    { rank: 0, ...held("b") },
  ],
  [
    "and takes nothing back",
    [claimed("a"), claimed("b", 3, "a"), sent("b"), sent("a")],
    { rank: 3, ...free },
  ],
  [
    "the other channel counts nothing",
    [{ ...claimed("a"), to: "hook" }, sent("a")],
    { rank: -1, ...free },
  ],
  [
    "nor does what cannot be read",
    ["x", 1, null, {}, { type: "claim" }, { ...claimed("a"), rank: "0" }, {
      ...claimed("b"),
      to: "mail",
    }, { ...claimed("x"), pad: "x".repeat(2_000) }],
    { rank: -1, ...free },
  ],
];

for (const [name, items, expected] of ROWS) {
  Deno.test(`the record of notices: ${name}`, () => {
    const told = foldNotices(
      items.map((item) => JSON.stringify(item)),
      "slack",
    );
    const keys = Object.keys(expected) as (keyof Told)[];
    assertEquals(
      Object.fromEntries(keys.map((key) => [key, told[key]])),
      expected,
    );
  });
}

const KEY = noticeKey({ jobId: "a", since: START_MS });
const WANTED = { to: "slack", key: KEY, rank: 0 } as const;
const NOW = { over: undefined, nowMs: START_MS };

Deno.test("claim() looks once more after its own claim", async () => {
  const store = fakeStore();
  const gate = Promise.withResolvers<void>();
  const slow = {
    list: store.list,
    append: async (key: string, item: string) => {
      await gate.promise;
      await store.append(key, item);
    },
  };
  const second = claim(slow, WANTED, NOW);
  const first = await claim(store, WANTED, NOW);
  gate.resolve();
  assertEquals(first.state, "mine");
  assertEquals((await second).state, "held");
});

Deno.test("claim() gives what was told to nobody, at the cost of one read", async () => {
  const store = fakeStore();
  const first = await claim(store, WANTED, NOW);
  if (first.state !== "mine") throw new Error(first.state);
  await settle(store, { key: KEY, token: first.token }, undefined, START_MS);
  let calls = 0;
  store.before = () => Promise.resolve(void calls++);
  assertEquals(await claim(store, WANTED, NOW), { state: "told", rank: 0 });
  assertEquals(calls, 1);
});

Deno.test("claim() waits at most 15 min for what another clock says", async () => {
  for (
    const [waitMs, state] of [[900_000, "later"], [900_001, "mine"]] as const
  ) {
    const store = fakeStore();
    const first = await claim(store, WANTED, NOW);
    if (first.state !== "mine") throw new Error(first.state);
    const ended = { why: "500", againMs: START_MS + waitMs };
    await settle(store, { key: KEY, token: first.token }, ended, START_MS);
    assertEquals((await claim(store, WANTED, NOW)).state, state);
  }
});

Deno.test("claim() gives a notice to one of four desks in 500 random orders", async () => {
  let seed = 1;
  const random = () => (seed = seed * 48_271 % 2_147_483_647) / 2_147_483_647;
  for (let round = 0; round < 500; round++) {
    const store = fakeStore();
    const waiting: (() => void)[] = [];
    store.before = () => new Promise((resolve) => waiting.push(resolve));
    let running = 4;
    const claims = Array.from({ length: running }, async () => {
      const found = await claim(store, WANTED, NOW);
      running--;
      return found.state;
    });
    while (running > 0) {
      const [next] = waiting.splice(Math.floor(random() * waiting.length), 1);
      next?.();
      await Promise.resolve();
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    }
    const states = (await Promise.all(claims)).toSorted();
    assertEquals(states, ["held", "held", "held", "mine"], `round ${round}`);
  }
});

const MINUTE_MS = 60_000;

Deno.test("an approval with little time has its last notice after three quarters of it", () => {
  const waited = {
    sinceMs: START_MS,
    untilMs: START_MS + 8 * MINUTE_MS,
    approvable: true,
  };
  const at = (minutes: number, untilMs: number | undefined = waited.untilMs) =>
    stageOf({ ...waited, untilMs }, [5], START_MS + minutes * MINUTE_MS)?.kind;
  assertEquals([at(4.9), at(5), at(5.9), at(6)], [
    "new",
    "reminder",
    "reminder",
    "last",
  ]);
  // Not that of the shift after next.
  assertEquals(at(48, START_MS + 60 * MINUTE_MS), "reminder");
  assertEquals(at(50, START_MS + 60 * MINUTE_MS), "last");
});
