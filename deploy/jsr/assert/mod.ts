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

/** Thrown when an assertion does not hold. */
export class AssertionError extends Error {
  override name = "AssertionError";
}

/** Asserts that `expr` is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg || "Expected a truthy value");
}

/** Asserts that two values are deeply and strictly equal. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  nodeAssert.deepEqual(actual, expected, msg);
}

/** Asserts that two values are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  nodeAssert.notDeepEqual(actual, expected, msg);
}

/** Asserts that `actual` contains `expected`. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void {
  if (actual.includes(expected)) return;
  throw new AssertionError(
    `${note(msg)}Expected ${JSON.stringify(actual)} to contain ${
      JSON.stringify(expected)
    }`,
  );
}

/** Asserts that `actual` matches a regular expression. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  if (expected.test(actual)) return;
  throw new AssertionError(
    `${note(msg)}Expected ${JSON.stringify(actual)} to match ${expected}`,
  );
}

/** Asserts that `fn` throws, and returns what it threw. */
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
  throw new AssertionError(`${note(msg)}Expected function to throw`);
}

/** Asserts that `fn` rejects, and resolves with what it rejected with. */
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
  throw new AssertionError(`${note(msg)}Expected function to reject`);
}

function expectError<E extends Error>(
  error: unknown,
  ErrorClass: ErrorClass<E> | undefined,
  msgIncludes: string | undefined,
  msg: string | undefined,
): E {
  if (!(error instanceof Error)) {
    throw new AssertionError(
      `${note(msg)}Expected an Error, got ${typeof error}`,
    );
  }
  if (ErrorClass !== undefined && !(error instanceof ErrorClass)) {
    throw new AssertionError(
      `${
        note(msg)
      }Expected error to be ${ErrorClass.name}, got ${error.name}: ${error.message}`,
    );
  }
  if (msgIncludes !== undefined && !error.message.includes(msgIncludes)) {
    throw new AssertionError(
      `${note(msg)}Expected error message to include ${
        JSON.stringify(msgIncludes)
      }, got ${JSON.stringify(error.message)}`,
    );
  }
  return error as E;
}

function note(msg: string | undefined): string {
  return msg === undefined ? "" : `${msg}: `;
}
