/**
 * Telling people of approvals, on a clock of the tests' own.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { delay } from "../../../lib/base/time.ts";
import type { Delivery } from "../../../lib/operate/notices/deliver.ts";
import { noticeKey } from "../../../lib/operate/notices/record.ts";
import { StoreError } from "../../../lib/platform/store.ts";
import {
  fakeChannel,
  fakeStore,
  START_MS,
  startNotices,
  waitingRow,
} from "../../support/notices.ts";
import { until } from "../../support/until.ts";

const MINUTE_MS = 60_000;
const A = waitingRow("a");

const failed = (why: string): Delivery => (
  { delivered: false, why, hopeless: false, waitMs: 0 }
);

/** Long enough for several rounds. */
const rounds = () => delay(40);

Deno.test("people are told once, reminded after 5 and 15 min, and told before it expires", async () => {
  const store = fakeStore();
  await using desk = startNotices({ store });
  const { channel } = desk;
  const expected: string[][] = [];
  const at = async (minutes: number, ...told: string[]) => {
    desk.nowMs = START_MS + minutes * MINUTE_MS;
    desk.notices.update([A]);
    await rounds();
    expected.push(...told.map((one) => [one]));
    assertEquals(channel.told, expected, `after ${minutes} min`);
  };
  await at(0, "new a");
  await at(4.9);
  await at(5, "reminder 1 a");
  await at(14.9);
  await at(15, "reminder 2 a");
  await at(49.9);
  await at(50, "last a");
  await at(59);
  assertEquals(desk.counts.get("notices sent: slack"), 4);
  const [key] = [...store.lists.keys()];
  assertEquals(key, `incident-enricher:notice:a:${START_MS / 1000}`);
});

Deno.test("whoever comes late is told once, of the latest stage", async () => {
  await using desk = startNotices({ now: () => START_MS + 20 * MINUTE_MS });
  const { channel } = desk;
  desk.notices.update([A]);
  await rounds();
  assertEquals(channel.told, [["reminder 2 a"]]);
});

Deno.test("a job that bounced is told of again, one that was decided never", async () => {
  await using desk = startNotices();
  const { channel } = desk;
  desk.notices.update([A]);
  await until("one", () => channel.told.length === 1);
  desk.notices.update([]);
  desk.nowMs += 6 * MINUTE_MS;
  await rounds();
  assertEquals(channel.told.length, 1);
  desk.notices.update([waitingRow("a", {}, desk.nowMs)]);
  await until("two", () => channel.told.length === 2);
  assertEquals(channel.told[1], ["new a"]);
});

Deno.test("several desks side by side send one notice for each approval", async () => {
  const store = fakeStore();
  store.before = () => delay(Math.random() * 3);
  const channels = Array.from({ length: 4 }, () => fakeChannel());
  const rows = Array.from({ length: 10 }, (_, at) => waitingRow(`job-${at}`));
  await using stack = new AsyncDisposableStack();
  for (const channel of channels) {
    const desk = stack.use(
      startNotices({ channels: [channel], store, now: () => START_MS }),
    );
    desk.notices.update(rows);
  }
  const all = () => channels.flatMap(({ told }) => told.flat());
  await until("all", () => all().length >= rows.length);
  await delay(200);
  assertEquals(all().toSorted(), rows.map(({ job }) => `new ${job.jobId}`));
});

Deno.test("what another desk claimed is left to it for 30 s, and then sent", async () => {
  const store = fakeStore();
  const key = noticeKey(A.job);
  const claim = { type: "claim", to: "slack", rank: 0, token: "gone", at: "" };
  store.lists.set(key, [JSON.stringify(claim)]);
  await using desk = startNotices({ store });
  const { channel } = desk;
  desk.notices.update([A]);
  await rounds();
  desk.nowMs += 29_000;
  await rounds();
  assertEquals(channel.told, []);
  desk.nowMs += 1_000;
  await until("told", () => channel.told.length === 1);
  await rounds();
  assertEquals(channel.told.length, 1);
});

