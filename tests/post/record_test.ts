import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { JobError } from "../../lib/base/errors.ts";
import type { Severity } from "../../lib/incident.ts";
import {
  outranks,
  type PostSeverity,
  readAs,
} from "../../lib/post/severity.ts";
import {
  parseEvents,
  type Posted,
  type PostEvent,
  type PostKey,
  readKey,
  recordKey,
} from "../../lib/post/events.ts";
import {
  type Claimant,
  type ClaimOptions,
  type ClaimOutcome,
  type Effect,
  effectOf,
  type EventList,
  fold,
  PostRecord,
  type PostState,
  type Sent,
  type Standing,
  standingOf,
} from "../../lib/post/record.ts";
import { freePost, markPost } from "../../lib/operate/settle.ts";
import { claim010 } from "./record_0_1.ts";

const AT = "2026-03-04T05:06:07.000Z";
const AT_MS = Date.parse(AT);
const KEY: PostKey = {
  tenant: "default",
  incidentId: "pagerduty:PT4KHLK",
  destination: "slack:0123456789abcdef",
};

function claim(token: string, changes: Record<string, string> = {}): PostEvent {
  return {
    type: "claim",
    token,
    job_id: `job of ${token}`,
    run_id: "run-1",
    digest: "d".repeat(64),
    host: "hooks.slack.com",
    at: AT,
    ...changes,
  };
}

function refused(token: string): PostEvent {
  return { type: "refused", token, why: "no", at: AT };
}

function unknown(token: string): PostEvent {
  return { type: "unknown", token, why: "who knows", at: AT };
}

function posted(token: string): PostEvent {
  return { type: "posted", token, result: resultOf(token), at: AT };
}

/** Of the claim of that token; as it once was written, of any. */
function freed(token?: string): PostEvent {
  const named = token === undefined ? {} : { token };
  return { type: "freed", ...named, by: "ada", why: "looked", at: AT };
}

function marked(by = "ada"): PostEvent {
  return { type: "marked", by, why: "saw it", link: "https://l.test", at: AT };
}

function resultOf(token: string): Posted {
  return {
    posted_at: AT,
    message_sha256: "d".repeat(64),
    job_id: `job of ${token}`,
    run_id: "run-1",
  };
}

/** A state in one or two words. */
function word(state: PostState): string {
  switch (state.state) {
    case "held":
      return `held ${state.claim.token}`;
    case "in doubt":
      return `doubt ${state.claim.token}`;
    case "posted":
      return wordOf(state.last);
    case "free":
      return "free";
  }
}

function wordOf(sent: Sent): string {
  return sent.as === "posted"
    ? `posted ${sent.result.job_id.at(-1)}`
    : `marked ${sent.by}`;
}

const EVENTS: Record<string, PostEvent> = {
  "claim A": claim("A"),
  "claim B": claim("B"),
  "refused A": refused("A"),
  "refused B": refused("B"),
  "unknown A": unknown("A"),
  "unknown B": unknown("B"),
  "posted A": posted("A"),
  "posted B": posted("B"),
  "freed": freed(),
  "marked": marked("bob"),
  "freed A": freed("A"),
  "freed B": freed("B"),
};

/** What each state, as given by its events, becomes with each of the above. */
const STATES: { name: string; before: PostEvent[]; after: string[] }[] = [
  {
    name: "free",
    before: [],
    // deno-fmt-ignore
    after: ["held A", "held B", "free", "free", "free", "free",
      "posted A", "posted B", "free", "marked bob", "free", "free"],
  },
  {
    name: "free again after a refusal",
    before: [claim("A"), refused("A")],
    // deno-fmt-ignore
    after: ["free", "held B", "free", "free", "free", "free",
      "posted A", "posted B", "free", "marked bob", "free", "free"],
  },
  {
    name: "free again after a person freed it",
    before: [claim("A"), freed()],
    // deno-fmt-ignore
    after: ["free", "held B", "free", "free", "free", "free",
      "posted A", "posted B", "free", "marked bob", "free", "free"],
  },
  {
    name: "held",
    before: [claim("A")],
    // deno-fmt-ignore
    after: ["held A", "held A", "free", "held A", "doubt A", "held A",
      "posted A", "posted B", "free", "marked bob", "free", "held A"],
  },
  {
    name: "in doubt",
    before: [claim("A"), unknown("A")],
    // deno-fmt-ignore
    after: ["doubt A", "doubt A", "doubt A", "doubt A", "doubt A", "doubt A",
      "posted A", "posted B", "free", "marked bob", "free", "doubt A"],
  },
  {
    name: "posted",
    before: [claim("A"), posted("A")],
    after: Array(12).fill("posted A"),
  },
  {
    name: "marked",
    before: [claim("A"), unknown("A"), marked()],
    after: Array(12).fill("marked ada"),
  },
];

for (const { name, before, after } of STATES) {
  Deno.test(`fold() takes every event when the post is ${name}`, () => {
    const found = Object.values(EVENTS).map((event) =>
      word(fold([...before, event]))
    );
    assertEquals(
      Object.fromEntries(
        Object.keys(EVENTS).map((key, at) => [key, found[at]]),
      ),
      Object.fromEntries(
        Object.keys(EVENTS).map((key, at) => [key, after[at]]),
      ),
    );
  });
}

const STORIES: { when: string; events: PostEvent[]; state: string }[] = [
  {
    when: "a claim is void and its sender settles it all the same",
    events: [claim("A"), claim("B"), refused("B"), unknown("B")],
    state: "held A",
  },
  {
    when: "a void claim is sent again after the post became free",
    events: [claim("A"), claim("B"), refused("A"), claim("B")],
    state: "free",
  },
  {
    when: "a claim is sent twice in a row",
    events: [claim("A"), claim("A")],
    state: "held A",
  },
  {
    when: "a claim is sent again after its refusal",
    events: [claim("A"), refused("A"), claim("A")],
    state: "free",
  },
  {
    when: "a claim is sent again after two others came and went",
    // deno-fmt-ignore
    events: [claim("A"), refused("A"), claim("B"), refused("B"), claim("A"), claim("B")],
    state: "free",
  },
  {
    when: "a refusal is sent again after another claimed",
    events: [claim("A"), refused("A"), claim("B"), refused("A")],
    state: "held B",
  },
  {
    when: "an unknown outcome is sent again after a person freed it",
    events: [claim("A"), unknown("A"), freed(), claim("B"), unknown("A")],
    state: "held B",
  },
  {
    when: "a success comes after the outcome was unknown",
    events: [claim("A"), unknown("A"), posted("A")],
    state: "posted A",
  },
  {
    when: "a success comes after a person freed it and another claimed",
    events: [claim("A"), freed(), claim("B"), posted("A"), refused("B")],
    state: "posted A",
  },
  {
    when: "a freeing is sent again after another claimed",
    events: [
      claim("A"),
      freed("A"),
      claim("B"),
      freed("A"),
      unknown("B"),
      freed("A"),
    ],
    state: "doubt B",
  },
  {
    when: "a freeing comes after the claim was refused and another claimed",
    events: [claim("A"), refused("A"), claim("B"), freed("A")],
    state: "held B",
  },
  {
    when: "a freeing is sent twice in a row",
    events: [claim("A"), unknown("A"), freed("A"), freed("A")],
    state: "free",
  },
  {
    when: "two people free two claims, one after the other",
    events: [claim("A"), freed("A"), claim("B"), freed("B")],
    state: "free",
  },
  {
    when: "a mark is sent again, and another after it",
    events: [claim("A"), marked(), marked(), marked("bob")],
    state: "marked ada",
  },
  {
    when: "two successes come",
    events: [claim("A"), freed(), claim("B"), posted("B"), posted("A")],
    state: "posted B",
  },
  {
    when: "a success comes after a person marked it",
    events: [claim("A"), marked(), posted("A")],
    state: "marked ada",
  },
];

