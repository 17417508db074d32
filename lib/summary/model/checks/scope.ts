/**
 * A claim says of how many, how often and in which direction only what its
 * evidence says: no "all" of one, no "3 of 3" of one in three, no "below the
 * limit" of what is above it. Pure.
 *
 * @module
 */
import { type Check, citedItems, fold } from "../claim.ts";

/** What makes one thing many, or many things one. */
const ALL =
  /\b(?:all|every|each|both|none|entire|entirely|whole|only|just|always|once|sole|solely|single|most|mostly|majority|everything|everywhere|nothing|exclusively|completely|wholly|nobody|nowhere|any)\b/gi;
/** Counts that are all there is: `40 of 40`, `0/4`. */
const WHOLE = /\b(\d+)(?: of |\/)\1\b|\b0(?: of |\/)\d+\b|\b(?:no|zero|0)\b/i;
const PER = /\b(?:per|an?|each|every) (second|minute|hour|day|week)s?\b/i;
const OF = /\b(\d+(?:\.\d+)?)(?: \w+)?(?: of |\/)(\d+(?:\.\d+)?)\b/gi;
/** Less trouble than there may be. */
const BELOW =
  /\b(?:below|beneath|under|within|inside|less than|lower than|smaller than|far from|short of|away from)\b/i;
const IS_BELOW =
  /\b(?:below|beneath|under|within|less|lower|smaller|fell|drop\w*|free|left|remain\w*|low|short|min(?:imum)?|available|shrank)\b|</i;

export const scope: Check = (claim, seen) => {
  const { text, section } = claim;
  const quote = fold(claim.quote);
  const texts = citedItems(claim, seen).map(({ folded }) => folded);
  const drop = (word: string) => ({ reason: "not together", word }) as const;
  for (const [word] of section === "next" ? [] : text.matchAll(ALL)) {
    const isSaid = RegExp(`\\b${word}\\b`, "i").test(quote) ||
      WHOLE.test(text) && !/only|just|once|most|majority/i.test(word);
    if (!isSaid) return drop(word);
  }
  const [per, unit = ""] = PER.exec(text) ?? [];
  if (per !== undefined && !texts.some((text) => isPer(text, unit))) {
    return drop(per);
  }
  const order = /\b(?:before|after)\b/i.exec(text)?.[0].toLowerCase();
  const turned = order === "before" ? "after" : "before";
  if (
    order !== undefined && section === "what" &&
    RegExp(`\\b${turned}\\b`, "i").test(quote) &&
    !RegExp(`\\b${order}\\b`, "i").test(quote)
  ) return drop(order);
  for (const [said, part = "", whole = ""] of text.matchAll(OF)) {
    if (!texts.some((text) => hasPart(text, part, whole))) return drop(said);
  }
  const below = BELOW.exec(text)?.[0];
  return below !== undefined && section !== "next" &&
      /\b(?:limit|threshold|target|budget|quota|bound|maximum)/i.test(text) &&
      !IS_BELOW.test(quote)
    ? drop(below)
    : { kept: claim };
};

function isPer(text: string, unit: string): boolean {
  return RegExp(
    `(?<![a-z])(?:per|an?|each|every)[ _]${unit}|/${unit[0]}(?:${
      unit.slice(1)
    })?(?![a-z])`,
    "i",
  ).test(text);
}

/** Whether two numbers stand in this order, or each in a place of its own. */
function hasPart(text: string, part: string, whole: string): boolean {
  const [one, other] = [part, whole].map((number) =>
    number.replace(".", "\\.")
  );
  if (RegExp(`\\b${one}(?: \\w+)?(?: of |/)${other}\\b`, "i").test(text)) {
    return true;
  }
  if (RegExp(`\\b${other}(?: \\w+)?(?: of |/)${one}\\b`, "i").test(text)) {
    return false;
  }
  const counts = [one, other].map((number) =>
    [...text.matchAll(
      RegExp(`(?<![\\w.-]|\\d:)${number}(?![\\w:]|\\.\\d)`, "g"),
    )]
      .length
  );
  return Number(part) <= Number(whole) &&
    (part === whole ? counts[0]! > 1 : counts.every((count) => count > 0));
}
