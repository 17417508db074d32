/**
 * Strikes real posters and ingesters at every moment, and counts messages and
 * runs.
 *
 * @module
 */
import { command, readName } from "../../scripts/terminal/arguments.ts";
import {
  type CommandContext,
  CommandError,
  LinesError,
  type Main,
  runCommand,
  UsageError,
} from "../../scripts/terminal/command.ts";
import { inSeconds, table } from "../../scripts/terminal/format.ts";
import {
  type AnySuite,
  describe,
  type Report,
  runCampaign,
} from "./chaos/campaign.ts";
import { INTAKE } from "./chaos/intake/suite.ts";
import { POST } from "./chaos/post/suite.ts";

const SUITES: Readonly<Record<string, AnySuite>> = {
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
/** As people write them. */
const SERVERS: Readonly<Record<string, string>> = {
  nats: "NATS",
  redis: "Redis",
};

/** The command. @param suites In place of the campaigns that there are. */
export function chaosOf(suites: Readonly<Record<string, AnySuite>>): Main {
  return command(HELP, async ({ values }, context) => {
    const number = (
      name: "trials" | "seed" | "only" | "lanes",
      fallback: number,
    ) => readNumber(name, values[name], fallback);
    const suite =
      suites[readName("suite", values.suite ?? "post", Object.keys(suites))]!;
    const mutant = values.mutant === undefined
      ? undefined
      : readName("mutant", values.mutant, suite.mutants);
    const { embedded, json } = values;
    const { signal } = context;
    const [trials, seed] = [number("trials", 200), number("seed", 1)];
    const only = values.only === undefined ? undefined : number("only", 0);
    const all = only === undefined
      ? Array.from({ length: trials }, (_, at) => at + 1)
      : [only];
    const started = performance.now();
    let saidAt = started;
    const report = await runCampaign(suite, {
      trials: all,
      seed,
      lanes: number("lanes", suite.lanes),
      embedded,
      mutant,
      budgetMs: START_MS_MAX + all.length * TRIAL_MS_MAX,
      signal,
      onOutcome(outcome, done) {
        const violated = outcome.problems.length > 0;
        if (violated || only !== undefined) {
          describe(suite, outcome).forEach((line) => context.err(line));
        }
        const now = performance.now();
        if (json || now < saidAt + PROGRESS_EVERY_MS) return;
        saidAt = now;
        context.out(
          `  ${done} of ${all.length} trials, ${inSeconds(now - started)}`,
        );
      },
    }).catch((error) => {
      signal.throwIfAborted();
      throw new LinesError(
        `The campaign failed: ${error instanceof Error ? error.stack : error}`,
        3,
      );
    });
    const isWhole = trials >= 200 && only === undefined && mutant === undefined;
    const missing = isWhole
      ? suite.ends.filter((end) => report.ends[end] === 0)
      : [];
    if (json) context.raw(JSON.stringify({ ...report, missing }, undefined, 2));
    else print(suite, report, missing, context);
    signal.throwIfAborted();
    const short = report.trials < all.length && mutant === undefined;
    if (short) throw new CommandError("The trials did not end in time", 3);
    return report.violations.length + missing.length > 0 ? 1 : 0;
  });
}

export const main = chaosOf(SUITES);

function readNumber(
  name: string,
  text: string | undefined,
  fallback: number,
): number {
  if (text === undefined) return fallback;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`--${name} takes a whole number`);
}

function print(
  suite: AnySuite,
  report: Report,
  missing: readonly string[],
  { out }: CommandContext,
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
  out();
  for (
    const line of table([
      ["", ...columns, "mean"],
      ...rows,
      ["all trials", ...total],
    ])
  ) out(line);
  out();
  const servers = Object.entries(report.servers ?? {}).map(([name, kind]) =>
    `${SERVERS[name]} ${kind}`
  );
  const facts = [`seed ${seed}`, `${trials} trials in ${inSeconds(ms)}`];
  out([...facts, ...servers].join(", "));
  if (missing.length > 0) out(`never happened: ${missing.join(", ")}`);
  out(
    violations.length === 0
      ? "no violation"
      : `${violations.length} violations, in trials ${
        violations.map(({ plan }) => plan.trial).join(", ")
      }; repeat one with ${suite.option}--seed ${seed} --only TRIAL`,
  );
}

if (import.meta.main) await runCommand(main);
