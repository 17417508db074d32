/**
 * The benchmarks: that they count right. How fast anything is, no test asks.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { createHmac } from "node:crypto";
import { makeDeliveries } from "./bench/deliveries.ts";
import {
  benchIngester,
  type CellResult,
  CELLS,
  judge,
  renderResults,
} from "./bench/ingester.ts";
import { findSlow } from "./bench/summary.ts";
import { percentile, runLoad } from "./bench/load.ts";
import { call, type CommandRun } from "../support/command.ts";
import { runTask } from "../support/task.ts";
import { benchDesk, findSlowDesk, renderDesk } from "./bench/desk.ts";
import { benchOf } from "./bench.ts";

const { signal } = new AbortController();
const FEW = { requestsMax: 30, forMs: 20_000, warmUp: 10, signal };
const KEY = "incident-enricher:pagerduty:01BENCH";

async function benchOne(
  options: Partial<Parameters<typeof benchIngester>[0]>,
): Promise<CellResult> {
  const cells = [{ inFlight: 4, gatewayMs: 1 }];
  const results = await benchIngester({ ...FEW, cells, ...options });
  assertEquals(results.length, 1);
  return results[0]!;
}

Deno.test("deno task bench prints a table, its progress before, and exits with 0", async () => {
  const { code, stdout, stderr } = await runTask("bench", [
    ...["--only", "ingester"],
    ...["--requests", "3"],
  ]);
  assertEquals([code, stderr], [0, ""]);
  const lines = stdout.trimEnd().split("\n");
  assertEquals(lines[0], "ingester");
  const progress = lines.filter((line) => line.endsWith("µs each"));
  assertMatch(
    progress[0]!,
    /^ {2}1 in flight, gateway 0 ms: \d+ a second, \d+ µs each$/,
  );
  assertEquals(progress.length, CELLS.length);
  const rows = lines.slice(-CELLS.length).map((line) => line.split(/ {2,}/));
  assertEquals(rows.map(([inFlight, gateway]) => [inFlight, gateway]), [
    ...["0 ms", "5 ms"].flatMap((gateway) =>
      ["1", "8", "64"].map((inFlight) => [inFlight, gateway])
    ),
  ]);
  for (const row of rows) {
    assertEquals([row[2], ...row.slice(-2)], ["3", "0", "0"]);
  }
});

/** The command with one cell in place of all. */
function bench(...args: string[]): Promise<CommandRun> {
  return call(benchOf([{ inFlight: 2, gatewayMs: 0 }]), args);
}

Deno.test("bench --json prints nothing else", async () => {
  const args = ["--only", "ingester", "--requests", "2", "--json"];
  const { code, stdout, stderr } = await bench(...args);
  assertEquals([code, stderr], [0, ""]);
  const { ingester } = JSON.parse(stdout) as { ingester: CellResult[] };
  assertEquals(ingester.map(({ requests }) => requests), [2]);
});

Deno.test("bench exits with 1 and says which webhooks a wrong gateway lost or doubled", async (t) => {
  const faults = {
    lose: /: lost incident-enricher:\S+: answered, but never started$/,
    mix:
      /: lost incident-enricher:\S+: HTTP\/1\.1 202 Accepted, .*"run_id":"run-of-other-/,
    double: /: doubled incident-enricher:\S+: started 2 times$/,
  };
  for (const [fault, expected] of Object.entries(faults)) {
    await t.step(fault, async () => {
      const args = [
        "--only",
        "ingester",
        "--requests",
        "100",
        "--fault",
        fault,
      ];
      const { code, stdout, stderr } = await bench(...args);
      assertEquals(code, 1);
      assertStringIncludes(stdout, "in flight  gateway  requests");
      const problems = stderr.trimEnd().split("\n");
      for (const line of problems.slice(0, 10)) {
        assertMatch(line, /^ {2}2 in flight, gateway 0 ms: /);
        assertMatch(line, expected);
      }
      // A tenth of these and of the warm-up's, of which ten are shown.
      assertEquals(problems.slice(10), ["  and 10 more"]);
    });
  }
});

Deno.test("bench --only summary measures one bundle, and fails only if it takes too long", async () => {
  const { code, stdout } = await bench("--only", "summary");
  assertMatch(
    stdout,
    /^summary\n {2}50 pieces of 256 KiB: \d+ ms, aim 300 ms, page \d+ KiB\n$/,
  );
  assert(code === 0 || code === 1);
  const { stdout: json } = await bench("--only", "summary", "--json");
  assertEquals(Object.keys(JSON.parse(json)), ["summary"]);
  const result = { pieces: 50, pieceKib: 256, pageKib: 1 };
  assertEquals(findSlow({ ...result, ms: 600 }), []);
  assertEquals(findSlow({ ...result, ms: 601 }), [
    "a summary took 601 ms, at most 600 ms",
  ]);
});

