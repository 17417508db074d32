/**
 * The mock source's evidence: its own payload. Pure.
 *
 * Unknown fields stay readable in the stored payload.
 *
 * @module
 */
import {
  type JsonObject,
  objectOf,
  optional,
  plainTextOf,
} from "../../base/json.ts";
import type {
  Fact,
  IncidentInput,
  NormalizedContext,
  TimelineEntry,
} from "../../incident.ts";
import {
  byMoment,
  contextOf,
  countGap,
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

export function collectMock(incident: IncidentInput): Findings {
  const raw = payloadOf(incident);
  const pairs = pairsOf(raw["facts"]);
  const facts = readFacts(pairs);
  const entries = entriesOf(raw["timeline"]);
  const timeline = readTimeline(entries);
  const context: NormalizedContext = {
    ...contextOf(incident),
    ...optional("description", plainTextOf(raw["description"], 4000)),
    ...optional("status", plainTextOf(raw["status"], 100)),
    facts,
    timeline,
  };
  return {
    pieces: [payloadPiece("Payload as received", raw)],
    context,
    gaps: [
      ...countGap(pairs.length - facts.length, {
        of: `${pairs.length} facts`,
        why:
          `each needs a name and a text, number or boolean, and at most ${FACTS_MAX} are read`,
      }),
      ...countGap(entries.length - timeline.length, {
        of: `${entries.length} timeline entries`,
        why:
          `each needs a date-time "at" and a "text", and the newest ${TIMELINE_MAX} are read`,
      }),
    ],
  };
}

/** `facts: {name: value}`, in the original order. */
function readFacts(pairs: [string, unknown][]): Fact[] {
  return pairs.flatMap(([name, value]) => factOf(name, value, PAYLOAD))
    .slice(0, FACTS_MAX);
}

function pairsOf(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null
    ? Object.entries(value)
    : [];
}

/** `timeline: [{at, text}]`, oldest first; the newest if there are too many. */
function readTimeline(entries: JsonObject[]): TimelineEntry[] {
  return entries.flatMap(({ at, text }) => {
    const words = plainTextOf(text, VALUE_CHARS_MAX);
    return words === undefined ? [] : entryOf(at, words, PAYLOAD);
  }).toSorted(byMoment).slice(-TIMELINE_MAX);
}

function entriesOf(value: unknown): JsonObject[] {
  if (!Array.isArray(value)) return [];
  return value.map((entry) => objectOf(entry) ?? {});
}
