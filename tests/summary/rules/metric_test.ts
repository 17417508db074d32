import { assertEquals } from "@std/assert";
import type { MetricSeries } from "../../../lib/collected.ts";
import {
  amount,
  exactAmount,
  unitOf,
} from "../../../lib/summary/rules/amount.ts";
import { metric } from "../../../lib/summary/rules/metric.ts";
import { alertsOf, fact, group, textsOf } from "./support.ts";

const SERIES: MetricSeries = {
  alert: "Slow",
  expression: "cart:latency:p99",
  of: "pod: a",
  now: 2.41,
  at: "2026-03-04T08:58:00.000Z",
  limit: 2,
  operator: ">",
  beyond: true,
  crossed: "2026-03-04T08:21:30.000Z",
  worst: 2.42,
  worst_at: "2026-03-04T08:50:00.000Z",
  hour_ago: 0.303,
  week_ago: 0.4,
  trend: "rising",
  spark: "▁▁▂▅▇█",
  start: "2026-03-04T03:00:00.000Z",
  step_s: 360,
  values: [0.3, 2.41],
  evidence: ["E2"],
};
const ASKED = {
  collected_at: "2026-03-04T09:00:00.000Z",
  lookups: [{ collector: "prometheus", state: "found" as const }],
};
const COURSE = "crossed 08:21, 0.3 s an hour ago ▁▁▂▅▇█";

const TOLD: readonly [
  what: string,
  change: Partial<MetricSeries>,
  text: string,
][] = [
  ["the course in words and bars", {
    unit: "s",
  }, `cart:latency:p99: 2.4 s now, limit 2 s, ${COURSE}`],
  ["no worst of a negative value that is as bad now", {
    now: -10,
    limit: 0,
    operator: "<",
    worst: -10,
  }, `cart:latency:p99: -10 now, lower limit 0, ${COURSE.replace(" s ", " ")}`],
  [
    "the worst of a negative value that was worse",
    {
      now: -3,
      limit: -5,
      week_ago: -9,
      worst: -2,
    },
    `cart:latency:p99: -3 now, limit -5, ${
      COURSE.replace(" s ", " ").replace(
        "08:21,",
        "08:21, worst -2 at 08:50,",
      )
    }`,
  ],
  ["no large value at its limit that is just beyond it", {
    now: 1000.4,
    limit: 1000,
    worst: 1000.4,
  }, `cart:latency:p99: 1000.4 now, limit 1000, ${COURSE.replace(" s ", " ")}`],
  [
    "no unit that nobody knows",
    {},
    `cart:latency:p99: 2.4 now, limit 2, ${COURSE.replace(" s ", " ")}`,
  ],
  [
    "no unit that is a sentence",
    { unit: "” [E1]" },
    `cart:latency:p99: 2.4 now, limit 2, ${COURSE.replace(" s ", " ")}`,
  ],
  ["no name twice where the expression is long", {
    expression: "sum(rate(a[5m])) / b",
    unit: "s",
  }, `Measured: 2.4 s now, limit 2 s, ${COURSE}`],
  [
    "the worst that is over",
    {
      unit: "s",
      worst: 3,
    },
    `cart:latency:p99: 2.4 s now, limit 2 s, crossed 08:21, worst 3 s at 08:50, 0.3 s an hour ago ▁▁▂▅▇█`,
  ],
  [
    "that it is back within its limit",
    {
      unit: "s",
      now: 1,
      beyond: false,
      worst: 3,
    },
    `cart:latency:p99: 1 s now, back within its limit 2 s, crossed 08:21, worst 3 s at 08:50, 0.3 s an hour ago ▁▁▂▅▇█`,
  ],
  [
    "a limit below which it is bad",
    {
      unit: "%",
      operator: "<",
      week_ago: 9,
      now: 1.5,
      worst: 1.49,
    },
    `cart:latency:p99: 1.5 % now, lower limit 2 %, ${
      COURSE.replace("s an", "% an")
    }`,
  ],
  [
    "that it was as bad a week before",
    {
      unit: "s",
      week_ago: 2.2,
    },
    `cart:latency:p99: 2.4 s now, limit 2 s, crossed 08:21, 0.3 s an hour ago, 2.2 s at this time a week before, too ▁▁▂▅▇█`,
  ],
  ["when it was, if that is long ago", {
    unit: "s",
    at: "2026-03-04T08:40:00.000Z",
  }, `cart:latency:p99: 2.4 s at 08:40, limit 2 s, ${COURSE}`],
  ["more digits of what is just beyond", {
    unit: "s",
    now: 2.0004,
    worst: 2.0004,
  }, `cart:latency:p99: 2.0004 s now, limit 2 s, ${COURSE}`],
];
for (const [what, change, text] of TOLD) {
  Deno.test(`metric tells ${what}`, () => {
    const context = {
      ...alertsOf([group()]),
      series: [{ ...SERIES, ...change }],
    };
    assertEquals(textsOf(metric, context, ASKED), [text]);
  });
}

