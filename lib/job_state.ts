/**
 * What a job's state on the platform means to whoever holds its packet. Pure.
 *
 * @module
 */

/** The scheduler has sent the job to nobody. */
const UNSENT: readonly unknown[] = ["PENDING", "APPROVAL_REQUIRED"];
/** The platform waits for an answer, now or later. */
const LIVE: readonly unknown[] = [
  ...UNSENT,
  "SCHEDULED",
  "DISPATCHED",
  "RUNNING",
];

/** A job as the gateway shows it, unchecked. */
export type JobRecord = Readonly<Record<string, unknown>>;

/**
 * Whether the scheduler has not sent the job out, so that a packet for it is
 * somebody else's. An answer would end the job, and with it an approval that is
 * still to be given.
 */
export function isUnsent(record: JobRecord): boolean {
  return UNSENT.includes(record["state"]);
}

/** Whether the platform no longer waits for the job: there is nothing to answer. */
export function isOver({ state }: JobRecord): boolean {
  return typeof state === "string" && !LIVE.includes(state);
}
