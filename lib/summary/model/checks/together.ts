/**
 * A claim tells a number of what its evidence tells it of: the same field or
 * clause has a word of the claim's, and the same entry the name. That the number
 * stands somewhere is not enough. Pure.
 *
 * @module
 */
import {
  type Check,
  citedItems,
  escapeRegExp,
  fold,
  type KeptClaim,
} from "../claim.ts";
import {
  type Layout,
  layoutOf,
  type Part,
  partOf,
  type Place,
  placeAt,
  positions,
  quotePlaces,
} from "../records.ts";
import { isFunctionWord, isThing } from "../words.ts";
import { tokensOf } from "./copied.ts";
import { finder } from "./finder.ts";
import { isAmount, NUMBER, numberPlaces, TIME, unitOf } from "./numbers.ts";
import { stemOf } from "./on_topic.ts";

const CLAUSE_END = /[,;:()](?=\s|$)|\s(?:and|but|while|whereas)\s/;
/** What every number may do. */
const DOES =
  /^(?:reach\w*|ris\w+|rose|grew|gr[eo]w\w*|fell|falls?|hits?|shows?|stands?|stood|stays?|stayed|takes?|took|gets?|got|goes|went|peak\w*|about|times?)$/;
/** What every number may be. */
const VAGUE =
  /^(?:evidence|values?|numbers?|starts?|begin\w*|minutes?|seconds?|hours?)$/;
/** Fields that do not say what they hold. */
const UNNAMED =
  /^(?:values?|samples?|data|points?|datapoints|number|amount|quantity|n|v|y|text|says|message|msg|line|lines|log|logs|log_line|content|description|summary|body|title|title_text|timestamps?|at|time|name)$/i;
/** What is measured, in spite of its digits: `p99`, `5xx`. */
const PERCENTILE = /^p\d\d{1,2}$|^[45]xx$/;

export const together: Check = (claim, seen) => {
  const cited = citedItems(claim, seen).map(layoutOf);
  const quoted = cited.filter((layout) =>
    quotePlaces(layout, claim.quote).length > 0
  );
  // What is the case stands where it is quoted.
  const layouts = claim.section === "what" && quoted.length > 0
    ? quoted
    : cited;
  let names: string[] = [];
  for (const clause of claim.text.split(CLAUSE_END)) {
    const tokens = tokensOf(clause);
    const own = tokens.filter((token) =>
      layouts.some((layout) => isName(token, layout))
    );
    if (own.length > 0) names = own;
    const words = wordsOf(tokens, own);
    for (const [at, token] of tokens.entries()) {
      const find = finder(token, tokens[at + 1], tokens[at - 1]);
      if (find === undefined) continue;
      const counts = wordsOf(tokens.slice(at + 1, at + 2), own)[0];
      const isTold = layouts.some((layout) =>
        find(layout).some((place) =>
          isAbout(layout, place, { words, token, counts, claim }) &&
          isOf(layout, place, names) &&
          (!TIME.test(token) || isTimeOf(layout, place, { tokens, claim }))
        ) && (claim.section !== "what" || own.every((name) =>
          namePlaces(name, layout.text).length > 0
        ))
      );
      if (!isTold) return { reason: "not together", word: token };
    }
  }
  return isQuoteOf(claim, layouts);
};

/** Whether a place in evidence speaks of what a clause speaks of. */
function isAbout(
  layout: Layout,
  at: number,
  { words, token, counts, claim }: {
    words: readonly string[];
    token: string;
    /** What is counted: the word behind the number. */
    counts: string | undefined;
    claim: KeptClaim;
  },
): boolean {
  const place = placeAt(layout, at);
  const about = TIME.test(token)
    ? partOf(layout, recordAround(layout, place.record)).toLowerCase()
    : aboutOf(layout, place);
  if (
    counts !== undefined && isCounted(counts) &&
    !about.includes(stemOf(counts))
  ) return false;
  return words.length === 0
    ? claim.quote.includes(token)
    : words.some((word) => about.includes(stemOf(word)));
}

/** The same place is looked at for each number of each claim. */
const abouts = new WeakMap<Place, string>();

