import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { within } from "../../lib/base/time.ts";
import {
  address,
  type Config,
  optional,
  secret,
} from "../../lib/base/config.ts";
import { ConfigError } from "../../lib/base/errors.ts";
import { readBounded, request } from "../../lib/base/http.ts";
import type { Log } from "../../lib/base/log.ts";
import type { HttpLimits } from "../../lib/base/server.ts";
import { type HttpEnvironment, serveRequests } from "../../lib/base/service.ts";
import { RawSocket } from "../support/raw_socket.ts";
import { until } from "../support/until.ts";

const SETTINGS = {
  address: address("TEST_ADDR", { about: "host:port to listen on" }),
  healthAddress: optional(address("TEST_HEALTH", { about: "host:port" })),
  key: optional(secret("TEST_KEY", { about: "a secret" })),
};
const report = () => Promise.resolve({ problems: {}, warnings: [] });
const SECRET = "s3cret-key";
const STOP_MS = 5_000;
const INTERNAL = '{"error":"Internal error; the log has the details"}';

interface Context {
  settings: Config<typeof SETTINGS>;
  log: Log;
  signal: AbortSignal;
}

type Handler = (
  request: Request,
  context: Context,
) => Promise<Response> | Response;

/** A server of ours, running. */
class TestServer implements AsyncDisposable {
  url = "";
  readonly lines: string[] = [];
  readonly stop = new AbortController();
  readonly #done: Promise<void>;

  private constructor(handle: Handler, environment: Partial<HttpEnvironment>) {
    const variables: Record<string, string> = {
      TEST_ADDR: "127.0.0.1:0",
      TEST_KEY: SECRET,
    };
    this.#done = serveRequests({
      name: "test-server",
      settings: SETTINGS,
      open: (settings, log) => ({
        handle: async (request, signal) =>
          await handle(request, { settings, log, signal }),
        report,
      }),
    }, {
      env: (name) => variables[name],
      signal: this.stop.signal,
      write: (line) => this.lines.push(line),
      onListen: (url) => this.url = url,
      ...environment,
    });
  }

  static async start(
    handle: Handler,
    limits: Partial<HttpLimits> = {},
  ): Promise<TestServer> {
    const server = new TestServer(handle, { limits });
    await until("the server to listen", () => server.url);
    return server;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** The lines of one message, parsed. */
  logged(message: string): Record<string, unknown>[] {
    return this.lines.map((line) => JSON.parse(line))
      .filter(({ msg }) => msg === message);
  }

  /** Sends bytes and reads until the server closes. */
  async provoke(sent: string): Promise<string> {
    using socket = await RawSocket.open(this.port);
    await socket.send(sent);
    return await socket.readToEnd();
  }

  /** Waits until it has stopped. */
  async ended(): Promise<void> {
    await within(STOP_MS, this.#done);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort();
    await this.ended();
  }
}

function get(path: string, ...headers: string[]): string {
  return [`GET ${path} HTTP/1.1`, "Host: h", ...headers, "", ""].join("\r\n");
}

function post(path: string, body: string, ...headers: string[]): string {
  const length = `Content-Length: ${body.length}`;
  return [`POST ${path} HTTP/1.1`, "Host: h", length, ...headers, "", body]
    .join("\r\n");
}

const CLOSE = "Connection: close";

function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);
}

/** The body of an answer that came in one chunk. */
function bodyOf(answer: string): string {
  return /\r\n\r\n[0-9a-f]+\r\n([^]*)\r\n0\r\n\r\n$/.exec(answer)?.[1] ?? "";
}

/** Reads one answer off a connection that stays open. */
function readAnswer(socket: RawSocket): Promise<string> {
  return socket.readUntil("\r\n0\r\n\r\n");
}

/** Answers with what it was asked. */
const echo: Handler = async (request) => {
  const { method, url } = request;
  return Response.json([method, url, await request.text()]);
};

