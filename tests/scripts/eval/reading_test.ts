/**
 * How a case's evidence is read: by its shape, into facts that say how they
 * stand.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { readCase } from "../../../scripts/eval/case.ts";
import { movementOf } from "../../../scripts/eval/movement.ts";
import { replay } from "../../../scripts/eval/replay.ts";
import { limitIn, quantity } from "../../../scripts/eval/units.ts";

const PERCENT = { unit: "Percent", isLowBad: false, isShare: true };
const COUNT = { unit: "Count", isLowBad: false, isShare: false };
const FREE = { unit: "Bytes", isLowBad: true, isShare: false };

const series = (values: number[]) =>
  values.map((value, at) => [at, value] as const);

Deno.test("movementOf() tells what stayed from what moved and what came back", () => {
  const cases: [string, number[], typeof PERCENT, string][] = [
    ["steady", [30, 31, 29, 30, 30], PERCENT, "well"],
    ["twice", [30, 31, 29, 60, 62, 61], PERCENT, "ill"],
    ["a jump after the first sample", [18, 91, 92, 93, 92], PERCENT, "ill"],
    ["full from the start", [86, 87, 88, 87], PERCENT, "ill"],
    ["nearly full", [82, 84, 83, 84], PERCENT, "well"],
    ["there and back", [30, 31, 70, 75, 33, 32, 31], PERCENT, "recovered"],
    ["noise of a small number", [0.1, 0.1, 0.3, 0.4, 0.4], COUNT, "well"],
    ["a half of what was free", [80, 79, 41, 38, 37, 36], FREE, "ill"],
    ["more of what is free", [40, 41, 80, 81, 82], FREE, "well"],
    ["used up, and freed", [80, 79, 12, 11, 78, 79, 80], FREE, "recovered"],
  ];
  for (const [name, values, nature, expected] of cases) {
    assertEquals(movementOf(series(values), nature)?.health, expected, name);
  }
  assertEquals(movementOf([], COUNT), undefined);
  assertEquals(movementOf([[0, NaN]], COUNT), undefined);
});

Deno.test("movementOf() holds a number against its limit, if there is one", () => {
  const above = { operator: ">", value: 50 };
  const health = (values: number[]) =>
    movementOf(series(values), PERCENT, above)?.health;
  assertEquals(health([10, 40, 45, 48, 49]), "well");
  assertEquals(health([10, 60, 70, 48, 49, 47]), "recovered");
  assertEquals(health([10, 40, 51, 52, 53]), "ill");
});

Deno.test("limitIn() reads a limit in the metric's own unit only", () => {
  const cases: [
    sentence: string,
    unit: string,
    expected: number | undefined,
  ][] = [
    ["CPU has been above 88% for 20 minutes", "Percent", 88],
    ["the lag exceeded 1,000 seconds", "Seconds", 1000],
    ["the lag is over 5 minutes", "Seconds", 300],
    ["free storage is below 10 GB", "Bytes", 10e9],
    ["free storage is below 10 GiB", "Bytes", 10 * 2 ** 30],
    ["free storage is below 10 %", "Bytes", undefined],
    ["connections are above 450", "Count", 450],
    ["connections are above 90 %", "Count", undefined],
    ["lag above 900s threshold", "Seconds", 900],
    ["it has lasted 20 minutes", "Seconds", undefined],
  ];
  for (const [sentence, unit, expected] of cases) {
    const limit = limitIn([sentence], { unit, isLowBad: false });
    assertEquals(limit?.value, expected, sentence);
  }
  const low = limitIn(["below 3 GB"], { unit: "Bytes", isLowBad: true });
  assertEquals(low?.operator, "<");
});

Deno.test("quantity() writes a number with its unit", () => {
  assertEquals(quantity(57e9, "Bytes"), "57 GB");
  assertEquals(quantity(4_190_000, "Bytes/Second"), "4.19 MB/s");
  assertEquals(quantity(91.7, "Percent"), "91.7 %");
  assertEquals(quantity(12, "Count"), "12");
  assertEquals(quantity(0, "Bytes"), "0 B");
});

/** The facts that a case's evidence gives, as `name: value (health)`. */
async function factsOf(
  evidence: Record<string, unknown>,
  labels: Record<string, string> = {},
): Promise<string[]> {
  const { bundle } = await replay(
    readCase({
      case: "c",
      alert: {
        title: "Lag of ledger-db",
        commonLabels: { alertname: "LedgerLag", namespace: "shop", ...labels },
        commonAnnotations: { summary: "ReplicaLag is above 100 seconds" },
        startsAt: "2026-02-01T10:30:00Z",
      },
      evidence,
      answer: {},
    }, "c")!,
  );
  return (bundle.normalized_context?.facts ?? [])
    .filter(({ kind }) => kind !== undefined)
    .map(({ name, value, health }) => `${name}: ${value} (${health})`);
}

