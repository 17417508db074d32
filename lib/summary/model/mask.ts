/**
 * Hides the names of hosts, pods, people, accounts and addresses from a model,
 * for the level `strict`, and puts them back into what it said. The table lives
 * as long as one summary and is neither stored nor logged. Pure.
 *
 * @module
 */
import { isObject, mapTexts } from "../../base/json.ts";
import { escapeRegExp } from "./claim.ts";

/** What a hidden name was. */
type Sort = "HOST" | "POD" | "PERSON" | "ACCOUNT" | "ADDRESS";

/** Fields whose value is such a name. */
const FIELDS: readonly (readonly [Sort, RegExp])[] = [
  ["POD", /^(?:kube_?)?pods?(?:[_.-]?name)?$/i],
  [
    "HOST",
    /^(?:(?:kube_?)?(?:host|node|server|machine|instance|vm|device)s?(?:[_.-]?(?:name|id))?|hostname|nodename|fqdn|first|where|targets?|endpoint)$/i,
  ],
  [
    "PERSON",
    /^(?:user|username|user_?name|login|actor|author|assignee|owner|creator|committer|responder|acknowledged_?by|resolved_?by|created_?by|on_?call|display_?name|full_?name|email|e_?mail)s?$/i,
  ],
  [
    "ACCOUNT",
    /^(?:account|subscription|project|customer|tenant)s?(?:[_.-]?(?:id|name|number))?$/i,
  ],
  [
    "ADDRESS",
    /^(?:ip|ips|(?:internal|external|pod|host|private|public)_?ip|address|addr)$/i,
  ],
];

/** Such names where no field says what they are. */
const FORMS: readonly (readonly [Sort, RegExp])[] = [
  // As Kubernetes names what a replica set makes.
  [
    "POD",
    /(?<![\w-])[a-z][a-z0-9-]{1,60}-[a-f0-9]{6,10}-[a-z0-9]{5}(?![\w-])/g,
  ],
  ["HOST", /(?<![\w.-])ip(?:-\d{1,3}){4}(?:\.[\w-]+)*(?![\w-])/g],
  [
    "HOST",
    /(?<![\w.@-])[a-z][\w-]*(?:\.[\w-]+)*\.(?:internal|local|lan|corp|prod|staging|stage|dev|test|svc|cluster|example|com|net|org|io|cloud)(?![\w-])/gi,
  ],
  ["ADDRESS", /(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])/g],
  ["PERSON", /(?<![\w.])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+/g],
];
/** What redaction put there is hidden, too, so that a claim may have it. */
const REDACTED = /\[secret:[a-z-]{2,20}#\d{1,6}\]/g;
const MADE = /(?<![\w-])(HOST|POD|PERSON|ACCOUNT|ADDRESS)(\d+)X(?!\w)/g;
const NAME = /^[\p{L}\p{N}][\p{L}\p{N}_.:@/-]{1,250}$/u;
/** A person's is two words. */
const FULL_NAME = /^\p{Lu}[\p{L}'-]+(?: \p{Lu}[\p{L}'.-]*){1,3}$/u;
const NAMES_MAX = 2_000;

/** Hides names and puts them back. */
export class Mask {
  readonly #made = new Map<string, string>();
  readonly #names = new Map<string, string>();
  #counts: Partial<Record<Sort, number>> = {};
  #pattern: RegExp | undefined;

  /** Remembers the names in a value; call it before hiding anything. */
  learn(value: unknown): void {
    this.#walk(value, undefined);
  }

  /** The same value without the names. */
  hide<T>(value: T): T {
    return mapTexts(value, (text) => this.#hideIn(text));
  }

  /** The same value with the names again. */
  show<T>(value: T): T {
    return mapTexts(
      value,
      (text) => text.replace(MADE, (made) => this.#names.get(made) ?? made),
    );
  }

  #hideIn(text: string): string {
    // Who writes a placeholder of ours means to speak of another's name.
    for (const [made] of text.matchAll(MADE)) this.#add("ACCOUNT", made);
    this.#pattern ??= patternOf([...this.#made.keys()]);
    const known = text.replace(REDACTED, (name) => this.#add("ADDRESS", name))
      .replace(this.#pattern, (name) => this.#made.get(name) ?? name);
    return FORMS.reduce(
      (text, [sort, form]) =>
        text.replace(form, (name) => this.#add(sort, name)),
      known,
    );
  }

  #walk(value: unknown, sort: Sort | undefined): void {
    if (typeof value === "string") {
      for (const [sort, form] of FORMS) {
        for (const [name] of value.matchAll(form)) this.#add(sort, name);
      }
      if (sort !== undefined) this.#addField(sort, value);
    } else if (Array.isArray(value)) {
      for (const item of value) this.#walk(item, sort);
    } else if (isObject(value)) {
      const named = typeof value["name"] === "string"
        ? sortOf(value["name"])
        : undefined;
      for (const [key, item] of Object.entries(value)) {
        // A fact says in one field what another one holds.
        const own = key === "value" && named !== undefined
          ? named
          : sortOf(key);
        this.#walk(item, own);
      }
    }
  }

  #addField(sort: Sort, value: string): void {
    // `host:port` is the host's name and a port.
    const [, bare = value] = /^(.+?):\d{1,5}$/.exec(value) ?? [];
    const isName = NAME.test(bare) && !/^\d{1,3}$/.test(bare) ||
      sort === "PERSON" && FULL_NAME.test(bare);
    if (!isName) return;
    this.#add(sort, bare);
    // People write `db-1` for `db-1.prod.example`.
    const [short = ""] = bare.split(".");
    if (sort === "HOST" && short.length > 2 && /[a-z]/i.test(short)) {
      this.#add(sort, short);
    }
  }

  #add(sort: Sort, name: string): string {
    const known = this.#made.get(name);
    if (known !== undefined || this.#made.size >= NAMES_MAX) {
      return known ?? sort;
    }
    const number = (this.#counts[sort] ?? 0) + 1;
    this.#counts[sort] = number;
    // The letter at the end: text rarely has such a word of its own.
    const made = `${sort}${number}X`;
    this.#made.set(name, made);
    this.#names.set(made, name);
    this.#pattern = undefined;
    return made;
  }
}

function sortOf(field: string): Sort | undefined {
  const last = field.split(/[./]/).at(-1) ?? "";
  return FIELDS.find(([, pattern]) => pattern.test(last))?.[0];
}

/** The longest first, so that no name hides a part of another. */
function patternOf(names: readonly string[]): RegExp {
  if (names.length === 0) return /(?!)/g;
  const all = names.toSorted((one, other) => other.length - one.length)
    .map(escapeRegExp).join("|");
  return RegExp(
    `(?<![\\p{L}\\p{N}_-])(?:${all})(?![\\p{L}\\p{N}_]|-\\w)`,
    "gu",
  );
}