Deno.test("serveRequests() hands over method, path, headers and body", async () => {
  let headers: [string, string][] = [];
  await using server = await TestServer.start((request) => {
    headers = [...request.headers];
    return echo(request, {} as never);
  });
  const answer = await server.provoke(
    post("/a%20b?q=%2F", "body", "X-A: 1", "x-a: caf\xe9", CLOSE),
  );
  assertEquals(statusOf(answer), 200);
  assertEquals(
    bodyOf(answer),
    '["POST","http://worker.invalid/a%20b?q=%2F","body"]',
  );
  assertEquals(headers, [
    ["connection", "close"],
    ["content-length", "4"],
    ["host", "h"],
    ["x-a", "1, caf\xe9"],
  ]);
});

Deno.test("serveRequests() sends status, headers and body as they are", async () => {
  await using server = await TestServer.start(() =>
    new Response("words", { status: 418, headers: { "X-Kind": "pot" } })
  );
  const outcome = await request(server.url, {
    timeoutMs: 10_000,
    bodyBytesMax: 100,
  });
  assert(outcome.outcome === "answered");
  assertEquals(outcome.status, 418);
  assertEquals(outcome.headers.get("x-kind"), "pot");
  assertEquals(new TextDecoder().decode(outcome.body), "words");
});

Deno.test("serveRequests() gives handlers the settings, and a log that masks secrets", async () => {
  await using server = await TestServer.start((_, { settings, log }) => {
    log.info("Handled", { key: settings.key });
    return new Response(settings.key);
  });
  assertStringIncludes(await server.provoke(get("/", CLOSE)), SECRET);
  const [line] = server.logged("Handled");
  assertEquals([line?.["worker"], line?.["key"]], ["test-server", "[secret]"]);
});

Deno.test("serveRequests() says where it listens and when it stops", async () => {
  const server = await TestServer.start(echo);
  await server[Symbol.asyncDispose]();
  assertEquals(
    server.lines.map((line) => JSON.parse(line)).map((
      { time: _, ...rest },
    ) => rest),
    [
      {
        level: "info",
        msg: "Worker ready",
        worker: "test-server",
        url: server.url,
      },
      {
        level: "info",
        msg: "Worker stopping",
        worker: "test-server",
        requests_held: 0,
      },
      { level: "info", msg: "Worker stopped", worker: "test-server" },
    ],
  );
});

Deno.test("serveRequests() throws what is wrong with the environment", async () => {
  const starting = serveRequests(
    {
      name: "w",
      settings: SETTINGS,
      open: () => ({ handle: () => Promise.reject(), report }),
    },
    { env: () => undefined, signal: AbortSignal.abort() },
  );
  const error = await assertRejects(() => starting, ConfigError);
  assertEquals(
    error.message,
    "TEST_ADDR is required (host:port to listen on)",
  );
});

Deno.test("serveRequests() throws if the address is taken", async () => {
  await using server = await TestServer.start(echo);
  const second = serveRequests(
    {
      name: "w",
      settings: SETTINGS,
      open: () => ({ handle: () => Promise.reject(), report }),
    },
    {
      env: (name) => name === "TEST_ADDR" ? new URL(server.url).host : "",
      signal: server.stop.signal,
      write: () => {},
    },
  );
  const error = await assertRejects(() => second);
  assertEquals((error as { code?: unknown }).code, "EADDRINUSE");
});

Deno.test("serveRequests() starts and stops if its signal has aborted before", async () => {
  const lines: string[] = [];
  await serveRequests(
    {
      name: "w",
      settings: SETTINGS,
      open: () => ({ handle: () => Promise.reject(), report }),
    },
    {
      env: (name) => name === "TEST_ADDR" ? "127.0.0.1:0" : "",
      signal: AbortSignal.abort(),
      write: (line) => lines.push(JSON.parse(line).msg),
    },
  );
  assertEquals(lines, ["Worker ready", "Worker stopping", "Worker stopped"]);
});

