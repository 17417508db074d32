/**
 * The message that people read: Slack's `{text, blocks}`, the same for every
 * destination. Pure.
 *
 * An approver sees the bytes of a message, and the poster posts the same bytes;
 * only the footer comes later.
 *
 * @module
 */
import type { Block } from "./block_kit.ts";
import { findForeignPart } from "./shapes.ts";

export interface Message {
  /** For notifications and screen readers. */
  readonly text: string;
  /** 1 to 49, as Block Kit has them. */
  readonly blocks: readonly Block[];
}

/** The bytes whose digest an approval releases. */
export function encodeMessage({ text, blocks }: Message): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ text, blocks }));
}

/**
 * Reads a message of this pack, and no other: what it holds is what is shown.
 *
 * @throws {SyntaxError} Says which part is foreign. Quotes none of it.
 */
export function decodeMessage(bytes: Uint8Array): Message {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new SyntaxError("the message is not JSON in UTF-8");
  }
  const problem = findForeignPart(value);
  if (problem !== undefined) {
    throw new SyntaxError(`the message is not one of this pack: ${problem}`);
  }
  const { text, blocks } = value as Message;
  return { text, blocks };
}
