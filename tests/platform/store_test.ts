import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { startRedisServer } from "../../deploy/devcore/redis_server.ts";
import { createLog } from "../../lib/base/log.ts";
import {
  connectStore,
  LIST_ITEMS_MAX,
  SCAN_KEYS_MAX,
  type Store,
  StoreError,
} from "../../lib/platform/store.ts";
import { isMissing, startRealRedis } from "../support/real_servers.ts";
import { runOut, until } from "../support/until.ts";

const { signal } = new AbortController();

function connect(
  url: string,
  log: Record<string, unknown>[] = [],
): Promise<Store> {
  return connectStore({
    url,
    name: "test",
    log: createLog({}, { write: (line) => log.push(JSON.parse(line)) }),
    signal,
  });
}

/** What holds on every server. */
async function behave(t: Deno.TestContext, url: string): Promise<void> {
  await using store = await connect(url);

  await t.step("read() gives back what write() stored", async () => {
    for (
      const value of [
        "x",
        "Zażółć ☃ 🚀",
        "a".repeat(100_000),
        "é".repeat(40_000),
      ]
    ) {
      await store.write("k", value, 60, signal);
      assertEquals(await store.read("k", 200_000, signal), value);
    }
  });

  await t.step(
    "read() gives nothing for a key that is not there, or empty",
    async () => {
      assertEquals(await store.read("missing", 10, signal), undefined);
      await store.write("empty", "", 60, signal);
      assertEquals(await store.read("empty", 10, signal), undefined);
    },
  );

  await t.step(
    "read() takes a value at its bound and refuses one byte more",
    async () => {
      for (const bound of [1, 10, 16 * 1024, 16 * 1024 + 1, 20_000]) {
        await store.write("k", "x".repeat(bound), 60, signal);
        assertEquals((await store.read("k", bound, signal))?.length, bound);
        await store.write("k", "x".repeat(bound + 1), 60, signal);
        const error = await assertRejects(
          () => store.read("k", bound, signal),
          StoreError,
        );
        assertEquals([error.kind, error.message], [
          "too large",
          `Cannot read "k": longer than ${bound} bytes`,
        ]);
      }
    },
  );

  await t.step("swap() gives the value that it replaces", async () => {
    assertEquals(await store.swap("token", "a", 60, signal), undefined);
    assertEquals(await store.swap("token", "b", 60, signal), "a");
    assertEquals(await store.read("token", 10, signal), "b");
  });

  await t.step("list() gives what append() added, in order", async () => {
    for (const item of ["1", "2", "3"]) await store.append("l", item, signal);
    assertEquals(await store.list("l", signal), ["1", "2", "3"]);
    assertEquals(await store.list("none", signal), []);
  });

  await t.step("latest() gives the last items, in order", async () => {
    assertEquals(await store.latest("l", 2, signal), ["2", "3"]);
    assertEquals(await store.latest("l", 9, signal), ["1", "2", "3"]);
    assertEquals(await store.latest("none", 9, signal), []);
  });

  await t.step("a value of another type is refused at once", async () => {
    for (
      const call of [
        () => store.read("l", 10, signal),
        () => store.append("k", "x", signal),
        () => store.list("k", signal),
      ]
    ) {
      const error = await assertRejects(call, StoreError, "WRONGTYPE");
      assertEquals(error.kind, "refused");
    }
  });

  await t.step(
    "list() refuses a list that is longer than any of ours",
    async () => {
      for (let count = 0; count < LIST_ITEMS_MAX; count++) {
        await store.append(
          "long",
          "x",
          signal,
        );
      }
      assertEquals((await store.list("long", signal)).length, LIST_ITEMS_MAX);
      await store.append("long", "x", signal);
      const error = await assertRejects(
        () => store.list("long", signal),
        StoreError,
      );
      assertEquals(
        error.message,
        `Cannot read "long": more than ${LIST_ITEMS_MAX} items`,
      );
    },
  );

  await t.step(
    "scan() finds every key of a prefix once, and no other",
    async () => {
      const names = Array.from({ length: 1_200 }, (_, at) => `scan:a:${at}`);
      for (const name of names) await store.append(name, "x", signal);
      for (const name of ["scan:b", "xscan:a:1", "scan:"]) {
        await store.append(name, "x", signal);
      }
      const batches = await Array.fromAsync(store.scan("scan:a:", signal));
      assert(batches.length > 1, `${batches.length} batches`);
      for (const batch of batches) assert(batch.length > 0);
      assertEquals(batches.flat().toSorted(), names.toSorted());
      assertEquals(await Array.fromAsync(store.scan("none:", signal)), []);
    },
  );

  await t.step("scan() takes no pattern for a prefix", async () => {
    for (const prefix of ["a*", "a?", "[ab]", "a\\"]) {
      await assertRejects(
        () => Array.fromAsync(store.scan(prefix, signal)),
        RangeError,
        "Cannot scan: the prefix is a pattern",
      );
    }
  });

  await t.step(
    "delete() deletes, and says if there was something",
    async () => {
      await store.append("scan:gone", "x", signal);
      assertEquals(await store.delete("scan:gone", signal), true);
      assertEquals(await store.list("scan:gone", signal), []);
      assertEquals(await store.delete("scan:gone", signal), false);
    },
  );
  await runOut();
}

