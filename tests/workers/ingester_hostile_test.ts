/**
 * The ingester's door under attack, and on a bad network: every test ends with
 * an ingester that goes on.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import process from "node:process";
import {
  type Answer,
  never,
  plain,
  runIdOf,
  startGateway,
} from "../../deploy/standins/gateway.ts";
import { wait, within } from "../../lib/base/time.ts";
import { readBody } from "../../lib/intake/body.ts";
import { Refusal } from "../../lib/intake/refusal.ts";
import { compileCheck } from "../../lib/schema_check.ts";
import {
  API_KEY,
  OLD_SECRET,
  type Rig,
  SECRET,
  sign,
  startRig,
  TOKEN,
} from "../support/ingester.ts";
import { RawSocket } from "../support/raw_socket.ts";
import { INGESTER, type Waits } from "../../workers/ingester.ts";
import { spawnWorker } from "../../scripts/launch/process.ts";
import alertmanager from "../../deploy/samples/sample_alertmanager.json" with {
  type: "json",
};
import pagerduty from "../../deploy/samples/sample_pagerduty.json" with {
  type: "json",
};
import { until } from "../support/until.ts";
import { readRequirements } from "../../scripts/launch/environment.ts";

const LIMIT = 1024 * 1024;
const checkInput = compileCheck("IncidentInput");
const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** A delivery that starts a run, and is none of the others. */
async function assertWorks(rig: Rig, id = crypto.randomUUID()) {
  const { status, body } = await rig.send("/webhook/mock", `{"id":"${id}"}`);
  assertEquals([status, body], [202, {
    run_id: runIdOf(`incident-enricher:mock:${id}`),
    incident_id: `mock:${id}`,
  }]);
}

// The gateway: whatever it does, an answer in time, and no run doubled.

/** Shorter than the usual ones, which a test of their own waits for. */
const WAITS: Waits = { answerMs: 2_000, pause: () => Promise.resolve() };

/** The only way from an ingester to its gateway, which can be spoiled. */
class Door implements AsyncDisposable {
  readonly #address: { hostname: string; port: number };
  /** What becomes of a connection; it goes through if absent. */
  behave: ((client: Deno.Conn) => Promise<void>) | undefined;
  /** The gateway's port. */
  target = 0;
  #listener: Deno.Listener | undefined;
  #serving: Promise<unknown> = Promise.resolve();
  readonly #waiting: Deno.Conn[] = [];
  #late: Promise<unknown> = Promise.resolve();
  readonly #open = new Set<Deno.Conn>();

  constructor() {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = this.#listener.addr as Deno.NetAddr;
    this.#address = { hostname: "127.0.0.1", port };
    this.#serving = this.#serve(this.#listener);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#address.port}`;
  }

  /** From now on connections are refused. */
  async shut(): Promise<void> {
    this.#listener?.close();
    this.#listener = undefined;
    await this.#serving;
  }

  /** From now on nobody takes connections, and there is no room to wait. */
  async block(): Promise<void> {
    await this.shut();
    this.#listener = Deno.listen({ ...this.#address, tcpBacklog: 1 });
    while (true) {
      const joining = Deno.connect(this.#address);
      const joined = await within(300, joining).catch(() => undefined);
      if (joined === undefined) {
        // Let in, or given up, when there is room again.
        this.#late = joining.then((late) => late.close(), () => {});
        return;
      }
      this.#waiting.push(joined);
    }
  }

  /** All is well again. */
  async mend(): Promise<void> {
    this.behave = undefined;
    await this.shut();
    this.#waiting.splice(0).forEach(close);
    this.#listener = Deno.listen(this.#address);
    this.#serving = this.#serve(this.#listener);
    await this.#late;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shut();
    this.#open.forEach(close);
    await until("the connections to end", () => this.#open.size === 0);
  }

  async #serve(listener: Deno.Listener): Promise<void> {
    for await (const client of listener) {
      this.#open.add(client);
      const served = this.behave === undefined
        ? this.#join(client)
        : this.behave(client);
      served.catch(() => {}).finally(() => {
        close(client);
        this.#open.delete(client);
      });
    }
  }

  async #join(client: Deno.Conn): Promise<void> {
    const address = { hostname: "127.0.0.1", port: this.target };
    const server = await Deno.connect(address);
    this.#open.add(server);
    const ways = [
      client.readable.pipeTo(server.writable),
      server.readable.pipeTo(client.writable),
    ];
    await Promise.allSettled(ways);
    close(server);
    this.#open.delete(server);
  }
}

function close(one: Deno.Conn): void {
  try {
    one.close();
  } catch {
    // Its streams have closed it.
  }
}

const say = (client: Deno.Conn, text: string) => client.write(bytesOf(text));

