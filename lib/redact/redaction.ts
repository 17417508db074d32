/**
 * Removes credentials from what is stored, shown or sent. Pure.
 *
 * A credential is replaced by a placeholder with its class and number, such as
 * `[secret:aws-key#1]`. Within one redaction the same value always gets the same
 * placeholder; the value itself is kept no longer than the redaction.
 *
 * What is redacted a second time stays as it is: a placeholder is opaque. But
 * one that is only a part of a value goes with it, since a sender may have
 * written it.
 *
 * @module
 */
import { findInArguments, findSecrets } from "./find.ts";
import type { NameCache } from "./named.ts";
import { findPersonal } from "./personal.ts";
import {
  keepPlaceholders,
  mergeSpans,
  type SecretClass,
  type Span,
} from "./span.ts";
import { type FieldRule, pairRule, ruleOf } from "./fields.ts";

/**
 * How much of the evidence people may see.
 *
 * - `none`: everything.
 * - `standard`: everything but credentials.
 * - `strict`: also no e-mail and IP addresses, phone numbers, users, accounts.
 * - `full`: only what the caller says stays, redacted as in `strict`.
 */
export type RedactionLevel = "none" | "standard" | "strict" | "full";

/** What was removed: by class, how many different values, and where. */
export type RedactionLedger = Record<string, RedactionEntry>;

/** One class of a ledger. */
export interface RedactionEntry {
  /** Different values. */
  count: number;
  /** Paths of fields, such as `raw.alerts[0].labels.token`; at most 20. */
  where: string[];
}

/** What a redaction can be told. */
export interface RedactionOptions {
  /** `standard` if not given. */
  readonly level?: RedactionLevel;
  /**
   * At `full`, whether the text or number at this path stays. Nothing stays if
   * not given. Keys of objects always stay.
   */
  readonly stays?: (path: readonly (string | number)[]) => boolean;
}

/** Replaces credentials, with one set of placeholders. */
export interface Redaction {
  /** How much it removes. */
  readonly level: RedactionLevel;
  /** A text without its credentials; at `full`, without anything. */
  text(value: string): string;
  /** The same for every text within a JSON value, 200 levels deep. */
  value<T>(value: T): T;
  /** Like `value`, of what stays at `full`, such as a title. */
  kept<T>(value: T): T;
  /** What was removed until now. */
  ledger(): RedactionLedger;
}

/** Stands for a text that the level `full` withholds, and for what is too deep. */
export const WITHHELD = "[withheld]";

