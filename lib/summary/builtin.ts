/**
 * The built-in summarizer: repeats the evidence in a fixed order, without a
 * model. Pure: the same bundle always gives the same summary.
 *
 * @module
 */
import {
  type Claim,
  type EvidenceBundle,
  type NormalizedContext,
  toMoment,
  withIds,
} from "../incident.ts";
import { counted, shorten } from "../base/text.ts";
import { keepCited } from "./citations.ts";
import type { Draft } from "./draft.ts";

const HIGHLIGHTS_MAX = 10;
const ACTION_ITEMS_MAX = 5;
const TIMELINE_SHOWN = 5;
const LEAD_CHARS_MAX = 300;
const OTHERS_CHARS_MAX = 300;

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
  };
}

function lead(
  { incident_id, evidence, gaps = [] }: EvidenceBundle,
  context: NormalizedContext,
  symptom: string,
): string {
  const { severity = "warning", service, status, occurred_at } = context;
  const title = context.title?.trim() || incident_id;
  const where = service === undefined ? "" : ` on ${service}`;
  const since = occurred_at === undefined
    ? ""
    : ` since ${clockOf(occurred_at)}`;
  const now = status === undefined ? "" : `, now ${status}`;
  const first = `${title}${where}: ${severity}${since}${now}.`;
  if (symptom !== "") return `${first} ${symptom}`;
  const count = `${counted(evidence.length, "piece")} of evidence`;
  const were = gaps.length === 1 ? "was" : "were";
  const missing = gaps.length === 0
    ? ""
    : `; ${gaps.length} more ${were} not available`;
  return `${first} This rests on ${count}${missing}.`;
}

/** To the minute, in UTC: people read about an incident within the hour. */
function clockOf(at: string): string {
  const moment = toMoment(at);
  return moment === undefined
    ? at
    : `${moment.slice(0, 16).replace("T", " ")} UTC`;
}

function firstSentence(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  const end = line.search(/[.!?](?= |$)/);
  return shorten(end === -1 ? line : line.slice(0, end + 1), LEAD_CHARS_MAX);
}

function highlights(context: NormalizedContext, main: string[]): Claim[] {
  const { description, severity, severity_rule, facts = [], timeline = [] } =
    context;
  const claims: Claim[] = [];
  const claim = (text: string, evidence = main) =>
    void claims.push({ text, evidence });
  if (description !== undefined) claim(description);
  if (severity !== undefined) {
    const rule = severity_rule === undefined ? "" : ` (${severity_rule})`;
    claim(`Severity is ${severity}${rule}`);
  }
  // The newest entries show the current situation, so facts leave them room.
  const newest = timeline.slice(-TIMELINE_SHOWN);
  const factsMax = HIGHLIGHTS_MAX - claims.length - newest.length;
  const shown = facts.length > factsMax ? factsMax - 1 : facts.length;
  for (const { name, value, evidence } of facts.slice(0, shown)) {
    claim(`${name}: ${value}`, evidence);
  }
  const others = facts.slice(shown);
  if (others.length > 0) {
    const names = others.map(({ name }) => name).join(", ");
    claim(
      shorten(
        `${others.length} more facts in the evidence: ${names}`,
        OTHERS_CHARS_MAX,
      ),
      [...new Set(others.flatMap(({ evidence }) => evidence))],
    );
  }
  for (const { at, text, evidence } of newest) claim(`${at} ${text}`, evidence);
  return claims;
}

function actionItems(
  { gaps = [] }: EvidenceBundle,
  { severity, source, timeline = [] }: NormalizedContext,
  main: string[],
): Claim[] {
  const claims: Claim[] = [];
  const claim = (text: string, evidence = main) =>
    void claims.push({ text, evidence });
  if (severity === "critical" || severity === "error") {
    claim("Acknowledge the incident and name who leads it");
  }
  const change = timeline.findLast(({ text }) =>
    /\b(deploy|release|rollout|config|migrat)/i.test(text)
  );
  if (change !== undefined) {
    const { text, evidence } = change;
    claim(`Check whether to undo the change before it: ${text}`, evidence);
  }
  if (source?.url !== undefined) {
    claim(`Follow the incident at its source: ${source.url}`);
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