const REQUEST_LINES: [line: string, method: string, url: string][] = [
  [
    "GET //evil.example/path",
    "GET",
    "http://worker.invalid//evil.example/path",
  ],
  ["GET //[", "GET", "http://worker.invalid//["],
  ["GET /@evil.example", "GET", "http://worker.invalid/@evil.example"],
  ["GET http://evil.example/path", "GET", "http://worker.invalid/"],
  ["OPTIONS *", "OPTIONS", "http://worker.invalid/"],
  ["DELETE /", "DELETE", "http://worker.invalid/"],
];
for (const [line, method, url] of REQUEST_LINES) {
  Deno.test(`serveRequests() takes "${line}" for ${method} ${url}`, async () => {
    await using server = await TestServer.start(echo);
    const answer = await server.provoke(
      `${line} HTTP/1.1\r\nHost: evil.example\r\n${CLOSE}\r\n\r\n`,
    );
    assertEquals(bodyOf(answer), JSON.stringify([method, url, ""]));
  });
}

const TARGETS_REFUSED = [
  "/a/../b",
  "/a/./b",
  "/a/%2e%2e/b",
  "/a/%2E/b",
  "/a\\b",
  "/..",
  "/a#b",
  '/a"b',
];
for (const target of TARGETS_REFUSED) {
  Deno.test(`serveRequests() refuses the target ${target}, which a URL would change`, async () => {
    let calls = 0;
    await using server = await TestServer.start(() => {
      calls++;
      return new Response();
    });
    assertEquals(statusOf(await server.provoke(get(target, CLOSE))), 400);
    assertEquals(calls, 0);
  });
}

const REFUSED: [what: string, sent: string, status: number][] = [
  ["nonsense", "nonsense\r\n\r\n", 400],
  ["an unknown method", get("/").replace("GET", "HACK"), 400],
  ["an unknown version", get("/").replace("1.1", "9.9"), 400],
  ["a path beyond ASCII", get("/\xe9"), 400],
  ["a control character in a header", get("/", "X-A: a\x01b"), 400],
  ["two lengths", post("/", "hello", "Content-Length: 4"), 400],
  [
    "a length and chunks",
    post("/", "0\r\n\r\n", "Transfer-Encoding: chunked"),
    400,
  ],
  ["headers without end", get("/", `X-A: ${"a".repeat(20_000)}`), 431],
];
for (const [what, sent, status] of REFUSED) {
  Deno.test(`serveRequests() refuses ${what} with ${status} and hangs up`, async () => {
    let calls = 0;
    await using server = await TestServer.start(() => {
      calls++;
      return new Response();
    });
    assertEquals(statusOf(await server.provoke(sent)), status);
    assertEquals(calls, 0);
  });
}

Deno.test("serveRequests() serves neither CONNECT nor TRACE", async () => {
  await using server = await TestServer.start(echo);
  assertEquals(await server.provoke("CONNECT h:1 HTTP/1.1\r\n\r\n"), "");
  const trace = await server.provoke(
    `TRACE / HTTP/1.1\r\nHost: h\r\n${CLOSE}\r\n\r\n`,
  );
  assertEquals(statusOf(trace), 501);
  assertEquals(bodyOf(trace), '{"error":"TRACE is not served"}');
  assertEquals(server.logged("Handler failed"), []);
});

Deno.test("serveRequests() takes an upgrade for a plain request", async () => {
  await using server = await TestServer.start(echo);
  const answer = await server.provoke(
    get("/", "Connection: Upgrade, close", "Upgrade: websocket"),
  );
  assertEquals(statusOf(answer), 200);
});

Deno.test("serveRequests() answers HEAD without a body, and the next request", async () => {
  await using server = await TestServer.start(() => new Response("words"));
  using socket = await RawSocket.open(server.port);
  await socket.send(get("/").replace("GET", "HEAD"));
  assertEquals(statusOf(await socket.readUntil("\r\n\r\n")), 200);
  await socket.send(get("/", CLOSE));
  assertEquals(bodyOf(await socket.readToEnd()), "words");
});

