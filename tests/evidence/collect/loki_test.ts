import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  type FakeStream,
  startLokiApi,
} from "../../../deploy/standins/loki.ts";
import { loki } from "../../../lib/evidence/collect/loki.ts";
import {
  collect,
  factsOf,
  incidentWith,
  openIo,
  statesOf,
  testFaults,
} from "../../support/collecting.ts";

const env = (url: string) => ({ LOKI_URL: url });
/** Nanoseconds of a time of the day. */
const at = (clock: string, ns = "000000000") =>
  `${Date.parse(`2026-01-15T${clock}Z`) / 1000}${ns}`;

const APP: FakeStream = {
  stream: { namespace: "shop", app: "checkout", pod: "checkout-a" },
  lines: [
    [at("08:40:00"), "error: cart 17 is empty"],
    [at("09:26:00"), "error: cart 4711 is empty"],
    [at("09:27:00"), "info: all is well"],
    [at("09:31:02"), "error: no connection to 10.0.0.7:5432 after 250 ms"],
    [at("09:31:04"), "error: no connection to 10.0.0.8:5432 after 251 ms"],
  ],
};

testFaults({
  collector: loki,
  start: () => startLokiApi({ streams: [APP] }),
  env,
});

Deno.test("loki: error lines are grouped, and what the hour before lacks is new", async () => {
  await using api = startLokiApi({ streams: [APP] });
  const found = await collect(loki, { env: env(api.url) });
  assertEquals(api.mistakes, []);
  assertEquals(api.asked.length, 2);
  assertEquals(factsOf(found), [
    "error lines: 3 of 2 kinds, 1 of them new against the hour before",
    "new error: error: no connection to 10.0.0.7:5432 after 250 ms ×2, first 09:31:02 UTC",
    "error as before: error: cart 4711 is empty ×1, first 09:26:00 UTC",
  ]);
  assertEquals(found.facts.map(({ health }) => health), [
    undefined,
    "ill",
    undefined,
  ]);
  assertEquals(found.timeline.map(({ at, kind, text }) => [at, kind, text]), [[
    "2026-01-15T09:31:02.000Z",
    "log",
    "New error in the logs: error: no connection to 10.0.0.7:5432 after 250 ms",
  ]]);
  assertEquals(found.gaps, []);
});

const queriesOf = (asked: readonly string[]) =>
  asked.map((path) => new URL(path, "http://l").searchParams);

Deno.test("loki: it asks forward from five minutes before the start, then for the hour before that", async () => {
  await using api = startLokiApi({ streams: [APP] });
  await collect(loki, { env: env(api.url) });
  const asked = queriesOf(api.asked).map((query) =>
    ["start", "end", "limit", "direction"].map((name) => query.get(name))
  );
  assertEquals(asked, [
    [at("09:25:00"), at("10:00:00"), "100", "forward"],
    [at("08:25:00"), at("09:25:00"), "500", "backward"],
  ]);
});

Deno.test("loki: no more than an hour after the start is read", async () => {
  await using api = startLokiApi({ streams: [APP] });
  await collect(loki, {
    env: env(api.url),
    subject: { startedAt: "2026-01-15T03:00:00.000Z" },
  });
  const [query] = queriesOf(api.asked);
  assertEquals([query!.get("start"), query!.get("end")], [
    at("02:55:00"),
    at("04:00:00"),
  ]);
});

Deno.test("loki: without an error line it says where it looked", async () => {
  await using api = startLokiApi({ streams: [{ ...APP, lines: [] }] });
  const found = await collect(loki, { env: env(api.url) });
  assertEquals(statesOf(found), [
    'nothing: no error line under {namespace="shop", app="checkout"}, or no such labels',
  ]);
  assertEquals(api.asked.length, 1);
});

Deno.test("loki: the selector follows from the labels, each value quoted", async () => {
  const cases: [Record<string, string>, string][] = [
    [{ namespace: "shop" }, '{namespace="shop"}'],
    [{ namespace: "shop", app: "a" }, '{namespace="shop", app="a"}'],
    [
      { namespace: "shop", container: "c", pod: "p" },
      '{namespace="shop", pod="p", container="c"}',
    ],
    [
      { namespace: "shop", pod: "a-5b8c7d9f4c-bcdf2" },
      '{namespace="shop", pod=~"a-.+"}',
    ],
    // A machine is no app.
    [{ namespace: "shop", node: "n1" }, '{namespace="shop"}'],
    [{ namespace: "shop", pod: "p-0" }, '{namespace="shop", pod="p-0"}'],
    [{ service: "checkout" }, '{app="checkout"}'],
    [{ app: 'x"} |= `y`' }, '{app="x\\"} |= `y`"}'],
  ];
  for (const [labels, selector] of cases) {
    await using api = startLokiApi({ streams: [APP] });
    const incident = incidentWith(labels);
    await collect(loki, { env: env(api.url), incident });
    const query = queriesOf(api.asked)[0]!.get("query")!;
    assertEquals(query.split(" |~ `(?i)(")[0], selector);
  }
  await using api = startLokiApi({ streams: [APP] });
  const incident = incidentWith({ namespace: "shop", deployment: "a.b" });
  await collect(loki, { env: env(api.url), incident });
  const like = /pod=~("(?:[^"\\]|\\.)*")/.exec(
    queriesOf(api.asked)[0]!.get("query")!,
  )![1]!;
  const pattern = new RegExp(`^(?:${JSON.parse(like)})$`);
  assert(pattern.test("a.b-5b8c-x") && !pattern.test("aXb-5b8c-x"));
});

