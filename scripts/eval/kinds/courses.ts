/**
 * The course of an alert's own number, as our collector for Prometheus tells it.
 * Pure.
 *
 * @module
 */
import { optional, stringOf, textOf } from "../../../lib/base/json.ts";
import type { Limit, Sample } from "../../../lib/evidence/course.ts";
import { factsOf } from "../../../lib/evidence/prometheus/facts.ts";
import { describeSeries } from "../../../lib/evidence/prometheus/series.ts";
import { type Kind, limitOf, type Reader } from "../kind.ts";

export const courseReplies: Reader = (kinds) => {
  const own = kinds.filter(({ value }) =>
    typeof value["expression"] === "string" && Array.isArray(value["samples"])
  );
  return {
    read: own,
    replies: own.map((kind, at) => {
      const alert = stringOf(kind.value["alert"]) || "the alert";
      const { samples, limit } = readCourse(kind);
      const title = `Course of ${alert}, 6 h`;
      return {
        collector: "prometheus",
        question: {
          id: `series-${at + 1}`,
          what: `course of ${alert}`,
          rank: 1,
          kind: "metric" as const,
        },
        findings: [{
          piece: { title, value: kind.value },
          facts: factsOf(samples, limit),
          series: describeSeries({ metric: {}, samples }, {
            alert,
            expression: stringOf(kind.value["expression"]),
            limit,
            step: Math.max(1, (samples[1]?.[0] ?? 0) - (samples[0]?.[0] ?? 0)),
            shared: {},
            ...optional("unit", textOf(kind.value["unit"], 20)),
          }),
        }],
      };
    }),
  };
};

function readCourse(
  { value }: Kind,
): { samples: Sample[]; limit: Limit | undefined } {
  return {
    samples: (value["samples"] as unknown[]).flatMap((pair): Sample[] => {
      const [at, number] = Array.isArray(pair) ? pair as unknown[] : [];
      const ms = Date.parse(stringOf(at));
      return Number.isNaN(ms) || typeof number !== "number"
        ? []
        : [[ms / 1000, number]];
    }),
    limit: limitOf(value),
  };
}
