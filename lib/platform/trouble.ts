/**
 * Sorts what can end a job: its own fault, or trouble of ours. Pure.
 *
 * A job that fails has spent its approval, so nothing but its own fault may end
 * an approved job. In doubt it is ours: the job is then done later, and what is
 * wrong with it shows when all is well.
 *
 * @module
 */
import type { JobErrorCode } from "../base/errors.ts";
import { GatewayError } from "./gateway_error.ts";
import { StoreError } from "./store.ts";

/** The code of a failure that the job itself did not cause. */
export type TroubleCode = Extract<
  JobErrorCode,
  "GATEWAY_UNAVAILABLE" | "STORE_UNAVAILABLE"
>;

/** The platform's own answers about what the job asks for. */
const ABOUT_THE_JOB = [400, 404, 409, 410, 413, 414, 422];
/** A pointer of the job leads to a key that holds something else. */
const WRONG_TYPE = /\bWRONGTYPE\b/;

/** @returns `undefined` if the job is at fault, or this code has a bug. */
export function troubleOf(error: unknown): TroubleCode | undefined {
  if (error instanceof StoreError) {
    return isStoreTrouble(error) ? "STORE_UNAVAILABLE" : undefined;
  }
  if (error instanceof GatewayError) {
    return isGatewayTrouble(error) ? "GATEWAY_UNAVAILABLE" : undefined;
  }
  return undefined;
}

function isStoreTrouble({ kind, message }: StoreError): boolean {
  // Redis refuses for many reasons of its own: a password, a full disk.
  return kind !== "too large" && !WRONG_TYPE.test(message);
}

function isGatewayTrouble(
  { status, foreign, detail, tooLong }: GatewayError,
): boolean {
  if (tooLong || WRONG_TYPE.test(detail)) return false;
  return foreign || !ABOUT_THE_JOB.includes(status);
}
