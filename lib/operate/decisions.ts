/**
 * Who decided what, as those who decided noted it. The platform forgets jobs
 * after a week, and some platforms record a key in place of a person.
 *
 * @module
 */
import {
  type JsonObject,
  objectOf,
  optional,
  parseJson,
  stringOf,
  textOf,
} from "../base/json.ts";
import { toMoment } from "../incident.ts";
import type { Platform } from "./platform.ts";

/** One decision that counted. */
export interface Decision {
  /** RFC 3339. */
  at: string;
  jobId: string;
  verb: "approved" | "rejected";
  /** The person, as they gave their name or as a proxy did. */
  by: string;
  /** Including its source; empty if the job belongs to no incident of ours. */
  incidentId: string;
  severity: string;
  /** What the message said first. */
  headline: string;
  /** Why it was rejected. */
  reason?: string;
  /** The key that signed it. */
  key?: string;
  /** Whether a desk only saw that it was decided, and by whom as recorded. */
  elsewhere?: boolean;
}

/** As long a reason is taken, and shown. */
export const REASON_CHARS_MAX = 500;

/** As many of the newest decisions are read. */
export const DECISIONS_MAX = 100;

const DAY_MS = 24 * 3600 * 1000;
/** A list a day, so that none grows for ever. */
const DAYS_KEPT = 31;
const PREFIX = "incident-enricher:desk:decided:";
const VERSION = 1;
/** Days asked at once. */
const AT_ONCE = 8;

/** The list of one day's decisions. */
export function decisionsKey(nowMs: number): string {
  return PREFIX + new Date(nowMs).toISOString().slice(0, 10);
}

/** Notes a decision. @throws {StoreError} */
export async function noteDecision(
  platform: Platform,
  decision: Decision,
): Promise<void> {
  const key = decisionsKey(Date.parse(decision.at));
  const item = JSON.stringify({ v: VERSION, ...decision });
  await platform.append(key, item, DAYS_KEPT * DAY_MS / 1000);
}

/**
 * Reads what was decided, the newest first.
 *
 * @returns `undefined` if Redis is not named.
 */
export async function readDecisions(
  platform: Platform,
  nowMs: number = Date.now(),
): Promise<Decision[] | undefined> {
  const found: Decision[] = [];
  for (let day = 0; day < DAYS_KEPT; day += AT_ONCE) {
    const lists = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, at) => {
        const key = decisionsKey(nowMs - (day + at) * DAY_MS);
        return platform.latest(key, DECISIONS_MAX);
      }),
    );
    for (const items of lists) {
      if (items === undefined) return undefined;
      found.push(...items.toReversed().flatMap((item) => read(item) ?? []));
    }
    if (found.length >= DECISIONS_MAX) break;
  }
  return withoutDoubles(found).slice(0, DECISIONS_MAX);
}

/** One that several desks saw, or that one desk took and another saw. */
const SAME_MS = 120_000;

function withoutDoubles(decisions: readonly Decision[]): Decision[] {
  const isSame = (one: Decision, other: Decision) =>
    one.jobId === other.jobId && one.verb === other.verb &&
    Math.abs(Date.parse(one.at) - Date.parse(other.at)) < SAME_MS;
  const kept: Decision[] = [];
  // Those who decided know best who they are.
  const ranked = decisions.toSorted((a, b) =>
    Number(a.elsewhere ?? false) - Number(b.elsewhere ?? false)
  );
  for (const one of ranked) {
    if (!one.elsewhere || !kept.some((other) => isSame(one, other))) {
      kept.push(one);
    }
  }
  return kept.toSorted((a, b) => a.at < b.at ? 1 : -1);
}

/** Clocks of a desk and its platform differ by less. */
const CLOCKS_MS = 2 * 60_000;

/**
 * Whether the platform's record tells of this decision, not of a later one: a job
 * may come back, and be decided elsewhere.
 *
 * @param goesByKey Whether the platform may record a key in place of a person.
 */
export function isRecorded(
  { verb, by, at }: Decision,
  record: JsonObject,
  goesByKey: boolean,
): boolean {
  if ((record["state"] === "DENIED") !== (verb === "rejected")) return false;
  const recorded = stringOf(record["approval_by"]);
  if (recorded === "" || recorded === by) return true;
  const atUs = record["approval_at"];
  return goesByKey && (typeof atUs !== "number" ||
    Math.abs(atUs / 1000 - Date.parse(at)) < CLOCKS_MS);
}

function read(item: string): Decision | undefined {
  const value = objectOf(parseJson(item)) ?? {};
  const at = toMoment(value["at"]);
  const jobId = textOf(value["jobId"], 300);
  const verb = value["verb"];
  if (value["v"] !== VERSION || at === undefined || jobId === undefined) {
    return undefined;
  }
  if (verb !== "approved" && verb !== "rejected") return undefined;
  return {
    at,
    jobId,
    verb,
    by: textOf(value["by"], 100) ?? "",
    incidentId: stringOf(value["incidentId"]).slice(0, 220),
    severity: textOf(value["severity"], 20) ?? "",
    headline: textOf(value["headline"], 300) ?? "",
    ...optional("reason", textOf(value["reason"], REASON_CHARS_MAX)),
    ...optional("key", textOf(value["key"], 40)),
    ...value["elsewhere"] === true ? { elsewhere: true } : {},
  };
}
