/**
 * `deno task posts`: as the task that people run, and the decisions alone where
 * it matters who comes first.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { startRedisServer } from "../../deploy/devcore/redis_server.ts";
import { createLog } from "../../lib/base/log.ts";
import { connectStore } from "../../lib/platform/store.ts";
import {
  fold,
  parseEvents,
  type PostEvent,
  type PostKey,
  PostRecord,
  recordKey,
} from "../../lib/post/record.ts";
import { OperationError } from "../../lib/operate/errors.ts";
import { type DeletableList, foldPost } from "../../lib/operate/posts.ts";
import { ageOf, printable } from "../../lib/base/text.ts";
import { forgetPost, freePost, markPost } from "../../lib/operate/settle.ts";
import { freePort } from "../../scripts/launch/free_port.ts";
import { startRealRedis } from "../support/real_servers.ts";
import { runTask } from "../support/task.ts";
import { runOut } from "../support/until.ts";

const SLACK = "slack:0123456789abcdef";
const RUN = "8f14e45f-ceea-467f-a8d0-5b1c7b2f0d11";
const { signal } = new AbortController();

function ago(seconds: number): string {
  return new Date(Date.now() - seconds * 1000).toISOString();
}

function claim(token: string, at: string, more: Partial<PostEvent> = {}) {
  return {
    type: "claim" as const,
    token,
    job_id: `${RUN}:post@1`,
    run_id: RUN,
    digest: "d".repeat(64),
    host: "hooks.slack.com",
    ...more,
    at,
  } as Extract<PostEvent, { type: "claim" }>;
}

function posted(at: string): PostEvent {
  const result = {
    posted_at: at,
    message_sha256: "d".repeat(64),
    job_id: `${RUN}:post@1`,
    run_id: RUN,
  };
  return { type: "posted", token: "A", result, at };
}

function keyOf(incidentId: string, destination = SLACK, tenant = "default") {
  return recordKey({ tenant, incidentId, destination });
}

/** Writes records as posters would, and reads them back. */
async function openRecords(url: string) {
  const store = await connectStore({
    url,
    name: "test",
    log: createLog({}, { write() {} }),
    signal,
  });
  return {
    async write(key: string, ...events: (PostEvent | string)[]) {
      for (const event of events) {
        const item = typeof event === "string" ? event : JSON.stringify(event);
        await store.append(key, item, signal);
      }
    },
    read: async (key: string) => parseEvents(await store.list(key, signal)),
    raw: (key: string) => store.list(key, signal),
    [Symbol.asyncDispose]: () => store.close(),
  };
}

type Listed = Record<string, unknown>;

