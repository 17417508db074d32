/**
 * What the desk bounds: tokens in time, decisions in number, open pages.
 *
 * @module
 */
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { h, Markup } from "../../lib/desk/html.ts";
import { Live } from "../../lib/desk/live.ts";
import { readName } from "../../lib/desk/people.ts";
import { DecisionRate } from "../../lib/desk/rate.ts";
import { DeskRefusal } from "../../lib/desk/refusal.ts";
import { type Subject, Tokens } from "../../lib/desk/tokens.ts";

const SUBJECT: Subject = {
  verb: "rejected",
  jobId: "r:post@1",
  digest: "d",
  place: "artifact",
  evidence: "e",
  person: "Ana",
};

Deno.test("a token is good for an hour, once, and for its subject alone", () => {
  let now = 1_764_000_000_000;
  const tokens = new Tokens(() => now);
  const token = tokens.issue(SUBJECT);
  for (const part of Object.keys(SUBJECT)) {
    const other = { ...SUBJECT, [part]: "approved" };
    assertEquals(tokens.redeem(token, other), "foreign", part);
  }
  assertEquals(tokens.redeem("", SUBJECT), "foreign");
  assertEquals(tokens.redeem(`${token}x`, SUBJECT), "foreign");
  assertEquals(new Tokens(() => now).redeem(token, SUBJECT), "foreign");
  now += 3_599_999;
  assertEquals(tokens.redeem(token, SUBJECT), undefined);
  assertEquals(tokens.redeem(token, SUBJECT), "used");
  const late = tokens.issue(SUBJECT);
  now += 3_600_000;
  assertEquals(tokens.redeem(late, SUBJECT), "old");
});

Deno.test("a person decides 30 times a minute, and all of them 120 times", () => {
  let now = 0;
  const rate = new DecisionRate(() => now);
  const take = (person: string, times: number) =>
    Array.from({ length: times }, () => rate.take(person)).at(-1);
  assertEquals(take("Ana", 30), undefined);
  now = 10_000;
  assertEquals(rate.take("Ana"), 50);
  assertEquals(take("Bo", 30), undefined);
  assertEquals(take("Cy", 30), undefined);
  assertEquals(take("Di", 30), undefined);
  assertEquals(rate.take("Ed"), 50);
  now = 60_001;
  assertEquals(rate.take("Ana"), undefined);
});

Deno.test("64 pages are told of changes, and one that closes leaves its place", async () => {
  const live = new Live();
  const { signal } = new AbortController();
  let watched = 0;
  const watch = () => {
    watched++;
    return () => void watched--;
  };
  const openAs = (person: string) =>
    live.stream(watch, { person, gone: signal });
  const open = Array.from({ length: 64 }, (_, at) => openAs(`p${at % 4}`));
  assertEquals([live.open, watched], [64, 64]);
  assertThrows(() => openAs("another"), DeskRefusal);
  await open.pop()!.cancel();
  assertEquals([live.open, watched], [63, 63]);
  const gone = new AbortController();
  open.push(live.stream(watch, { person: "p3", gone: gone.signal }));
  gone.abort();
  assertEquals([live.open, watched], [63, 63]);
  for (const stream of open) await stream.cancel();
  assertEquals([live.open, watched], [0, 0]);
  // One person leaves places for others.
  const own = Array.from({ length: 16 }, () => openAs("Ana"));
  assertThrows(() => openAs("Ana"), DeskRefusal);
  own.push(openAs("Bo"));
  for (const stream of own) await stream.cancel();
});

Deno.test("changes that come together are told once", async () => {
  const live = new Live();
  const stop = new AbortController();
  let changed = () => {};
  const stream = live.stream((change) => {
    changed = change;
    return () => {};
  }, { person: "Ana", gone: stop.signal });
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  assertEquals((await reader.read()).value, "retry: 3000\n\n");
  for (let at = 0; at < 100; at++) changed();
  assertEquals((await reader.read()).value, "event: changed\ndata: 1\n\n");
  stop.abort();
  assertEquals((await reader.read()).done, true);
});

Deno.test("a change after a page has gone is told to nobody", async () => {
  const live = new Live();
  const { signal } = new AbortController();
  let changed = () => {};
  const stream = live.stream((change) => {
    changed = change;
    return () => {};
  }, { person: "Ana", gone: signal });
  await stream.cancel();
  // As when the first look at the platform ends after the page was closed.
  changed();
  await new Promise((resolve) => setTimeout(resolve, 300));
  assertEquals(live.open, 0);
});

Deno.test("a name is what a header of HTTP can carry", () => {
  for (const name of ["Ana Lima", "a", "x".repeat(100), "ana@example.com"]) {
    assertEquals(readName(` ${name} `), name);
  }
  for (const name of ["", " ", "José", "a\nb", "a\r\nX: y", "x".repeat(101)]) {
    assertEquals(readName(name), undefined, JSON.stringify(name));
  }
});

Deno.test("h escapes whatever is put into it, unless it is markup of ours", () => {
  const bad = `<b title="'">&\u202e`;
  const escaped = "&lt;b title=&quot;'&quot;&gt;&amp;";
  assertEquals(
    h`<p title="${bad}">${bad}</p>`.text,
    `<p title="${escaped}">${escaped}</p>`,
  );
  assertEquals(
    h`${[h`<i>`, new Markup("</i>"), 3, undefined, ["<"]]}`.text,
    "<i></i>3&lt;",
  );
  assertMatch(h`${undefined}`.text, /^$/);
});
