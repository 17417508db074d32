/**
 * `deno task posts`, on the embedded Redis and on a real one.
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
  parseEvents,
  type PostEvent,
  recordKey,
} from "../../lib/post/events.ts";
import { fold } from "../../lib/post/record.ts";
import { StoreError } from "../../lib/platform/store.ts";
import { openPosts } from "../../lib/operate/posts.ts";
import { freePort } from "../../scripts/launch/free_port.ts";
import { startRealRedis } from "../support/real_servers.ts";
import { main } from "../../scripts/posts.ts";
import { call } from "../support/command.ts";
import { claim, posted, RUN } from "../support/post_events.ts";
import { runTask } from "../support/task.ts";
import { runOut } from "../support/until.ts";

const SLACK = "slack:0123456789abcdef";
const { signal } = new AbortController();

function ago(seconds: number): string {
  return new Date(Date.now() - seconds * 1000).toISOString();
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
    call(main, args, { env: { REDIS_URL: url } });
  const person = ["--by", "ada", "--why", "looked in #incidents"];

  await t.step("there are none", async () => {
    const { code, stdout, stderr } = await posts();
    assertEquals([code, stdout, stderr], [0, "No posts\n", ""]);
    const task = await runTask("posts", ["--json"], { REDIS_URL: url });
    assertEquals([task.code, task.stdout, task.stderr], [0, "[]\n", ""]);
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
    claim("A", ago(70), { host: "artifact" }),
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
          "severities",
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
        severities: ["not recorded"],
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
    assertStringIncludes(stdout, "then run posts mark or posts free");
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
        "Marked mock:DOUBT as posted; nothing more will be sent for it\n",
      ]);
      const state = fold(await records.read(keyOf("mock:DOUBT")));
      assert(state.state === "posted" && state.last.as === "marked");
      const { by, link: at } = state.last;
      assertEquals([by, at], ["ada", link]);
      const again = await posts(...args);
      assertEquals(again.code, 1);
      assertStringIncludes(
        again.stderr,
        "Nothing to mark: ada marked it as posted",
      );
      const [shown] = JSON.parse(
        (await posts("show", "mock:DOUBT", "--json")).stdout,
      ) as Listed[];
      assertEquals([shown?.["state"], shown?.["at"]], [
        "posted",
        state.last.at,
      ]);
    },
  );

  await t.step(
    "an update in doubt is shown, freed and marked as one",
    async () => {
      const warned = ago(7_000);
      const { type: _, ...first } = claim("A", warned, { severity: "warning" });
      for (const incident of ["mock:RISEN", "mock:RAISED"]) {
        await records.write(
          keyOf(incident),
          { type: "claim", ...first },
          posted(warned),
          claim("B", ago(3_000), { severity: "error" }),
          { type: "unknown", token: "B", why: "no answer", at: ago(2_990) },
        );
      }
      const { stdout } = await posts();
      assertMatch(
        stdout,
        /in doubt +50 min +hooks\.slack\.com +mock:RISEN\n +warning then error, run /,
      );
      for (const line of stdout.split("\n")) assert(line.length <= 100, line);
      assertStringIncludes(
        (await posts("show", "mock:RISEN")).stdout,
        "  severity     warning (posted), then error (in doubt)\n",
      );
      const freed = await posts("free", "mock:RISEN", ...person);
      assertStringIncludes(
        freed.stdout,
        "Freed the update of mock:RISEN, which stays posted as warning: the next worse message will be sent.",
      );
      assertStringIncludes(
        (await posts("show", "mock:RISEN")).stdout,
        "  severity     warning (posted)\n",
      );
      const marking = ["mark", "mock:RAISED", "--posted", ...person];
      assertEquals(
        (await posts(...marking)).stdout,
        [
          "Marked mock:RAISED as posted as error; ",
          "only a worse message will be sent for it\n",
        ].join(""),
      );
      const again = await posts(...marking);
      assertMatch(again.stderr, /Nothing to mark: ada marked .*, as error/);
      for (const incident of ["mock:RISEN", "mock:RAISED"]) {
        await posts("forget", incident, "--yes");
      }
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
      const nobody = await call(main, ["forget", "mock:SENT", "--yes"], {
        env: { REDIS_URL: url, USER: "" },
      });
      assertEquals(nobody.code, 2);
      assertStringIncludes(nobody.stderr, "Say who you are with --by WHO");
      const answered = await call(main, ["forget", "mock:SENT"], {
        env: { REDIS_URL: url },
        answers: ["no"],
      });
      assertEquals([answered.code, answered.stderr], [
        1,
        "error: Nothing was deleted\n",
      ]);
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
  [
    ["erase", "mock:1"],
    "Unknown command 'erase'; expected show, mark, free or forget",
  ],
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
    const { code, stderr } = await call(main, args);
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
    const { code, stderr } = await call(main, [...args, "--link", link]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, `error: ${says}`);
    assert(!stderr.includes("services"));
  }
});

Deno.test("posts says that Redis is not there", async () => {
  const port = freePort();
  const redis = { url: `redis://:s3cret@127.0.0.1:${port}` };
  const error = await assertRejects(
    () => openPosts(redis, signal, { connectMs: 200 }),
    StoreError,
  );
  assertEquals(
    error.message,
    `Cannot connect to Redis at 127.0.0.1:${port} within 0.2 s ` +
      `(connect ECONNREFUSED 127.0.0.1:${port}); check REDIS_URL or REDIS_ADDR`,
  );
  await runOut();
});
