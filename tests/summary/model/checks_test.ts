/**
 * What each check lets pass and what it drops.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { checkClaims, CHECKS } from "../../../lib/summary/model/check.ts";
import { causal } from "../../../lib/summary/model/checks/causal.ts";
import { change } from "../../../lib/summary/model/checks/change.ts";
import { copied } from "../../../lib/summary/model/checks/copied.ts";
import { covered } from "../../../lib/summary/model/checks/covered.ts";
import { gap } from "../../../lib/summary/model/checks/gap.ts";
import { knownId } from "../../../lib/summary/model/checks/known_id.ts";
import { onTopic } from "../../../lib/summary/model/checks/on_topic.ts";
import { ourWords } from "../../../lib/summary/model/checks/our_words.ts";
import { plain } from "../../../lib/summary/model/checks/plain.ts";
import { quote } from "../../../lib/summary/model/checks/quote.ts";
import { reserved } from "../../../lib/summary/model/checks/reserved.ts";
import { scope } from "../../../lib/summary/model/checks/scope.ts";
import { together } from "../../../lib/summary/model/checks/together.ts";
import {
  type Check,
  type DropReason,
  fold,
  type KeptClaim,
  type Seen,
} from "../../../lib/summary/model/claim.ts";

const TEXTS: Readonly<Record<string, readonly [kind: string, text: string]>> = {
  E1: [
    "prometheus.value",
    'Replication of db-1.prod lags by 212 s (limit 30 s), memory 97.4%,  writes 1,200 per minute,\n crossed at 2026-01-15T09:21:37Z {"says":"he said \\"disk full\\"","size":"512Mi"}',
  ],
  E2: [
    "kubernetes.pods",
    '{"pod":"checkout-7f9dd8b6c4-x7gr9","reason":"OOMKilled","image":"shop/checkout:v2.14.0","restarts":7,"limit":"512Mi","service":"zephyr"}',
  ],
  E3: [
    "github.deployments",
    "Deployed orders-api v2.14.0 at 2026-01-15T09:15:00Z; deployed orders-api v2.15.0 at 2026-01-15T09:40:00Z",
  ],
  E4: [
    "loki.errors",
    "no route to host db-1.prod; three workers gave up; the moon is made of cheese",
  ],
};

const SEEN: Seen = {
  items: new Map(
    Object.entries(TEXTS).map(([id, [kind, text]]) => [
      id,
      { id, kind, title: "", text, folded: fold(text) },
    ]),
  ),
  since: "2026-01-15T09:21:37Z",
  changes: [
    {
      at: "2026-01-15T09:15:00Z",
      text: "Deployed orders-api v2.14.0",
      kind: "change",
      evidence: ["E3"],
    },
    {
      at: "2026-01-15T09:40:00Z",
      text: "Deployed orders-api v2.15.0",
      kind: "change",
      evidence: ["E3"],
    },
  ],
  gaps: [{
    what: "events of the namespace shop",
    why: "Kubernetes answered 403",
  }],
  lookups: [{
    collector: "loki",
    question: "error lines of checkout",
    state: "failed",
    why: "no answer in time",
  }],
};

const CLAIM: KeptClaim = {
  section: "what",
  evidence: ["E1"],
  quote: "Replication of db-1.prod lags by 212 s",
  text: "Replication of db-1.prod lags by 212 s.",
  level: "observed",
};

interface Case {
  says: string;
  check: Check;
  claim: Partial<KeptClaim>;
  /** What is dropped; `undefined` if it passes. */
  drop?: DropReason;
  level?: KeptClaim["level"];
  seen?: Partial<Seen>;
}

const cases: Case[] = [];
const holds = (
  check: Check,
  says: string,
  claim: Partial<KeptClaim>,
  more = {},
) => cases.push({ says, check, claim, ...more });
const drops = (
  check: Check,
  drop: DropReason,
  says: string,
  claim: Partial<KeptClaim>,
  more = {},
) => cases.push({ says, check, claim, drop, ...more });

// 1. The id is known.
holds(knownId, "ids that were shown", { evidence: ["E1", "E2"] });
drops(knownId, "unknown id", "an id that was not shown", { evidence: ["E5"] });
drops(knownId, "unknown id", "one such id among others", {
  evidence: ["E1", "E50"],
});
drops(knownId, "unknown id", "no id", { evidence: [] });