Deno.test("connectStore() on the embedded server", async (t) => {
  await using server = await startRedisServer();
  await behave(t, server.url);
});

Deno.test({
  name: "connectStore() on redis-server",
  ignore: await isMissing(startRealRedis),
  fn: async (t) => {
    await using server = await startRealRedis();
    await behave(t, server!.url);
  },
});

Deno.test("write() sets the time that a value lives", async () => {
  let now = 1_000_000;
  await using server = await startRedisServer({ clock: () => now });
  await using store = await connect(server.url);
  await store.write("k", "v", 60, signal);
  now += 59_999;
  assertEquals(await store.read("k", 10, signal), "v");
  now += 2;
  assertEquals(await store.read("k", 10, signal), undefined);
});

Deno.test("append() sets how long a list lives after its last item, if asked to", async () => {
  let now = 1_000_000;
  await using server = await startRedisServer({ clock: () => now });
  await using store = await connect(server.url);
  await store.append("l", "a", signal, 60);
  now += 59_000;
  await store.append("l", "b", signal, 60);
  now += 60_000;
  assertEquals(await store.list("l", signal), ["a", "b"]);
  now += 1;
  assertEquals(await store.list("l", signal), []);
});

Deno.test("add() counts, and the number expires after its last addition", async () => {
  let now = 1_000_000;
  await using server = await startRedisServer({ clock: () => now });
  await using store = await connect(server.url);
  assertEquals(await store.add("n", 5, 60, signal), 5);
  now += 59_000;
  assertEquals(await store.add("n", -2, 60, signal), 3);
  now += 60_000;
  assertEquals(await store.add("n", 1, 60, signal), 4);
  now += 60_001;
  assertEquals(await store.add("n", 1, 60, signal), 1);
});

Deno.test("add() may count up twice when its reply is lost, and never down twice", async () => {
  let lose = 0;
  await using server = await startRedisServer({
    intercept: (command) =>
      command.toUpperCase() === "INCRBY" && lose-- > 0
        ? "lose reply"
        : undefined,
  });
  await using store = await connect(server.url);
  lose = 1;
  assertEquals(await store.add("n", 10, 60, signal), 20);
  lose = 1;
  await assertRejects(() => store.add("n", -5, 60, signal), StoreError);
  assertEquals(await store.add("n", 0, 60, signal), 15);
});

Deno.test("a call rides out a lost connection", async () => {
  await using server = await startRedisServer();
  const log: Record<string, unknown>[] = [];
  await using store = await connect(server.url, log);
  server.disconnectAll();
  await until("the loss", () => !store.connected());
  await store.write("k", "v", 60, signal);
  assertEquals(await store.read("k", 10, signal), "v");
  assertEquals(log.map(({ msg }) => msg), [
    "Connected to Redis",
    "Lost the connection to Redis",
    "Connected to Redis",
  ]);
});

Deno.test("append() may arrive twice when its reply is lost, and never not at all", async () => {
  let lose = 1;
  await using server = await startRedisServer({
    intercept: (command) =>
      command.toUpperCase() === "RPUSH" && lose-- > 0
        ? "lose reply"
        : undefined,
  });
  await using store = await connect(server.url);
  await store.append("l", "once", signal);
  const items = await store.list("l", signal);
  assert(
    items.length >= 1 && items.every((item) => item === "once"),
    JSON.stringify(items),
  );
});

Deno.test("delete() is sent once, whatever becomes of it", async () => {
  for (const fault of ["lose reply", "disconnect"] as const) {
    let sent = 0;
    await using server = await startRedisServer({
      intercept: (command) => {
        if (command !== "DEL") return undefined;
        sent++;
        return sent === 1 ? fault : undefined;
      },
    });
    await using store = await connect(server.url);
    await store.append("l", "x", signal);
    const error = await assertRejects(
      () => store.delete("l", signal),
      StoreError,
    );
    assertEquals(error.kind, "unavailable");
    await until("the connection", () => store.connected());
    const left = await store.list("l", signal);
    assertEquals([left.length, sent], [fault === "lose reply" ? 0 : 1, 1]);
  }
});

