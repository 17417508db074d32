/**
 * The tables of formats, read and made ready. Pure.
 *
 * @module
 */
import { PLATFORM_FORMS } from "./forms_platforms.ts";
import { SERVICE_FORMS } from "./forms_services.ts";
import {
  CLASSES,
  firstRun,
  type Matcher,
  parseShape,
  type Part,
  toMatcher,
} from "./shape.ts";
import type { SecretClass } from "./span.ts";
import { SECRET_PATHS, SECRET_URLS } from "./urls.ts";

/** One row of a table: how one kind of credential is written. */
export interface Form {
  readonly group: string;
  readonly vendor: string;
  readonly what: string;
  readonly shape: string;
  /** The document that says so, or the place where the vendor's are. */
  readonly source: string;
  readonly name: SecretClass;
}

/** Every format that is recognized by itself. */
export const FORMS: readonly Form[] = [PLATFORM_FORMS, SERVICE_FORMS].flatMap(
  (table) => {
    let group = "";
    return table.trim().split("\n").flatMap((line): Form[] => {
      if (line.startsWith("# ")) {
        group = line.slice(2);
        return [];
      }
      const [vendor = "", what = "", shape = "", source = ""] = line.split(
        " | ",
      );
      const name = shape.startsWith("(AKIA") ? "aws-key" : "token";
      return [{ group, vendor, what, shape, source, name }];
    });
  },
);

/** A form's alternative, ready for the search. */
export interface FormMatcher extends Matcher {
  readonly name: SecretClass;
  /** Whether the characters must not be words, as after `sk-`. */
  readonly wordy: boolean;
}

const MATCHERS: readonly { parts: Part[]; matcher: FormMatcher }[] = FORMS
  .flatMap(({ shape, name }) =>
    parseShape(shape).map((parts) => ({
      parts,
      matcher: { ...toMatcher(parts), name, wordy: isWordy(parts) },
    }))
  );

/** Whether words in lower case could make the last part. */
function isWordy(parts: readonly Part[]): boolean {
  const last = parts.at(-1);
  return last !== undefined && "name" in last &&
    /[bpxwyB]/.test(last.name);
}

/** Forms that an anchor finds. */
export const ANCHORED_FORMS: readonly FormMatcher[] = MATCHERS
  .map(({ matcher }) => matcher).filter(({ anchor }) => anchor !== "");

/** A run of letters and digits is never looked up beyond this length. */
export const RUN_MAX = 80;

/** A form without an anchor, and what tells soon that it does not match. */
export interface RunForm {
  readonly form: FormMatcher;
  /** What the run starts with, and what follows it; empty if anything may. */
  readonly first: string;
  readonly next: string;
}

/** Forms without an anchor, by the length of their first letters and digits. */
export const FORMS_BY_RUN: readonly (readonly RunForm[])[] = (() => {
  const table: RunForm[][] = Array.from({ length: RUN_MAX + 1 }, () => []);
  for (const { parts, matcher } of MATCHERS) {
    if (matcher.anchor !== "") continue;
    const { min, max, next } = firstRun(parts);
    const [start] = parts;
    const first = start !== undefined && "literal" in start
      ? start.literal.replace(/[^0-9A-Za-z].*/, "")
      : "";
    for (let at = min; at <= Math.min(max, RUN_MAX); at++) {
      table[at]!.push({ form: matcher, first, next });
    }
  }
  return table;
})();

/** Whether some form has a first run of this length before this character. */
export function mayStartForm(length: number, next: number): boolean {
  return NEXT[length << 7 | next & 127] === 1;
}

const NEXT = new Uint8Array((RUN_MAX + 1) << 7);
FORMS_BY_RUN.forEach((forms, length) => {
  for (const { next } of forms) {
    const from = length << 7;
    if (next === "") NEXT.fill(1, from, from + 128);
    else NEXT[from | next.charCodeAt(0)] = 1;
  }
});

/** An address that is secret as a whole. */
export interface SecretUrl {
  readonly vendor: string;
  readonly what: string;
  readonly host: string;
  readonly path: string;
  readonly source: string;
  /** Matches what follows the host, or the path, from there on. */
  readonly pattern: RegExp;
}

/** Whatever a URL may go on with. */
const REST = String.raw`(?:[^\s"'<>\\]|\\/)*`;
const SLASH = String.raw`(?:\\?\/|%2f)`;

function toPattern(path: string, front: string): RegExp {
  const source = parseShape(path).map((parts) =>
    parts.map((part) => {
      if ("literal" in part) {
        return part.literal.replaceAll(/[.?+*()|[\]{}^$-]/g, "\\$&")
          .replaceAll("/", SLASH);
      }
      const { min, max, name } = part;
      return `[%${CLASSES[name]}]{${min},${Math.min(max, 200)}}`;
    }).join("")
  ).join("|");
  return new RegExp(`${front}(?:${source})${REST}`, "iy");
}

const rows = (table: string) =>
  table.trim().split("\n").map((line) => line.split(" | "));

/** Addresses by their host, then paths that are secret on every host. */
export const URLS: readonly SecretUrl[] = [
  ...rows(SECRET_URLS).map((
    [vendor = "", what = "", host = "", path = "", source = ""],
  ) => ({
    vendor,
    what,
    host,
    path,
    source,
    pattern: toPattern(path, String.raw`\.?(?::\d{1,5})?`),
  })),
  ...rows(SECRET_PATHS).map((
    [vendor = "", what = "", path = "", source = ""],
  ) => ({
    vendor,
    what,
    host: "",
    path,
    source,
    pattern: toPattern(path, ""),
  })),
];