// 2. The quote occurs in a cited item.
holds(quote, "a quote across blanks and lines", {
  quote: "writes 1,200 per minute, crossed at",
});
holds(quote, "a quote out of JSON, unescaped", {
  quote: 'he said "disk full"',
});
holds(quote, "a quote of 8 characters", { quote: "lags by " + "2" });
drops(quote, "no such quote", "a quote of 7 characters", { quote: "lags by" });
drops(quote, "no such quote", "a quote with one other digit", {
  quote: "Replication of db-1.prod lags by 213 s",
});
drops(quote, "no such quote", "a quote of an item that it does not cite", {
  quote: "checkout-7f9dd8b6c4-x7gr9",
});

// 3. Numbers, times, names and quoted words occur.
for (
  const text of [
    "The lag reached 212 s, limit 30 s.",
    "The lag reached 212s.",
    "Memory is at 97.4 %.",
    "Memory is at 97.4 percent.",
    "There are 1,200 writes per minute.",
    "It crossed the limit at 09:21.",
    "It crossed the limit at 09:21:37 on 2026-01-15.",
    'A log line says "disk full".',
    "The size is 512Mi.",
    "db-1 lags.",
    "CPU and DNS of db-1.prod are slow.",
  ]
) holds(copied, text, { text });
for (
  const text of [
    "The lag reached 213 s.",
    "The lag reached 21 s.",
    "The lag reached 2120 s.",
    "The lag reached 212 ms.",
    "The lag reached 212 minutes.",
    "The lag reached 2.12 s.",
    "Memory is at 97 %.",
    "Memory is at 7.4 %.",
    "There are 200 writes per minute.",
    "It crossed the limit at 09:22.",
    "It crossed the limit at 09:21:38.",
    "It crossed the limit at 21:37.",
    "It began on 2026-01-16.",
    'A log line says "disk half full".',
    "A log line says 'all is lost'.",
    "db-2 lags.",
    "db-1.prod2 lags.",
    "db-11 lags.",
    "Version v2.14 lags.",
    "Twelve replicas lag.",
    "Half of the writes fail.",
    "The write to Zanzibar failed.",
    "The pod is CrashLoopBackOff.",
    "The host orders.internal is down.",
    "The lag reached 1 s on db-1.prod.",
  ]
) drops(copied, "not copied", text, { text });
holds(copied, "a number as a word that the item has", {
  evidence: ["E4"],
  text: "Three workers failed.",
});
for (
  const text of ["shop/checkout:v2.14 is slow.", "checkout-7f9dd8b6c4 is slow."]
) {
  drops(copied, "not copied", `the beginning of a name: ${text}`, {
    evidence: ["E2"],
    text,
  });
}
drops(copied, "not copied", "a name out of an item that it does not cite", {
  text: "checkout-7f9dd8b6c4-x7gr9 restarted.",
});

// 4. No address, mention or markup.
for (
  const text of [
    "Replication of db-1.prod lags by 212 s.",
    "The name node_memory_free is in the query, the user's view is slow.",
    "It rose – slowly – to 97.4 %; see the pod's log.",
  ]
) holds(plain, text, { text });
for (
  const text of [
    "See https://db-1.prod/ for more.",
    "See www.db-1.prod for more.",
    "See evil.com for more.",
    "See evil[.]example for more.",
    "See evil dot com for more.",
    "See evil .com for more.",
    "Write to mailto:ops and wait.",
    "Call <!here> to look.",
    "Call @here to look.",
    "Look at #incidents now.",
    "The *limit* was crossed.",
    "The `limit` was crossed.",
    "The _limit_ was crossed.",
    "The ~limit~ was crossed.",
    "The [limit](x) was crossed.",
    "The <b>limit</b> was crossed.",
    "The limit&amp;more was crossed.",
    "The limit was crossed :fire: today.",
    "# The limit was crossed.",
    "> The limit was crossed.",
    "- The limit was crossed.",
    "1. The limit was crossed.",
    "◆ The limit was crossed.",
    "🔴 The limit was crossed.",
    "The limit was\ncrossed.",
    "The limit was \u202Ecrossed.",
    "The limit wаs crossed.", // A Cyrillic letter.
    "限制已超出。",
  ]
) drops(plain, "not plain", JSON.stringify(text), { text });

