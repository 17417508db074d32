/**
 * The platform's system config documents. Pure.
 *
 * @module
 */
import { type JsonObject, objectOf } from "../base/json.ts";

/** The gateway's route to a document. */
export function configPath(scopeId: string): string {
  return `/config?scope=system&scope_id=${scopeId}`;
}

/** The data in the gateway's answer; empty if there is none. */
export function configData(answer: unknown): JsonObject {
  const document = objectOf(answer);
  // Cordum 1.0 answers with the data itself, without a document around it.
  const isBare = typeof document?.["scope"] !== "string";
  return objectOf(isBare ? document : document["data"]) ?? {};
}