const REFUSED: [args: string[], error: string][] = [
  [
    ["--only", "poster"],
    'There is no benchmark "poster"; there are ingester, summary, desk; see --help',
  ],
  [
    ["--seconds", "0"],
    "--seconds takes a whole number from 1 to 60; see --help",
  ],
  [
    ["--requests", "20001"],
    "--requests takes a whole number from 1 to 20000; see --help",
  ],
  [
    ["--fault", "none"],
    'There is no fault "none"; there are lose, double, mix; see --help',
  ],
  [
    ["--seconds", "1", "--requests", "1"],
    "Either --seconds or --requests; see --help",
  ],
  [["ingester"], "Unexpected argument 'ingester'; see --help"],
];
for (const [args, error] of REFUSED) {
  Deno.test(`bench refuses ${args.join(" ")}`, async () => {
    assertEquals(await bench(...args), {
      code: 2,
      stdout: "",
      stderr: `error: ${error}\n`,
    });
  });
}

Deno.test("benchIngester() counts each webhook once and measures it", async () => {
  // Not ours, which a process that we start begins its own peak with.
  const ballast = new Uint8Array(256 * 1024 ** 2).fill(1);
  const result = await benchOne({});
  assertEquals(result.requests, 30);
  assertEquals([result.lost, result.doubled], [[], []]);
  assertEquals([result.inFlight, result.gatewayMs], [4, 1]);
  // Two calls of the gateway, each of which takes a millisecond.
  assert(result.p50Ms >= 2 && result.p50Ms <= result.p99Ms);
  assert(result.perSecond > 0);
  assert(result.cpuUs > 10, `${result.cpuUs} µs`);
  const { rssPeakMib } = result;
  assert(rssPeakMib > 20 && rssPeakMib < 256, `${rssPeakMib} MiB`);
  assertEquals(ballast[0], 1);
});

Deno.test("benchIngester() stops when time is up", async () => {
  const { requests, lost, doubled } = await benchOne({
    cells: [{ inFlight: 1, gatewayMs: 20 }],
    requestsMax: 10_000,
    forMs: 200,
  });
  assert(requests >= 1 && requests <= 5, `${requests} requests`);
  assertEquals([lost, doubled], [[], []]);
});

const JUDGED: [
  what: string,
  answers: Record<string, string>,
  starts: Record<string, number>,
  lost: string[],
  doubled: string[],
][] = [
  ["all right", {}, { a: 1, b: 1 }, [], []],
  [
    "one answered with an error",
    { b: "HTTP/1.1 503 Service Unavailable\r\nX: y\r\n\r\n{}" },
    { a: 1 },
    ["b: HTTP/1.1 503 Service Unavailable, X: y  {}"],
    [],
  ],
  ["one not answered", { a: "no answer" }, { a: 1, b: 1 }, [
    "a: no answer",
  ], []],
  ["one not started", {}, { b: 1 }, ["a: answered, but never started"], []],
  ["one started twice", {}, { a: 2, b: 1 }, [], ["a: started 2 times"]],
  ["one that nobody sent", {}, { a: 1, b: 1, "a:2": 1 }, [], [
    "a:2: started, but never sent",
  ]],
];
for (const [what, answers, starts, lost, doubled] of JUDGED) {
  Deno.test(`judge() sees ${what}`, () => {
    assertEquals(
      judge(
        ["a", "b"],
        new Map(Object.entries(answers)),
        new Map(Object.entries(starts)),
      ),
      { lost, doubled },
    );
  });
}

Deno.test("makeDeliveries() signs each, with an event id of its own", async () => {
  const deliveries = await makeDeliveries(3, "s3cret");
  assertEquals(deliveries.map(({ key }) => key), [
    `${KEY}000000000`,
    `${KEY}000000001`,
    `${KEY}000000002`,
  ]);
  const text = new TextDecoder().decode(deliveries[1]!.request);
  const [head = "", body = ""] = text.split("\r\n\r\n");
  assertEquals(JSON.parse(body).event.id, "01BENCH000000001");
  const signature = createHmac("sha256", "s3cret").update(body).digest("hex");
  assertStringIncludes(head, `X-PagerDuty-Signature: v1=${signature}`);
  assertStringIncludes(head, `Content-Length: ${body.length}`);
});

