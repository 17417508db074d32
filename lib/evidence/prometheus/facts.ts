/**
 * What a number's course says, as facts. Pure.
 *
 * @module
 */
import { numberText } from "../../base/text.ts";
import type { Health } from "../../incident.ts";
import type { FoundFact } from "../collector.ts";
import {
  courseOf,
  isBeyond,
  type Limit,
  type Sample,
  sparkline,
} from "../course.ts";

/** Where the number stands, when it crossed its limit, and its course. */
export function factsOf(
  samples: Sample[],
  limit: Limit | undefined,
): FoundFact[] {
  const course = courseOf(samples, limit);
  if (course === undefined) return [];
  const { last, worst, crossed, trend } = course;
  const at = ([time]: Sample) => clockOf(time);
  const bound = limit === undefined
    ? ""
    : `, limit ${limit.operator} ${numberText(limit.value)}`;
  return [
    {
      name: "now",
      value: `${numberText(last[1])} at ${at(last)}${bound}`,
      ...limit !== undefined && { health: healthOf(last, limit, crossed) },
    },
    ...crossed === undefined ? [] : [{
      name: "crossed its limit",
      value: `at ${at(crossed)} with ${numberText(crossed[1])}`,
    }],
    {
      name: "worst in 6 h",
      value: `${numberText(worst[1])} at ${at(worst)}`,
    },
    { name: "course over 6 h", value: `${trend} ${sparkline(samples)}`.trim() },
  ];
}

function healthOf(
  last: Sample,
  limit: Limit,
  crossed: Sample | undefined,
): Health {
  if (isBeyond(last[1], limit)) return "ill";
  return crossed === undefined ? "well" : "recovered";
}

/** The number at the same time a week before. */
export function compareWeeks(now: Sample[], before: Sample[]): FoundFact[] {
  const last = courseOf(now)?.last;
  const then = courseOf(before)?.last;
  if (last === undefined || then === undefined) return [];
  const ratio = then[1] === 0
    ? ""
    : `, now ${numberText(last[1] / then[1])} times that`;
  return [{
    name: "a week before",
    value: `${numberText(then[1])} at the same time${ratio}`,
  }];
}

/** RFC 3339, UTC. */
export function momentOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** `2026-01-15 09:30 UTC`. */
function clockOf(seconds: number): string {
  return `${momentOf(seconds).slice(0, 16).replace("T", " ")} UTC`;
}
