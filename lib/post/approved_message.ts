/**
 * Reads the approved message and accepts no other.
 *
 * @module
 */
import { sha256Hex } from "../base/digest.ts";
import { JobError, messageOf } from "../base/errors.ts";
import type { Summary } from "../incident.ts";
import { decodeMessage, type Message } from "../message/message.ts";
import type { JobGateway } from "../platform/context.ts";

/** Our own messages are shorter. */
const MESSAGE_BYTES_MAX = 256 * 1024;

/**
 * Fetches the message that the summarizer stored, if its bytes are the ones that
 * the approver saw: the approved job's input holds their digest.
 *
 * @throws {JobError} `DIGEST_MISMATCH`, or `JOB_INVALID_INPUT` if there is no
 * message. No error quotes the bytes.
 */
export async function fetchApprovedMessage(
  { message_ptr: pointer, message_sha256: expected }: Summary,
  gateway: JobGateway,
): Promise<{ message: Message; digest: string }> {
  if (pointer === undefined || expected === undefined) {
    throw new JobError(
      "JOB_INVALID_INPUT",
      "Cannot post: the summary names no message",
    );
  }
  const { bytes } = await gateway.readArtifact(pointer, MESSAGE_BYTES_MAX);
  const digest = await sha256Hex(bytes);
  if (digest !== expected) {
    throw new JobError(
      "DIGEST_MISMATCH",
      `Cannot post: the message's sha256 is ${digest}, approved was ${expected}`,
    );
  }
  try {
    return { message: decodeMessage(bytes), digest };
  } catch (cause) {
    throw new JobError(
      "JOB_INVALID_INPUT",
      `Cannot post: ${messageOf(cause)}`,
      { cause },
    );
  }
}
