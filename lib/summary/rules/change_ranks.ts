/**
 * Changes before the start: one for each thing that happened, the nearest that
 * concern the subject first. Pure.
 *
 * @module
 */
import type { Change } from "../../collected.ts";
import { type TimelineEntry, toMoment } from "../../incident.ts";
import { between } from "./clock.ts";
import type { Known } from "./rule.ts";

/** Something that was changed, as one or more systems tell it. */
export interface MadeChange {
  /** RFC 3339, UTC: the earliest that any of them says. */
  readonly at: string;
  /** How long before the start. */
  readonly ms: number;
  readonly text: string;
  readonly change?: Change;
  readonly evidence: readonly string[];
  readonly isCollected: boolean;
  /** Collectors, the one whose words these are first. */
  readonly sources: readonly string[];
  /** Whether it is about what is ill. */
  readonly isOwn: boolean;
}

/** In a sender's own timeline, where no kind says what it is. */
const WORDS =
  /\b(?:deploy(?:ed|ing|s|ment)?|releas(?:ed?|ing)|rolled (?:out|back)|rollout|merged|migrat\w*|config\w* changed?|scaled)\b/i;
/** One deployment takes a while from its record to its pods. */
const ONE_MS = 5 * 60 * 1000;
/** A change of something else counts as if it were so many times as old. */
const FOREIGN = 6;
/** Collectors by how much their parts say. */
const BEST = ["github", "kubernetes", "pagerduty", "grafana"];
/** A digit on its own is no version. */
const VERSION = /\d+(?:\.\d+)+[\w.-]*|\b(?=[a-f]*\d)[0-9a-f]{7,40}\b/g;

export function changesBefore(known: Known): MadeChange[] {
  const { since } = known;
  if (since === undefined) return [];
  const told = entriesBefore(known, since);
  const deployed = told.filter(({ change }) => change?.what === "deployment");
  const all = told.filter(({ change }) =>
    // It came with the deployment, which says so.
    !(change?.what === "merge" && change.version !== undefined &&
      deployed.some(({ change: one }) =>
        one?.says?.split(/[^\w#]+/).includes(change.version!)
      ))
  );
  const groups: TimelineEntry[][] = [];
  for (const entry of all) {
    const group = groups.find((one) => one.some((it) => isSame(it, entry)));
    if (group === undefined) groups.push([entry]);
    else group.push(entry);
  }
  return groups.map((group) => join(group, known, since)).toSorted((a, b) =>
    weight(a) - weight(b) || (a.text < b.text ? -1 : a.text > b.text ? 1 : 0)
  );
}

/** As they were told, the oldest first. */
export function entriesBefore(
  { timeline, groups, context }: Known,
  since: string,
): TimelineEntry[] {
  // Alerts of Kubernetes carry the words, too.
  const mayWrite = groups.length === 0 &&
    context.source?.system !== "alertmanager";
  return timeline.filter(({ kind, text, at }) =>
    (kind === "change" ||
      (kind === undefined && mayWrite && WORDS.test(text))) &&
    (toMoment(at) ?? "~") <= since
  );
}

function weight({ ms, isOwn }: MadeChange): number {
  return isOwn ? ms : ms * FOREIGN;
}

/** Whether two systems tell of the same; one system tells of two. */
function isSame(a: TimelineEntry, b: TimelineEntry): boolean {
  const isOther = !a.evidence.some((id) => b.evidence.includes(id));
  return isOther && Math.abs(between(a.at, b.at)) <= ONE_MS &&
    [a, b].every(({ change }) =>
      change !== undefined &&
      ["deployment", "rollout", "other"].includes(change.what)
    ) && (a.change!.of === b.change!.of || sharesVersion(a, b));
}

function sharesVersion(a: TimelineEntry, b: TimelineEntry): boolean {
  const versions = new Set(a.text.match(VERSION));
  return (b.text.match(VERSION) ?? []).some((one) => versions.has(one));
}

function join(
  group: readonly TimelineEntry[],
  known: Known,
  since: string,
): MadeChange {
  const rank = (entry: TimelineEntry) => {
    const at = BEST.indexOf(known.sourceOf(entry) ?? "");
    return at < 0 ? BEST.length : at;
  };
  const [best, ...others] = group.toSorted((a, b) => rank(a) - rank(b));
  const at = group.map(({ at }) => at).toSorted()[0]!;
  const sources = [best!, ...others].flatMap((one) =>
    known.sourceOf(one) ?? []
  );
  return {
    at,
    ms: between(at, since),
    text: best!.text,
    ...best!.change === undefined ? {} : { change: best!.change },
    evidence: [
      ...new Set([best!, ...others].flatMap(({ evidence }) => evidence)),
    ],
    isCollected: best!.kind !== undefined,
    sources: [...new Set(sources)],
    isOwn: group.some((entry) => isOwn(entry, known)),
  };
}

/** GitHub is asked for the subject's repository alone, PagerDuty for its own. */
function isOwn(entry: TimelineEntry, known: Known): boolean {
  const { change, kind, text } = entry;
  if (kind === undefined || known.sourceOf(entry) === "github") return true;
  const names = subjectNames(known);
  const words = new Set(
    `${change?.of ?? ""} ${change?.says ?? ""} ${text}`.split(/[^\w.-]+/),
  );
  return names.some((name) => words.has(name));
}

/** The service, and the workloads that alerts name. */
function subjectNames({ context, groups }: Known): string[] {
  return [
    context.service ?? "",
    ...groups.flatMap(({ where = [] }) => where),
  ].filter((name) => name !== "");
}