Deno.test("loki: the catalogue's selector is used, and its own filter if it has one", async () => {
  const ask = async (logs: string) => {
    await using api = startLokiApi({ streams: [APP] });
    const found = await collect(loki, {
      env: env(api.url),
      subject: {
        entry: { name: "checkout", match: { service: "checkout" }, logs },
      },
    });
    assertEquals(JSON.parse(found.pieces[0]!.content).catalog, "checkout");
    return queriesOf(api.asked)[0]!.get("query")!;
  };
  assertMatch(
    await ask('{app="checkout"}'),
    /^\{app="checkout"\} \|~ `\(\?i\)/,
  );
  assertEquals(
    await ask('{app="checkout"} |= "error"'),
    '{app="checkout"} |= "error"',
  );
});

Deno.test("loki: without any label it is not concerned, and says what would help", async () => {
  await using api = startLokiApi();
  const found = await collect(loki, {
    env: env(api.url),
    incident: incidentWith({}),
  });
  assertEquals(statesOf(found), [
    "unconcerned: no log stream is known: alerts need a label such as namespace or app, or the catalogue's entry logs",
  ]);
  assertEquals(api.asked, []);
});

Deno.test("loki: lines of several streams are merged by the nanosecond, whatever else a pair holds", async () => {
  const stream = (pod: string, lines: FakeStream["lines"]) => ({
    stream: { ...APP.stream, pod },
    lines,
  });
  const streams = [
    stream("b", [[at("09:31:00", "000000002"), "error b"]]),
    stream("a", [
      [at("09:31:00", "000000001"), "error a"],
      [at("09:31:00", "000000003"), "error c"],
    ]),
  ];
  await using api = startLokiApi({ streams, metadata: true });
  const found = await collect(loki, { env: env(api.url) });
  const { lines } = JSON.parse(found.pieces[0]!.content);
  assertEquals(lines.map(({ text }: { text: string }) => text), [
    "error a",
    "error b",
    "error c",
  ]);
  await using other = startLokiApi({ streams: streams.toReversed() });
  assertEquals(await collect(loki, { env: env(other.url) }), found);
});

Deno.test("loki: noise of before the start hides nothing that comes after it", async () => {
  const noise = Array.from({ length: 400 }, (_, nth): [string, string] => [
    `${BigInt(at("09:24:00")) + BigInt(nth) * 500_000_000n}`,
    `error: request ${nth} refused`,
  ]);
  const lines = [...noise, [at("09:30:30"), "error: no disk"] as const];
  await using api = startLokiApi({ streams: [{ ...APP, lines }] });
  const found = await collect(loki, { env: env(api.url) });
  assertEquals(factsOf(found), [
    "error lines: 101 of 2 kinds, 1 of them new against the hour before",
    "new error: error: no disk ×1, first 09:30:30 UTC",
    "error as before: error: request 120 refused ×100, first 09:25:00 UTC",
  ]);
  assertEquals(found.gaps.map(({ why, got }) => [why, got]), [
    [
      "only the first 100 of 5 min before the start, and 100 since are read",
      101,
    ],
  ]);
  const [, second] = queriesOf(api.asked);
  assertEquals(second!.get("start"), at("09:30:00"));
  // An incident of this moment has no time after its start.
  await using other = startLokiApi({ streams: [{ ...APP, lines }] });
  const at0 = await collect(loki, {
    env: env(other.url),
    now: new Date("2026-01-15T09:30:00Z"),
  });
  assertEquals(at0.gaps.map(({ why }) => why), ["only the first 100 are read"]);
});

Deno.test("loki: of many lines the first hundred count, and both cuts are said", async () => {
  const lines = Array.from({ length: 10_000 }, (_, nth): [string, string] => [
    `${BigInt(at("08:30:00")) + BigInt(nth) * 500_000_000n}`,
    `error ${nth}`,
  ]);
  await using api = startLokiApi({ streams: [{ ...APP, lines }] });
  const found = await collect(loki, { env: env(api.url) });
  assertEquals(
    found.gaps.map(({ what, kind, got }) => [what, kind, got]),
    [
      ["error lines", "cut", 200],
      ["error lines of the hour before", "cut", 500],
    ],
  );
  assertEquals(factsOf(found), [
    "error lines: 200 of 1 kind, 0 of them new against the hour before",
    "error as before: error 6600 ×200, first 09:25:00 UTC",
  ]);
});

Deno.test("loki: a check reads the labels", async () => {
  await using api = startLokiApi({ streams: [APP] });
  assertEquals(
    (await loki.check(openIo(loki, env(api.url)))).says,
    "Loki with 3 labels",
  );
});

Deno.test("loki: an API that ignores the limit is cut to it", async () => {
  const values = Array.from({ length: 10_000 }, (_, nth) => [
    `${BigInt(at("09:40:00")) - BigInt(nth)}`,
    `error ${nth}`,
  ]);
  await using api = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () =>
      Response.json({
        status: "success",
        data: { resultType: "streams", result: [{ stream: {}, values }] },
      }),
  );
  const found = await collect(loki, {
    env: env(`http://127.0.0.1:${api.addr.port}`),
  });
  assertEquals(found.gaps.map(({ got }) => got), [100, 500]);
  assert(found.pieces[0]!.content.length < 10_000);
});

