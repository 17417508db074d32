/**
 * The alerts of a delivery, grouped by name and severity. Pure.
 *
 * A summary must not read the payload again, so what it may want to say of 500
 * alerts stands in at most 20 groups of bounded texts, the worst ones.
 *
 * @module
 */
import { optional } from "../../base/json.ts";
import { oneLine } from "../../base/foreign.ts";
import { sentencesOf, withoutStop } from "../../base/sentence.ts";
import { shorten } from "../../base/text.ts";
import {
  type AlertGroup,
  type Alerts,
  isWorse,
  type Severity,
} from "../../incident.ts";
import { type Measure, measureOf } from "../measure.ts";
import { severityOf } from "../severity.ts";
import { type Alert, byStart, sharedOf } from "./alert.ts";
import { alertValuesOf } from "./grafana.ts";
import { placeOf, SITES, type Texts, wholePlaceOf } from "./labels.ts";

export const GROUPS_MAX = 20;
const WHERE_MAX = 5;
const NAME_CHARS_MAX = 150;
const PLACE_CHARS_MAX = 80;
const SENTENCE_CHARS_MAX = 300;
const VALUE_CHARS_MAX = 100;
const WORDS = ["description", "message", "summary"] as const;
const TEAMS = ["team", "owner", "squad"];

/** The groups, and each one's worst alert. */
interface Grouped {
  alerts: Alerts | undefined;
  worst: { alert: Alert; name: string; place?: string }[];
}

/** An alert and what its text states. */
interface Read {
  alert: Alert;
  severity: Severity;
  place: string | undefined;
  sentences: string[];
}

/**
 * Groups the firing alerts, or all of them if none fires, by name and severity:
 * an old warning must lend a new critical alert neither its start nor its count.
 *
 * @param name For alerts without a name.
 * @param piece The piece of evidence that the groups cite.
 * @param cut How many alerts the sender left out.
 */
export function groupAlerts(
  alerts: readonly Alert[],
  { name, piece, cut: left = 0 }: { name: string; piece: string; cut?: number },
): Grouped {
  if (alerts.length === 0) return { alerts: undefined, worst: [] };
  const firing = alerts.filter(({ fires }) => fires);
  const most = (firing.length > 0 ? firing : [...alerts]).toSorted(byStart);
  const places = shortPlaces(most);
  const all = most.map((alert, at): Read => ({
    alert,
    severity: severityOfAlert(alert),
    place: places[at],
    sentences: sentencesOf(textIn(alert.annotations) ?? ""),
  }));
  const saying = sentenceOfAll(all);
  const byKind = Map.groupBy(
    all.map((read) => ({
      read,
      name: shorten(nameOf(read.alert, name), NAME_CHARS_MAX),
    })),
    // A severity has no space, so it parts unambiguously.
    ({ read: { severity }, name }) => `${severity} ${name}`,
  );
  const made = [...byKind.values()].map((members) =>
    toGroup(members[0]!.name, members.map(({ read }) => read), {
      saying,
      piece,
    })
  ).toSorted((a, b) => worstFirst(a.group, b.group));
  const groups = made.map(({ group }) => group);
  const others = groups.slice(GROUPS_MAX);
  const shared = sharedOf(most.map(({ labels }) => labels));
  const worst = all.filter(({ severity }) => severity === groups[0]!.severity);
  const ill = new Set(places.filter((place) => place !== undefined)).size;
  const shown = groups.slice(0, GROUPS_MAX).flatMap(({ where = [] }) => where);
  const grouped: Alerts = {
    firing: firing.length,
    resolved: alerts.length - firing.length,
    ...left > 0 && { cut: left },
    ...worst.length < all.length && { worst: worst.length },
    ...optional(
      "newest",
      most.flatMap(({ startsAt }) => startsAt ?? []).at(-1),
    ),
    ...ill > new Set(shown).size && { places: ill },
    ...optional("all_say", saying && cut(saying)),
    ...optional("place", firstOf(shared, SITES)),
    ...optional("team", firstOf(shared, TEAMS)),
    groups: groups.slice(0, GROUPS_MAX),
    ...others.length > 0 && {
      others: {
        groups: others.length,
        alerts: others.reduce((sum, { count }) => sum + count, 0),
        severity: others[0]!.severity,
      },
    },
  };
  return {
    alerts: grouped,
    worst: made.map(({ group: { name }, worst: { alert, place } }) => ({
      alert,
      name,
      ...optional("place", place),
    })),
  };
}

