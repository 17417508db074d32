/**
 * Texts and moments of other systems as facts and timelines have them. Pure.
 *
 * @module
 */
import { mapTexts, stringOf } from "../base/json.ts";
import { ageOf, shorten } from "../base/text.ts";
import type { ChangeKind } from "../collected.ts";
import type { Subject } from "./subject.ts";

/** A longer text is not read to its end. */
const READ_CHARS_MAX = 16_384;
const EMAIL =
  /[\w.!#$%&'*+=?^`{|}~-]{1,64}@(?:[a-z\d-]{1,63}\.){1,8}[a-z]{2,24}(?![\w-])/gi;

/**
 * The trimmed text without e-mail addresses, shortened; `undefined` for a blank
 * one and for anything else.
 */
export function wordsOf(value: unknown, charsMax: number): string | undefined {
  const text = cut(stringOf(value), READ_CHARS_MAX).trim();
  return text === "" ? undefined : cut(withoutEmails(text), charsMax);
}

/** No part of a word is left, since a part of a credential looks like none. */
function cut(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  return `${shorten(text, charsMax).slice(0, -1).replace(/[!-~]*$/, "")}…`;
}

/**
 * A JSON value of free form without e-mail addresses. One that is longer than
 * `charsMax` becomes the beginning of its JSON.
 */
export function freeOf(value: unknown, charsMax: number): unknown {
  if (typeof value === "string") return wordsOf(value, charsMax);
  const json = JSON.stringify(value, null, 1) ?? "";
  if (json.length > charsMax) return wordsOf(json, charsMax);
  return mapTexts(value, withoutEmails);
}

function withoutEmails(text: string): string {
  return text.replace(EMAIL, "(e-mail)");
}

/** What people's words about a change say first, the more certain before. */
const CHANGES: readonly (readonly [words: RegExp, what: ChangeKind])[] = [
  [/\b(?:feature[ -_]?)?(?:flag|toggle)s?\b/i, "flag"],
  [/\bmaintenance\b/i, "maintenance"],
  [/\b(?:rolled|rolling|roll)[ -]?back\b|\brollback\b|\brevert/i, "rollback"],
  [/\bdeploy|\breleas|\brolled out\b|\brollout\b|\bversion\b/i, "deployment"],
  [/\bconfig|\bsettings?\b|\bmigrat/i, "config"],
  [/\bscal(?:e|ed|ing)\b|\bresiz|\breplicas\b/i, "scale"],
  [/\brestart/i, "restart"],
  [/\bmerged?\b/i, "merge"],
];

/** The kind of change that a text is about; `undefined` if it is about none. */
export function changeKindOf(text: string): ChangeKind | undefined {
  return CHANGES.find(([words]) => words.test(text))?.[1];
}

/** `4 min before the start`, for a moment of RFC 3339. */
export function fromStart(at: string, { startedAt }: Subject): string {
  const ms = Date.parse(at) - Date.parse(startedAt);
  if (Math.abs(ms) < 1000) return "at the start";
  return `${ageOf(Math.abs(ms))} ${ms < 0 ? "before" : "after"} the start`;
}

/** Sorts the oldest first, those without a moment before it. */
export function byTime(a: { at?: unknown }, b: { at?: unknown }): number {
  const [first, second] = [stringOf(a.at), stringOf(b.at)];
  return first < second ? -1 : first > second ? 1 : 0;
}
