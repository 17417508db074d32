/**
 * What of a Kubernetes cluster an incident concerns, and since when. Pure.
 *
 * @module
 */
import { optional } from "../../base/json.ts";
import { deploymentOfPod } from "../../workload.ts";
import type { Subject } from "../subject.ts";

/** The namespace that the incident concerns, and what in it. */
export interface Place {
  readonly namespace: string;
  readonly deployment?: string;
  /** Of its pods, where the catalogue says so. */
  readonly selector?: string;
  /** What the Deployment may be called. */
  readonly hint?: string;
}

/**
 * Where to look: the catalogue's word comes before the labels'.
 *
 * @returns `undefined` if not even a namespace is known.
 */
export function placeOf(
  { entry, namespace, labels, service }: Subject,
): Place | undefined {
  const known = entry?.kubernetes ?? {};
  const place = known.namespace ?? namespace;
  if (place === undefined) return undefined;
  const pod = labels.get("pod");
  return {
    namespace: place,
    ...optional("deployment", known.deployment ?? labels.get("deployment")),
    ...optional("selector", known.selector),
    ...optional("hint", (pod && deploymentOfPod(pod)) ?? service),
  };
}

const HOUR_MS = 3_600_000;

/** The moment so many hours before the incident began. */
export function hoursBefore({ startedAt }: Subject, hours: number): string {
  return new Date(Date.parse(startedAt) - hours * HOUR_MS).toISOString();
}
