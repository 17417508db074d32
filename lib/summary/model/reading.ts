/**
 * What came of asking a model, and how people are told. Pure.
 *
 * @module
 */
import { counted } from "../../base/text.ts";
import type { EvidenceText } from "../../collected.ts";
import type { DroppedClaim, DropReason, KeptClaim } from "./claim.ts";
import type { Failure } from "./provider.ts";

/** In a message; the stored summary has the reason of each. */
const REASONS_TOLD = 2;

/** Why a model adds nothing. */
export type Shortfall =
  | Failure
  | "abstained"
  | "nothing left"
  | "withheld"
  | "unread";

/** What a model adds to a summary. */
export interface Reading {
  /** Provider and model: `openai:gpt-4o-mini`. */
  model: string;
  kept: readonly KeptClaim[];
  dropped: readonly DroppedClaim[];
  /** Set if nothing is kept. */
  shortfall?: Shortfall;
  /** Of the answer, if that is why. */
  status?: number;
  /** Who was waited for how long, in seconds. */
  seconds?: number;
  /** How many sentences that speak to a model were kept from it. */
  orders?: number;
  /** The pieces as they were read. */
  texts?: readonly EvidenceText[];
  /** The audit record, if something was sent. */
  record?: unknown;
}

const SHORTFALLS: Readonly<Record<Shortfall, string>> = {
  "budget": "its tokens for today are used up",
  "job budget": "its tokens for this incident are too few",
  "uncounted": "its tokens could not be counted",
  "forbidden": "policy does not allow its host",
  "withheld": "policy withholds the evidence",
  "unread": "no evidence could be read",
  "no time": "there was no time left to ask it",
  "late": "it did not answer in time",
  "limited": "it is asked too often (429)",
  "status": "it could not answer",
  "unreachable": "it could not be reached",
  "garbled": "its answer could not be read",
  "cut": "its answer was too long",
  "refusal": "it declined to answer",
  "abstained": "it finds the evidence inconclusive",
  "nothing left": "no claim of its passed the checks",
};

/** One clause on what became of the model's answer; none if all is shown. */
export function describeReading(
  { kept, dropped, shortfall, status, seconds }: Reading,
): string | undefined {
  if (shortfall !== undefined) {
    const why = shortfall === "status" && status !== undefined
      ? `${SHORTFALLS.status} (${status})`
      : shortfall === "late" && seconds !== undefined
      ? `it did not answer within ${seconds} s`
      : SHORTFALLS[shortfall];
    const all = dropped.length === 0 ? "" : `: ${describeDropped(dropped)}`;
    return `no reading by the model: ${why}${all}`;
  }
  if (dropped.length === 0) return undefined;
  const said = kept.length + dropped.length;
  return `${dropped.length} of the model's ${
    counted(said, "claim")
  } left out: ${describeDropped(dropped)}`;
}

/** Why a claim is not shown, to be read after its number. */
export const DROP_WORDS: Readonly<Record<DropReason, string>> = {
  "shape": "not in the form asked for",
  "too many": "beyond the eighth",
  "unknown id": "citing evidence that there is not",
  "no such quote": "quoting what the evidence does not say",
  "not copied": "with a number or name that the evidence does not have",
  "not together": "telling a number or name of something else",
  "not plain": "with an address, a mention or markup",
  "change": "blaming a change that was not made before the start",
  "gap": "taking a gap for a finding",
  "reserved": "ordering, approving or reassuring",
  "not our words": "in words that name nothing in the evidence",
  "off topic": "about something other than its evidence",
  "told": "said already",
};

/** How many for which reason, most first. */
function describeDropped(dropped: readonly DroppedClaim[]): string {
  const counts = [...Map.groupBy(dropped, ({ reason }) => reason)]
    .map(([reason, { length }]) => [reason, length] as const)
    .toSorted((one, other) => other[1] - one[1]);
  const told = counts.slice(0, REASONS_TOLD)
    .map(([reason, count]) => `${count} ${DROP_WORDS[reason]}`);
  const rest = counts.slice(REASONS_TOLD)
    .reduce((sum, [, count]) => sum + count, 0);
  return [...told, ...rest === 0 ? [] : [`${rest} for other reasons`]]
    .join(", ");
}
