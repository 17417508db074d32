/**
 * A worker's process whose ending is chosen by its first argument.
 *
 * @module
 */
import { aborted } from "../../lib/base/deadline.ts";
import { ConfigError } from "../../lib/base/errors.ts";
import { runProcess } from "../../lib/base/process.ts";

if (import.meta.main) {
  await runProcess("test-worker", async ({ signal }) => {
    const [ending] = Deno.args;
    if (ending === "config") throw new ConfigError("A must be set");
    if (ending === "failure") throw new Error("NATS closed the connection");
    // deno-lint-ignore no-console -- The test waits for it.
    console.log("ready");
    const keepsRunning = setInterval(() => {}, 1_000);
    await aborted(signal);
    clearInterval(keepsRunning);
    if (ending === "late failure") throw new Error("cut off");
  });
}
