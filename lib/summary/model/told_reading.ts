/**
 * What a model said, for those who read a summary by program, such as the
 * approval desk: what is shown of it, and what is not, and why. Pure.
 *
 * @module
 */
import { foreignLine } from "../../base/foreign.ts";
import { optional } from "../../base/json.ts";
import { shorten } from "../../base/text.ts";
import type { ModelReading } from "../../collected.ts";
import { wordClaim } from "./join.ts";
import { describeReading, DROP_WORDS, type Reading } from "./reading.ts";

const CLAIM_CHARS_MAX = 400;
/** A model is asked for eight; what is beyond is only counted. */
const DROPPED_MAX = 20;

/** @param record The pointer of the audit record, if something was sent. */
export function toldReading(
  reading: Reading | undefined,
  record: string | undefined,
): ModelReading | undefined {
  if (reading === undefined) return undefined;
  const { model, kept, dropped } = reading;
  const line = (text: string) => shorten(foreignLine(text), CLAIM_CHARS_MAX);
  return {
    model: shorten(foreignLine(model), 200),
    claims: kept.map((claim) => ({
      text: line(wordClaim(claim)),
      evidence: [...claim.evidence],
    })),
    left_out: dropped.slice(0, DROPPED_MAX).map(({ text, reason }) => ({
      text: line(text),
      why: DROP_WORDS[reason],
    })),
    ...optional("note", describeReading(reading)),
    ...optional("record_ptr", record),
  };
}
