/**
 * Reads the approved message and accepts no other.
 *
 * @module
 */
import { sha256Hex } from "../base/digest.ts";
import { JobError } from "../base/errors.ts";
import type { Summary } from "../incident.ts";
import { decodeMessage, type Message } from "../message/render.ts";
import type { JobGateway } from "../platform/context.ts";

/** Our own messages are shorter. */
const MESSAGE_BYTES_MAX = 256 * 1024;

/**
 * Fetches the message that the summarizer stored, if its bytes are unchanged.
 *
 * @throws {JobError} As {@linkcode readApprovedMessage} does.
 */
export async function fetchApprovedMessage(
  { message_ptr: pointer, message_sha256: digest }: Summary,
  gateway: JobGateway,
): Promise<{ message: Message; digest: string }> {
  if (pointer === undefined || digest === undefined) {
    throw new JobError(
      "JOB_INVALID_INPUT",
      "Cannot post: the summary names no message",
    );
  }
  const { bytes } = await gateway.readArtifact(pointer, MESSAGE_BYTES_MAX);
  return { message: await readApprovedMessage(bytes, digest), digest };
}

/**
 * Reads the bytes of a message, if they are the bytes that the approver saw.
 *
 * @param expected The digest in the summary, which is part of the approved
 * job's input.
 * @throws {JobError} `DIGEST_MISMATCH`, or `JOB_INVALID_INPUT` if the bytes are
 * no message. Neither error quotes the bytes.
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
