/**
 * What approving a post would do, by the records of posts.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import {
  describeEffect,
  type Effect,
  readEffects,
} from "../../lib/operate/effect.ts";
import { POST_TOPIC } from "../../lib/operate/pack.ts";
import { foldPost, type Post, type Posts } from "../../lib/operate/posts.ts";
import { type JobFacts, readFacts } from "../../lib/operate/proposal.ts";
import { StoreError } from "../../lib/platform/store.ts";
import { type PostEvent, recordKey } from "../../lib/post/events.ts";
import { claim, posted } from "../support/post_events.ts";

const AT = "2026-11-28T09:30:00.000Z";
const NOW = Date.parse("2026-11-28T12:00:00Z");
const SLACK = "slack:0123456789abcdef";
const OTHER = "slack:fedcba9876543210";

/** Records of posts, by key. */
function recordsOf(
  records: Readonly<Record<string, readonly (PostEvent | string)[]>>,
): Posts {
  return {
    find: (isWanted: (key: string) => boolean) =>
      Promise.resolve(
        Object.entries(records).filter(([key]) => isWanted(key)).map((
          [key, events],
        ): Post =>
          foldPost(
            key,
            events.map((event) =>
              typeof event === "string" ? event : JSON.stringify(event)
            ),
            NOW,
          )
        ),
      ),
  } as Posts;
}

const POST = {
  id: "r:post@1",
  topic: POST_TOPIC,
  tenant: "acme",
  context: {
    incident: {
      incident_id: "mock:1",
      severity: "critical",
      destination: { mode: "slack" },
    },
    evidence: { normalized_context: { severity: "critical" } },
  },
};

const keyOf = (destination: string, incidentId = "mock:1") =>
  recordKey({ tenant: "acme", incidentId, destination });
const POSTED = [claim("A", AT, { severity: "critical" }), posted(AT)];
const WARNED = [claim("A", AT, { severity: "warning" }), posted(AT)];

interface Row {
  name: string;
  records: Parameters<typeof recordsOf>[0];
  facts?: Partial<JobFacts>;
  kind: Effect["kind"];
  words: string;
}

const ROWS: Row[] = [
  {
    name: "a post of 0.1.0, whose severity nobody knows",
    records: { [keyOf(SLACK)]: [claim("A", AT), posted(AT)] },
    kind: "nothing",
    words:
      "posted before on 2026-11-28 09:30:00 UTC to hooks.slack.com, approving sends nothing",
  },
  {
    name: "nothing was posted",
    records: {},
    kind: "new",
    words: "sends a new message",
  },
  {
    name: "posts of other incidents, tenants and destinations do not count",
    records: {
      [keyOf(SLACK, "mock:11")]: POSTED,
      [keyOf(SLACK, "mock:1:x")]: POSTED,
      [keyOf(SLACK).replace("acme", "other")]: POSTED,
      [keyOf("artifact")]: POSTED,
    },
    kind: "new",
    words: "sends a new message",
  },
  {
    name: "it was posted as bad as it is",
    records: { [keyOf(SLACK)]: POSTED },
    kind: "nothing",
    words:
      "posted before on 2026-11-28 09:30:00 UTC as critical to hooks.slack.com, approving sends nothing",
  },
  {
    name: "an artifact was made before",
    records: {
      [keyOf("artifact")]: [
        claim("A", AT, { severity: "critical", host: "artifact" }),
        posted(AT),
      ],
    },
    facts: { mode: "artifact" },
    kind: "nothing",
    words:
      "posted before on 2026-11-28 09:30:00 UTC as critical, approving sends nothing",
  },
  {
    name: "a person marked it as posted",
    records: {
      [keyOf(SLACK)]: [
        claim("A", AT, { severity: "critical" }),
        { type: "marked", token: "A", by: "bob", why: "seen", at: AT },
      ],
    },
    kind: "nothing",
    words:
      "posted before on 2026-11-28 09:30:00 UTC as critical to hooks.slack.com, as bob says, approving sends nothing",
  },
  {
    name: "it is worse than what was posted",
    records: { [keyOf(SLACK)]: WARNED },
    kind: "update",
    words:
      "sends an update, since it is worse now: posted before on 2026-11-28 09:30:00 UTC as warning to hooks.slack.com",
  },
  {
    name: "another job posts it",
    records: { [keyOf(SLACK)]: [claim("A", new Date(NOW).toISOString())] },
    kind: "busy",
    words: "another job is posting it at this moment; look again in a minute",
  },
  {
    name: "an old claim stands",
    records: { [keyOf(SLACK)]: [claim("A", AT)] },
    kind: "in doubt",
    words:
      "in doubt: it may have been posted before, approving sends nothing; settle it first with deno task posts",
  },
  {
    name: "the record is unreadable",
    records: { [keyOf(SLACK)]: ["{"] },
    kind: "in doubt",
    words:
      "in doubt: it may have been posted before, approving sends nothing; settle it first with deno task posts",
  },
  {
    name: "the webhook may be another one",
    records: {
      [keyOf(SLACK)]: POSTED,
      [keyOf(OTHER, "mock:2")]: POSTED,
    },
    kind: "nothing",
    words:
      "posted before on 2026-11-28 09:30:00 UTC as critical to hooks.slack.com, approving sends nothing, if the poster's webhook is that of then",
  },
  {
    name: "the webhook used last counts",
    records: {
      [keyOf(OTHER)]: [
        claim("A", "2026-11-28T10:00:00Z", { severity: "warning" }),
        posted("2026-11-28T10:00:00Z"),
      ],
      [keyOf(SLACK)]: POSTED,
    },
    kind: "update",
    words:
      "sends an update, since it is worse now: posted before on 2026-11-28 10:00:00 UTC as warning to hooks.slack.com, if the poster's webhook is that of then",
  },
  {
    name: "a dry run sends nothing, whatever was posted",
    records: { [keyOf(SLACK)]: WARNED },
    facts: { dryRun: true },
    kind: "dry run",
    words: "a dry run, approving sends nothing",
  },
];
for (const { name, records, facts, kind, words } of ROWS) {
  Deno.test(`readEffects(): ${name}`, async () => {
    const job = { ...readFacts(POST), ...facts };
    const effects = await readEffects(recordsOf(records), [job], NOW);
    const effect = effects.get("r:post@1")!;
    assertEquals([effect.kind, describeEffect(effect)], [kind, words]);
  });
}

