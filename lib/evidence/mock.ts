/**
 * The mock source: the incident is what its own payload says. Pure.
 *
 * The payload is read as a person would write it; what it holds under other
 * names stays readable in the raw evidence.
 *
 * @module
 */
import { shorten } from "../errors.ts";
import {
  type Fact,
  type IncidentInput,
  type NormalizedContext,
  type TimelineEntry,
  toMoment,
  toSeverity,
} from "../incident.ts";
import type { Findings } from "./collector.ts";

const TIMELINE_MAX = 50;
const FACTS_MAX = 50;
/** Longer ones would not fit into a job's result, all of them together. */
const VALUE_CHARS_MAX = 500;
const RAW = "E1";
const CONTEXT = "E2";

/** Reads an incident of the mock source. */
export function readMockIncident(incident: IncidentInput): Findings {
  const { destination: _, ...known } = incident;
  const raw = incident.raw ?? known;
  const context = normalize(incident, raw);
  return {
    pieces: [
      {
        id: RAW,
        kind: "incident.raw",
        title: "Payload as received",
        contentType: "application/json",
        content: JSON.stringify(raw, null, 2),
      },
      {
        id: CONTEXT,
        kind: "incident.context",
        title: "Incident in plain fields",
        contentType: "application/json",
        content: JSON.stringify(context, null, 2),
      },
    ],
    context,
    gaps: [...factGaps(raw), ...timelineGaps(raw)],
  };
}

function normalize(
  incident: IncidentInput,
  raw: Record<string, unknown>,
): NormalizedContext {
  const { severity, rule } = toSeverity(incident.severity);
  const { title, service, occurred_at, source } = incident;
  const description = textOf(raw["description"], 4000);
  const status = textOf(raw["status"], 100);
  return {
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    severity,
    severity_rule: incident.severity_rule ?? rule,
    ...(service === undefined ? {} : { service }),
    ...(status === undefined ? {} : { status }),
    source: source ?? { system: "mock" },
    ...(occurred_at === undefined ? {} : { occurred_at }),
    facts: readFacts(raw["facts"]),
    timeline: readTimeline(raw["timeline"]),
  };
}

/** `facts: {name: value}`, in the order written. */
function readFacts(value: unknown): Fact[] {
  return pairsOf(value).flatMap(([name, value]) => {
    const text = textOf(value, VALUE_CHARS_MAX);
    return text === undefined || name === ""
      ? []
      : [{ name: shorten(name, 100), value: text, evidence: [RAW] }];
  }).slice(0, FACTS_MAX);
}

function factGaps(raw: Record<string, unknown>): Findings["gaps"] {
  const given = pairsOf(raw["facts"]).length;
  const read = readFacts(raw["facts"]).length;
  if (given === read) return [];
  const why =
    `each needs a name and a text, number or boolean, and at most ${FACTS_MAX} are read`;
  return [{ what: `${given - read} of ${given} facts`, why }];
}

function pairsOf(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null
    ? Object.entries(value)
    : [];
}

/** `timeline: [{at, text}]`, oldest first; the newest if there are too many. */
function readTimeline(value: unknown): TimelineEntry[] {
  return entriesOf(value).flatMap(({ at, text }) => {
    const moment = toMoment(at);
    const words = textOf(text, VALUE_CHARS_MAX);
    return moment === undefined || words === undefined
      ? []
      : [{ at: moment, text: words, evidence: [RAW] }];
  }).toSorted((a, b) => a.at.localeCompare(b.at)).slice(-TIMELINE_MAX);
}

function timelineGaps(raw: Record<string, unknown>): Findings["gaps"] {
  const given = entriesOf(raw["timeline"]).length;
  const read = readTimeline(raw["timeline"]).length;
  if (given === read) return [];
  const why =
    `each needs a date-time "at" and a "text", and the newest ${TIMELINE_MAX} are read`;
  return [{ what: `${given - read} of ${given} timeline entries`, why }];
}

function entriesOf(value: unknown): Record<string, unknown>[] {
  if (!Array.isArray(value)) return [];
  return value.map((entry) =>
    typeof entry === "object" && entry !== null ? entry : {}
  );
}

function textOf(value: unknown, charsMax: number): string | undefined {
  const known = typeof value === "string" || typeof value === "number" ||
    typeof value === "boolean";
  const text = known ? String(value).trim() : "";
  return text === "" ? undefined : shorten(text, charsMax);
}