for (const { when, events, state } of STORIES) {
  Deno.test(`fold() says "${state}" when ${when}`, () => {
    assertEquals(word(fold(events)), state);
  });
}

const POSTED_A: Standing = {
  state: "posted",
  last: {
    as: "posted",
    severity: "critical",
    assumed: true,
    at: AT,
    host: "hooks.slack.com",
    result: resultOf("A"),
  },
  earlier: [],
};
const WARNED_A: Standing = {
  ...POSTED_A,
  last: { ...POSTED_A.last, severity: "warning", assumed: false },
};
const MARKED: Standing = {
  state: "posted",
  last: {
    as: "marked",
    severity: "critical",
    assumed: true,
    at: AT,
    host: undefined,
    by: "ada",
    link: "https://l.test",
    claim: undefined,
  },
  earlier: [],
};

/** Where a post stands, with the severity of each message, the last one first. */
function standing(state: PostState): string {
  const { last, earlier } = standingOf(state) ?? {};
  const sent = last === undefined ? [] : [...earlier!, last].toReversed()
    .map((sent) => `${wordOf(sent)} ${sent.severity}`);
  const open = "claim" in state ? [word(state)] : [];
  return [...open, ...sent].join(", after ") || "free";
}

const as = (token: string, severity: PostSeverity) =>
  claim(token, { severity });
/** A warning that was posted. */
const WARNED = [as("A", "warning"), posted("A")];
const markedFor = (token: string): PostEvent => ({ ...marked(), token });

const RISES: { when: string; events: PostEvent[]; state: string }[] = [
  {
    when: "a worse claim comes",
    events: [...WARNED, as("B", "critical")],
    state: "held B, after posted A warning",
  },
  {
    when: "a worse claim is posted",
    events: [...WARNED, as("B", "critical"), posted("B")],
    state: "posted B critical, after posted A warning",
  },
  {
    when: "the severity rises twice",
    // deno-fmt-ignore
    events: [...WARNED, as("B", "error"), posted("B"), as("C", "critical"), posted("C")],
    state: "posted C critical, after posted B error, after posted A warning",
  },
  {
    when: "an equal claim comes",
    events: [...WARNED, as("B", "warning")],
    state: "posted A warning",
  },
  {
    when: "a lower claim comes",
    events: [...WARNED, as("B", "info")],
    state: "posted A warning",
  },
  {
    when: "a claim of unknown severity comes",
    events: [as("A", "info"), posted("A"), as("B", "unknown")],
    state: "posted A info",
  },
  {
    when: "an equal claim comes after one of unknown severity",
    events: [as("A", "unknown"), posted("A"), as("B", "warning")],
    state: "posted A warning",
  },
  {
    when: "a worse claim comes after one of unknown severity",
    events: [as("A", "unknown"), posted("A"), as("B", "error")],
    state: "held B, after posted A warning",
  },
  {
    when: "a lower claim comes after an update",
    // deno-fmt-ignore
    events: [...WARNED, as("B", "critical"), posted("B"), as("C", "error"), as("D", "warning")],
    state: "posted B critical, after posted A warning",
  },
  {
    when: "a 0.1.0 poster posted and a critical claim comes",
    events: [claim("A"), posted("A"), as("B", "critical")],
    state: "posted A critical",
  },
  {
    when: "a 0.1.0 poster claims",
    events: [...WARNED, claim("B")],
    state: "posted A warning",
  },
  {
    when: "a worse claim is refused",
    events: [...WARNED, as("B", "critical"), refused("B")],
    state: "posted A warning",
  },
  {
    when: "a worse claim is refused and another comes",
    // deno-fmt-ignore
    events: [...WARNED, as("B", "critical"), refused("B"), as("C", "critical")],
    state: "held C, after posted A warning",
  },
  {
    when: "a person frees a worse claim",
    events: [...WARNED, as("B", "critical"), unknown("B"), freed("B")],
    state: "posted A warning",
  },
  {
    when: "a person frees whatever claim there is",
    events: [...WARNED, as("B", "critical"), freed()],
    state: "posted A warning",
  },
  {
    when: "a person frees the first claim late",
    events: [...WARNED, as("B", "critical"), freed("A")],
    state: "held B, after posted A warning",
  },
  {
    when: "a worse claim is in doubt, and a worse one comes",
    // deno-fmt-ignore
    events: [...WARNED, as("B", "error"), unknown("B"), as("C", "critical")],
    state: "doubt B, after posted A warning",
  },
  {
    when: "the first claim is in doubt, and a worse one comes",
    events: [as("A", "warning"), unknown("A"), as("B", "critical")],
    state: "doubt A",
  },
  {
    when: "the first claim is held, and a worse one comes",
    events: [as("A", "warning"), as("B", "critical"), posted("A")],
    state: "posted A warning",
  },
  {
    when: "a worse claim is in doubt, and its success comes late",
    events: [...WARNED, as("B", "critical"), unknown("B"), posted("B")],
    state: "posted B critical, after posted A warning",
  },
  {
    when: "a worse claim is in doubt, and the first success comes again",
    events: [...WARNED, as("B", "critical"), unknown("B"), posted("A")],
    state: "doubt B, after posted A warning",
  },
  {
    when: "a freed claim's success comes while a worse one is held",
    // deno-fmt-ignore
    events: [as("A", "warning"), freed("A"), as("B", "critical"), posted("A")],
    state: "held B, after posted A warning",
  },
  {
    when: "a freed claim's success comes while a lower one is held",
    // deno-fmt-ignore
    events: [as("A", "critical"), freed("A"), as("B", "warning"), posted("A")],
    state: "posted A critical",
  },
  {
    when: "a lower success comes late",
    // deno-fmt-ignore
    events: [as("A", "warning"), freed("A"), as("B", "critical"), posted("B"), posted("A")],
    state: "posted B critical",
  },
  {
    when: "a person marks a worse claim",
    events: [...WARNED, as("B", "error"), unknown("B"), markedFor("B")],
    state: "marked ada error, after posted A warning",
  },
  {
    when: "a person marked the first claim, and a worse one comes",
    // deno-fmt-ignore
    events: [as("A", "warning"), unknown("A"), markedFor("A"), as("B", "error")],
    state: "held B, after marked ada warning",
  },
  {
    when: "a mark comes again after a worse claim",
    // deno-fmt-ignore
    events: [as("A", "warning"), markedFor("A"), as("B", "error"), markedFor("A")],
    state: "held B, after marked ada warning",
  },
  {
    when: "a mark names no claim",
    events: [as("A", "warning"), marked(), as("B", "critical")],
    state: "marked ada critical",
  },
  {
    when: "a mark names no claim, and comes after the post",
    events: [...WARNED, marked(), as("B", "critical")],
    state: "held B, after posted A warning",
  },
  {
    when: "a success has no claim",
    events: [posted("A"), as("B", "critical")],
    state: "posted A critical",
  },
];

