/**
 * Holds a job that trouble of ours keeps from being done.
 *
 * A held job stays unanswered, so that its approval is not spent. It is done
 * here once the trouble is over, or by another process whose search for silent
 * jobs finds it.
 *
 * @module
 */
import { deadline } from "../base/deadline.ts";
import type { Log } from "../base/log.ts";
import { backoffMs, wait } from "../base/time.ts";
import { isOver } from "../job_state.ts";
import type { Gateway } from "./gateway.ts";
import { GatewayError } from "./gateway_error.ts";
import type { Hold, Work } from "./job_table.ts";
import type { JobRequest } from "./packet.ts";
import type { GatewayWatch } from "./watch_gateway.ts";

/** Lengths in milliseconds; tests bring their own. */
export interface HoldTimes {
  /** The first pause; each further one may be twice as long. */
  baseMs: number;
  maxMs: number;
  /** How long a job may be held. */
  heldMsMax: number;
}

const TIMES: HoldTimes = {
  baseMs: 1_000,
  maxMs: 60_000,
  // The platform gives up a job that has been RUNNING for so long.
  heldMsMax: 9_000_000,
};

/** What is known of a job after an attempt that trouble of ours ended. */
export interface Past {
  /** When it came, by `performance.now()`. */
  readonly sinceMs: number;
  /** How often it was held. */
  holds: number;
  /** In milliseconds since the epoch, once its input is known. */
  giveUpAt: number;
  /** Of the handler, if only the result could not be stored. */
  output?: unknown;
}

/**
 * Whether a job is held at all. Without a deadline it would wait in vain, unless
 * another process may find it.
 */
export function mayHold(request: JobRequest, recoverable: boolean): boolean {
  return recoverable || (request.budget?.deadlineMs ?? 0n) > 0n;
}

/**
 * Holds a job until it is worth trying again.
 *
 * @returns `undefined` if the time for it is over.
 */
export function holdJob(
  past: Past,
  { why, watch, times = TIMES, signal, log, work }: {
    why: string;
    watch: GatewayWatch;
    times?: HoldTimes | undefined;
    signal: AbortSignal;
    log: Log;
    work: Work;
  },
): Hold | undefined {
  const leftMs = Math.min(
    past.sinceMs + times.heldMsMax - performance.now(),
    past.giveUpAt - Date.now(),
  );
  if (signal.aborted || !(leftMs > 0)) return undefined;
  if (past.holds++ === 0) {
    log.warn("Holding a job until it can be done", { why });
  }
  const pauseMs = backoffMs(past.holds, times);
  const again = untilWorthTrying(watch, { leftMs, pauseMs, signal });
  return { status: "held", why, again, work };
}

async function untilWorthTrying(
  watch: GatewayWatch,
  { leftMs, pauseMs, signal }: {
    leftMs: number;
    pauseMs: number;
    signal: AbortSignal;
  },
): Promise<void> {
  using end = deadline(leftMs, signal);
  try {
    await wait(pauseMs, end.signal);
    await watch.untilGood(end.signal);
  } catch {
    // The job has ended, or is about to.
  }
}

/** Whether the platform no longer waits for a job: there is nothing to answer. */
export async function hasEnded(
  gateway: Gateway,
  jobId: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return isOver(await gateway.readJob(jobId, signal));
  } catch (error) {
    if (error instanceof GatewayError && error.missing) return true;
    throw error;
  }
}
