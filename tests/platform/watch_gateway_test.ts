import { assertEquals } from "@std/assert";
import { never, plain, startGateway } from "../../deploy/standins/gateway.ts";
import { createLog } from "../../lib/base/log.ts";
import { Gateway } from "../../lib/platform/gateway.ts";
import { GatewayError, readAnswer } from "../../lib/platform/gateway_error.ts";
import { askStatus, GatewayWatch } from "../../lib/platform/watch_gateway.ts";
import { until } from "../support/until.ts";

const GOOD = "good";
type Status = typeof GOOD | number | GatewayError;

/** A watch whose clock and whose gateway's answers the test decides. */
function harness() {
  let nowMs = 0;
  let answer: Status = GOOD;
  const log: string[] = [];
  const changes: boolean[] = [];
  const watch = new GatewayWatch({
    now: () => nowMs,
    log: createLog({}, {
      write(line) {
        const { level, msg } = JSON.parse(line);
        log.push(`${level}: ${msg}`);
      },
    }),
    ask() {
      if (answer === GOOD) return Promise.resolve();
      if (answer instanceof GatewayError) return Promise.reject(answer);
      return Promise.reject(new GatewayError("It failed", answer, ""));
    },
  });
  watch.onChange(() => changes.push(watch.failure === undefined));
  return {
    watch,
    log,
    changes,
    /** The answer to one question at that time. */
    async at(seconds: number, given: Status) {
      [nowMs, answer] = [seconds * 1000, given];
      await watch.check();
      return watch.failure === undefined;
    },
    /** Another call is answered well. */
    answeredAt(seconds: number) {
      nowMs = seconds * 1000;
      watch.answered();
    },
  };
}

Deno.test("GatewayWatch has trouble until the first good answer", async () => {
  const { watch, log, changes, at } = harness();
  assertEquals([watch.asked, watch.failure?.status], [false, 0]);
  assertEquals(await at(2, 0), false);
  assertEquals(watch.asked, true);
  assertEquals(await at(4, 503), false);
  assertEquals(log, ["warn: Cannot reach the gateway, trying again"]);
  assertEquals(await at(6, GOOD), true);
  assertEquals(changes, [false, true]);
});

Deno.test("GatewayWatch says after 30 s that the gateway never answered", async () => {
  const { log, at } = harness();
  await at(2, 0);
  await at(29.9, 0);
  assertEquals(log.length, 1);
  await at(31, 0);
  assertEquals(log[1], "error: Taking no jobs; check CORETEX_GATEWAY_URL");
  await at(40, 0);
  assertEquals(log.length, 2);
});

for (const status of [401, 403]) {
  Deno.test(`GatewayWatch has trouble at once when the gateway answers ${status}`, async () => {
    const { watch, log, changes, at } = harness();
    await at(2, GOOD);
    assertEquals(await at(4, status), false);
    assertEquals(watch.trouble, "It failed; check CORETEX_API_KEY");
    assertEquals(await at(6, status), false);
    assertEquals(await at(8, GOOD), true);
    assertEquals(watch.trouble, undefined);
    assertEquals(changes, [true, false, true]);
    assertEquals(log, [
      "error: Taking no jobs; check CORETEX_API_KEY",
      "info: Taking jobs again: the gateway answers",
    ]);
  });
}

for (const status of [0, 429, 500, 502, 503, 404, 307, 200]) {
  Deno.test(`GatewayWatch bears status ${status} for 30 s without a good answer`, async () => {
    const { watch, log, at } = harness();
    await at(100, GOOD);
    for (const seconds of [102, 115, 129.9]) {
      assertEquals(await at(seconds, status), true);
    }
    assertEquals(log, []);
    assertEquals(await at(131, status), false);
    assertEquals(log, ["error: Taking no jobs; check CORETEX_GATEWAY_URL"]);
    assertEquals(watch.trouble, "It failed; check CORETEX_GATEWAY_URL");
    assertEquals(await at(140, GOOD), true);
  });
}

