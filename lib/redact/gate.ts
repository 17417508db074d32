/**
 * Whether the value behind a name is a credential. Pure.
 *
 * @module
 */
import type { NameKind } from "./names.ts";
import {
  decodeBase64,
  isNumber,
  isObjectName,
  isPlain,
  isSentence,
  isUuid,
  looksChosen,
  looksRandom,
  standsForNone,
} from "./values.ts";

/** How name and value are joined. */
export type Operator =
  /** `=` and its kin, or a quoted name. */
  | "assign"
  /** `<name>value</name>`. */
  | "element"
  /** A block of YAML. */
  | "line"
  /** `name: value`, as in YAML and in prose. */
  | "colon"
  /** `"name", "value"`, `name("value")`, a row of a table. */
  | "comma"
  /** The first item of what a name holds. */
  | "item"
  /** `--name value`. */
  | "argument"
  /** `name value`. */
  | "space";

/** What stands around a value. */
export interface Place {
  readonly kind: NameKind;
  readonly operator: Operator;
  readonly quoted: boolean;
  readonly text: string;
  /** Where the name starts, and where the value ends. */
  readonly start: number;
  readonly end: number;
}

const LENGTH_MIN = 4;

/** Whether a blank, a full stop or a colon stands there. */
function isEdge(value: string, at: number): boolean {
  const code = value.charCodeAt(at);
  return code <= 32 || code === 46 || code === 58 ||
    code > 127 && /\s/.test(value[at]!);
}

/** Whether it is a credential rather than a word about one. */
export function isCredential(given: string, place: Place): boolean {
  const { kind, operator, quoted } = place;
  const value = isEdge(given, 0) || isEdge(given, given.length - 1)
    ? given.trim().replace(/[.:]$/, "")
    : given;
  if (value.length < LENGTH_MIN) return false;
  // Most of what follows a name in prose is a word.
  const prose = !quoted && (operator === "colon" || operator === "space");
  if (prose && /^[a-z]+:?$/.test(given) && given.length < 16) {
    if (kind !== "password" || !isAlone(place)) return false;
  }
  if (standsForNone(value)) return false;
  if (kind === "pin") {
    return operator !== "space" && /^\d{4,8}$/.test(value) ||
      looksSecret(value);
  }
  if (/\s/.test(value)) return isPhrase(value, place);
  if (kind === "weak") return looksSecret(value);
  if (kind === "opaque") {
    return looksSecret(value) ||
      operator !== "space" && (isLongHex(value) || isUuid(value));
  }
  if (kind !== "password" && isNumber(value)) return false;
  switch (operator) {
    case "assign":
    case "element":
    case "line":
    case "argument":
      return kind !== "object" || !isNamed(value);
    case "item":
    case "comma":
      return kind === "password" && looksChosen(value) || looksRandom(value) ||
        looksChosen(value) && !isObjectName(value);
    case "colon":
      return quoted
        ? kind !== "object" || !isNamed(value)
        : isAfterColon(value, place);
    case "space":
      return isAfterSpace(value, place);
  }
}

/** Whether it may be the name of a Secret, such as `shop/checkout-tls`. */
function isNamed(value: string): boolean {
  return /[-./:]/.test(value) && isObjectName(value);
}

/** For names that often say something else, such as `key` and `auth`. */
function looksSecret(value: string): boolean {
  if (value.length < 16 || isUuid(value) || /^[\da-f]+$/i.test(value)) {
    return false;
  }
  const text = decodeBase64(value);
  if (text !== undefined) return /^[^\s:]{1,80}:\S{3,}$/.test(text);
  return looksRandom(value) && /\d/.test(value) && /[A-Za-z]/.test(value) &&
    !/^[a-z\d]+(?:[-./_][a-z\d]+)+$/.test(value) && !/^[/.~]/.test(value);
}

const isLongHex = (value: string) => /^[\da-f]{32,}$/i.test(value);

/** Digits for letters, as in `tr0ub4dor`. */
const isLeet = (value: string) =>
  /[a-z]\d[a-z]{1,4}\d[a-z]/i.test(value) &&
  /[g-z]{2}|[aeiou][g-z]/i.test(value) && /[a-z]{3}/i.test(value);

/** `DB_PASSWORD value`, `enable password value`: what no prose looks like. */
function isSetting(value: string, { text, start, end }: Place): boolean {
  const name = text.slice(start, Math.min(end - value.length, start + 100));
  if (
    /^[\w-]{0,60}[._][\w.]|^[a-z]+[A-Z]|^[A-Z]{4}|^\w{4,}(?:pw|pass|auth)\b/
      .test(name)
  ) {
    return true;
  }
  if (/\s(?:is|was)\s["']?$/.test(name)) return true;
  const front = text.slice(Math.max(0, start - 80), start);
  return /(?:^|[\s"'])(?:login|user|username|user=|u)[ \t=]{1,4}\S{1,60}[\s/,]{1,3}$|\benable $|[\s(]insecure-?$/
    .test(front);
}

function isPhrase(value: string, { kind, quoted, operator }: Place): boolean {
  if (!quoted || operator === "space" || operator === "comma") return false;
  if (value.split(/\s+/).some(looksRandom)) return true;
  // What closes one quotation and opens the next is between two.
  if (/^[\s{(,;]|[\s{(]$/.test(value)) return false;
  return kind === "password" && !isSentence(value);
}

/** Prose says `password: required`, and configuration `password: hunter2`. */
function isAfterColon(value: string, place: Place): boolean {
  const { kind } = place;
  if (kind === "object") return looksRandom(value) && !isNamed(value);
  if (looksRandom(value)) return true;
  if (kind === "password" && looksChosen(value)) return true;
  if (!isAlone(place)) return false;
  if (kind === "password") return !isPlain(value) || /^\d{4,}$/.test(value);
  return looksChosen(value) && !isObjectName(value);
}

/** Whether name and value have their line for themselves. */
function isAlone({ text, start, end }: Place): boolean {
  const next = text[end];
  const ends = next === undefined || next === "\n" || next === "\r" ||
    next === "\\" && /[nr]/.test(text[end + 1] ?? "");
  if (!ends) return false;
  const front = text.slice(Math.max(0, start - 80), start);
  const indent = front.slice(front.lastIndexOf("\n") + 1);
  return indent.length < 80 && /^[\s>#-]*["']?$/.test(indent);
}

function isAfterSpace(value: string, place: Place): boolean {
  const { kind, quoted } = place;
  if (isUuid(value) || isLongHex(value)) return kind !== "object" || quoted;
  if (/^[\da-f]{7,}$/i.test(value)) return false;
  if (quoted && kind === "password") return !/\s/.test(value);
  if (kind === "password") {
    return value.length >= 8 && looksChosen(value) &&
        (!isObjectName(value) || isLeet(value) || isSetting(value, place)) ||
      looksRandom(value);
  }
  return value.length >= 16 && (looksSecret(value) ||
    quoted && kind === "token" && looksRandom(value));
}