for (const { when, events, state } of RISES) {
  Deno.test(`fold() says "${state}" when ${when}`, () => {
    assertEquals(standing(fold(events)), state);
  });
}

/** What a message of each severity would be. */
const EFFECTS: [when: string, events: PostEvent[], effects: string[]][] = [
  ["it is free", [], ["new", "new", "new", "new", "new"]],
  [
    "a warning was posted",
    WARNED,
    ["update", "update", "nothing", "nothing", "nothing"],
  ],
  [
    "a warning was marked",
    [as("A", "warning"), unknown("A"), markedFor("A")],
    ["update", "update", "nothing", "nothing", "nothing"],
  ],
  [
    "a 0.1.0 poster posted",
    [claim("A"), posted("A")],
    ["nothing", "nothing", "nothing", "nothing", "nothing"],
  ],
  [
    "an update is held",
    [...WARNED, as("B", "error")],
    ["busy", "busy", "nothing", "nothing", "nothing"],
  ],
  [
    "an update was held too long",
    [...WARNED, claim("B", { severity: "error", at: "2026-03-04T05:00:00Z" })],
    ["in doubt", "in doubt", "nothing", "nothing", "nothing"],
  ],
  [
    "an update is in doubt",
    [...WARNED, as("B", "error"), unknown("B")],
    ["in doubt", "in doubt", "nothing", "nothing", "nothing"],
  ],
  [
    "the first message is in doubt",
    [as("A", "info"), unknown("A")],
    ["in doubt", "in doubt", "in doubt", "in doubt", "in doubt"],
  ],
];
const KINDS: PostSeverity[] = [
  "critical",
  "error",
  "warning",
  "info",
  "unknown",
];

for (const [when, events, effects] of EFFECTS) {
  Deno.test(`effectOf() says what each severity would be when ${when}`, () => {
    const state = fold(events);
    assertEquals(
      KINDS.map((severity) => effectOf(state, severity, AT_MS + 1_000)),
      effects as Effect[],
    );
  });
}

Deno.test("fold() hands over what each state knows", () => {
  const doubt = fold([claim("A"), unknown("A")]);
  assertEquals(doubt, {
    state: "in doubt",
    claim: claim("A") as never,
    before: undefined,
    why: "who knows",
  });
  assertEquals(fold([marked()]), MARKED);
  assertEquals(fold([claim("A"), posted("A")]), POSTED_A);
});

Deno.test("parseEvents() reads every event back as it was written", () => {
  const events = Object.values(EVENTS);
  assertEquals(
    parseEvents(events.map((event) => JSON.stringify(event))),
    events,
  );
  const newer = { ...claim("A"), colour: "red" };
  assertEquals(parseEvents([JSON.stringify(newer)]), [newer]);
});

const UNREADABLE: Record<string, string> = {
  "no JSON": "{",
  "empty": "",
  "null": "null",
  "a number": "7",
  "a string": '"claim"',
  "a list": '["claim"]',
  "an object without a type": "{}",
  "of an unknown type": '{"type":"paused"}',
  "of a type that objects inherit": '{"type":"constructor"}',
  "of a type in a list": JSON.stringify({ ...claim("A"), type: ["claim"] }),
  "a claim without a token": JSON.stringify({
    ...claim("A"),
    token: undefined,
  }),
  "a claim with a number for a token": JSON.stringify({
    ...claim("A"),
    token: 7,
  }),
  "a claim without a time": JSON.stringify({ ...claim("A"), at: undefined }),
  "a claim without a job": JSON.stringify({ ...claim("A"), job_id: null }),
  "a refusal without a token": JSON.stringify({
    ...refused("A"),
    token: undefined,
  }),
  "an unknown without a reason": JSON.stringify({
    ...unknown("A"),
    why: undefined,
  }),
  "a success without a result": JSON.stringify({
    ...posted("A"),
    result: undefined,
  }),
  "a success with text for a result": JSON.stringify({
    ...posted("A"),
    result: "ok",
  }),
  "freed by nobody": JSON.stringify({ ...freed(), by: undefined }),
  "freed with a number for a token": JSON.stringify({ ...freed(), token: 7 }),
  "marked with a list for a link": JSON.stringify({ ...marked(), link: [] }),
  "a claim with a number for a tenant": JSON.stringify({
    ...claim("A"),
    tenant: 7,
  }),
  "a claim with a severity of another kind": JSON.stringify(
    claim("A", { severity: "fatal" }),
  ),
  "a claim with a number for a severity": JSON.stringify({
    ...claim("A"),
    severity: 1,
  }),
  "marked with a number for a token": JSON.stringify({ ...marked(), token: 7 }),
  "marked by nobody": JSON.stringify({ ...marked(), by: undefined }),
};

for (const [what, item] of Object.entries(UNREADABLE)) {
  Deno.test(`parseEvents() refuses an item that is ${what}`, () => {
    const error = assertThrows(
      () => parseEvents([JSON.stringify(claim("A")), item]),
      JobError,
    );
    assertEquals(
      error.message,
      "Cannot read the post's record: item 1 is not one of our events",
    );
  });
}

Deno.test("recordKey() spells tenant, incident and destination", () => {
  assertEquals(
    recordKey(KEY),
    "incident-enricher:posted:default:pagerduty:PT4KHLK:slack:0123456789abcdef",
  );
  assertEquals(
    recordKey({
      tenant: "acme",
      incidentId: "mock:1",
      destination: "artifact",
    }),
    "incident-enricher:posted:acme:mock:1:artifact",
  );
});

const PREFIX = "incident-enricher:posted:";
const SLACK = "slack:0123456789abcdef";
const KEYS: { when: string; key: string; claimed?: PostKey; post?: PostKey }[] =
  [
    {
      when: "the key alone says it",
      key: `${PREFIX}default:pagerduty:PT4KHLK:${SLACK}`,
      post: KEY,
    },
    {
      when: "the id holds colons, and what looks like a destination",
      key: `${PREFIX}acme:mock:a:artifact:b:artifact`,
      post: {
        tenant: "acme",
        incidentId: "mock:a:artifact:b",
        destination: "artifact",
      },
    },
    {
      when: "a claim says it, and the tenant holds a colon",
      key: `${PREFIX}acme:eu:mock:1:artifact`,
      claimed: {
        tenant: "acme:eu",
        incidentId: "mock:1",
        destination: "artifact",
      },
      post: {
        tenant: "acme:eu",
        incidentId: "mock:1",
        destination: "artifact",
      },
    },
    {
      when: "a claim says what the key contradicts",
      key: `${PREFIX}acme:mock:1:artifact`,
      claimed: {
        tenant: "acme",
        incidentId: "mock:2",
        destination: "artifact",
      },
      post: { tenant: "acme", incidentId: "mock:1", destination: "artifact" },
    },
    { when: "it ends in no destination", key: `${PREFIX}acme:mock:1:mail` },
    { when: "it has no tenant", key: `${PREFIX}:mock:1:artifact` },
    { when: "it has no incident", key: `${PREFIX}acme::artifact` },
    { when: "it is of another prefix", key: `x${PREFIX}acme:mock:1:artifact` },
  ];