Deno.test("a notice that fails is tried again, later each time, and said to be missing", async () => {
  const channel = fakeChannel();
  channel.answer = () => failed("status 500");
  const store = fakeStore();
  await using desk = startNotices({ channels: [channel], store });
  desk.notices.update([A]);
  await until("the first", () => channel.told.length === 1);
  await rounds();
  assertEquals(channel.told.length, 1);
  assertEquals(desk.notices.undelivered(), [
    "1 notice could not be delivered to Slack: status 500; next attempt at 2026-11-29 09:30:05 UTC",
  ]);
  desk.nowMs += 5_000;
  await until("the second", () => channel.told.length === 2);
  desk.nowMs += 9_900;
  await rounds();
  assertEquals(channel.told.length, 2);
  channel.answer = () => ({ delivered: true });
  desk.nowMs += 100;
  await until("the third", () => channel.told.length === 3);
  await until("none", () => desk.notices.undelivered().length === 0);
  assertEquals(desk.counts.get("notices failed: slack"), 2);
  assertEquals(desk.counts.get("notices sent: slack"), 1);
});

Deno.test("Slack's Retry-After is kept, and so is a webhook's that is gone for good", async () => {
  for (
    const [hopeless, waitMs, expectedMs] of [
      [false, 42_000, 42_000],
      [true, 0, 300_000],
      [false, 99_999_000, 900_000],
    ] as const
  ) {
    const channel = fakeChannel();
    const why = "status 429";
    channel.answer = () => ({ delivered: false, why, hopeless, waitMs });
    await using desk = startNotices({ channels: [channel] });
    desk.notices.update([A]);
    await until("the first", () => channel.told.length === 1);
    desk.nowMs += expectedMs - 1;
    await rounds();
    assertEquals(channel.told.length, 1);
    desk.nowMs += 1;
    await until("the second", () => channel.told.length === 2);
  }
});

Deno.test("another desk waits as long after a failure", async () => {
  let nowMs = START_MS;
  const store = fakeStore();
  const failing = fakeChannel();
  const why = "status 503";
  failing.answer = () => failed(why);
  {
    await using desk = startNotices({
      channels: [failing],
      store,
      now: () => nowMs,
    });
    desk.notices.update([A]);
    await until("a failure", () => desk.notices.undelivered().length === 1);
  }
  const channel = fakeChannel();
  await using desk = startNotices({
    channels: [channel],
    store,
    now: () => nowMs,
  });
  desk.notices.update([A]);
  await rounds();
  assertEquals(channel.told, []);
  assertMatch(
    desk.notices.undelivered()[0]!,
    /status 503; next attempt at 2026-11-29 09:30:05 UTC$/,
  );
  nowMs += 5_000;
  await until("told", () => channel.told.length === 1);
});

Deno.test("without Redis nothing is sent, it is said, and later made good", async () => {
  const store = fakeStore();
  store.away = new StoreError("unavailable", "Redis is away");
  await using desk = startNotices({ store });
  const { channel } = desk;
  desk.notices.update([A]);
  await until("trouble", () => desk.notices.undelivered().length === 1);
  assertEquals(desk.notices.undelivered(), [
    "Notices cannot be recorded: Redis is away",
  ]);
  assertEquals(channel.told, []);
  store.away = undefined;
  await until("told", () => channel.told.length === 1);
  await until("no trouble", () => desk.notices.undelivered().length === 0);
});

Deno.test("a notice that was sent while Redis went away is recorded later, and not sent again", async () => {
  const store = fakeStore();
  const channel = fakeChannel();
  channel.answer = () => {
    store.away = new StoreError("unavailable", "Redis is away");
    return { delivered: true };
  };
  await using desk = startNotices({ channels: [channel], store });
  desk.notices.update([A, waitingRow("b")]);
  await until("told", () => channel.told.length === 1);
  await rounds();
  store.away = undefined;
  await until(
    "both recorded",
    () =>
      [...store.lists.values()].filter(({ length }) => length === 2).length ===
        2,
  );
  await rounds();
  assertEquals(channel.told, [["new a", "new b"]]);
});

