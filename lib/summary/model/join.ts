/**
 * Adds a model's claims to what the rules tell, and replaces nothing. Pure.
 *
 * @module
 */
import { foreignLine } from "../../base/foreign.ts";
import type { Report, Told } from "../../message/told.ts";
import type { Draft } from "../draft.ts";
import { isTold } from "./check.ts";
import type { KeptClaim, Section } from "./claim.ts";
import { describeReading, type Reading } from "./reading.ts";

/** As a reader needs them. */
const ORDER: readonly Section[] = ["what", "cause", "next"];
/** In a message; the stored summary has all. */
const SHOWN: Readonly<Record<Section, number>> = { what: 1, cause: 2, next: 2 };

/** A draft with the model's claims beside its own; the same without a reading. */
export function join(draft: Draft, reading: Reading | undefined): Draft {
  if (reading === undefined) return draft;
  return { ...draft, report: joinReport(draft.report, reading) };
}

/** Who is named in a summary: the model, if it added something. */
export function authorOf(
  { model }: Draft,
  reading: Reading | undefined,
): string {
  return reading === undefined || reading.kept.length === 0
    ? model
    : reading.model;
}

/** The report with the model's claims in a place of their own. */
function joinReport(report: Report, reading: Reading): Report {
  const note = describeReading(reading);
  const told = report.claims.map(({ text }) => text);
  const added = ORDER.flatMap((section) =>
    reading.kept.filter((claim) =>
      claim.section === section &&
      !told.some((text) => isTold(claim.text, text))
    ).slice(0, SHOWN[section]).map(toTold)
  );
  const claims: Told[] = [
    ...report.claims,
    ...note === undefined ? [] : [{
      place: "small" as const,
      by: "model" as const,
      text: note,
      evidence: [],
    }],
  ];
  const at = claims.findIndex(({ place }) =>
    place !== "headline" && place !== "state" && place !== "happened"
  );
  return { ...report, claims: claims.toSpliced(at, 0, ...added) };
}

function toTold(claim: KeptClaim): Told {
  const { evidence, level } = claim;
  return {
    place: "model",
    by: "model",
    level,
    text: wordClaim(claim),
    evidence: [...evidence],
    collected: true,
  };
}

/** A claim with what its reader should know of how sure it is. */
export function wordClaim(
  { section, text, level, single }: KeptClaim,
): string {
  const line = foreignLine(text);
  if (section === "next") return `Next: ${line}`;
  if (level === "observed") return line;
  const start = section === "cause" ? "Possible cause" : "Possibly";
  const basis = single ? ", from one kind of evidence" : "";
  return `${start}${basis}: ${line}`;
}