Deno.test("readEffects() reads all records in one pass, and none for what is no post", async () => {
  let passes = 0;
  const records = recordsOf({ [keyOf(SLACK)]: POSTED });
  const posts: Posts = {
    ...records,
    find(isWanted) {
      passes++;
      return records.find(isWanted);
    },
  };
  const job = readFacts(POST);
  const fetch = { ...readFacts({ ...POST, topic: "job.x" }), jobId: "fetch" };
  assertEquals(await readEffects(posts, [fetch], NOW), new Map());
  assertEquals(passes, 0);
  const next = { ...job, jobId: "next", incidentId: "mock:2" };
  const effects = await readEffects(posts, [job, fetch, next], NOW);
  assertEquals(
    [...effects].map(([id, { kind }]) => [id, kind]),
    [["r:post@1", "nothing"], ["next", "new"]],
  );
  assertEquals(passes, 1);
});

Deno.test("readEffects() knows nothing without Redis", async () => {
  const effects = await readEffects(undefined, [readFacts(POST)], NOW);
  const effect = effects.get("r:post@1")!;
  assertEquals([effect.kind, describeEffect(effect)], [
    "unknown",
    "not known: set REDIS_URL to see what was posted before",
  ]);
});

Deno.test("readEffects() gives up on too many records, not on an outage", async () => {
  const posts = (kind: StoreError["kind"]) =>
    ({
      find: () => Promise.reject(new StoreError(kind, "no")),
    }) as unknown as Posts;
  const jobs = [readFacts(POST)];
  const effects = await readEffects(posts("too large"), jobs, NOW);
  const effect = effects.get("r:post@1")!;
  assertEquals([effect.kind, describeEffect(effect)], [
    "too many",
    "not known: there are too many records of posts to search",
  ]);
  await assertRejects(
    () => readEffects(posts("unavailable"), jobs, NOW),
    StoreError,
  );
});

Deno.test("readFacts() shows no more of a foreign bundle than policy allows", () => {
  const words = `token ${
    ["ghp", "7Zq".repeat(12)].join("_")
  } of ada@example.com`;
  const evidence = {
    evidence: [{ title: words }],
    gaps: [{ what: words, why: words }],
    normalized_context: { title: words },
  };
  for (
    const [redaction_level, count] of [
      ["none", 0],
      ["standard", 1],
      ["strict", 2],
      ["no level", 2],
    ] as const
  ) {
    const facts = readFacts({
      ...POST,
      safety_constraints: { redaction_level },
      context: { evidence },
    });
    const [{ what, why }] = facts.gaps as [{ what: string; why: string }];
    for (const text of [facts.title, facts.evidence[0]!.title, what, why]) {
      const found = text.match(/\[secret:/g) ?? [];
      assertEquals([redaction_level, found.length], [redaction_level, count]);
    }
  }
});

Deno.test("readFacts() completes the id with its source, as the poster does", () => {
  const idOf = (incident: unknown, evidence: unknown = {}) =>
    readFacts({ ...POST, context: { incident, evidence } }).incidentId;
  assertEquals(idOf({ incident_id: "7" }), "mock:7");
  assertEquals(
    idOf({ incident_id: "7", source: { system: "pagerduty" } }),
    "pagerduty:7",
  );
  assertEquals(idOf({ incident_id: "mock:7" }), "mock:7");
  assertEquals(idOf({}, { incident_id: "mock:8" }), "mock:8");
  assertEquals(idOf({}), "");
});
