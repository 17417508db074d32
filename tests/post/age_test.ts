import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { readConfig } from "../../lib/base/config.ts";
import { ConfigError } from "../../lib/base/errors.ts";
import {
  ageLimitOf,
  describeTooOld,
  POST_MAX_AGE,
} from "../../lib/post/age.ts";

const NOW = "2026-03-04T18:00:00Z";
const UNREADABLE =
  "the age of its evidence is unknown: its time of collection is not a time in the past";

Deno.test("ageLimitOf() is the last moment at which a post is in time", () => {
  const evidence = { incident_id: "x", collected_at: NOW, evidence: [] };
  const limit = ageLimitOf(evidence, { postMaxAgeS: 90 });
  assertEquals(new Date(limit).toISOString(), "2026-03-04T18:01:30.000Z");
  const says = (nowMs: number) =>
    describeTooOld(NOW, { maxAgeS: 90, nowMs }) !== undefined;
  assertEquals([says(limit), says(limit + 1)], [false, true]);
});

/** Limit in seconds; what is said. */
const ROWS: [what: string, collectedAt: unknown, maxAgeS: number, string?][] = [
  ["just now", NOW, 43_200],
  ["at the limit", "2026-03-04T06:00:00Z", 43_200],
  [
    "a millisecond over it",
    "2026-03-04T05:59:59.999Z",
    43_200,
    "its evidence was collected 12 h ago, and POST_MAX_AGE_S allows 12 h",
  ],
  [
    "in another zone",
    "2026-03-04T06:30:00+01:00",
    43_200,
    "its evidence was collected 12 h 30 min ago, and POST_MAX_AGE_S allows 12 h",
  ],
  [
    "days ago",
    "2026-03-01T16:59:59Z",
    90,
    "its evidence was collected 3 d 1 h ago, and POST_MAX_AGE_S allows 1 min 30 s",
  ],
  [
    "two seconds ago",
    "2026-03-04T17:59:58Z",
    1,
    "its evidence was collected 2 s ago, and POST_MAX_AGE_S allows 1 s",
  ],
  ["ahead, as far as a clock may be wrong", "2026-03-05T06:00:00Z", 43_200],
  ["further ahead than that", "2026-03-05T06:00:00.001Z", 43_200, UNREADABLE],
  ["never", undefined, 43_200, UNREADABLE],
  ["at an empty time", "", 43_200, UNREADABLE],
  ["at no time", "yesterday", 43_200, UNREADABLE],
  ["at a number", Date.parse(NOW), 43_200, UNREADABLE],
  ["at a list", [NOW], 43_200, UNREADABLE],
];

for (const [what, collectedAt, maxAgeS, expected] of ROWS) {
  const says = expected === undefined ? "nothing" : "why";
  Deno.test(`describeTooOld() says ${says} of evidence collected ${what}`, () => {
    const nowMs = Date.parse(NOW);
    assertEquals(describeTooOld(collectedAt, { maxAgeS, nowMs }), expected);
  });
}

Deno.test("POST_MAX_AGE_S is half a day unless it is set", () => {
  const settings = { postMaxAgeS: POST_MAX_AGE };
  assertEquals(readConfig(settings, () => undefined).postMaxAgeS, 43_200);
  assertEquals(readConfig(settings, () => "60").postMaxAgeS, 60);
  const error = assertThrows(
    () => readConfig(settings, () => "0"),
    ConfigError,
  );
  assertMatch(error.message, /^POST_MAX_AGE_S must be /);
});
