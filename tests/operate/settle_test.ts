/**
 * What people settle about posts: who comes first, with a list in memory.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { OperationError } from "../../lib/operate/errors.ts";
import { type DeletableList, foldPost } from "../../lib/operate/posts.ts";
import { forgetPost, freePost, markPost } from "../../lib/operate/settle.ts";
import {
  parseEvents,
  type PostEvent,
  type PostKey,
  recordKey,
} from "../../lib/post/events.ts";
import { fold, PostRecord } from "../../lib/post/record.ts";
import { claim, posted } from "../support/post_events.ts";

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
  const done = { first: true, posted: undefined } as const;
  assertEquals(await free(OLD), done);
  const error = await assertRejects(() => free(YOUNG), OperationError);
  assertStringIncludes(error.message, "claimed it 14 min ago");
  assertEquals(await free(YOUNG, true), done);
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
    assertEquals(marking.state, "posted");
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
      { jobId: "j", runId: "r", digest: "d", host: "h", severity: "warning" },
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

/** A warning that was posted, and the claim of an update. */
const UPDATE = [
  claim("A", OLD, { severity: "warning" }),
  posted(OLD),
  claim("B", OLD, { severity: "critical" }),
];
const REFUSED: PostEvent = { type: "refused", token: "B", why: "x", at: OLD };

Deno.test("freePost() leads an update back to what was posted", async () => {
  const bench = new Bench(...UPDATE);
  const freed = await freePost(bench, KEY, { ...ADA, force: false });
  assertEquals(
    freed.first && [freed.posted?.severity, freed.posted?.at],
    ["warning", OLD],
  );
  assertEquals(bench.state, "posted");
  await assertRejects(
    () => freePost(bench, KEY, { ...ADA, force: false }),
    OperationError,
    `Nothing to free: it was posted at ${OLD}, as warning`,
  );
});

Deno.test("markPost() marks the claim that it saw, and no other", async () => {
  const mark = async (bench: Bench) => {
    const marked = await markPost(bench, KEY, { ...ADA, link: undefined });
    assert(marked.first && marked.posted !== undefined);
    return [marked.posted.severity, marked.posted.assumed];
  };
  const update = new Bench(...UPDATE);
  assertEquals(await mark(update), ["critical", false]);
  const first = new Bench(UPDATE[0]!);
  assertEquals(await mark(first), ["warning", false]);
  // What was refused in between, and claimed anew, is another message.
  const late = new Bench(...UPDATE);
  late.before = [REFUSED, claim("C", OLD, { severity: "error" })];
  assertEquals(await mark(late), ["critical", false]);
  // Without a claim it stands for whatever could have been sent.
  const free = new Bench(UPDATE[0]!, { ...REFUSED, token: "A" } as PostEvent);
  assertEquals(await mark(free), ["critical", true]);
  // What is posted and has no open claim cannot be marked.
  await assertRejects(
    () => mark(new Bench(...UPDATE, REFUSED)),
    OperationError,
    `Nothing to mark: it was posted at ${OLD}, as warning`,
  );
});

Deno.test("forgetPost() frees an update, and keeps the next one away", async () => {
  const options = { by: "ada", nowMs: NOW_MS, force: false };
  const young = new Bench(
    ...UPDATE.slice(0, 2),
    claim("B", YOUNG, { severity: "critical" }),
  );
  await assertRejects(
    () => forgetPost(young, KEY, options),
    OperationError,
    "there will be two",
  );
  assertEquals(await forgetPost(new Bench(...UPDATE), KEY, options), true);
  // A worse message that is claimed between the look and our claim is kept.
  const late = new Bench(...UPDATE.slice(0, 2));
  late.before = [claim("B", YOUNG, { severity: "error" })];
  await assertRejects(
    () => forgetPost(late, KEY, options),
    OperationError,
    "A poster was faster",
  );
  assertEquals(late.state, "held");
});

const SHOWN: [events: PostEvent[], state: string, severities: string[]][] = [
  [UPDATE.slice(0, 1), "in doubt", ["warning"]],
  [UPDATE.slice(0, 2), "posted", ["warning"]],
  [UPDATE, "in doubt", ["warning", "critical"]],
  [[...UPDATE, REFUSED], "posted", ["warning"]],
  [[claim("A", OLD)], "in doubt", ["not recorded"]],
  [[claim("A", OLD, { severity: "unknown" })], "in doubt", ["warning"]],
  [[claim("B", OLD), REFUSED], "free", []],
];
for (const [events, state, severities] of SHOWN) {
  const types = events.map(({ type }) => type).join(", ");
  Deno.test(`foldPost() says ${state} and "${severities}" of ${types}`, () => {
    const items = events.map((event) => JSON.stringify(event));
    const post = foldPost(KEY, items, NOW_MS);
    assertEquals([post.state, post.severities], [state, severities]);
  });
}

Deno.test("foldPost() words a claim as busy below 60 s", () => {
  const word = (at: string) =>
    foldPost(KEY, [JSON.stringify(claim("A", at))], NOW_MS).state;
  assertEquals(word("2026-03-04T05:59:00.001Z"), "busy");
  assertEquals(word("2026-03-04T05:59:00.000Z"), "in doubt");
  assertEquals(word("some day"), "in doubt");
});
