/**
 * Judges what became of a delivery.
 *
 * @module
 */
import type { Judgement } from "../campaign.ts";
import type { Run } from "./gateway.ts";
import type { Letter } from "./letters.ts";
import { ALLOWANCE_MS, ANSWER_MS_MAX, type Attempt } from "./sender.ts";

export const ENDS = [
  "accepted",
  "accepted after redelivery",
  "gave up without a run",
  "gave up with one run",
] as const;

export interface Evidence {
  /** What was delivered; all of it belongs to one run. */
  letters: readonly Letter[];
  attempts: readonly Attempt[];
  /** What the platform really created. */
  runs: readonly Run[];
  /** Whether the platform said it would never take this input. */
  inputRefused?: boolean;
}

export function judge(evidence: Evidence): Judgement {
  const { attempts, runs, letters } = evidence;
  const problems = [
    ...judgeRuns(evidence),
    ...attempts.flatMap((attempt) => judgeAttempt(attempt, evidence)),
  ];
  if (problems.length > 0) return { end: undefined, problems };
  const accepted = attempts.filter(({ seen, status = 0 }) =>
    seen && status < 300
  );
  const atOnce = letters.every((letter) =>
    accepted.some((one) => one.letter === letter && one.nth === 1)
  );
  const end = accepted.length > 0
    ? atOnce ? "accepted" : "accepted after redelivery"
    : runs.length === 0
    ? "gave up without a run"
    : "gave up with one run";
  return { end, problems };
}

function judgeRuns({ letters, runs }: Evidence): string[] {
  const problems = runs.flatMap(({ id, input }) => {
    const raw = JSON.stringify(input["raw"]);
    const incident = String(input["incident_id"]);
    const isOurs = letters.some((letter) =>
      letter.body === raw && incident.startsWith(letter.incident)
    );
    return isOurs ? [] : [`run ${id} has another's input, that of ${incident}`];
  });
  return runs.length <= 1
    ? problems
    : [...problems, `${runs.length} runs of one delivery`];
}

/** Holds an ingester to what it answered, even if the sender never heard it. */
function judgeAttempt(
  { nth, replica, status, answer = {}, ms, excused }: Attempt,
  { runs, inputRefused = false }: Evidence,
): string[] {
  const name = `attempt ${nth} to ${replica}`;
  if (status === undefined) return excused ? [] : [`${name} got no answer`];
  const late = ms > ANSWER_MS_MAX + ALLOWANCE_MS && !excused
    ? [`${name} was answered after ${ms} ms`]
    : [];
  if (status === 500) return [...late, `${name} was told of a bug`];
  // The sender would never send it again, and an alert would be lost.
  const drops = status >= 400 && status < 500 && status !== 429;
  if (drops && !inputRefused && !excused) {
    return [...late, `${name} was told with ${status} to drop it`];
  }
  if (status > 299) return late;
  const { run_id: id, incident_id, folded_into } = answer;
  const run = runs.find((run) => run.id === id);
  if (run === undefined) {
    return [...late, `${name} got ${status} for a run that does not exist`];
  }
  const incident = folded_into ?? incident_id;
  return incident === run.input["incident_id"]
    ? late
    : [...late, `${name} was told of ${incident}, and the run is another's`];
}
