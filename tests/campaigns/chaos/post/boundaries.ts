/**
 * The moments of a post that can be seen from outside the poster, in their
 * order. Pure.
 *
 * @module
 */
import type { PostEvent } from "../../../../lib/post/record.ts";

/** Every boundary, in the order in which a post meets them. */
export const BOUNDARIES = [
  /** The job's input is asked for. */
  "before checks",
  /** The record's first answer is on its way to the poster. */
  "record read",
  /** The claim has left the poster, and has not reached Redis. */
  "before claim",
  /** Redis has the claim, and the poster does not know. */
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
  /** Redis has the outcome, and the poster does not know. */
  "after outcome",
  /** Redis has the job's result, and the poster does not know. */
  "result stored",
  /** The result has left the poster, and has not reached NATS. */
  "before result",
  /** NATS has the result. */
  "after result",
] as const;

/** A moment of a post. */
export type Boundary = typeof BOUNDARIES[number];

/** What a command of the poster to Redis means, before it runs and after. */
export interface Meaning {
  before?: Boundary;
  after?: Boundary;
}

/**
 * Says what a command to Redis means.
 *
 * @param claimed Whether the poster has sent a claim for this record.
 */
export function meaningOf(
  [name = "", key = "", value = ""]: readonly string[],
  claimed: boolean,
): Meaning {
  switch (name.toUpperCase()) {
    case "GETRANGE":
      return key.startsWith("ctx:") ? { before: "before checks" } : {};
    case "LRANGE":
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

/** Whether an item of a record is a claim. */
export function isClaim(item: string): boolean {
  return (JSON.parse(item) as PostEvent).type === "claim";
}
