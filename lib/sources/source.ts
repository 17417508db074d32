/**
 * A sender of incidents: how its webhook proves who sent it, what a delivery
 * asks for, and what evidence it carries. Each source has one folder; the rooms
 * keep tables of the sources.
 *
 * @module
 */
import type { Config, Setting, Settings } from "../base/config.ts";
import type {
  Gap,
  IncidentInput,
  Lookup,
  NormalizedContext,
} from "../incident.ts";
import type { Proof } from "./proof.ts";

/** The names of those settings whose values are of type `T`. */
type KeyOf<S extends Settings, T> = {
  [K in keyof S]: S[K] extends Setting<T> ? K : never;
}[keyof S];

/** A webhook: its path, whom it admits, and what a delivery means. */
export interface Webhook<S extends Settings = Settings> {
  /** `/webhook/<system>`. */
  readonly path: string;
  readonly settings: S;
  readonly proof: Proof;
  /** The setting with the proof's secrets; without any, the webhook is closed. */
  readonly secrets: KeyOf<S, readonly string[]>;
  /** The setting that opens the webhook to everybody. */
  readonly open?: KeyOf<S, boolean>;
  /** Whether a body may have a content type other than JSON. */
  readonly lax?: boolean;
  /** Whether the proof covers the time of a delivery, {@linkcode Delivery.at}. */
  readonly signsTime?: boolean;
  /** Further notes on these settings for an operator. */
  notes?(config: Config<S>): readonly string[];
  /**
   * Reads a parsed body.
   *
   * @throws {DeliveryError} If the body is malformed.
   */
  read(
    body: unknown,
    config: Config<S>,
  ): Delivery | Ignored | Promise<Delivery | Ignored>;
}

export interface Delivery {
  incident: IncidentInput;
  /** The same for every copy of one delivery, different for any other. */
  key: string;
  /**
   * The time of its newest event (RFC 3339, UTC); the incident may be older. If
   * absent, the incident's own time counts.
   */
  at?: string;
  /**
   * What a cooldown folds by, if the service's name alone is not enough: two
   * namespaces may use one name.
   */
  foldedBy?: string;
}

/** A delivery that starts nothing. */
export interface Ignored {
  /** Why, for people and for counters: at most 100 characters, few values. */
  ignored: string;
}

/** A delivery is malformed, so sending it again cannot help. */
export class DeliveryError extends Error {
  override name = "DeliveryError";
}

/** A piece of evidence before it is stored. */
export interface Piece {
  /** Facts and timeline of the same findings cite it. */
  name: string;
  /** For filtering artifacts: `incident.raw`. */
  kind: string;
  title: string;
  contentType: string;
  /** Complete; the stored artifact may be shorter. */
  content: string;
}

/** Everything that a source knows about an incident. */
export interface Findings {
  /** In the order cited. The payload comes first: general claims cite it. */
  pieces: Piece[];
  /** The incident in plain fields; it cites pieces by name. */
  context: NormalizedContext;
  gaps: Gap[];
  /** What was looked up elsewhere; its `evidence` names pieces. */
  lookups?: Lookup[];
  /** Names the subject: 64 hex digits. */
  subjectKey?: string;
}
