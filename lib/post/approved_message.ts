/**
 * The message that was approved, and no other. Pure but for the digest.
 *
 * @module
 */
import { sha256Hex } from "../base/digest.ts";
import { JobError } from "../base/errors.ts";
import { decodeMessage, type Message } from "../message/render.ts";

/** A longer message artifact is none of ours. */
export const MESSAGE_BYTES_MAX: number = 256 * 1024;

/**
 * Reads the bytes of a message, if they are those that the approver was shown.
 *
 * @param expected The digest that the summary names, which the approved job's
 * input holds.
 * @throws {JobError} `DIGEST_MISMATCH`; `JOB_INVALID_INPUT` if they are no
 * message. Neither quotes them.
 */
export async function readApprovedMessage(
  bytes: Uint8Array,
  expected: string,
): Promise<Message> {
  const digest = await sha256Hex(bytes);
  if (digest !== expected) {
    throw new JobError(
      "DIGEST_MISMATCH",
      `Cannot post: the message's sha256 is ${digest}, approved was ${expected}`,
    );
  }
  try {
    return decodeMessage(bytes);
  } catch (cause) {
    throw new JobError(
      "JOB_INVALID_INPUT",
      "Cannot post: the artifact is no message of {text, blocks} within Slack's limits",
      { cause },
    );
  }
}