/** What holds on every server. */
async function behave(t: Deno.TestContext, url: string): Promise<void> {
  await using records = await openRecords(url);
  const posts = (...args: string[]) =>
    runTask("posts", args, { REDIS_URL: url });
  const person = ["--by", "ada", "--why", "looked in #incidents"];

  await t.step("there are none", async () => {
    const { code, stdout, stderr } = await posts();
    assertEquals([code, stdout, stderr], [0, "No posts\n", ""]);
    assertEquals((await posts("--json")).stdout, "[]\n");
  });

  const doubtAt = ago(3_000);
  await records.write(
    keyOf("mock:DOUBT"),
    claim("A", doubtAt),
    { type: "unknown", token: "A", why: "no answer in time", at: doubtAt },
  );
  await records.write(keyOf("mock:BUSY"), claim("A", ago(5)));
  await records.write(keyOf("mock:OLD"), claim("A", ago(90_000)));
  await records.write(
    keyOf("mock:SENT", "artifact"),
    claim("A", ago(70), { host: "artifact" } as never),
    posted(ago(60)),
  );
  await records.write(
    keyOf("mock:FREE"),
    claim("A", ago(70)),
    { type: "refused", token: "A", why: "status 404", at: ago(60) },
  );
  // A tenant and an id with colons: the claim says which is which.
  await records.write(
    keyOf("mock:a:b", "artifact", "acme:eu"),
    claim("A", ago(10), {
      tenant: "acme:eu",
      incident_id: "mock:a:b",
      destination: "artifact",
    } as never),
    posted(ago(9)),
  );
  await records.write(keyOf("mock:BAD"), "\x1b[2J no event");
  await records.write("other:posted:default:mock:X:artifact", "x");

  await t.step(
    "the list has what needs a person first, in 100 columns",
    async () => {
      const { code, stdout, stderr } = await posts();
      assertEquals([code, stderr], [0, ""]);
      const lines = stdout.trimEnd().split("\n");
      for (const line of lines) assert(line.length <= 100, line);
      assert(!stdout.includes("\x1b"));
      const rows = lines.slice(1).filter((line) => !line.startsWith(" "));
      assertEquals(rows.map((row) => row.split(/ {2,}/)), [
        ["in doubt", "50 min", "hooks.slack.com", "mock:DOUBT"],
        ["in doubt", "25 h", "hooks.slack.com", "mock:OLD"],
        ["in doubt", "unknown", SLACK, "mock:BAD"],
        ["busy", rows[3]!.split(/ {2,}/)[1]!, "hooks.slack.com", "mock:BUSY"],
        ["posted", rows[4]!.split(/ {2,}/)[1]!, "hooks.slack.com", "mock:a:b"],
        ["posted", rows[5]!.split(/ {2,}/)[1]!, "artifact", "mock:SENT"],
      ]);
      assertStringIncludes(stdout, `run ${RUN}, job post@1`);
      assert(!stdout.includes("mock:FREE"));
      assertStringIncludes((await posts("--all")).stdout, "mock:FREE");
    },
  );

  await t.step(
    "--json has exactly the fields that others rely on",
    async () => {
      const all = JSON.parse(
        (await posts("--all", "--json")).stdout,
      ) as Listed[];
      assertEquals(all.length, 7);
      for (const record of all) {
        assertEquals(Object.keys(record).toSorted(), [
          "at",
          "destination",
          "events",
          "incident_id",
          "job_id",
          "key",
          "run_id",
          "state",
          "tenant",
        ]);
      }
      const of = (id: string) =>
        all.find(({ incident_id }) => incident_id === id);
      assertEquals(of("mock:DOUBT"), {
        key: keyOf("mock:DOUBT"),
        tenant: "default",
        incident_id: "mock:DOUBT",
        destination: SLACK,
        state: "in doubt",
        events: (await records.read(keyOf("mock:DOUBT"))) as unknown,
        job_id: `${RUN}:post@1`,
        run_id: RUN,
        at: doubtAt,
      });
      const { tenant, destination, state } = of("mock:a:b")!;
      assertEquals([tenant, destination, state], [
        "acme:eu",
        "artifact",
        "posted",
      ]);
      assertEquals([of("mock:FREE")?.["state"], of("mock:BAD")?.["events"]], [
        "free",
        ["\x1b[2J no event"],
      ]);
      const some = JSON.parse((await posts("--json")).stdout) as Listed[];
      assertEquals(some.length, 6);
    },
  );

  await t.step("show says everything that is known", async () => {
    const { code, stdout } = await posts("show", "mock:DOUBT");
    assertEquals(code, 0);
    assertStringIncludes(stdout, "mock:DOUBT  in doubt\n");
    assertStringIncludes(stdout, `  destination  ${SLACK} (hooks.slack.com)\n`);
    assertMatch(stdout, /why +no answer in time/);
    assertStringIncludes(stdout, "then posts mark, or posts free");
    for (const line of stdout.split("\n")) assert(line.length <= 100, line);
    const json = JSON.parse(
      (await posts("show", "mock:DOUBT", "--json")).stdout,
    );
    assertEquals(json.length, 1);
    const none = await posts("show", "mock:NONE");
    assertEquals([none.code, none.stderr.trim()], [
      1,
      "error: Nothing is known of a post of mock:NONE",
    ]);
  });

  await t.step("free is refused while the claim is young", async () => {
    const { code, stderr } = await posts("free", "mock:BUSY", ...person);
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /^error: Job \S+ claimed it \d+ s ago; a claim can be freed when it is 15 min old, or with --force\. If the message was sent after all, or the process that claimed it is only paused, there will be two\.\n$/,
    );
    assertEquals((await records.read(keyOf("mock:BUSY"))).length, 1);
    const forced = await posts("free", "mock:BUSY", ...person, "--force");
    assertEquals(forced.code, 0);
    assertStringIncludes(forced.stdout, "there will be two");
    const freed = (await records.read(keyOf("mock:BUSY"))).at(-1);
    assert(freed?.type === "freed");
    assertEquals([freed.by, freed.why, freed.token], [
      "ada",
      "looked in #incidents",
      "A",
    ]);
  });

  await t.step("free says when there is nothing to free", async () => {
    for (
      const [incident, why] of [
        ["mock:FREE", "no claim stands"],
        ["mock:SENT", "it was posted at "],
      ] as const
    ) {
      const { code, stderr } = await posts("free", incident, ...person);
      assertEquals(code, 1);
      assertStringIncludes(stderr, `error: Nothing to free: ${why}`);
    }
    const { stderr } = await posts("free", "mock:BAD", ...person);
    assertStringIncludes(stderr, "posts forget --force deletes it");
  });

  await t.step(
    "mark settles it for good, with who, why and where",
    async () => {
      const link = "https://acme.slack.com/archives/C1/p1";
      const args = [
        "mark",
        "mock:DOUBT",
        "--posted",
        "--link",
        link,
        ...person,
      ];
      const { code, stdout } = await posts(...args);
      assertEquals([code, stdout], [
        0,
        "Marked mock:DOUBT as posted; nothing will be sent for it\n",
      ]);
      const state = fold(await records.read(keyOf("mock:DOUBT")));
      assert(state.state === "marked");
      assertEquals([state.by, state.link], ["ada", link]);
      const again = await posts(...args);
      assertEquals(again.code, 1);
      assertStringIncludes(
        again.stderr,
        "Nothing to mark: ada marked it as posted",
      );
      const [shown] = JSON.parse(
        (await posts("show", "mock:DOUBT", "--json")).stdout,
      ) as Listed[];
      assertEquals([shown?.["state"], shown?.["at"]], ["posted", state.at]);
    },
  );

  await t.step("several records of one incident: it asks which", async () => {
    await records.write(keyOf("mock:SENT"), claim("A", ago(3_000)));
    const { code, stdout, stderr } = await posts(
      "free",
      "mock:SENT",
      ...person,
    );
    assertEquals(code, 1);
    assertStringIncludes(stdout, "in doubt");
    assertMatch(
      stderr,
      /2 records; choose one with --destination ID of (artifact, slack:\w+|slack:\w+, artifact)/,
    );
    const chosen = await posts(
      "free",
      "mock:SENT",
      ...person,
      "--destination",
      SLACK,
    );
    assertEquals(chosen.code, 0);
    await records.write(keyOf("mock:SENT", SLACK, "acme"), claim("A", ago(1)));
    const tenants = await posts("free", "mock:SENT", ...person);
    assertMatch(tenants.stderr, /3 records; choose one with --tenant ID of /);
  });

  await t.step(
    "forget asks, deletes all of an incident and says so",
    async () => {
      const asked = await posts("forget", "mock:SENT");
      assertEquals(asked.code, 1);
      assertStringIncludes(
        asked.stderr,
        "There is no terminal to ask on; --yes says yes",
      );
      const args = ["forget", "mock:SENT", "--yes", "--tenant"];
      const young = await posts(...args, "acme");
      assertEquals(young.code, 1);
      assertStringIncludes(young.stderr, "or with --force");
      assertEquals(
        (await records.raw(keyOf("mock:SENT", SLACK, "acme"))).length,
        1,
      );
      const forced = await posts(...args, "acme", "--force");
      assertStringIncludes(forced.stdout, `Deleted mock:SENT, ${SLACK}\n`);
      const rest = await posts(...args, "default");
      assertEquals(rest.code, 0);
      assertStringIncludes(rest.stdout, "Deleted mock:SENT, artifact\n");
      assertStringIncludes(rest.stdout, `Deleted mock:SENT, ${SLACK}\n`);
      for (const destination of ["artifact", SLACK]) {
        assertEquals(await records.raw(keyOf("mock:SENT", destination)), []);
      }
      const bad = await posts("forget", "mock:BAD", "--yes");
      assertStringIncludes(bad.stderr, "--force deletes it");
      assertEquals(
        (await posts("forget", "mock:BAD", "--yes", "--force")).code,
        0,
      );
      assertEquals(await records.raw(keyOf("mock:BAD")), []);
    },
  );
  await runOut();
}

