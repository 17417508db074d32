/**
 * Measures how much this takes, and that nothing is lost on the way.
 *
 * @module
 */
import { command, type Values } from "../../scripts/terminal/arguments.ts";
import {
  type CommandContext,
  CommandError,
  runCommand,
  UsageError,
} from "../../scripts/terminal/command.ts";
import { printable } from "../../lib/base/text.ts";
import { showProgress } from "../../scripts/terminal/progress.ts";
import { type Fault, FAULTS } from "./bench/gateway.ts";
import { benchIngester, type Cell, renderResults } from "./bench/ingester.ts";

/** How long and how much. */
interface Bounds {
  forMs: number;
  requestsMax: number;
  signal: AbortSignal;
  fault: Fault | undefined;
  /** Where to say how it goes. */
  context: CommandContext | undefined;
}

/** What one entry found. */
interface Entry {
  lines: string[];
  /** What must not happen, one line each. */
  problems: string[];
  /** For `--json`. */
  results: unknown;
}

/** Every benchmark by its name. */
const ENTRIES: Readonly<Record<string, (bounds: Bounds) => Promise<Entry>>> = {
  ingester: runIngester,
};

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
started twice; how fast it is never fails it.`,
  options: {
    "only NAME": `one benchmark of ${
      Object.keys(ENTRIES).join(", ")
    }; all if not given`,
    "seconds S": `how long a cell takes at most, by default ${SECONDS}`,
    "requests N":
      `how many a cell sends, at most ${REQUESTS_MAX}; however long it takes`,
    "fault NAME": `a wrong gateway: ${
      FAULTS.join(", ")
    }; exit code 1 is right then`,
    json: "the results as JSON",
  },
} as const;

export const main = command(HELP, async ({ values }, context) => {
  const { only, json } = values;
  if (only !== undefined && !Object.hasOwn(ENTRIES, only)) {
    const names = Object.keys(ENTRIES).join(", ");
    throw new CommandError(
      `There is no benchmark "${only}"; there are ${names}`,
      2,
    );
  }
  const fault = readFault(values.fault);
  const bounds = {
    ...readBounds(values),
    signal: context.signal,
    fault,
    context: json ? undefined : context,
  };
  const results: Record<string, unknown> = {};
  let failed = false;
  for (const [name, run] of Object.entries(ENTRIES)) {
    if (only !== undefined && name !== only) continue;
    if (!json) context.out(name);
    const entry = await run(bounds);
    results[name] = entry.results;
    failed ||= entry.problems.length > 0;
    if (!json) ["", ...entry.lines].forEach((line) => context.out(line));
    report(entry.problems, context);
  }
  if (json) context.out(JSON.stringify(results, undefined, 2));
  return failed ? 1 : 0;
});

function readBounds(
  { seconds, requests }: Values<typeof HELP>,
): Pick<Bounds, "forMs" | "requestsMax"> {
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

function readFault(name: string | undefined): Fault | undefined {
  const fault = FAULTS.find((fault) => fault === name);
  if (fault !== undefined || name === undefined) return fault;
  throw new CommandError(
    `There is no fault "${name}"; there are ${FAULTS.join(", ")}`,
    2,
  );
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

function report(problems: readonly string[], context: CommandContext): void {
  const shown = problems.slice(0, PROBLEMS_SHOWN);
  for (const problem of shown) context.err(`  ${printable(problem)}`);
  const more = problems.length - shown.length;
  if (more > 0) context.err(`  and ${more} more`);
}

async function runIngester(
  { forMs, requestsMax, signal, fault, context }: Bounds,
): Promise<Entry> {
  let end: ((result: string) => void) | undefined;
  try {
    const results = await benchIngester({
      forMs,
      requestsMax,
      warmUp: Math.min(WARM_UP, requestsMax),
      signal,
      ...(fault && { fault }),
      onCell(next) {
        if (context) end = show(describe(next), context);
      },
      onResult({ perSecond, cpuUs }) {
        end?.(
          `${perSecond.toFixed(0)} a second, ${cpuUs.toFixed(0)} µs each`,
        );
        end = undefined;
      },
    });
    return {
      lines: renderResults(results),
      problems: results.flatMap((result) => {
        const { lost, doubled } = result;
        const where = describe(result);
        return [
          ...lost.map((one) => `${where}: lost ${one}`),
          ...doubled.map((one) => `${where}: doubled ${one}`),
        ];
      }),
      results,
    };
  } finally {
    end?.("stopped");
  }
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
