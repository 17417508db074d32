/**
 * Sends a payload to its destination, once.
 *
 * @module
 */
import { JobError, messageOf } from "../base/errors.ts";
import type { Destination } from "./destination.ts";
import { postToSlack, type SlackOptions, type SlackOutcome } from "./slack.ts";

/** How sending a payload ended; an artifact has a pointer. */
export type SendOutcome =
  | SlackOutcome
  | { outcome: "posted"; at: string; artifactPtr: string; warning?: string }
  | { outcome: "refused"; why: string; retryable: boolean; cause: unknown };

/** Sends a payload. Failures of the other side never throw. */
export async function send(
  destination: Destination,
  payload: Uint8Array,
  { putArtifact, ...options }: SlackOptions & {
    putArtifact: (payload: Uint8Array) => Promise<string>;
  },
): Promise<SendOutcome> {
  if (destination.kind === "slack") {
    return await postToSlack(destination.url, payload, options);
  }
  try {
    const artifactPtr = await putArtifact(payload);
    return { outcome: "posted", at: new Date().toISOString(), artifactPtr };
  } catch (error) {
    // A retry is harmless: nobody reads a second artifact as a second message.
    const retryable = !(error instanceof JobError) || error.retryable;
    const why = messageOf(error);
    return { outcome: "refused", why, retryable, cause: error };
  }
}
