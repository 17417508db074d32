import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { Buffer } from "node:buffer";
import { Redis, type RedisOptions } from "ioredis";
import {
  type Interception,
  startRedisServer,
} from "../../deploy/devcore/redis_server.ts";
import { seededRandom, sendGarbage } from "../support/garbage.ts";
import { RawSocket } from "../support/raw_socket.ts";
import { startRealRedis } from "../support/real_servers.ts";
import { until } from "../support/until.ts";

const MIB = 1024 * 1024;
const OK = "+OK\r\n";
const NIL = "$-1\r\n";
const NO_INTEGER = error("ERR value is not an integer or out of range");
const SYNTAX = error("ERR syntax error");
const WRONG_TYPE = error(
  "WRONGTYPE Operation against a key holding the wrong kind of value",
);
const BAD_EXPIRY = error("ERR invalid expire time in 'set' command");
const NO_AUTH = error("NOAUTH Authentication required.");
const WRONG_PASS = error(
  "WRONGPASS invalid username-password pair or user is disabled.",
);

/** What the tests below ask of a server, embedded or real. */
interface TestedServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  flushAll?(): void;
}

interface Kind {
  readonly name: string;
  start(password?: string): Promise<TestedServer>;
}

const KINDS: Kind[] = [{
  name: "embedded Redis",
  start: (password) =>
    startRedisServer(password === undefined ? {} : { password }),
}];
const REAL = await findReal();
if (REAL !== undefined) KINDS.push(REAL);

async function findReal(): Promise<Kind | undefined> {
  await using probe = await startRealRedis();
  if (probe === undefined) {
    // deno-lint-ignore no-console -- Not testing something is worth a line.
    console.warn(
      "redis-server is not on the PATH: testing the embedded one only",
    );
    return undefined;
  }
  return {
    name: "real redis-server",
    async start(password) {
      const args = password === undefined ? [] : ["--requirepass", password];
      const server = await startRealRedis(args);
      if (server === undefined) throw new Error("redis-server went missing");
      return server;
    },
  };
}

/** Deletes all data; the embedded server knows no command for it. */
async function empty(server: TestedServer): Promise<void> {
  if (server.flushAll !== undefined) return server.flushAll();
  using socket = await RawSocket.open(server.port);
  assertEquals(await ask(socket, "FLUSHALL"), OK);
}

function error(message: string): string {
  return `-${message}\r\n`;
}

function wrongNumber(command: string): string {
  return error(`ERR wrong number of arguments for '${command}' command`);
}

function int(value: number): string {
  return `:${value}\r\n`;
}

/** A bulk string; each character is a byte. */
function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

function list(...items: string[]): string {
  return `*${items.length}\r\n${items.map(bulk).join("")}`;
}

/** A command: words of a text, or arguments as they are. */
type Words = string | string[];

function encode(words: Words): string {
  return list(...(typeof words === "string" ? words.split(" ") : words));
}

const END = "~end of replies~";

/** Sends commands and returns their replies, exactly. */
async function ask(socket: RawSocket, ...commands: Words[]): Promise<string> {
  await socket.send([...commands, ["PING", END]].map(encode).join(""));
  const replies = await socket.readUntil(bulk(END));
  return replies.slice(0, -bulk(END).length);
}

/** Sends bytes on a new connection; returns all up to the server's close. */
async function provoke(server: TestedServer, sent: string): Promise<string> {
  using socket = await RawSocket.open(server.port);
  await socket.send(sent);
  return await socket.readToEnd();
}

function client(server: TestedServer, options: RedisOptions = {}): Redis {
  const redis = new Redis(server.port, "127.0.0.1", {
    retryStrategy: () => 10,
    ...options,
  });
  redis.on("error", () => {}); // Lost connections are what the tests make.
  return redis;
}

async function leave(redis: Redis): Promise<void> {
  const ended = new Promise((resolve) => redis.once("end", resolve));
  redis.disconnect();
  await ended;
}

const PREFIXED = "SCAN 0 COUNT 1000 MATCH";

function page(...keys: string[]): string {
  return `*2\r\n${bulk("0")}${list(...keys)}`;
}

