/**
 * The first line of a message. Pure.
 *
 * @module
 */
import { foreignLine } from "../base/foreign.ts";
import { shorten } from "../base/text.ts";
import type { Severity } from "../incident.ts";
import { BADGES } from "./badges.ts";
import type { Report } from "./told.ts";

/** Of the subject, whose rest is cut. */
export const SUBJECT_CHARS_MAX = 60;

/**
 * `P1 · checkout-api: Checkout latency above 2 s`. The severity comes first, so
 * that no words of others push it out.
 */
export function headlineOf(
  { priority, subject = "", claims }: Report,
  severity: Severity = "warning",
): string {
  const [, word] = BADGES[severity];
  const about = shorten(foreignLine(subject), SUBJECT_CHARS_MAX);
  const what = about === "" ? "" : ` · ${about}`;
  const text = claims.find(({ place }) => place === "headline")?.text ?? "";
  return `${priority ?? word}${what}: ${foreignLine(text)}`;
}
