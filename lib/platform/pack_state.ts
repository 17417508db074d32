/**
 * Whether the pack is active on the platform.
 *
 * An uninstalled pack keeps its workflow, so a run would start and fail at its
 * first step, and the alert would be lost.
 *
 * @module
 */
import { deadline } from "../base/deadline.ts";
import { objectOf, textOf } from "../base/json.ts";
import type { Log } from "../base/log.ts";
import { every } from "../base/time.ts";
import { PACK_ID } from "../schemas.ts";
import type { Gateway } from "./gateway.ts";

/** Webhooks come in bursts, and the gateway's 50 requests a second are for all. */
const EVERY_MS = 10_000;
/** A sender waits for the answer. */
const ASK_MS = 1_000;
const RECORD_BYTES_MAX = 1024 * 1024;
const STATUS_CHARS_MAX = 40;

/**
 * Makes a function that says why runs would fail: the pack's record, as the
 * platform keeps it, is not ACTIVE. Logs a change of that once.
 *
 * @returns It answers `undefined` for an active pack, and whenever no record can
 * be read: if there is no pack at all, no run starts.
 */
export function watchPack(
  gateway: Pick<Gateway, "call">,
  log: Log,
): () => Promise<string | undefined> {
  let last: string | undefined;
  return every(EVERY_MS, async () => {
    const status = await readStatus(gateway);
    const problem = status === undefined || status === "ACTIVE"
      ? undefined
      : `pack ${PACK_ID} is ${status} on the platform, not ACTIVE`;
    if (problem !== last) {
      if (problem === undefined) log.info("Taking webhooks again");
      else log.error(`Not ready: ${problem}; run deno task install`);
    }
    last = problem;
    return problem;
  });
}

async function readStatus(
  gateway: Pick<Gateway, "call">,
): Promise<string | undefined> {
  using end = deadline(ASK_MS);
  try {
    const record = await gateway.call("GET", `/packs/${PACK_ID}`, {
      signal: end.signal,
      once: true,
      bodyBytesMax: RECORD_BYTES_MAX,
    });
    return textOf(objectOf(record)?.["status"], STATUS_CHARS_MAX);
  } catch {
    return undefined; // Refused, missing or silent: that says nothing.
  }
}
