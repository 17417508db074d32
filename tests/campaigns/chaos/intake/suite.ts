/**
 * The campaign against ingesters.
 *
 * @module
 */
import type { Suite } from "../suite.ts";
import { type MutantName, MUTANTS, runCampaign } from "./campaign.ts";
import { ENDS } from "./oracle.ts";
import type { Outcome } from "./trial.ts";

/** Deliveries, and the runs that the platform created. */
export const INTAKE: Suite<Outcome> = {
  option: "--suite intake ",
  // Trials mostly wait.
  lanes: 12,
  ends: ENDS,
  mutants: Object.keys(MUTANTS),
  run: ({ embedded: _, mutant, ...options }) =>
    runCampaign({
      ...options,
      ...(mutant !== undefined &&
        { mutant: mutant as MutantName, stopAtViolation: true }),
    }),
  describe: ({ plan, problems, end, evidence, notes, log }) => {
    const faults = plan.faults.map(({ name, detail }) => `${name} (${detail})`);
    return [
      problems.length === 0
        ? `Trial ${plan.trial}: ${end}`
        : `VIOLATION in trial ${plan.trial}: ${problems.join("; ")}`,
      `  ${faults.join(" and ")}; ${plan.way}`,
      ...(evidence?.runs ?? []).map(({ id, key }) => `  run ${id} of ${key}`),
      ...notes.map(({ ms, what }) => `  ${String(ms).padStart(6)} ms  ${what}`),
      ...log.map((line) => `  ${line}`),
    ].join("\n");
  },
  servers: () => [],
};
