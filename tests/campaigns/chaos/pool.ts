/**
 * Shares trials among lanes, and counts how they ended.
 *
 * @module
 */

export interface Tried {
  /** `undefined` for a violation. */
  readonly end: string | undefined;
  readonly problems: readonly string[];
  readonly ms: number;
}

export interface PoolOptions<L, P, O> {
  lanes: readonly L[];
  /** The next trial for a lane; `undefined` if there is none left. */
  next(lane: L): P | undefined;
  run(lane: L, plan: P): Promise<O>;
  /** How long after the first trial the last may begin. */
  budgetMs?: number | undefined;
  signal: AbortSignal;
  /** Whether one violation is enough. */
  stopAtViolation: boolean;
  onOutcome?: ((outcome: O, done: number) => void) | undefined;
}

/** Runs trials, one at a time on each lane, until an abort. */
export async function runPool<L, P, O extends Tried>(
  options: PoolOptions<L, P, O>,
): Promise<O[]> {
  const { lanes, next, run, budgetMs = Infinity, signal } = options;
  const outcomes: O[] = [];
  const end = performance.now() + budgetMs;
  let stopped = false;
  await Promise.all(lanes.map(async (lane) => {
    while (!stopped && !signal.aborted && performance.now() < end) {
      const plan = next(lane);
      if (plan === undefined) return;
      let outcome: O;
      try {
        outcome = await run(lane, plan);
      } catch (error) {
        if (signal.aborted) return; // Report what was done so far.
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
 * Waits for lanes to start, and has the stack dispose of those that did.
 *
 * @throws The first failure, once all the others have started or failed too.
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

export interface Tally<O> {
  ends: Record<string, number>;
  /** The same and `violation` by row; a trial may count in several rows. */
  byFault: Record<string, Record<string, number>>;
  violations: O[];
  /** Mean duration of the trials by row. */
  meanMs: Record<string, number>;
}

/** @param rowsOf The rows in which a trial counts. */
export function tally<O extends Tried>(
  names: readonly string[],
  outcomes: readonly O[],
  rowsOf: (outcome: O) => readonly string[],
): Tally<O> {
  const count = (some: readonly O[]) =>
    Object.fromEntries(
      names.map((
        name,
      ) => [name, some.filter(({ end }) => end === name).length]),
    );
  const violations = (some: readonly O[]) =>
    some.filter(({ end }) => end === undefined);
  const rows = new Map<string, O[]>();
  for (const outcome of outcomes) {
    for (const name of rowsOf(outcome)) {
      rows.set(name, [...rows.get(name) ?? [], outcome]);
    }
  }
  return {
    ends: count(outcomes),
    byFault: Object.fromEntries([...rows].map(([name, some]) => [
      name,
      { ...count(some), violation: violations(some).length },
    ])),
    violations: violations(outcomes),
    meanMs: Object.fromEntries([...rows].map(([name, some]) => [
      name,
      Math.round(some.reduce((sum, { ms }) => sum + ms, 0) / some.length),
    ])),
  };
}