for (const { when, key, claimed, post } of KEYS) {
  const word = post === undefined ? "nothing" : "the post";
  Deno.test(`readKey() says ${word} when ${when}`, () => {
    const named: Record<string, string> = claimed === undefined ? {} : {
      tenant: claimed.tenant,
      incident_id: claimed.incidentId,
      destination: claimed.destination,
    };
    assertEquals(readKey(key, [freed(), claim("A", named)]), post);
    if (post !== undefined) assertEquals(recordKey(post), key);
  });
}

const ME: Claimant = {
  jobId: "my job",
  runId: "my run",
  digest: "e".repeat(64),
  host: "hooks.slack.com",
  severity: "warning",
};

/** A record in memory; `later` happens during the nth wait, from 1. */
class Bench implements EventList, ClaimOptions {
  items: string[];
  nowMs = AT_MS;
  waits: number[] = [];
  settleMs: number;
  later: Record<number, PostEvent[]>;

  constructor(
    events: PostEvent[] = [],
    { settleMs = 2_000, later = {} }: {
      settleMs?: number;
      later?: Record<number, PostEvent[]>;
    } = {},
  ) {
    this.items = events.map((event) => JSON.stringify(event));
    this.settleMs = settleMs;
    this.later = later;
  }

  readonly now = (): number => this.nowMs;

  readonly wait = (ms: number): Promise<void> => {
    this.waits.push(ms);
    this.nowMs += ms;
    for (const event of this.later[this.waits.length] ?? []) this.push(event);
    return Promise.resolve();
  };

  append(key: string, item: string): Promise<void> {
    assertEquals(key, recordKey(KEY));
    this.items.push(item);
    return Promise.resolve();
  }

  list(key: string): Promise<string[]> {
    assertEquals(key, recordKey(KEY));
    return Promise.resolve([...this.items]);
  }

  push(event: PostEvent): void {
    this.items.push(JSON.stringify(event));
  }

  get record(): PostRecord {
    return new PostRecord(this, KEY);
  }

  claim(claimant = ME): Promise<ClaimOutcome> {
    return this.record.claim(claimant, this);
  }
}

Deno.test("PostRecord.claim() says mine and writes who claims when the post is free", async () => {
  const bench = new Bench();
  const outcome = await bench.claim();
  assert(outcome.state === "mine");
  assertMatch(outcome.token, /^[0-9a-f-]{36}$/);
  assertEquals(parseEvents(bench.items), [{
    type: "claim",
    token: outcome.token,
    job_id: "my job",
    run_id: "my run",
    digest: "e".repeat(64),
    host: "hooks.slack.com",
    severity: "warning",
    tenant: "default",
    incident_id: "pagerduty:PT4KHLK",
    destination: "slack:0123456789abcdef",
    at: AT,
  }]);
  assertEquals(bench.waits, []);
});

Deno.test("PostRecord.claim() says mine when the append was sent twice", async () => {
  const bench = new Bench();
  bench.append = (_, item) => {
    bench.items.push(item, item);
    return Promise.resolve();
  };
  const outcome = await bench.claim();
  assert(outcome.state === "mine");
  await bench.record.settle(outcome.token, { outcome: "refused", why: "no" });
  assertEquals(await bench.record.state(), { state: "free" });
});

const CLAIMS: {
  when: string;
  events: PostEvent[];
  later?: Record<number, PostEvent[]>;
  settleMs?: number;
  /** `mine`, or the whole outcome. */
  expected: "mine" | ClaimOutcome;
  waits?: number[];
}[] = [
  {
    when: "it was refused before",
    events: [claim("A"), refused("A")],
    expected: "mine",
  },
  {
    when: "a person freed it",
    events: [claim("A"), unknown("A"), freed()],
    expected: "mine",
  },
  {
    when: "it was posted before",
    events: [claim("A"), posted("A")],
    expected: POSTED_A,
  },
  {
    when: "a person marked it",
    events: [claim("A"), unknown("A"), marked()],
    expected: MARKED,
  },
  {
    when: "a lower severity was posted",
    events: [as("A", "info"), posted("A")],
    expected: "mine",
  },
  {
    when: "its severity was posted, and an update is in doubt",
    events: [...WARNED, as("B", "critical"), unknown("B")],
    expected: WARNED_A,
  },
  {
    when: "its severity was posted, and an update is busy",
    events: [...WARNED, as("B", "critical")],
    expected: WARNED_A,
  },
  {
    when: "a lower severity was posted, and an update is in doubt",
    events: [as("A", "info"), posted("A"), as("B", "critical"), unknown("B")],
    expected: { state: "in doubt", why: "who knows" },
  },
  {
    when: "another posts a lower severity meanwhile",
    events: [as("A", "info")],
    later: { 1: [posted("A")] },
    expected: "mine",
    waits: [500],
  },
  {
    when: "it is in doubt",
    events: [claim("A"), unknown("A")],
    expected: { state: "in doubt", why: "who knows" },
  },
  {
    when: "another posts it meanwhile",
    events: [claim("A")],
    later: { 2: [posted("A")] },
    expected: POSTED_A,
    waits: [500, 500],
  },
  {
    when: "another is refused meanwhile",
    events: [claim("A")],
    later: { 1: [refused("A")] },
    expected: "mine",
    waits: [500],
  },
  {
    when: "another cannot tell meanwhile",
    events: [claim("A")],
    later: { 1: [unknown("A")] },
    expected: { state: "in doubt", why: "who knows" },
    waits: [500],
  },
  {
    when: "a person marks it meanwhile",
    events: [claim("A")],
    later: { 1: [marked()] },
    expected: MARKED,
    waits: [500],
  },
  {
    when: "a third claims as soon as another is refused",
    events: [claim("A")],
    later: { 1: [refused("A"), claim("B")], 2: [posted("B")] },
    expected: {
      ...POSTED_A,
      last: { ...POSTED_A.last, result: resultOf("B") } as Sent,
    },
    waits: [500, 500],
  },
  {
    when: "another keeps it busy for all the time there is",
    events: [claim("A")],
    settleMs: 1_300,
    expected: {
      state: "in doubt",
      why: "job job of A is busy with it, claimed 1 s ago",
    },
    waits: [500, 500, 300],
  },
  {
    when: "another keeps it busy and there is no time",
    events: [claim("A")],
    settleMs: 0,
    expected: {
      state: "in doubt",
      why: "job job of A is busy with it, claimed 0 s ago",
    },
    waits: [],
  },
  {
    when: "another claimed it 59 s ago",
    events: [claim("A", { at: new Date(AT_MS - 59_000).toISOString() })],
    settleMs: 0,
    expected: {
      state: "in doubt",
      why: "job job of A is busy with it, claimed 59 s ago",
    },
    waits: [],
  },
  {
    when: "another claimed it 60 s ago",
    events: [claim("A", { at: new Date(AT_MS - 60_000).toISOString() })],
    settleMs: 0,
    expected: {
      state: "in doubt",
      why: "job job of A may have sent it, claimed 60 s ago",
    },
    waits: [],
  },
  {
    when: "this job claimed it on a clock that is ahead",
    events: [
      claim("A", { job_id: "my job", at: "2027-01-01T00:00:00.000Z" }),
    ],
    settleMs: 0,
    expected: {
      state: "in doubt",
      why: "job my job may have sent it, claimed 0 s ago",
    },
    waits: [],
  },
  {
    when: "another claimed it on a clock that is ahead",
    events: [claim("A", { at: "2027-01-01T00:00:00.000Z" })],
    settleMs: 0,
    expected: {
      state: "in doubt",
      why: "job job of A may have sent it, claimed 0 s ago",
    },
    waits: [],
  },
  {
    when: "this job is busy in another process",
    events: [claim("A", { job_id: "my job" })],
    settleMs: 700,
    expected: { state: "elsewhere" },
    waits: [500, 200],
  },
  {
    when: "this job was claimed by a process that has been silent for 60 s",
    events: [claim("A", {
      job_id: "my job",
      at: new Date(AT_MS - 60_000).toISOString(),
    })],
    settleMs: 0,
    expected: {
      state: "in doubt",
      why: "job my job may have sent it, claimed 60 s ago",
    },
    waits: [],
  },
  {
    when: "this job is refused in another process, which answers for it",
    events: [claim("A", { job_id: "my job" })],
    later: { 1: [refused("A")] },
    expected: { state: "elsewhere" },
    waits: [500],
  },
  {
    when: "this job is posted by another process",
    events: [claim("A", { job_id: "my job" })],
    later: { 1: [posted("A")] },
    expected: POSTED_A,
    waits: [500],
  },
  {
    when: "this job was refused in another process long ago",
    events: [claim("A", { job_id: "my job" }), refused("A")],
    expected: "mine",
  },
];

