/**
 * The part of `jsr:@std/assert` that this project uses, for networks that
 * reach npm but not JSR.
 *
 * deno.json `links` this folder in place of the package of the same name and
 * version. It is no fork: each function has the original's name and signature
 * and rests on `node:assert`. Delete the `links` entry, run once with
 * `--frozen=false`, and the original serves in its place.
 *
 * @module
 */
import nodeAssert from "node:assert/strict";

type ErrorClass<E extends Error> = abstract new (...args: never[]) => E;

export class AssertionError extends Error {
  override name = "AssertionError";
}

export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg || "Expected a truthy value");
}

export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  nodeAssert.deepEqual(actual, expected, msg);
}

export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  nodeAssert.notDeepEqual(actual, expected, msg);
}

export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void {
  if (actual.includes(expected)) return;
  const shown = [actual, expected].map((text) => JSON.stringify(text));
  fail(`Expected ${shown.join(" to contain ")}`, msg);
}

export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  if (expected.test(actual)) return;
  fail(`Expected ${JSON.stringify(actual)} to match ${expected}`, msg);
}

/** Returns what was thrown. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass?: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E {
  try {
    fn();
  } catch (error) {
    return expectError(error, ErrorClass, msgIncludes, msg);
  }
  fail("Expected function to throw", msg);
}

/** Resolves with what it rejected with. */
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass?: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E> {
  try {
    await fn();
  } catch (error) {
    return expectError(error, ErrorClass, msgIncludes, msg);
  }
  fail("Expected function to reject", msg);
}

function expectError<E extends Error>(
  error: unknown,
  ErrorClass: ErrorClass<E> | undefined,
  msgIncludes = "",
  msg: string | undefined,
): E {
  if (!(error instanceof Error)) {
    fail(`Expected an Error, got ${typeof error}`, msg);
  }
  const { name, message } = error;
  if (ErrorClass !== undefined && !(error instanceof ErrorClass)) {
    const expected = `Expected error to be ${ErrorClass.name}`;
    fail(`${expected}, got ${name}: ${message}`, msg);
  }
  if (!message.includes(msgIncludes)) {
    const [expected, got] = [msgIncludes, message].map((text) =>
      JSON.stringify(text)
    );
    fail(`Expected error message to include ${expected}, got ${got}`, msg);
  }
  return error as E;
}

function fail(problem: string, msg: string | undefined): never {
  throw new AssertionError(msg === undefined ? problem : `${msg}: ${problem}`);
}