Deno.test("many approvals at once are one message, and then the channel rests", async () => {
  const channel = fakeChannel({ paceMs: (count) => count * 1_000 });
  await using desk = startNotices({ channels: [channel] });
  const rows = Array.from({ length: 120 }, (_, at) => waitingRow(`job-${at}`));
  desk.notices.update(rows);
  await until("the first 50", () => channel.told.length === 1);
  await rounds();
  assertEquals(channel.told.map((told) => told.length), [50]);
  desk.nowMs += 50_000;
  await until("the next 50", () => channel.told.length === 2);
  desk.nowMs += 50_000;
  await until("the last 20", () => channel.told.length === 3);
  assertEquals(channel.told.map((told) => told.length), [50, 50, 20]);
});

Deno.test("one channel that hangs does not hold up the other", async () => {
  const hanging = Promise.withResolvers<void>();
  const slack = fakeChannel();
  slack.answer = async () => {
    await hanging.promise;
    return { delivered: true };
  };
  const hook = fakeChannel({ name: "hook", title: "the hook", noticesMax: 1 });
  await using desk = startNotices({ channels: [slack, hook] });
  desk.notices.update([A, waitingRow("b")]);
  await until("the hook", () => hook.told.length === 2);
  assertEquals(hook.told, [["new a"], ["new b"]]);
  hanging.resolve();
  await until("Slack", () => slack.told.length === 1);
});

Deno.test("what can no longer be approved is told of once, if nobody was told before", async () => {
  await using desk = startNotices();
  const { channel } = desk;
  const late = { problem: "its evidence is old", until: "" };
  desk.notices.update([A, waitingRow("old", late)]);
  await until("both", () => channel.told.flat().length === 2);
  desk.nowMs += 16 * MINUTE_MS;
  desk.notices.update([waitingRow("a", late), waitingRow("old", late)]);
  await rounds();
  assertEquals(channel.told.flat(), ["new a", "new old"]);
});

Deno.test("nobody is told of jobs of other packs, or of what waits for more than a day", async () => {
  await using desk = startNotices({
    now: () => START_MS + 24 * 60 * MINUTE_MS,
  });
  const { channel } = desk;
  const foreign = waitingRow("x", {}, START_MS + 23 * 60 * MINUTE_MS);
  const { job } = foreign;
  desk.notices.update([
    A,
    { ...foreign, job: { ...job, topic: "job.other.post" } },
    { ...waitingRow("unread"), post: undefined },
  ]);
  await rounds();
  assertEquals(channel.told, []);
});

Deno.test("notices say nothing that they should not in the log", async () => {
  const channel = fakeChannel();
  const why = "no connection (ECONNREFUSED)";
  channel.answer = () => failed(why);
  await using desk = startNotices({ channels: [channel] });
  desk.notices.update([A]);
  await until("a line", () => desk.lines.length > 0);
  const line = JSON.parse(desk.lines[0]!);
  assertEquals([line.msg, line.to, line.approvals, line.error], [
    "A notice could not be delivered",
    "slack",
    1,
    why,
  ]);
  assert(!desk.lines[0]!.includes("orders fail"));
});

Deno.test("nobody is told of what was last heard more than a minute ago", async () => {
  await using desk = startNotices({ staleMs: 60_000 });
  const { channel } = desk;
  desk.notices.update([A]);
  await until("the first", () => channel.told.length === 1);
  desk.nowMs += 5 * MINUTE_MS; // The platform is away: it may have been decided.
  await rounds();
  assertEquals(channel.told.length, 1);
  desk.notices.update([A]);
  await until("the reminder", () => channel.told.length === 2);
});