function toGroup(
  name: string,
  members: readonly Read[],
  { saying, piece }: { saying: string | undefined; piece: string },
): { group: AlertGroup; worst: Read } {
  const { severity } = members[0]!;
  const starts = members.flatMap(({ alert }) => alert.startsAt ?? []);
  const [since, newest] = [starts[0], starts.at(-1)];
  const where = [...new Set(members.flatMap(({ place }) => place ?? []))];
  const { member: worst, says, measure } = worstOf(members, saying);
  const summary = sharedOf(members.map(({ alert }) => alert.annotations))
    .get("summary");
  const shared = sentencesOf(summary ?? "").map(withoutStop)[0];
  const values = measure?.value ?? alertValuesOf(worst.alert);
  const group: AlertGroup = {
    name,
    severity,
    count: members.length,
    ...optional("since", since),
    ...optional("newest", newest === since ? undefined : newest),
    ...optional(
      "where",
      where.length === 0 ? undefined : where.slice(0, WHERE_MAX),
    ),
    ...optional("places", where.length > WHERE_MAX ? where.length : undefined),
    ...optional("says", says && cut(says)),
    ...optional("worst", where.length > 1 ? worst.place : undefined),
    ...optional("value", values && shorten(values, VALUE_CHARS_MAX)),
    ...optional("limit", measure?.limit),
    ...optional("shared", shared && shared !== says ? cut(shared) : undefined),
    evidence: [piece],
  };
  return { group, worst };
}

/** The alert that is furthest past its limit, or else the oldest. */
function worstOf(members: readonly Read[], saying: string | undefined) {
  const read = members.map((member) => ({ member, ...saidBy(member, saying) }));
  return read.reduce((worst, one) =>
    (one.measure?.past ?? 0) > (worst.measure?.past ?? 0) ? one : worst
  );
}

/** The first sentence that says a number, or else the first one. */
function saidBy(
  { sentences }: Read,
  saying: string | undefined,
): { says: string | undefined; measure: Measure | undefined } {
  const own = sentences.filter((sentence) => sentence !== saying);
  const says = own[0];
  return {
    says: says && withoutStop(says),
    measure: says === undefined ? undefined : measureOf(says),
  };
}

/** Said by all of several alerts, each of which also says something else. */
function sentenceOfAll(all: readonly Read[]): string | undefined {
  if (all.length < 2) return undefined;
  const [first, ...others] = all.map(({ sentences }) => new Set(sentences));
  const said = [...first!].filter((sentence) =>
    others.every((sentences) => sentences.has(sentence))
  );
  const isAdded = [first!, ...others].every(({ size }) => size > said.length);
  return isAdded ? said[0] : undefined;
}

function worstFirst(a: AlertGroup, b: AlertGroup): number {
  if (a.severity !== b.severity) {
    return isWorse(a.severity, b.severity) ? -1 : 1;
  }
  const [from, to] = [a.since ?? "~", b.since ?? "~"];
  if (from !== to) return from < to ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

function severityOfAlert({ labels }: Alert): Severity {
  const said = [...labels].filter(([name]) =>
    /^(?:severity|priority)$/i.test(name)
  ).map(([, word]) => severityOf(word));
  // Unknown does not mean harmless.
  return said.find((severity) => severity !== undefined) ?? "warning";
}

function nameOf({ labels }: Alert, otherwise: string): string {
  return oneLine(labels.get("alertname") ?? "") || oneLine(otherwise) ||
    "alert";
}

function textIn(texts: Texts): string | undefined {
  const name = WORDS.find((name) => (texts.get(name) ?? "").trim() !== "");
  return name === undefined ? undefined : texts.get(name);
}

function firstOf(labels: Texts, names: readonly string[]): string | undefined {
  const value = names.map((name) => oneLine(labels.get(name) ?? ""))
    .find((value) => value !== "");
  return value && shorten(value, 100);
}

function cut(sentence: string): string {
  return shorten(sentence, SENTENCE_CHARS_MAX);
}

/**
 * What each alert is about, as short as it can be told apart: without the port,
 * and without the domain that all hosts share.
 */
function shortPlaces(alerts: readonly Alert[]): (string | undefined)[] {
  const shared = sharedOf(alerts.map(({ labels }) => labels));
  const places = alerts.map((alert) => {
    const place = placeOf(alert, shared) ??
      (alerts.length === 1 ? wholePlaceOf(alert) : undefined);
    return place && oneLine(place).replace(/:\d{1,5}$/, "");
  });
  const hosts = [...new Set(places.filter((place) => place !== undefined))];
  const domain = /^[A-Za-z][\w-]*(\.[A-Za-z][\w.-]*)$/;
  const domains = new Set(hosts.map((host) => domain.exec(host)?.[1]));
  const [common] = domains;
  const isCommon = hosts.length > 1 && domains.size === 1 && common;
  return places.map((place) => {
    const short = isCommon ? place?.slice(0, -common.length) : place;
    return short && shorten(short, PLACE_CHARS_MAX);
  });
}
