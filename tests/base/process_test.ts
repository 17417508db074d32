/**
 * How a worker's process ends, by exit code.
 *
 * @module
 */
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { ConfigError } from "../../lib/base/errors.ts";
import { checkRuntime, DENO_MIN } from "../../lib/base/runtime.ts";

const FILE = new URL("../support/ending.ts", import.meta.url).pathname;

interface Ended {
  code: number;
  stderr: string;
}

/** Runs a process to its end; one that becomes ready is told to stop. */
async function end(ending: string, stop?: Deno.Signal): Promise<Ended> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--cached-only", FILE, ending],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const stderr = new Response(child.stderr).text();
  const reader = child.stdout.getReader();
  const { done } = await reader.read();
  if (!done && stop !== undefined) child.kill(stop);
  await reader.cancel();
  const { code } = await child.status;
  return { code, stderr: await stderr };
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`a process exits with 0 after ${signal}`, async () => {
    assertEquals(await end("clean", signal), { code: 0, stderr: "" });
  });
}

Deno.test("a process exits with 0 after a stop, even if what was cut off fails", async () => {
  const { code, stderr } = await end("late failure", "SIGTERM");
  const { level, msg, error } = JSON.parse(stderr);
  assertEquals([code, level, msg, error], [
    0,
    "warn",
    "Worker ended",
    "cut off",
  ]);
});

Deno.test("a process exits with 1 and a log line if it fails by itself", async () => {
  const { code, stderr } = await end("failure");
  const { level, msg, worker, error } = JSON.parse(stderr);
  assertEquals([code, level, msg, worker, error], [
    1,
    "error",
    "Worker ended",
    "test-worker",
    "NATS closed the connection",
  ]);
});

Deno.test("a process exits with 2 and a plain line in a wrong environment", async () => {
  assertEquals(await end("config"), {
    code: 2,
    stderr: "error: A must be set\n",
  });
});

Deno.test("checkRuntime() takes supported versions of Deno and no older one", () => {
  for (
    const version of [`${DENO_MIN}.0`, Deno.version.deno, "2.10.1", "3.0.0"]
  ) {
    checkRuntime(version);
  }
  for (const version of ["2.8.9", "1.46.3"]) {
    const error = assertThrows(() => checkRuntime(version), ConfigError);
    assertMatch(error.message, /^Deno [\d.]+ is too old, 2\.9 or newer/);
  }
});
