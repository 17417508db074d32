/**
 * The runner with collectors made for these tests.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type ApiStandIn, startApi } from "../../deploy/standins/api.ts";
import { url } from "../../lib/base/config.ts";
import { delay } from "../../lib/base/time.ts";
import type {
  Collector,
  CollectorIo,
  Finding,
  Question,
} from "../../lib/evidence/collector.ts";
import {
  ANSWER_BYTES_MAX,
  pathOf,
  REQUESTS_MAX,
} from "../../lib/evidence/connection.ts";
import { QUESTIONS_MAX } from "../../lib/evidence/run_collectors.ts";
import { collect } from "../support/collecting.ts";

type Ask = (question: Question, io: CollectorIo) => AsyncIterable<Finding>;

/** A collector that asks one question unless it is told otherwise. */
function make(
  name: string,
  ask: Ask,
  questions: readonly Partial<Question>[] | string = [{}],
): Collector {
  const settings = {
    base: url("BASE", { about: "where", fallback: "http://x" }),
  };
  return {
    name,
    title: name.toUpperCase(),
    settings,
    isOn: () => true,
    reach: () => [],
    connect: (config) => ({
      title: name.toUpperCase(),
      url: `${config["base"]}`,
    }),
    questions: () =>
      typeof questions === "string"
        ? questions
        : questions.map((given, at) => ({
          id: `q${at}`,
          what: `question ${at}`,
          rank: 1,
          kind: "state",
          ...given,
        })),
    ask,
    check: () => Promise.resolve({ says: "fine" }),
  };
}

const found = (title: string): Finding => ({ piece: { title, value: title } });
const NO_ENV = {};

Deno.test("runCollectors() tells found, nothing, failed, off and unconcerned apart", async () => {
  const off = { ...make("off", async function* () {}), isOn: () => false };
  const result = await collect([
    make("a", async function* () {
      yield found("A");
    }),
    make("b", async function* () {
      yield { nothing: "none there" };
    }),
    make("c", async function* () {
      yield { gap: { what: "all", why: "closed", kind: "refused" } };
    }),
    off,
    make("e", async function* () {}, "it names no repository"),
  ], { env: NO_ENV });
  assertEquals(result.lookups, [
    {
      collector: "a",
      question: "question 0",
      state: "found",
      evidence: ["a/q0"],
    },
    {
      collector: "b",
      question: "question 0",
      state: "nothing",
      why: "none there",
    },
    { collector: "c", question: "question 0", state: "failed", why: "closed" },
    { collector: "off", state: "off", why: "not set up" },
    { collector: "e", state: "unconcerned", why: "it names no repository" },
  ]);
  assertEquals(result.gaps, [{ what: "all", why: "closed", kind: "refused" }]);
  assertEquals(result.pieces.map(({ kind, title }) => [kind, title]), [
    ["a.q0", "A"],
  ]);
});

Deno.test("runCollectors() orders by rank, whatever comes first", async () => {
  const slow = (ms: number, title: string): Ask =>
    async function* () {
      await delay(ms);
      yield found(title);
    };
  const collectors = [
    make("late", slow(30, "second"), [{ rank: 2 }]),
    make("early", slow(0, "third"), [{ rank: 2 }]),
    make("best", slow(60, "first"), [{ rank: 1 }]),
  ];
  const results = [
    await collect(collectors, { env: NO_ENV }),
    await collect(collectors, { env: NO_ENV }),
  ];
  assertEquals(results[0], results[1]);
  assertEquals(results[0]!.pieces.map(({ title }) => title), [
    "first",
    "second",
    "third",
  ]);
});

Deno.test("runCollectors() keeps what came before the time was over, and says so", async () => {
  const result = await collect([
    make("stuck", async function* () {
      yield found("half of it");
      await new Promise(() => {});
    }),
    make("quick", async function* () {
      yield found("whole");
    }),
  ], { env: NO_ENV, timeMs: 50 });
  assertEquals(result.pieces.map(({ title }) => title), [
    "half of it",
    "whole",
  ]);
  assertEquals(result.gaps, [{
    what: "question 0",
    why: "STUCK did not finish within 0.05 s",
    kind: "late",
  }]);
});

