import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  BodyTooLargeError,
  type Outcome,
  readBounded,
  request,
  type RequestOptions,
} from "../../lib/base/http.ts";
import { deadline } from "../../lib/base/deadline.ts";
import { until } from "../support/until.ts";

const BODY_BYTES_MAX = 10;
const OPTIONS: RequestOptions = {
  timeoutMs: 10_000,
  bodyBytesMax: BODY_BYTES_MAX,
};
/** Stands for a credential in every URL below. */
const SECRET = "s3cret";

/** A server on loopback, and the URL that leads to it. */
interface TestServer extends AsyncDisposable {
  url: string;
}

function serve(handler: Deno.ServeHandler): TestServer {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    handler,
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/${SECRET}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Answers the first request of each connection with bytes, then hangs up. */
function serveRaw(
  answer: string,
  { hold = false }: { hold?: boolean } = {},
): TestServer & { seen: string[] } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Deno.Conn[] = [];
  const seen: string[] = [];
  const accepting = (async () => {
    for await (const connection of listener) {
      connections.push(connection);
      await talk(connection).catch(() => {});
    }
  })();
  async function talk(connection: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(4096);
    const length = await connection.read(buffer);
    seen.push(new TextDecoder().decode(buffer.subarray(0, length ?? 0)));
    await connection.write(new TextEncoder().encode(answer));
    if (!hold) connection.close();
  }
  return {
    url: `http://127.0.0.1:${listener.addr.port}/${SECRET}`,
    seen,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      for (const connection of connections) {
        try {
          connection.close();
        } catch {
          // It has been closed by its own talk.
        }
      }
    },
  };
}

/** What a test compares: everything but the headers. */
function plain(outcome: Outcome): unknown {
  if (outcome.outcome !== "answered") return outcome;
  const { status, body } = outcome;
  return { status, body: new TextDecoder().decode(body) };
}

function unknown(reason: string): Outcome {
  return { outcome: "unknown", reason };
}

function hopeless(reason: string): Outcome {
  return { outcome: "not sent", reason, hopeless: true };
}

function notSent(reason: string): Outcome {
  return { outcome: "not sent", reason };
}

async function freePort(): Promise<number> {
  await using server = serve(() => new Response());
  return Number(new URL(server.url).port);
}

Deno.test("request() sends method, headers and body, and gives the whole answer", async () => {
  let seen: unknown;
  await using server = serve(async (request) => {
    seen = [
      request.method,
      request.headers.get("x-key"),
      await request.text(),
    ];
    return new Response("pong", { status: 201, headers: { "x-id": "7" } });
  });
  const outcome = await request(server.url, {
    ...OPTIONS,
    method: "POST",
    headers: { "X-Key": "k" },
    body: "ping",
  });
  assertEquals(seen, ["POST", "k", "ping"]);
  assertEquals(plain(outcome), { status: 201, body: "pong" });
  assert(outcome.outcome === "answered");
  assertEquals(outcome.headers.get("X-Id"), "7");
});

Deno.test("request() is a GET without a body unless told otherwise", async () => {
  let seen: unknown;
  await using server = serve((request) => {
    seen = [request.method, request.body];
    return new Response();
  });
  assertEquals(plain(await request(server.url, OPTIONS)), {
    status: 200,
    body: "",
  });
  assertEquals(seen, ["GET", null]);
});

for (const status of [204, 400, 404, 429, 500, 503]) {
  Deno.test(`request() is answered by status ${status}`, async () => {
    await using server = serve(() => new Response(null, { status }));
    assertEquals(plain(await request(server.url, OPTIONS)), {
      status,
      body: "",
    });
  });
}

for (const status of [301, 302, 303, 307, 308]) {
  Deno.test(`request() does not follow a redirect with status ${status}`, async () => {
    const paths: string[] = [];
    await using server = serve((request) => {
      paths.push(new URL(request.url).pathname);
      return new Response("moved", {
        status,
        headers: { Location: "/elsewhere" },
      });
    });
    const outcome = await request(server.url, {
      ...OPTIONS,
      method: "POST",
      body: "once",
    });
    assertEquals(plain(outcome), { status, body: "moved" });
    assert(outcome.outcome === "answered");
    assertEquals(outcome.headers.get("Location"), "/elsewhere");
    assertEquals(paths, [`/${SECRET}`]);
  });
}

