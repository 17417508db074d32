/**
 * Strikes real posters and ingesters at every moment, and counts messages and
 * runs.
 *
 * @module
 */
import { command } from "../../scripts/terminal/arguments.ts";
import {
  type CommandContext,
  CommandError,
  runCommand,
  UsageError,
} from "../../scripts/terminal/command.ts";
import { inSeconds, table } from "../../scripts/terminal/format.ts";
import { INTAKE } from "./chaos/intake/suite.ts";
import { POST } from "./chaos/post_suite.ts";
import type { Tried } from "./chaos/pool.ts";
import type { Suite, SuiteReport } from "./chaos/suite.ts";

const SUITES: Readonly<Record<string, Suite>> = {
  post: POST,
  intake: INTAKE,
};

const HELP = {
  usage:
    "deno task chaos [--suite NAME] [--trials N] [--seed S] [--only TRIAL] [--mutant NAME]",
  about:
    `Runs real workers against a stand-in platform, strikes each trial with faults
drawn from a list, and counts. post, against a stand-in for Slack: no incident
gets two messages, and none is lost silently. intake: each delivery that was
accepted has exactly one run, any other at most one. Exit code 1 if that does
not hold; 3 if the campaign itself failed.`,
  options: {
    "suite NAME": "post or intake, by default post",
    "trials N": "how many incidents, by default 200",
    "seed S": "repeats the draw, by default 1",
    "only TRIAL": "only this one of them, with all that is known of it",
    "lanes L": "how many platforms side by side, by default 4; intake: 12",
    embedded: "the embedded NATS and Redis, even if real ones are there",
    "mutant NAME": [
      "a wrong worker, until it is caught:",
      ...Object.entries(SUITES).map(([name, { mutants }]) =>
        `${name}: ${mutants.join(", ")}`
      ),
    ].join("\n"),
    json: "the report as JSON",
  },
} as const;

/** Trials take a fraction of it; the rest is for a slow machine. */
const TRIAL_MS_MAX = 3_000;
const START_MS_MAX = 60_000;
const PROGRESS_EVERY_MS = 5_000;

export const main = command(HELP, async ({ values }, context) => {
  const suite = readSuite(values.suite);
  const number = (
    name: "trials" | "seed" | "only" | "lanes",
    fallback: number,
  ) => readNumber(name, values[name], fallback);
  const trials = number("trials", 200);
  const seed = number("seed", 1);
  const only = values.only === undefined ? undefined : number("only", 0);
  const mutant = readMutant(suite, values.mutant);
  const { json } = values;
  const { signal } = context;
  const all = only === undefined
    ? Array.from({ length: trials }, (_, at) => at + 1)
    : [only];
  let saidAt = performance.now();
  const started = saidAt;
  let report;
  try {
    report = await suite.run({
      trials: all,
      seed,
      lanes: number("lanes", suite.lanes),
      embedded: values.embedded,
      mutant,
      budgetMs: START_MS_MAX + all.length * TRIAL_MS_MAX,
      signal,
      onOutcome(outcome, done) {
        const violated = outcome.problems.length > 0;
        if (violated || only !== undefined) {
          context.err(suite.describe(outcome));
        }
        const now = performance.now();
        if (json || now < saidAt + PROGRESS_EVERY_MS) return;
        saidAt = now;
        context.out(
          `  ${done} of ${all.length} trials, ${inSeconds(now - started)}`,
        );
      },
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new CommandError(
      `The campaign failed: ${error instanceof Error ? error.stack : error}`,
      3,
    );
  }
  const missing = trials >= 200 && only === undefined && mutant === undefined
    ? suite.ends.filter((end) => report.ends[end] === 0)
    : [];
  if (json) context.out(JSON.stringify({ ...report, missing }, undefined, 2));
  else print(suite, report, missing, context);
  signal.throwIfAborted();
  const short = report.trials < all.length && mutant === undefined;
  if (short) throw new CommandError("The trials did not end in time", 3);
  return report.violations.length + missing.length > 0 ? 1 : 0;
});

function readNumber(
  name: string,
  text: string | undefined,
  fallback: number,
): number {
  if (text === undefined) return fallback;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`--${name} takes a whole number`);
}

function readSuite(text = "post"): Suite {
  const suite = Object.hasOwn(SUITES, text) ? SUITES[text] : undefined;
  if (suite !== undefined) return suite;
  throw new CommandError(
    `There is no suite "${text}"; there are ${Object.keys(SUITES).join(", ")}`,
    2,
  );
}

function readMutant(
  { mutants }: Suite,
  text: string | undefined,
): string | undefined {
  if (text === undefined || mutants.includes(text)) return text;
  throw new CommandError(
    `There is no mutant "${text}"; there are ${mutants.join(", ")}`,
    2,
  );
}

function print(
  suite: Suite,
  report: SuiteReport<Tried<string>>,
  missing: readonly string[],
  context: CommandContext,
): void {
  const { seed, trials, ms, ends, byFault, violations, meanMs } = report;
  const columns = [...suite.ends, "violation"];
  const rows = Object.entries(byFault).toSorted(([a], [b]) => a < b ? -1 : 1)
    .map(([name, row]) => [
      name,
      ...columns.map((column) => row[column] === 0 ? "·" : `${row[column]}`),
      inSeconds(meanMs[name]!),
    ]);
  const total = columns.map((column) =>
    `${column === "violation" ? violations.length : ends[column]}`
  );
  context.out();
  for (
    const line of table([["", ...columns, "mean"], ...rows, [
      "all trials",
      ...total,
    ]])
  ) context.out(line);
  context.out();
  context.out(
    [`seed ${seed}`, `${trials} trials in ${inSeconds(ms)}`]
      .concat(suite.servers(report)).join(", "),
  );
  if (missing.length > 0) context.out(`never happened: ${missing.join(", ")}`);
  context.out(
    violations.length === 0
      ? "no violation"
      : `${violations.length} violations, in trials ${
        violations.map(({ plan }) => plan.trial).join(", ")
      }; repeat one with ${suite.option}--seed ${seed} --only TRIAL`,
  );
}

if (import.meta.main) await runCommand(main);