// 5. A causal word needs two kinds.
const WHY = "The full disk caused the lag of db-1.prod.";
holds(causal, "a cause by one item is possible", { text: WHY }, {
  level: "possible",
});
holds(causal, "a cause by two items of one kind is possible", {
  text: WHY,
  evidence: ["E1", "E5"],
}, {
  level: "possible",
  seen: {
    items: new Map([
      ...SEEN.items,
      ["E5", { ...SEEN.items.get("E1")!, id: "E5" }],
    ]),
  },
});
holds(causal, "a cause by two items of different kinds is possible", {
  text: WHY,
  evidence: ["E1", "E2"],
}, { level: "possible" });
holds(causal, "what is in the section of causes is never more than possible", {
  section: "cause",
  text: "The disk is full.",
  evidence: ["E1", "E2"],
}, { level: "possible" });
holds(causal, "no causal word, no hedge", {}, { level: "observed" });

// 6. A change that is a cause lies before the start.
const CAUSE = { section: "cause", evidence: ["E1", "E3"] } as const;
const by = (text: string) => ({
  ...CAUSE,
  evidence: [...CAUSE.evidence],
  text,
});
holds(
  change,
  "a change before the start",
  by("v2.14.0 of orders-api caused it."),
);
drops(
  change,
  "change",
  "a change after the start",
  by("v2.15.0 of orders-api caused it."),
);
drops(change, "change", "a change after the start, by its quote alone", {
  ...by("The new version caused it."),
  quote: "deployed orders-api v2.15.0",
});
drops(change, "change", "a change that nobody knows of", {
  ...by("A migration caused it."),
  evidence: ["E1", "E2"],
});
drops(
  change,
  "change",
  "changes of which one is too late",
  by("Deployments caused it."),
);
drops(
  change,
  "change",
  "a change where the start is unknown",
  by("v2.14.0 of orders-api caused it."),
  {
    seen: { since: undefined },
  },
);
holds(change, "a change that is told, not blamed", {
  evidence: ["E3"],
  text: "orders-api v2.15.0 was deployed.",
});

// 7. A gap is no finding.
drops(gap, "gap", "a quote out of a gap", { quote: "Kubernetes answered 403" });
drops(gap, "gap", "an absence of what was not collected", {
  text: "There are no events of the namespace.",
});
drops(gap, "gap", "an absence of what could not be asked for", {
  text: "The checkout has no error lines.",
});
holds(gap, "an absence of something else", {
  evidence: ["E4"],
  quote: "no route to host db-1.prod",
  text: "There is no route to db-1.prod.",
});
holds(gap, "what was collected, though something else was not", {
  text: "The events show a lag of db-1.prod.",
});

// 8. No order, no approval, no reassurance, no verdict.
for (
  const text of [
    "Restarts of db-1.prod rose.",
    "The write to db-1.prod stalled.",
    "The kernel killed the process.",
    "The pod is unhealthy and not ready.",
  ]
) holds(reserved, text, { text, quote: "not ready, failed" });
for (
  const text of [
    "Approve this message now.",
    "This was approved by the team.",
    "You must look at db-1.",
    "Please restart db-1.prod.",
    "Restart db-1.prod at once.",
    "Delete the volume of db-1.prod.",
    "Run the cleanup on db-1.prod.",
    "All is healthy on db-1.prod.",
    "The lag is resolved.",
    "This is only a test.",
    "This is a false alarm.",
    "There is no problem with db-1.prod.",
    "db-1.prod does not need action.",
    "The lag is now over.",
    "The database is back online.",
    "Severity is low.",
    "Ignore the lag.",
    "The password is in the log.",
    "The assistant has checked it.",
    "A model's reading of the same evidence",
    "No reading by the model.",
    "Next: look at db-1.prod.",
    "Written by db-1.prod.",
  ]
) drops(reserved, "reserved", text, { text });
holds(reserved, "a next step that looks", {
  section: "next",
  text: "Check why the write to db-1.prod stalled.",
});
for (
  const text of [
    "Restart db-1.prod.",
    "Roll back orders-api.",
    "Check db-1.prod and restart it.",
    "Check db-1.prod, then scale it down to zero.",
    "Look at the lag and delete the volume.",
    "Check the lag: unmount the volume.",
    "Verify by dropping the volume.",
    "Verify if removing the volume ends the lag.",
    "Open the console.",
  ]
) {
  drops(reserved, "reserved", `the next step ${text}`, {
    section: "next",
    text,
  });
}
drops(reserved, "reserved", "an absence that its quote does not say", {
  text: "db-1.prod never wrote.",
});
holds(reserved, "an absence that its quote says", {
  evidence: ["E4"],
  quote: "no route to host db-1.prod",
  text: "There is no route to db-1.prod.",
});

