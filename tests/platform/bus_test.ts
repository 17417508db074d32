import { assert, assertEquals, assertRejects } from "@std/assert";
import { startNatsServer } from "../../deploy/devcore/nats_server.ts";
import { createLog } from "../../lib/base/log.ts";
import { type Bus, connectBus } from "../../lib/platform/bus.ts";
import { isMissing, startRealNats } from "../support/real_servers.ts";
import { until } from "../support/until.ts";

const { signal } = new AbortController();

function connect(
  url: string,
  log: Record<string, unknown>[] = [],
): Promise<Bus> {
  return connectBus({
    url,
    name: "test",
    log: createLog({}, { write: (line) => log.push(JSON.parse(line)) }),
    signal,
  });
}

const bytes = (text: string) => new TextEncoder().encode(text);

/** What holds on every server. */
async function behave(t: Deno.TestContext, url: string): Promise<void> {
  await t.step(
    "a message reaches every subscription, byte for byte",
    async () => {
      await using bus = await connect(url);
      await using other = await connect(url);
      const seen: Uint8Array[] = [];
      bus.subscribe("sys.x", (message) => seen.push(Uint8Array.from(message)));
      bus.subscribe("sys.*", (message) => seen.push(message));
      await bus.flush();
      other.publish("sys.x", Uint8Array.from([0, 13, 10, 255]));
      await until("both", () => seen.length === 2);
      assertEquals(seen[0], Uint8Array.from([0, 13, 10, 255]));
    },
  );

  await t.step("an ended subscription gets nothing", async () => {
    await using bus = await connect(url);
    const seen: string[] = [];
    const end = bus.subscribe("a.b", () => seen.push("ended"));
    bus.subscribe("a.b", () => seen.push("standing"));
    end();
    bus.publish("a.b", bytes("1"));
    await until("the one that stands", () => seen.length > 0);
    await bus.flush();
    assertEquals(seen, ["standing"]);
  });

  await t.step("close() sends what is queued, and ends", async () => {
    await using reader = await connect(url);
    let seen = 0;
    reader.subscribe("late.x", () => seen++);
    await reader.flush();
    const bus = await connect(url);
    for (let count = 0; count < 100; count++) bus.publish("late.x", bytes("x"));
    await bus.close();
    assertEquals(await bus.closed, undefined);
    assert(bus.ended.aborted);
    assert(!bus.connected());
    await until("all of them", () => seen === 100);
  });
}

Deno.test("connectBus() on the embedded server", async (t) => {
  await using server = await startNatsServer();
  await behave(t, server.url);
});

const ignore = await isMissing(startRealNats);

Deno.test({
  name: "connectBus() on nats-server",
  ignore,
  fn: async (t) => {
    await using server = await startRealNats();
    await behave(t, server!.url);
  },
});

Deno.test("connectBus() reconnects, tells it, and subscriptions stand", async () => {
  await using server = await startNatsServer();
  const log: Record<string, unknown>[] = [];
  await using bus = await connect(server.url, log);
  let reconnects = 0;
  let seen = 0;
  bus.onReconnect(() => reconnects++);
  bus.subscribe("a.b", () => seen++);
  await bus.flush();
  server.disconnectAll();
  await until("the loss", () => !bus.connected());
  await until("the connection", () => bus.connected());
  assertEquals(reconnects, 1);
  bus.publish("a.b", bytes("x"));
  await until("the message", () => seen === 1);
  assertEquals(log.map(({ msg }) => msg), [
    "Connected to NATS",
    "Lost the connection to NATS",
    "Reconnected to NATS",
  ]);
});

for (const [word, jumpMs] of [["back", -3_600_000], ["ahead", 3_600_000]]) {
  Deno.test(`connectBus() reconnects as soon when the clock was set ${word}`, async () => {
    await using server = await startNatsServer();
    await using bus = await connect(server.url);
    let reconnects = 0;
    bus.onReconnect(() => reconnects++);
    const now = Date.now;
    Date.now = () => now() + Number(jumpMs);
    try {
      server.disconnectAll();
      await until("the connection", () => reconnects === 1, 2_000);
      await bus.flush();
    } finally {
      Date.now = now;
    }
  });
}

Deno.test("connectBus() takes what is published while the server is away, and works after it", async () => {
  const first = await startNatsServer();
  const { port } = first;
  await using bus = await connect(first.url);
  await first.stop();
  await until("the loss", () => !bus.connected());
  bus.publish("a.b", bytes("kept"));
  await using _server = await startNatsServer({ port });
  await using reader = await connect(`nats://127.0.0.1:${port}`);
  const seen: string[] = [];
  reader.subscribe(
    "a.b",
    (message) => seen.push(new TextDecoder().decode(message)),
  );
  await reader.flush();
  await until("the connection", () => bus.connected());
  // What was queued went out with the reconnect or goes out now; either way
  // the bus works again and nothing threw.
  bus.publish("a.b", bytes("after"));
  await bus.flush();
  await until("the message after", () => seen.includes("after"));
  await bus.close(); // Before the server, or it would dial on.
});

Deno.test("flush() rejects while the server is away", async () => {
  const server = await startNatsServer();
  await using bus = await connect(server.url);
  await server.stop();
  await assertRejects(() => bus.flush());
  await using _server = await startNatsServer({ port: server.port });
  await until("the connection", () => bus.connected());
  await bus.flush();
  await bus.close(); // Before the server, or it would dial on.
});

Deno.test("connectBus() gives up when its signal aborts, and says what failed last", async () => {
  const server = await startNatsServer();
  await server.stop();
  const abort = new AbortController();
  const log: Record<string, unknown>[] = [];
  const connecting = connectBus({
    url: server.url,
    name: "test",
    log: createLog({}, { write: (line) => log.push(JSON.parse(line)) }),
    signal: abort.signal,
  });
  await until("a first failure", () => log.length > 0);
  abort.abort();
  await assertRejects(() => connecting, Error, "CONNECTION_REFUSED");
  assertEquals(log[0]?.["msg"], "Cannot connect to NATS, trying again");
});

Deno.test({
  name: "connectBus() takes user and password from the URL, and shows neither",
  ignore,
  fn: async () => {
    const login = ["--user", "ann", "--pass", "p@ss/word"];
    await using server = await startRealNats(login);
    const log: Record<string, unknown>[] = [];
    const url = server!.url.replace("nats://", "nats://ann:p%40ss%2Fword@");
    await using bus = await connect(url, log);
    assert(bus.connected());
    assert(
      !JSON.stringify(log).includes("ss/word") &&
        !JSON.stringify(log).includes("%40"),
    );
  },
});
