import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { connect, type ConnectionOptions, headers, type Msg } from "nats";
import {
  type NatsServer,
  startNatsServer,
} from "../../deploy/devcore/nats_server.ts";
import { seededRandom, sendGarbage } from "../support/garbage.ts";
import { RawSocket } from "../support/raw_socket.ts";
import { startRealNats } from "../support/real_servers.ts";
import { until } from "../support/until.ts";

const MIB = 1024 * 1024;
const ERROR = { unknown: "-ERR 'Unknown Protocol Operation'\r\n" };

/** What the tests below ask of a server, embedded or real. */
interface TestedServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
}

interface Kind {
  readonly name: string;
  start(token?: string): Promise<TestedServer>;
}

const KINDS: Kind[] = [{
  name: "embedded NATS server",
  start: (token) => startNatsServer(token === undefined ? {} : { token }),
}];
{
  await using probe = await startRealNats();
  if (probe === undefined) {
    // deno-lint-ignore no-console -- Not testing something is worth a line.
    console.warn(
      "nats-server is not on the PATH: testing the embedded one only",
    );
  } else {
    KINDS.push({
      name: "real nats-server",
      async start(token) {
        const args = token === undefined ? [] : ["--auth", token];
        const server = await startRealNats(args);
        if (server === undefined) throw new Error("nats-server went missing");
        return server;
      },
    });
  }
}

function hello(options: Record<string, unknown> = {}): string {
  const quiet = { verbose: false, pedantic: false };
  const fields = { ...quiet, headers: true, no_responders: true, ...options };
  return `CONNECT ${JSON.stringify(fields)}\r\n`;
}