Deno.test("posts on the embedded Redis", async (t) => {
  await using server = await startRedisServer();
  await behave(t, server.url);
});

{
  await using probe = await startRealRedis();
  if (probe !== undefined) {
    Deno.test("posts on redis-server", async (t) => {
      await using server = await startRealRedis();
      await behave(t, server!.url);
    });
  }
}

const MISUSES: [args: string[], says: string][] = [
  [["list", "mock:1"], "a list takes no incident"],
  [["erase", "mock:1"], "'erase' is none of show, mark, free, forget"],
  [["show"], "posts show needs the id of an incident"],
  [["show", "mock:1", "mock:2"], "Unexpected argument 'mock:2'"],
  [["--force"], "--force does not go with a list"],
  [["free", "mock:1", "--yes"], "--yes does not go with free"],
  [
    ["free", "mock:1", "--why", "x"],
    "--by is required, in at most 500 characters",
  ],
  [
    ["free", "mock:1", "--by", " "],
    "--by is required, in at most 500 characters",
  ],
  [
    ["free", "mock:1", "--by", "ada", "--why", "x".repeat(501)],
    "--why is required, in at most 500 characters",
  ],
  [["mark", "mock:1", "--by", "a", "--why", "b"], "posts mark needs --posted"],
];

Deno.test("posts says what is wrong with its arguments, before it looks", async () => {
  for (const [args, says] of MISUSES) {
    const { code, stderr } = await runTask("posts", args);
    assertEquals([code, stderr.trim()], [2, `error: ${says}; see --help`]);
  }
  for (
    const [link, says] of [
      ["ftp://a.test/", "--link must be the address of a page"],
      ["https://u:p@a.test/", "--link must be the address of a page"],
      [
        "https://hooks.slack.com/services/T/B/x",
        "--link is a webhook's address",
      ],
    ] as const
  ) {
    const args = ["mark", "mock:1", "--posted", "--by", "a", "--why", "b"];
    const { code, stderr } = await runTask("posts", [...args, "--link", link]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, `error: ${says}`);
    assert(!stderr.includes("services"));
  }
});