for (const { when, events, later, settleMs, expected, waits } of CLAIMS) {
  const state = expected === "mine" ? expected : expected.state;
  Deno.test(`PostRecord.claim() says ${state} when ${when}`, async () => {
    const bench = new Bench(events, {
      ...(later === undefined ? {} : { later }),
      ...(settleMs === undefined ? {} : { settleMs }),
    });
    const outcome = await bench.claim();
    if (expected === "mine") {
      assert(outcome.state === "mine");
      assertEquals(word(await bench.record.state()), `held ${outcome.token}`);
    } else assertEquals(outcome, expected);
    assertEquals(bench.waits, waits ?? []);
    const settleBound = settleMs ?? 2_000;
    assert(bench.nowMs - AT_MS <= settleBound);
  });
}

for (const [word, jumpMs] of [["back", -3_600_000], ["ahead", 3_600_000]]) {
  Deno.test(`PostRecord.claim() waits as long when the clock is set ${word} meanwhile`, async () => {
    const bench = new Bench([claim("A")], { settleMs: 1_300 });
    let jumps = 1;
    const outcome = await bench.record.claim(ME, {
      settleMs: bench.settleMs,
      now: bench.now,
      wait: async (ms) => {
        await bench.wait(ms);
        if (jumps-- > 0) bench.nowMs += Number(jumpMs);
      },
    });
    assertEquals(outcome.state, "in doubt");
    assertEquals(bench.waits, [500, 500, 300]);
  });
}

Deno.test("PostRecord.claim() never claims again what another holds", async () => {
  const bench = new Bench([claim("A")]);
  await bench.claim();
  assertEquals(bench.items.length, 1);
});

Deno.test("PostRecord.claim() makes a new token when its claim came second and the first was refused", async () => {
  const bench = new Bench([], { later: { 1: [refused("A")] } });
  const sent: string[] = [];
  bench.append = (_, item) => {
    if (sent.length === 0) bench.push(claim("A")); // Another was faster.
    sent.push((JSON.parse(item) as { token: string }).token);
    bench.items.push(item);
    return Promise.resolve();
  };
  const outcome = await bench.claim();
  assert(outcome.state === "mine");
  assertEquals(sent.length, 2);
  assert(sent[0] !== sent[1]);
  assertEquals(outcome.token, sent[1]);
});

Deno.test("PostRecord.claim() makes a new token when a person freed its claim at once", async () => {
  const bench = new Bench();
  bench.append = (_, item) => {
    bench.items.push(item);
    if (bench.items.length === 1) bench.push(freed());
    return Promise.resolve();
  };
  const outcome = await bench.claim();
  assert(outcome.state === "mine");
  assertEquals(word(await bench.record.state()), `held ${outcome.token}`);
  assertEquals(bench.items.length, 3);
});

Deno.test("PostRecord.claim() gives up and claims nothing when the record cannot be read", async () => {
  const bench = new Bench([claim("A"), refused("A")]);
  bench.items.push("not ours");
  await assertRejects(() => bench.claim(), JobError, "item 2");
  assertEquals(bench.items.length, 3);
});

Deno.test("PostRecord.claim() takes its claim back when the record cannot be read afterwards", async () => {
  const bench = new Bench();
  let reads = 0;
  bench.list = () =>
    ++reads === 2
      ? Promise.reject(new Error("away"))
      : Promise.resolve([...bench.items]);
  await assertRejects(() => bench.claim(), Error, "away");
  assertEquals(await bench.record.state(), { state: "free" });
  assertEquals((await bench.claim()).state, "mine");
});

Deno.test("PostRecord.claim() throws what went wrong first when it cannot take its claim back", async () => {
  const bench = new Bench();
  bench.append = (_, item) => {
    bench.list = () => Promise.reject(new Error("away"));
    bench.append = () => Promise.reject(new Error("still away"));
    bench.items.push(item);
    return Promise.resolve();
  };
  await assertRejects(() => bench.claim(), Error, "away");
  assertEquals(bench.items.length, 1);
});

Deno.test("PostRecord.claim() throws when the append fails, and a claim that arrived stays", async () => {
  const bench = new Bench([], { settleMs: 0 });
  bench.append = (_, item) => {
    bench.items.push(item);
    return Promise.reject(new Error("reply lost"));
  };
  await assertRejects(() => bench.claim(), Error, "reply lost");
  assertEquals(
    (await bench.claim({ ...ME, jobId: "other" })).state,
    "in doubt",
  );
});

Deno.test("PostRecord.claim() throws when its wait is ended, and leaves the record alone", async () => {
  const bench = new Bench([claim("A")]);
  const record = bench.record;
  const wait = () => Promise.reject(new Error("cancelled"));
  await assertRejects(
    () => record.claim(ME, { settleMs: 1_000, now: bench.now, wait }),
    Error,
    "cancelled",
  );
  assertEquals(bench.items.length, 1);
});

for (const outcome of ["refused", "unknown"] as const) {
  Deno.test(`PostRecord.settle() writes ${outcome} with its reason`, async () => {
    const bench = new Bench([claim("A")]);
    await bench.record.settle("A", { outcome, why: "status 404" });
    const { at, ...event } = parseEvents(bench.items)[1]!;
    assertEquals(event as unknown, {
      type: outcome,
      token: "A",
      why: "status 404",
    });
    assert(!Number.isNaN(Date.parse(at)));
  });
}

