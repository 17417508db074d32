/**
 * What a model said, in the stored summary: what is shown of it, and what is
 * not, and why. Pure.
 *
 * @module
 */
import { named, quoted } from "../../base/foreign.ts";
import { capitalized, counted } from "../../base/text.ts";
import { plainId } from "../../message/cited.ts";
import { inert } from "../inert.ts";
import { wordClaim } from "./join.ts";
import { describeReading, DROP_WORDS, type Reading } from "./reading.ts";

/** The summary with a section on the model's answer, if one was asked. */
export function withReading(
  markdown: string,
  reading: Reading | undefined,
): string {
  if (reading === undefined) return markdown;
  const { model, kept, dropped, orders = 0 } = reading;
  const note = describeReading(reading);
  const shown = kept.map((claim) =>
    `- ${inert(wordClaim(claim))} [${
      claim.evidence.map(plainId).join(", ")
    }], by ${inert(quoted(claim.quote))}`
  );
  const left = dropped.map(({ text, reason, word }) =>
    `- Left out, ${DROP_WORDS[reason]}${
      word === undefined ? "" : ` (${inert(quoted(word, 60))})`
    }: ${inert(quoted(text))}`
  );
  const lines = [
    `${
      inert(named(model))
    } has read the same evidence. Each line was checked ` +
    "against what it cites; none of it replaces anything above.",
    ...note === undefined ? [] : ["", inert(capitalized(note) + ".")],
    ...orders === 0 ? [] : [
      "",
      `${counted(orders, "passage")} of the evidence that ${
        orders === 1 ? "speaks" : "speak"
      } to a reader, as an order or an approval does, ${
        orders === 1 ? "was" : "were"
      } kept from it.`,
    ],
    ...shown.length + left.length === 0 ? [] : ["", ...shown, ...left],
  ];
  return `${markdown}\n## A model's reading\n\n${lines.join("\n")}\n`;
}
