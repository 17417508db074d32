/**
 * Waiting until a change of policy or routing is in force.
 *
 * @module
 */
import { sha256Hex } from "../base/digest.ts";
import type { JsonObject } from "../base/json.ts";
import { wait } from "../base/time.ts";
import { OperationError } from "./errors.ts";
import type { Platform } from "./platform.ts";

export interface WaitOptions {
  /** How often to check whether it is in force. */
  pollMs?: number;
  /** Called repeatedly with the name of the current wait. */
  onProgress?: (what: string) => void;
}

/** The platform reloads policy and routing every 30 s; with a margin. */
export const RELOAD_MS = 35_000;

const POLL_MS = 500;
/** Two independent timers reload every 30 s; twice their sum is an outage. */
const IN_FORCE_MS = 120_000;

/**
 * Waits until a change is in force.
 *
 * @returns How long it took.
 * @throws {OperationError} If it takes too long.
 */
export async function until(
  { signal }: Platform,
  what: string,
  holds: (passedMs: number) => Promise<boolean>,
  { onProgress, pollMs = POLL_MS }: WaitOptions,
): Promise<number> {
  const started = performance.now();
  const passedMs = () => performance.now() - started;
  while (!await holds(passedMs())) {
    if (passedMs() > IN_FORCE_MS) {
      throw new OperationError(
        `Gave up ${what} after ${
          IN_FORCE_MS / 1000
        } s; look at the platform's log for a policy that does not load`,
      );
    }
    onProgress?.(what);
    await wait(pollMs, signal);
  }
  return passedMs();
}

/** The stored policy fragments by key. */
export async function readFragments(
  platform: Platform,
): Promise<Record<string, JsonObject>> {
  const { bundles = {} } = await platform.config("policy");
  return bundles as Record<string, JsonObject>;
}

/**
 * Whether the policy in force changed since it was `before`, or is known to be
 * that of the stored fragments: an interrupted command may have changed it.
 */
export async function isPolicyReloaded(
  platform: Platform,
  before: string | undefined,
): Promise<boolean> {
  const now = await platform.policySnapshot();
  if (now === undefined) return false;
  return now !== before || await isOfStored(platform, now);
}

/** Its second half is a hash of the fragments in the order of their keys. */
async function isOfStored(
  platform: Platform,
  snapshot: string,
): Promise<boolean> {
  const fragments = Object.entries(await readFragments(platform))
    .filter(([, { enabled = true }]) => enabled === true)
    .toSorted(([a], [b]) => a < b ? -1 : 1)
    .map(([id, { content }]) => `${id}\0${content}`);
  const [, inForce] = /(?:^|\|)cfg:(\w+)$/.exec(snapshot) ?? [];
  if (fragments.length === 0) return inForce === undefined;
  return inForce === await sha256Hex(fragments.join(""));
}
