/**
 * Sends a payload to its destination, once.
 *
 * @module
 */
import { JobError, messageOf } from "../base/errors.ts";
import type { Destination } from "./destination.ts";
import { postToSlack, type SlackOptions, type SlackOutcome } from "./slack.ts";

/** What became of a payload; one that became an artifact has a pointer. */
export type SendOutcome =
  | SlackOutcome
  | { outcome: "posted"; at: string; artifactPtr: string; warning?: string };

/** Options of {@linkcode send}. */
export interface SendOptions extends SlackOptions {
  putArtifact: (payload: Uint8Array) => Promise<string>;
}

/** Sends a payload. Never throws for what the other side does. */
export async function send(
  destination: Destination,
  payload: Uint8Array,
  { timeoutMs, signal, putArtifact }: SendOptions,
): Promise<SendOutcome> {
  if (destination.kind === "slack") {
    return await postToSlack(destination.url, payload, { timeoutMs, signal });
  }
  try {
    const artifactPtr = await putArtifact(payload);
    return { outcome: "posted", at: new Date().toISOString(), artifactPtr };
  } catch (error) {
    // A second artifact would tell nobody anything twice.
    const retryable = !(error instanceof JobError) || error.retryable;
    return { outcome: "refused", why: messageOf(error), retryable };
  }
}