Deno.test("PostRecord.settle() writes posted with its result", async () => {
  const bench = new Bench([claim("A")]);
  const result = resultOf("A");
  await bench.record.settle("A", { outcome: "posted", result });
  assertEquals(parseEvents(bench.items)[1], posted("A"));
});

// The model: posters and people run the real code against a list whose every
// reply, loss, copy and crash is chosen from outside.

type SendOutcome = "posted" | "refused" | "unknown";

type Pending =
  | { kind: "list"; reply: (items: string[]) => void; fail: () => void }
  | { kind: "append"; item: string; reply: () => void; fail: () => void }
  | { kind: "send"; reply: (outcome: SendOutcome) => void }
  | { kind: "wait"; ms: number; reply: () => void };

/** One thing that may happen next. */
interface Choice {
  name: string;
  /** Whether it is a fault, of which a search allows only so many. */
  fault: boolean;
  run: () => void;
}

/** What a poster is given to do; posters of 0.1.0 know no severities. */
interface Task {
  job: string;
  severity: PostSeverity;
  version?: "0.1.0";
}

class Poster {
  pending: Pending | undefined;
  ended = false;
  operations = 0;
  claim: ClaimOutcome | undefined;
  /** What it posts; people have none. */
  readonly task: Task | undefined;
  /** How many items it saw last; with `operations`, all that it remembers. */
  seen = 0;

  constructor(task: Task | undefined) {
    this.task = task;
  }
}

type Ask = <T>(
  make: (reply: (value: T) => void, fail: () => void) => Pending,
) => Promise<T>;

function listOf(ask: Ask): EventList {
  return {
    append: (_, item) =>
      ask<void>((reply, fail) => ({ kind: "append", item, reply, fail })),
    list: () => ask<string[]>((reply, fail) => ({ kind: "list", reply, fail })),
  };
}

/** What people read after they wrote changes nothing, only the search's length. */
function readOnce({ append, list }: EventList): EventList {
  let reads = 0;
  return {
    append,
    list: (key) =>
      reads++ === 0 ? list(key) : Promise.reject(new Error("left")),
  };
}

/** How many faults may happen, and how many people free and mark. */
interface Limits {
  faults: number;
  freed: number;
  marked: number;
  /** Whether faults happen to people alone. */
  peopleOnly?: boolean;
  /** The severity that was posted before all this. */
  posted?: Severity;
}

class Model {
  readonly items: string[] = [];
  /** Copies of appends that are still on their way. */
  readonly late: string[] = [];
  readonly posters: Poster[];
  nowMs = AT_MS;
  /** Messages that Slack took, or may have taken. */
  readonly sent: Task[] = [];
  posts = 0;
  faults = 0;
  #standing: Severity | undefined;
  readonly #texts = new Map<
    string,
    { type: string; token?: string; severity?: string }
  >();
  readonly #limits: Limits;

  constructor(tasks: readonly Task[], limits: Limits) {
    this.#limits = limits;
    const { freed, marked, posted: severity } = limits;
    if (severity !== undefined) {
      const events = [claim("A", { severity }), posted("A")];
      this.items.push(...events.map((event) => JSON.stringify(event)));
      this.sent.push({ job: "before", severity });
      this.posts++;
    }
    this.posters = [
      ...tasks.map((task) => this.#start(this.#post(task), task)),
      ...Array.from({ length: freed }, () => this.#start(this.#free("ada"))),
      ...Array.from({ length: marked }, () => this.#start(this.#mark("bob"))),
    ];
  }

  #start(
    act: (poster: Poster, ask: Ask) => Promise<void>,
    task?: Task,
  ): Poster {
    const poster = new Poster(task);
    const ask = <T>(
      make: (reply: (value: T) => void, fail: () => void) => Pending,
    ) =>
      new Promise<T>((resolve, reject) => {
        poster.operations++;
        poster.pending = make(resolve, () => reject(new Error("lost")));
      });
    act(poster, ask).catch(() => {}).finally(() => poster.ended = true);
    return poster;
  }

  #post({ job: jobId, severity, version }: Task) {
    return async (poster: Poster, ask: Ask) => {
      const record = new PostRecord(listOf(ask), KEY);
      const wait = (ms: number) =>
        ask<void>((reply) => ({ kind: "wait", ms, reply }));
      if (version === "0.1.0") {
        const token = await claim010(listOf(ask), recordKey(KEY), {
          jobId,
          wait,
        });
        poster.claim = token === undefined
          ? undefined
          : { state: "mine", token, before: undefined };
      } else {
        poster.claim = await record.claim({ ...ME, jobId, severity }, {
          settleMs: 500,
          now: () => this.nowMs,
          wait,
        });
      }
      if (poster.claim?.state !== "mine") return;
      const { token } = poster.claim;
      const outcome = await ask<SendOutcome>((reply) => ({
        kind: "send",
        reply,
      }));
      await record.settle(
        token,
        outcome === "posted"
          ? { outcome, result: resultOf("A") }
          : { outcome, why: "the model says so" },
      );
    };
  }

  /** Whatever age the claim has: freeing early must be no more than it says. */
  #free(by: string) {
    return async (_: Poster, ask: Ask) => {
      const decision = { by, why: "looked", nowMs: this.nowMs, force: true };
      await freePost(readOnce(listOf(ask)), recordKey(KEY), decision);
    };
  }