Deno.test("request() bounds the answer's body", async (t) => {
  const withLength = (length: number) =>
    `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n${"x".repeat(length)}`;
  const tooLong = unknown("body is longer than 10 bytes");
  await t.step("and takes one that just fits", async () => {
    await using server = serveRaw(withLength(BODY_BYTES_MAX));
    assertEquals(plain(await request(server.url, OPTIONS)), {
      status: 200,
      body: "x".repeat(BODY_BYTES_MAX),
    });
  });
  await t.step(
    "and does not know what one byte more would have said",
    async () => {
      await using server = serveRaw(withLength(BODY_BYTES_MAX + 1));
      assertEquals(await request(server.url, OPTIONS), tooLong);
    },
  );
  await t.step("and does not wait for the end of an endless one", async () => {
    let cancelled = false;
    await using server = serve(() =>
      new Response(
        new ReadableStream({
          pull: (stream) => stream.enqueue(new Uint8Array(1024)),
          cancel: () => void (cancelled = true),
        }),
      )
    );
    assertEquals(await request(server.url, OPTIONS), tooLong);
    await server[Symbol.asyncDispose]();
    assert(cancelled);
  });
  await t.step("after it is unpacked", async () => {
    const packed = new Blob([new Uint8Array(100_000)]).stream()
      .pipeThrough(new CompressionStream("gzip"));
    const bytes = await new Response(packed).arrayBuffer();
    await using server = serve(() =>
      new Response(bytes, { headers: { "Content-Encoding": "gzip" } })
    );
    const bodyBytesMax = 50_000; // Above the packed bytes, below the others.
    assert(bytes.byteLength < bodyBytesMax);
    assertEquals(
      await request(server.url, { ...OPTIONS, bodyBytesMax }),
      unknown("body is longer than 50000 bytes"),
    );
  });
});

Deno.test("request() does not know the outcome when time runs out", async (t) => {
  // With a signal, so that a request without a limit would fail, not hang.
  const signal = AbortSignal.timeout(5_000);
  const timely = { ...OPTIONS, timeoutMs: 100, signal };
  await t.step("before the answer", async () => {
    await using server = serveRaw("", { hold: true });
    assertEquals(
      await request(server.url, timely),
      unknown("no answer within 100 ms"),
    );
    assertEquals(server.seen.length, 1);
  });
  await t.step("in the middle of the body", async () => {
    const half = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
    await using server = serveRaw(half, { hold: true });
    assertEquals(
      await request(server.url, timely),
      unknown("no answer within 100 ms"),
    );
  });
});

Deno.test("request() does not know the outcome when it is aborted on the way", async () => {
  const stop = new AbortController();
  await using server = serve(() => {
    stop.abort(new Error(SECRET));
    return new Promise<Response>((resolve) =>
      setTimeout(() => resolve(new Response()), 50)
    );
  });
  assertEquals(
    await request(server.url, { ...OPTIONS, signal: stop.signal }),
    unknown("cancelled"),
  );
});

Deno.test("request() says that time ran out when its caller's deadline passes", async () => {
  await using server = serve(() =>
    new Promise<Response>((resolve) =>
      setTimeout(() => resolve(new Response()), 50)
    )
  );
  using end = deadline(5);
  assertEquals(
    await request(server.url, { ...OPTIONS, signal: end.signal }),
    unknown("no answer in time"),
  );
});

Deno.test("request() does not know the outcome when it is aborted within the answer", async () => {
  const half = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
  await using server = serveRaw(half, { hold: true });
  const stop = new AbortController();
  const pending = request(server.url, { ...OPTIONS, signal: stop.signal });
  await until("the answer's half to be sent", () => server.seen.length > 0);
  stop.abort(new Error(SECRET));
  assertEquals(await pending, unknown("cancelled"));
});

Deno.test("request() lets go of its signal, whatever becomes of it", async (t) => {
  await using server = serve(() => new Response("pong"));
  const urls = [server.url, `http://127.0.0.1:${await freePort()}/`];
  for (const url of urls) {
    await t.step(url === server.url ? "answered" : "not sent", async () => {
      const { signal } = new AbortController();
      const held = new Set<unknown>();
      signal.addEventListener = (_: string, listener: unknown) =>
        void held.add(listener);
      signal.removeEventListener = (_: string, listener: unknown) =>
        void held.delete(listener);
      await request(url, { ...OPTIONS, signal });
      assertEquals(held.size, 0);
    });
  }
});

Deno.test("request() sends nothing if its signal has aborted before", async () => {
  let calls = 0;
  await using server = serve(() => {
    calls++;
    return new Response();
  });
  const signal = AbortSignal.abort();
  assertEquals(
    await request(server.url, { ...OPTIONS, signal }),
    notSent("cancelled"),
  );
  assertEquals(calls, 0);
});

