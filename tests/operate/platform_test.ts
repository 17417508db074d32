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
import { NO_REDIS, onAnswers, platformAt } from "../support/platform.ts";
import { explain } from "../../scripts/terminal/command.ts";
import { freePort } from "../../scripts/launch/free_port.ts";
import recorded1 from "../testdata/recorded/http-1.0/config-and-packs.json" with {
  type: "json",
};
import recorded from "../testdata/recorded/http/config.json" with {
  type: "json",
};
import january from "../testdata/recorded/http/health-status-auth.json" with {
  type: "json",
};

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

const JOB = {
  jobId: "r:post@1",
  topic: "t",
  ruleId: "",
  policySnapshot: "",
  since: 0,
};

for (const [what, body] of GONE) {
  Deno.test(`a 404 is a job that is gone: ${what}`, async () => {
    await onPlatform(body, async (platform) => {
      assertEquals(await platform.findJob("r:post@1"), undefined);
      assertEquals(await readWaiting(platform, [JOB], NO_REDIS), []);
    });
  });
}

for (const [what, body] of FOREIGN) {
  Deno.test(`a 404 says nothing about a job: ${what}`, async () => {
    await onPlatform(body, async (platform) => {
      await assertRejects(() => platform.findJob("r:post@1"), GatewayError);
      await assertRejects(
        () => readWaiting(platform, [JOB], NO_REDIS),
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
    "Cannot call GET /approvals: connection refused; check CORETEX_GATEWAY_URL " +
      `or CORDUM_GATEWAY_URL, which names ${new URL(url).host}`,
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

/** A recorded answer to a request. */
function answerOf(
  requests: { send: string; note?: string; answer?: { body?: unknown } }[],
  send: string,
  note?: string,
): Record<string, unknown> {
  const found = requests.find((one) =>
    one.send === send && (note === undefined || one.note === note)
  );
  return found!.answer!.body as Record<string, unknown>;
}

const CONFIG = "GET /api/v1/config?scope=system&scope_id=default";

Deno.test("config() reads a document and, as Cordum 1.0 answers, its bare data", async () => {
  const document = answerOf(recorded.requests, CONFIG);
  const bare = answerOf(recorded1.requests, CONFIG, "uninstalled");
  for (const [answer, data] of [[document, document["data"]], [bare, bare]]) {
    await onAnswers({ "/config": answer }, async (platform) => {
      assertEquals(await platform.config("default"), data);
    });
  }
  // A fresh document holds nothing yet.
  const empty = { scope: "system", scope_id: "policy", data: null };
  await onAnswers({ "/config": empty }, async (platform) => {
    assertEquals(await platform.config("policy"), {});
  });
});

const STATUS_1 = answerOf(recorded1.requests, "GET /api/v1/status");
const STATUS = answerOf(
  january.requests.filter((one) => !("note" in one)),
  "GET /api/v1/status",
);

Deno.test("about() tells Cordum 1.0 from its elders, whatever it calls itself", async () => {
  const byHand = { ...STATUS_1, build: { version: "0.2.0" } };
  const { build: _, ...coretexOs } = STATUS;
  const cases: [status: unknown, version: string | undefined, is: boolean][] = [
    [STATUS_1, "v1.0.0", true],
    [byHand, "0.2.0", true],
    [{ ...STATUS, build: { version: "dev" } }, "dev", false],
    [coretexOs, undefined, false],
    [undefined, undefined, false],
  ];
  for (const [status, version, isCordum1] of cases) {
    await onAnswers({ "/status": status }, async (platform) => {
      const about = await platform.about();
      assertEquals([about.version, about.isCordum1], [version, isCordum1]);
    });
  }
});

Deno.test("readApprovable() compares a job's policy with the one in force, as its platform does", async () => {
  const cases: [what: string, status: unknown, held: string, is: boolean][] = [
    ["the same", STATUS, "base|cfg:new", true],
    ["another fragment", STATUS, "base|cfg:old", false],
    ["no fragment", STATUS, "base", false],
    ["another fragment", STATUS_1, "base|cfg:old", true],
    ["no fragment", STATUS_1, "base", true],
    ["another base", STATUS_1, "other|cfg:new", false],
    ["not told", STATUS, "", true],
    // It may be Cordum 1.0, whose status not everybody may read.
    ["another fragment", undefined, "base|cfg:old", true],
    ["another base", undefined, "other|cfg:new", false],
  ];
  for (const [what, status, held, expected] of cases) {
    const snapshots = ["base|cfg:new", "base|cfg:old"];
    const answers = { "/status": status, "/policy/snapshots": { snapshots } };
    await onAnswers(answers, async (platform) => {
      const isApprovable = await platform.readApprovable();
      assertEquals(isApprovable(held), expected, what);
    });
  }
  await onAnswers({}, async (platform) => {
    assertEquals((await platform.readApprovable())("any"), true);
  });
});
