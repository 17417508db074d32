/**
 * A number's course as a picture and in words.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { MetricSeries } from "../../../lib/collected.ts";
import { chart } from "../../../lib/message/page/chart.ts";
import { elementsOf } from "./html.ts";
import { FULL } from "../../support/page.ts";

const SERIES = FULL.normalized_context!.series![0]!;
const drawn = (series: Partial<MetricSeries> = {}) =>
  elementsOf(chart({ ...SERIES, ...series }).text);

Deno.test("chart() says in words what it draws", () => {
  const told =
    "4210 mails at 04:09 UTC, rising; the limit is > 1000 mails, crossed at 04:01; at worst 4210 mails at 04:09; 12 mails an hour ago.";
  const elements = drawn();
  assert(
    elements.some(({ name, text }) => name === "p" && text.startsWith(told)),
  );
  const svg = elements.find(({ name }) => name === "svg")!;
  assertEquals(svg.attributes.get("role"), "img");
  assertEquals(svg.attributes.get("aria-label"), `QueueLong: ${told}`);
});

Deno.test("chart() draws limit and times, and no line across a gap", () => {
  const elements = drawn();
  const labels = elements.filter(({ name }) => name === "text")
    .map(({ text }) => text);
  assertEquals(labels, [
    ...["10", "2110", "4210", "23:00", "00:00", "01:00", "02:00", "03:00"],
    "limit > 1000",
  ]);
  const lines = elements.filter(({ name }) => name === "polyline")
    .map(({ attributes }) => attributes.get("points")!.split(" ").length);
  assertEquals(lines, [2, 4]);
});

Deno.test("chart() keeps all points within its frame", () => {
  for (const { name, attributes } of drawn({ values: [-5, 1e9, 3, -2e8] })) {
    if (name !== "polyline") continue;
    for (const point of attributes.get("points")!.split(" ")) {
      const [x = NaN, y = NaN] = point.split(",").map(Number);
      assert(x >= 64 && x <= 708 && y >= 14 && y <= 192, point);
    }
  }
});

Deno.test("chart() draws nothing of values that have no scale, and still tells them", () => {
  const cases: Partial<MetricSeries>[] = [
    { values: [1] },
    { values: [null, null, 3] },
    { values: [1e308, -1e308] },
    { step_s: 1e300 },
    { start: "9999-12-31T23:59:59Z", step_s: 1e13 },
  ];
  for (const series of cases) {
    const elements = drawn(series);
    assert(
      !elements.some(({ name }) => name === "svg"),
      JSON.stringify(series),
    );
    assertStringIncludes(elements[0]!.text, "4210 mails at 04:09 UTC");
  }
  const flat = chart({ ...SERIES, values: [7, 7, 7], limit: 7 }).text;
  assert(!/NaN|Infinity/.test(flat), flat);
});