Deno.test("runCollectors() takes a collector's own error for a gap, and logs it", async () => {
  const log: string[] = [];
  const result = await collect(
    make("wrong", async function* () {
      yield found("before");
      throw new TypeError("undefined is not iterable");
    }),
    { env: NO_ENV, log },
  );
  assertEquals(result.pieces.length, 1);
  assertEquals(result.gaps.map(({ kind }) => kind), ["broken"]);
  assertMatch(log.join("\n"), /A collector failed.*wrong/);
});

Deno.test("runCollectors() ends with the job", async () => {
  const abort = new AbortController();
  const running = collect(
    make("stuck", async function* () {
      await new Promise(() => {});
      yield found("never");
    }),
    { env: NO_ENV, signal: abort.signal },
  );
  abort.abort(new Error("the job was cancelled"));
  await assertRejects(() => running, Error, "the job was cancelled");
});

Deno.test("runCollectors() asks at most so many questions, the best first", async () => {
  const many = Array.from({ length: 20 }, (_, at) => ({ rank: 20 - at }));
  const asked: string[] = [];
  const result = await collect(
    make("many", async function* ({ id }) {
      asked.push(id);
      yield { nothing: "nothing" };
    }, many),
    { env: NO_ENV },
  );
  assertEquals(asked.length, QUESTIONS_MAX);
  assertEquals(asked[0], "q19");
  assertEquals(result.gaps.length, 20 - QUESTIONS_MAX);
  assertEquals(result.gaps[0]!.kind, "limited");
});

