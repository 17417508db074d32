/**
 * Waits and retries, with a signal on every wait.
 *
 * @module
 */

/**
 * Waits for `ms`.
 *
 * @throws The signal's reason, as soon as it aborts.
 */
export function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, ms);
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
  });
}

/** Waits for `ms`; nothing ends the wait early. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Waits for a promise for at most `ms`. Its work goes on after that.
 *
 * @throws {DOMException} `TimeoutError` after `ms`.
 */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new DOMException(`took longer than ${ms} ms`, "TimeoutError"));
    }, ms);
  });
  try {
    return await Promise.race([promise, expiry]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The wait before attempt `attempt + 1`: half fixed, half random, so that
 * clients that failed together do not all come back together.
 */
export function backoffMs(
  attempt: number,
  { baseMs, maxMs }: { baseMs: number; maxMs: number },
): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  return full / 2 + Math.random() * (full / 2);
}

/** Options of {@linkcode retry}. */
export interface RetryOptions {
  /** The longest first wait; each further one may be twice as long. */
  baseMs: number;
  /** The longest wait. */
  maxMs: number;
  /** Ends the waits. */
  signal: AbortSignal;
  /** Whether another attempt may help; always if absent. */
  retryable?: (error: unknown) => boolean;
  /** No attempt begins later than this after the first; no limit if absent. */
  deadlineMs?: number;
  /** Called before each wait. */
  onRetry?: (error: unknown, waitMs: number) => void;
}

/**
 * Calls `attempt` until it succeeds, `retryable` says no, the deadline has
 * passed or the signal aborts.
 *
 * @throws The last attempt's error, even after an abort while waiting: the
 * failure says more than the clock.
 */
export async function retry<T>(
  attempt: (count: number) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  const { signal, deadlineMs = Infinity, onRetry } = options;
  const { retryable = () => true } = options;
  const end = performance.now() + deadlineMs;
  for (let count = 1;; count++) {
    try {
      return await attempt(count);
    } catch (error) {
      if (signal.aborted || !retryable(error)) throw error;
      const ms = backoffMs(count, options);
      if (performance.now() + ms > end) throw error;
      onRetry?.(error, ms);
      await wait(ms, signal).catch(() => {
        throw error;
      });
    }
  }
}

/**
 * Makes a function that asks at most every `ms`, and else repeats the answer.
 * All who ask meanwhile share the question in flight.
 */
export function every<T>(ms: number, ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  let until = 0;
  return () => {
    if (answer === undefined || performance.now() >= until) {
      answer = ask();
      until = performance.now() + ms;
    }
    return answer;
  };
}