Deno.test("serveRequests() keeps a connection for further requests", async (t) => {
  await using server = await TestServer.start(echo);
  using socket = await RawSocket.open(server.port);
  await t.step("after one without a body", async () => {
    await socket.send(get("/1"));
    assertStringIncludes(await readAnswer(socket), "worker.invalid/1");
  });
  await t.step("after one with a body", async () => {
    await socket.send(post("/2", "two"));
    assertStringIncludes(await readAnswer(socket), '/2","two"');
  });
  await t.step("when they come in one packet", async () => {
    await socket.send(post("/3", "three") + get("/4", CLOSE));
    const answers = await socket.readToEnd();
    assert(answers.indexOf('/3","three"') < answers.indexOf("/4"));
  });
});

Deno.test("serveRequests() asks a careful client for its body", async () => {
  await using server = await TestServer.start(echo);
  using socket = await RawSocket.open(server.port);
  await socket.send(post("/", "", "Expect: 100-continue", CLOSE));
  assertEquals(
    await socket.readUntil("\r\n\r\n"),
    "HTTP/1.1 100 Continue\r\n\r\n",
  );
  assertEquals(statusOf(await socket.readToEnd()), 200);
});

const FAILURES: [what: string, Handler, error: string][] = [
  ["throws", () => {
    throw new TypeError(`no good: ${SECRET}`);
  }, "no good: [secret]"],
  ["throws what is no error", () => {
    throw Object.create(null);
  }, "object was thrown"],
  ["gives nothing", () => undefined as never, "Cannot destructure"],
  ["gives an error", () => Response.error(), "got status 0 as an answer"],
  [
    "gives a body that breaks off",
    () =>
      new Response(
        new ReadableStream({ pull: (body) => body.error(new Error("broke")) }),
      ),
    "broke",
  ],
  ["gives a body that is used up", async () => {
    const response = new Response("once");
    await response.text();
    return response;
  }, "Body already consumed"],
];
for (const [what, handle, error] of FAILURES) {
  Deno.test(`serveRequests() answers 500 without a word when a handler ${what}`, async () => {
    await using server = await TestServer.start(handle);
    const answer = await server.provoke(get("/", CLOSE));
    assertEquals([statusOf(answer), bodyOf(answer)], [500, INTERNAL]);
    const [line, ...more] = server.logged("Handler failed");
    assertStringIncludes(String(line?.["error"]), error);
    assertEquals(more, []);
    assertEquals(JSON.stringify(server.lines).includes(SECRET), false);
  });
}

Deno.test("serveRequests() serves on after a handler failed", async () => {
  await using server = await TestServer.start((request) => {
    if (request.url.endsWith("/bad")) throw new Error("no good");
    return new Response("good");
  });
  using socket = await RawSocket.open(server.port);
  assertEquals(statusOf(await server.provoke(get("/bad"))), 500);
  await socket.send(get("/good"));
  assertEquals(statusOf(await readAnswer(socket)), 200);
});

Deno.test("serveRequests() hangs up on what no answer can be made of", async () => {
  await using server = await TestServer.start(() =>
    new Response("", { headers: { "X-Odd": "a\x01b" } })
  );
  assertEquals(await server.provoke(get("/")), "");
  assertEquals(server.logged("Cannot answer a request").length, 1);
});

Deno.test("serveRequests() never takes an unread body for a request", async (t) => {
  const inner = get("/smuggled");
  const seen: string[] = [];
  await using server = await TestServer.start((request) => {
    seen.push(new URL(request.url).pathname);
    return new Response("unread");
  }, { discardMs: 50 });
  await t.step("if it has arrived, the connection stays", async () => {
    using socket = await RawSocket.open(server.port);
    await socket.send(post("/whole", inner));
    assertEquals(statusOf(await readAnswer(socket)), 200);
    await socket.send(get("/next", CLOSE));
    assertEquals(statusOf(await socket.readToEnd()), 200);
  });
  await t.step("if it has not, the connection ends", async () => {
    const part = post("/part", inner).replace(/Length: \d+/, "Length: 9999");
    const answer = await server.provoke(part);
    assertEquals([statusOf(answer), bodyOf(answer)], [200, "unread"]);
    assertStringIncludes(answer, "\r\nConnection: close\r\n");
  });
  assertEquals(seen, ["/whole", "/next", "/part"]);
});

