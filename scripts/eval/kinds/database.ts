/**
 * A database's own view: its events, and what its time is spent on. Pure.
 *
 * @module
 */
import { isObject, type JsonObject, stringOf } from "../../../lib/base/json.ts";
import { counted, numberText } from "../../../lib/base/text.ts";
import type { FoundEntry, FoundFact } from "../../../lib/evidence/collector.ts";
import { wordsOf } from "../../../lib/evidence/wording.ts";
import { type Health, toMoment } from "../../../lib/incident.ts";
import {
  type Kind,
  listOf,
  type Looking,
  type Reader,
  type Reply,
} from "../kind.ts";
import { movementOf } from "../movement.ts";

const TEXT_CHARS_MAX = 250;
const EVENTS_SHOWN = 4;
const SQL_SHOWN = 2;
const SQL_CHARS_MAX = 150;
const NAMES_SHOWN = 2;
const CHANGES =
  /\b(?:configuration change|maintenance|creation|deletion|restoration|security patching|failover)\b/i;
const ROUTINE = /\bbackup\b/i;
const BAD =
  /\b(?:exceed\w*|fail(?:ed|ing|ure|s)|error|low|insufficient|full|exhaust\w*|unavailable|stopp(?:ed|ing)|crash\w*|out of|unable|cannot|behind|refused|rejected|reached)\b/i;
const GOOD =
  /\b(?:complet\w+|finish\w+|available again|is available|recovered|restored|resumed|resolved|successful\w*|caught up|normal|has been (?:increased|expanded|extended|applied))\b/i;
/** An event tells of now for so long. */
const RECENT_MS = 60 * 60_000;

export const databaseReplies: Reader = (kinds, looking) => {
  const load = kinds.filter(({ value }) => Array.isArray(value["top_sql"]));
  const events = kinds.filter(({ value }) =>
    Array.isArray(value["events"]) &&
    value["events"].every((one) => isObject(one) && "date" in one)
  );
  return {
    read: [...load, ...events],
    replies: [
      ...load.map(loadReply),
      ...events.map((kind) => eventsReply(kind, looking)),
    ],
  };
};

function eventsReply({ name, value }: Kind, { now }: Looking): Reply {
  const all = (value["events"] as JsonObject[]).map((one) => ({
    at: toMoment(one["date"]) ?? "",
    text: wordsOf(one["message"], TEXT_CHARS_MAX) ?? "",
    category: Array.isArray(one["event_categories"])
      ? one["event_categories"].map(stringOf).join(", ")
      : "",
    source: stringOf(one["source_identifier"]),
  })).filter(({ at, text }) => at !== "" && text !== "")
    .toSorted((a, b) => a.at < b.at ? -1 : a.at > b.at ? 1 : 0);
  const telling = all.filter(({ category }) => !ROUTINE.test(category));
  const health = (at: number): Health | undefined => {
    const one = telling[at]!;
    if (GOOD.test(one.text) || !BAD.test(one.text)) return undefined;
    const later = telling.slice(at + 1).some(({ source, text }) =>
      source === one.source && GOOD.test(text)
    );
    const isOld = now.getTime() - Date.parse(one.at) > RECENT_MS;
    return later || isOld ? "recovered" : "ill";
  };
  const facts = telling.map((one, at) => ({ ...one, health: health(at) }))
    .filter(({ health }) => health !== undefined).slice(-EVENTS_SHOWN)
    .toReversed().map(({ at, text, health }): FoundFact => ({
      name: "database event",
      value: `${at.slice(11, 19)} ${text}`,
      health: health!,
    }));
  const timeline = telling.map(({ at, text, category }): FoundEntry => ({
    at,
    text,
    kind: CHANGES.test(category) ? "change" : "state",
  }));
  return {
    collector: collectorOf(name),
    question: {
      id: "events",
      what: "events of the database",
      rank: 2,
      kind: "state",
    },
    findings: [
      all.length === 0 ? { nothing: "no event" } : {
        piece: {
          title: `${counted(all.length, "event")} of the database`,
          value: all,
        },
        facts,
        timeline,
      },
    ],
  };
}

function loadReply({ name, value }: Kind): Reply {
  const top = listOf(value["top_sql"]).map((one) => ({
    one,
    load: numberOf(one["db_load_avg"]),
  })).toSorted((a, b) => b.load - a.load);
  const total = top.reduce((sum, { load }) => sum + load, 0);
  const instance = stringOf(value["db_instance_identifier"]) || "the database";
  const moved = loadOf(value["db_load"]);
  const isIll = moved?.health === "ill";
  const size = moved === undefined
    ? "the load"
    : `${numberText(moved.to)} active sessions` +
      (Math.abs(moved.size) < 0.5 ? "" : ` (${numberText(moved.from)} before)`);
  const [user] = namesOf(value["top_users"]);
  const facts: FoundFact[] = [
    ...top.slice(0, SQL_SHOWN).map(({ one, load }, at): FoundFact => ({
      name: at === 0 ? "top query" : "next query",
      value: [
        `${Math.round(100 * load / (total || 1))} % of ${
          at === 0 ? size : "the load"
        }`,
        ...at > 0 || user === undefined ? [] : [`top user ${user}`],
        ...namesOf(one["wait_events"]).slice(0, 1).map((name) =>
          `waits for ${name}`
        ),
        wordsOf(one["statement"] ?? one["sql"], SQL_CHARS_MAX) ?? "",
      ].join(", "),
      // Most of a load that has grown is what made it grow.
      ...at === 0 && isIll && { health: "ill" as const },
    })),
    ...busiest(value),
    // The top query says how large an ill one is.
    ...moved === undefined || isIll && top.length > 0 ? [] : [{
      name: "database load",
      value: size,
      health: moved.health,
    }],
  ];
  return {
    collector: collectorOf(name),
    question: {
      id: "load",
      what: `load of ${instance}`,
      rank: 2,
      kind: "metric",
    },
    findings: [{
      piece: { title: `Performance Insights of ${instance}`, value },
      facts,
    }],
  };
}

function loadOf(value: unknown) {
  if (!isObject(value)) return undefined;
  const { values, timestamps } = value;
  if (!Array.isArray(values) || !Array.isArray(timestamps)) return undefined;
  return movementOf(
    values.map((one, at) => [at, numberOf(one)] as const),
    { unit: "sessions", isLowBad: false, isShare: false },
  );
}

/** Who makes most of the load, and what it waits for. */
function busiest(value: JsonObject): FoundFact[] {
  const most = [
    ["client", value["top_hosts"]],
    ["waits for", value["top_wait_events"]],
  ].flatMap(([what, names]) => {
    const shown = namesOf(names).slice(0, NAMES_SHOWN).join(", ");
    return shown === "" ? [] : [`${what} ${shown}`];
  });
  return most.length === 0 ? [] : [{
    name: "busiest",
    value: most.join("; "),
  }];
}

/** The most of them first. */
function namesOf(value: unknown): string[] {
  return listOf(value).toSorted((a, b) =>
    numberOf(b["db_load_avg"]) - numberOf(a["db_load_avg"])
  ).map((one) => {
    const name = stringOf(one["name"] ?? one["id"]);
    return `${name} (${numberText(numberOf(one["db_load_avg"]))})`;
  });
}

function collectorOf(name: string): string {
  const parts = name.replace(/^aws_/, "").replace(/_events?$/, "");
  return parts.replace(/[^a-z0-9]+/g, "-") || "database";
}

function numberOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