Deno.test("posts says that Redis is not there", async () => {
  const port = freePort();
  const { code, stderr } = await runTask("posts", [], {
    REDIS_URL: `redis://:s3cret@127.0.0.1:${port}`,
  });
  assertEquals([code, stderr.trim()], [
    1,
    `error: Cannot connect to Redis at 127.0.0.1:${port} within 5 s; REDIS_URL names another`,
  ]);
});

// Who comes first, with a list in memory.

const POST: PostKey = {
  tenant: "default",
  incidentId: "mock:1",
  destination: "artifact",
};
const NOW_MS = Date.parse("2026-03-04T06:00:00Z");
const OLD = "2026-03-04T05:45:00.000Z"; // 15 minutes.
const YOUNG = "2026-03-04T05:45:00.001Z";
const ADA = { by: "ada", why: "looked", nowMs: NOW_MS };
const BOB = { by: "bob", why: "looked", nowMs: NOW_MS + 1 };

/** `before` is what others write just before the next append. */
class Bench implements DeletableList {
  items: string[];
  before: PostEvent[] = [];
  deleted: (() => void) | undefined;

  constructor(...events: PostEvent[]) {
    this.items = events.map((event) => JSON.stringify(event));
  }

  append(_: string, item: string): Promise<void> {
    const others = this.before.splice(0).map((event) => JSON.stringify(event));
    this.items.push(...others, item);
    return Promise.resolve();
  }

  list(): Promise<string[]> {
    return Promise.resolve([...this.items]);
  }

  delete(): Promise<boolean> {
    this.deleted?.();
    return Promise.resolve(this.items.splice(0).length > 0);
  }

  get state() {
    return fold(parseEvents(this.items)).state;
  }
}

const KEY = recordKey(POST);

Deno.test("freePost() takes a claim at 15 minutes and refuses a younger one", async () => {
  const free = (at: string, force = false) =>
    freePost(new Bench(claim("A", at)), KEY, { ...ADA, force });
  assertEquals(await free(OLD), { first: true });
  const error = await assertRejects(() => free(YOUNG), OperationError);
  assertStringIncludes(error.message, "claimed it 14 min ago");
  assertEquals(await free(YOUNG, true), { first: true });
  for (const at of ["2027-01-01T00:00:00Z", "some day"]) {
    await assertRejects(() => free(at), OperationError, "or with --force");
  }
});

Deno.test("freePost() says who or what was faster", async () => {
  const rows: [PostEvent, string][] = [
    [
      { type: "freed", token: "A", by: "bob", why: "x", at: OLD },
      `bob freed it at ${OLD}`,
    ],
    [
      { type: "marked", by: "bob", why: "x", at: OLD },
      "bob marked it as posted",
    ],
    [posted(OLD), "it was posted meanwhile"],
    [
      { type: "refused", token: "A", why: "x", at: OLD },
      "it was refused meanwhile, so nothing was sent",
    ],
  ];
  for (const [event, instead] of rows) {
    const bench = new Bench(claim("A", OLD));
    bench.before = [event];
    assertEquals(await freePost(bench, KEY, { ...ADA, force: false }), {
      first: false,
      instead,
    });
  }
});

Deno.test("freePost() never frees a claim that it did not look at", async () => {
  const bench = new Bench(claim("A", OLD));
  bench.before = [
    { type: "refused", token: "A", why: "x", at: OLD },
    claim("B", OLD),
  ];
  const decided = await freePost(bench, KEY, { ...ADA, force: true });
  assertEquals([decided.first, bench.state], [false, "held"]);
});