Deno.test("GatewayWatch begins its 30 s anew with every good answer, to any call", async () => {
  const { at, answeredAt } = harness();
  await at(0, GOOD);
  await at(20, 503);
  answeredAt(25);
  assertEquals(await at(54, 503), true);
  await at(56, GOOD);
  assertEquals(await at(85, 503), true);
  assertEquals(await at(87, 503), false);
});

Deno.test("GatewayWatch does not take a good answer to another call for the end of trouble", async () => {
  const { watch, at, answeredAt } = harness();
  await at(0, GOOD);
  await at(2, 401);
  answeredAt(3);
  assertEquals(watch.failure?.status, 401);
});

Deno.test("GatewayWatch says when another setting turns out to be wrong", async () => {
  const { log, at } = harness();
  await at(0, GOOD);
  await at(31, 502);
  await at(33, 401);
  assertEquals(log, [
    "error: Taking no jobs; check CORETEX_GATEWAY_URL",
    "error: Taking no jobs; check CORETEX_API_KEY",
  ]);
});

Deno.test("GatewayWatch names every setting that may be wrong", async () => {
  const answered = (status: number, body: string) => {
    try {
      return readAnswer("GET /status", {
        outcome: "answered",
        status,
        headers: new Headers(),
        body: new TextEncoder().encode(body),
      }) as never;
    } catch (error) {
      return error as GatewayError;
    }
  };
  const cases: [GatewayError, string][] = [
    [answered(401, "unauthorized\n"), "CORETEX_API_KEY"],
    [
      answered(403, '{"error":"no","code":"access_denied","status":403}'),
      "CORETEX_API_KEY",
    ],
    [
      answered(403, "<html>Forbidden</html>"),
      "CORETEX_GATEWAY_URL and CORETEX_API_KEY",
    ],
    [
      new GatewayError("No", 0, "TLS handshake failed"),
      "CORETEX_GATEWAY_URL and CORETEX_TLS_CA",
    ],
    [new GatewayError("No", 0, "connection refused"), "CORETEX_GATEWAY_URL"],
    [answered(404, "404 page not found\n"), "CORETEX_GATEWAY_URL"],
    [answered(502, "<html>Bad Gateway</html>"), "CORETEX_GATEWAY_URL"],
    [answered(200, "<html>Log in</html>"), "CORETEX_GATEWAY_URL"],
  ];
  for (const [error, settings] of cases) {
    const { watch, at } = harness();
    await at(0, GOOD);
    await at(40, error);
    assertEquals(watch.trouble, `${error.message}; check ${settings}`);
  }
});

Deno.test("GatewayWatch asks once for jobs that fail together, and anew for the next", async () => {
  let asked = 0;
  const watch = new GatewayWatch({
    log: createLog({}, { write() {} }),
    ask: () => Promise.resolve(void asked++),
  });
  await Promise.all(Array.from({ length: 20 }, () => watch.check()));
  assertEquals([await watch.check(), asked], [true, 2]);
});

Deno.test("GatewayWatch asks GET /status again and again, once each time", async () => {
  const keys: (string | null)[] = [];
  await using stand = startGateway((asked, works) => {
    assertEquals(asked.path, "/api/v1/status");
    keys.push(asked.request.headers.get("x-api-key"));
    if (keys.length === 2) return plain(429, "rate limited\n");
    return keys.length === 3 ? never(asked) : works();
  });
  using gateway = new Gateway({ url: stand.url, apiKey: "k" });
  const log: string[] = [];
  await using watch = new GatewayWatch({
    ask: (signal) => askStatus(gateway, signal),
    log: createLog({}, { write: (line) => log.push(line) }),
    times: { everyMs: 100, answerMs: 100 },
  });
  watch.start();
  await watch.untilGood(new AbortController().signal);
  await until("the answer after one that hung", () => keys.length >= 4);
  assertEquals(new Set(keys), new Set(["k"]));
  assertEquals(log, []);
});
