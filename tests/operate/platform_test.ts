/**
 * The platform as an operator sees it, against gateways that fail.
 *
 * @module
 */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ConfigError } from "../../lib/base/errors.ts";
import { type Platform, readPlatformEnv } from "../../lib/operate/platform.ts";
import { readWaiting } from "../../lib/operate/waiting.ts";
import { GatewayError } from "../../lib/platform/gateway_error.ts";
import { plain, startGateway } from "../../deploy/standins/gateway.ts";
import { platformAt } from "../support/platform.ts";
import { explain } from "../../scripts/terminal/command.ts";
import { freePort } from "../../scripts/launch/free_port.ts";

const GONE = new Map([
  ["the platform's own line", "job not found\n"],
  ["the platform's own JSON", '{"error":"job not found","code":"not_found"}'],
]);
const FOREIGN = new Map([
  ["a router's line", "404 page not found\n"],
  ["a proxy's page", "<html><title>404 Not Found</title></html>"],
]);

/** Calls on a platform whose gateway answers everything with 404 and `body`. */
async function onPlatform<T>(
  body: string,
  use: (platform: Platform) => Promise<T>,
): Promise<T> {
  await using server = startGateway(() => plain(404, body));
  await using platform = platformAt(server.url);
  return await use(platform);
}

const JOB = { jobId: "r:post@1", topic: "t", ruleId: "", since: 0 };

for (const [what, body] of GONE) {
  Deno.test(`a 404 is a job that is gone: ${what}`, async () => {
    await onPlatform(body, async (platform) => {
      assertEquals(await platform.findJob("r:post@1"), undefined);
      assertEquals(await readWaiting(platform, [JOB], 60), []);
    });
  });
}

for (const [what, body] of FOREIGN) {
  Deno.test(`a 404 says nothing about a job: ${what}`, async () => {
    await onPlatform(body, async (platform) => {
      await assertRejects(() => platform.findJob("r:post@1"), GatewayError);
      await assertRejects(
        () => readWaiting(platform, [JOB], 60),
        GatewayError,
      );
    });
  });
}

Deno.test("a gateway that is not there is said in one line", async () => {
  const url = `http://127.0.0.1:${freePort()}`;
  await using platform = platformAt(url, { callMs: 100 });
  const error = await assertRejects(() => platform.waiting(), GatewayError);
  assertEquals(
    explain(error),
    "Cannot call GET /approvals: connection refused",
  );
});

Deno.test("readPlatformEnv() adds what is usual to what is set", () => {
  const set: Record<string, string> = {
    CORDUM_GATEWAY_URL: "http://127.0.0.1:8081",
    CORETEX_API_KEY: "k",
    REDIS_ADDR: "redis.example:6379",
  };
  assertEquals(readPlatformEnv((name) => set[name]), {
    ...set,
    NATS_URL: "nats://127.0.0.1:4222",
  });
  assertThrows(() => readPlatformEnv(() => undefined), ConfigError);
});