// Each story begins on an empty server: commands and their exact replies.
const STORIES: [string, [Words, string][]][] = [
  ["PING", [
    ["PING", "+PONG\r\n"],
    ["ping", "+PONG\r\n"],
    ["PING hi", bulk("hi")],
    [["PING", ""], bulk("")],
    ["PING a b", wrongNumber("ping")],
  ]],
  ["SELECT", [
    ["SELECT 0", OK],
    ["SELECT 16", error("ERR DB index is out of range")],
    ["SELECT -1", error("ERR DB index is out of range")],
    ["SELECT x", NO_INTEGER],
    ["SELECT", wrongNumber("select")],
  ]],
  ["CLIENT", [
    ["CLIENT SETNAME me", OK],
    ["client setname me", OK],
    ["CLIENT", wrongNumber("client")],
    ["CLIENT FOO", error("ERR unknown subcommand 'FOO'. Try CLIENT HELP.")],
    ["client foo x", error("ERR unknown subcommand 'foo'. Try CLIENT HELP.")],
  ]],
  ["GET and SET", [
    ["GET a", NIL],
    ["SET a 1", OK],
    ["GET a", bulk("1")],
    ["SET a 2", OK],
    ["GET a", bulk("2")],
    [["SET", "", ""], OK],
    [["GET", ""], bulk("")],
    ["GET", wrongNumber("get")],
    ["GET a b", wrongNumber("get")],
    ["SET a", wrongNumber("set")],
    ["SET a 1 FOO", SYNTAX],
    ["GET a", bulk("2")],
  ]],
  ["SET GET", [
    ["SET a 1 EX 10 GET", NIL],
    ["SET a 2 get", bulk("1")],
    ["SET a 3 EX 0 GET", BAD_EXPIRY],
    ["GET a", bulk("2")],
    ["RPUSH l x", int(1)],
    ["SET l 1 GET", WRONG_TYPE],
  ]],
  ["SET EX", [
    ["SET a 1 EX 10", OK],
    ["SET a 2 ex 10", OK],
    ["SET a 1 EX", SYNTAX],
    ["SET a 1 EX x FOO", SYNTAX],
    ["SET a 1 EX 0", BAD_EXPIRY],
    ["SET a 1 EX -1", BAD_EXPIRY],
    ["SET a 1 EX x", NO_INTEGER],
    ["SET a 1 EX 1.5", NO_INTEGER],
    ["SET a 1 EX 01", NO_INTEGER],
    ["SET a 1 EX +1", NO_INTEGER],
    [["SET", "a", "1", "EX", " 1"], NO_INTEGER],
    [["SET", "a", "1", "EX", ""], NO_INTEGER],
    ["SET a 1 EX 9223372036854775808", NO_INTEGER],
    ["GET a", bulk("2")],
  ]],
  ["GETRANGE", [
    ["GETRANGE none 0 -1", bulk("")],
    [["SET", "s", "Hello World"], OK],
    ["GETRANGE s 0 4", bulk("Hello")],
    ["GETRANGE s -5 -1", bulk("World")],
    ["GETRANGE s 10 10", bulk("d")],
    ["GETRANGE s 11 11", bulk("")],
    ["GETRANGE s 5 3", bulk("")],
    ["GETRANGE s -1 -5", bulk("")],
    ["GETRANGE s 0 100", bulk("Hello World")],
    ["GETRANGE s 100 200", bulk("")],
    ["GETRANGE s -100 2", bulk("Hel")],
    ["GETRANGE s x 1", NO_INTEGER],
    ["GETRANGE s 0", wrongNumber("getrange")],
  ]],
  ["STRLEN", [
    ["STRLEN none", int(0)],
    ["SET s abc", OK],
    ["STRLEN s", int(3)],
    ["STRLEN", wrongNumber("strlen")],
  ]],
  ["DEL", [
    ["DEL none", int(0)],
    ["SET a 1", OK],
    ["RPUSH b 1", int(1)],
    ["DEL a b none a", int(2)],
    ["GET a", NIL],
    ["LRANGE b 0 -1", list()],
    ["DEL", wrongNumber("del")],
  ]],
  ["RPUSH and LRANGE", [
    ["LRANGE l 0 -1", list()],
    ["RPUSH l a", int(1)],
    ["RPUSH l b c d", int(4)],
    ["LRANGE l 0 -1", list("a", "b", "c", "d")],
    ["LRANGE l 1 2", list("b", "c")],
    ["LRANGE l -2 -1", list("c", "d")],
    ["LRANGE l 3 3", list("d")],
    ["LRANGE l 4 4", list()],
    ["LRANGE l 2 1", list()],
    ["LRANGE l -1 -3", list()],
    ["LRANGE l -100 0", list("a")],
    ["LRANGE l -100 -50", list()],
    ["LRANGE l 0 1000", list("a", "b", "c", "d")],
    ["LRANGE l x 1", NO_INTEGER],
    ["LRANGE none x 1", NO_INTEGER],
    ["RPUSH l", wrongNumber("rpush")],
    ["LRANGE l 0", wrongNumber("lrange")],
    [["RPUSH", "l", ""], int(5)],
    ["LRANGE l -1 -1", list("")],
  ]],
  ["a value of the wrong type", [
    ["RPUSH l a", int(1)],
    ["SET s a", OK],
    ["GET l", WRONG_TYPE],
    ["STRLEN l", WRONG_TYPE],
    ["GETRANGE l 0 1", WRONG_TYPE],
    ["RPUSH s a", WRONG_TYPE],
    ["LRANGE s 0 1", WRONG_TYPE],
    ["GET s", bulk("a")],
    ["LRANGE l 0 -1", list("a")],
    ["SET l x", OK],
    ["GET l", bulk("x")],
  ]],
  ["INCRBY", [
    ["INCRBY n 5", int(5)],
    ["INCRBY n -2", int(3)],
    ["GET n", bulk("3")],
    ["EXPIRE n 60", int(1)],
    ["INCRBY n 1", int(4)],
    ["EXPIRE n 0", int(1)],
    ["INCRBY n 1", int(1)],
    ["INCRBY n x", NO_INTEGER],
    ["INCRBY n", wrongNumber("incrby")],
    ["SET t x", OK],
    ["INCRBY t 1", NO_INTEGER],
    ["RPUSH i a", int(1)],
    ["INCRBY i 1", WRONG_TYPE],
  ]],
  ["EXPIRE", [
    ["EXPIRE none 60", int(0)],
    ["RPUSH e a", int(1)],
    ["EXPIRE e 60", int(1)],
    ["RPUSH e b", int(2)],
    ["LRANGE e 0 -1", list("a", "b")],
    ["EXPIRE e x", NO_INTEGER],
    ["EXPIRE e", wrongNumber("expire")],
    ["EXPIRE e 0", int(1)],
    ["LRANGE e 0 -1", list()],
  ]],
  ["SCAN in one call", [
    ["SCAN 0", page()],
    ["SET one 1", OK],
    ["SCAN 0", page("one")],
    ["RPUSH two 2", int(1)],
    ["SCAN 0 MATCH t*", page("two")],
    ["scan 0 match one* count 100", page("one")],
    ["SCAN x", error("ERR invalid cursor")],
    [["SCAN", " 0"], error("ERR invalid cursor")],
    ["SCAN 0 COUNT", SYNTAX],
    ["SCAN 0 COUNT 0", SYNTAX],
    ["SCAN 0 COUNT -1", SYNTAX],
    ["SCAN 0 COUNT x", NO_INTEGER],
    ["SCAN 0 MATCH", SYNTAX],
    ["SCAN 0 FOO x", SYNTAX],
    ["SCAN", wrongNumber("scan")],
  ]],
  ["SCAN by prefix", [
    [["SET", "a(b|c.d)\r\n:1", ""], OK],
    [[...PREFIXED.split(" "), "a(b|c.d)\r\n:*"], page("a(b|c.d)\r\n:1")],
    [`${PREFIXED} A*`, page()],
    [`${PREFIXED} a.*`, page()],
    [`${PREFIXED} b*`, page()],
  ]],
  ["an unknown command", [
    ["FOO", error("ERR unknown command 'FOO', with args beginning with: ")],
    [
      ["foo", "a", "b c"],
      error("ERR unknown command 'foo', with args beginning with: 'a' 'b c' "),
    ],
    [[""], error("ERR unknown command '', with args beginning with: ")],
    [
      ["F\nO", "a\rb"],
      error("ERR unknown command 'F O', with args beginning with: 'a b' "),
    ],
    [
      ["F".repeat(200)],
      error(
        `ERR unknown command '${"F".repeat(128)}',` +
          ` with args beginning with: `,
      ),
    ],
    [
      ["FOO", ..."0123456789abcdefghijklmnopqrstuvwxyz"],
      error(
        "ERR unknown command 'FOO', with args beginning with: " +
          [..."0123456789abcdefghijklmnopqrstuv"].map((word) => `'${word}' `)
            .join(""),
      ),
    ],
    ["PING", "+PONG\r\n"],
  ]],
  ["binary keys and values", [
    [["SET", "\x00\r\n\xff", "\r\n$5\r\n\x00\xfe"], OK],
    [["GET", "\x00\r\n\xff"], bulk("\r\n$5\r\n\x00\xfe")],
    [["GET", "\x00\r\n\xfe"], NIL],
    [["GETRANGE", "\x00\r\n\xff", "-1", "-1"], bulk("\xfe")],
    ["SCAN 0", page("\x00\r\n\xff")],
  ]],
];

