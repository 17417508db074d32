/**
 * Measures every column on every case.
 *
 * @module
 */
import type { Case } from "./case.ts";
import type { Column } from "./columns.ts";
import { measure, type Measured, total, type Totals } from "./measure.ts";
import { replay } from "./replay.ts";

/** All numbers, and what they were taken from. */
export interface Results {
  /** By column. */
  readonly summary: Readonly<Record<string, Totals>>;
  readonly cases: readonly (Measured & { column: string })[];
}

/** @throws The signal's reason if it aborts. */
export async function measureAll(
  cases: readonly Case[],
  columns: readonly Column[],
  { signal, onCase = () => {} }: {
    signal: AbortSignal;
    onCase?: (column: string, name: string) => void;
  },
): Promise<Results> {
  const summary: Record<string, Totals> = {};
  const all: (Measured & { column: string })[] = [];
  for (const column of columns) {
    const measured: Measured[] = [];
    for (const given of cases) {
      signal.throwIfAborted();
      const summarize = column.of(given);
      if (summarize === undefined) continue;
      onCase(column.name, given.name);
      const made = await replay(given);
      const summarized = await summarize(made.bundle, made.texts);
      measured.push(
        measure(given, made, summarized, await wholeOf(given, column)),
      );
    }
    if (measured.length === 0) continue;
    summary[column.name] = total(measured);
    all.push(...measured.map((one) => ({ column: column.name, ...one })));
  }
  return { summary, cases: all };
}

/** The same case with all collectors up, if one is down. */
async function wholeOf(given: Case, column: Column) {
  if (given.down.size === 0) return undefined;
  const { bundle, texts } = await replay({ ...given, down: new Map() });
  return await column.of(given)!(bundle, texts);
}
