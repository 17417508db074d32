/**
 * A summary as Markdown: what the message says, and then everything that it has
 * no room for. Pure.
 *
 * @module
 */
import { named, quoted } from "../base/foreign.ts";
import { shorten } from "../base/text.ts";
import { type Claim, type EvidenceBundle, withIds } from "../incident.ts";
import { citing } from "../message/cited.ts";
import { headlineOf } from "../message/headline.ts";
import type { Place, Told } from "../message/told.ts";
import {
  alertLines,
  evidenceLines,
  factLines,
  gapLines,
  lookupLines,
  momentLines,
} from "./details.ts";
import { type Draft, weigh } from "./draft.ts";
import { inert, momentOf } from "./inert.ts";
import { Said } from "./said.ts";
import { claimsIn } from "./tell.ts";

const HEADING_CHARS_MAX = 300;
const WORDS_MAX = 5000;
/** As evidence begins a description; the alerts stand above. */
const OLDEST = /^(?:Oldest|One) of \d+ alerts: /;
const PARTS: readonly (readonly [place: Place, title: string])[] = [
  ["happened", "What happened"],
  ["changed", "What changed"],
  ["seen", "Seen before"],
  ["next", "Next"],
];

/**
 * Writes a draft as Markdown, with every citation and the list of evidence.
 *
 * @param pattern Where people open a piece of evidence, see `EVIDENCE_URL`.
 */
export function toMarkdown(
  draft: Draft,
  bundle: EvidenceBundle,
  pattern?: string,
): string {
  const { report } = draft;
  const context = bundle.normalized_context ?? {};
  const headline = headlineOf(report, context.severity);
  const said = new Said();
  for (const { place, text } of report.claims) {
    // A rule may add a number to what the sender says.
    if (place === "headline") {
      [text, text.replace(/ \([^()]*\)$/, "")].forEach((one) => said.add(one));
    }
    said.addQuoted(text);
  }
  const cited = (place: Place) => claimsIn(report, place).map(citedLine);
  const description = said.rest(
    (context.description ?? "").replace(OLDEST, ""),
  );
  const main = withIds(bundle.evidence).slice(0, 1).map(({ id }) => id);
  return [
    `# ${inert(shorten(headline, HEADING_CHARS_MAX))}`,
    "",
    ...cited("state").flatMap((line) => [line, ""]),
    ...PARTS.flatMap(([place, title]) =>
      section(title, claimsIn(report, place).filter(isWhole).map(citedLine))
    ),
    ...section("Alerts by name, the worst first", alertLines(bundle, said)),
    ...section(
      "In the sender's words",
      description === ""
        ? []
        : [citedLine({ text: quoted(description, WORDS_MAX), evidence: main })],
    ),
    ...factLines(bundle, said).flatMap(([title, lines]) =>
      section(title, lines)
    ),
    ...section("Timeline", momentLines(bundle, said)),
    ...section("Not collected", gapLines(bundle)),
    ...section("What was looked up", lookupLines(bundle)),
    ...section("Evidence", evidenceLines(bundle, pattern)),
    `${writtenBy(draft, bundle)}.`,
    "",
  ].join("\n");
}

function writtenBy(
  { report, model }: Draft,
  { collected_at }: EvidenceBundle,
): string {
  const { claims, collected, confidence } = weigh(report);
  const who = model === "builtin" ? "the built-in rules" : named(model);
  return `Written by ${inert(who)} from the evidence of ${
    inert(momentOf(collected_at))
  }. Confidence ${confidence}: ${collected} of ${claims} claims rest on other systems than the webhook`;
}

/** What counts others stands below, one by one. */
function isWhole({ text }: Told): boolean {
  return !text.startsWith("… ");
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0
    ? []
    : [`## ${title}`, "", ...lines.map((line) => `- ${line}`), ""];
}

function citedLine({ text, evidence }: Claim): string {
  return `${inert(text)} ${citing(evidence)}`.trimEnd();
}
