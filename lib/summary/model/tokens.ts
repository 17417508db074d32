/**
 * Counts tokens. Pure.
 *
 * @module
 */
import { isObject } from "../../base/json.ts";
import type { Tokens } from "./provider.ts";

/** No tokenizer makes more of English text, logs and JSON. */
const BYTES_PER_TOKEN = 3;

/** An upper bound before anybody has counted. */
export function tokensUpTo(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}

/** The provider's own count, if it gave one. */
export function tokensOf(
  usage: unknown,
  input: string,
  output: string,
): { tokens?: Tokens } {
  if (!isObject(usage)) return {};
  const [one, other] = [usage[input], usage[output]];
  return isCount(one) && isCount(other)
    ? { tokens: { input: one, output: other } }
    : {};
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && value as number >= 0 &&
    value as number < 1e9;
}
