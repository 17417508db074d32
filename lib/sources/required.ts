/**
 * Fields that a delivery must have. Their readers refuse any other value. Pure.
 *
 * @module
 */
import { type JsonObject, objectOf } from "../base/json.ts";
import { DeliveryError } from "./source.ts";

const DEPTH_MAX = 64;

/**
 * Reads the parsed body of a webhook. No system nests deeply: a few kilobytes of
 * brackets would overflow the stack when the body is serialized again.
 *
 * @throws {DeliveryError} Unless it is a JSON object, nested at most 64 deep.
 */
export function readPayload(body: unknown): JsonObject {
  const payload = objectOf(body);
  if (payload === undefined) {
    throw new DeliveryError("the body must be a JSON object");
  }
  if (!isDeeper(payload, DEPTH_MAX)) return payload;
  throw new DeliveryError(`the body must be nested at most ${DEPTH_MAX} deep`);
}

function isDeeper(value: unknown, depthMax: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return depthMax === 0 ||
    Object.values(value).some((inner) => isDeeper(inner, depthMax - 1));
}

export function readObject(value: unknown, field: string): JsonObject {
  const object = objectOf(value);
  if (object !== undefined) return object;
  throw new DeliveryError(`"${field}" must be an object`);
}

export function readText(value: unknown, field: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new DeliveryError(`"${field}" must be a text`);
}

export function readId(value: unknown, field: string): string {
  if (typeof value === "string" && /^[!-~]{1,150}$/.test(value)) return value;
  throw new DeliveryError(
    `"${field}" must be 1 to 150 visible ASCII characters without blanks`,
  );
}
