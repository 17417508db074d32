import { assertEquals } from "@std/assert";
import type { MetricSeries } from "../../lib/collected.ts";
import type { Sample } from "../../lib/evidence/course.ts";
import { fewSeries } from "../../lib/evidence/found.ts";
import {
  describeSeries,
  sharedLabels,
} from "../../lib/evidence/prometheus/series.ts";

const START = Date.parse("2026-05-06T06:00:00Z") / 1000;
const STEP = 180;
const WATCHED = {
  alert: "QueueGrows",
  expression: "queue_length",
  limit: { operator: ">", value: 50 },
  step: STEP,
  shared: { job: "mail" },
};

/** A value each three minutes, by minute; none where it is undefined. */
function samples(
  minutes: number,
  at: (minute: number) => number | undefined,
): Sample[] {
  return Array.from({ length: minutes / 3 }, (_, nth) => nth * 3)
    .flatMap((minute) => {
      const value = at(minute);
      return value === undefined ? [] : [[START + minute * 60, value] as const];
    });
}

Deno.test("describeSeries() says where a number stands and how it came there", () => {
  const [course] = describeSeries(
    {
      metric: { job: "mail", queue: "bounce", __name__: "queue_length" },
      samples: samples(360, (minute) => minute < 330 ? 10 : 40 + minute - 330),
    },
    { ...WATCHED, unit: "s" },
    [[START, 7]],
  );
  const { values, ...rest } = course!;
  assertEquals(rest, {
    alert: "QueueGrows",
    expression: "queue_length",
    of: "queue: bounce",
    unit: "s",
    now: 67,
    at: "2026-05-06T11:57:00.000Z",
    limit: 50,
    operator: ">",
    beyond: true,
    crossed: "2026-05-06T11:42:00.000Z",
    worst: 67,
    worst_at: "2026-05-06T11:57:00.000Z",
    hour_ago: 10,
    week_ago: 7,
    trend: "rising",
    spark: "▁▁▁▁▁▁▁▁▁▁▁█",
    start: "2026-05-06T06:00:00.000Z",
    step_s: 360,
  });
  assertEquals(values.length, 60);
  assertEquals(values.slice(-2), [61, 67]);
});

Deno.test("describeSeries() leaves holes, keeps a peak, and has no value an hour ago where none was", () => {
  const [course] = describeSeries({
    metric: { job: "mail" },
    samples: samples(
      360,
      (minute) =>
        minute >= 240 && minute < 330 ? undefined : minute === 93 ? 99 : 1,
    ),
  }, WATCHED);
  const { values, of, hour_ago, worst } = course!;
  assertEquals([of, hour_ago, worst], [undefined, undefined, 99]);
  assertEquals(values[15], 99);
  assertEquals(values.slice(39, 42), [1, null, null]);
  assertEquals(
    values.every((one) => one === null || one === 1 || one === 99),
    true,
  );
});

Deno.test("describeSeries() knows no limit that is none, and nothing without a number", () => {
  const { beyond, limit } = describeSeries({
    metric: {},
    samples: [[START, 1]],
  }, { ...WATCHED, limit: undefined })[0]!;
  assertEquals([beyond, limit], [undefined, undefined]);
  const nan = { metric: {}, samples: [[START, NaN]] as Sample[] };
  assertEquals(describeSeries(nan, WATCHED), []);
});

Deno.test("sharedLabels() are those that all have", () => {
  const of = (metric: Record<string, string>) => ({ metric, samples: [] });
  assertEquals(sharedLabels([of({ a: "1", b: "2" }), of({ a: "1", b: "3" })]), {
    a: "1",
  });
  assertEquals(sharedLabels([]), {});
});

Deno.test("fewSeries() keeps the first of each alert before others", () => {
  const of = (alert: string, nth: string) =>
    ({ alert, of: nth }) as MetricSeries;
  const all = ["1", "2", "3"].flatMap((nth) => of("a", nth));
  assertEquals(
    fewSeries([...all, ...["1", "2", "3"].map((nth) => of("b", nth))])
      .map(({ alert, of }) => `${alert}${of}`),
    ["a1", "b1", "a2", "b2", "a3"],
  );
});