/** Writes a byte now and then until the other side goes away. */
async function drip(client: Deno.Conn): Promise<void> {
  while (true) {
    await say(client, " ");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function takeRequest(client: Deno.Conn): Promise<void> {
  await client.read(new Uint8Array(64 * 1024));
}

const OK = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
/** On the connection. Each reads first: else what it says is no answer. */
const BROKEN_LINES: [string, (client: Deno.Conn) => Promise<void>][] = [
  ["accepts and never answers", async (client) => {
    while (await client.read(new Uint8Array(1024)) !== null);
  }],
  ["drips its body for ever", async (client) => {
    await takeRequest(client);
    await say(client, `${OK}Content-Length: 100000\r\n\r\n`);
    await drip(client);
  }],
  ["drips its headers for ever", async (client) => {
    await takeRequest(client);
    await say(client, `${OK}X-A: `);
    await drip(client);
  }],
  ["hangs up before it reads", () => Promise.resolve()],
  ["hangs up after each byte", async (client) => {
    await client.read(new Uint8Array(1)); // The rest is unread: a reset.
  }],
  ["hangs up within its answer", async (client) => {
    await takeRequest(client);
    await say(client, `${OK}Content-Length: 100\r\n\r\n{"run_id":`);
  }],
  ["speaks another protocol", async (client) => {
    await takeRequest(client);
    await say(client, "-ERR unknown command\r\n");
  }],
];

const starting = (answer: () => BodyInit): Answer => () =>
  new Response(answer());
/** Starts runs as it should, and reads them back like this. */
const reading = (answer: Answer): Answer => (asked, works) =>
  asked.kind === "start" ? works() : answer(asked, works);
const runId = (id: unknown) => starting(() => JSON.stringify({ run_id: id }));
const large = () => {
  let left = 50;
  const piece = new Uint8Array(1024 * 1024).fill(0x20);
  return new ReadableStream<Uint8Array>({
    pull: (body) => left-- > 0 ? body.enqueue(piece) : body.close(),
  });
};
/** In what it says. Only the last one leads to further spellings of the key. */
const BROKEN_GATEWAYS: [string, Answer][] = [
  ["answers 50 MB to a start", starting(large)],
  ["answers 50 MB to a read", reading(() => new Response(large()))],
  ["answers 429 for ever", () => new Response("", { status: 429 })],
  ["answers 500 for ever", () => new Response("", { status: 500 })],
  ["leads elsewhere", ({ request }) => Response.redirect(request.url, 307)],
  ["hangs when it is asked for the run", reading(never)],
  ["answers no JSON", starting(() => "<html>")],
  ["answers nothing", starting(() => "")],
  ["answers null", starting(() => "null")],
  ["answers a list", starting(() => "[]")],
  ["answers 100,000 brackets", starting(() => "[".repeat(100_000))],
  ["gives a number for a run", runId(7)],
  ["gives an object for a run", runId({})],
  ["gives an empty run", runId("")],
  ["gives a run of 1 MB", runId("r".repeat(1_000_000))],
  ["gives a run of 257 characters", runId("r".repeat(257))],
  ["gives half a character for a run", runId("\ud800")],
  ["gives a line break for a run", runId("a\r\nb")],
  ["gives a way up for a run", runId("..")],
  ["has an empty run", reading(() => new Response(""))],
  ["has null for a run", reading(() => new Response("null"))],
  ["has a text for a run", reading(() => new Response('"run"'))],
  ["has burned every key", reading(() => new Response("", { status: 404 }))],
];

/** Sends until the gateway is well again. */
async function assertSurvives(
  what: string,
  rig: Rig,
  mend: () => void | Promise<void>,
): Promise<void> {
  const body = JSON.stringify(pagerduty);
  const headers = { "x-pagerduty-signature": sign(body) };
  const started = performance.now();
  const answer = await rig.ask("/webhook/pagerduty", body, headers);
  const tookMs = performance.now() - started;
  assert(tookMs < 4_000, `${what}: took ${tookMs} ms`);
  assertEquals([answer.status, answer.body], [503, {
    error: "Cannot start a run now; send the webhook again later",
    status: 503,
  }], what);
  assertEquals(answer.headers.get("retry-after"), "5", what);
  assert(!JSON.stringify([answer.body, rig.log]).includes(API_KEY), what);
  const before = rig.starts.length;
  await mend();
  // As its sender does, who may come too early on a slow machine.
  const again = await until("the gateway to be reached", async () => {
    const again = await rig.ask("/webhook/pagerduty", body, headers);
    return again.status === 503 ? undefined : again;
  });
  const key = `incident-enricher:pagerduty:${pagerduty.event.id}`;
  assertEquals([again.status, again.body], [202, {
    run_id: runIdOf(key),
    incident_id: `pagerduty:${pagerduty.event.data.id}`,
  }], what);
  const burned = what === "has burned every key"
    ? [`${key}:2`, `${key}:3`]
    : [];
  assertEquals(rig.starts.map(({ key }) => key), [key, ...burned], what);
  assert(before <= 1 + burned.length, what);
  assertEquals(
    rig.log.filter((line) => /"level":"error"/.test(line)),
    [],
    what,
  );
}

Deno.test("whatever the gateway says, the ingester answers in time and doubles no run", async () => {
  await Promise.all(BROKEN_GATEWAYS.map(async ([what, answer]) => {
    let broken = true;
    await using rig = await startRig({}, {
      waits: WAITS,
      gateway: (asked, works) => broken ? answer(asked, works) : works(),
    });
    await assertSurvives(what, rig, () => void (broken = false));
  }));
});

Deno.test("whatever the way to the gateway does, the ingester answers in time and goes on", async () => {
  type Spoil = (door: Door) => void | Promise<void>;
  const spoil: [string, Spoil][] = [
    ...BROKEN_LINES.map(([what, behave]): [string, Spoil] => [
      what,
      (door) => void (door.behave = behave),
    ]),
    ["refuses connections", (door) => door.shut()],
    ["takes no connections", (door) => door.block()],
  ];
  await Promise.all(spoil.map(async ([what, set]) => {
    await using door = new Door();
    await using rig = await startRig({}, {
      waits: WAITS,
      route: (url) => {
        door.target = Number(new URL(url).port);
        return door.url;
      },
    });
    await set(door);
    await assertSurvives(what, rig, () => door.mend());
  }));
});

Deno.test("a run's id is one part of a path, whatever it holds", async () => {
  const id = "../../x?y=1#z/%2e%2e/ a";
  await using rig = await startRig({}, {
    gateway: () => Response.json({ run_id: id }),
  });
  const { status, body } = await rig.send("/webhook/mock", '{"id":"A"}');
  assertEquals([status, body["run_id"]], [202, id]);
  const paths = rig.asked.map(({ path }) => path.replace("/api/v1", ""));
  assertEquals(paths, [
    "/workflows/incident-enricher.enrich/runs",
    `/workflow-runs/${encodeURIComponent(id)}`,
  ]);
});

// Bodies of senders who hold the secret, and of those who do not.

interface Sender {
  path: string;
  /** What lets a body in. */
  headers(body: string | Uint8Array): Record<string, string>;
  /** A body with `more` where senders have room, and this id. */
  body(more: string, id?: string): string;
}

/** An object as JSON with further members, written as they come. */
function withMore(object: object, more: string): string {
  return more === ""
    ? JSON.stringify(object)
    : `${JSON.stringify(object).slice(0, -1)},${more}}`;
}

const SENDERS: Sender[] = [{
  path: "/webhook/pagerduty",
  headers: (body) => ({ "x-pagerduty-signature": sign(body) }),
  body(more, id = crypto.randomUUID()) {
    const { data, ...event } = pagerduty.event;
    const inner = withMore({ ...data, id }, more);
    return `{"event":${withMore({ ...event, id }, `"data":${inner}`)}}`;
  },
}, {
  path: "/webhook/alertmanager",
  headers: () => AUTHORIZED,
  body(more, id = crypto.randomUUID()) {
    const { alerts: [alert], ...group } = alertmanager;
    const labels = withMore({ ...alert!.labels, id }, more);
    const { labels: _, ...rest } = { ...alert!, fingerprint: id };
    return withMore(
      group,
      `"alerts":[${withMore(rest, `"labels":${labels}`)}]`,
    );
  },
}, {
  path: "/webhook/mock",
  headers: () => ({}),
  body: (more, id = crypto.randomUUID()) => withMore({ id }, more),
}];

const post = (
  rig: Rig,
  { path, headers }: Sender,
  body: string | Uint8Array<ArrayBuffer>,
  more: Record<string, string> = {},
) => rig.ask(path, body, { ...headers(body), ...more });

const DEEP = 100_000;
const NOT_JSON = "The body must be JSON in UTF-8";
const TOO_DEEP =
  "Cannot use the webhook's body: the body must be nested at most 64 deep";
const NO_OBJECT =
  "Cannot use the webhook's body: the body must be a JSON object";

/** As far as 1 MiB goes. */
const filled = (start: string, piece: string, end: string) =>
  start + piece.repeat((LIMIT - start.length - end.length) / piece.length) +
  end;
const utf16 = (text: string, littleEndian: boolean) => {
  const view = new DataView(new ArrayBuffer(text.length * 2));
  for (let at = 0; at < text.length; at++) {
    view.setUint16(at * 2, text.charCodeAt(at), littleEndian);
  }
  return new Uint8Array(view.buffer);
};
async function compress(
  text: string,
  format: CompressionFormat,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([text]).stream().pipeThrough(
    new CompressionStream(format),
  );
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const HOPELESS: [
  what: string,
  body: string | Uint8Array<ArrayBuffer>,
  error: string,
][] = [
  ["100,000 lists", "[".repeat(DEEP) + "]".repeat(DEEP), NO_OBJECT],
  [
    "100,000 objects",
    '{"a":'.repeat(DEEP) + "1" + "}".repeat(DEEP),
    TOO_DEEP,
  ],
  ["1 MiB of lists that do not end", "[".repeat(LIMIT), NOT_JSON],
  ["1 MiB of objects that do not end", filled("", '{"a":', ""), NOT_JSON],
  ["nothing", "", NOT_JSON],
  ["a blank", " ", NOT_JSON],
  ["null", "null", NO_OBJECT],
  ["true", "true", NO_OBJECT],
  ["a number", "123", NO_OBJECT],
  ["an empty text", '""', NO_OBJECT],
  ["one text of 1 MiB", filled('"', "x", '"'), NO_OBJECT],
  ["two values", "{}{}", NOT_JSON],
  ["a comment", "{}// x", NOT_JSON],
  ["a NUL behind it", "{}\0", NOT_JSON],
  ["a control character in a text", '{"a":"\n"}', NOT_JSON],
  ["a byte order mark", bytesOf('\ufeff{"id":"A"}'), NOT_JSON],
  ["UTF-16 with its mark", utf16('\ufeff{"id":"A"}', true), NOT_JSON],
  ["UTF-16 the other way", utf16('\ufeff{"id":"A"}', false), NOT_JSON],
  ["UTF-16 without a mark", utf16('{"id":"é"}', true), NOT_JSON],
  ["Latin-1", Uint8Array.from([34, 0xe9, 34]), NOT_JSON],
  [
    "half a surrogate in UTF-8",
    Uint8Array.from([34, 0xed, 0xa0, 0x80, 34]),
    NOT_JSON,
  ],
  ["an overlong slash", Uint8Array.from([34, 0xc0, 0xaf, 34]), NOT_JSON],
  ["gzip that does not say so", await compress('{"id":"A"}', "gzip"), NOT_JSON],
];

for (const sender of SENDERS) {
  Deno.test(`${sender.path} refuses what can be nothing, and goes on`, async () => {
    await using rig = await startRig();
    for (const [what, body, error] of HOPELESS) {
      const answer = await post(rig, sender, body);
      assertEquals([what, answer.status, answer.body], [what, 400, {
        error,
        status: 400,
      }]);
    }
    for (const deep of ["[", '{"a":']) {
      const end = deep === "[" ? "]" : "}";
      const body = sender.body(
        `"deep":${deep.repeat(DEEP)}1${end.repeat(DEEP)}`,
      );
      const answer = await post(rig, sender, body);
      assertEquals([answer.status, answer.body["error"]], [400, TOO_DEEP]);
    }
    assertEquals(rig.starts, []);
    await assertWorks(rig);
  });

  Deno.test(`${sender.path} refuses what is not plain JSON in UTF-8 by its headers`, async () => {
    await using rig = await startRig();
    const text = sender.body("");
    const rows: [Uint8Array<ArrayBuffer>, Record<string, string>, string][] = [
      ...await Promise.all(
        (["gzip", "deflate"] as const).map(async (format) =>
          [
            await compress(text, format),
            { "content-encoding": format },
            "The body must not be compressed",
          ] as [Uint8Array<ArrayBuffer>, Record<string, string>, string]
        ),
      ),
      [
        bytesOf(text),
        { "content-encoding": "br" },
        "The body must not be compressed",
      ],
      [
        bytesOf(text),
        { "content-encoding": "identity, gzip" },
        "The body must not be compressed",
      ],
      ...["utf-16", "iso-8859-1", "utf-7", "utf-8x", ""].map((
        charset,
      ): [Uint8Array<ArrayBuffer>, Record<string, string>, string] => [
        bytesOf(text),
        { "content-type": `application/json; charset=${charset}` },
        "The body must be in UTF-8",
      ]),
    ];
    for (const [body, headers, error] of rows) {
      const answer = await post(rig, sender, body, headers);
      assertEquals([headers, answer.status, answer.body], [headers, 415, {
        error,
        status: 415,
      }]);
    }
    const plain = { "content-type": 'Application/JSON ; charset="UTF-8"' };
    assertEquals((await post(rig, sender, text, plain)).status, 202);
  });

  Deno.test(`${sender.path} takes whatever else JSON can say, and keeps it whole`, async () => {
    await using rig = await startRig();
    const odd: [what: string, more: string][] = [
      [
        "the prototype's names",
        '"__proto__":{"polluted":1,"status":"firing"},"constructor":{"prototype":{"polluted":1}},"toString":null,"hasOwnProperty":1,"toJSON":"x","then":"y","length":-1',
      ],
      ["odd numbers", '"big":12345678901234567890,"exp":1e999,"minus":-0'],
      ["a key twice", '"twice":1,"twice":2'],
      [
        "half characters and control characters",
        '"title":"\\ud800 \\u0000\\u001b[31m\\r\\n","summary":"\\udfff\\u2028\\u202e"',
      ],
      [
        "moments that are none",
        [
          "+275760-09-13T00:00:00Z",
          "0000-00-00T00:00:00Z",
          "2026-13-01T00:00:00Z",
        ]
          .map((at, nth) => `"at${nth}":"${at}"`).join(),
      ],
      ["an empty name", '"":{"":[]}'],
    ];
    for (const [what, more] of odd) {
      const body = sender.body(more);
      const answer = await post(rig, sender, body);
      assertEquals([what, answer.status], [what, 202]);
      const { input } = rig.starts.at(-1)!;
      assertEquals(checkInput(input), undefined, what);
      // The same bytes, however often they come, are the same delivery.
      assertEquals((await post(rig, sender, body)).body, answer.body);
      assertEquals(
        JSON.stringify(input["raw"]),
        JSON.stringify(JSON.parse(body)),
        what,
      );
    }
    assertEquals(rig.starts.length, odd.length);
    assertEquals(({} as Record<string, unknown>)["polluted"], undefined);
  });

  Deno.test(`${sender.path} takes exactly 1 MiB, of whatever takes longest, and goes on`, async () => {
    await using rig = await startRig({}, { waits: { answerMs: 60_000 } });
    const room = LIMIT - bytesOf(sender.body('"more":[]')).length;
    const fill = (piece: string) => {
      const times = Math.floor((room - 2) / (piece.length + 1));
      const more = Array.from({ length: times }, () => piece).join();
      return sender.body(`"more":[${more}${" ".repeat(room - more.length)}]`);
    };
    let key = 0;
    const keys = sender.body("").length;
    const bodies = [
      fill(`"${"x".repeat(1000)}"`),
      fill("0"),
      fill("{}"),
      fill('"eyJ-eyJ-"'),
      fill('"password=abcd"'),
      // Every key another: as many as there is room for.
      sender.body(
        Array.from(
          { length: Math.floor((LIMIT - keys - 1) / 9) },
          () => `"${(key++).toString(36).padStart(4, "_")}":1`,
        ).join(),
      ),
      // One text, of what is looked at longest.
      ...["x", "eyJ-", "a.", "https://", "-----BEGIN PRIVATE KEY-----"].map(
        (piece) => {
          const text = piece.repeat((room - 2) / piece.length);
          return sender.body(
            `"more":["${text}"${" ".repeat(room - 2 - text.length)}]`,
          );
        },
      ),
    ];
    for (const body of bodies) {
      const { length } = bytesOf(body);
      assert(length <= LIMIT && length > LIMIT * 0.95, `${length}`);
      const started = process.threadCpuUsage();
      const answer = await post(rig, sender, body);
      const { user, system } = process.threadCpuUsage(started);
      // Within the ingester's 4.5 s, whatever other tests do meanwhile.
      assert(user + system < 4_500_000, body.slice(-100));
      assertEquals([answer.status, body.slice(-20)], [202, body.slice(-20)]);
    }
    const exact = bodies[0]!;
    assertEquals(bytesOf(exact).length, LIMIT);
    const over = await post(rig, sender, `${exact} `);
    assertEquals([over.status, over.body], [413, {
      error: "The body must have at most 1048576 bytes",
      status: 413,
    }]);
    await assertWorks(rig);
  });
}

// What is stored: nothing that is a credential, and always an incident.

/** Put together here, so that no scanner takes this file for a leak. */
const HOOK = ["https://hooks.slack.com", "services", "T0", "B0", "h00kSecret"]
  .join("/");
const CANARIES = ["h00kSecret", "basicSecret", "bearerSecret", "nestedSecret"];
const WITH_CANARIES = JSON.stringify({
  title: `see ${HOOK}`,
  summary: `see ${HOOK}`,
  service: { summary: `Authorization: Token ${"bearerSecret"}` },
  description: `curl -H "Authorization: Bearer bearerSecret" ${HOOK}`,
  [`see ${HOOK}`]: [{ [`password=nestedSecret`]: { url: HOOK } }],
  headers: {
    Authorization: "basicSecret",
    "x-all": ["Basic basicSecret", "Bearer bearerSecret"],
  },
  customHeaders: [{ name: "Authorization", value: "basicSecret" }],
  env: { DB_PASSWORD: "nestedSecret", clientSecret: "nestedSecret" },
  text: JSON.stringify({ deep: JSON.stringify({ token: "nestedSecret" }) }),
  dsn: "postgres://db:nestedSecret@db",
}).slice(1, -1);

Deno.test("no credential in a payload is in a run, a log line or an answer", async () => {
  await using rig = await startRig({ MOCK_WEBHOOK_TOKENS: "m0ckToken" });
  const answers: string[] = [];
  for (const sender of SENDERS) {
    const mock = sender.path === "/webhook/mock";
    const more = mock
      ? WITH_CANARIES.replace(/"service":\{[^}]*\},/, "")
      : WITH_CANARIES;
    const body = sender.body(`${more},"url":"${mock ? HOOK : ""}"`);
    const answer = await post(rig, sender, body);
    assertEquals([sender.path, answer.status], [sender.path, 202]);
    assertEquals(checkInput(rig.starts.at(-1)!.input), undefined);
    answers.push(JSON.stringify(answer));
  }
  // What the answers quote is no payload, and no secret of ours.
  const [pd] = SENDERS;
  for (
    const refused of [
      await rig.ask(pd!.path, pd!.body(WITH_CANARIES)),
      await post(rig, pd!, `{${WITH_CANARIES}}`),
      await rig.ask("/webhook/alertmanager", "{}", {
        authorization: "Bearer bearerSecret",
      }),
    ]
  ) {
    assert(refused.status === 400 || refused.status === 401);
    answers.push(JSON.stringify(refused));
  }
  const starts = rig.starts.map((one) => JSON.stringify(one));
  const places = { starts, answers, log: rig.log };
  for (const [place, texts] of Object.entries(places)) {
    const ours = [SECRET, OLD_SECRET, TOKEN, API_KEY, "m0ckToken"];
    for (const secret of [...CANARIES, ...ours]) {
      const found = texts.filter((text) => text.includes(secret));
      assertEquals([place, secret, found], [place, secret, []]);
    }
  }
  assert(starts.every((text) => text.includes("[secret:")));
});

Deno.test("what is taken out never makes an incident that its schema refuses", async () => {
  await using rig = await startRig();
  // Each placeholder is longer than what it stands for.
  const long = (chars: number) =>
    Array.from(
      { length: chars / 14 },
      (_, nth) => `pwd=${nth.toString(36).padStart(8, "x")},`,
    ).join(" ").slice(0, chars);
  const { data, ...event } = pagerduty.event;
  const body = (htmlUrl: string) =>
    JSON.stringify({
      event: {
        ...event,
        id: crypto.randomUUID(),
        data: {
          ...data,
          title: long(1000),
          service: { summary: long(200) },
          priority: { summary: long(100) },
          incident_key: long(300),
          html_url: htmlUrl,
        },
      },
    });
  const urls: [string, string | undefined][] = [
    [HOOK, undefined],
    [
      "https://x.example/a?token=abcdefgh&b=1",
      "https://x.example/a?token=%5Bsecret%3Anamed%231%5D&b=1",
    ],
    ["https://x.example/a?b=1#c", "https://x.example/a?b=1#c"],
    [
      `https://x.example/?${"token=abcd&".repeat(180)}`,
      undefined,
    ],
  ];
  for (const [given, kept] of urls) {
    const answer = await post(rig, SENDERS[0]!, body(given));
    assertEquals(answer.status, 202);
    const { input } = rig.starts.at(-1)!;
    assertEquals(checkInput(input), undefined, given);
    const { url } = input["source"] as { url?: string };
    assertEquals(url, kept);
    assert(String(input["title"]).endsWith("…"));
  }
});

// Who is let in.

Deno.test("only the raw bytes count, by a secret that is known", async () => {
  await using rig = await startRig({
    PAGERDUTY_WEBHOOK_SECRETS: ` ,${OLD_SECRET} ,, with a blank , ${SECRET},`,
  });
  const [pd] = SENDERS;
  const body = ` ${pd!.body('"title":"caf\\u00e9"')}\n`;
  const send = (
    header: string | string[] | undefined,
    sent: string | Uint8Array<ArrayBuffer> = body,
  ) =>
    fetch(rig.url + pd!.path, {
      method: "POST",
      body: sent,
      headers: [
        ["content-type", "application/json"],
        ...[header ?? []].flat().map((one): [string, string] => [
          "X-PagerDuty-Signature",
          one,
        ]),
      ],
    }).then(async (response) => ({
      status: response.status,
      body: await response.json(),
    }));
  const good = sign(body);
  const wrong = sign(body, "x");
  for (
    const header of [
      good,
      sign(body, OLD_SECRET),
      sign(body, "with a blank"),
      `${wrong},${good}`,
      `${good},${wrong}`,
      ` ${good} `, // What stands around a header's value is not of it.
      `v0=${good.slice(3)},v1=,${good}`,
      [good, wrong], // As one header, ", " between them.
    ]
  ) assertEquals([header, (await send(header)).status], [header, 202]);
  const flipped = bytesOf(body);
  flipped[flipped.indexOf(0x50)]! ^= 1;
  const refused: [
    string | string[] | undefined,
    (string | Uint8Array<ArrayBuffer>)?,
  ][] = [
    [undefined],
    [""],
    ["v1="],
    [good.slice(3)],
    [good.replace("v1", "v0")],
    [good.replace("v1", "V1")],
    [`v1=${good.slice(3).toUpperCase()}`],
    [good.replace("=", " = ")],
    [`${wrong}, ${good}`],
    [[wrong, good]],
    [`${`${wrong},`.repeat(10)}${good}`],
    [`${good},${"x".repeat(5000)}`],
    [sign(JSON.stringify(JSON.parse(body)))],
    [sign(body.trim())],
    [sign(body, ` ${SECRET}`)],
    [sign(body, "")],
    [sign(`${body} `)],
    [good, flipped],
    [good, `\ufeff${body}`],
    // Nothing of these is parsed, or they would be 400.
    [good, "{broken"],
    [good, "[".repeat(DEEP)],
    [good, ""],
    [good, Uint8Array.from([0xff])],
  ];
  const said = new Set<string>();
  for (const [header, sent] of refused) {
    const answer = await send(header, sent);
    assertEquals([header, answer.status], [header, 401]);
    said.add(JSON.stringify(answer.body));
  }
  // One text for all: it says neither which secret nor how close.
  assertEquals([...said], [JSON.stringify({
    error:
      "X-PagerDuty-Signature does not match the body with any known secret",
    status: 401,
  })]);
  assertEquals(rig.starts.length, 1);
});

Deno.test("only a token that is known opens a webhook, before its body is read", async () => {
  await using rig = await startRig({
    ALERTMANAGER_WEBHOOK_TOKENS: ` other , ,${TOKEN} ,`,
    INGEST_MOCK_OPEN: "",
    MOCK_WEBHOOK_TOKENS: TOKEN,
  });
  for (const sender of SENDERS.slice(1)) {
    const send = (header: string | string[], body = sender.body("", "same")) =>
      fetch(rig.url + sender.path, {
        method: "POST",
        body,
        headers: [
          ["content-type", "application/json"],
          ...[header].flat().map((one): [string, string] => [
            "Authorization",
            one,
          ]),
        ],
      }).then(async (response) => {
        const { error, status } = await response.json();
        const asks = response.headers.get("www-authenticate");
        return [response.status, status, error, asks];
      });
    for (
      const header of [
        `bearer ${TOKEN}`,
        `BEARER  ${TOKEN}`,
        `Bearer ${TOKEN} `,
      ]
    ) assertEquals([header, (await send(header))[0]], [header, 202]);
    for (
      const header of [
        "",
        "Bearer",
        "Bearer ",
        TOKEN,
        `Basic ${TOKEN}`,
        `Basic ${btoa(`x:${TOKEN}`)}`,
        `Bearer\t${TOKEN}`,
        `Bearer ${TOKEN.toUpperCase()}`,
        `Bearer ${TOKEN.slice(0, -1)}`,
        `Bearer ${TOKEN}x`,
        `Bearer "${TOKEN}"`,
        `Bearer other,${TOKEN}`,
        `Bearer ${TOKEN}, Bearer other`,
        `Bearer ${"x".repeat(5000)}`,
        [`Bearer wrong`, `Bearer ${TOKEN}`],
      ]
    ) {
      for (const body of [sender.body(""), "{broken", "[".repeat(DEEP)]) {
        assertEquals([header, ...await send(header, body)], [
          header,
          401,
          401,
          "Authorization must be Bearer with a known token",
          "Bearer",
        ]);
      }
    }
  }
  assertEquals(rig.starts.length, 2);
});

// HTTP as nobody should speak it.

/** Speaks bytes to a rig and reads until it hangs up. */
async function speak(rig: Rig, sent: string, finish = false): Promise<string> {
  using socket = await RawSocket.open(Number(new URL(rig.url).port));
  const reading = socket.readToEnd();
  await socket.send(sent);
  if (finish) await socket.finish();
  return await reading;
}

const head = (...headers: string[]) =>
  ["POST /webhook/mock HTTP/1.1", "Host: h", ...headers, "", ""].join("\r\n");
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
const statusesOf = (answers: string) =>
  [...answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) =>
    Number(status)
  ).filter((status) => status !== 100);

const TARGETS = [
  "/webhook/mock?",
  "/webhook/mock?a=b",
  "/webhook/mock/",
  "/webhook/mock#",
  "/webhook//mock",
  "//webhook/mock",
  "/webhook/./mock",
  "/webhook/pagerduty/../mock",
  "/webhook/%2e%2e/webhook/mock",
  "/webhook/%6dock",
  "/webhook%2Fmock",
  "/webhook\\mock",
  "/WEBHOOK/mock",
  "http://h/webhook/mock",
  "*",
];
Deno.test("only the exact target of a webhook is one, whatever a URL makes of others", async () => {
  await using rig = await startRig();
  for (const target of TARGETS) {
    const sent = head("Content-Length: 12", "Connection: close") + ONE;
    const answer = await speak(rig, sent.replace("/webhook/mock", target));
    const [status = 0] = statusesOf(answer);
    assert([400, 404].includes(status), `${target}: ${status}`);
  }
  assertEquals(rig.starts, []);
  await assertWorks(rig);
});

const CHUNKED = "Transfer-Encoding: chunked";
const SMUGGLED = `${head("Content-Length: 18")}{"id":"smuggled-1"}`;
const ONE = '{"id":"one"}';
const SHAPES: [what: string, sent: string, statuses: number[][]][] = [
  ["two lengths", `${head("Content-Length: 12", "Content-Length: 11")}${ONE}`, [
    [400],
  ]],
  ["two lengths in one", `${head("Content-Length: 12, 11")}${ONE}`, [[400]]],
  ["a length that is none", `${head("Content-Length: +12")}${ONE}`, [[400]]],
  ["a negative length", `${head("Content-Length: -1")}${ONE}`, [[400]]],
  ["a length in hex", `${head("Content-Length: 0xc")}${ONE}`, [[400]]],
  ["a huge length", `${head(`Content-Length: ${"9".repeat(30)}`)}${ONE}`, [[
    400,
  ]]],
  [
    "a length and chunks",
    `${head("Content-Length: 5", CHUNKED)}0\r\n\r\n${SMUGGLED}`,
    [[400]],
  ],
  [
    "chunks and a length",
    `${head(CHUNKED, "Content-Length: 5")}0\r\n\r\n${SMUGGLED}`,
    [[400]],
  ],
  [
    "chunks that call themselves otherwise",
    `${head("Transfer-Encoding: xchunked")}${chunk(SMUGGLED)}0\r\n\r\n`,
    [[400]],
  ],
  [
    "chunks that end in another coding",
    `${head("Transfer-Encoding: chunked, identity")}${
      chunk(SMUGGLED)
    }0\r\n\r\n`,
    [[400]],
  ],
  [
    "a coding that hides behind a blank",
    `${head("Transfer-Encoding : chunked", "Content-Length: 12")}${ONE}`,
    [[400]],
  ],
  [
    "a coding on a folded line",
    `${
      head("X-A: b", " Transfer-Encoding: chunked", "Content-Length: 12")
    }${ONE}`,
    [[400]],
  ],
  [
    "gzip in chunks",
    `${head("Transfer-Encoding: gzip, chunked", "Connection: close")}${
      chunk("\x1f\x8b\x08")
    }0\r\n\r\n`,
    [[400]],
  ],
  ["a chunk of no size", `${head(CHUNKED)}x\r\n${SMUGGLED}`, [[400]]],
  ["a chunk too large", `${head(CHUNKED)}${"f".repeat(17)}\r\n${SMUGGLED}`, [[
    400,
  ]]],
  ["a chunk longer than it says", `${head(CHUNKED)}4\r\n${ONE}\r\n0\r\n\r\n`, [[
    400,
  ]]],
  ["a negative chunk", `${head(CHUNKED)}-4\r\n${SMUGGLED}`, [[400]]],
  ["a body that ends early", `${head("Content-Length: 99")}${ONE}`, [
    [400],
    [],
  ]],
  ["chunks that end early", `${head(CHUNKED)}c\r\n${ONE}`, [[400], []]],
  [
    "more than its length",
    `${head("Content-Length: 2", "Connection: close")}{}${SMUGGLED}`,
    [[400]],
  ],
  ["a NUL in a header", `${head("X-A: \0", "Content-Length: 12")}${ONE}`, [[
    400,
  ]]],
  [
    "a bare line feed",
    `POST /webhook/mock HTTP/1.1\nHost: h\nContent-Length: 12\n\n${ONE}`,
    [[400]],
  ],
  [
    "an expectation that nobody has",
    `${
      head("Expect: a-reply", "Content-Length: 12", "Connection: close")
    }${ONE}`,
    [[417]],
  ],
  ["another protocol", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", [[400]]],
];

Deno.test("no shape of a request brings a second one in", async () => {
  await using rig = await startRig({}, { limits: { discardMs: 50 } });
  for (const [what, sent, expected] of SHAPES) {
    const answers = await speak(rig, sent, what.endsWith("early"));
    const statuses = statusesOf(answers);
    const fits = expected.some((one) => one.join() === statuses.join());
    assert(fits, `${what}: got ${statuses}`);
    assert(!JSON.stringify(rig.starts).includes("smuggled"), what);
  }
  await assertWorks(rig);
});

Deno.test("a body is counted as it comes, whatever it says of itself", async () => {
  await using rig = await startRig({}, { limits: { discardMs: 50 } });
  const piece = "x".repeat(64 * 1024);
  const close = "Connection: close";
  const start = '{"id":"A","note":"';
  const exact = start + "x".repeat(LIMIT - start.length - 2) + '"}';
  const chunks = (text: string) =>
    (text.match(/[^]{1,65536}/g) ?? []).map(chunk).join("") + "0\r\n\r\n";
  const bytes = `The body must have at most ${LIMIT} bytes`;
  const pieces = "The body must come in at most 16384 pieces";
  const single = (count: number) =>
    head(CHUNKED, close) + chunk(start) + chunk("x").repeat(count - 2) +
    chunk('"}') + "0\r\n\r\n";
  const rows: [what: string, sent: string, error?: string][] = [
    ["chunks without end", head(CHUNKED) + chunk(piece).repeat(40), bytes],
    [
      "one byte too many, in chunks",
      head(CHUNKED, close) + chunks(`${exact} `),
      bytes,
    ],
    ["as much as may be, in chunks", head(CHUNKED, close) + chunks(exact)],
    ["16,000 single bytes", single(16_000)],
    ["17,000 single bytes", single(17_000), pieces],
    ["a megabyte of single bytes", single(LIMIT - start.length), pieces],
    [
      "a claim of 10 GB",
      head("Content-Length: 10737418240") + piece.repeat(40),
      bytes,
    ],
    [
      "one byte too many, in one",
      head(`Content-Length: ${LIMIT + 1}`, close) + `${exact} `,
      bytes,
    ],
  ];
  for (const [what, sent, error] of rows) {
    const answers = await speak(rig, sent);
    const status = error === undefined ? 202 : 413;
    assertEquals([what, ...statusesOf(answers)], [what, status]);
    if (error === undefined) continue;
    assertStringIncludes(answers, JSON.stringify({ error, status }));
  }
  assertEquals(rig.starts.map(({ input }) => input["incident_id"]), ["mock:A"]);
});

Deno.test("a body of 16384 pieces is read, one of more is not", async () => {
  const body = (pieces: number) =>
    readBody(ReadableStream.from(
      Array.from({ length: pieces }, () => Uint8Array.of(0x20)),
    ));
  assertEquals((await body(16_384)).length, 16_384);
  const refusal = await assertRejects(() => body(16_385), Refusal);
  assertEquals(refusal.status, 413);
});

Deno.test("names and values of headers change nothing", async () => {
  await using rig = await startRig();
  const odd = [
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "length",
  ]
    .flatMap((name) => [`${name}: x`, `${name}: y`]);
  const answers = await speak(
    rig,
    `${
      head(...odd, "X-A: \xe9\xff", "Content-Length: 12", "Connection: close")
    }${ONE}`,
  );
  assertEquals(statusesOf(answers), [202]);
});

// At once.

/** A gateway that answers when it is told to. */
function held() {
  const release = Promise.withResolvers<void>();
  let waiting = 0;
  const gateway: Answer = async (_, works) => {
    waiting++;
    await release.promise;
    return works();
  };
  return { gateway, release: release.resolve, waiting: () => waiting };
}

Deno.test("two of a source at once, the third comes again later, and others get in", async () => {
  const { gateway, release, waiting } = held();
  await using rig = await startRig({ INGEST_MAX_INFLIGHT: "2" }, { gateway });
  const two = ["A", "B"].map((id) =>
    rig.send("/webhook/mock", JSON.stringify({ id }))
  );
  await until("both to be in hand", () => waiting() === 2);
  const others = SENDERS.filter(({ path }) => path !== "/webhook/mock")
    .map((sender) => post(rig, sender, sender.body("")));
  try {
    await until("the others to be in hand", () => waiting() === 4);
    const third = await rig.ask("/webhook/mock", '{"id":"C"}');
    assertEquals([third.status, third.body], [429, {
      error: "Too many webhooks at once; send it again later",
      status: 429,
    }]);
    assertEquals(third.headers.get("retry-after"), "5");
  } finally {
    release();
  }
  for (const { status } of await Promise.all([...two, ...others])) {
    assertEquals(status, 202);
  }
  assertEquals(rig.starts.length, 4);
  await assertWorks(rig);
});

Deno.test("whatever ends a request gives its place back", async () => {
  let broken: Answer | undefined;
  await using rig = await startRig({ INGEST_MAX_INFLIGHT: "1" }, {
    gateway: (asked, works) =>
      broken === undefined ? works() : broken(asked, works),
    limits: { headersMs: 200, requestMs: 300, discardMs: 50 },
  });
  const port = Number(new URL(rig.url).port);
  const refusals = () =>
    rig.log.filter((line) => line.includes("Refused a request")).length;
  const ends: [string, () => Promise<unknown>][] = [
    ["400", () => rig.send("/webhook/mock", "{")],
    ["401", () => rig.send("/webhook/alertmanager", "{}")],
    ["404", () => rig.send("/webhook/other", "{}")],
    ["413", () => rig.send("/webhook/mock", "x".repeat(LIMIT + 1))],
    ["415", () => rig.send("/webhook/mock", "", { "content-encoding": "br" })],
    ["503", () => {
      broken = () => new Response("", { status: 400 });
      return rig.send("/webhook/mock", ONE);
    }],
    ["a client that goes in mid-body", async () => {
      const before = refusals();
      {
        using socket = await RawSocket.open(port);
        await socket.send(head("Content-Length: 99") + "{");
      }
      await until("the ingester to notice", () => refusals() > before);
    }],
    [
      "a client that stays in mid-body",
      () => speak(rig, head("Content-Length: 99")),
    ],
    ["a client that goes while the gateway is asked", async () => {
      const asked = Promise.withResolvers<AbortSignal>();
      const before = refusals();
      broken = (one) => {
        asked.resolve(one.request.signal);
        return never(one);
      };
      {
        using socket = await RawSocket.open(port);
        await socket.send(`${head("Content-Length: 12")}${ONE}`);
        await asked.promise;
      }
      await until("the ingester to notice", () => refusals() > before);
      const signal = await asked.promise;
      await until("the gateway to notice", () => signal.aborted);
    }],
  ];
  for (const [what, end] of ends) {
    broken = undefined;
    await end();
    broken = undefined;
    await until(`a place after ${what}`, async () => {
      const { status } = await rig.send("/webhook/mock", '{"id":"next"}');
      assert(status === 202 || status === 429, `${what}: ${status}`);
      return status === 202;
    });
  }
  assert(!rig.log.some((line) => line.includes('"level":"error"')));
});

Deno.test("a place is held for 5 s at most by a body that does not come", async () => {
  assertEquals(INGESTER.limits, { headersMs: 2_500, requestMs: 5_000 });
  await using rig = await startRig({ INGEST_MAX_INFLIGHT: "1" }, {
    limits: { headersMs: 500, requestMs: 1_000 },
  });
  const started = performance.now();
  const slow = speak(rig, head("Content-Length: 99") + "{");
  assertStringIncludes(await slow, "HTTP/1.1 408 ");
  assert(performance.now() - started < 4_000);
  await assertWorks(rig);
});

Deno.test("who does not send its body loses its place to a newer request", async () => {
  await using rig = await startRig({ INGEST_MAX_INFLIGHT: "1" });
  using slow = await RawSocket.open(Number(new URL(rig.url).port));
  const ended = slow.readToEnd();
  await slow.send(head("Content-Length: 99") + "{");
  await until("the place to change hands", async () => {
    await assertWorks(rig);
    return rig.log.some((line) => line.includes("Too many webhooks"));
  });
  assertEquals(statusesOf(await ended), [429]);
});

Deno.test("a signed delivery gets through 2,000 idle and 300 dripping connections of its address", async () => {
  await using rig = await startRig();
  const port = Number(new URL(rig.url).port);
  using stack = new DisposableStack();
  const stop = new AbortController();
  stack.defer(() => stop.abort());
  const signed = head("Content-Type: application/json", "Content-Length: 9999")
    .replace("mock", "pagerduty");
  let drips = 0;
  const keepOpen = async (first: string, piece: string) => {
    while (!stop.signal.aborted) {
      try {
        using socket = await RawSocket.open(port);
        while (!stop.signal.aborted && await socket.send(first || piece)) {
          first = "";
          drips++;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      } catch {
        // It is closed, and comes again.
      }
    }
  };
  // Half of them have asked for something, and keep their connection.
  for (let at = 0; at < 2_000; at += 100) {
    await Promise.all(Array.from({ length: 100 }, async (_, nth) => {
      const socket = stack.use(await RawSocket.open(port));
      if (nth % 2 === 0) await socket.send(head("Content-Length: 2") + "{}");
    }));
  }
  const dripping = Array.from(
    { length: 300 },
    (_, nth) =>
      nth % 2 === 0
        ? keepOpen(signed, " ")
        : keepOpen(signed.slice(0, -2), "a"),
  );
  await until("them to drip", () => drips > 600);
  const started = performance.now();
  for (let nth = 0; nth < 5; nth++) {
    const [sender] = SENDERS;
    const { status } = await post(rig, sender!, sender!.body(""));
    assertEquals(status, 202);
  }
  assert(performance.now() - started < 10_000);
  stop.abort();
  await Promise.all(dripping);
  await assertWorks(rig);
});

Deno.test("the 5 s of an answer count from the request's first byte", async () => {
  await using rig = await startRig({}, { gateway: never });
  const started = performance.now();
  using socket = await RawSocket.open(Number(new URL(rig.url).port));
  await socket.send(head("Content-Length: 12", "Connection: close") + "{");
  await wait(1_500, new AbortController().signal); // A slow sender.
  await socket.send(ONE.slice(1));
  const answer = await socket.readToEnd();
  assertEquals(statusesOf(answer), [503]);
  assert(performance.now() - started < 5_000);
  assert(rig.log.some((line) => line.includes("has not answered within 4500")));
});

Deno.test("a delivery whose sender went away is the same run when it comes again", async () => {
  let count = 0;
  await using rig = await startRig({}, {
    gateway(asked, works) {
      const answer = works();
      // Started, and nobody is told.
      return ++count === 1 ? never(asked) : answer;
    },
  });
  {
    using socket = await RawSocket.open(Number(new URL(rig.url).port));
    await socket.send(`${head("Content-Length: 12")}${ONE}`);
    await until("the run to be started", () => rig.starts.length === 1);
  }
  assertEquals((await rig.send("/webhook/mock", ONE)).status, 202);
  assertEquals(rig.starts.map(({ key }) => key), [
    "incident-enricher:mock:one",
  ]);
});

Deno.test("good deliveries are taken while 250 others dawdle", async () => {
  await using rig = await startRig({}, {
    limits: { headersMs: 2_000, requestMs: 2_000 },
  });
  const port = Number(new URL(rig.url).port);
  using stack = new DisposableStack();
  const open = (count: number) =>
    Promise.all(Array.from({ length: count }, async () => {
      return stack.use(await RawSocket.open(port));
    }));
  const ends: Promise<string>[] = [];
  let drips = 0;
  const drip = async (socket: RawSocket, start: string, piece: string) => {
    await socket.send(start);
    while (await socket.send(piece)) {
      drips++;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  for (const socket of await open(200)) ends.push(socket.readToEnd());
  const [headers, bodies] = [await open(25), await open(25)];
  const dripping = [
    ...headers.map((socket) =>
      drip(socket, "POST /webhook/mock HTTP/1.1\r\n", "X-A: a\r\n")
    ),
    ...bodies.map((socket) => drip(socket, head("Content-Length: 9999"), " ")),
  ];
  for (const socket of [...headers, ...bodies]) ends.push(socket.readToEnd());
  await until("them to drip", () => drips > 50);
  for (let nth = 0; nth < 5; nth++) {
    await Promise.all(SENDERS.map(async (sender) => {
      const { status } = await post(rig, sender, sender.body(""));
      assertEquals(status, 202);
    }));
  }
  // All of the 250 were there meanwhile, and every one is cut off.
  const answers = await Promise.all(ends);
  assertEquals(answers.length, 250);
  for (const answer of answers) assertEquals(statusesOf(answer), [408]);
  await Promise.all(dripping);
  await assertWorks(rig);
});

Deno.test("nothing that is sent writes a log line of its own", async () => {
  const line = '\r\n{"level":"error","msg":"forged"}\n\x1b[2J\u009b2J';
  await using rig = await startRig({}, {
    gateway: ({ key }, works) =>
      key.endsWith("refused") ? plain(400, `no: ${line}`) : works(),
  });
  const [pd, am] = SENDERS;
  const type = JSON.stringify({
    event: { ...pagerduty.event, event_type: `odd${line}` },
  });
  await post(rig, pd!, type);
  await post(rig, pd!, pd!.body(`"title":${JSON.stringify(line)}`));
  await post(rig, am!, am!.body(`"service":${JSON.stringify(line)}`));
  await rig.send("/webhook/mock", JSON.stringify({ id: `a${line}` }));
  await rig.send("/webhook/mock", JSON.stringify({ id: "refused" }));
  await rig.send(`/webhook/${encodeURIComponent(line)}`, "{}");
  assert(rig.log.length >= 6);
  for (const written of rig.log) {
    // deno-lint-ignore no-control-regex -- that is what is looked for
    assert(!/[\x00-\x1f\x7f-\x9f]/.test(written), JSON.stringify(written));
    assert(JSON.parse(written)["msg"] !== "forged");
  }
});

Deno.test("the ingester's process outlives all of it, and stops at once when it is told to", async () => {
  await using gateway = startGateway((asked, works) =>
    asked.key.includes("held") ? never(asked) : works()
  );
  const { ingester } = await readRequirements();
  await using worker = spawnWorker("ingester", ingester, {
    INGESTER_ADDR: "127.0.0.1:0",
    CORETEX_GATEWAY_URL: gateway.url,
    CORETEX_API_KEY: API_KEY,
    INGEST_MOCK_OPEN: "1",
    PAGERDUTY_WEBHOOK_SECRETS: SECRET,
  });
  const { url } = await worker.waitFor("Worker ready", 20_000);
  const lines: string[] = [];
  worker.onLine((line) => lines.push(line));
  const port = Number(new URL(String(url)).port);
  const take = (body: string) =>
    fetch(`${url}/webhook/mock`, { method: "POST", body }).then(
      async (response) => {
        await response.body?.cancel();
        return response.status;
      },
    );
  const gone = [
    ...SHAPES.map(([, sent]) => sent),
    head("Content-Length: 99") + "{",
    head(CHUNKED) + "c\r\n{",
    `${head("Content-Length: 13")}{"id":"held"}`,
    `${head("Content-Length: 13")}{"id":"held"}${SMUGGLED.repeat(20)}`,
  ];
  await Promise.all(gone.map(async (sent) => {
    using socket = await RawSocket.open(port);
    await socket.send(sent);
  }));
  for (const [, body] of HOPELESS) {
    if (typeof body === "string") assertEquals(await take(body), 400);
  }
  assertEquals(await take(ONE), 202);
  await until(
    "those who went to be noticed",
    () => lines.filter((line) => line.includes("broke off")).length >= 2,
  );
  const started = performance.now();
  assertEquals(await worker.stop(), 0);
  // It would wait 10 s for a request in hand.
  assert(performance.now() - started < 5_000);
  // Nothing but log lines: no warning of the runtime, no stack.
  for (const line of lines) assert(JSON.parse(line)["level"] !== "error", line);
});
