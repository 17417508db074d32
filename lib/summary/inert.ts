/**
 * Text of others within Markdown. Pure.
 *
 * @module
 */
import { foreignLine, named } from "../base/foreign.ts";
import { utcOf } from "../base/text.ts";
import { toMoment } from "../incident.ts";
import { partsOf } from "../message/words.ts";

/** A word that some reader of Markdown would turn into a link. */
const ADDRESS =
  /:\/\/|^(?:www\.|mailto:|tel:)|@[\w-]+\.|[\w-]\.[a-z]{2,}(?![\w.])/i;

/**
 * One line of evidence, in which no text can pass for our own markup. What could
 * become a link stands as code.
 */
export function inert(text: string): string {
  return partsOf(foreignLine(text), (word) => ADDRESS.test(word))
    .map(({ text, code }) =>
      code ? `\`${text}\`` : text.replace(/[\\`*_{}[\]<>#|!~&]/g, "\\$&")
    ).join("")
    .replace(/^(\d+)(?=[.)])|^(?=[-+=])/, "$1\\"); // A list or a ruler.
}

/** `2026-01-15 09:20:00 to 09:22:14 UTC`. */
export function spanOf(since: string, newest = since): string {
  const [from, to] = [momentOf(since), momentOf(newest)];
  if (from === to) return from;
  const start = from.replace(/ UTC$/, "");
  const day = from.slice(0, 11);
  return `${start} to ${to.startsWith(day) ? to.slice(day.length) : to}`;
}

/** `2026-01-15 09:24:10 UTC`. */
export function momentOf(at: string): string {
  const moment = toMoment(at);
  return moment === undefined ? named(at, 40) : utcOf(moment);
}
