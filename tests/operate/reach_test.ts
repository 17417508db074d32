/**
 * What is said of a server that cannot be reached, and when.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { plain, startGateway } from "../../deploy/standins/gateway.ts";
import { OperationError } from "../../lib/operate/errors.ts";
import { checkBus, openStore, withVariable } from "../../lib/operate/reach.ts";
import { StoreError } from "../../lib/platform/store.ts";
import { main as demo } from "../../scripts/demo.ts";
import { main as install } from "../../scripts/install.ts";
import { freePort } from "../../scripts/launch/free_port.ts";
import { startNatsServer } from "../../deploy/devcore/nats_server.ts";
import { call } from "../support/command.ts";
import { runTask } from "../support/task.ts";
import { runOut } from "../support/until.ts";

/** A server that takes connections and never says a word. */
function startSilence() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const taken: Deno.Conn[] = [];
  const taking = (async () => {
    for await (const connection of listener) taken.push(connection);
  })();
  return {
    host: `127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await taking;
      for (const connection of taken) connection.close();
    },
  };
}

const never = new AbortController().signal;

Deno.test("checkBus() says which NATS it cannot reach, and by which variable", async () => {
  await using silence = startSilence();
  const gone = `127.0.0.1:${freePort()}`;
  for (const host of [silence.host, gone]) {
    const { message } = await assertRejects(
      () => checkBus({ url: `nats://user:s3cret@${host}` }, 100, never),
      OperationError,
      `Cannot connect to NATS at ${host} within 0.1 s`,
    );
    assert(message.endsWith("; check NATS_URL"), message);
    assert(!message.includes("s3cret"));
  }
});

Deno.test("checkBus() says nothing of a NATS that is there", async () => {
  await using server = await startNatsServer();
  await checkBus({ url: server.url }, 5_000, never);
});

Deno.test("openStore() says which Redis it cannot reach, and by which variable", async () => {
  const host = `127.0.0.1:${freePort()}`;
  const { message } = await assertRejects(
    () => openStore({ url: `redis://:s3cret@${host}` }, 100, never),
    StoreError,
  );
  assertEquals(
    message,
    `Cannot connect to Redis at ${host} within 0.1 s ` +
      `(connect ECONNREFUSED ${host}); check REDIS_URL or REDIS_ADDR`,
  );
  await runOut();
});

Deno.test("a stop is no failure to reach anything", async () => {
  const stop = AbortSignal.abort(new OperationError("stop"));
  const url = `nats://127.0.0.1:${freePort()}`;
  await assertRejects(
    () => checkBus({ url }, 100, stop),
    OperationError,
    "stop",
  );
});

const ANSWERS: [what: string, answer: () => Response, said: string][] = [
  [
    "a wrong key",
    () => plain(401, "unauthorized"),
    "got status 401, expected 2xx (unauthorized); check CORETEX_API_KEY or CORDUM_API_KEY",
  ],
  [
    "a proxy's answer",
    () => plain(404, "404 page not found"),
    "got status 404, expected 2xx (404 page not found), not from a gateway; " +
    "check CORETEX_GATEWAY_URL or CORDUM_GATEWAY_URL, which names HOST",
  ],
  [
    "the platform's own refusal",
    () => plain(409, "not now"),
    "got status 409, expected 2xx (not now)",
  ],
];
for (const [what, answer, said] of ANSWERS) {
  Deno.test(`a command says where to look for ${what}`, async () => {
    await using server = startGateway(answer);
    const { code, stderr } = await call(install, [], {
      env: { CORETEX_GATEWAY_URL: server.url, CORETEX_API_KEY: "k" },
    });
    const host = new URL(server.url).host;
    assertEquals(code, 1);
    assertStringIncludes(stderr, `: ${said.replace("HOST", host)}\n`);
  });
}

Deno.test("withVariable() leaves what is no call's failure", () => {
  const error = new TypeError("x");
  assertEquals(withVariable(error, "gateway:8081"), error);
});

Deno.test("every command says within 30 s what it cannot reach", async () => {
  await using silence = startSilence();
  const { host } = silence;
  const gone = `127.0.0.1:${freePort()}`;
  const gateway = {
    CORETEX_GATEWAY_URL: `http://${host}`,
    CORETEX_API_KEY: "k",
  };
  const started = performance.now();
  const [noNats, noRedis, noGateway, noPosts] = await Promise.all([
    call(demo, [], { env: { NATS_URL: `nats://${host}` } }),
    call(demo, [], { env: { REDIS_ADDR: gone } }),
    call(install, [], { env: gateway }),
    // In a process of its own, because the client leaves timers behind.
    runTask("posts", [], { REDIS_URL: `redis://${host}` }),
  ]);
  assert(performance.now() - started < 30_000);
  for (
    const [run, said] of [
      [noNats, `Cannot connect to NATS at ${host} within 10 s (no answer)`],
      [noRedis, `Cannot connect to Redis at ${gone} within 10 s`],
      [noGateway, `which names ${host}`],
      [noPosts, `Cannot connect to Redis at ${host} within 5 s (no answer)`],
    ] as const
  ) {
    assertEquals(run.code, 1);
    assertStringIncludes(run.stderr, said);
  }
  await runOut();
});
