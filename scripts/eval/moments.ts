/**
 * When a case is looked at. Pure.
 *
 * @module
 */
import { toMoment } from "../../lib/incident.ts";
import { type Case, textsIn } from "./case.ts";

/** For a case without any moment. */
const NONE = "2026-01-15T10:00:00.000Z";
const MOMENTS =
  /\b\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)/g;

/**
 * The newest moment of a case, as RFC 3339 in UTC: nobody can have known more at
 * the time, and nobody looked earlier.
 */
export function newestMoment({ alert, evidence }: Case): string {
  const all = textsIn([alert, evidence]).flatMap((text) =>
    text.match(MOMENTS) ?? []
  ).flatMap((text) => toMoment(text) ?? []);
  return all.toSorted().at(-1) ?? NONE;
}