const AT = (minute: number) =>
  `2026-02-01T10:${String(minute).padStart(2, "0")}:00Z`;

Deno.test("series are read wherever they lie, those that the alert names first", async () => {
  const one = (metric_name: string, unit: string, values: number[]) => ({
    metric_name,
    unit,
    dimensions: [{ Name: "DBInstanceIdentifier", Value: "ledger-db" }],
    timestamps: values.map((_, at) => AT(at)),
    values,
  });
  assertEquals(
    await factsOf({
      cloud: {
        metric_data_results: [
          one("WriteIOPS", "Count/Second", [300, 310, 4000, 4100, 4200]),
          one("ReplicaLag", "Seconds", [2, 3, 40, 80, 90]),
          one("CommitLatency", "Milliseconds", [2, 2, 2, 2, 2]),
        ],
      },
    }),
    [
      "WriteIOPS of ledger-db: 4100 /s, from 300 /s ▁▁███ (ill)",
      "ReplicaLag of ledger-db: 80 s, from 2 s, limit > 100 s ▁▁▄▇█ (well)",
      "metrics: 2 of 3 steady (well)",
    ],
  );
});

Deno.test("events of a database are ill until another one says that it is over", async () => {
  const event = (
    minute: number,
    message: string,
    category = "notification",
  ) => ({
    date: AT(minute),
    message,
    source_identifier: "ledger-db",
    event_categories: [category],
  });
  const low = event(10, "Free storage of ledger-db is low.");
  assertEquals(await factsOf({ events: { events: [low] } }), [
    "database event: 10:10:00 Free storage of ledger-db is low. (ill)",
  ]);
  const grown = event(20, "The storage of ledger-db has been increased.");
  const backup = event(21, "Backup has finished.", "backup");
  assertEquals(await factsOf({ events: { events: [low, grown, backup] } }), [
    "database event: 10:10:00 Free storage of ledger-db is low. (recovered)",
  ]);
});

Deno.test("monitors are well only if all of them say so", async () => {
  const of = (...states: string[]) =>
    factsOf({
      m: {
        monitors: states.map((overall_state, at) => ({
          name: `m${at}`,
          overall_state,
        })),
      },
    });
  assertEquals(await of("OK", "OK"), ["monitors: 2 of 2 OK (well)"]);
  assertEquals(await of("OK", "No Data"), ["monitors: 1 of 2 OK (undefined)"]);
  assertEquals(await of("OK", "Alert"), ["monitor m1: Alert (ill)"]);
});

Deno.test("lines are bad by their level or their words, and over once one says so", async () => {
  const line = (minute: number, status: string, message: string) => ({
    timestamp: AT(minute),
    status,
    message,
  });
  assertEquals(
    await factsOf({
      l: {
        logs: [
          line(28, "info", "request failed over to b"),
          line(29, "error", "no route to 10.0.0.7"),
          line(30, "warn", "connection refused by 10.0.0.8"),
        ],
      },
    }),
    [
      "error: no route to 10.0.0.7 ×1, first 10:29:00 UTC (ill)",
      "error: connection refused by 10.0.0.8 ×1, first 10:30:00 UTC (ill)",
    ],
  );
  const bad = line(10, "error", "no route to 10.0.0.7");
  const text = `${AT(28)} ERROR no route\n${AT(29)} INFO reconnected\n`;
  assertEquals(await factsOf({ l: { logs: [bad, line(30, "info", "ok")] } }), [
    "error: no route to 10.0.0.7 ×1, first 10:10:00 UTC (recovered)",
  ]);
  assertEquals(await factsOf({ l: { logs: text } }), [
    "error: no route ×1, first 10:28:00 UTC (recovered)",
  ]);
});

