/**
 * Rollouts of Deployments, read off the ReplicaSets that they leave behind. Pure.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
 * @module
 */
import { optional } from "../../base/json.ts";
import { counted, utcOf } from "../../base/text.ts";
import type { Change } from "../../collected.ts";
import type { CollectorIo, Finding } from "../collector.ts";
import { fromStart } from "../wording.ts";
import { type Deployment, imageName, type Revision } from "./objects.ts";
import { hoursBefore, type Place } from "./place.ts";

/** One change of what a Deployment runs. */
export interface Rollout {
  readonly deployment: string;
  readonly revision: number;
  /** Of a rollback, when it last moved on. */
  readonly at: string;
  readonly what: "created" | "rollout" | "rollback" | "restart";
  /** `checkout 1.4.1 → 1.4.2`, for each container. */
  readonly images: readonly string[];
  /** The program that changed it. */
  readonly by?: string;
  readonly cause?: string;
}

/** How far a change and its rollout may be apart. */
const EDIT_MS = 2 * 60_000;
const NEAR_HOURS = 2;
/** How far back rollouts count. */
export const PAST_HOURS = 24;
const LISTED_MAX = 50;
const FACTS_MAX = 5;

/** Every rollout that can be told, the newest first. */
function rolloutsOf(
  revisions: readonly Revision[],
  deployments: readonly Deployment[],
): Rollout[] {
  return deployments.flatMap((deployment) => {
    const own = revisions.filter((one) => one.deployment === deployment.name)
      .toSorted((a, b) => b.number - a.number);
    return own.flatMap((revision, at) =>
      toRollout(revision, own[at + 1], at === 0 ? deployment : undefined) ?? []
    );
  }).toSorted((a, b) =>
    a.at === b.at ? a.deployment < b.deployment ? -1 : 1 : a.at < b.at ? 1 : -1
  );
}

/** @param deployment Only for its newest revision: what it says is about that. */
function toRollout(
  revision: Revision,
  before: Revision | undefined,
  deployment: Deployment | undefined,
): Rollout | undefined {
  const { number, createdAt, cause } = revision;
  // A rollback takes an old ReplicaSet and gives it a new number, so the number
  // tells the order, and only the Deployment knows when it was.
  const isBack = before !== undefined && createdAt < before.createdAt;
  const at = isBack ? deployment?.progressedAt : createdAt;
  if (at === undefined || at === "") return undefined;
  const images = before === undefined
    ? Object.values(revision.images).map(imageName)
    : imageChanges(before.images, revision.images);
  const isRestart = before !== undefined && images.length === 0 &&
    revision.restartedAt !== before.restartedAt;
  const editor = deployment?.editor;
  const isEdit = editor !== undefined &&
    Math.abs(Date.parse(editor.at) - Date.parse(at)) <= EDIT_MS;
  return {
    deployment: revision.deployment,
    revision: number,
    at,
    what: isBack
      ? "rollback"
      : isRestart
      ? "restart"
      : number === 1
      ? "created"
      : "rollout",
    images,
    ...optional("by", isEdit ? editor.name : undefined),
    ...optional("cause", cause),
  };
}

/** What differs between two templates' images, container by container. */
function imageChanges(
  before: Revision["images"],
  after: Revision["images"],
): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].toSorted().flatMap((name) => {
    const from = before[name];
    const to = after[name];
    if (from === to) return [];
    if (from === undefined) return [`${imageName(to!)} added`];
    if (to === undefined) return [`${imageName(from)} removed`];
    const [old, oldTag] = splitTag(imageName(from));
    const [now, tag] = splitTag(imageName(to));
    return [
      old === now && oldTag !== tag
        ? `${now} ${oldTag} → ${tag}`
        : `${imageName(from)} → ${imageName(to)}`,
    ];
  });
}

function splitTag(image: string): [name: string, tag: string] {
  const at = image.search(/[:@]/);
  return at < 0 ? [image, "latest"] : [image.slice(0, at), image.slice(at + 1)];
}

/** What happened, as a clause: `rolled out checkout 1.4.1 → 1.4.2`. */
function describeRollout(
  { what, images, revision, by, cause }: Rollout,
): string {
  const list = images.join(", ");
  const done = {
    created: `was created with ${list}`,
    rollout: `rolled out ${list || "other settings of the same images"}`,
    rollback: `was rolled back: ${list || "same images"}`,
    restart: "was restarted",
  }[what];
  const more = [
    `revision ${revision}`,
    ...by === undefined ? [] : [`by ${by}`],
    ...cause === undefined ? [] : [cause],
  ];
  return `${done} (${more.join(", ")})`;
}

function toChange(
  { deployment, what, images, by, cause }: Rollout,
  namespace: string,
): Change {
  return {
    what: what === "created" ? "rollout" : what,
    of: deployment,
    ...images.length === 0 ? {} : { version: images.join(", ") },
    where: namespace,
    ...optional("by", by),
    ...optional("says", cause),
  };
}

/** What was rolled out in the hours before: those of the last two, or else of the day. */
export function describeRollouts(
  revisions: readonly Revision[],
  deployments: readonly Deployment[],
  { namespace }: Place,
  { subject, now }: Pick<CollectorIo, "subject" | "now">,
): Finding {
  const all = rolloutsOf(revisions, deployments);
  const since = hoursBefore(subject, PAST_HOURS);
  const latest = now.toISOString();
  const recent = all.filter(({ at }) => at >= since && at <= latest);
  const [last] = all;
  if (recent.length === 0) {
    const ago = last === undefined
      ? ""
      : `; the last was ${fromStart(last.at, subject)}`;
    return { nothing: `no rollout in the ${PAST_HOURS} h before${ago}` };
  }
  const edge = hoursBefore(subject, NEAR_HOURS);
  const near = recent.filter(({ at }) => at >= edge);
  return {
    piece: {
      title: `${counted(recent.length, "rollout")} in ${namespace}`,
      value: { namespace, since, rollouts: recent.slice(0, LISTED_MAX) },
    },
    facts: (near.length > 0 ? near : recent).slice(0, FACTS_MAX).map((one) => ({
      name: "rollout",
      value: `${one.deployment} ${describeRollout(one)} at ${utcOf(one.at)}, ${
        fromStart(one.at, subject)
      }`,
    })),
    timeline: recent.map((one) => ({
      at: one.at,
      text: `${namespace}/${one.deployment} ${describeRollout(one)}`,
      change: toChange(one, namespace),
    })),
  };
}
