import { assert, assertEquals } from "@std/assert";
import {
  ConfigError,
  JobElsewhere,
  JobError,
  messageOf,
} from "../../lib/base/errors.ts";

Deno.test("JobError holds its code, and is not retryable unless it says so", () => {
  const error = new JobError("NOT_APPROVED", "Cannot post");
  assertEquals(error.code, "NOT_APPROVED");
  assertEquals(error.message, "Cannot post");
  assertEquals(error.retryable, false);
  assertEquals(
    new JobError("JOB_TIMEOUT", "", { retryable: true }).retryable,
    true,
  );
});

Deno.test("JobError keeps its cause, and has none if none was given", () => {
  const cause = new Error("the cause");
  assertEquals(new JobError("INTERNAL", "", { cause }).cause, cause);
  assertEquals("cause" in new JobError("INTERNAL", ""), false);
});

for (
  const [error, name] of [
    [new JobError("INTERNAL", "words"), "JobError"],
    [new JobElsewhere("words"), "JobElsewhere"],
    [new ConfigError("words"), "ConfigError"],
  ] as const
) {
  Deno.test(`${name} is an Error under its own name`, () => {
    assert(error instanceof Error);
    assertEquals(String(error), `${name}: words`);
  });
}

const THROWN: [what: string, unknown, text: string][] = [
  ["an error without its cause", new Error("a", { cause: "b" }), "a"],
  ["an abort", AbortSignal.abort().reason, "The signal has been aborted"],
  ["a text", "words", "words"],
  ["undefined", undefined, "undefined was thrown"],
  ["null", null, "object was thrown"],
  ["a number", 42, "number was thrown"],
  ["a symbol", Symbol("secret"), "symbol was thrown"],
  ["an object", { toString: () => "secret" }, "object was thrown"],
  ["a bare object", Object.create(null), "object was thrown"],
];
for (const [what, thrown, expected] of THROWN) {
  Deno.test(`messageOf() gives the text of ${what}`, () => {
    assertEquals(messageOf(thrown), expected);
  });
}