// What is sent, and all that comes back before the server closes.
const PROTOCOL_ERRORS: [string, string, string][] = [
  ["a word for a count", "*x\r\n", "invalid multibulk length"],
  ["a signed count", "*+1\r\n", "invalid multibulk length"],
  ["a count with a leading zero", "*01\r\n", "invalid multibulk length"],
  ["an empty count", "*\r\n", "invalid multibulk length"],
  ["a count beyond reason", "*2147483648\r\n", "invalid multibulk length"],
  ["no bulk string", "*1\r\n+PING\r\n", "expected '$', got '+'"],
  ["a word for a length", "*1\r\n$x\r\n", "invalid bulk length"],
  ["a negative length", "*1\r\n$-1\r\n", "invalid bulk length"],
  ["an empty length", "*1\r\n$\r\n", "invalid bulk length"],
  ["a length beyond reason", "*1\r\n$536870913\r\n", "invalid bulk length"],
];

for (const { name, start } of KINDS) {
  Deno.test(`${name} replies as expected to`, async (t) => {
    await using server = await start();
    for (const [what, exchanges] of STORIES) {
      await t.step(what, async () => {
        await empty(server);
        using socket = await RawSocket.open(server.port);
        for (const [words, reply] of exchanges) {
          assertEquals(await ask(socket, words), reply, `after ${words}`);
        }
      });
    }
  });

  Deno.test(`${name} ends a connection over`, async (t) => {
    await using server = await start();
    for (const [what, sent, message] of PROTOCOL_ERRORS) {
      await t.step(what, async () => {
        const received = await provoke(server, encode("PING") + sent);
        const expected = error(`ERR Protocol error: ${message}`);
        assertEquals(received, "+PONG\r\n" + expected);
      });
    }
    await t.step("QUIT, with an answer", async () => {
      const sent = encode("QUIT now") + encode("PING");
      const startedAt = performance.now();
      assertEquals(await provoke(server, sent), OK);
      assert(performance.now() - startedAt < 1000, "at once");
    });
  });

  Deno.test(`${name} asks for its password`, async (t) => {
    await using server = await start("s3cret");
    const stories: [string, [Words, string][]][] = [
      ["before anything else", [
        ["PING", NO_AUTH],
        ["GET a", NO_AUTH],
        ["CLIENT SETNAME me", NO_AUTH],
        ["GET", wrongNumber("get")],
        ["FOO", error("ERR unknown command 'FOO', with args beginning with: ")],
      ]],
      ["and refuses a wrong one", [
        ["AUTH s3cre", WRONG_PASS],
        ["AUTH default s3cre", WRONG_PASS],
        ["AUTH other s3cret", WRONG_PASS],
        ["PING", NO_AUTH],
      ]],
      ["and takes the right one", [
        ["AUTH s3cret", OK],
        ["PING", "+PONG\r\n"],
        ["AUTH s3cre", WRONG_PASS],
        ["PING", "+PONG\r\n"],
      ]],
      ["and takes it with the user's name", [
        ["AUTH default s3cret", OK],
        ["PING", "+PONG\r\n"],
      ]],
    ];
    for (const [what, exchanges] of stories) {
      await t.step(what, async () => {
        using socket = await RawSocket.open(server.port);
        for (const [words, reply] of exchanges) {
          await socket.send(encode(words));
          assertEquals(await socket.readUntil("\r\n"), reply);
        }
      });
    }
    await t.step("but lets a stranger quit", async () => {
      assertEquals(await provoke(server, encode("QUIT")), OK);
    });
    await t.step("and lets ioredis in", async () => {
      const redis = client(server, { password: "s3cret" });
      assertEquals(await redis.ping(), "PONG");
      await leave(redis);
    });
  });

  Deno.test(`${name} tells what ioredis wants to know`, async () => {
    await using server = await start();
    using socket = await RawSocket.open(server.port);
    const info = await ask(socket, "INFO");
    assertMatch(info, /\r\nredis_version:\d+\.\d+\.\d+\r\n/);
    assertMatch(info, /\r\nloading:0\r\n/);
    const redis = client(server, { connectionName: "me", db: 0 });
    await new Promise((resolve) => redis.once("ready", resolve));
    await leave(redis);
  });

  Deno.test(`${name} understands commands cut anywhere`, async (t) => {
    await using server = await start();
    const binary = "\r\n*1\r\n$4\r\n\x00";
    const sent = ["SET a 1", ["SET", "b", binary], "GET b", "PING", "FOO x"]
      .map(encode).join("");
    const expected = OK + OK + bulk(binary) + "+PONG\r\n" +
      error("ERR unknown command 'FOO', with args beginning with: 'x' ");
    await t.step("byte by byte", async () => {
      using socket = await RawSocket.open(server.port);
      for (const byte of sent) await socket.send(byte);
      assertEquals(await ask(socket), expected);
    });
    await t.step("in two, at every place", async () => {
      for (let at = 1; at < sent.length; at++) {
        using socket = await RawSocket.open(server.port);
        await socket.send(sent.slice(0, at));
        await socket.send(sent.slice(at));
        assertEquals(await ask(socket), expected, `at ${at}`);
      }
    });
    await t.step("in one burst", async () => {
      using socket = await RawSocket.open(server.port);
      await socket.send(sent.repeat(1000));
      assertEquals(await ask(socket), expected.repeat(1000));
    });
  });

  Deno.test(`${name} keeps a pipeline of 1,000 in order`, async () => {
    await using server = await start();
    const redis = client(server);
    const pipeline = redis.pipeline();
    for (let index = 0; index < 1000; index++) {
      if (index % 4 === 0) pipeline.set(`key:${index}`, `value ${index}`);
      else if (index % 4 === 1) pipeline.get(`key:${index - 1}`);
      else if (index % 4 === 2) pipeline.rpush("list", index);
      else pipeline.lrange(`key:${index - 3}`, 0, 1);
    }
    const results = await pipeline.exec() ?? [];
    assertEquals(results.length, 1000);
    for (const [index, [failure, value]] of results.entries()) {
      if (index % 4 === 0) assertEquals(value, "OK");
      else if (index % 4 === 1) assertEquals(value, `value ${index - 1}`);
      else if (index % 4 === 2) assertEquals(value, (index + 2) / 4);
      else assertStringIncludes(failure?.message ?? "", "WRONGTYPE");
    }
    await leave(redis);
  });

  Deno.test(`${name} keeps bytes as they are`, async () => {
    await using server = await start();
    const redis = client(server);
    const value = Buffer.from(Uint8Array.from({ length: 512 }, (_, at) => at));
    await redis.set("bytes", value);
    assertEquals(await redis.getBuffer("bytes"), value);
    await redis.rpush("list", value, "");
    assertEquals(await redis.lrangeBuffer("list", 0, -1), [
      value,
      Buffer.from(""),
    ]);
    await leave(redis);
    // Over a plain socket: for a large reply, ioredis starts an interval that
    // outlives its connection.
    using socket = await RawSocket.open(server.port);
    const large = "0123456789abcde\xff".repeat(MIB / 2);
    assertEquals(await ask(socket, ["SET", "large", large]), OK);
    assert(await ask(socket, "GET large") === bulk(large));
  });

  Deno.test(`${name} sends replies to who reads them late`, async () => {
    await using server = await start();
    using socket = await RawSocket.open(server.port);
    await ask(socket, ["SET", "large", "x".repeat(MIB)]);
    await socket.send(encode("GET large").repeat(20));
    const received = await ask(socket, "PING");
    assert(received === bulk("x".repeat(MIB)).repeat(20) + "+PONG\r\n");
  });

  Deno.test(`${name} shows SCAN every key that stays`, async () => {
    await using server = await start();
    const redis = client(server);
    const pipeline = redis.pipeline();
    for (let index = 0; index < 5000; index++) pipeline.set(`key:${index}`, 1);
    await pipeline.exec();
    // While the walk is under way, two of every five keys go, the others are
    // overwritten, and new ones come.
    const goes = (index: number) => index % 5 < 2;
    const seen = new Set<string>();
    let cursor = "0";
    let calls = 0;
    do {
      const [next, keys] = await redis.scan(
        cursor,
        "MATCH",
        "key:*",
        "COUNT",
        50,
      );
      for (const key of keys) seen.add(key);
      cursor = next;
      const doomed = [...Array(100).keys()].map((at) => calls * 100 + at)
        .filter((index) => index < 5000 && goes(index));
      if (doomed.length > 0) await redis.del(doomed.map((at) => `key:${at}`));
      await redis.set(`key:${(calls * 5 + 2) % 5000}`, 2);
      await redis.set(`new:${calls++}`, 1);
      assert(calls < 1000, "SCAN must come to an end");
    } while (cursor !== "0");
    for (let index = 0; index < 5000; index++) {
      if (!goes(index)) assert(seen.has(`key:${index}`), `key:${index}`);
    }
    assert(calls > 10);
    await leave(redis);
  });
}

