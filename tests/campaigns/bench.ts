/**
 * Measures how much this takes, and that nothing is lost on the way.
 *
 * @module
 */
import { printable } from "../../lib/base/text.ts";
import {
  command,
  readName,
  type Values,
} from "../../scripts/terminal/arguments.ts";
import {
  type CommandContext,
  type Main,
  runCommand,
  UsageError,
} from "../../scripts/terminal/command.ts";
import { showProgress } from "../../scripts/terminal/progress.ts";
import { benchDesk, findSlowDesk, renderDesk } from "./bench/desk.ts";
import { type Fault, FAULTS } from "./bench/gateway.ts";
import {
  benchIngester,
  type Cell,
  type CellResult,
  CELLS,
  renderResults,
} from "./bench/ingester.ts";
import {
  AIM_MS,
  benchSummary,
  findSlow,
  type SummaryResult,
} from "./bench/summary.ts";

const NAMES = ["ingester", "summary", "desk"] as const;
const DESK = { incidents: 8, waiting: 500, looks: 50 };
const REQUESTS_MAX = 20_000;
const SECONDS = 4;
const SECONDS_MAX = 60;
/** With a number of requests, for a machine that stands still. */
const ENDLESS_MS = 600_000;
/** A process of its age is what runs: the compiler has seen it all. */
const WARM_UP = 2_000;
const PROBLEMS_SHOWN = 10;
const TICK_MS = 500;

const HELP = {
  usage: "deno task bench [--only NAME] [--seconds S | --requests N] [--json]",
  about:
    `ingester: signed webhooks a second, 1, 8 and 64 in flight, against a gateway
stand-in that answers at once or after 5 ms. Exit code 1 if one was lost or
started twice; how fast it is never fails it.
summary: a bundle of 50 pieces of 256 KiB, from reading them to the stored page,
the median of five on one core. Exit code 1 if it takes twice the aim of
${AIM_MS} ms. Options but --only and --json are the ingester's.
desk: from a webhook to the notice, from a click to the posted message, and a list
of ${DESK.waiting} waiting approvals, all on stand-ins. Exit code 1 if a median is
twice its aim.`,
  options: {
    "only NAME": `one benchmark of ${NAMES.join(", ")}; all if not given`,
    "seconds S": `how long a cell takes at most, by default ${SECONDS}`,
    "requests N":
      `how many a cell sends, at most ${REQUESTS_MAX}; however long it takes`,
    "fault NAME": `a wrong gateway: ${
      FAULTS.join(", ")
    }; exit code 1 is right then`,
    json: "the results as JSON",
  },
} as const;

/** The command. @param cells In place of all that there are. */
export function benchOf(cells: readonly Cell[]): Main {
  return command(HELP, async ({ values }, context) => {
    const { json } = values;
    const only = values.only === undefined
      ? undefined
      : readName("benchmark", values.only, NAMES);
    const fault = values.fault === undefined
      ? undefined
      : readName("fault", values.fault, FAULTS);
    const isWanted = (name: typeof NAMES[number]) =>
      only === undefined || only === name;
    const options = { ...readBounds(values), cells, fault, json };
    const done: { results: Record<string, unknown>; problems: string[] } = {
      results: {},
      problems: [],
    };
    if (isWanted("ingester")) {
      const results = await runIngester(options, context);
      done.results["ingester"] = results;
      done.problems.push(...results.flatMap(findProblems));
    }
    if (isWanted("summary")) {
      const result = await runSummary(json, context);
      done.results["summary"] = result;
      done.problems.push(...findSlow(result));
    }
    if (isWanted("desk")) {
      const result = await runDesk(json, context);
      done.results["desk"] = result;
      done.problems.push(...findSlowDesk(result));
    }
    report(done.problems, context);
    if (json) context.raw(JSON.stringify(done.results, undefined, 2));
    return done.problems.length > 0 ? 1 : 0;
  });
}

async function runIngester(
  { cells, json, requestsMax, forMs, fault }: {
    cells: readonly Cell[];
    json: boolean | undefined;
    requestsMax: number;
    forMs: number;
    fault: Fault | undefined;
  },
  context: CommandContext,
): Promise<CellResult[]> {
  if (!json) context.out("ingester");
  let end: ((result: string) => void) | undefined;
  try {
    const results = await benchIngester({
      cells,
      requestsMax,
      forMs,
      warmUp: Math.min(WARM_UP, requestsMax),
      signal: context.signal,
      fault,
      onCell(cell) {
        if (!json) end = show(describe(cell), context);
      },
      onResult({ perSecond, cpuUs }) {
        end?.(
          `${perSecond.toFixed(0)} a second, ${cpuUs.toFixed(0)} µs each`,
        );
        end = undefined;
      },
    });
    if (!json) {
      ["", ...renderResults(results)].forEach((line) => context.out(line));
    }
    return results;
  } finally {
    end?.("stopped");
  }
}

async function runSummary(
  json: boolean | undefined,
  context: CommandContext,
): Promise<SummaryResult> {
  const result = await benchSummary();
  const { pieces, pieceKib, ms, pageKib } = result;
  if (!json) {
    context.out("summary");
    context.out(
      `  ${pieces} pieces of ${pieceKib} KiB: ${
        ms.toFixed(0)
      } ms, aim ${AIM_MS} ms, page ${pageKib.toFixed(0)} KiB`,
    );
  }
  return result;
}

export const main = benchOf(CELLS);

async function runDesk(json: boolean | undefined, context: CommandContext) {
  if (!json) context.out("desk");
  const results = await benchDesk(DESK, showProgress(context));
  if (!json) renderDesk(results).forEach((line) => context.out(line));
  return results;
}

function readBounds(
  { seconds, requests }: Values<typeof HELP>,
): { forMs: number; requestsMax: number } {
  if (seconds !== undefined && requests !== undefined) {
    throw new UsageError("Either --seconds or --requests");
  }
  return {
    forMs: requests === undefined
      ? 1000 * readNumber("seconds", seconds, SECONDS_MAX, SECONDS)
      : ENDLESS_MS,
    requestsMax: readNumber("requests", requests, REQUESTS_MAX, REQUESTS_MAX),
  };
}

function readNumber(
  name: string,
  text: string | undefined,
  max: number,
  fallback: number,
): number {
  if (text === undefined) return fallback;
  const number = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= max) return number;
  throw new UsageError(`--${name} takes a whole number from 1 to ${max}`);
}

function findProblems(result: CellResult): string[] {
  const { lost, doubled } = result;
  const where = describe(result);
  return [
    ...lost.map((one) => `${where}: lost ${one}`),
    ...doubled.map((one) => `${where}: doubled ${one}`),
  ];
}

function report(problems: readonly string[], context: CommandContext): void {
  const shown = problems.slice(0, PROBLEMS_SHOWN);
  for (const problem of shown) context.err(`  ${printable(problem)}`);
  const more = problems.length - shown.length;
  if (more > 0) context.err(`  and ${more} more`);
}

function describe({ inFlight, gatewayMs }: Cell): string {
  return `${inFlight} in flight, gateway ${gatewayMs} ms`;
}

/** Says that something goes on. @returns Says what came of it. */
function show(what: string, context: CommandContext): (end: string) => void {
  const progress = showProgress(context);
  progress(what);
  const timer = setInterval(() => progress(what), TICK_MS);
  return (end) => {
    clearInterval(timer);
    context.out(`  ${what}: ${end}`);
  };
}

if (import.meta.main) await runCommand(main);