Deno.test("nodes are well together, or ill each by itself", async () => {
  const node = (name: string, more = {}) => ({ name, ready: "True", ...more });
  assertEquals(await factsOf({ n: { nodes: [node("a"), node("b")] } }), [
    "nodes: 2 nodes ready and without pressure (well)",
  ]);
  assertEquals(
    await factsOf({
      n: {
        nodes: [
          node("a", { disk_pressure: "True" }),
          node("b", { ready: "False" }),
        ],
      },
    }),
    ["node a: disk pressure (ill)", "node b: not ready (ill)"],
  );
});

Deno.test("a kind that nobody knows becomes a piece with its sentences", async () => {
  assertEquals(
    await factsOf({
      mesh_report: { routes: [{ summary: "Route a is drained" }, { n: 1 }] },
    }),
    ["mesh report: Route a is drained (undefined)"],
  );
});

Deno.test("a query that holds most of a load that has grown is ill", async () => {
  const load = (values: number[]) => ({
    db_load: { timestamps: values.map((_, at) => AT(at)), values },
    top_sql: [
      { statement: "SELECT 1", db_load_avg: 1 },
      {
        statement: "DELETE FROM a",
        db_load_avg: 9,
        wait_events: [{ name: "IO:Sync", db_load_avg: 7 }],
      },
    ],
    top_users: [{ name: "job", db_load_avg: 9 }],
  });
  assertEquals(
    (await factsOf({ d: load([1, 1, 8, 9, 10]) }))[0],
    [
      "top query: 90 % of 9 active sessions (1 before), top user job (9), ",
      "waits for IO:Sync (7), DELETE FROM a (ill)",
    ].join(""),
  );
  const steady = await factsOf({ d: load([9, 9, 9, 9]) });
  assertEquals(steady.at(-1), "database load: 9 active sessions (well)");
});

Deno.test("series are found by their shape, under any name", async () => {
  assertEquals(
    await factsOf({
      a: { ReplicaLag: { timestamps: [AT(1)], values: [3], unit: "Seconds" } },
      b: {
        items: [{
          label: "Sessions",
          datapoints: [{ Timestamp: AT(1), Average: 4 }, { Timestamp: AT(2) }],
        }],
      },
    }),
    ["metrics: 2 of 2 steady (well)"],
  );
});

Deno.test("events of a cluster count if they are no normal ones", async () => {
  const event = (type: string, reason: string) => ({
    type,
    reason,
    message: "m",
    count: 2,
    involved_object: "Pod/cart-1",
    last_time: AT(30),
  });
  assertEquals(
    await factsOf({
      e: { events: [event("Normal", "Pulled"), event("Warning", "Unhealthy")] },
    }),
    ["Unhealthy: cart-1 ×2, last at 2026-02-01 10:30:00 UTC: m (ill)"],
  );
});

Deno.test("no shape of evidence stops a case", async () => {
  const odd = [null, "text", 7, [], [null], {}, { a: null }, [{ b: [[]] }]];
  const names = [
    "pods",
    "deployments",
    "warning_events",
    "nodes",
    "events",
    "logs",
    "lines",
    "monitors",
    "top_sql",
    "changes",
    "notes",
    "past",
    "samples",
    "metric_data_results",
    "timestamps",
  ];
  for (const name of names) {
    for (const value of odd) {
      for (const inner of [value, [value], [{ name: value, state: value }]]) {
        const kind = { expression: "x", db_load: inner, [name]: inner };
        await factsOf({ kind, other: inner });
      }
    }
  }
});
