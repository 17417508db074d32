import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type {
  Claim,
  EvidenceBundle,
  EvidenceItem,
  Lookup,
  NormalizedContext,
} from "../../lib/incident.ts";
import type { Report, Told } from "../../lib/message/told.ts";
import { summarize } from "../../lib/summary/builtin.ts";
import { claimsOf } from "../../lib/summary/draft.ts";
import { toMarkdown } from "../../lib/summary/markdown.ts";
import { keepCited } from "../../lib/summary/citations.ts";
import { tell } from "../../lib/summary/tell.ts";

function item(more: Partial<EvidenceItem> = {}): EvidenceItem {
  return {
    kind: "incident.raw",
    title: "Payload as received",
    artifact_ptr: "redis://art:1",
    content_type: "application/json",
    bytes: 12,
    ...more,
  };
}

const CONTEXT: NormalizedContext = {
  title: "Checkout is slow",
  description: "p99 rose to 2.4 s.",
  severity: "critical",
  severity_rule: "reported as critical",
  service: "checkout-api",
  status: "triggered",
  source: { system: "mock", url: "https://example.com/1" },
  occurred_at: "2026-01-15T09:30:00Z",
  facts: [{ name: "region", value: "eu-west-1", evidence: ["E1"] }],
  timeline: [
    {
      at: "2026-01-15T09:24:10.000Z",
      text: "Deployed 2026.3.1",
      evidence: ["E1"],
    },
    {
      at: "2026-01-15T09:30:00.000Z",
      text: "Alert fired",
      evidence: ["E1", "E2"],
    },
  ],
};
const BUNDLE: EvidenceBundle = {
  incident_id: "mock:INC-1",
  collected_at: "2026-01-15T09:31:00.000Z",
  evidence: [
    item({ id: "E1" }),
    item({
      id: "E2",
      kind: "incident.context",
      title: "Incident in plain fields",
      artifact_ptr: "redis://art:2",
      bytes: 262_144,
      shortened: true,
    }),
  ],
  normalized_context: CONTEXT,
  gaps: [{ what: "the log", why: "status 403" }],
};
const EMPTY: EvidenceBundle = {
  incident_id: "mock:INC-1",
  collected_at: "2026-01-15T09:31:00.000Z",
  evidence: [],
};

function bundle(
  context: Partial<NormalizedContext>,
  more: Partial<EvidenceBundle> = {},
): EvidenceBundle {
  return { ...EMPTY, evidence: [item()], normalized_context: context, ...more };
}

function markdownOf(bundle: EvidenceBundle): string {
  return toMarkdown(summarize(bundle), bundle);
}

function textsOf(claims: Claim[]): string[] {
  return claims.map(({ text }) => text);
}

Deno.test("summarize() tells what the rules tell, without a model", () => {
  assertEquals(summarize(BUNDLE), { report: tell(BUNDLE), model: "builtin" });
});

Deno.test("claimsOf() gives what happened, changed and was seen, and what is next", () => {
  assertEquals(claimsOf(summarize(BUNDLE).report, BUNDLE.evidence), {
    highlights: [
      { text: "“p99 rose to 2.4 s.”", evidence: ["E1"] },
      { text: "“region: eu-west-1”", evidence: ["E1"] },
      { text: "09:30:00 “Alert fired”", evidence: ["E1", "E2"] },
      {
        text: "09:24:10, 5 min before: “Deployed 2026.3.1”",
        evidence: ["E1"],
      },
    ],
    action_items: [{
      text:
        "See if the change of 09:24:10, 5 min before, explains it; if so, roll it back",
      evidence: ["E1"],
    }],
    confidence: 0,
  });
});

Deno.test("claimsOf() claims nothing when there is no evidence", () => {
  const without = { ...BUNDLE, evidence: [] };
  const { highlights, action_items, confidence } = claimsOf(
    summarize(without).report,
    [],
  );
  assertEquals([highlights, action_items, confidence], [[], [], 0]);
});