Deno.test("serveRequests() hands over a body that comes in many parts", async () => {
  await using server = await TestServer.start(async (request) => {
    const bytes = await readBounded(request.body, 2 ** 21);
    return Response.json([bytes.length, bytes.every((byte) => byte === 120)]);
  });
  using socket = await RawSocket.open(server.port);
  const part = "x".repeat(1000);
  await socket.send(post("/", part).replace("Length: 1000", "Length: 1000000"));
  for (let sent = 1; sent < 1000; sent++) await socket.send(part);
  assertEquals(bodyOf(await readAnswer(socket)), "[1000000,true]");
});

Deno.test("serveRequests() takes a body only as far as it is read", async () => {
  const total = 64 * 1024 * 1024;
  const release = Promise.withResolvers<void>();
  await using server = await TestServer.start(async (request) => {
    const reader = request.body!.getReader();
    await reader.read();
    await release.promise;
    return new Response();
  }, { discardMs: 1 });
  using socket = await RawSocket.open(server.port);
  const part = "x".repeat(64 * 1024);
  let sent = part.length;
  const sending = (async () => {
    await socket.send(
      post("/", part).replace(`${part.length}`, `${total}`),
    );
    while (sent < total && await socket.send(part)) sent += part.length;
  })();
  let before = 0;
  let still = 0;
  // Whoever reads it all would get it all within this.
  await until("the client to stand still", () => {
    still = sent === before ? still + 1 : 0;
    before = sent;
    return still === 30;
  });
  assert(sent < total / 2, `${sent} bytes were taken`);
  release.resolve();
  await socket.readToEnd();
  await sending;
});

Deno.test("serveRequests() fails a body whose client goes away", async () => {
  const failed = Promise.withResolvers<unknown>();
  await using server = await TestServer.start(async (request) => {
    failed.resolve(await request.text().catch((error) => error));
    return new Response();
  });
  {
    using socket = await RawSocket.open(server.port);
    await socket.send(post("/", "half").replace("4", "8"));
  }
  assert(await failed.promise instanceof Error);
});

const REFUSALS: [what: string, Handler][] = [
  ["at once", () => new Response("too long", { status: 413 })],
  ["after the first bytes", async (request) => {
    await assertRejects(() => readBounded(request.body, 1024), RangeError);
    return new Response("too long", { status: 413 });
  }],
];
for (const [what, handle] of REFUSALS) {
  Deno.test(`serveRequests() gets its answer to who sends too much, refused ${what}`, async () => {
    await using server = await TestServer.start(handle);
    const outcome = await request(server.url, {
      method: "POST",
      body: new Uint8Array(8 * 1024 * 1024),
      timeoutMs: 10_000,
      bodyBytesMax: 100,
    });
    assert(outcome.outcome === "answered", JSON.stringify(outcome));
    assertEquals(outcome.status, 413);
  });
}

Deno.test("serveRequests() cuts off slow senders", async (t) => {
  let failure: unknown;
  await using server = await TestServer.start(async (request) => {
    failure = await request.text().catch((error) => error);
    return new Response();
  }, { headersMs: 100, requestMs: 300 });
  const TIMEOUT = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n";
  await t.step("who say nothing", async () => {
    assertEquals(await server.provoke(""), TIMEOUT);
  });
  await t.step("who do not end their headers", async () => {
    assertEquals(await server.provoke(get("/").slice(0, -2)), TIMEOUT);
  });
  await t.step("who drip one header after the other", async () => {
    using socket = await RawSocket.open(server.port);
    const reading = socket.readToEnd();
    const start = performance.now();
    await socket.send("GET / HTTP/1.1\r\n");
    await until(
      "the server to hang up",
      async () => !await socket.send("X-A: a\r\n"),
    );
    assert(performance.now() - start < 2_000);
    await reading;
  });
  await t.step("who do not end their body", async () => {
    const start = performance.now();
    const answer = await server.provoke(post("/", "half").replace("4", "8"));
    assertEquals(answer, TIMEOUT);
    // The headers' limit must not count for a body.
    assert(performance.now() - start >= 290);
    await until("the handler to fail", () => failure instanceof Error);
  });
});