// From here on: both servers side by side, if there are both.

if (REAL !== undefined) {
  const real = REAL;

  Deno.test("embedded Redis agrees with the real one on 20,000 random commands", async () => {
    await using theirs = await real.start();
    await using ours = await startRedisServer();
    using theirSocket = await RawSocket.open(theirs.port);
    using ourSocket = await RawSocket.open(ours.port);
    const random = seededRandom(20260115);
    const pick = (words: string[]) =>
      words[Math.floor(random() * words.length)] ?? "";
    const verbs = "PING GET SET SET SET STRLEN DEL RPUSH RPUSH LRANGE FOO"
      .split(" ");
    const words = "a b c d a b c d 0 1 2 -1 -2 -5 7 1000 5000 x EX EX"
      .split(" ");
    for (let round = 0; round < 200; round++) {
      const commands: string[][] = [];
      for (let index = 0; index < 100; index++) {
        const command = [pick(verbs)];
        const length = Math.floor(random() * 6);
        while (command.length < length) command.push(pick(words));
        commands.push(command);
      }
      const expected = await ask(theirSocket, ...commands);
      const actual = await ask(ourSocket, ...commands);
      if (actual === expected) continue;
      for (const command of commands) {
        assertEquals(
          await ask(ourSocket, command),
          await ask(theirSocket, command),
          `round ${round}: ${command.join(" ")}`,
        );
      }
      assertEquals(actual, expected, `round ${round}`);
    }
  });
}

