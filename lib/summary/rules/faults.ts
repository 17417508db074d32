/**
 * What collectors found not to be as it should, beyond what rules of its own
 * tell: what pods and events say, numbers that moved, further errors. Pure.
 *
 * One of each piece of evidence after the other, so that no talkative system
 * hides the others.
 *
 * @module
 */
import { named, quoted } from "../../base/foreign.ts";
import { capitalized } from "../../base/text.ts";
import type { Fact } from "../../incident.ts";
import type { Told } from "../../message/told.ts";
import { errors } from "./errors.ts";
import { metric } from "./metric.ts";
import type { Known, Rule } from "./rule.ts";
import { verdictOf } from "./verdict.ts";
import { workload } from "./workload.ts";

const SHOWN = 6;
const NAME_CHARS_MAX = 80;
const TEXT_CHARS_MAX = 200;
/** What other rules tell whole. */
const ELSEWHERE =
  /^(?:Deployments?\b.*|pods|other alerts firing|also firing|dependency firing|alerts of dependencies|targets down|dependencies down|error lines|now|crossed its limit|worst in 6 h|course over 6 h|a week before)$/;
/** What says no more than its reason. */
const EMPTY = /^(?:back-?off(?: \w+)?(?: restarting failed container.*)?)?$/i;
/** What stands before a pod's own message. */
const TROUBLE =
  /^\d+ pods? of \S+?(?:, container [^\s,]+)?(?:, exit code \d+)?(?:, last at \S+ \S+ UTC)?(?:, (.+))?$/s;
const WARNING = /^(.+?) ×(\d+), last at \S+ \S+ UTC: (.+)$/s;

export const faults: Rule = (known) => {
  const isWell = verdictOf(known) !== undefined;
  const told = [metric, workload, errors].flatMap((rule) => rule(known))
    .flatMap(({ text }) => quotesIn(text));
  const isNew = (fact: Fact) => {
    const says = wordsOf(saysOf(fact));
    const isTold = ELSEWHERE.test(fact.name) || EMPTY.test(says) ||
      told.some((other) =>
        other.includes(says) ||
        other.endsWith("…") && says.startsWith(other.slice(0, -1))
      );
    if (!isTold) told.push(says);
    return !isTold;
  };
  return telling(known, isWell).filter(isNew).slice(0, SHOWN).map(tell);
};

/** The ill ones first, then what lies beside them, then what is over. */
function telling({ facts, series }: Known, isWell: boolean): Fact[] {
  const over = facts.filter(({ health }) => health === "recovered");
  if (isWell) return over;
  // A series is told whole.
  const drawn = new Set(series.flatMap(({ evidence }) => evidence));
  const ill = facts.filter(({ health }) => health === "ill");
  const beside = facts.filter(({ health, kind, evidence }) =>
    health === undefined && kind === "metric" &&
    !evidence.some((id) => drawn.has(id))
  );
  return [...takingTurns([...ill, ...beside]), ...over];
}

/** One of each piece of evidence after the other. */
function takingTurns(facts: readonly Fact[]): Fact[] {
  const groups = Map.groupBy(facts, ({ evidence }) => evidence.join());
  return [...groups.values()].flatMap((group) =>
    group.map((fact, turn) => ({ fact, turn }))
  ).toSorted((a, b) => a.turn - b.turn).map(({ fact }) => fact);
}

/** What a fact says in words of its own; empty if that is told elsewhere. */
function saysOf({ name, value }: Pick<Fact, "name" | "value">): string {
  const trouble = TROUBLE.exec(value);
  if (trouble !== null) return trouble[1] ?? "";
  const [, , , message] = WARNING.exec(value) ?? [];
  if (message !== undefined) return message;
  // An error's count and moment; the rule for errors has them, too.
  const [, text] = /^(.*) ×\d+, first \d\d:\d\d:\d\d UTC$/s.exec(value) ?? [];
  return text ?? `${name}: ${value}`;
}

function tell({ name, value, kind, evidence, health }: Fact): Told {
  const says = saysOf({ name, value });
  const [, object, count] = WARNING.exec(value) ?? [];
  const over = health === "recovered" ? ", which is over" : "";
  const quote = quoted(says, TEXT_CHARS_MAX);
  const text = object !== undefined
    ? `${named(object, NAME_CHARS_MAX)} warns ${
      named(name)
    } ×${count}${over}: ${quote}`
    : says !== `${name}: ${value}`
    ? `${capitalized(named(name, NAME_CHARS_MAX))}${over}: ${quote}`
    // A number says itself where it came back to.
    : quote + (kind === "metric" ? "" : over);
  return {
    place: "happened",
    text,
    evidence: [...evidence],
    collected: true,
  };
}

/** As a quote has them. */
function wordsOf(text: string): string {
  return quoted(text, Infinity).slice(1, -1);
}

function quotesIn(text: string): string[] {
  return [...text.matchAll(/“([^“”]*)”/g)].map(([, quote = ""]) => quote);
}
