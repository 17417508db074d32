/**
 * Measures what summaries are worth, on incidents whose answers are known.
 *
 * @module
 */
import { variablesOf } from "../lib/base/config.ts";
import { MODEL_SETTINGS } from "../lib/summary/settings.ts";
import { readCases } from "./eval/case.ts";
import {
  askLive,
  BUILTIN,
  type Column,
  playRecorded,
  readRecorded,
} from "./eval/columns.ts";
import { measureAll } from "./eval/run.ts";
import { findWorse, renderTable } from "./eval/table.ts";
import { withTables } from "./tables.ts";
import { command } from "./terminal/arguments.ts";
import { LinesError, runCommand, UsageError } from "./terminal/command.ts";

const CASES = "deploy/eval/cases";
const ANSWERS = "deploy/eval/answers.json";
const DOCUMENT = "docs/evaluation.md";

const HELP = {
  usage:
    "deno task eval [--cases DIR] [--model NAME] [--json] [--write] [--check]",
  about:
    `Measures summaries of incidents whose answers are known: how much of what
matters a message says, and that it calls a false alarm one. Asks no other
system but a model that is named; what collectors would find stands in the
cases, and what a model once said in ${ANSWERS}.`,
  options: {
    "cases DIR": `the cases, one JSON each; ${CASES} if not given`,
    "model NAME":
      "ask a model, too: openai, ollama or anthropic, perhaps :MODEL",
    json: "print all numbers, and each case's message, as JSON",
    write: `write the table of ${DOCUMENT}`,
    check: `exit 1 if a number is worse than in ${DOCUMENT}`,
  },
  variables: variablesOf(MODEL_SETTINGS).map((name) =>
    [name, "as the summarizer reads it, for --model"] as const
  ),
} as const;

export const main = command(HELP, async ({ values }, context) => {
  const { cases: folder, model, json, write, check } = values;
  if ((write || check) && (folder !== undefined || model !== undefined)) {
    throw new UsageError(
      "--write and --check go with neither --cases nor --model",
    );
  }
  const cases = await readCases(folder ?? CASES);
  const recorded = await readRecorded(ANSWERS);
  const live = model === undefined ? [] : [askLive(model, context.env)];
  const columns: Column[] = [
    BUILTIN,
    ...recorded === undefined ? [] : [playRecorded(recorded)],
    ...live,
  ];
  await using stack = new AsyncDisposableStack();
  for (const column of columns) stack.use(column);
  const results = await measureAll(cases, columns, {
    signal: context.signal,
    onCase(column, name) {
      // A model may take a minute for each.
      if (column === model) context.err(`asking ${column} about ${name}`);
    },
  });
  if (json) context.raw(JSON.stringify(results, null, 2));
  else context.raw(renderTable(results.summary));
  if (check) {
    const worse = findWorse(
      await Deno.readTextFile(DOCUMENT),
      results.summary,
    );
    if (worse.length > 0) throw new LinesError(worse.join("\n"));
  }
  if (write) {
    const before = await Deno.readTextFile(DOCUMENT);
    await Deno.writeTextFile(
      DOCUMENT,
      withTables(before, renderTable(results.summary)),
    );
  }
});

if (import.meta.main) await runCommand(main);
