/**
 * The texts of a message's blocks. Pure.
 *
 * @module
 */
import { isObject } from "../../lib/base/json.ts";

/** What a reader sees of blocks, in their order: no types, addresses or ids. */
export function textsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(textsOf);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, one]) =>
    name === "text" && typeof one === "string" ? [one] : textsOf(one)
  );
}