Deno.test("two people free, or mark, at the same time: one is told of the other", async () => {
  for (let round = 0; round < 20; round++) {
    const freeing = new Bench(claim("A", OLD));
    const freed = await Promise.all(
      [ADA, BOB].map((who) => freePost(freeing, KEY, { ...who, force: false })),
    );
    assertEquals(freed.filter(({ first }) => first).length, 1);
    const marking = new Bench(claim("A", OLD));
    const marked = await Promise.all(
      [ADA, BOB].map((who) =>
        markPost(marking, KEY, { ...who, link: undefined })
      ),
    );
    assertEquals(marked.filter(({ first }) => first).length, 1);
    assertEquals(marking.state, "marked");
  }
});

Deno.test("markPost() says that it was posted meanwhile", async () => {
  const bench = new Bench(claim("A", OLD));
  bench.before = [posted(OLD)];
  assertEquals(await markPost(bench, KEY, { ...ADA, link: undefined }), {
    first: false,
    instead: `it was posted at ${OLD}`,
  });
});

Deno.test("forgetPost() refuses a young claim, and takes an old one", async () => {
  const forget = (bench: Bench, force = false) =>
    forgetPost(bench, KEY, { by: "ada", nowMs: NOW_MS, force });
  const young = new Bench(claim("A", YOUNG));
  await assertRejects(() => forget(young), OperationError, "there will be two");
  assertEquals(young.items.length, 1);
  assertEquals(await forget(young, true), true);
  assertEquals(await forget(new Bench(claim("A", OLD))), true);
  assertEquals(await forget(new Bench(claim("A", YOUNG), posted(OLD))), true);
  assertEquals(await forget(new Bench()), false);
});

Deno.test("forgetPost() keeps posters away while it deletes what is free", async () => {
  const poster = (bench: Bench) =>
    new PostRecord(bench, POST).claim(
      { jobId: "j", runId: "r", digest: "d", host: "h" },
      { settleMs: 0, now: () => NOW_MS, wait: () => Promise.resolve() },
    );
  const refused: PostEvent = { type: "refused", token: "A", why: "x", at: OLD };
  const bench = new Bench(claim("A", OLD), refused);
  let met: Promise<{ state: string }> | undefined;
  bench.deleted = () => met = poster(new Bench(...parseEvents(bench.items)));
  const options = { by: "ada", nowMs: NOW_MS, force: false };
  assertEquals(await forgetPost(bench, KEY, options), true);
  assertEquals((await met)?.state, "in doubt"); // Not "mine".
  // A poster that claims between the look and our claim keeps its record.
  const late = new Bench(claim("A", OLD), refused);
  late.before = [claim("B", YOUNG)];
  await assertRejects(
    () => forgetPost(late, KEY, options),
    OperationError,
    "A poster was faster",
  );
  assertEquals(late.state, "held");
  // So does one that claims after somebody else has freed an old claim.
  const freed: PostEvent = {
    type: "freed",
    by: "bob",
    why: "x",
    token: "A",
    at: YOUNG,
  };
  const old = new Bench(claim("A", OLD));
  old.before = [freed, claim("B", YOUNG)];
  await assertRejects(
    () => forgetPost(old, KEY, options),
    OperationError,
    "A poster was faster",
  );
  assertEquals(old.state, "held");
  // What a deletion that failed left behind can be deleted at once.
  const again = new Bench(claim("A", OLD), refused);
  again.delete = () => Promise.reject(new Error("lost"));
  await assertRejects(() => forgetPost(again, KEY, options), Error, "lost");
  again.delete = Bench.prototype.delete;
  assertEquals(await forgetPost(again, KEY, options), true);
});

Deno.test("foldPost() words a claim as busy below 60 s", () => {
  const word = (at: string) =>
    foldPost(KEY, [JSON.stringify(claim("A", at))], NOW_MS).state;
  assertEquals(word("2026-03-04T05:59:00.001Z"), "busy");
  assertEquals(word("2026-03-04T05:59:00.000Z"), "in doubt");
  assertEquals(word("some day"), "in doubt");
});

Deno.test("ageOf() and printable() are fit for a line", () => {
  const ages = [-1, 119_000, 120_000, 7_199_000, 7_200_000, 172_800_000, NaN];
  assertEquals(ages.map(ageOf), [
    "0 s",
    "119 s",
    "2 min",
    "119 min",
    "2 h",
    "2 d",
    "unknown",
  ]);
  assertEquals(printable(" a\n\tb\x1b[31mc\u202ed\u200b\x9b "), "a b [31mcd");
  assertEquals(printable("abcdef", 4), "abc…");
});