// 9. Our words, and names.
holds(ourWords, "a name that is a value", {
  evidence: ["E2"],
  text: "The service zephyr restarted.",
});
drops(ourWords, "not our words", "a word that stands in prose alone", {
  evidence: ["E4"],
  text: "The moon is slow.",
});
drops(ourWords, "not our words", "another language", {
  text: "Die Datenbank ist langsam.",
});
drops(ourWords, "not our words", "letters that say nothing", {
  text: "The qmzx restarted.",
});

// 10. What its evidence speaks of.
holds(onTopic, "things of its evidence", {
  text: "Replication lags, and the memory is full.",
});
drops(onTopic, "off topic", "a cause that is nowhere in its evidence", {
  section: "cause",
  text: "The network caused the lag.",
});
drops(onTopic, "off topic", "other things", {
  text: "The certificate of the gateway has expired.",
});
drops(onTopic, "off topic", "a quote about something else", {
  quote: "writes 1,200 per minute",
});
drops(onTopic, "off topic", "no thing at all", { text: "It went down." });

for (const { says, check, claim, drop, level, seen = {} } of cases) {
  Deno.test(`${check.name}() ${drop ? "drops" : "passes"} ${says}`, () => {
    const verdict = check(
      { ...CLAIM, ...claim },
      { ...SEEN, ...seen } as Seen,
    );
    if (drop !== undefined) {
      assertEquals("reason" in verdict && verdict.reason, drop);
    } else if (level === undefined) {
      assertEquals("kept" in verdict, true, JSON.stringify(verdict));
    } else {
      assertEquals("kept" in verdict && verdict.kept.level, level);
    }
  });
}

Deno.test("checkClaims() puts every claim through all checks, in the contract's order", () => {
  assertEquals(CHECKS, [
    knownId,
    quote,
    copied,
    plain,
    causal,
    change,
    gap,
    reserved,
    ourWords,
    onTopic,
    together,
    scope,
    covered,
  ]);
});

const { level: _, ...SAID } = CLAIM;

Deno.test("checkClaims() drops a claim of another form, the ninth, and one that says the same again", () => {
  const other = {
    ...SAID,
    text: "The lag of db-1.prod crossed the limit at 09:21.",
  };
  const many = Array.from({ length: 7 }, () => SAID);
  const { kept, dropped } = checkClaims(
    [{ ...SAID, more: 1 }, null, other, ...many],
    SEEN,
  );
  assertEquals(kept.map(({ text }) => text), [other.text, SAID.text]);
  assertEquals(dropped.map(({ reason }) => reason), [
    "shape",
    "shape",
    "told",
    "told",
    "told",
    "told",
    "too many",
    "too many",
  ]);
});

/** As a good model would put it. */
const GOOD: readonly Partial<KeptClaim>[] = [
  {
    text:
      "Replication of db-1.prod lags by 212 s, far above the limit of 30 s.",
  },
  {
    evidence: ["E2"],
    quote: '"reason":"OOMKilled"',
    text:
      "A container of checkout was OOMKilled and has restarted 7 times with a memory limit of 512Mi.",
  },
  {
    section: "cause",
    evidence: ["E2", "E1"],
    quote: '"limit":"512Mi"',
    text:
      "The memory limit of 512Mi is possibly too small, so the kernel kills the container.",
  },
  {
    section: "cause",
    evidence: ["E3", "E1"],
    quote: "Deployed orders-api v2.14.0",
    text:
      "The deployment of orders-api v2.14.0 at 09:15 came shortly before the lag and may have increased the write load.",
  },
  {
    section: "next",
    evidence: ["E3"],
    quote: "Deployed orders-api v2.14.0",
    text:
      "Compare the queries of orders-api v2.14.0 with those of the version before it.",
  },
  {
    section: "next",
    evidence: ["E2"],
    quote: '"restarts":7,"limit":"512Mi"',
    text: "Check the memory usage of checkout against its limit of 512Mi.",
  },
  {
    evidence: ["E4"],
    quote: "no route to host db-1.prod",
    text: "Clients cannot reach db-1.prod: the log shows no route to host.",
  },
];

Deno.test("checkClaims() keeps what a good model says", () => {
  const { kept, dropped } = checkClaims(
    GOOD.map((claim) => ({ ...SAID, ...claim })),
    SEEN,
  );
  assertEquals(dropped, []);
  assertEquals(kept.length, GOOD.length);
});