/** Opens a socket and reads INFO. */
async function open(server: TestedServer): Promise<RawSocket> {
  const socket = await RawSocket.open(server.port);
  assertMatch(await socket.readUntil("\r\n"), /^INFO \{/);
  return socket;
}

/** Sends text on a new connection; returns what comes up to a PONG. */
async function ask(server: TestedServer, sent: string): Promise<string> {
  using socket = await open(server);
  await socket.send(sent + "PING\r\n");
  return await socket.readUntil("PONG\r\n");
}

/** Sends text on a new connection; returns all up to the server's close. */
async function provoke(server: TestedServer, sent: string): Promise<string> {
  using socket = await open(server);
  await socket.send(sent);
  return await socket.readToEnd();
}

/** A client that gives up at once: a test wants to see the failure. */
function client(server: TestedServer, options: ConnectionOptions = {}) {
  return connect({ servers: server.url, reconnect: false, ...options });
}

// What is sent, and what comes back up to the PONG for a last PING.
const CONVERSATIONS: [string, string, string][] = [
  ["PING before CONNECT", "", ""],
  ["nothing to confirm unless verbose", hello() + "SUB a 1\r\n", ""],
  [
    "+OK for every operation if verbose",
    hello({ verbose: true }) +
    "SUB a 1\r\nPUB a 2\r\nhi\r\nUNSUB 1\r\nUNSUB 9\r\n",
    "+OK\r\n+OK\r\n+OK\r\nMSG a 1 2\r\nhi\r\n+OK\r\n+OK\r\n",
  ],
  ["verbose unless CONNECT says otherwise", "CONNECT {}\r\n", "+OK\r\n"],
  ["null for an option left out", 'CONNECT {"verbose":null}\r\n', "+OK\r\n"],
  ["null for all options", "CONNECT null\r\n", "+OK\r\n"],
  ["CONNECT twice", hello() + hello(), ""],
  [
    "verbs in small letters",
    hello().replace("CONNECT", "connect") +
    "sub a 1\r\npub a 1\r\nx\r\n",
    "MSG a 1 1\r\nx\r\n",
  ],
  [
    "tabs, runs of spaces and a bare line feed",
    hello() + "SUB\ta \t 1\nPUB   a  1  \r\nx\r\n",
    "MSG a 1 1\r\nx\r\n",
  ],
  [
    "an empty payload",
    hello() + "SUB a 1\r\nPUB a 0\r\n\r\n",
    "MSG a 1 0\r\n\r\n",
  ],
  [
    "a payload that looks like operations",
    hello() + "SUB a 1\r\nPUB a 13\r\n\r\nPUB b 1\r\n\r\n\r\n",
    "MSG a 1 13\r\n\r\nPUB b 1\r\n\r\n\r\n",
  ],
  [
    "a reply subject",
    hello() + "SUB a 1\r\nPUB a r 1\r\nx\r\n",
    "MSG a 1 r 1\r\nx\r\n",
  ],
  [
    "headers, with and without reply subject",
    hello() + "SUB a 1\r\nHPUB a 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\n" +
    "HPUB a r 18 18\r\nNATS/1.0\r\nA: b\r\n\r\n\r\n",
    "HMSG a 1 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\n" +
    "HMSG a 1 r 18 18\r\nNATS/1.0\r\nA: b\r\n\r\n\r\n",
  ],
  [
    "a subject beyond ASCII, byte for byte",
    hello() + "SUB > 1\r\nPUB \xc3\xa9\xff 1\r\n\xfe\r\n",
    "MSG \xc3\xa9\xff 1 1\r\n\xfe\r\n",
  ],
  [
    "any text as subscription id",
    hello() + "SUB a my-id\r\nPUB a 0\r\n\r\n",
    "MSG a my-id 0\r\n\r\n",
  ],
  [
    "the first of two subscriptions with one id",
    hello() + "SUB a 1\r\nSUB b 1\r\nPUB a 1\r\nx\r\nPUB b 1\r\ny\r\n",
    "MSG a 1 1\r\nx\r\n",
  ],
  [
    "a third of three messages to a subscription of two",
    hello() + "SUB a 1\r\nUNSUB 1 2\r\n" + "PUB a 1\r\nx\r\n".repeat(3),
    "MSG a 1 1\r\nx\r\n".repeat(2),
  ],
  [
    "UNSUB after as many as were delivered before",
    hello() + "SUB a 1\r\n" + "PUB a 1\r\nx\r\n".repeat(2) +
    "UNSUB 1 2\r\nPUB a 1\r\ny\r\n",
    "MSG a 1 1\r\nx\r\n".repeat(2),
  ],
  [
    "UNSUB after zero as UNSUB now",
    hello() + "SUB a 1\r\nUNSUB 1 0\r\nPUB a 1\r\nx\r\n",
    "",
  ],
  [
    "one queue over two patterns as one group",
    hello() + "SUB a.* q 1\r\nSUB a.b q 1\r\nPUB a.b 1\r\nx\r\n",
    "MSG a.b 1 1\r\nx\r\n",
  ],
  [
    "503 if nobody listens",
    hello() + "SUB r 1\r\nPUB nobody r 1\r\nx\r\n",
    "HMSG r 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n",
  ],
  [
    "503 for JetStream",
    hello() + "SUB in.* 7\r\nPUB $JS.API.INFO in.1 0\r\n\r\n",
    "HMSG in.1 7 16 16\r\nNATS/1.0 503\r\n\r\n\r\n",
  ],
  [
    "no 503 without reply subject",
    hello() + "SUB r 1\r\nPUB nobody 1\r\nx\r\n",
    "",
  ],
  [
    "no 503 where nobody waits for it",
    hello() + "SUB r q 1\r\nPUB nobody r 1\r\nx\r\nPUB nobody s 1\r\nx\r\n",
    "",
  ],
  [
    "no 503 to who did not ask for it",
    hello({ no_responders: false }) + "SUB r 1\r\nPUB nobody r 1\r\nx\r\n",
    "",
  ],
  [
    "an invalid publish subject if pedantic",
    hello({ pedantic: true, verbose: true }) +
    "SUB > 1\r\nPUB a..b 1\r\nx\r\nPUB .a 0\r\n\r\nPUB a. 0\r\n\r\n",
    "+OK\r\n+OK\r\n" + "-ERR 'Invalid Publish Subject'\r\n+OK\r\n".repeat(3),
  ],
  [
    "an invalid subject to subscribe to",
    hello({ verbose: true }) + "SUB a..b 1\r\n",
    "+OK\r\n-ERR 'Invalid Subject'\r\n",
  ],
  ["a PONG nobody asked for", "PONG\r\n", ""],
];

// What is sent, and all that comes back before the server closes.
const DISMISSALS: [string, string, string][] = [
  ["an unknown verb", hello() + "FOO a\r\n", ERROR.unknown],
  ["a verb before CONNECT", "GET / HTTP/1.1\r\n\r\n", ERROR.unknown],
  ["an empty line", hello() + "\r\nPING\r\n", ERROR.unknown],
  ["a space before the verb", hello() + " PING\r\n", ERROR.unknown],
  ["a server's verb", hello() + "MSG a 1 1\r\nx\r\n", ERROR.unknown],
  ["PUB without length", hello() + "PUB a\r\n", ""],
  ["PUB with too many arguments", hello() + "PUB a b c 1\r\n", ""],
  ["PUB with a word for a length", hello() + "PUB a x\r\n", ""],
  ["PUB with a negative length", hello() + "PUB a -1\r\n", ""],
  ["PUB with a signed length", hello() + "PUB a +1\r\nx\r\n", ""],
  ["PUB with ten digits", hello() + "PUB a 0000000001\r\nx\r\n", ""],
  ["SUB without id", hello() + "SUB a\r\n", ""],
  ["SUB with too many arguments", hello() + "SUB a b c d\r\n", ""],
  ["UNSUB with too many arguments", hello() + "UNSUB 1 2 3\r\n", ""],
  ["HPUB without total length", hello() + "HPUB a 4\r\n", ""],
  ["HPUB with more headers than all", hello() + "HPUB a 20 14\r\n", ""],
  [
    "a payload longer than announced",
    hello() + "SUB a 1\r\nPUB a 1\r\nxyz\r\n",
    ERROR.unknown,
  ],
  ["CONNECT without options", "CONNECT\r\n", ""],
  ["CONNECT with broken JSON", "CONNECT {bad\r\n", ""],
  [
    "a line that is too long",
    hello() + `SUB ${"a".repeat(5000)} 1\r\n`,
    "-ERR 'maximum control line exceeded'\r\n",
  ],
  [
    "a line that never ends",
    hello() + `SUB ${"a".repeat(100_000)}`,
    "-ERR 'maximum control line exceeded'\r\n",
  ],
  [
    "PUB over the payload limit",
    hello() + `PUB a ${MIB + 1}\r\n`,
    "-ERR 'Maximum Payload Violation'\r\n",
  ],
  [
    "HPUB over the payload limit",
    hello() + `HPUB a 12 ${MIB + 1}\r\n`,
    "-ERR 'Maximum Payload Violation'\r\n",
  ],
];

// Pattern, subject, whether a subscription to the one gets the other.
const WILDCARDS: [string, string, boolean][] = [
  ["a.b", "a.b", true],
  ["a.b", "a.B", false],
  ["a.b", "a", false],
  ["a.b", "a.b.c", false],
  ["*", "a", true],
  ["*", "a.b", false],
  ["a.*", "a.b", true],
  ["a.*", "a", false],
  ["a.*", "a.b.c", false],
  ["*.b.*", "a.b.c", true],
  ["*.b.*", "a.c.c", false],
  ["*.*", "a.b", true],
  [">", "a", true],
  [">", "a.b.c", true],
  ["a.>", "a", false],
  ["a.>", "a.b", true],
  ["a.>", "a.b.c", true],
  ["a.>", "b.a", false],
  ["*.>", "a", false],
  ["*.>", "a.b", true],
  ["a.*.>", "a.b", false],
  ["a.*.>", "a.b.c.d", true],
  ["a*", "ab", false],
  ["a*", "a*", true],
  ["a>", "ab", false],
  ["a>", "a>", true],
  ["$JS.API.>", "$JS.API.INFO", true],
];

const INVALID_PATTERNS = [".", ".a", "a.", "a..b", ">.a", "a.>.b", "..."];

for (const { name, start } of KINDS) {
  Deno.test(`${name} says what it can in INFO`, async () => {
    await using server = await start();
    using socket = await RawSocket.open(server.port);
    const line = await socket.readUntil("\r\n");
    const info = JSON.parse(line.slice("INFO ".length));
    assertEquals(info.headers, true);
    assertEquals(info.max_payload, MIB);
    assertEquals(info.proto, 1);
    assertEquals(info.port, server.port);
    assertEquals(info.auth_required, undefined);
    assertEquals(info.jetstream, undefined);
    assertMatch(info.version, /^\d+\.\d+\.\d+$/);
    assertMatch(info.server_id, /^[A-Za-z0-9]{20,}$/);
  });

  Deno.test(`${name} answers as expected`, async (t) => {
    await using server = await start();
    for (const [what, sent, expected] of CONVERSATIONS) {
      await t.step(what, async () => {
        assertEquals(await ask(server, sent), expected + "PONG\r\n");
      });
    }
  });

  Deno.test(`${name} dismisses a client for`, async (t) => {
    await using server = await start();
    for (const [what, sent, expected] of DISMISSALS) {
      await t.step(what, async () => {
        assertEquals(await provoke(server, sent), expected);
      });
    }
    await t.step("and serves the next one", async () => {
      assertEquals(await ask(server, hello()), "PONG\r\n");
    });
  });

  Deno.test(`${name} matches subjects with patterns`, async (t) => {
    await using server = await start();
    for (const [pattern, subject, expected] of WILDCARDS) {
      const verdict = expected ? "gets" : "does not get";
      await t.step(`${pattern} ${verdict} ${subject}`, async () => {
        const sent = `SUB ${pattern} 1\r\nPUB ${subject} 1\r\nx\r\n`;
        const message = expected ? `MSG ${subject} 1 1\r\nx\r\n` : "";
        const received = await ask(server, hello() + sent);
        assertEquals(received, message + "PONG\r\n");
      });
    }
    for (const pattern of INVALID_PATTERNS) {
      await t.step(`${pattern} is refused`, async () => {
        const received = await ask(server, `${hello()}SUB ${pattern} 1\r\n`);
        assertEquals(received, "-ERR 'Invalid Subject'\r\nPONG\r\n");
      });
    }
  });

  Deno.test(`${name} understands operations cut anywhere`, async (t) => {
    await using server = await start();
    const sent = hello() + "SUB a.* q 1\r\nSUB r 2\r\n" +
      "PUB a.b 9\r\nPUB\r\n x\r\n\r\nHPUB a.c r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n" +
      "PUB b r 0\r\n\r\nUNSUB 1 1\r\nPUB a.d 1\r\nx\r\nPING\r\n";
    const expected = "MSG a.b 1 9\r\nPUB\r\n x\r\n\r\n" +
      "HMSG a.c 1 r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n" +
      "HMSG r 2 16 16\r\nNATS/1.0 503\r\n\r\n\r\nPONG\r\n";
    await t.step("in one burst", async () => {
      using socket = await open(server);
      await socket.send(sent.repeat(100));
      let received = "";
      for (let round = 0; round < 100; round++) {
        received += await socket.readUntil("PONG\r\n");
      }
      assertEquals(received, expected.repeat(100));
    });
    await t.step("byte by byte", async () => {
      using socket = await open(server);
      for (const byte of sent) await socket.send(byte);
      assertEquals(await socket.readUntil("PONG\r\n"), expected);
    });
    await t.step("in two, at every place", async () => {
      for (let at = 1; at < sent.length; at++) {
        using socket = await open(server);
        await socket.send(sent.slice(0, at));
        await socket.send(sent.slice(at));
        assertEquals(await socket.readUntil("PONG\r\n"), expected, `at ${at}`);
      }
    });
  });

  Deno.test(`${name} takes a payload at the limit`, async () => {
    await using server = await start();
    const payload = "x".repeat(MIB);
    const sent = `SUB a 1\r\nPUB a ${MIB}\r\n${payload}\r\n`;
    const received = await ask(server, hello() + sent);
    assert(received === `MSG a 1 ${MIB}\r\n${payload}\r\nPONG\r\n`);
  });

  Deno.test(`${name} carries bytes and headers between clients`, async () => {
    await using server = await start();
    const [alice, bob] = [await client(server), await client(server)];
    const payload = Uint8Array.from({ length: 1024 }, (_, index) => index);
    const sent = headers();
    sent.append("Trace-Id", "1");
    sent.append("Trace-Id", "2");
    sent.set("Empty", "");
    const subscription = alice.subscribe("bytes.*", { max: 2 });
    await alice.flush();
    bob.publish("bytes.plain", payload);
    bob.publish("bytes.headed", payload, { headers: sent });
    const messages: Msg[] = [];
    for await (const message of subscription) messages.push(message);
    const [plain, headed] = messages;
    assertEquals(plain?.subject, "bytes.plain");
    assertEquals(plain?.headers, undefined);
    assertEquals(new Uint8Array(plain?.data ?? []), payload);
    assertEquals(new Uint8Array(headed?.data ?? []), payload);
    assertEquals(headed?.headers?.values("Trace-Id"), ["1", "2"]);
    assertEquals(headed?.headers?.has("Empty"), true);
    await alice.close();
    await bob.close();
  });

  Deno.test(`${name} gives a queue's message to one member`, async () => {
    await using server = await start();
    const [alice, bob] = [await client(server), await client(server)];
    const counts = { one: 0, two: 0, three: 0, other: 0, plain: 0 };
    const seen = new Map<string, number>();
    const join = (from: typeof alice, name: keyof typeof counts, queue = "") =>
      from.subscribe("work.*", {
        queue,
        callback: (_, message) => {
          counts[name]++;
          const key = `${queue} ${message.string()}`;
          seen.set(key, (seen.get(key) ?? 0) + 1);
        },
      });
    join(alice, "one", "crew");
    join(alice, "two", "crew");
    join(bob, "three", "crew");
    join(bob, "other", "watch");
    join(bob, "plain");
    await alice.flush();
    await bob.flush();
    for (let index = 0; index < 300; index++) {
      alice.publish(`work.${index % 7}`, `${index}`);
    }
    await alice.flush();
    await until("300 messages to all", () => counts.plain === 300);
    await bob.flush();
    assertEquals(counts.one + counts.two + counts.three, 300);
    assertEquals(counts.other, 300);
    assert(counts.one > 0 && counts.two > 0 && counts.three > 0);
    assertEquals(seen.size, 900);
    assertEquals(new Set(seen.values()), new Set([1]));
    await alice.close();
    await bob.close();
  });

  Deno.test(`${name} serves a queue until its last member leaves`, async () => {
    await using server = await start();
    using staying = await open(server);
    await staying.send(hello() + "SUB a q 1\r\nPING\r\n");
    await staying.readUntil("PONG\r\n");
    {
      using leaving = await open(server);
      await leaving.send(hello() + "SUB a q 2\r\nPING\r\n");
      await leaving.readUntil("PONG\r\n");
      await leaving.finish();
      assertEquals(await leaving.readToEnd(), "");
    }
    await ask(server, hello() + "PUB a 1\r\nx\r\n".repeat(20));
    await staying.send("PING\r\n");
    const received = await staying.readUntil("PONG\r\n");
    assertEquals(received, "MSG a 1 1\r\nx\r\n".repeat(20) + "PONG\r\n");
  });

  Deno.test(`${name} carries requests and says if nobody answers`, async () => {
    await using server = await start();
    const [asker, answerer] = [await client(server), await client(server)];
    answerer.subscribe("double", {
      callback: (_, message) => {
        message.respond(`${Number(message.string()) * 2}`);
      },
    });
    await answerer.flush();
    const reply = await asker.request("double", "21", { timeout: 5_000 });
    assertEquals(reply.string(), "42");
    const refused = await assertRejects(() => asker.request("triple", "1"));
    assertEquals((refused as { code?: string }).code, "503");
    const direct = asker.request("triple", "1", {
      noMux: true,
      timeout: 5_000,
    });
    const alsoRefused = await assertRejects(() => direct);
    assertEquals((alsoRefused as { code?: string }).code, "503");
    await asker.close();
    await answerer.close();
  });

  Deno.test(`${name} keeps 10,000 messages in order`, async () => {
    await using server = await start();
    const [alice, bob] = [await client(server), await client(server)];
    const subscription = bob.subscribe("burst", { max: 10_000 });
    await bob.flush();
    for (let index = 0; index < 10_000; index++) {
      alice.publish("burst", `${index}`);
    }
    let expected = 0;
    for await (const message of subscription) {
      assertEquals(message.string(), `${expected++}`);
    }
    assertEquals(expected, 10_000);
    await alice.close();
    await bob.close();
  });

  Deno.test(`${name} asks for its token`, async (t) => {
    await using server = await start("s3cret");
    const violation = "-ERR 'Authorization Violation'\r\n";
    const token = hello({ auth_token: "s3cret" });
    await t.step("and says so", async () => {
      using socket = await RawSocket.open(server.port);
      assertStringIncludes(
        await socket.readUntil("\r\n"),
        '"auth_required":true',
      );
    });
    await t.step("takes the right one", async () => {
      assertEquals(await ask(server, token), "PONG\r\n");
      const connection = await client(server, { token: "s3cret" });
      await connection.flush();
      await connection.close();
    });
    for (
      const [what, sent] of [
        ["a wrong one", hello({ auth_token: "s3cre" })],
        ["none", hello()],
        ["an operation before CONNECT", "SUB a 1\r\n" + token],
        ["nonsense before CONNECT", "FOO\r\n" + token],
      ] as const
    ) {
      await t.step(`refuses ${what}`, async () => {
        assertEquals(await provoke(server, sent), violation);
      });
    }
  });
}

// From here on: the embedded server's own bounds, faults and severities.

Deno.test("startNatsServer() refuses a subject that nobody may publish to", async (t) => {
  await using server = await startNatsServer();
  for (const subject of ["a.*", "*", "a.>", ">", "a..b", ".a", "a."]) {
    await t.step(subject, async () => {
      const sent = `SUB > 1\r\nSUB r 2\r\nPUB ${subject} 1\r\nx\r\n`;
      const received = await ask(server, hello() + sent);
      assertEquals(received, "-ERR 'Invalid Publish Subject'\r\nPONG\r\n");
    });
  }
  await t.step("and answers a request there with 503", async () => {
    const sent = "SUB r 1\r\nPUB a.* r 1\r\nx\r\n";
    const received = await ask(server, hello() + sent);
    assertStringIncludes(received, "HMSG r 1 16 16\r\nNATS/1.0 503\r\n");
  });
});

// Not asked of the real server: it resets the connection, and npm:nats, having
// dropped its listeners, now and then throws that into the void.
Deno.test("startNatsServer() lets a client read why it was dismissed", async () => {
  await using server = await startNatsServer({ token: "s3cret" });
  const refused = await assertRejects(() => client(server, { token: "x" }));
  assertEquals((refused as { code?: string }).code, "AUTHORIZATION_VIOLATION");
});

Deno.test("startNatsServer() bounds an operation at 4096 bytes", async () => {
  await using server = await startNatsServer();
  const longest = `SUB ${"a".repeat(4088)} 1\r\n`;
  assertEquals(longest.length, 4096);
  assertEquals(await ask(server, hello() + longest), "PONG\r\n");
  assertEquals(
    await provoke(server, hello() + longest.replace("1", "12")),
    "-ERR 'maximum control line exceeded'\r\n",
  );
});

Deno.test("startNatsServer() bounds a client's subscriptions", async () => {
  await using server = await startNatsServer();
  let sent = "";
  for (let id = 0; id < 10_001; id++) sent += `SUB a ${id}\r\n`;
  const received = await ask(server, hello() + sent);
  const error = "-ERR 'maximum subscriptions exceeded'\r\n";
  assertEquals(received, `${error}PONG\r\n`);
});

Deno.test("startNatsServer() bounds the number of clients", async () => {
  await using server = await startNatsServer();
  const sockets: RawSocket[] = [];
  for (let index = 0; index < 256; index++) sockets.push(await open(server));
  assertEquals(server.connections(), 256);
  using refused = await RawSocket.open(server.port);
  assertEquals(await refused.readToEnd(), "");
  sockets.pop()?.[Symbol.dispose]();
  await until("one client gone", () => server.connections() === 255);
  assertEquals(await ask(server, ""), "PONG\r\n");
  for (const socket of sockets) socket[Symbol.dispose]();
});

Deno.test("startNatsServer() cuts off a client that does not read", async () => {
  await using server = await startNatsServer();
  using slow = await open(server);
  await slow.send(hello() + "SUB a 1\r\nPING\r\n");
  await slow.readUntil("PONG\r\n");
  using fast = await open(server);
  const message = `PUB a ${MIB}\r\n${"x".repeat(MIB)}\r\n`;
  await fast.send(hello());
  for (let index = 0; index < 60; index++) {
    assert(await fast.send(message));
  }
  await fast.send("PING\r\n");
  await fast.readUntil("PONG\r\n");
  await until("the slow one gone", () => server.connections() === 1);
  const received = await slow.readToEnd();
  assert(received.length < 40 * MIB, "what waited is dropped");
});

Deno.test("startNatsServer() lets clients come back after disconnectAll()", async () => {
  await using server = await startNatsServer();
  const connection = await client(server, {
    reconnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 10,
  });
  await assertComesBack(connection, server, () => server.disconnectAll());
  await connection.close();
  await until("the client gone", () => server.connections() === 0);
});

Deno.test("startNatsServer() frees its port at stop()", async () => {
  const first = await startNatsServer();
  const { port } = first;
  await assertRejects(() => startNatsServer({ port }), Deno.errors.AddrInUse);
  const connection = await client(first, {
    reconnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 10,
  });
  await first.stop();
  await first.stop();
  assertEquals(first.connections(), 0);
  await assertRejects(
    () => RawSocket.open(port),
    Deno.errors.ConnectionRefused,
  );
  await using second = await startNatsServer({ port });
  assertEquals(second.url, first.url);
  await assertComesBack(connection, second, () => {});
  await connection.close();
});

/** Checks that a subscription works again after the server was cut off. */
async function assertComesBack(
  connection: Awaited<ReturnType<typeof client>>,
  server: NatsServer,
  cut: () => void,
): Promise<void> {
  const subscription = connection.subscribe("again", { max: 1 });
  await until("the client connected", () => server.connections() === 1);
  await connection.flush();
  cut();
  await until("the client back", () => server.connections() === 1);
  using other = await open(server);
  await until("the subscription renewed", async () => {
    await other.send(
      "SUB r 1\r\n" + hello() + "PUB again r 4\r\nback\r\nPING\r\n",
    );
    return !(await other.readUntil("PONG\r\n")).includes("503");
  });
  for await (const message of subscription) {
    assertEquals(message.string(), "back");
  }
}

Deno.test("startNatsServer() survives 10,000 random byte strings", async () => {
  await using server = await startNatsServer();
  const random = seededRandom(20260115);
  const words = [
    ..."CONNECT PING PONG SUB UNSUB PUB HPUB INFO +OK -ERR MSG a a.b * > 1 0 7"
      .split(" "),
    ...[" ", "\t", "\r\n", "\r\n", "\n", "\r", "{}", "-1", "9".repeat(30)],
    ...["NATS/1.0\r\n\r\n", hello(), "SUB > 1\r\n", "PUB a r 3\r\nxyz\r\n"],
  ];
  await sendGarbage(server.port, words, {
    random,
    bytesShare: 0.2,
    begin: () => random() < 0.5 ? hello() : "",
  });
  await until("all attackers gone", () => server.connections() === 0);
  assertEquals(await ask(server, hello()), "PONG\r\n");
});
