/**
 * A model's claims, and what they are checked against. Pure.
 *
 * @module
 */
import type { Gap, Lookup, TimelineEntry } from "../../incident.ts";

/** Where a model may put a claim. */
export type Section = "what" | "cause" | "next";

/** A claim as a model makes it. */
export interface ModelClaim {
  section: Section;
  /** Ids of evidence items. */
  evidence: string[];
  /** Copied from one of these items. */
  quote: string;
  /** One sentence. */
  text: string;
}

/** A claim that may be shown. What is possible rests on a model's guess. */
export interface KeptClaim extends ModelClaim {
  level: "observed" | "possible";
  /** Whether its evidence is of one kind only, which shows no cause. */
  single?: boolean;
}

/** A claim that is not shown, and why. */
export interface DroppedClaim {
  /** Empty if it has none. */
  text: string;
  reason: DropReason;
  /** The word that was wrong. */
  word?: string;
}

/** Why a claim is dropped. */
export type DropReason =
  | "shape"
  | "too many"
  | "unknown id"
  | "no such quote"
  | "not copied"
  | "not together"
  | "not plain"
  | "change"
  | "gap"
  | "reserved"
  | "not our words"
  | "off topic"
  | "told";

/** A piece of evidence as the model saw it. */
export interface SeenItem {
  id: string;
  /** Items of one kind confirm nothing for each other. */
  kind: string;
  title: string;
  text: string;
  /** For comparing: one space for each blank, no escapes. */
  folded: string;
}

/** All that the model saw, and what is known of it. */
export interface Seen {
  items: ReadonlyMap<string, SeenItem>;
  /** When it began; RFC 3339, UTC. */
  since?: string;
  /** What was changed, before that or after. */
  changes: readonly TimelineEntry[];
  gaps: readonly Gap[];
  lookups: readonly Lookup[];
}

/** What a check says of a claim. */
export type Verdict =
  | { kept: KeptClaim }
  | { reason: DropReason; word?: string };

/** Looks at one thing of a claim. */
export type Check = (claim: KeptClaim, seen: Seen) => Verdict;

/** The items that a claim cites. */
export function citedItems({ evidence }: ModelClaim, seen: Seen): SeenItem[] {
  return evidence.flatMap((id) => seen.items.get(id) ?? []);
}

/** For comparing texts that were copied, perhaps out of JSON. */
export function fold(text: string): string {
  return text.replace(/\\[nrt]/g, " ").replace(/\\(["\\/])/g, "$1")
    .replace(/\s+/g, " ").trim();
}

export function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