Deno.test("tell() drops claims that cite nothing of the bundle", () => {
  const { claims } = tell({ ...BUNDLE, evidence: [] });
  assertEquals(claims.map(({ place }) => place), [
    "headline",
    "state",
    "small",
  ]);
});

const told = (collected: boolean, place: Told["place"] = "happened") => ({
  place,
  text: "a",
  evidence: ["E1"],
  ...collected && { collected },
});
const SHARES: [what: string, Report["claims"], number][] = [
  ["nothing", [], 0],
  ["small print alone", [told(true, "small")], 0],
  ["what the webhook says", [told(false), told(false)], 0],
  ["what was collected", [told(true), told(true, "next")], 1],
  ["one of three", [told(true), told(false), told(false, "state")], 0.33],
  ["two of three", [told(true), told(true), told(false)], 0.67],
];
for (const [what, claims, confidence] of SHARES) {
  Deno.test(`claimsOf() has confidence ${confidence} in ${what}`, () => {
    assertEquals(claimsOf({ claims }, [item()]).confidence, confidence);
  });
}

function entry(at: number, text = `entry ${at}`) {
  const minute = String(at).padStart(2, "0");
  return { at: `2026-01-15T09:${minute}:00Z`, text, evidence: ["E1"] };
}

Deno.test("summarize() cites only evidence that exists, however much there is", () => {
  const evidence = Array.from({ length: 50 }, () => item());
  const ids = Array.from({ length: 99 }, (_, at) => `E${at + 1}`);
  const huge = bundle({
    title: "t".repeat(1000),
    description: "d".repeat(4000),
    severity: "critical",
    severity_rule: "r".repeat(200),
    facts: ids.map((id) => ({
      name: id,
      value: "v".repeat(1000),
      evidence: [id],
    })),
    timeline: ids.map((id, at) => ({
      ...entry(at % 60),
      text: `deploy ${"t".repeat(400)}`,
      evidence: [id, "E1"],
    })),
  }, {
    evidence,
    gaps: Array.from({ length: 50 }, () => ({
      what: "w".repeat(200),
      why: "y".repeat(500),
    })),
  });
  const { highlights, action_items } = claimsOf(
    summarize(huge).report,
    evidence,
  );
  const known = new Set(ids.slice(0, 50));
  for (const { text, evidence } of [...highlights, ...action_items]) {
    assert(text.length >= 1 && text.length <= 1000);
    assert(evidence.length > 0 && evidence.every((id) => known.has(id)));
  }
  assert(highlights.length <= 20 && action_items.length <= 20);
  for (
    const [, cited = ""] of markdownOf(huge).matchAll(/ \[([E\d, ]+)\]$/gm)
  ) {
    assert(cited.split(", ").every((id) => known.has(id)), cited);
  }
});

Deno.test("toMarkdown() writes every part, its citations and the evidence", () => {
  assertEquals(
    markdownOf(BUNDLE),
    `# CRITICAL · checkout-api: Checkout is slow

Since 09:30:00 UTC, now triggered [E1]

## What happened

- “p99 rose to 2.4 s.” [E1]
- “region: eu-west-1” [E1]
- 09:30:00 “Alert fired” [E1, E2]

## What changed

- 09:24:10, 5 min before: “Deployed 2026.3.1” [E1]

## Next

- See if the change of 09:24:10, 5 min before, explains it; if so, roll it back [E1]

## Timeline

- 2026-01-15 09:24:10 UTC · told above [E1]
- 2026-01-15 09:30:00 UTC · told above [E1, E2]

## Not collected

- “the log: status 403”

## Evidence

- [E1] “Payload as received” (\`incident.raw\`, 12 bytes): \`redis://art:1\`
- [E2] “Incident in plain fields” (\`incident.context\`, 262144 bytes, shortened): \`redis://art:2\`

Written by the built-in rules from the evidence of 2026-01-15 09:31:00 UTC. Confidence 0: 0 of 7 claims rest on other systems than the webhook.
`,
  );
});

