/**
 * What may stand between `<` and `>` in our mrkdwn, and nothing else may: an
 * address that is its own text, a citation that opens its piece of evidence, and
 * a moment that Slack shows in the reader's time zone. Pure.
 *
 * @see https://docs.slack.dev/messaging/formatting-message-text
 * @module
 */
import { toMoment } from "../incident.ts";
import { escapeMrkdwn, unescapeMrkdwn } from "./block_kit.ts";

/** Every control sequence, ours or not. */
export const CONTROLS = /<([^<>\n]*)>/g;

export type Control =
  | { kind: "address"; text: string; url: string }
  | { kind: "evidence"; text: string; url: string }
  | { kind: "date"; text: string };

const URL_CHARS_MAX = 3000;
const CITATION = /^\[[A-Z]{1,2}[1-9]\d{0,3}\]$/;
/** A pointer within an address, as `{pointer}` becomes one. */
const POINTER = /redis%3A%2F%2Fart%3A[\w.%-]+/;
const DATE =
  /^!date\^(\d{1,11})\^((?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d UTC) \(\{time\} your time\)\|([^|]*)$/;

/**
 * Reads what stands between the brackets.
 *
 * @returns `undefined` for anything that could pose as something else.
 */
export function readControl(inner: string): Control | undefined {
  const [, seconds, shown, fallback] = DATE.exec(inner) ?? [];
  if (seconds !== undefined) {
    const isTrue = shown === fallback &&
      utcOf(Number(seconds))?.endsWith(shown!);
    return isTrue ? { kind: "date", text: shown! } : undefined;
  }
  const [address = "", label, ...more] = inner.split("|");
  const url = unescapeMrkdwn(address);
  if (more.length > 0 || !isPlainUrl(url)) return undefined;
  if (label === undefined || label === address) {
    return { kind: "address", text: url, url };
  }
  return CITATION.test(label) && POINTER.test(url)
    ? { kind: "evidence", text: label, url }
    : undefined;
}

/** Whether an address is written as a browser would read it. */
export function isPlainUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) &&
    url.username + url.password === "" && url.href === text &&
    text.length <= URL_CHARS_MAX;
}

/** A link whose text is its whole address. */
export function addressLink(url: string): string {
  return `<${escape(url)}>`;
}

/** A citation that opens its piece of evidence; plain if it cannot. */
export function evidenceLink(url: string, citation: string): string {
  const control = `${escape(url)}|${citation}`;
  return readControl(control) === undefined ? citation : `<${control}>`;
}

/**
 * A moment as it stands in a line, which Slack follows by the reader's own time.
 *
 * @param moment RFC 3339.
 * @param shown `09:20:00 UTC`, perhaps with its date in front.
 */
export function localTime(moment: string, shown: string): string {
  const ms = Date.parse(toMoment(moment) ?? "");
  const control = `!date^${
    Math.floor(ms / 1000)
  }^${shown} ({time} your time)|${shown}`;
  return readControl(control) === undefined ? shown : `<${control}>`;
}

/** A line as people read it without Slack: no brackets, only their texts. */
export function withoutControls(line: string): string {
  return line.replace(CONTROLS, (whole, inner: string) => {
    const control = readControl(inner);
    return control === undefined ? whole : escape(control.text);
  });
}

/** What opens a piece of evidence in a text, in order. */
export function evidenceLinksOf(
  text: string,
): { text: string; url: string }[] {
  return [...text.matchAll(CONTROLS)].flatMap(([, inner = ""]) => {
    const control = readControl(inner);
    return control?.kind === "evidence" ? [control] : [];
  });
}

function utcOf(seconds: number): string | undefined {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime())
    ? undefined
    : `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function escape(text: string): string {
  return escapeMrkdwn(text).replaceAll("|", "%7C");
}
