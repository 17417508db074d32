/**
 * What is known about a sender of incidents: how its webhook proves who sent
 * it, what a delivery asks for, and what evidence it carries. One file a source
 * says all of it; the rooms keep tables of them.
 *
 * @module
 */
import type { Config, Setting, Settings } from "../base/config.ts";
import type { IncidentInput, NormalizedContext } from "../incident.ts";
import type { Proof } from "./proof.ts";

/** A webhook: where it is, whom it lets in, and what a delivery means. */
export interface Webhook<S extends Settings = Settings> {
  /** `/webhook/<system>`. */
  readonly path: string;
  /** What it reads from the environment. */
  readonly settings: S;
  readonly proof: Proof;
  /** The setting that holds the secrets of the proof; closed if it is empty. */
  readonly secrets: Setting<readonly string[]>;
  /** The setting that opens it to everybody. */
  readonly open?: Setting<boolean>;
  /** Whether a body may call itself something else than JSON. */
  readonly lax?: boolean;
  /** What else an operator should know about these settings. */
  notes?(config: Config<S>): readonly string[];
  /**
   * Says what a parsed body asks for.
   *
   * @throws {DeliveryError} If that can never be known.
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
   * When the newest event that it reports happened (RFC 3339, UTC); the
   * incident may be older. If absent, the incident's own time counts.
   */
  at?: string;
}

/** A delivery that is understood and starts nothing. */
export interface Ignored {
  /** Why, for people and for counters: at most 100 characters, few values. */
  ignored: string;
}

/** A delivery that will never be understood. */
export class DeliveryError extends Error {
  override name = "DeliveryError";
}

/** A piece of evidence that is not stored yet. */
export interface Piece {
  /** Names it within its findings, where facts and timeline cite it. */
  name: string;
  /** What it is, for whoever filters artifacts: `incident.raw`. */
  kind: string;
  title: string;
  /** MIME type. */
  contentType: string;
  /** All of it; what is stored may be shorter. */
  content: string;
}

/** What a source knows about an incident. */
export interface Findings {
  /** In the order cited. */
  pieces: Piece[];
  /** The incident in plain fields; it cites pieces by name. */
  context: NormalizedContext;
  /** What could not be had, and why. */
  gaps: { what: string; why: string }[];
}

const DEPTH_MAX = 64;

/**
 * Refuses what no system sends: a few kilobytes of brackets overflow the stack
 * of whoever serializes the body again.
 *
 * @throws {DeliveryError} If it is nested more than 64 deep.
 */
export function checkDepth(body: unknown): void {
  if (!isDeeper(body, DEPTH_MAX)) return;
  throw new DeliveryError(`the body must be nested at most ${DEPTH_MAX} deep`);
}

function isDeeper(value: unknown, depthMax: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return depthMax === 0 ||
    Object.values(value).some((inner) => isDeeper(inner, depthMax - 1));
}