// From here on: the embedded server's own bounds, faults and severities.

Deno.test("startRedisServer() refuses what Redis would let pass", async (t) => {
  await using server = await startRedisServer();
  using socket = await RawSocket.open(server.port);
  const stricter: [Words, string][] = [
    ["SELECT 1", error("ERR DB index is out of range")],
    ["SET a 1 NX", SYNTAX],
    ["SET a 1 GET EX", SYNTAX],
    ["SET a 1 PX 10", SYNTAX],
    ["SET a 1 EX 1000000000000000", NO_INTEGER],
    ["SCAN -1", error("ERR invalid cursor")],
    ["SCAN 0 TYPE list", SYNTAX],
    ["SCAN 0 MATCH a", SYNTAX],
    ["SCAN 0 MATCH *a*", SYNTAX],
    ["SCAN 0 MATCH a?*", SYNTAX],
    ["SCAN 0 MATCH [a]*", SYNTAX],
    ["SCAN 0 MATCH \\a*", SYNTAX],
    [
      "HGET a b",
      error("ERR unknown command 'HGET', with args beginning with: 'a' 'b' "),
    ],
    [
      "CLIENT GETNAME",
      error("ERR unknown subcommand 'GETNAME'. Try CLIENT HELP."),
    ],
    ["AUTH x", WRONG_PASS],
  ];
  for (const [words, reply] of stricter) {
    await t.step(`${words}`, async () => {
      assertEquals(await ask(socket, words), reply);
    });
  }
  const protocol: [string, string, string][] = [
    ["inline commands", "PING\r\n", "expected '*', got 'P'"],
    ["bare line feeds", "*1\n$4\nPING\n", "invalid multibulk length"],
    ["an endless count", "*".padEnd(32, "1"), "invalid multibulk length"],
    ["an endless length", "*1\r\n$".padEnd(36, "1"), "invalid bulk length"],
    ["1,025 arguments", "*1025\r\n", "invalid multibulk length"],
    ["16 MiB and a byte", `*1\r\n$${16 * MIB + 1}\r\n`, "invalid bulk length"],
    [
      "16 MiB and a byte in all",
      `*2\r\n${bulk("GET")}$${16 * MIB - 2}\r\n`,
      "invalid bulk length",
    ],
  ];
  for (const [what, sent, message] of protocol) {
    await t.step(what, async () => {
      const expected = error(`ERR Protocol error: ${message}`);
      assertEquals(await provoke(server, sent), expected);
    });
  }
});