  #mark(by: string) {
    return async (_: Poster, ask: Ask) => {
      const decision = { by, why: "saw it", nowMs: this.nowMs };
      await markPost(readOnce(listOf(ask)), recordKey(KEY), {
        ...decision,
        link: undefined,
      });
    };
  }

  /** An event or a claim's outcome, of which texts are read once. */
  #read(text: string): { type: string; token?: string; severity?: string } {
    const known = this.#texts.get(text) ?? JSON.parse(text);
    this.#texts.set(text, known);
    return known;
  }

  /** How many claims people closed in this way, as the fold sees it. */
  #countClosed(events: readonly PostEvent[], how: "freed" | "marked"): number {
    const isOpen = (length: number) => "claim" in fold(events.slice(0, length));
    return events.filter(({ type }, at) =>
      type === how && isOpen(at) && !isOpen(at + 1)
    ).length;
  }

  /** Lets every poster run on until it asks for something, or ends. */
  async settle(): Promise<void> {
    for (const poster of this.posters) {
      for (
        let turn = 0;
        poster.pending === undefined && !poster.ended;
        turn++
      ) {
        assert(turn < 1_000, "a poster neither asks nor ends");
        await null;
      }
    }
  }

  choices(): Choice[] {
    const choices = this.posters.flatMap((poster) => this.#choicesOf(poster));
    this.late.forEach((item, at) =>
      choices.push({
        name: "a late copy arrives",
        fault: false,
        run: () => {
          this.late.splice(at, 1);
          this.items.push(item);
        },
      })
    );
    return this.faults < this.#limits.faults
      ? choices
      : choices.filter(({ fault }) => !fault);
  }

  #choicesOf(poster: Poster): Choice[] {
    const choices = this.#allChoicesOf(poster);
    const { freed, marked, peopleOnly } = this.#limits;
    const people = this.posters.slice(this.posters.length - freed - marked);
    return peopleOnly && !people.includes(poster)
      ? choices.filter(({ fault }) => !fault)
      : choices;
  }

  #allChoicesOf(poster: Poster): Choice[] {
    const { pending, ended } = poster;
    if (pending === undefined || ended) return [];
    const who = `poster ${this.posters.indexOf(poster)}`;
    const choice = (name: string, fault: boolean, effect: () => void) => ({
      name: `${who}: ${name}`,
      fault,
      run: () => {
        if (fault) this.faults++;
        poster.pending = undefined;
        effect();
      },
    });
    const fault = (name: string, effect: () => void) =>
      choice(name, true, effect);
    const crash = () => poster.ended = true;
    switch (pending.kind) {
      case "list": {
        const { reply, fail } = pending;
        return [
          choice("reads", false, () => {
            poster.seen = this.items.length;
            reply([...this.items]);
          }),
          fault("cannot read", fail),
          fault("crashes before it reads", crash),
        ];
      }
      case "append": {
        const { item, reply, fail } = pending;
        const { items, late } = this;
        return [
          choice("appends", false, () => (items.push(item), reply())),
          fault("appends twice", () => (items.push(item, item), reply())),
          fault("appends, and again later", () => {
            items.push(item);
            late.push(item);
            reply();
          }),
          fault("appends and is told it failed", () => {
            items.push(item);
            fail();
          }),
          fault("is told it failed, and it arrives late", () => {
            late.push(item);
            fail();
          }),
          fault("cannot append", fail),
          fault("crashes before it appends", crash),
          fault("crashes after it appended", () => (items.push(item), crash())),
          fault("crashes, and its append arrives late", () => {
            late.push(item);
            crash();
          }),
        ];
      }
      case "send": {
        const { reply } = pending;
        const { sent } = this;
        const task = poster.task!;
        return [
          choice("posts", false, () => {
            sent.push(task);
            this.posts++;
            reply("posted");
          }),
          choice("is refused", false, () => reply("refused")),
          choice(
            "cannot tell",
            false,
            () => (sent.push(task), reply("unknown")),
          ),
          fault("crashes before it sends", crash),
          fault("crashes after it sent", () => (sent.push(task), crash())),
        ];
      }
      case "wait": {
        const { ms, reply } = pending;
        return [
          choice("waits", false, () => (this.nowMs += ms, reply())),
          fault("crashes while it waits", crash),
        ];
      }
    }
  }

  /** Messages beyond the longest row in which each is worse than the last. */
  get doubles(): number {
    const rows: number[] = [];
    for (const [at, task] of this.sent.entries()) {
      const before = rows.filter((_, to) => isUpdate(task, this.sent[to]!));
      rows[at] = 1 + Math.max(0, ...before);
    }
    return this.sent.length - Math.max(0, ...rows);
  }

  /** What must hold at every moment. */
  check(): void {
    const events = parseEvents(this.items);
    const state = fold(events);
    const posted = standingOf(state)?.last.severity;
    const before = this.#standing;
    assert(
      before === undefined || posted === before ||
        posted !== undefined && outranks(posted, before),
      `posted as ${before}, then as ${posted}`,
    );
    this.#standing = posted;
    const freed = this.#countClosed(events, "freed");
    const kinds = new Set(this.sent.map((task) => readAs(countsAs(task))));
    const again = this.sent.length - kinds.size;
    assert(again <= freed, `${again} messages again, and freed ${freed} times`);
    // A person may mark what is about to be sent, which then comes late.
    const marked = this.#countClosed(events, "marked");
    const { doubles } = this;
    assert(
      doubles <= freed + marked,
      `${doubles} in the wrong order, freed ${freed}, marked ${marked}`,
    );
    // However often what one person wrote arrives, it frees one claim.
    const { freed: people } = this.#limits;
    assert(freed <= people, `${people} people freed ${freed} claims`);
    for (const task of freed === 0 ? this.sent : []) {
      const effect = effectOf(state, countsAs(task), this.nowMs);
      assert(effect !== "new" && effect !== "update", `${effect} after a send`);
    }
    for (const { claim, task } of this.posters) {
      if (claim?.state !== "posted") continue;
      const { last } = claim;
      if (last.as === "posted") assert(this.posts > 0, "posted by nobody");
      const { severity } = task!;
      assert(
        !outranks(severity, last.severity),
        `${severity} is not sent, as ${last.severity} was`,
      );
    }
  }

  /**
   * The same for states that go on in the same way: tokens are renamed, and
   * the first two posters change places with each other.
   */
  key(): string {
    const [first, second, ...others] = this.posters;
    const swapped = [second!, first!, ...others];
    const rank = ({ pending, ended, operations, seen }: Poster) =>
      ended ? "" : `${pending?.kind} ${operations} ${seen}`;
    const [one, two] = [rank(first!), rank(second!)];
    if (one < two) return this.#keyOf(this.posters);
    if (one > two) return this.#keyOf(swapped);
    const keys = [this.#keyOf(this.posters), this.#keyOf(swapped)];
    return keys.toSorted()[0]!;
  }

  #keyOf(posters: readonly Poster[]): string {
    const names = new Map<string, number>();
    const rename = (item: string) => {
      const { type, token = "", severity = "" } = this.#read(item);
      if (!names.has(token)) names.set(token, names.size);
      return `${type}${names.get(token)}${severity}`;
    };
    return JSON.stringify([
      this.items.map(rename),
      posters.map(({ pending, ended, operations, seen, claim, task }) => [
        ended ? "ended" : pending?.kind,
        ended ? "" : task,
        ended ? 0 : operations,
        ended ? 0 : seen,
        !ended && claim?.state === "mine"
          ? rename(JSON.stringify({ type: "mine", token: claim.token }))
          : "",
        !ended && pending?.kind === "append" ? rename(pending.item) : "",
      ]),
      this.late.map(rename),
      [this.sent.map(({ severity, version }) => [severity, version])],
      [this.posts, this.faults],
    ]);
  }
}

/** What the record takes a message for. */
function countsAs({ severity, version }: Task): PostSeverity {
  return version === undefined ? severity : "critical";
}

/** Whether a message says more than one that went out before it. */
function isUpdate(task: Task, before: Task): boolean {
  return task.version === undefined &&
    outranks(task.severity, readAs(countsAs(before)));
}

/**
 * Visits every state that can be reached, each once. A state cannot be copied,
 * so each is reached by its choices from the start; the last way on from it is
 * taken without starting again.
 */
async function search(
  tasks: readonly Task[],
  limits: Limits,
): Promise<{ states: number; ends: number }> {
  const known = new Set<string>();
  const open: number[][] = [[]];
  let ends = 0;
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const model = new Model(tasks, limits);
    const names: string[] = [];
    const take = async (at: number) => {
      const choice = model.choices()[at]!;
      names.push(choice.name);
      choice.run();
      await model.settle();
    };
    await model.settle();
    for (const at of path) await take(at);
    while (true) {
      try {
        model.check();
      } catch (error) {
        throw new Error(`${(error as Error).message}:\n${names.join("\n")}`);
      }
      const key = model.key();
      if (known.has(key)) break;
      known.add(key);
      const last = model.choices().length - 1;
      if (last < 0) {
        ends++;
        break;
      }
      for (let at = 0; at < last; at++) open.push([...path, at]);
      path = [...path, last];
      await take(last);
    }
  }
  return { states: known.size, ends };
}

