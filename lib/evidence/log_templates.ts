/**
 * Groups log lines that say the same about different things. Pure, and the same
 * lines always give the same groups.
 *
 * @module
 */
import { isObject, parseJson } from "../base/json.ts";
import { removeUnseen } from "../base/text.ts";
import { wordsOf } from "./wording.ts";

/** A line and when it was written. */
export interface LogLine {
  /** Nanoseconds since 1970, 19 digits: a number would lose the last ones. */
  readonly at: string;
  readonly text: string;
}

/** Lines of one template. */
export interface LogGroup {
  /** With placeholders such as `<n>`; see {@linkcode templateOf}. */
  readonly template: string;
  readonly count: number;
  readonly first: string;
  readonly last: string;
  /** What the first of them says. */
  readonly example: string;
}

const LINE_CHARS_MAX = 2000;
const TEMPLATE_CHARS_MAX = 400;

/** What differs between lines of one template, in this order. */
const VARIABLES: readonly (readonly [pattern: RegExp, placeholder: string])[] =
  [
    [
      /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?/g,
      "<time>",
    ],
    [/\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b/g, "<time>"],
    [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, "<id>"],
    [/"(?:[^"\\]|\\.)*"|(?<![\p{L}\d])'[^']*'(?![\p{L}\d])/gu, "<text>"],
    // Letters and digits mixed: ids, hashes, names of pods and hosts.
    [/\b0x[0-9a-f]+\b/gi, "<id>"],
    [/\b(?=[a-f]*\d)[0-9a-f]{8,}\b/gi, "<id>"],
    [/\d+(?:[.:]\d+)*/g, "<n>"],
  ];

/** What a line says, without the fields around it that differ each time. */
export function messageOf(line: string): string {
  const text = clean(line);
  const json = text.startsWith("{") ? parseJson(line) : undefined;
  const said = isObject(json)
    ? [json["msg"] ?? json["message"], json["error"] ?? json["err"]]
      .map((value) => clean(isObject(value) ? value["message"] : value))
    : ["msg|message", "error|err"].map((names) => {
      const [, quoted, word] = RegExp(
        `(?:^|\\s)(?:${names})=(?:"((?:[^"\\\\]|\\\\.)*)"|(\\S+))`,
      ).exec(text) ?? [];
      return quoted?.replaceAll('\\"', '"') ?? word ?? "";
    });
  const [message, error] = said;
  // A field error=… within a sentence is no sentence by itself.
  if (!message) return isObject(json) && error ? error : text;
  return error && !message.includes(error) ? `${message}: ${error}` : message;
}

/** Bounded before anything else looks at it. */
function clean(value: unknown): string {
  return removeUnseen(wordsOf(value, LINE_CHARS_MAX) ?? "").trim();
}

/**
 * A message with placeholders for what differs each time. It is to compare by, not
 * to show: of a credential it may leave parts that look like none.
 */
export function templateOf(message: string): string {
  return VARIABLES.reduce(
    (text, [pattern, placeholder]) => text.replace(pattern, placeholder),
    message,
  ).replace(/\s+/g, " ").slice(0, TEMPLATE_CHARS_MAX);
}

/** Groups lines, the earliest group first. */
export function groupLines(lines: readonly LogLine[]): LogGroup[] {
  const sorted = lines.toSorted((a, b) =>
    a.at === b.at ? (a.text < b.text ? -1 : 1) : a.at < b.at ? -1 : 1
  ).map(({ at, text }) => ({ at, message: messageOf(text) }));
  return [...Map.groupBy(sorted, ({ message }) => templateOf(message))].map((
    [template, group],
  ) => ({
    template,
    count: group.length,
    first: group[0]!.at,
    last: group.at(-1)!.at,
    example: group[0]!.message,
  }));
}