const WHERE_MAX = 20;
/** What lies deeper is withheld: no alert is, and no stack goes on for ever. */
const DEPTH_MAX = 200;
/** No shorter text holds a credential with the name or form that shows it. */
const TEXT_MIN = 7;
/** A text of up to this length is redacted until nothing changes any more. */
const AGAIN_LENGTH_MAX = 8_192;
const AGAIN_MAX = 4;
/** No shorter key of an object is one. */
const KEY_MIN = 16;
/** A sender cannot make us count on from a number without bound. */
const PLACEHOLDERS = /\[secret:([a-z-]{2,20})#(\d{1,6})\]/g;

type Path = readonly (string | number)[];

/** Starts a redaction. Its placeholders are numbered from 1 in each class. */
export function startRedaction(options: RedactionOptions = {}): Redaction {
  const { level = "standard", stays = () => false } = options;
  const redactor = new Redactor(level);
  const withhold = level === "full";
  return {
    level,
    text: (value) => withhold ? redactor.withhold() : redactor.text(value),
    value: (value) => redactor.value(value, withhold ? stays : undefined),
    kept: (value) => redactor.value(value, undefined),
    ledger: () => redactor.ledger(),
  };
}

/** The ledger of two steps: counts add up by class. */
export function addLedgers(
  a: RedactionLedger,
  b: RedactionLedger,
): RedactionLedger {
  const sum: RedactionLedger = {};
  for (const [name, { count, where }] of [a, b].flatMap(Object.entries)) {
    const entry = sum[name] ??= { count: 0, where: [] };
    entry.count += count;
    entry.where = [...new Set([...entry.where, ...where])].slice(0, WHERE_MAX);
  }
  return sum;
}

class Redactor {
  readonly #level: RedactionLevel;
  readonly #names: NameCache = new Map();
  /** Where the walk is. */
  readonly #path: (string | number)[] = [];
  readonly #counts = new Map<string, number>();
  readonly #known = new Map<string, { made: string; name: string }>();
  readonly #entries = new Map<string, RedactionEntry>();

  constructor(level: RedactionLevel) {
    this.#level = level;
  }

  ledger(): RedactionLedger {
    return structuredClone(Object.fromEntries(this.#entries));
  }

  withhold(): string {
    this.#enter("withheld").count++;
    return WITHHELD;
  }

  text(value: string): string {
    if (this.#level === "none" || value.length < TEXT_MIN) return value;
    if (value.includes("[secret:")) this.#countOn(value);
    let text = this.#once(value);
    // What is taken away may show what stood around it.
    for (let again = 1; again < AGAIN_MAX && text !== value; again++) {
      if (text.length > AGAIN_LENGTH_MAX) break;
      value = text;
      text = this.#once(value);
    }
    return text;
  }

  #once(value: string): string {
    let spans = findSecrets(value, this.#names);
    if (this.#level !== "standard") {
      spans = mergeSpans([...spans, ...findPersonal(value)]);
    }
    if (spans.length === 0) return value;
    if (value.includes("[secret:")) spans = keepPlaceholders(value, spans);
    return spans.length === 0 ? value : this.#replace(value, spans);
  }

  #replace(value: string, spans: readonly Span[]): string {
    const pieces: string[] = [];
    let from = 0;
    for (const { start, end, name } of spans) {
      pieces.push(value.slice(from, start));
      pieces.push(this.#placeholder(name, value.slice(start, end)));
      from = end;
    }
    return pieces.join("") + value.slice(from);
  }

  value<T>(value: T, stays: RedactionOptions["stays"]): T {
    if (this.#level === "none") return value;
    this.#path.length = 0;
    this.#countIn(value);
    return this.#walk(value, undefined, stays) as T;
  }

  /** Before the walk, which may give a number that stands further down. */
  #countIn(value: unknown): void {
    if (typeof value === "string") {
      if (value.includes("[secret:")) this.#countOn(value);
    } else if (typeof value === "object" && value !== null) {
      for (const inner of Object.values(value)) this.#countIn(inner);
    }
  }

  #walk(
    value: unknown,
    rule: FieldRule | undefined,
    stays: RedactionOptions["stays"],
  ): unknown {
    if (typeof value === "object" && value !== null) {
      if (this.#path.length >= DEPTH_MAX) return this.withhold();
      return Array.isArray(value)
        ? this.#walkList(value, rule, stays)
        : this.#walkObject(value as Record<string, unknown>, rule, stays);
    }
    if (stays !== undefined && !stays(this.#path)) {
      return typeof value === "string" || typeof value === "number"
        ? this.withhold()
        : value;
    }
    const taken = rule?.take(value);
    if (taken !== undefined) return this.#placeholder(taken, String(value));
    return typeof value === "string" ? this.text(value) : value;
  }

  #walkList(
    list: readonly unknown[],
    rule: FieldRule | undefined,
    stays: RedactionOptions["stays"],
  ): unknown[] {
    const taken = rule === undefined ? findInArguments(list, this.#names) : [];
    const [name] = list;
    if (rule === undefined && list.length === 2 && typeof name === "string") {
      rule = pairRule(name);
    }
    return list.map((item, at) => {
      this.#path.push(at);
      const spans = taken[at];
      const walked = spans === undefined || typeof item !== "string"
        ? this.#walk(item, rule, stays)
        : stays !== undefined && !stays(this.#path)
        ? this.withhold()
        : this.text(this.#replace(item, spans));
      this.#path.pop();
      return walked;
    });
  }

  #walkObject(
    value: Record<string, unknown>,
    within: FieldRule | undefined,
    stays: RedactionOptions["stays"],
  ): unknown {
    const place = {
      within,
      parent: this.#path.findLast((step) => typeof step === "string"),
      personal: this.#level === "strict" || this.#level === "full",
    };
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => {
        const field = key.length < KEY_MIN ? key : this.text(key);
        const rule = ruleOf(value, field, place);
        this.#path.push(field);
        const walked = this.#walk(item, rule, stays);
        this.#path.pop();
        return [field, walked];
      }),
    );
  }

  #placeholder(name: SecretClass, secret: string): string {
    const known = this.#known.get(secret);
    if (known !== undefined) {
      this.#enter(known.name);
      return known.made;
    }
    const number = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, number);
    const made = `[secret:${name}#${number}]`;
    this.#known.set(secret, { made, name });
    this.#enter(name).count++;
    return made;
  }

  /** An earlier step's placeholder keeps its number for itself. */
  #countOn(text: string): void {
    for (const [, name = "", number] of text.matchAll(PLACEHOLDERS)) {
      const last = this.#counts.get(name) ?? 0;
      this.#counts.set(name, Math.max(last, Number(number)));
    }
  }

  #enter(name: string): RedactionEntry {
    const path = this.#path;
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = { count: 0, where: [] };
      this.#entries.set(name, entry);
    }
    if (path.length > 0 && entry.where.length < WHERE_MAX) {
      const spelled = spell(path);
      if (!entry.where.includes(spelled)) entry.where.push(spelled);
    }
    return entry;
  }
}

/** `raw.alerts[0].labels.token`, at most 120 characters. */
function spell(path: Path): string {
  return path.map((step, at) =>
    typeof step === "number" ? `[${step}]` : at === 0 ? step : `.${step}`
  ).join("").slice(0, 120);
}