const BROKEN: [what: string, answer: string][] = [
  ["hangs up without a word", ""],
  ["hangs up within the headers", "HTTP/1.1 200 OK\r\nContent-"],
  ["hangs up within the body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"],
  ["speaks another protocol", "220 mail.example.com ESMTP\r\n"],
];
for (const [what, answer] of BROKEN) {
  Deno.test(`request() does not know the outcome when the server ${what}`, async () => {
    await using server = serveRaw(answer);
    const outcome = await request(server.url, {
      ...OPTIONS,
      method: "POST",
      body: "once",
    });
    assertEquals(outcome, unknown("connection lost"));
    assertEquals(server.seen.length, 1);
  });
}

Deno.test("request() knows that nothing was sent", async (t) => {
  await t.step("when nobody listens", async () => {
    // The words that stand for other failures must not count in the URL.
    const url = `http://127.0.0.1:${await freePort()}/dns error/tls/${SECRET}`;
    assertEquals(
      await request(url, { ...OPTIONS, method: "POST", body: "once" }),
      notSent("connection refused"),
    );
  });
  await t.step("when the server does not speak TLS", async () => {
    await using server = serveRaw("HTTP/1.1 400 Bad Request\r\n\r\n");
    assertEquals(
      await request(server.url.replace("http:", "https:"), OPTIONS),
      notSent("TLS handshake failed"),
    );
  });
  await t.step("when the host is not permitted", async () => {
    assertEquals(
      await request(`https://hooks.example.com/${SECRET}`, OPTIONS),
      hopeless("no permission for that host"),
    );
  });
  await t.step("when the port is one that fetch refuses", async () => {
    assertEquals(
      await request(`http://127.0.0.1:6666/${SECRET}`, OPTIONS),
      hopeless("no request may go to that port"),
    );
  });
});

const NOT_HTTP = "Cannot send a request: its URL is not http or https";
const NOT_VALID =
  "Cannot send a request: its method, a header or its body is not valid";
const MISUSED: [
  what: string,
  url: string,
  Partial<RequestOptions>,
  message: string,
][] = [
  ["a URL that is none", SECRET, {}, NOT_HTTP],
  ["a URL without a scheme", `//127.0.0.1/${SECRET}`, {}, NOT_HTTP],
  ["a file", `file:///${SECRET}`, {}, NOT_HTTP],
  ["data in a URL", `data:,${SECRET}`, {}, NOT_HTTP],
  ["a line break in a header", "http://127.0.0.1/", {
    headers: { "X-Key": `${SECRET}\n` + "X" },
  }, NOT_VALID],
  ["a header beyond Latin-1", "http://127.0.0.1/", {
    headers: { "X-Key": `${SECRET}\u2026` },
  }, NOT_VALID],
  ["a method that no request may have", "http://127.0.0.1/", {
    method: "TRACE",
  }, NOT_VALID],
  ["a GET with a body", "http://127.0.0.1/", { body: SECRET }, NOT_VALID],
];
for (const [what, url, options, message] of MISUSED) {
  Deno.test(`request() throws for ${what}, and quotes nothing`, async () => {
    const error = await assertRejects(
      () => request(url, { ...OPTIONS, ...options }),
      TypeError,
    );
    assertEquals(error.message, message);
    assertEquals(error.cause, undefined);
  });
}

function streamOf(...chunks: number[][]): ReadableStream<Uint8Array> {
  return ReadableStream.from(chunks.map((chunk) => new Uint8Array(chunk)));
}

Deno.test("readBounded() joins the chunks of a stream", async () => {
  const stream = streamOf([1, 2], [], [3]);
  assertEquals(await readBounded(stream, 3), new Uint8Array([1, 2, 3]));
});

Deno.test("readBounded() takes no stream, and an empty one, for no bytes", async () => {
  assertEquals(await readBounded(null, 0), new Uint8Array());
  assertEquals(await readBounded(streamOf(), 0), new Uint8Array());
});

Deno.test("readBounded() throws at the first byte too many and cancels the stream", async () => {
  let pulls = 0;
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulls++;
      controller.enqueue(new Uint8Array(2));
    },
    cancel: () => void (cancelled = true),
  }, { highWaterMark: 0 });
  const error = await assertRejects(
    () => readBounded(stream, 5),
    BodyTooLargeError,
  );
  assertEquals(error.message, "body is longer than 5 bytes");
  assertEquals([pulls, cancelled], [3, true]);
});

Deno.test("readBounded() passes on what the stream fails with", async () => {
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.error(new RangeError("broke off")),
  });
  await assertRejects(() => readBounded(stream, 5), RangeError, "broke off");
});