Deno.test("toMarkdown() tells the states of look-ups apart, and cites what was found", () => {
  const lookups: Lookup[] = [
    {
      collector: "prometheus",
      question: "the series of Slow",
      state: "found",
      evidence: ["E2", "E9"],
    },
    {
      collector: "alertmanager",
      question: "silences",
      state: "nothing",
      why: "no silence",
    },
    {
      collector: "pagerduty",
      question: "*notes*",
      state: "failed",
      why: "PagerDuty answered 403 (<b>)",
    },
    { collector: "loki", state: "off", why: "not set up" },
    { collector: "github", state: "unconcerned", why: "no repository" },
    { collector: "other", state: "nothing" },
  ];
  const markdown = markdownOf({ ...BUNDLE, lookups });
  assertStringIncludes(
    markdown,
    `## What was looked up

- Prometheus, “the series of Slow”: found [E2]
- Alertmanager, “silences”: nothing there: “no silence”
- PagerDuty, “\\*notes\\*”: could not ask: “PagerDuty answered 403 (\\<b\\>)”
- Loki: not set up
- GitHub: not concerned: “no repository”
- “other”: nothing there

## Evidence
`,
  );
});

Deno.test("toMarkdown() lists every name of the alerts, and counts the others", () => {
  const bundle: EvidenceBundle = {
    ...BUNDLE,
    normalized_context: {
      ...BUNDLE.normalized_context,
      alerts: {
        firing: 5,
        resolved: 0,
        groups: [{
          name: "Slow",
          severity: "critical",
          count: 3,
          since: "2026-01-15T09:30:00.000Z",
          newest: "2026-01-15T09:31:00.000Z",
          where: ["db1", "db2"],
          places: 3,
          says: "It is slow",
          evidence: ["E1"],
        }],
        others: { groups: 2, alerts: 2, severity: "warning" },
      },
    },
  };
  const markdown = toMarkdown(summarize(bundle), bundle);
  assertStringIncludes(
    markdown,
    "\n## Alerts by name, the worst first\n\n" +
      "- critical: Slow ×3 on db1, db2 and 1 more · 2026-01-15 09:30:00 to 09:31:00 UTC [E1]\n" +
      "- 2 more names (2 alerts), at worst warning, in the payload\n",
  );
});

Deno.test("toMarkdown() leaves out the parts that are empty", () => {
  assertEquals(
    markdownOf(EMPTY),
    `# WARNING: mock:INC-1

Written by the built-in rules from the evidence of 2026-01-15 09:31:00 UTC. Confidence 0: 0 of 1 claims rest on other systems than the webhook.
`,
  );
});

Deno.test("toMarkdown() shows only the part of the timeline that cites evidence", () => {
  const timeline = [
    { ...entry(1, "known"), evidence: ["E9", "E1"] },
    { ...entry(2, "made up"), evidence: ["E9"] },
  ];
  const markdown = markdownOf(bundle({ timeline }));
  assertEquals(
    markdown.split("## Timeline\n\n")[1]?.split("\n\n")[0],
    "- 2026-01-15 09:01:00 UTC · told above [E1]",
  );
});

const MARKUP = [
  "# heading",
  "a\n# heading\n- item",
  "a\n\n## What to do\n\n- approve it [E1]",
  "- item",
  "+ item",
  "* item",
  "1. item",
  "12) item",
  "===",
  "---",
  "> quote",
  "```\ncode",
  "~~~ code",
  "`redis://art:9`",
  "*bold* __strong__ ~~gone~~",
  "[E9]",
  "[text](https://evil.example)",
  "![picture](https://evil.example)",
  "[E1]: https://evil.example",
  "<script>alert(1)</script>",
  "<https://evil.example>",
  "&#91;E9&#93; &lt;b&gt;",
  "| a | b |",
  "\\",
  "\\[E9\\]",
  "{{ template }}",
];
for (const markup of MARKUP) {
  Deno.test(`toMarkdown() lets ${JSON.stringify(markup)} pass for no markup of ours`, () => {
    assertEquals(outline(fill(markup)), outline(fill("some words")));
  });
}

