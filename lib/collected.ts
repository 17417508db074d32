/**
 * What is found beside facts and texts: changes in their parts, the course of
 * numbers, pieces that were read back, what a model said. Types only;
 * `pack/schemas` defines the same shapes for the wire.
 *
 * @module
 */

/** How something was changed. */
export type ChangeKind =
  | "deployment"
  | "rollout"
  | "rollback"
  | "restart"
  | "scale"
  | "merge"
  | "config"
  | "flag"
  | "maintenance"
  | "other";

/** A change in its parts, each in the words of the system that told of it. */
export interface Change {
  /** `other` where the system does not say. */
  what: ChangeKind;
  /** What was changed: a workload, a service or a repository. */
  of?: string;
  /** `v1.4.2 (a1b2c3d)`, or `checkout 1.4.1 → 1.4.2`. */
  version?: string;
  /** An environment or a namespace. */
  where?: string;
  /** A person or a program. */
  by?: string;
  /** How it ended, such as `success`. */
  state?: string;
  /** What its author wrote about it. */
  says?: string;
  /** http or https. */
  url?: string;
}

/**
 * The course of one number over some hours, so that it can be told in words and
 * drawn without reading the piece that it comes from. Moments are RFC 3339, UTC.
 */
export interface MetricSeries {
  /** The name of the alert that watches it. */
  alert: string;
  /** What is measured, in the source's own language: PromQL. */
  expression: string;
  /** Labels that tell it from others of the same expression: `pod: a`. */
  of?: string;
  /** As people write it behind the number: `s`; absent if nobody knows. */
  unit?: string;
  /** The last value. */
  now: number;
  /** When that was. */
  at: string;
  /** The alert's limit, if it has one at all times. */
  limit?: number;
  /** How `now` is compared with it. */
  operator?: ">" | ">=" | "<" | "<=" | "==" | "!=";
  /** Where the latest stretch beyond the limit began. */
  crossed?: string;
  /** Whether that stretch goes on. */
  beyond?: boolean;
  /** The highest, or the lowest for a limit below which it is bad. */
  worst: number;
  /** When that was. */
  worst_at: string;
  /** An hour before `at`. */
  hour_ago?: number;
  /** At the same time a week before. */
  week_ago?: number;
  /** Where it is heading. */
  trend: "rising" | "falling" | "flat";
  /** Bars of text, at most 12. */
  spark: string;
  /** When `values` begins. */
  start: string;
  /** Seconds from one of `values` to the next. */
  step_s: number;
  /** At most 60, evenly spaced; null where there is no sample. */
  values: (number | null)[];
  /** Ids of evidence items, at least one. */
  evidence: string[];
}

/** What was read of a piece of evidence: its text, or why there is none. */
export interface EvidenceText {
  /** The item's, `E1`. */
  id: string;
  /** As it was stored. */
  text?: string;
  /** One clause: `the gateway did not give it`. */
  problem?: string;
}

/** What a model said of the evidence, after every claim was checked. */
export interface ModelReading {
  /** Provider and model: `openai:gpt-4o-mini`. */
  model: string;
  /** Those that passed, in words that say how sure they are. */
  claims: { text: string; evidence: string[] }[];
  /** Those that did not: at most 20. */
  left_out: { text: string; why: string }[];
  /** One clause, if something was left out or nothing was said. */
  note?: string;
  /** Artifact with what was sent and what came back. */
  record_ptr?: string;
}
