/**
 * The mock source's evidence: what its own payload says. Pure.
 *
 * The payload is read as a person would write it. Fields of other names stay
 * readable in the payload itself.
 *
 * @module
 */
import { type JsonObject, objectOf, plainTextOf } from "../../base/json.ts";
import type {
  Fact,
  IncidentInput,
  NormalizedContext,
  TimelineEntry,
} from "../../incident.ts";
import {
  byMoment,
  contextOf,
  entryOf,
  factOf,
  FACTS_MAX,
  PAYLOAD,
  payloadOf,
  payloadPiece,
  TIMELINE_MAX,
  VALUE_CHARS_MAX,
} from "../fields.ts";
import type { Findings } from "../source.ts";

/** Collects what the mock webhook's payload says about an incident. */
export function collectMock(incident: IncidentInput): Findings {
  const raw = payloadOf(incident);
  const context = normalize(incident, raw);
  return {
    pieces: [payloadPiece("Payload as received", raw)],
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
  return pairsOf(value).flatMap(([name, value]) => factOf(name, value, PAYLOAD))
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
    const words = plainTextOf(text, VALUE_CHARS_MAX);
    return words === undefined ? [] : entryOf(at, words, PAYLOAD);
  }).toSorted(byMoment).slice(-TIMELINE_MAX);
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