Deno.test("loki: without the hour before, the lines are kept and none is called new", async () => {
  await using api = startLokiApi({ streams: [APP] });
  let asked = 0;
  api.fault = "500";
  api.faultOn = () => ++asked > 1;
  const found = await collect(loki, { env: env(api.url) });
  assertEquals(statesOf(found), ["found"]);
  assertEquals(found.gaps.map(({ kind }) => kind), ["broken"]);
  assertEquals(factsOf(found).map((fact) => fact.split(":")[0]), [
    "error lines",
    "error",
    "error",
  ]);
  assert(!JSON.stringify(found.facts).includes("new"));
  assertEquals(
    JSON.parse(found.pieces[0]!.content).groups[0].is_new,
    undefined,
  );
});

Deno.test("loki: an hour before that does not come in time leaves the lines", async () => {
  await using api = startLokiApi({ streams: [APP] });
  let asked = 0;
  api.fault = "silent";
  api.faultOn = () => ++asked > 1;
  const found = await collect(loki, { env: env(api.url), timeMs: 500 });
  assertEquals(statesOf(found), ["found"]);
  assertEquals(found.gaps.map(({ kind }) => kind), ["late"]);
});

Deno.test("loki: a tenant and a user are sent; without the tenant, Loki's own words are the gap", async () => {
  await using api = startLokiApi({ streams: [APP], tenant: "team-a" });
  const refused = await collect(loki, { env: env(api.url) });
  assertEquals(refused.gaps.map(({ kind, why }) => [kind, why]), [
    ["refused", "Loki answered 401 (no org id)"],
  ]);
  const given = { ...env(api.url), LOKI_TENANT: "team-a" };
  assertEquals(statesOf(await collect(loki, { env: given })), ["found"]);

  const seen: (string | null)[] = [];
  await using proxy = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    ({ headers }) => {
      seen.push(headers.get("authorization"));
      return new Response("query blocked by policy", { status: 400 });
    },
  );
  const url = `http://127.0.0.1:${proxy.addr.port}`;
  for (
    const more of [
      {},
      { LOKI_TOKEN: "t" },
      { LOKI_TOKEN: "t", LOKI_USERNAME: "ada", LOKI_PASSWORD: "p" },
    ] as Record<string, string>[]
  ) {
    const found = await collect(loki, { env: { ...env(url), ...more } });
    assertEquals(
      found.gaps[0]!.why,
      "Loki answered 400 (query blocked by policy)",
    );
  }
  assertEquals(seen, [null, "Bearer t", `Basic ${btoa("ada:p")}`]);
});

Deno.test("loki: of a credential in a line no part is left, wherever the line is cut", async () => {
  const secret = `ghp_${"aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC2"}`;
  // Around each length that lines and examples are cut to.
  for (const length of [250, 500]) {
    for (let before = length - 70; before < length; before += 3) {
      const line = `error ${"x ".repeat(before / 2)}${secret} ada@shop.example`;
      await using api = startLokiApi({
        streams: [{ ...APP, lines: [[at("09:31:00"), line]] }],
      });
      const found = await collect(loki, { env: env(api.url) });
      assertEquals(found.lookups.map(({ state }) => state), ["found"]);
      const all = JSON.stringify(found);
      for (let from = 0; from + 4 <= secret.length; from++) {
        const part = secret.slice(from, from + 4);
        assert(!all.includes(part), `${part} of ${before} in ${length}`);
      }
      assert(!all.includes("shop.example"));
    }
  }
});

Deno.test("loki: hostile lines and shapes stay bounded", async () => {
  const evil = "error \u202e<!channel>\u0000" + "x".repeat(20_000);
  const values = [
    null,
    [],
    [1, "error"],
    ["12", "error"],
    [`${at("09:31:00")}`, { a: 1 }],
    [`${at("09:31:00")}0`, "error"],
    ...Array.from({ length: 40 }, (_, nth) => [
      at("09:31:00"),
      `${"abcdefghijklmnopqrstuvwxyz"[nth % 26]}${"y".repeat(nth)} ${evil}`,
    ]),
  ];
  await using api = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () =>
      Response.json({
        data: {
          resultType: "streams",
          result: [null, { values: 7 }, { stream: 1, values }],
        },
      }),
  );
  const found = await collect(loki, {
    env: env(`http://127.0.0.1:${api.addr.port}`),
  });
  const size = JSON.stringify(found).length;
  assert(size < 60_000, `${size}`);
  assertMatch(factsOf(found)[0]!, /^error lines: 40 of 40 kinds/);
});