Deno.test("startRedisServer() takes what Redis 7.2 knows of ioredis", async () => {
  await using server = await startRedisServer();
  using socket = await RawSocket.open(server.port);
  assertEquals(await ask(socket, "CLIENT SETINFO LIB-NAME ioredis"), OK);
});

Deno.test("startRedisServer() takes a command of 16 MiB", async () => {
  await using server = await startRedisServer();
  using socket = await RawSocket.open(server.port);
  const length = 16 * MIB - "SET".length - "a".length;
  await socket.send(`*3\r\n${bulk("SET")}${bulk("a")}$${length}\r\n`);
  await socket.send(new Uint8Array(length).fill(0x78));
  await socket.send("\r\n");
  assertEquals(await ask(socket, "STRLEN a"), OK + int(length));
});

Deno.test("startRedisServer() takes 1,024 arguments", async () => {
  await using server = await startRedisServer();
  using socket = await RawSocket.open(server.port);
  const command = ["RPUSH", "a", ...Array<string>(1022).fill("x")];
  assertEquals(await ask(socket, command), int(1022));
});

Deno.test("startRedisServer() bounds the number of clients", async () => {
  await using server = await startRedisServer();
  const sockets: RawSocket[] = [];
  for (let index = 0; index < 256; index++) {
    sockets.push(await RawSocket.open(server.port));
  }
  assertEquals(await provoke(server, ""), "");
  sockets.pop()?.[Symbol.dispose]();
  await until("one client gone", () => server.connections() === 255);
  using socket = await RawSocket.open(server.port);
  assertEquals(await ask(socket, "PING"), "+PONG\r\n");
  for (const socket of sockets) socket[Symbol.dispose]();
});

