/**
 * A webhook's delivery, once it is understood.
 *
 * @module
 */
import type { IncidentInput } from "../incident.ts";

/** What a delivery asks for. */
export interface Delivery {
  /** What it is about. */
  incident: IncidentInput;
  /** The same for every copy of one delivery, different for any other. */
  key: string;
  /**
   * When the newest of what it reports happened (RFC 3339, UTC); the incident
   * may be older. The moment that the incident gives if absent.
   */
  at?: string;
}

/** A delivery that is understood and starts nothing. */
export interface Ignored {
  /** Why, for people and for counters: at most 100 characters, few values. */
  ignored: string;
}

const DEPTH_MAX = 64;

/**
 * Refuses what no system sends: a few kilobytes of brackets overflow the stack
 * of whoever writes the body down again.
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

/** A delivery that will never be understood. */
export class DeliveryError extends Error {
  /** The class, for logs. */
  override name = "DeliveryError";
}