Deno.test("scan() goes on after a lost connection, and ends with its signal", async () => {
  let lose = 0;
  await using server = await startRedisServer({
    intercept: (command) =>
      command === "SCAN" && ++lose === 2 ? "lose reply" : undefined,
  });
  await using store = await connect(server.url);
  for (let at = 0; at < 1_100; at++) {
    await store.append(`k:${at}`, "x", signal);
  }
  const found = await Array.fromAsync(store.scan("k:", signal));
  assertEquals(found.flat().length, 1_100);
  const abort = new AbortController();
  const error = await assertRejects(async () => {
    for await (const _ of store.scan("k:", abort.signal)) abort.abort();
  }, StoreError);
  assertEquals([error.kind, error.message], [
    "unavailable",
    "Cannot list keys: there was no time left",
  ]);
  await assertRejects(() => store.delete("k:1", abort.signal), StoreError);
  assertEquals(await store.list("k:1", signal), ["x"]);
});

Deno.test("scan() gives up on more keys than anybody would list", async () => {
  await using server = await startRedisServer();
  const filler = await Deno.connect({
    hostname: "127.0.0.1",
    port: server.port,
  });
  let commands = "";
  for (let at = 0; at <= SCAN_KEYS_MAX; at++) {
    const key = `k:${at}`;
    commands += `*3\r\n$5\r\nRPUSH\r\n$${key.length}\r\n${key}\r\n$1\r\nx\r\n`;
  }
  const reading = (async () => {
    const buffer = new Uint8Array(64 * 1024);
    for (let left = SCAN_KEYS_MAX + 1; left > 0;) {
      const length = await filler.read(buffer) ?? 0;
      left -= buffer.subarray(0, length).filter((byte) => byte === 10).length;
    }
  })();
  const bytes = new TextEncoder().encode(commands);
  for (let at = 0; at < bytes.length;) {
    at += await filler.write(bytes.subarray(at));
  }
  await reading;
  filler.close();
  await using store = await connect(server.url);
  const error = await assertRejects(
    () => Array.fromAsync(store.scan("k:", signal)),
    StoreError,
  );
  assertEquals([error.kind, error.message], [
    "too large",
    `Cannot list "k:*": more than ${SCAN_KEYS_MAX} keys`,
  ]);
});

for (
  const words of [
    "LOADING Redis is loading the dataset in memory",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "READONLY You can't write against a read only replica.",
  ]
) {
  Deno.test(`a call waits for ${words.split(" ")[0]} to pass`, async () => {
    let times = 2;
    await using server = await startRedisServer({
      intercept: (command) =>
        command.toUpperCase() === "SET" && times-- > 0
          ? { error: words }
          : undefined,
    });
    await using store = await connect(server.url);
    await store.write("k", "v", 60, signal);
    assertEquals(await store.read("k", 10, signal), "v");
  });
}

Deno.test("a call ends when its signal aborts, and says that Redis is unavailable", async () => {
  await using server = await startRedisServer();
  await using store = await connect(server.url);
  await server.stop();
  const abort = new AbortController();
  const call = store.read("k", 10, abort.signal);
  setTimeout(() => abort.abort(), 50);
  const error = await assertRejects(() => call, StoreError);
  assertEquals(error.kind, "unavailable");
  assert(error.message.startsWith("Redis is unavailable: "));
  await using _server = await startRedisServer({ port: server.port });
  await until("the connection", () => store.connected());
  await store.close();
});

Deno.test("connectStore() waits for a server that comes up later", async () => {
  const first = await startRedisServer();
  const { port } = first;
  await first.stop();
  const log: Record<string, unknown>[] = [];
  const connecting = connect(`redis://127.0.0.1:${port}`, log);
  await until("three failures", () => log.length > 2);
  for (const { msg, error } of log) {
    assertEquals(msg, "Cannot connect to Redis, trying again");
    // Not in what state the client is meanwhile.
    assertStringIncludes(String(error), "connect ECONNREFUSED");
  }
  await using _server = await startRedisServer({ port });
  await using store = await connecting;
  await store.write("k", "v", 60, signal);
});

Deno.test("connectStore() takes the password from the URL, and shows it nowhere", async () => {
  await using server = await startRedisServer({ password: "p@ss/word" });
  const log: Record<string, unknown>[] = [];
  await using store = await connect(
    `redis://:p%40ss%2Fword@127.0.0.1:${server.port}`,
    log,
  );
  await store.write("k", "v", 60, signal);
  assert(!JSON.stringify(log).includes("word"));
});