Deno.test("runCollectors() redacts pieces, facts, moments, titles and reasons", async () => {
  const secret = `ghp_${"aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC2"}`;
  const result = await collect(
    make("leaky", async function* () {
      yield {
        piece: { title: `token ${secret}`, value: { deep: [secret] } },
        facts: [
          { name: "log", value: `used ${secret}` },
          { name: "password", value: "hunter2-is-mine" },
        ],
        timeline: [{ at: "2026-01-15T09:00:00Z", text: `saw ${secret}` }],
      };
      yield { gap: { what: `of ${secret}`, why: `since ${secret}` } };
    }),
    { env: NO_ENV },
  );
  const text = JSON.stringify(result);
  assert(!text.includes("ghp_aB3"), text);
  assert(!text.includes("hunter2"), text);
  assertMatch(text, /\[secret:[a-z-]+#1\]/);
});

/** An API that counts the requests that are open at the same time. */
function startCounting(): { api: ApiStandIn; most: () => number } {
  let open = 0;
  let most = 0;
  const api = startApi({
    routes: {
      "/:any*": async () => {
        most = Math.max(most, ++open);
        await delay(10);
        open--;
        return { ok: true };
      },
    },
  });
  return { api, most: () => most };
}

Deno.test("a host gets two requests at a time, from all collectors together", async () => {
  const { api, most } = startCounting();
  await using _api = api;
  const ask: Ask = async function* (_, io) {
    await Promise.all(Array.from({ length: 4 }, () => io.get("/x")));
    yield { nothing: "fine" };
  };
  const two = [make("one", ask), make("two", ask)];
  await collect(two, { env: { BASE: api.url } });
  assertEquals([most(), api.asked.length], [2, 8]);
});

Deno.test("a collector sends a bounded number of requests", async () => {
  const { api } = startCounting();
  await using _api = api;
  const result = await collect(
    make("eager", async function* (_, io) {
      for (let page = 0; page < 100; page++) await io.get(`/p/${page}`);
      yield found("never");
    }),
    { env: { BASE: api.url } },
  );
  assertEquals(api.asked.length, REQUESTS_MAX);
  assertEquals(result.gaps, [{
    what: "question 0",
    why: `EAGER was asked ${REQUESTS_MAX} times`,
    kind: "cut",
  }]);
});

Deno.test("a request keeps its query's order, its path below the address, and its headers", async () => {
  const headers: Headers[] = [];
  await using api = startApi({
    routes: {
      "/base/api/:id": ({ headers: given, part }) => {
        headers.push(given);
        return part;
      },
    },
  });
  let value: unknown;
  await collect(
    make("plain", async function* (_, io) {
      ({ value } = await io.get(pathOf`/api/${"a/b?c#d e"}`, {
        query: [["b", "2"], ["a", "1 +"], ["none", undefined]],
      }));
      yield { nothing: "fine" };
    }),
    { env: { BASE: `${api.url}/base` } },
  );
  assertEquals(value, { id: "a/b?c#d e" });
  assertEquals(api.asked, ["/base/api/a%2Fb%3Fc%23d%20e?b=2&a=1+%2B"]);
  assertEquals(headers[0]!.get("user-agent"), "incident-enricher");
});

Deno.test("a redirect is not followed, and its place is not told", async () => {
  const elsewhere = startCounting().api;
  await using _elsewhere = elsewhere;
  for (
    const location of [`${elsewhere.url}/x?token=t`, "/other", "//x.example"]
  ) {
    await using api = startApi({
      routes: {
        "/x": () =>
          new Response(null, { status: 307, headers: { Location: location } }),
      },
    });
    const { gaps } = await collect(
      make("moved", async function* (_, io) {
        await io.get("/x", { headers: { Authorization: "Bearer t0ken" } });
        yield found("never");
      }),
      { env: { BASE: api.url } },
    );
    assertEquals(gaps.map(({ why }) => why), ["MOVED answered 307"]);
    assertEquals([api.asked, elsewhere.asked], [["/x"], []]);
  }
});

for (const part of ["", ".", ".."]) {
  Deno.test(`pathOf() refuses a part that leads elsewhere: "${part}"`, () => {
    let error: unknown;
    try {
      pathOf`/repos/${part}/x`;
    } catch (caught) {
      error = caught;
    }
    assertMatch(String(error), /not one to ask for/);
  });
}

Deno.test("a 429 is waited for only if that fits", async () => {
  await using api = startApi({
    routes: { "/x": () => ({}) },
    reset: { "Retry-After": "30" },
  });
  api.fault = "429 with reset";
  const started = performance.now();
  const result = await collect(
    make("limited", async function* (_, io) {
      await io.get("/x");
      yield found("never");
    }),
    { env: { BASE: api.url }, timeMs: 1_000 },
  );
  assert(performance.now() - started < 900, "it waited");
  assertEquals([api.asked.length, result.gaps[0]!.kind], [1, "limited"]);
});

Deno.test("an answer longer than the bound is a gap, and is not read to its end", async () => {
  await using api = startApi({
    routes: { "/x": () => ({ long: "x".repeat(ANSWER_BYTES_MAX) }) },
  });
  const result = await collect(
    make("long", async function* (_, io) {
      await io.get("/x");
      yield found("never");
    }),
    { env: { BASE: api.url } },
  );
  assertEquals(result.gaps[0]!.kind, "cut");
});

Deno.test("runCollectors() removes what nobody can see, before it redacts", async () => {
  const hidden = "pass\u200bword=hunter2-\u202eis-mine";
  const result = await collect(
    make("hidden", async function* () {
      yield {
        piece: { title: "a\u200bb", value: { [hidden]: hidden } },
        facts: [{ name: "log", value: hidden }],
        timeline: [{ at: "2026-01-15T09:00:00Z", text: hidden }],
      };
      yield { gap: { what: "c\u202ed", why: "e\u{e0041}f" } };
    }),
    { env: NO_ENV },
  );
  const text = JSON.stringify(result);
  assert(!/[\u200b\u202e\u{e0041}]/u.test(text), text);
  assert(!text.includes("hunter2"), text);
});

Deno.test("runCollectors() asks the others if one cannot tell what to ask", async () => {
  const log: string[] = [];
  const wrong = make("wrong", async function* () {
    yield found("never");
  });
  const result = await collect([
    {
      ...wrong,
      questions: () => {
        throw new TypeError("undefined is not iterable");
      },
    },
    make("right", async function* () {
      yield found("right");
    }),
  ], { env: NO_ENV, log });
  assertEquals(result.lookups.map(({ state }) => state), [
    "found",
    "unconcerned",
  ]);
  assertMatch(log.join(), /A collector failed.*wrong/);
});
