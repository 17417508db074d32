/**
 * What an incident is about, as collectors look it up. Pure.
 *
 * Its texts are the sender's own and not redacted: they go into requests, and
 * nothing of them is stored. What a collector finds is redacted before it is.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { isObject, objectOf, optional, stringOf } from "../base/json.ts";
import {
  type IncidentInput,
  type SourceSystem,
  toMoment,
} from "../incident.ts";
import { qualifiedId } from "../incident_id.ts";
import { sharedOf, toAlert } from "../sources/alertmanager/alert.ts";
import { part, subjectOf, type Texts } from "../sources/alertmanager/labels.ts";
import type { CatalogEntry } from "./catalog.ts";

/** One alert of an incident. */
export interface SubjectAlert {
  /** `alertname`, or empty. */
  readonly name: string;
  readonly fires: boolean;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  /** RFC 3339, UTC. */
  readonly startsAt?: string;
  /** The PromQL that fired, as its `generatorURL` has it. */
  readonly expr?: string;
}

/** What to look up. */
export interface Subject {
  /** With its source in front. */
  readonly incidentId: string;
  readonly system: SourceSystem;
  /** The id within that system. */
  readonly id: string;
  readonly title: string;
  /** The workload or service that is ill. */
  readonly service?: string;
  readonly namespace?: string;
  readonly cluster?: string;
  /** When it began, RFC 3339, UTC; at the latest now. */
  readonly startedAt: string;
  /** What all alerts share, without those of an exporter. */
  readonly labels: ReadonlyMap<string, string>;
  /** At most {@linkcode ALERTS_MAX}, those that fire first. */
  readonly alerts: readonly SubjectAlert[];
  /** The same for every incident of this subject: 64 hex digits. */
  readonly key?: string;
  /** The catalogue's, if one matches. */
  readonly entry?: CatalogEntry;
}

/** More than a webhook usually holds: what is left out would count as another alert. */
const ALERTS_MAX = 1000;
const EXPR_CHARS_MAX = 4000;

/** Reads what an incident is about. */
export function toSubject(
  incident: IncidentInput,
  now: Date,
): Omit<Subject, "entry"> {
  const raw = incident.raw ?? {};
  const given = raw["alerts"];
  const list = Array.isArray(given) ? given.filter(isObject).map(toAlert) : [];
  const alerts = list.toSorted((a, b) => Number(b.fires) - Number(a.fires))
    .slice(0, ALERTS_MAX);
  const labels = alerts.length === 0
    ? labelsOf(raw)
    : sharedOf(alerts.map(({ about }) => about));
  const first = (...names: string[]) =>
    names.map((name) => labels.get(name)).find((value) => value !== undefined);
  const starts = [
    toMoment(incident.occurred_at),
    ...alerts.filter(({ fires }) => fires).map(({ startsAt }) => startsAt),
  ].filter((at) => at !== undefined).toSorted();
  const latest = now.toISOString();
  const startedAt = starts[0] === undefined || starts[0] > latest
    ? latest
    : starts[0];
  const service = subjectOf(labels) ?? incident.service;
  const names = [
    ...new Set(alerts.map(({ labels }) => labels.get("alertname"))),
  ]
    .filter((name) => name !== undefined).toSorted();
  const namespace = first("exported_namespace", "namespace");
  const cluster = first("cluster");
  const about = service ?? names.join(",");
  const key = about === ""
    ? undefined
    : hashOf([cluster ?? "", namespace ?? "", about]);
  const system = incident.source?.system ?? "mock";
  const incidentId = qualifiedId(incident);
  return {
    incidentId,
    system,
    id: incidentId.slice(system.length + 1),
    title: incident.title ?? "",
    ...optional("service", service),
    ...optional("namespace", namespace),
    ...optional("cluster", cluster),
    ...optional("key", key),
    startedAt,
    labels,
    alerts: alerts.map(({ whole, ...alert }) => ({
      name: alert.labels.get("alertname") ?? "",
      fires: alert.fires,
      labels: alert.labels,
      annotations: alert.annotations,
      ...optional("startsAt", alert.startsAt),
      ...optional("expr", exprOf(whole["generatorURL"])),
    })),
  };
}

function hashOf(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** Labels that a sender without alerts may give. */
function labelsOf(raw: Record<string, unknown>): Texts {
  const given = Object.entries(objectOf(raw["labels"]) ?? {});
  return part(
    new Map(given.map(([name, value]) => [name, stringOf(value)] as const)),
  ).about;
}

/** The expression in a link to Prometheus; its host is never called. */
function exprOf(generatorUrl: unknown): string | undefined {
  const url = URL.parse(stringOf(generatorUrl));
  const expr = url?.searchParams.get("g0.expr") ?? "";
  return expr === "" || expr.length > EXPR_CHARS_MAX ? undefined : expr;
}

/** Which of the catalogue's dependencies labels with these values name. */
export function dependencyIn(
  values: Iterable<unknown>,
  { entry }: Pick<Subject, "entry">,
): string | undefined {
  const named = new Set(values);
  return entry?.depends_on?.find((name) => named.has(name));
}
