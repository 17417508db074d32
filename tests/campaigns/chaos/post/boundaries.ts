/**
 * The moments of a post that can be seen from outside the poster, in order.
 *
 * @module
 */
import { type PostEvent, RECORD_PREFIX } from "../../../../lib/post/events.ts";

export const BOUNDARIES = [
  /** The poster asks for the job's input. */
  "before checks",
  /** Redis has answered the poster's first look at the record. */
  "record read",
  /** The claim has left the poster, and has not reached Redis. */
  "before claim",
  /** Redis has the claim, which the poster does not know yet. */
  "after claim",
  /** The poster is about to learn that the claim is its own. */
  "before connect",
  /** Slack has accepted the connection. */
  "connected",
  /** Slack has the whole request. */
  "request written",
  /** Slack has answered. */
  "answered",
  /** The outcome has left the poster, and has not reached Redis. */
  "before outcome",
  /** Redis has the outcome, which the poster does not know yet. */
  "after outcome",
  /** Redis has the job's result, which the poster does not know yet. */
  "result stored",
  /** The result has left the poster, and has not reached NATS. */
  "before result",
  /** NATS has the result. */
  "after result",
] as const;

export type Boundary = typeof BOUNDARIES[number];

/** The moments before and after a command to Redis runs. */
export interface Meaning {
  before?: Boundary;
  after?: Boundary;
}

/** @param claimed Whether the poster has sent a claim for this record. */
export function meaningOf(
  [name = "", key = "", value = ""]: readonly string[],
  claimed: boolean,
): Meaning {
  switch (name.toUpperCase()) {
    case "GETRANGE":
      return key.startsWith("ctx:") ? { before: "before checks" } : {};
    case "LRANGE":
      if (!key.startsWith(RECORD_PREFIX)) return {}; // Who signed.
      return { after: claimed ? "before connect" : "record read" };
    case "RPUSH":
      return isClaim(value)
        ? { before: "before claim", after: "after claim" }
        : { before: "before outcome", after: "after outcome" };
    case "SET":
      return /^res:/.test(key) && !key.endsWith(":error")
        ? { after: "result stored" }
        : {};
    default:
      return {};
  }
}

export function isClaim(item: string): boolean {
  return (JSON.parse(item) as PostEvent).type === "claim";
}
