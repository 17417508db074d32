/**
 * The campaign against posters.
 *
 * @module
 */
import {
  type MutantName,
  MUTANTS,
  type Report,
  runCampaign,
} from "./campaign.ts";
import { ENDS } from "./oracle.ts";
import type { Suite } from "./suite.ts";
import type { Outcome } from "./trial.ts";

/** Posts, and what Slack got. */
export const POST: Suite<Outcome> = {
  option: "",
  lanes: 4,
  ends: ENDS,
  mutants: Object.keys(MUTANTS),
  run: ({ embedded, mutant, ...options }) =>
    runCampaign({
      ...options,
      servers: embedded ? "embedded" : "real",
      ...(mutant !== undefined &&
        { mutant: mutant as MutantName, stopAtViolation: true }),
    }),
  describe: ({ plan, problems, end, evidence, notes, log }) => {
    const faults = plan.faults.map(({ name, detail }) =>
      detail === "" ? name : `${name} (${detail})`
    );
    return [
      problems.length === 0
        ? `Trial ${plan.trial}: ${end}`
        : `VIOLATION in trial ${plan.trial}: ${problems.join("; ")}`,
      `  ${faults.join(" and ")}, then ${plan.again}`,
      ...(evidence?.jobs ?? []).map((job) => `  job ${JSON.stringify(job)}`),
      ...(evidence?.record ?? []).map((item) => `  record ${item}`),
      ...(evidence?.requests ?? []).map((one) =>
        `  Slack ${JSON.stringify(one)}`
      ),
      ...notes.map(({ ms, what }) => `  ${String(ms).padStart(6)} ms  ${what}`),
      ...log.map((line) => `  ${line}`),
    ].join("\n");
  },
  servers(report) {
    const { nats, redis } = (report as Report).servers;
    return [`NATS ${nats}`, `Redis ${redis}`];
  },
};
