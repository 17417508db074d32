/**
 * Says that nothing is wrong now, where every sign says so. Pure.
 *
 * Finding nothing proves nothing. It takes a sign about the very thing that the
 * alert speaks of, no sign of a fault, and an answer from everybody who was
 * asked.
 *
 * @module
 */
import { quoted } from "../../base/foreign.ts";
import type { AlertGroup, Fact, Gap, GapKind } from "../../incident.ts";
import { mentions } from "./mentions.ts";
import type { Known } from "./rule.ts";

export interface Verdict {
  /** `nothing is wrong now: “pods: 3 of 3 ready”`. */
  text: string;
  /** Ids of evidence items. */
  evidence: string[];
}

const SIGNS_SHOWN = 3;
const SIGN_CHARS_MAX = 100;
/** What is missing for one of these reasons may hold the fault; so may the rest. */
const UNKNOWN: readonly GapKind[] = [
  "refused",
  "late",
  "limited",
  "broken",
  "cut",
  "absent",
];
/** What the state of pods and workloads settles. */
const WORKLOADS =
  /\b(?:crash\w*|restart\w*|not[ -]?ready|unready|pending|unschedul\w*|unavailable|back ?off|image ?pull\w*|oom\w*|evict\w*|stuck|stalled|roll ?out\w*|replicas? ?(?:sets?)? ?mismatch\w*)\b/i;
/** What the state of nodes settles. */
const NODES = /\bnodes?\b[^\n]*\b(?:pressure|not ?ready|ready|unreachable)\b/i;
const OF_NODES = /^nodes?\b/i;
/** The course of an alert's own number, as the collector for metrics calls it. */
const OWN_METRIC = "now";
/** Others that fire, and that somebody or something keeps quiet. */
const HELD = "other alerts silenced or inhibited";
const OVER = /^(?:resolved|ok|closed|recovered|normal|inactive)$/i;

/** `undefined` unless all of it is known to be well. */
export function verdictOf(known: Known): Verdict | undefined {
  const { facts, bundle: { gaps = [] }, lookups } = known;
  const isWhole = !lookups.some(({ state }) => state === "failed") &&
    !gaps.some(mayHide) && !facts.some(({ name }) => name === HELD);
  const well = facts.filter(({ health }) => health === "well");
  const over = facts.filter(({ health }) => health === "recovered");
  const isIll = facts.some(({ health }) => health === "ill");
  // A number that is back is well; of other things, only what is now tells.
  const isKnown = well.length > 0 || over.some(({ kind }) => kind === "metric");
  if (!isWhole || isIll || !isKnown) return undefined;
  const own = ownSigns(known, [...well, ...over]);
  if (own.length === 0 && !isOver(known)) return undefined;
  // What the alert speaks of, then what else is well, then what was not.
  const signs = [...new Set([...own, ...well, ...over])].slice(0, SIGNS_SHOWN);
  return {
    text: `nothing is wrong now: ${signs.map(signOf).join(", ")}`,
    evidence: [...new Set(signs.flatMap(({ evidence }) => evidence))],
  };
}

/** Whether what is missing may hold the fault. */
function mayHide({ kind, what }: Gap): boolean {
  // A webhook's own gaps have no kind, and may be alerts that it left out.
  return kind === undefined ? /\balerts?\b/.test(what) : UNKNOWN.includes(kind);
}

function signOf({ name, value, health, kind }: Fact): string {
  const said = quoted(`${name}: ${value}`, SIGN_CHARS_MAX);
  // A number says itself where it came back to.
  return health === "recovered" && kind !== "metric" ? `${said} is over` : said;
}

/** Whether the sender itself takes it for over. */
function isOver({ context, groups }: Known): boolean {
  const { alerts, status = "" } = context;
  return groups.length > 0
    ? alerts !== undefined && alerts.firing === 0
    : OVER.test(status.trim());
}

/** Signs about what the alert speaks of; none unless each alert has some. */
function ownSigns(known: Known, signs: readonly Fact[]): Fact[] {
  const { groups } = known;
  if (groups.length < 2) return signsOf(wordsOf(known), signs, true);
  const each = groups.map((group) =>
    signsOf(wordsOfGroup(group).join("\n"), signs, hasOwnNumber(known, group))
  );
  return each.some(({ length }) => length === 0) ? [] : each.flat();
}

/** Whether the number that is back is this alert's. */
function hasOwnNumber({ context }: Known, { name }: AlertGroup): boolean {
  return (context.series ?? []).some(({ alert, beyond }) =>
    alert === name && beyond === false
  );
}

function signsOf(
  words: string,
  signs: readonly Fact[],
  hasNumber: boolean,
): Fact[] {
  const text = words.replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .replace(/[_-]+/g, " ");
  const [isOfWorkloads, isOfNodes] = [WORKLOADS.test(text), NODES.test(text)];
  return signs.filter(({ kind, name }) =>
    kind === "alert" ||
    kind === "metric" &&
      (name === OWN_METRIC && hasNumber ||
        mentions(words, name.split(" of ")[0]!)) ||
    kind === "state" && (OF_NODES.test(name) ? isOfNodes : isOfWorkloads)
  );
}

/** All that the sender says of it, a line each. */
function wordsOf({ context, groups, given }: Known): string {
  return [
    context.title ?? "",
    context.description ?? "",
    ...groups.flatMap(wordsOfGroup),
    ...given.values(),
  ].join("\n");
}

function wordsOfGroup({ name, says = "", shared = "" }: AlertGroup): string[] {
  return [name, says, shared];
}
