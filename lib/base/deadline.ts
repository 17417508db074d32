/**
 * Signals that abort at a deadline, or together with another signal.
 *
 * `AbortSignal.timeout()` is avoided because its timer outlives the work, and
 * `AbortSignal.any()` because its weak references make garbage collection
 * expensive.
 *
 * @module
 */

/** A signal that can be aborted, and follows others until disposed. */
export interface LinkedSignal extends Disposable {
  /** Aborts with a parent's reason, or with the reason given to `abort()`. */
  readonly signal: AbortSignal;
  /** Aborts the signal; does nothing if it has aborted already. */
  abort(reason: unknown): void;
}

/** A signal that also aborts when the time is up. */
export interface Deadline extends LinkedSignal {
  /** Whether time ran out before anything else aborted the signal. */
  readonly passed: boolean;
}

/** Shared, because creating one costs more than the rest of an abort. */
const PASSED = new DOMException("The deadline has passed", "TimeoutError");

/** Makes a signal that aborts with any of `parents`, and can be aborted alone. */
export function linkSignal(
  ...parents: (AbortSignal | undefined)[]
): LinkedSignal {
  const own = new AbortController();
  const releases = parents.map((parent) => {
    const follow = () => own.abort(parent?.reason);
    if (parent?.aborted) follow();
    else parent?.addEventListener("abort", follow);
    return () => parent?.removeEventListener("abort", follow);
  });
  return {
    signal: own.signal,
    abort: (reason) => own.abort(reason),
    [Symbol.dispose]() {
      for (const release of releases) release();
    },
  };
}

/**
 * Starts a deadline. Dispose of it after the work: it holds a timer and a
 * listener.
 *
 * ```ts
 * using end = deadline(5_000, signal);
 * await work(end.signal);
 * ```
 *
 * @param parent Aborts the signal earlier, with its own reason.
 * @param reason The signal's reason when time runs out.
 */
export function deadline(
  ms: number,
  parent?: AbortSignal,
  reason: unknown = PASSED,
): Deadline {
  const linked = linkSignal(parent);
  let passed = false;
  const timer = setTimeout(() => {
    passed = !linked.signal.aborted;
    linked.abort(reason);
  }, ms);
  return {
    signal: linked.signal,
    abort: linked.abort,
    get passed() {
      return passed;
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      linked[Symbol.dispose]();
    },
  };
}

/** Resolves when a signal aborts, or at once if it has aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
