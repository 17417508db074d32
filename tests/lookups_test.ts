import { assert, assertEquals } from "@std/assert";
import { COLLECTORS } from "../lib/evidence/collectors.ts";
import type { Lookup, LookupState } from "../lib/incident.ts";
import {
  COLLECTOR_TITLES,
  countLookups,
  describeLookups,
} from "../lib/lookups.ts";

function lookup(
  collector: string,
  state: LookupState,
  more: Partial<Lookup> = {},
): Lookup {
  return { collector, state, ...more };
}

Deno.test("COLLECTOR_TITLES names every collector", () => {
  const missing = COLLECTORS.filter(({ name }) => !COLLECTOR_TITLES.has(name));
  assertEquals(missing, []);
});

const FOUND = lookup("prometheus", "found", { question: "the series" });
const NO_POSTS = lookup("history", "nothing", { question: "posts" });
const LINES: readonly [
  what: string,
  lookups: readonly Lookup[],
  line: string | undefined,
][] = [
  ["nothing was looked up", [], undefined],
  [
    "no system is set up",
    [NO_POSTS, lookup("loki", "off"), lookup("github", "off")],
    undefined,
  ],
  ["history is off, too", [lookup("history", "off")], undefined],
  ["history names nothing", [
    lookup("history", "unconcerned", { why: "no service" }),
    lookup("loki", "off"),
  ], undefined],
  ["history cannot be read", [
    lookup("history", "failed", { why: "Redis is away" }),
    lookup("loki", "off"),
  ], "could not ask: our own posts (“Redis is away”)"],
  ["all was found", [FOUND], undefined],
  [
    "something was found",
    [FOUND, NO_POSTS, lookup("loki", "off")],
    [
      "asked, nothing there: “posts”",
      "not set up: Loki",
    ].join(" · "),
  ],
  [
    "each state is there",
    [
      FOUND,
      lookup("alertmanager", "nothing", { question: "silences" }),
      lookup("github", "failed", { question: "x", why: "GitHub answered 403" }),
      lookup("kubernetes", "unconcerned", { why: "it names no workload" }),
      lookup("loki", "off"),
      lookup("runbook", "off"),
    ],
    [
      "asked, nothing there: “silences”",
      "could not ask: GitHub (“answered 403”)",
      "not concerned: Kubernetes",
      "not set up: Loki, the runbook",
    ].join(" · "),
  ],
  ["two fail alike", [
    lookup("github", "failed", { question: "x", why: "GitHub answered 403" }),
    lookup("github", "failed", { question: "y", why: "GitHub answered 403" }),
  ], "could not ask: GitHub (“answered 403”)"],
  ["words are withheld", [
    lookup("loki", "nothing"),
    lookup("github", "failed"),
  ], "asked, nothing there: Loki · could not ask: GitHub"],
];
for (const [what, lookups, line] of LINES) {
  Deno.test(`describeLookups() where ${what}`, () => {
    assertEquals(describeLookups(lookups), line);
  });
}

Deno.test("describeLookups() is bounded, and counts what it leaves out", () => {
  const states = ["nothing", "failed", "unconcerned", "off"] as const;
  const many = states.flatMap((state) =>
    Array.from(
      { length: 12 },
      (_, at) =>
        lookup(`system-${at}`, state, {
          question: `${at} ${"long ".repeat(40)}`,
          why: `${at} ${"why ".repeat(100)}`,
        }),
    )
  );
  const line = describeLookups(many)!;
  assert(line.length <= 298, `${line.length}: ${line}`);
  assertEquals(line.match(/ and \d+ more/g)?.length, 4, line);
});

Deno.test("countLookups() counts each by collector and state", () => {
  const counts: [string, number][] = [];
  countLookups([FOUND, lookup("loki", "off")], (...one) => counts.push(one));
  assertEquals(counts, [["lookup prometheus: found", 1], [
    "lookup loki: off",
    1,
  ]]);
});