Deno.test("startRedisServer() lets keys expire by its clock", async (t) => {
  let now = 1_000_000;
  await using server = await startRedisServer({ clock: () => now });
  using socket = await RawSocket.open(server.port);
  const expect = async (words: Words, reply: string) =>
    assertEquals(await ask(socket, words), reply, `${words} at ${now}`);
  await t.step("a key lives up to its last millisecond", async () => {
    await expect("SET a 1 EX 1", OK);
    now += 1000;
    await expect("GET a", bulk("1"));
    now += 1;
    await expect("GET a", NIL);
  });
  await t.step("a key past its time is nowhere to be found", async () => {
    await expect("SET gone 1 EX 1", OK);
    await expect("SET stays 1 EX 3600", OK);
    now += 1001;
    await expect("SCAN 0", page("stays"));
    await expect("STRLEN gone", int(0));
    await expect("DEL gone", int(0));
  });
  await t.step("a list lives as long as EXPIRE says", async () => {
    await expect("RPUSH list a", int(1));
    await expect("EXPIRE list 2", int(1));
    now += 2000;
    await expect("RPUSH list b", int(2));
    now += 1;
    await expect("LRANGE list 0 -1", list());
  });
  await t.step("SET without EX lets a key live for ever", async () => {
    await expect("SET stays 2", OK);
    now += 3_600_001;
    await expect("GET stays", bulk("2"));
  });
  await t.step("RPUSH on a key past its time starts a list", async () => {
    await expect("SET list 1 EX 1", OK);
    now += 1001;
    await expect("RPUSH list 1", int(1));
    await expect("LRANGE list 0 -1", list("1"));
  });
});

