/**
 * The mock source: the incident is what its own payload says. Pure.
 *
 * The payload is read as a person would write it; what it holds under other
 * names stays readable in the raw evidence.
 *
 * @module
 */
import { type JsonObject, objectOf, plainTextOf } from "../base/json.ts";
import {
  type Fact,
  type IncidentInput,
  type NormalizedContext,
  type TimelineEntry,
  toMoment,
} from "../incident.ts";
import type { Findings } from "./bundle.ts";
import {
  contextOf,
  factOf,
  FACTS_MAX,
  jsonPieces,
  payloadOf,
  RAW,
  TIMELINE_MAX,
  VALUE_CHARS_MAX,
} from "./fields.ts";

/** Reads an incident of the mock source. */
export function readMockIncident(incident: IncidentInput): Findings {
  const raw = payloadOf(incident);
  const context = normalize(incident, raw);
  return {
    pieces: jsonPieces([
      { kind: "incident.raw", title: "Payload as received", value: raw },
      {
        kind: "incident.context",
        title: "Incident in plain fields",
        value: context,
      },
    ]),
    context,
    gaps: [...factGaps(raw), ...timelineGaps(raw)],
  };
}

function normalize(
  incident: IncidentInput,
  raw: JsonObject,
): NormalizedContext {
  const description = plainTextOf(raw["description"], 4000);
  const status = plainTextOf(raw["status"], 100);
  return {
    ...contextOf(incident),
    ...(description === undefined ? {} : { description }),
    ...(status === undefined ? {} : { status }),
    facts: readFacts(raw["facts"]),
    timeline: readTimeline(raw["timeline"]),
  };
}

/** `facts: {name: value}`, in the order written. */
function readFacts(value: unknown): Fact[] {
  return pairsOf(value).flatMap(([name, value]) => factOf(name, value, RAW))
    .slice(0, FACTS_MAX);
}

function factGaps(raw: JsonObject): Findings["gaps"] {
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
    const words = plainTextOf(text, VALUE_CHARS_MAX);
    return moment === undefined || words === undefined
      ? []
      : [{ at: moment, text: words, evidence: [RAW] }];
  }).toSorted((a, b) => a.at.localeCompare(b.at)).slice(-TIMELINE_MAX);
}

function timelineGaps(raw: JsonObject): Findings["gaps"] {
  const given = entriesOf(raw["timeline"]).length;
  const read = readTimeline(raw["timeline"]).length;
  if (given === read) return [];
  const why =
    `each needs a date-time "at" and a "text", and the newest ${TIMELINE_MAX} are read`;
  return [{ what: `${given - read} of ${given} timeline entries`, why }];
}

function entriesOf(value: unknown): JsonObject[] {
  if (!Array.isArray(value)) return [];
  return value.map((entry) => objectOf(entry) ?? {});
}