/** Answers what comes on each connection with these texts, then hangs up. */
function serveTexts(
  ...texts: string[]
): { port: number; connections: () => number } & Disposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let connections = 0;
  const talk = async (connection: Deno.Conn) => {
    connections++;
    const buffer = new Uint8Array(1024);
    for (const text of texts) {
      if (await connection.read(buffer) === null) break;
      // In two parts, since no answer has to come in one.
      const half = Math.floor(text.length / 2);
      for (const part of [text.slice(0, half), text.slice(half)]) {
        await connection.write(new TextEncoder().encode(part));
      }
    }
    connection.close();
  };
  (async () => {
    for await (const connection of listener) talk(connection).catch(() => {});
  })();
  return {
    port: listener.addr.port,
    connections: () => connections,
    [Symbol.dispose]: () => listener.close(),
  };
}

Deno.test("runLoad() reads answers with a length and in chunks, and says which are wrong", async () => {
  const chunked = "HTTP/1.1 200 OK\r\n\r\n3\r\nyes\r\n0\r\n\r\n";
  const measured = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno";
  using server = serveTexts(chunked, measured);
  const result = await runLoad({
    port: server.port,
    requests: Array.from({ length: 3 }, () => new Uint8Array([1])),
    inFlight: 1,
    forMs: 10_000,
    isRight: (answer) => answer.includes("yes"),
  });
  assertEquals(server.connections(), 1);
  assertEquals(result.sent, 3);
  assertEquals(result.latencies.length, 1);
  assertEquals(result.failed, [
    { nth: 1, answer: measured },
    { nth: 2, answer: "no answer" },
  ]);
});

Deno.test("runLoad() ends when it is stopped, answered or not", async () => {
  const stop = new AbortController();
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const running = runLoad({
    port: silent.addr.port,
    requests: Array.from({ length: 3 }, () => new Uint8Array([1])),
    inFlight: 1,
    forMs: 10_000,
    signal: stop.signal,
    isRight: (answer) => answer.includes("yes"),
  });
  const taken = await silent.accept();
  await taken.read(new Uint8Array(1)); // The first request is under way.
  const started = performance.now();
  stop.abort();
  assertEquals((await running).sent, 1);
  assert(performance.now() - started < 5_000);
  taken.close();
  silent.close();
});

Deno.test("percentile() is the value that so many are not above", () => {
  const values = Float64Array.from({ length: 200 }, (_, at) => at + 1);
  assertEquals(percentile(values, 0.5), 100);
  assertEquals(percentile(values, 0.99), 198);
  assertEquals(percentile(values, 1), 200);
  assertEquals(percentile(new Float64Array([7]), 0.5), 7);
  assertEquals(percentile(new Float64Array(), 0.5), NaN);
});

Deno.test("renderResults() lays out one row a cell", () => {
  const lines = renderResults([{
    inFlight: 64,
    gatewayMs: 5,
    requests: 1234,
    perSecond: 1000.4,
    p50Ms: 1.25,
    p99Ms: 12,
    cpuUs: 300,
    rssPeakMib: 99.6,
    lost: [],
    doubled: ["a"],
  }]);
  assertEquals(lines[1]?.split(/ {2,}/), [
    ...["64", "5 ms", "1234", "1000", "1.3", "12.0", "300", "100", "0", "1"],
  ]);
});

Deno.test("the desk's benchmark takes the time of notices, posts and lists", async () => {
  const bounds = { incidents: 1, waiting: 60, looks: 2 };
  const results = await benchDesk(bounds);
  const { notice, post, list, listCalls } = results;
  assertEquals([notice.length, post.length, list.length], [1, 1, 2]);
  // Its watch may look meanwhile; a list asks for nothing itself.
  assert(listCalls <= 1, `${listCalls} calls`);
  const lines = renderDesk(results);
  assertEquals(lines.length, 3);
  assertMatch(
    lines[0]!,
    /^from a webhook to its notice +p50 \d+ ms, aim 2000, longest \d+ ms of 1$/,
  );
  assertMatch(lines[2]!, / of 2, at most [01] calls each$/);
});

Deno.test("the desk's benchmark fails what takes twice its aim, by the median", () => {
  const results = { notice: [1, 2, 9_000], post: [9], list: [8], listCalls: 1 };
  assertEquals(findSlowDesk(results), []);
  assertEquals(
    findSlowDesk({
      notice: [4_001, 4_001, 1],
      post: [2_001],
      list: [401],
      listCalls: 2,
    }),
    [
      "from a webhook to its notice: 4001 ms, at most 4000 ms",
      "from a click to the posted message: 2001 ms, at most 2000 ms",
      "a list of all that waits: 401 ms, at most 400 ms",
      "a list cost 2 calls of the gateway",
    ],
  );
});