const warning = (job: string): Task => ({ job, severity: "warning" });
const error = (job: string): Task => ({ job, severity: "error" });
const critical = (job: string): Task => ({ job, severity: "critical" });
const old = (job: string): Task => ({ ...warning(job), version: "0.1.0" });

const SEARCHES: {
  name: string;
  tasks: Task[];
  limits: Limits;
}[] = [
  {
    name: "at most once whatever happens to two posters of two jobs",
    tasks: [warning("one"), warning("two")],
    limits: { faults: 2, freed: 0, marked: 0 },
  },
  {
    name: "at most once whatever happens to two posters of one job",
    tasks: [warning("one"), warning("one")],
    limits: { faults: 2, freed: 0, marked: 0 },
  },
  {
    name:
      "at most once more when a person frees it, or marks it, at any moment",
    tasks: [warning("one"), warning("two")],
    limits: { faults: 0, freed: 1, marked: 1 },
  },
  {
    name: "at most once more when what a person writes comes twice, or late",
    tasks: [warning("one"), warning("two")],
    limits: { faults: 1, freed: 1, marked: 0, peopleOnly: true },
  },
  {
    name: "for each worse severity at most once, whatever happens",
    tasks: [warning("one"), critical("two")],
    limits: { faults: 2, freed: 0, marked: 0 },
  },
  {
    name: "for each worse severity at most once, with three posters",
    tasks: [warning("one"), error("two"), critical("three")],
    limits: { faults: 0, freed: 0, marked: 0 },
  },
  {
    name: "for an update at most once, whatever happens to two posters",
    tasks: [critical("one"), critical("two")],
    limits: { faults: 1, freed: 0, marked: 0, posted: "warning" },
  },
  {
    name: "for an update at most once, and never for a lower one after it",
    tasks: [critical("one"), error("two")],
    limits: { faults: 1, freed: 0, marked: 0, posted: "warning" },
  },
  {
    name: "for an update at most once more when a person frees it",
    tasks: [critical("one"), error("two")],
    limits: { faults: 0, freed: 1, marked: 0, posted: "warning" },
  },
  {
    name: "for an update at most once when a person marks it",
    tasks: [critical("one"), error("two")],
    limits: { faults: 0, freed: 0, marked: 1, posted: "warning" },
  },
  {
    name: "for an update at most once more when a mark comes twice, or late",
    tasks: [error("one"), critical("two")],
    limits: {
      faults: 1,
      freed: 0,
      marked: 1,
      peopleOnly: true,
      posted: "info",
    },
  },
  {
    name: "at most once when a poster of 0.1.0 is beside a new one",
    tasks: [old("one"), critical("two")],
    limits: { faults: 2, freed: 0, marked: 0 },
  },
  {
    name: "for an update at most once beside a poster of 0.1.0",
    tasks: [critical("one"), critical("two"), old("three")],
    limits: { faults: 1, freed: 0, marked: 0, posted: "warning" },
  },
  {
    name: "at most once more beside a poster of 0.1.0 when a person frees it",
    tasks: [old("one"), critical("two")],
    limits: { faults: 0, freed: 1, marked: 0 },
  },
];

for (const { name, tasks, limits } of SEARCHES) {
  Deno.test(`PostRecord lets a message out ${name}`, async () => {
    const { states, ends } = await search(tasks, limits);
    assert(states > 1_000 && ends > 100, `only ${states} states, ${ends} ends`);
  });
}

/** Each run has posters of three jobs, whose severities the seed says. */
function tasksOf(seed: number): Task[] {
  const severities: PostSeverity[] = [
    ...["info", "warning", "error", "critical"] as const,
    "unknown",
  ];
  const task = (job: string, at: number): Task => ({
    job,
    severity: severities[Math.floor(seed / 5 ** at) % 5]!,
    ...seed % 7 === at ? { version: "0.1.0" } : {},
  });
  return [task("one", 0), task("one", 0), task("two", 1), task("three", 2)];
}

Deno.test("PostRecord lets a message out at most once a severity, and once more a freeing, in 10,000 seeded runs of four posters", async () => {
  const totals = { posted: 0, repeated: 0, inDoubt: 0, updated: 0, twice: 0 };
  for (let seed = 1; seed <= 10_000; seed++) {
    const random = randomFrom(seed);
    const people = seed % 2; // No person takes part in every other run.
    const model = new Model(tasksOf(seed), {
      faults: 6,
      freed: people * 2,
      marked: people,
    });
    const names: string[] = [];
    try {
      for (await model.settle();; await model.settle()) {
        model.check();
        const choice = pick(model.choices(), random);
        if (choice === undefined) break;
        names.push(choice.name);
        choice.run();
      }
    } catch (error) {
      const story = names.join("\n");
      throw new Error(`seed ${seed}: ${(error as Error).message}:\n${story}`);
    }
    const states = model.posters.map(({ claim }) => claim?.state);
    totals.posted += Number(model.posts > 0);
    totals.repeated += Number(states.includes("posted"));
    totals.inDoubt += Number(states.includes("in doubt"));
    totals.updated += Number(model.sent.length > 1 && model.doubles === 0);
    totals.twice += Number(model.doubles > 0);
  }
  // What never happens proves nothing, so all of it has to happen often; and
  // that the search sees two messages, where people allow them, too.
  for (const [what, count] of Object.entries(totals)) {
    assert(count > 50, `${what} only ${count} times`);
  }
});

/** One of the choices; a fault one time in six. */
function pick(
  choices: readonly Choice[],
  random: () => number,
): Choice | undefined {
  const faults = choices.filter(({ fault }) => fault);
  const plain = choices.filter(({ fault }) => !fault);
  const wanted = faults.length > 0 && random() < 1 / 6 ? faults : plain;
  return wanted[Math.floor(random() * wanted.length)];
}

/** Numbers from 0 to 1, the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

Deno.test("PostRecord.claim() leaves its job to a process that may still be at it", async () => {
  const at = "2026-11-22T12:00:00.000Z";
  const items = [JSON.stringify(claim("A", { job_id: "j", at }))];
  const list = {
    append: (_: string, item: string) => Promise.resolve(void items.push(item)),
    list: () => Promise.resolve([...items]),
  };
  const key = { tenant: "t", incidentId: "mock:1", destination: "artifact" };
  const claimant: Claimant = { ...ME, jobId: "j" };
  const after = (seconds: number, liveMs: number) =>
    new PostRecord(list, key).claim(claimant, {
      settleMs: 0,
      liveMs,
      now: () => Date.parse(at) + seconds * 1000,
      wait: () => Promise.resolve(),
    });
  assertEquals((await after(120, 330_000)).state, "elsewhere");
  assertEquals((await after(331, 330_000)).state, "in doubt");
  assertEquals((await after(120, 60_000)).state, "in doubt");
  assertEquals(items.length, 1);
});
