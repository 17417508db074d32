/**
 * Measures what summaries are worth, on incidents whose answers are known.
 *
 * @module
 */
import { readCases } from "./eval/case.ts";
import { measure, type Measured, total, type Totals } from "./eval/measure.ts";
import { replay } from "./eval/replay.ts";
import { builtin, type Summarizer } from "./eval/summarize.ts";
import { command } from "./terminal/arguments.ts";
import { runCommand } from "./terminal/command.ts";

const CASES = "deploy/eval";

const HELP = {
  usage: "deno task eval [--cases DIR] [--json]",
  about:
    `Measures summaries of incidents whose answers are known: how much of what
matters a message says, and that it calls a false alarm one. Asks no other
system; what collectors would find stands in the cases.`,
  options: {
    "cases DIR": `the cases, one JSON each; ${CASES} by default`,
    json: "print all numbers, and each case's message, as JSON",
  },
} as const;

export const main = command(HELP, async ({ values }, context) => {
  const cases = await readCases(values.cases ?? CASES);
  const columns: Record<string, Summarizer> = { builtin };
  const summary: Record<string, Totals> = {};
  const all: (Measured & { column: string })[] = [];
  for (const [column, summarize] of Object.entries(columns)) {
    const measured: Measured[] = [];
    for (const given of cases) {
      context.signal.throwIfAborted();
      const { bundle, texts } = await replay(given);
      measured.push(measure(given, await summarize(bundle, texts)));
    }
    summary[column] = total(measured);
    all.push(...measured.map((one) => ({ column, ...one })));
  }
  if (values.json) {
    context.raw(JSON.stringify({ summary, cases: all }, null, 2));
    return;
  }
  for (const [column, numbers] of Object.entries(summary)) {
    const { cases, recall, forbidden, healthyRight, healthyOf } = numbers;
    context.out(
      `${column}: ${cases} cases, recall ${(100 * recall).toFixed(1)} %, ` +
        `${forbidden} forbidden, ${healthyRight} of ${healthyOf} healthy called so`,
    );
  }
});

if (import.meta.main) await runCommand(main);
