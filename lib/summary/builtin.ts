/**
 * The built-in summarizer: repeats the evidence in a fixed order, without a
 * model. Pure: the same bundle always gives the same summary.
 *
 * What it says in its own voice is known to be so; the evidence's words stand
 * in quotes, and no address becomes an instruction.
 *
 * @module
 */
import {
  type Claim,
  type EvidenceBundle,
  type EvidenceKind,
  type Fact,
  type NormalizedContext,
  type TimelineEntry,
  toMoment,
  withIds,
} from "../incident.ts";
import { foreignLine, named, quoted } from "../base/foreign.ts";
import { counted } from "../base/text.ts";
import { entryClaim } from "../message/render.ts";
import { keepCited } from "./citations.ts";
import type { Draft } from "./draft.ts";
import { tell } from "./tell.ts";

const HIGHLIGHTS_MAX = 10;
const ACTION_ITEMS_MAX = 5;
const TIMELINE_SHOWN = 5;
/** Where other systems found facts, which the timeline does not repeat. */
const TIMELINE_BESIDE_FACTS = 2;
/** What people want to know first. */
const KINDS: readonly EvidenceKind[] = [
  "change",
  "metric",
  "history",
  "log",
  "alert",
  "state",
  "people",
];
const LEAD_CHARS_MAX = 300;
const OTHERS_CHARS_MAX = 300;
const NAME_CHARS_MAX = 80;
/** Of what a claim quotes; the claim as a whole has a limit, too. */
const QUOTED_CHARS_MAX = 900;

export function summarize(bundle: EvidenceBundle): Draft {
  const context = bundle.normalized_context ?? {};
  const evidence = withIds(bundle.evidence);
  const all = evidence.map(({ id }) => id);
  const main = all.slice(0, 1); // The payload.
  const symptom = firstSentence(context.description ?? "");
  const leadEvidence = symptom === "" ? [] : main;
  const actions = actionItems(bundle, context, main);
  return {
    lead: lead(bundle, context, leadEvidence.length === 0 ? "" : symptom),
    leadEvidence,
    highlights: keepCited(highlights(context, main), evidence, HIGHLIGHTS_MAX),
    actionItems: keepCited(actions, evidence, ACTION_ITEMS_MAX),
    confidence: confidence(bundle, context),
    model: "builtin",
    report: tell(bundle),
  };
}

/** What headlines leave out. The state first, so that no words push it out. */
function lead(
  { evidence, gaps = [] }: EvidenceBundle,
  context: NormalizedContext,
  symptom: string,
): string {
  const { status, occurred_at } = context;
  const state = [
    ...occurred_at === undefined ? [] : [`since ${clockOf(occurred_at)}`],
    ...isBlank(status) ? [] : [`now ${named(status, NAME_CHARS_MAX)}`],
  ].join(", ");
  const first = state === ""
    ? ""
    : `${state[0]!.toUpperCase()}${state.slice(1)}. `;
  if (symptom !== "") return first + quoted(symptom, LEAD_CHARS_MAX);
  const count = `${counted(evidence.length, "piece")} of evidence`;
  const were = gaps.length === 1 ? "was" : "were";
  const missing = gaps.length === 0
    ? ""
    : `; ${gaps.length} more ${were} not available`;
  return `${first}This rests on ${count}${missing}.`;
}

function isBlank(text: string | undefined): text is undefined {
  return foreignLine(text ?? "") === "";
}

/** To the minute, in UTC: people read about an incident within the hour. */
function clockOf(at: string): string {
  const moment = toMoment(at);
  return moment === undefined
    ? named(at, NAME_CHARS_MAX)
    : `${moment.slice(0, 16).replace("T", " ")} UTC`;
}

function firstSentence(text: string): string {
  const line = foreignLine(text);
  const end = line.search(/[.!?](?= |$)/);
  return end === -1 ? line : line.slice(0, end + 1);
}

