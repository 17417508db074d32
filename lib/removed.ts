/**
 * What redaction has removed, for people and counters. Pure.
 *
 * @module
 */
import { counted } from "./base/text.ts";
import type {
  RedactionEntry,
  RedactionLedger,
  RedactionLevel,
} from "./redact/redaction.ts";

/** From the most lenient to the strictest. */
export const REDACTION_LEVELS = ["none", "standard", "strict", "full"] as const;

/** One value that is not a credential, by its class. */
const WORDS: ReadonlyMap<string, [one: string, many: string]> = new Map([
  ["email", ["e-mail address", "e-mail addresses"]],
  ["ip-address", ["IP address", "IP addresses"]],
  ["phone", ["phone number", "phone numbers"]],
  ["account", ["account", "accounts"]],
  ["user", ["user", "users"]],
  ["withheld", ["text or number", "texts and numbers"]],
]);
const CREDENTIAL: [string, string] = ["credential", "credentials"];
const CLASS = /^[a-z][a-z-]{1,29}$/;
const CLASSES_MAX = 30;
const COUNT_MAX = 1_000_000;
const WHERE_MAX = 20;
const WHERE_CHARS_MAX = 120;
const PLACEHOLDERS =
  /(?:\[|%5B)secret(?::|%3A)([a-z-]{2,20})(?:#|%23)(\d{1,6})(?:\]|%5D)/gi;

/** Counts by kind, credentials first: `2 credentials`, `1 IP address`. */
export function removedByKind(ledger: RedactionLedger): Map<string, number> {
  const sums = new Map<readonly [string, string], number>([[CREDENTIAL, 0]]);
  for (const [name, { count }] of Object.entries(ledger)) {
    const words = WORDS.get(name) ?? CREDENTIAL;
    sums.set(words, (sums.get(words) ?? 0) + count);
  }
  return new Map(
    [...sums].filter(([, count]) => count > 0)
      .map(([[, many], count]) => [many, count]),
  );
}

/** Counts each kind as `removed: credentials`. */
export function countRemoved(
  ledger: RedactionLedger,
  count: (name: string, count: number) => void,
): void {
  for (const [kind, many] of removedByKind(ledger)) {
    count(`removed: ${kind}`, many);
  }
}

/** How a message says that it holds no text of the evidence. */
export const FULL_START = "Redaction level full: ";

/**
 * One line for people: `3 credentials removed`. Above `standard` it begins with
 * the level.
 *
 * @returns `undefined` if there is nothing to say.
 */
export function describeRemoved(
  ledger: RedactionLedger,
  level: RedactionLevel = "standard",
): string | undefined {
  const words = [CREDENTIAL, ...WORDS.values()];
  const parts = [...removedByKind(ledger)].map(([many, count]) => {
    const [one] = words.find(([, other]) => other === many)!;
    return count === 1 ? `1 ${one}` : `${count} ${many}`;
  });
  const last = parts.pop();
  const list = parts.length === 0 ? last : `${parts.join(", ")} and ${last}`;
  const what = list === undefined ? "nothing removed" : `${list} removed`;
  if (level === "full") return FULL_START + what;
  if (level === "strict") return `Redaction level strict: ${what}`;
  return list === undefined ? undefined : what;
}

/**
 * The placeholders of an earlier step, as its ledger. A sender who spells one
 * counts for one.
 */
export function findPlaceholders(value: unknown): RedactionLedger {
  const ledger: RedactionLedger = {};
  const seen = new Set<string>();
  const read = (text: string, where: string) => {
    for (const [, name = "", number] of text.matchAll(PLACEHOLDERS)) {
      if (name in ledger && !Object.hasOwn(ledger, name)) continue;
      const entry: RedactionEntry = ledger[name] ??= { count: 0, where: [] };
      const known = `${name}#${number}`;
      if (!seen.has(known)) entry.count++;
      seen.add(known);
      const place = where.slice(0, WHERE_CHARS_MAX);
      if (entry.where.length < WHERE_MAX && !entry.where.includes(place)) {
        entry.where.push(place);
      }
    }
  };
  const walk = (value: unknown, where: string): void => {
    if (typeof value === "string") return read(value, where);
    if (typeof value !== "object" || value === null) return;
    for (const [name, inner] of Object.entries(value)) {
      const step = Array.isArray(value) ? `[${name}]` : `.${name}`;
      walk(inner, (where + step).replace(/^\./, ""));
    }
  };
  walk(value, "");
  return ledger;
}

/** A ledger within its schema's bounds, whoever wrote it. */
export function boundLedger(
  ledger: RedactionLedger,
  redact: (text: string) => string = (text) => text,
): RedactionLedger {
  return Object.fromEntries(
    Object.entries(ledger).filter(([name]) => CLASS.test(name))
      .slice(0, CLASSES_MAX).map(([name, { count, where }]) => [name, {
        count: Math.min(count, COUNT_MAX),
        where: where.slice(0, WHERE_MAX)
          .map((place) => redact(place).slice(0, WHERE_CHARS_MAX)),
      }]),
  );
}

/** `5 facts, 1 timeline entry`; nothing for what there is none of. */
export function listCounts(counts: readonly [number, string][]): string {
  return counts.filter(([count]) => count > 0).map(([count, noun]) =>
    count > 1 && noun.endsWith("y")
      ? `${count} ${noun.slice(0, -1)}ies`
      : counted(count, noun)
  ).join(", ");
}