Deno.test("serveRequests() gives headers 5 s by default", async () => {
  await using server = await TestServer.start(echo);
  const start = performance.now();
  assertEquals(statusOf(await server.provoke("GET / HTTP/1.1\r\n")), 408);
  const tookMs = performance.now() - start;
  assert(tookMs > 4_900 && tookMs < 7_000, `took ${tookMs} ms`);
});

Deno.test("serveRequests() ends a connection that stays idle", async () => {
  await using server = await TestServer.start(echo, { idleMs: 50 });
  const start = performance.now();
  const answer = await server.provoke(get("/")); // Until the server closes.
  assertEquals(statusOf(answer), 200);
  // Node adds a second; by default it would be five.
  assert(performance.now() - start < 4_000);
});

Deno.test("serveRequests() takes no more connections than its limit", async () => {
  await using server = await TestServer.start(echo, { connectionsMax: 2 });
  using first = await RawSocket.open(server.port);
  using second = await RawSocket.open(server.port);
  for (const socket of [first, second, first]) {
    await socket.send(get("/"));
    assertEquals(statusOf(await readAnswer(socket)), 200);
  }
  // The second has been idle for longest.
  assertEquals(statusOf(await server.provoke(get("/", CLOSE))), 200);
  assertEquals(await second.readToEnd(), "");
  await first.send(get("/", CLOSE));
  assertEquals(statusOf(await first.readToEnd()), 200);
});

Deno.test("serveRequests() closes no connection with a request in hand for a new one", async () => {
  const release = Promise.withResolvers<void>();
  let calls = 0;
  await using server = await TestServer.start(async () => {
    calls++;
    await release.promise;
    return new Response();
  }, { connectionsMax: 1 });
  using busy = await RawSocket.open(server.port);
  await busy.send(get("/", CLOSE));
  await until("the request", () => calls === 1);
  assertEquals(await server.provoke(""), "");
  release.resolve();
  assertEquals(statusOf(await busy.readToEnd()), 200);
});

Deno.test("serveRequests() bounds the connections of one address, if it is told to", async () => {
  await using server = await TestServer.start(echo, {
    addressConnectionsMax: 1,
  });
  using first = await RawSocket.open(server.port);
  await first.send(get("/"));
  assertEquals(statusOf(await readAnswer(first)), 200);
  assertEquals(statusOf(await server.provoke(get("/", CLOSE))), 200);
  assertEquals(await first.readToEnd(), "");
});

Deno.test("serveRequests() keeps no connection of whom it refuses", async () => {
  await using server = await TestServer.start(({ url }) =>
    new Response("", { status: Number(url.slice(-3)) })
  );
  for (const status of [400, 404, 429, 503]) {
    const answer = await server.provoke(get(`/${status}`));
    assertStringIncludes(answer, "\r\nConnection: close\r\n");
  }
});

Deno.test("serveRequests() aborts the handler's signal when the client goes away", async () => {
  const handling = Promise.withResolvers<AbortSignal>();
  await using server = await TestServer.start(async (_, { signal }) => {
    handling.resolve(signal);
    await until("the signal to abort", () => signal.aborted);
    return new Response();
  });
  {
    using socket = await RawSocket.open(server.port);
    await socket.send(get("/"));
    assertEquals((await handling.promise).aborted, false);
  }
  const signal = await handling.promise;
  await until("the signal to abort", () => signal.aborted);
});