function highlights(context: NormalizedContext, main: string[]): Claim[] {
  const { description, severity, severity_rule, timeline = [] } = context;
  const facts = bestFirst(context.facts ?? []);
  const claims: Claim[] = [];
  const claim = (text: string, evidence = main) =>
    void claims.push({ text, evidence });
  if (!isBlank(description)) claim(quoted(description, QUOTED_CHARS_MAX));
  if (severity !== undefined) {
    const rule = isBlank(severity_rule) ? "" : `: ${quoted(severity_rule)}`;
    claim(`Severity is ${severity}${rule}`);
  }
  // The newest entries show the current situation, so facts leave them room.
  const isLookedUp = facts.some(({ kind }) => kind !== undefined);
  const newest = timeline.slice(
    isLookedUp ? -TIMELINE_BESIDE_FACTS : -TIMELINE_SHOWN,
  );
  const factsMax = HIGHLIGHTS_MAX - claims.length - newest.length;
  const shown = facts.length > factsMax ? factsMax - 1 : facts.length;
  for (const { name, value, evidence } of facts.slice(0, shown)) {
    claim(quoted(`${name}: ${value}`, QUOTED_CHARS_MAX), evidence);
  }
  const others = facts.slice(shown);
  if (others.length > 0) {
    const names = others.map(({ name }) => name).join(", ");
    claim(
      `${others.length} more facts in the evidence: ` +
        quoted(names, OTHERS_CHARS_MAX),
      [...new Set(others.flatMap(({ evidence }) => evidence))],
    );
  }
  for (const entry of newest) claim(entryClaim(entry), entry.evidence);
  return claims;
}

/** One of each kind, then the others in their order. */
function bestFirst(facts: readonly Fact[]): Fact[] {
  const first = KINDS.flatMap((wanted) =>
    facts.find(({ kind }) => kind === wanted) ?? []
  );
  return [...first, ...facts.filter((fact) => !first.includes(fact))];
}

/** What was changed last before the incident; last of all if its start is unknown. */
function lastChange(
  { occurred_at, timeline = [] }: NormalizedContext,
): TimelineEntry | undefined {
  const changes = timeline.filter(({ kind, text }) =>
    kind === undefined
      ? /\b(deploy|release|rollout|config|migrat)/i.test(text)
      : kind === "change"
  );
  const start = toMoment(occurred_at);
  return start === undefined
    ? changes.at(-1)
    : changes.findLast(({ at }) => (toMoment(at) ?? "") <= start);
}

function actionItems(
  { gaps = [] }: EvidenceBundle,
  context: NormalizedContext,
  main: string[],
): Claim[] {
  const { severity } = context;
  const claims: Claim[] = [];
  const claim = (text: string, evidence = main) =>
    void claims.push({ text, evidence });
  if (severity === "critical" || severity === "error") {
    claim("Acknowledge the incident and name who leads it");
  }
  const change = lastChange(context);
  if (change !== undefined) {
    const { text, evidence } = change;
    const what = quoted(text, QUOTED_CHARS_MAX);
    claim(`Check whether to undo the change before it: ${what}`, evidence);
  }
  if (gaps.length > 0) claim("Look up by hand what could not be collected");
  claim("Read the evidence before acting on this summary");
  return claims;
}

/** Grows with every known field and shrinks with every gap. */
function confidence(
  { evidence, gaps = [] }: EvidenceBundle,
  context: NormalizedContext,
): number {
  if (evidence.length === 0) return 0;
  const known =
    [context.title, context.service, context.description, context.occurred_at]
      .filter((value) => value !== undefined).length;
  const more =
    [context.facts, context.timeline].filter((items) =>
      (items ?? []).length > 0
    ).length;
  const raw = 0.3 + 0.1 * (known + more) - 0.1 * gaps.length;
  return Math.round(Math.min(0.9, Math.max(0.1, raw)) * 100) / 100;
}
