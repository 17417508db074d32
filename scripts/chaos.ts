/**
 * Strikes real posters at every moment and counts the messages.
 *
 * @module
 */
import {
  CommandError,
  inSeconds,
  readArgs,
  runCommand,
  say,
  table,
  warn,
} from "./support/cli.ts";
import {
  type MutantName,
  MUTANTS,
  type Report,
  runCampaign,
} from "./support/chaos/campaign.ts";
import { ENDS } from "./support/chaos/oracle.ts";
import type { Outcome } from "./support/chaos/trial.ts";

const HELP = {
  usage:
    "deno task chaos [--trials N] [--seed S] [--only TRIAL] [--json] [--mutant NAME]",
  about:
    `Runs real posters against a stand-in platform and Slack, strikes each post with
faults drawn from a list, and checks that no incident gets two messages and that
none is lost silently. Exit code 1 if one is; 3 if the campaign itself failed.`,
  options: [
    ["--trials N", "how many incidents, by default 200"],
    ["--seed S", "repeats the draw, by default 1"],
    ["--only TRIAL", "only this one of them, with all that is known of it"],
    ["--lanes L", "how many platforms side by side, by default 4"],
    ["--embedded", "the embedded NATS and Redis, even if real ones are there"],
    [
      "--mutant NAME",
      `a wrong poster: ${
        Object.keys(MUTANTS).join(", ")
      }; one violation is enough`,
    ],
    ["--json", "the report as JSON"],
  ],
} as const;

/** Trials take a fraction of it; the rest is for a slow machine. */
const TRIAL_MS_MAX = 3_000;
const START_MS_MAX = 60_000;
const PROGRESS_EVERY_MS = 5_000;

async function main(args: readonly string[]): Promise<number | void> {
  const given = readArgs(args, HELP, {
    trials: { type: "string" },
    seed: { type: "string" },
    only: { type: "string" },
    lanes: { type: "string" },
    embedded: { type: "boolean" },
    mutant: { type: "string" },
    json: { type: "boolean" },
  });
  if (given === undefined) return;
  const { values } = given;
  const number = (name: string, fallback: number) =>
    readNumber(name, values[name] as string | undefined, fallback);
  const trials = number("trials", 200);
  const seed = number("seed", 1);
  const only = values["only"] === undefined ? undefined : number("only", 0);
  const mutant = readMutant(values["mutant"] as string | undefined);
  const json = values["json"] === true;
  const abort = new AbortController();
  const onSignal = () => abort.abort(new CommandError("Stopped", 130));
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(name, onSignal);
  }
  const all = only === undefined
    ? Array.from({ length: trials }, (_, at) => at + 1)
    : [only];
  let saidAt = performance.now();
  const started = saidAt;
  let report;
  try {
    report = await runCampaign({
      trials: all,
      seed,
      lanes: number("lanes", 4),
      servers: values["embedded"] === true ? "embedded" : "real",
      ...(mutant === undefined ? {} : { mutant, stopAtViolation: true }),
      budgetMs: START_MS_MAX + all.length * TRIAL_MS_MAX,
      signal: abort.signal,
      onOutcome(outcome, done) {
        const violated = outcome.problems.length > 0;
        if (violated || only !== undefined) warn(describe(outcome));
        const now = performance.now();
        if (json || now < saidAt + PROGRESS_EVERY_MS) return;
        saidAt = now;
        say(`  ${done} of ${all.length} trials, ${inSeconds(now - started)}`);
      },
    });
  } catch (error) {
    if (abort.signal.aborted) throw abort.signal.reason;
    throw new CommandError(
      `The campaign failed: ${error instanceof Error ? error.stack : error}`,
      3,
    );
  }
  const missing = trials >= 200 && only === undefined && mutant === undefined
    ? ENDS.filter((end) => report.ends[end] === 0)
    : [];
  if (json) say(JSON.stringify({ ...report, missing }, undefined, 2));
  else print(report, missing);
  abort.signal.throwIfAborted();
  const short = report.trials < all.length && mutant === undefined;
  if (short) throw new CommandError("The trials did not end in time", 3);
  return report.violations.length + missing.length > 0 ? 1 : 0;
}

function readNumber(
  name: string,
  text: string | undefined,
  fallback: number,
): number {
  if (text === undefined) return fallback;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new CommandError(`--${name} takes a whole number; see --help`, 2);
}

function readMutant(text: string | undefined): MutantName | undefined {
  if (text === undefined || Object.hasOwn(MUTANTS, text)) {
    return text as MutantName | undefined;
  }
  throw new CommandError(
    `There is no mutant "${text}"; there are ${
      Object.keys(MUTANTS).join(", ")
    }`,
    2,
  );
}

function describe(
  { plan, problems, end, evidence, notes, log }: Outcome,
): string {
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
}

function print(report: Report, missing: readonly string[]): void {
  const { seed, trials, ms, servers, ends, byFault, violations, meanMs } =
    report;
  const columns = [...ENDS, "violation"] as const;
  const rows = Object.entries(byFault).toSorted(([a], [b]) => a < b ? -1 : 1)
    .map(([name, row]) => [
      name,
      ...columns.map((column) => row[column] === 0 ? "·" : `${row[column]}`),
      inSeconds(meanMs[name]!),
    ]);
  const total = columns.map((column) =>
    `${column === "violation" ? violations.length : ends[column]}`
  );
  say();
  for (
    const line of table([["", ...columns, "mean"], ...rows, [
      "all trials",
      ...total,
    ]])
  ) say(line);
  say();
  say(
    `seed ${seed}, ${trials} trials in ${
      inSeconds(ms)
    }, NATS ${servers.nats}, Redis ${servers.redis}`,
  );
  if (missing.length > 0) say(`never happened: ${missing.join(", ")}`);
  say(
    violations.length === 0
      ? "no violation"
      : `${violations.length} violations, in trials ${
        violations.map(({ plan }) => plan.trial).join(", ")
      }; repeat one with --seed ${seed} --only TRIAL`,
  );
}

if (import.meta.main) await runCommand(main);