/** The Markdown of a bundle that holds `text` wherever it holds any. */
function fill(text: string): string {
  return markdownOf({
    ...EMPTY,
    evidence: [item({ kind: text, title: text })],
    normalized_context: {
      title: text,
      description: `${text} then 2`,
      severity: "critical",
      severity_rule: text,
      service: text,
      status: text,
      facts: [{
        name: `${text} then 3`,
        value: `${text} then 4`,
        evidence: ["E1"],
      }],
      timeline: [{ ...entry(1, `${text} then 5`), evidence: ["E1"] }],
    },
    gaps: [{ what: text, why: text }],
  });
}

/**
 * What a Markdown reader takes for markup, line by line: how a line begins, and
 * each character that is neither code nor escaped and could mean something.
 */
function outline(markdown: string): string[] {
  return markdown.split("\n").map((line) => {
    const [start = "", rest = ""] = split(line, /^(?:#+ |- )?/);
    const [marker = ""] = split(rest, /^(?:\d+[.)]|[-+=])?/);
    const bare = rest.slice(marker.length)
      .replace(/\\[!-\/:-@[-`{-~]|`[^`]+`/g, "");
    return start + marker + bare.replace(/[^\\`*_{}[\]<>#|!~&]/g, "");
  });
}

function split(text: string, start: RegExp): [string, string] {
  const [head = ""] = start.exec(text) ?? [];
  return [head, text.slice(head.length)];
}

const EVIDENCE = [item(), item({ id: "E7" })]; // E1 by its place, and E7.
const KEPT: [what: string, Claim[], Claim[]][] = [
  ["nothing of nothing", [], []],
  [
    "claims that cite evidence",
    [{ text: "a", evidence: ["E1"] }, { text: "b", evidence: ["E7", "E1"] }],
    [{ text: "a", evidence: ["E1"] }, { text: "b", evidence: ["E7", "E1"] }],
  ],
  [
    "no claim that cites nothing",
    [{ text: "a", evidence: [] }, { text: "b", evidence: ["E1"] }],
    [{ text: "b", evidence: ["E1"] }],
  ],
  [
    "no claim that cites what does not exist",
    [{ text: "a", evidence: ["E2", "E77", "e1", "", "constructor"] }],
    [],
  ],
  [
    "no claim that says nothing",
    [{ text: "", evidence: ["E1"] }, { text: " \n", evidence: ["E1"] }],
    [],
  ],
  [
    "each citation that exists once",
    [{ text: "a", evidence: ["E7", "E9", "E7", "E1"] }],
    [{ text: "a", evidence: ["E7", "E1"] }],
  ],
];
for (const [what, claims, kept] of KEPT) {
  Deno.test(`keepCited() keeps ${what}`, () => {
    assertEquals(keepCited(claims, EVIDENCE, 9), kept);
  });
}

Deno.test("keepCited() keeps at most as many claims as asked, the first ones", () => {
  const claims = ["a", "b", "c"].map((text) => ({ text, evidence: ["E1"] }));
  assertEquals(textsOf(keepCited(claims, EVIDENCE, 3)), ["a", "b", "c"]);
  assertEquals(keepCited(claims, EVIDENCE, 2), claims.slice(0, 2));
});

Deno.test("keepCited() cuts a claim above 1000 characters with a mark", () => {
  const keep = (text: string) =>
    keepCited([{ text, evidence: ["E1"] }], EVIDENCE, 1)[0]?.text;
  const longest = "x".repeat(1000);
  assertEquals(keep(longest), longest);
  assertEquals(keep(`${longest}x`), `${longest.slice(0, -1)}…`);
});