/** What a number is told of: its field or clause, else the entry it is in. */
function aboutOf(layout: Layout, place: Place): string {
  const known = abouts.get(place);
  if (known !== undefined) return known;
  const { key, clause, record } = place;
  const isNamed = key !== "" && !UNNAMED.test(key);
  // `40 of 40 in use` is said of what the rest of the sentence speaks of.
  const says = wordsOf(tokensOf(clause), []).some((word) => word !== "use");
  const about = isNamed
    ? `${key} ${clause}`
    : says
    ? clause
    : partOf(layout, recordAround(layout, record));
  abouts.set(place, about.toLowerCase());
  return about.toLowerCase();
}

function isCounted(word: string): boolean {
  return isThing(word) || /(?:ion|ment|[^s]s)$/.test(word);
}

/** A moment of a sample is told with its value, or quoted. */
function isTimeOf(
  layout: Layout,
  at: number,
  { tokens, claim }: { tokens: readonly string[]; claim: KeptClaim },
): boolean {
  const { record } = placeAt(layout, at);
  if (!record.isSample) return true;
  const text = partOf(layout, record);
  return fold(claim.quote).includes(text) ||
    tokens.some((token) =>
      NUMBER.test(token) &&
      numberPlaces(text, NUMBER.exec(token)![1]!, undefined).length > 0
    );
}

/** An entry; for a sample, the one that it belongs to. */
function recordAround(layout: Layout, sample: Part): Part {
  if (!sample.isSample) return sample;
  const outer = layout.records.findLast((record) =>
    !record.isSample && contains(record, sample)
  );
  return outer ?? { at: 0, end: layout.text.length };
}

/** Whether each name stands in the same entry as a place, or around it. */
function isOf(layout: Layout, at: number, names: readonly string[]): boolean {
  const { record } = placeAt(layout, at);
  return names.every((name) => {
    const places = namePlaces(name, layout.text);
    return places.length === 0 ||
      places.some((place) => contains(placeAt(layout, place).record, record));
  });
}

function contains(outer: Part, inner: Part): boolean {
  return outer.at <= inner.at && outer.end >= inner.end;
}

/** A quote of one entry is no evidence for another one alone. */
function isQuoteOf(
  claim: KeptClaim,
  layouts: readonly Layout[],
): ReturnType<Check> {
  const tokens = tokensOf(claim.text);
  for (const layout of layouts) {
    const names = tokens.filter((token) => isName(token, layout))
      .filter((name) => namePlaces(name, layout.text).length > 0);
    const quotes = quotePlaces(layout, claim.quote);
    if (names.length === 0 || quotes.length === 0) continue;
    const isOne = quotes.some((at) =>
      names.some((name) => isOf(layout, at, [name]))
    );
    if (!isOne) return { reason: "not together", word: names[0]! };
  }
  return { kept: claim };
}

/** What a clause speaks of, beside names that only say of whom. */
function wordsOf(
  tokens: readonly string[],
  names: readonly string[],
): string[] {
  const words = tokens.map((token) => token.toLowerCase()).filter((word) =>
    word.length > 2 && !/\d/.test(word.replace(PERCENTILE, "")) &&
    !isFunctionWord(word) &&
    !isAmount(word) && unitOf(word) === undefined &&
    !VAGUE.test(word) && !DOES.test(word)
  );
  const own = new Set(names.map((name) => name.toLowerCase()));
  const things = words.filter((word) => !own.has(word));
  return things.length > 0 ? things : words;
}

/** A word that tells one entry from another: by its form, or a whole value. */
function isName(token: string, { text }: Layout): boolean {
  if (NUMBER.test(token) || TIME.test(token) || token.length < 2) return false;
  return /\d/.test(token) || /\p{L}[-./:_]\p{L}/u.test(token) ||
    !isFunctionWord(token.toLowerCase()) &&
      RegExp(`"${escapeRegExp(token)}"(?!\\s*:)`, "i").test(text);
}

function namePlaces(name: string, text: string): number[] {
  return positions(
    text,
    RegExp(`(?<![\\w])${escapeRegExp(name)}(?!\\w|\\.\\d)`, "gi"),
  );
}
