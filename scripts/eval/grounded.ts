/**
 * Whether what a claim quotes stands in the evidence. Pure.
 *
 * @module
 */
import { quoted } from "../../lib/base/foreign.ts";
import { sentencesOf } from "../../lib/base/sentence.ts";
import { parseJson } from "../../lib/base/json.ts";
import type { Claim } from "../../lib/incident.ts";
import { textsIn } from "./case.ts";
import type { Made } from "./replay.ts";

const QUOTED = /“([^“”]*)”/g;

/** Whether each quote of a claim stands in a piece, a fact or a moment. */
export function areGrounded({ text }: Claim, { bundle, texts }: Made): boolean {
  const { facts = [], timeline = [], title = "" } = bundle.normalized_context ??
    {};
  const sources = [
    title,
    ...facts.flatMap(({ name, value }) => [name, value, `${name}: ${value}`]),
    ...timeline.map((entry) => entry.text),
    ...[...texts.values()].flatMap((text) => textsIn(parseJson(text) ?? text)),
  ].map(fold);
  const stands = (part: string) =>
    sources.some((source) => source.includes(part));
  return [...text.matchAll(QUOTED)].every(([, quote = ""]) => {
    // What was cut off is not claimed.
    const said = fold(quote.replace(/…$/, ""));
    return stands(said) ||
      // Sentences of several annotations, or names and values of labels.
      sentencesOf(said).map(fold).every(stands) ||
      said.split(", ").every((part) =>
        stands(part) || part.split(": ").every(stands)
      );
  });
}

/** As a quote has it. */
function fold(text: string): string {
  return quoted(text, Infinity).slice(1, -1).replace(/\.$/, "").trim();
}