Deno.test("startRedisServer() loses all data when told to", async () => {
  await using server = await startRedisServer();
  using socket = await RawSocket.open(server.port);
  await ask(socket, "SET a 1", "RPUSH b 1");
  server.flushAll();
  assertEquals(await ask(socket, "GET a", "SCAN 0"), NIL + page());
});

Deno.test("startRedisServer() puts faults in a command's way", async (t) => {
  let fault: Interception | undefined;
  const seen: string[] = [];
  await using server = await startRedisServer({
    intercept(command, args) {
      seen.push([command, ...args].join(" "));
      return command === "RPUSH" ? fault : undefined;
    },
  });
  await t.step("it sees each command once, its name in capitals", async () => {
    using socket = await RawSocket.open(server.port);
    await ask(socket, "get a", "foo b", "GET", ["set", "\xff", "b"]);
    const last = `PING ${END}`;
    assertEquals(seen, ["GET a", "FOO b", "GET", "SET \xff b", last]);
  });
  await t.step("an error takes the place of the reply", async () => {
    fault = { error: "OOM command not allowed\r\n+OK" };
    using socket = await RawSocket.open(server.port);
    assertEquals(
      await ask(socket, "RPUSH list 1", "LRANGE list 0 -1"),
      error("OOM command not allowed  +OK") + list(),
    );
  });
  await t.step("a lost reply: the command ran", async () => {
    fault = "lose reply";
    const sent = ["PING", "RPUSH list 1", "RPUSH list 2"].map(encode).join("");
    assertEquals(await provoke(server, sent), "+PONG\r\n");
    using socket = await RawSocket.open(server.port);
    assertEquals(await ask(socket, "LRANGE list 0 -1"), list("1"));
  });
  await t.step("a disconnect: the command did not run", async () => {
    fault = "disconnect";
    const sent = ["PING", "RPUSH list 3"].map(encode).join("");
    assertEquals(await provoke(server, sent), "+PONG\r\n");
    using socket = await RawSocket.open(server.port);
    assertEquals(await ask(socket, "LRANGE list 0 -1"), list("1"));
  });
  await t.step("ioredis sends again what lost its reply", async () => {
    server.flushAll();
    fault = "lose reply";
    const redis = client(server);
    await redis.ping();
    redis.once("close", () => fault = undefined);
    assertEquals(await redis.rpush("list", "once"), 2);
    await leave(redis);
  });
});

Deno.test("startRedisServer() lets clients come back after disconnectAll()", async () => {
  await using server = await startRedisServer();
  const redis = client(server);
  await redis.set("a", "1");
  const closed = new Promise((resolve) => redis.once("close", resolve));
  server.disconnectAll();
  await closed;
  assertEquals(await redis.get("a"), "1");
  await leave(redis);
});

Deno.test("startRedisServer() frees its port at stop()", async () => {
  const first = await startRedisServer();
  const { port } = first;
  await assertRejects(() => startRedisServer({ port }), Deno.errors.AddrInUse);
  const redis = client(first);
  await redis.set("a", "1");
  await first.stop();
  await first.stop();
  await assertRejects(
    () => RawSocket.open(port),
    Deno.errors.ConnectionRefused,
  );
  await using second = await startRedisServer({ port });
  assertEquals(second.url, first.url);
  assertEquals(await redis.get("a"), null);
  await leave(redis);
});

Deno.test("startRedisServer() survives 10,000 random byte strings", async () => {
  await using server = await startRedisServer();
  const random = seededRandom(42);
  const words = ["*", "$", "\r\n", "\r\n", "\n", "-1", "0", "1", "2", "3", "4"]
    .concat(["PING", "\x00", encode("SET a 1"), encode("GET a"), "$4\r\nPING"])
    .concat([encode("SCAN 0"), encode("RPUSH l 1"), "*1\r\n", "9".repeat(20)]);
  await sendGarbage(server.port, words, {
    random,
    bytesShare: 0.1,
  });
  using socket = await RawSocket.open(server.port);
  assertEquals(await ask(socket, "PING"), "+PONG\r\n");
});
