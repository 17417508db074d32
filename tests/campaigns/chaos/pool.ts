/**
 * Trials shared out among lanes, and what came of them counted.
 *
 * @module
 */

/** What every suite knows of a trial that is over. */
export interface Tried<E extends string> {
  readonly plan: { readonly trial: number };
  /** `undefined` for a violation. */
  readonly end: E | undefined;
  readonly problems: readonly string[];
  readonly ms: number;
}

/** How trials are run. */
export interface PoolOptions<L, O> {
  lanes: readonly L[];
  /** The next trial for a lane; `undefined` if there is none left. */
  next(lane: L): number | undefined;
  run(lane: L, trial: number): Promise<O>;
  /** No trial begins later than so many ms after the first. */
  budgetMs: number | undefined;
  signal: AbortSignal;
  /** Whether one violation is enough. */
  stopAtViolation: boolean | undefined;
  /** Told of each trial. */
  onOutcome: ((outcome: O, done: number) => void) | undefined;
}

/** Runs trials, one at a time on each lane; an abort ends it early. */
export async function runPool<L, O extends Tried<string>>(
  { lanes, next, run, budgetMs = Infinity, signal, ...options }: PoolOptions<
    L,
    O
  >,
): Promise<O[]> {
  const outcomes: O[] = [];
  const end = performance.now() + budgetMs;
  let stopped = false;
  await Promise.all(lanes.map(async (lane) => {
    while (!stopped && !signal.aborted && performance.now() < end) {
      const trial = next(lane);
      if (trial === undefined) return;
      let outcome: O;
      try {
        outcome = await run(lane, trial);
      } catch (error) {
        if (signal.aborted) return; // What was done so far counts.
        throw error;
      }
      outcomes.push(outcome);
      options.onOutcome?.(outcome, outcomes.length);
      const violated = outcome.problems.length > 0;
      if (violated && options.stopAtViolation) stopped = true;
    }
  }));
  return outcomes;
}

/**
 * Waits for lanes that start side by side; those that did are the stack's.
 *
 * @throws The first failure, once the others can be stopped too.
 */
export async function useLanes<L extends AsyncDisposable>(
  starting: readonly Promise<L>[],
  stack: AsyncDisposableStack,
): Promise<L[]> {
  for (const result of await Promise.allSettled(starting)) {
    if (result.status === "fulfilled") stack.use(result.value);
  }
  return await Promise.all(starting);
}

/** Trials by the way that they ended. */
export interface Tally<E extends string, O> {
  ends: Record<E, number>;
  /** The same for each row; a trial may count in several. */
  byFault: Record<string, Record<E | "violation", number>>;
  violations: O[];
  /** Mean ms of the trials of each row. */
  meanMs: Record<string, number>;
}

/** Counts trials. @param rowsOf The rows that a trial counts in. */
export function tally<E extends string, O extends Tried<E>>(
  names: readonly E[],
  outcomes: readonly O[],
  rowsOf: (outcome: O) => readonly string[],
): Tally<E, O> {
  const zero = () =>
    Object.fromEntries(names.map((end) => [end, 0])) as Record<E, number>;
  const ends = zero();
  const byFault: Record<string, Record<string, number>> = {};
  const violations: O[] = [];
  const sums: Record<string, number> = {};
  for (const outcome of outcomes) {
    const { end, ms } = outcome;
    if (end === undefined) violations.push(outcome);
    else ends[end]++;
    for (const name of rowsOf(outcome)) {
      const row = byFault[name] ??= { ...zero(), violation: 0 };
      row[end ?? "violation"]!++;
      sums[name] = (sums[name] ?? 0) + ms;
    }
  }
  const meanMs = Object.fromEntries(
    Object.entries(byFault).map(([name, row]) => {
      const count = Object.values(row).reduce((sum, one) => sum + one, 0);
      return [name, Math.round(sums[name]! / count)];
    }),
  );
  return { ends, byFault, violations, meanMs };
}