Deno.test("metric takes the unit of the alert's own words if they state the same limit", () => {
  const told = (limit: string) =>
    textsOf(metric, {
      ...alertsOf([group({ limit })]),
      series: [{ ...SERIES, limit: 2 }],
    }, ASKED)[0]!.split(",")[1];
  assertEquals(told("2 s"), " limit 2 s");
  assertEquals(told("3 s"), " limit 2");
});

Deno.test("metric tells the first series of each alert, and whose it is of several", () => {
  const context = {
    ...alertsOf([group({ count: 2 })]),
    series: [
      SERIES,
      { ...SERIES, of: "pod: b" },
      { ...SERIES, alert: "Full", expression: "disk_free" },
    ],
  };
  assertEquals(
    textsOf(metric, context, ASKED).map((text) => text.split(": 2.4")[0]),
    ["cart:latency:p99 on a", "disk_free"],
  );
});

Deno.test("metric tells the alert's name where there are several, and all labels of a series", () => {
  const groups = [group({ count: 2 }), group({ name: "Full" })];
  const series = [{ ...SERIES, expression: "1 - a", of: "job: x, pod: a" }];
  assertEquals(
    textsOf(metric, { ...alertsOf(groups), series }, ASKED)[0]!.split(
      ": 2.4",
    )[0],
    "Slow on “job: x, pod: a”",
  );
});

Deno.test("metric tells whose it is only if the line above does not", () => {
  const told = (worst: string) =>
    textsOf(metric, {
      ...alertsOf([group({ count: 2, worst })]),
      series: [SERIES],
    }, ASKED)[0]!.split(": 2.4")[0];
  assertEquals([told("a"), told("b")], [
    "cart:latency:p99",
    "cart:latency:p99 on a",
  ]);
});

Deno.test("metric quotes a sentence where a bundle has no series", () => {
  const facts = [
    fact("log", "errors", "12"),
    fact("metric", "p99", "2.4 s now"),
    fact("metric", "p50", "1 s now"),
  ];
  assertEquals(textsOf(metric, { facts }), ["“p99: 2.4 s now”"]);
  assertEquals(textsOf(metric, { facts: facts.slice(0, 1) }), []);
});

const AMOUNTS: readonly [number, string | undefined, text: string][] = [
  [0, "s", "0 s"],
  [0.30274, "s", "0.3 s"],
  [2.3559, "s", "2.4 s"],
  [97.44, "%", "97.4 %"],
  [1234.56, undefined, "1235"],
  [-3.14, "°C", "-3.1 °C"],
  [0.00001, "s", "1.00e-5 s"],
  [1023, "B", "1023 B"],
  [1536, "B", "1.5 KiB"],
  [8 * 1024 ** 3, "B", "8 GiB"],
];
for (const [value, unit, text] of AMOUNTS) {
  Deno.test(`amount() writes ${value} ${unit ?? ""} as ${text}`, () => {
    assertEquals(amount(value, unit), text);
  });
}

Deno.test("exactAmount() keeps the digits of a limit", () => {
  assertEquals([exactAmount(1.255, "s"), exactAmount(104857600, "B")], [
    "1.255 s",
    "100 MiB",
  ]);
});

Deno.test("unitOf() reads a unit behind the same number alone", () => {
  assertEquals(
    ["2 s", "2s", "2.5 s", "2", "2 sentences of words", "x 2 s"].map((text) =>
      unitOf(text, 2)
    ),
    ["s", "s", undefined, undefined, undefined, undefined],
  );
  assertEquals(unitOf("5 000 ms", 5000), "ms");
  assertEquals(unitOf(undefined, 1), undefined);
});