Deno.test("serveRequests() hangs up on who asks 33 times at once", async () => {
  let calls = 0;
  const release = Promise.withResolvers<void>();
  await using server = await TestServer.start(async () => {
    calls++;
    await release.promise;
    return new Response();
  });
  assertEquals(await server.provoke(get("/").repeat(10_000)), "");
  assertEquals(calls, 32);
  release.resolve();
  const answers = await server.provoke(get("/").repeat(31) + get("/", CLOSE));
  assertEquals(answers.match(/^HTTP\/1\.1 200 /gm)?.length, 32);
  // One after the other there may be any number.
  using socket = await RawSocket.open(server.port);
  for (let nth = 0; nth < 100; nth++) {
    await socket.send(get("/"));
    assertEquals(statusOf(await readAnswer(socket)), 200);
  }
});

const GONE: [what: string, sent: string][] = [
  ["in mid-body", post("/", "half").replace("4", "8")],
  [
    "within a chunk",
    post("/", "5\r\nhalf").replace(/Content.*/, "Transfer-Encoding: chunked"),
  ],
  ["before the first of many is answered", get("/held") + get("/").repeat(20)],
];
for (const [what, sent] of GONE) {
  Deno.test(`serveRequests() holds nothing of a client that goes ${what}`, async () => {
    let calls = 0;
    let failures = 0;
    const server = await TestServer.start(async (request, { signal }) => {
      calls++;
      if (request.url.endsWith("/held")) {
        await until("the signal to abort", () => signal.aborted);
      }
      await request.text().catch(() => failures++);
      return new Response("late");
    });
    {
      using socket = await RawSocket.open(server.port);
      await socket.send(sent);
      await until(
        "the handlers",
        () => calls === (sent.match(/ \/.* H/g))?.length,
      );
    }
    await until("the end", () => calls > 1 || failures === 1);
    // A request that comes later is answered later.
    assertEquals(statusOf(await server.provoke(get("/", CLOSE))), 200);
    // It would wait twice as long for what it holds.
    server.stop.abort();
    await server.ended();
  });
}

Deno.test("serveRequests() answers what it has in hand before it stops", async (t) => {
  const release = Promise.withResolvers<void>();
  const signals: AbortSignal[] = [];
  const server = await TestServer.start(async (_, { signal }) => {
    signals.push(signal);
    await release.promise;
    return new Response("in time");
  });
  using held = await RawSocket.open(server.port);
  using idle = await RawSocket.open(server.port);
  using half = await RawSocket.open(server.port);
  await held.send(get("/"));
  await half.send("GET / HT");
  await until("the request to arrive", () => signals.length > 0);
  assertEquals(signals[0]!.aborted, false);
  server.stop.abort();
  await t.step("its handler is told", async () => {
    await until("the signal to abort", () => signals[0]!.aborted);
  });
  await t.step("nobody else gets in", async () => {
    await until("the server to close", async () => {
      try {
        using _ = await RawSocket.open(server.port);
        return false;
      } catch {
        return true;
      }
    });
  });
  await t.step("the answer is sent, whole", async () => {
    release.resolve();
    assertEquals(bodyOf(await held.readToEnd()), "in time");
  });
  await t.step("and those who asked nothing are let go", async () => {
    await server.ended();
    await idle.readToEnd();
    await half.readToEnd();
    assertEquals(signals.length, 1);
  });
  assertEquals(server.logged("Worker stopping")[0]?.["requests_held"], 1);
});

Deno.test("serveRequests() stops in the end, whatever a handler does", async () => {
  const arrived = Promise.withResolvers<void>();
  const server = await TestServer.start(() => {
    arrived.resolve();
    return new Promise<Response>(() => {});
  }, { graceMs: 50 });
  using socket = await RawSocket.open(server.port);
  await socket.send(get("/"));
  await arrived.promise;
  server.stop.abort();
  await server.ended();
  assertEquals(await socket.readToEnd(), "");
});
