/**
 * The built-in summarizer: says what the evidence says, in a fixed order and
 * without a model. Pure: the same bundle always gives the same summary.
 *
 * @module
 */
import {
  type Claim,
  type EvidenceBundle,
  type EvidenceItem,
  type NormalizedContext,
  toMoment,
  withIds,
} from "../incident.ts";
import { shorten } from "../base/errors.ts";
import { keepCited } from "./citations.ts";

/** A summary before it is stored. */
export interface Draft {
  /** What is happening, one or two sentences. */
  lead: string;
  /** What it rests on beside the incident itself. */
  leadEvidence: string[];
  /** What is known. */
  highlights: Claim[];
  /** What to do next. */
  actionItems: Claim[];
  /** 0 to 1: how much there was to go by. */
  confidence: number;
  /** What wrote it. */
  model: string;
}

const HIGHLIGHTS_MAX = 10;
const ACTION_ITEMS_MAX = 5;
const TIMELINE_SHOWN = 5;
const LEAD_CHARS_MAX = 300;

/** Summarizes a bundle. */
export function summarize(bundle: EvidenceBundle): Draft {
  const context = bundle.normalized_context ?? {};
  const evidence = withIds(bundle.evidence);
  const all = evidence.map(({ id }) => id);
  const main = all.slice(0, 1);
  const symptom = firstSentence(context.description ?? "");
  const leadEvidence = symptom === "" ? [] : main;
  return {
    lead: lead(bundle, context, leadEvidence.length === 0 ? "" : symptom),
    leadEvidence,
    highlights:
      keepCited(highlights(context, main), evidence, HIGHLIGHTS_MAX).kept,
    actionItems:
      keepCited(actionItems(bundle, context, main), evidence, ACTION_ITEMS_MAX)
        .kept,
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
  const count = `${evidence.length} piece${
    evidence.length === 1 ? "" : "s"
  } of evidence`;
  const missing = gaps.length === 0 ? "" : `, ${gaps.length} not available`;
  return `${first} This rests on ${count}${missing}.`;
}

/** To the minute, in UTC: an incident is read of within the hour. */
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
  if (description !== undefined) {
    claims.push({ text: description, evidence: main });
  }
  if (severity !== undefined) {
    const rule = severity_rule === undefined ? "" : ` (${severity_rule})`;
    claims.push({ text: `Severity is ${severity}${rule}`, evidence: main });
  }
  // The newest entries say where things stand, so many facts leave them room.
  const newest = timeline.slice(-TIMELINE_SHOWN);
  const factsMax = HIGHLIGHTS_MAX - claims.length - newest.length;
  for (const { name, value, evidence } of facts.slice(0, factsMax)) {
    claims.push({ text: `${name}: ${value}`, evidence });
  }
  for (const { at, text, evidence } of newest) {
    claims.push({ text: `${at} ${text}`, evidence });
  }
  return claims;
}

function actionItems(
  { gaps = [] }: EvidenceBundle,
  { severity, source, timeline = [] }: NormalizedContext,
  main: string[],
): Claim[] {
  const claims: Claim[] = [];
  if (severity === "critical" || severity === "error") {
    claims.push({
      text: "Acknowledge the incident and name who leads it",
      evidence: main,
    });
  }
  const change = timeline.findLast(({ text }) =>
    /\b(deploy|release|rollout|config|migrat)/i.test(text)
  );
  if (change !== undefined) {
    claims.push({
      text: `Check whether to undo the change before it: ${change.text}`,
      evidence: change.evidence,
    });
  }
  if (source?.url !== undefined) {
    claims.push({
      text: `Follow the incident at its source: ${source.url}`,
      evidence: main,
    });
  }
  if (gaps.length > 0) {
    claims.push({
      text: "Look up by hand what could not be collected",
      evidence: main,
    });
  }
  claims.push({
    text: "Read the evidence before acting on this summary",
    evidence: main,
  });
  return claims;
}

/** Grows with what is known and shrinks with what is missing. */
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

/** Writes a draft as Markdown, with every citation and the list of evidence. */
export function toMarkdown(draft: Draft, bundle: EvidenceBundle): string {
  const { title = "", timeline = [] } = bundle.normalized_context ?? {};
  const entries = timeline.map(({ at, text, evidence }) => ({
    text: `${at} ${text}`,
    evidence,
  }));
  const cited = keepCited(entries, bundle.evidence, entries.length).kept;
  const heading = plain(title) || plain(bundle.incident_id);
  const { lead: text, leadEvidence } = draft;
  const lead = leadEvidence.length === 0
    ? plain(text)
    : claimLine({ text, evidence: leadEvidence });
  const lines = [`# ${heading}`, "", lead, ""];
  lines.push(...listSection("What we know", draft.highlights.map(claimLine)));
  lines.push(...listSection("What to do", draft.actionItems.map(claimLine)));
  lines.push(...listSection("Timeline", cited.map(claimLine)));
  lines.push(
    ...listSection(
      "What is missing",
      (bundle.gaps ?? []).map(({ what, why }) =>
        `${plain(what)}: ${plain(why)}`
      ),
    ),
  );
  lines.push(
    ...listSection("Evidence", withIds(bundle.evidence).map(evidenceLine)),
  );
  lines.push(
    `Written by ${draft.model}, confidence ${draft.confidence}, evidence of ${bundle.collected_at}.`,
    "",
  );
  return lines.join("\n");
}

function listSection(title: string, items: string[]): string[] {
  return items.length === 0
    ? []
    : [`## ${title}`, "", ...items.map((item) => `- ${item}`), ""];
}

function claimLine({ text, evidence }: Claim): string {
  return `${plain(text)} [${evidence.join(", ")}]`;
}

function evidenceLine(
  { id, title, kind, bytes, artifact_ptr, shortened }: EvidenceItem & {
    id: string;
  },
): string {
  const cut = shortened ? ", shortened" : "";
  return `[${id}] ${plain(title)} (${
    plain(kind)
  }, ${bytes} bytes${cut}): \`${artifact_ptr}\``;
}

/** One line in which nothing of the evidence can pass for our own markup. */
function plain(text: string): string {
  return text.replace(/\s+/g, " ").trim()
    .replace(/[\\`*_{}[\]<>#|!~&]/g, "\\$&")
    .replace(/^(\d+)(?=[.)])|^(?=[-+=])/, "$1\\"); // A list or a ruler.
}
