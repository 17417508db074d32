import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type {
  Claim,
  EvidenceBundle,
  EvidenceItem,
  Lookup,
  NormalizedContext,
} from "../../lib/incident.ts";
import { summarize } from "../../lib/summary/builtin.ts";
import { toMarkdown } from "../../lib/summary/markdown.ts";
import { keepCited } from "../../lib/summary/citations.ts";

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

Deno.test("summarize() says what the evidence says, in a fixed order", () => {
  const { report: _, ...told } = summarize(BUNDLE);
  assertEquals(told, {
    lead: "Since 2026-01-15 09:30 UTC, now triggered. “p99 rose to 2.4 s.”",
    leadEvidence: ["E1"],
    highlights: [
      { text: "“p99 rose to 2.4 s.”", evidence: ["E1"] },
      {
        text: "Severity is critical: “reported as critical”",
        evidence: ["E1"],
      },
      { text: "“region: eu-west-1”", evidence: ["E1"] },
      {
        text: "2026-01-15T09:24:10.000Z “Deployed 2026.3.1”",
        evidence: ["E1"],
      },
      {
        text: "2026-01-15T09:30:00.000Z “Alert fired”",
        evidence: ["E1", "E2"],
      },
    ],
    actionItems: [
      {
        text: "Acknowledge the incident and name who leads it",
        evidence: ["E1"],
      },
      {
        text: "Check whether to undo the change before it: “Deployed 2026.3.1”",
        evidence: ["E1"],
      },
      {
        text: "Look up by hand what could not be collected",
        evidence: ["E1"],
      },
      {
        text: "Read the evidence before acting on this summary",
        evidence: ["E1"],
      },
    ],
    confidence: 0.8,
    model: "builtin",
  });
});

Deno.test("summarize() claims nothing when there is no evidence", () => {
  const without = summarize({ ...BUNDLE, evidence: [] });
  assertEquals([without.highlights, without.actionItems], [[], []]);
  assertEquals(without.confidence, 0);
  const { report: _, ...told } = summarize(EMPTY);
  assertEquals(told, {
    lead: "This rests on 0 pieces of evidence.",
    leadEvidence: [],
    highlights: [],
    actionItems: [],
    confidence: 0,
    model: "builtin",
  });
});

const LEADS: [description: string | undefined, second: string][] = [
  ["p99 rose to 2.4 s. Nobody knows why.", "“p99 rose to 2.4 s.”"],
  [" Rose\n\nto 2.4 s! Why? ", "“Rose to 2.4 s!”"],
  ["no full stop at 2.4", "“no full stop at 2.4”"],
  ["x".repeat(400), `“${"x".repeat(297)}…”`],
  ["a “b” [E9] ✅ c", '“a "b" (E9) ▫ c”'],
  [" ", "This rests on 1 piece of evidence."],
  [undefined, "This rests on 1 piece of evidence."],
];
for (const [description, second] of LEADS) {
  Deno.test(`summarize() says in its lead ${JSON.stringify(second.slice(0, 40))} of ${JSON.stringify(description?.slice(0, 20))}`, () => {
    const context = description === undefined ? {} : { description };
    const { lead, leadEvidence } = summarize(bundle(context));
    assertEquals(lead, second);
    assertEquals(leadEvidence, second.startsWith("This") ? [] : ["E1"]);
  });
}

Deno.test("summarize() names the time in UTC, and as it is if it is none", () => {
  const leadOf = (occurred_at: string) =>
    summarize(bundle({ occurred_at })).lead;
  assert(leadOf("2026-01-15T01:30:59+02:00").includes("2026-01-14 23:30 UTC."));
  assert(leadOf("at noon").includes("Since “at noon”."));
});

Deno.test("summarize() gives the same for the same bundle", () => {
  assertEquals(summarize(BUNDLE), summarize(structuredClone(BUNDLE)));
  assertEquals(markdownOf(BUNDLE), markdownOf(structuredClone(BUNDLE)));
});

Deno.test("summarize() leaves the bundle as it is", () => {
  const before = structuredClone(BUNDLE);
  markdownOf(BUNDLE);
  assertEquals(BUNDLE, before);
});

for (const title of [undefined, "", " \n"]) {
  Deno.test(`summarize() leads with the incident's id for the title ${JSON.stringify(title)}`, () => {
    const nameless = bundle(title === undefined ? {} : { title });
    assertEquals(
      summarize(nameless).lead,
      "This rests on 1 piece of evidence.",
    );
    assert(markdownOf(nameless).startsWith("# WARNING: mock:INC-1\n"));
  });
}

const FIRST = "Acknowledge the incident and name who leads it";
for (
  const [severity, urgent] of [
    ["critical", true],
    ["error", true],
    ["warning", false],
    ["info", false],
  ] as const
) {
  Deno.test(`summarize() ${urgent ? "asks" : "does not ask"} for a lead at ${severity}`, () => {
    const { actionItems } = summarize(bundle({ severity }));
    assertEquals(textsOf(actionItems).includes(FIRST), urgent);
  });
}

const CHANGES: [text: string, isChange: boolean][] = [
  ["Deployed checkout-api", true],
  ["RELEASE 7 is out", true],
  ["rollout at 50 %", true],
  ["Config changed", true],
  ["migration ran", true],
  ["redeployed", false],
  ["Alert fired", false],
];
for (const [text, isChange] of CHANGES) {
  Deno.test(`summarize() takes "${text}" for ${isChange ? "a" : "no"} change`, () => {
    const timeline = [{ at: "2026-01-15T09:24:10Z", text, evidence: ["E1"] }];
    const { actionItems } = summarize(bundle({ timeline }));
    assertEquals(
      textsOf(actionItems).includes(
        `Check whether to undo the change before it: “${text}”`,
      ),
      isChange,
    );
  });
}

function entry(at: number, text = `entry ${at}`) {
  const minute = String(at).padStart(2, "0");
  return { at: `2026-01-15T09:${minute}:00Z`, text, evidence: ["E1"] };
}

Deno.test("summarize() names the newest of several changes", () => {
  const timeline = [entry(1, "deploy a"), entry(2, "deploy b"), entry(3)];
  const { actionItems } = summarize(bundle({ timeline }));
  assertEquals(
    textsOf(actionItems)[0],
    "Check whether to undo the change before it: “deploy b”",
  );
});

Deno.test("summarize() shows at most 10 highlights, the newest entries among them", () => {
  const many = bundle({
    description: "d",
    severity: "info",
    facts: Array.from({ length: 50 }, (_, at) => ({
      name: `fact ${at}`,
      value: "v",
      evidence: [at % 2 === 0 ? "E1" : "E2"],
    })),
    timeline: Array.from({ length: 50 }, (_, at) => entry(at)),
  }, { evidence: [item({ id: "E1" }), item({ id: "E2" })] });
  const { highlights } = summarize(many);
  const others = highlights[4]!;
  assert(
    others.text.startsWith(
      "48 more facts in the evidence: “fact 2, fact 3, ",
    ) &&
      others.text.endsWith("…”") && others.text.length <= 340,
  );
  assertEquals(others.evidence, ["E1", "E2"]);
  assertEquals(textsOf(highlights), [
    "“d”",
    "Severity is info",
    "“fact 0: v”",
    "“fact 1: v”",
    others.text,
    ...[45, 46, 47, 48, 49].map((at) =>
      `2026-01-15T09:${at}:00.000Z “entry ${at}”`
    ),
  ]);
});

Deno.test("summarize() fills up with facts where the timeline is short, and names what it leaves out", () => {
  const facts = Array.from({ length: 10 }, (_, at) => ({
    name: `fact ${at}`,
    value: "v",
    evidence: ["E1"],
  }));
  const lastOf = (count: number) => {
    const { highlights } = summarize(
      bundle({ facts: facts.slice(0, count), timeline: [entry(1)] }),
    );
    assertEquals(highlights.length, 10);
    assertEquals(highlights.at(-1)?.text, "2026-01-15T09:01:00.000Z “entry 1”");
    return highlights.at(-2)?.text;
  };
  assertEquals(lastOf(9), "“fact 8: v”");
  assertEquals(
    lastOf(10),
    "2 more facts in the evidence: “fact 8, fact 9”",
  );
});

Deno.test("summarize() shows one fact of each kind before the labels, and fewer moments", () => {
  const kinds = ["alert", "log", "log", "metric", "metric", "change"] as const;
  const facts = [
    ...Array.from({ length: 24 }, (_, at) => ({
      name: `label ${at}`,
      value: "v",
      evidence: ["E1"],
    })),
    ...kinds.map((kind, at) => ({
      name: `${kind} ${at}`,
      value: "v",
      kind,
      evidence: ["E1"],
    })),
  ];
  const timeline = Array.from({ length: 9 }, (_, at) => entry(at));
  const { highlights } = summarize(bundle({
    description: "d",
    severity: "info",
    facts,
    timeline,
  }));
  const texts = textsOf(highlights);
  assertEquals(texts.slice(2, 7), [
    "“change 5: v”",
    "“metric 3: v”",
    "“log 1: v”",
    "“alert 0: v”",
    "“label 0: v”",
  ]);
  assertStringIncludes(texts[7]!, "25 more facts in the evidence: “label 1,");
  assertEquals(texts.length, 10);
});

Deno.test("summarize() names the last change before the incident, by its kind", () => {
  const timeline = [
    { ...entry(1, "Merged a fix"), kind: "change" as const },
    { ...entry(2, "deploy timed out"), kind: "log" as const },
    { ...entry(5, "Rolled back"), kind: "change" as const },
  ];
  const undo = "Check whether to undo the change before it:";
  const found = (occurred_at?: string) =>
    textsOf(
      summarize(bundle({ timeline, ...occurred_at && { occurred_at } }))
        .actionItems,
    ).find((text) => text.startsWith(undo));
  assertEquals(found("2026-01-15T09:03:00Z"), `${undo} “Merged a fix”`);
  // A change since then is no cause, and may be the remedy.
  assertEquals(found("2026-01-15T09:00:00Z"), undefined);
  assertEquals(found(), `${undo} “Rolled back”`);
});

Deno.test("summarize() drops claims and citations without evidence", () => {
  const context: NormalizedContext = {
    description: "",
    facts: [
      { name: "a", value: "1", evidence: ["E2"] },
      { name: "b", value: "2", evidence: ["E9", "E1", "E1"] },
    ],
    timeline: [{ at: "2026-01-15T09:30:00Z", text: "t", evidence: ["E9"] }],
  };
  assertEquals(summarize(bundle(context)).highlights, [
    { text: "“b: 2”", evidence: ["E1"] },
  ]);
});

const CONFIDENCE: [what: string, EvidenceBundle, number][] = [
  ["no evidence", EMPTY, 0],
  ["evidence alone", bundle({}), 0.3],
  ["a title", bundle({ title: "t" }), 0.4],
  ["empty lists", bundle({ facts: [], timeline: [] }), 0.3],
  ["everything", { ...BUNDLE, gaps: [] }, 0.9],
  ["a gap", BUNDLE, 0.8],
  ["nothing but gaps", {
    ...bundle({}),
    gaps: Array.from({ length: 9 }, () => ({ what: "w", why: "y" })),
  }, 0.1],
];
for (const [what, given, confidence] of CONFIDENCE) {
  Deno.test(`summarize() has confidence ${confidence} with ${what}`, () => {
    assertEquals(summarize(given).confidence, confidence);
  });
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
  const { highlights, actionItems } = summarize(huge);
  const known = new Set(ids.slice(0, 50));
  for (const { text, evidence } of [...highlights, ...actionItems]) {
    assert(text.length >= 1 && text.length <= 1000);
    assert(evidence.length > 0 && evidence.every((id) => known.has(id)));
  }
  assert(highlights.length <= 10 && actionItems.length <= 5);
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

Since 2026-01-15 09:30 UTC, now triggered. “p99 rose to 2.4 s.” [E1]

## What we know

- “p99 rose to 2.4 s.” [E1]
- Severity is critical: “reported as critical” [E1]
- “region: eu-west-1” [E1]
- 2026-01-15T09:24:10.000Z “Deployed 2026.3.1” [E1]
- 2026-01-15T09:30:00.000Z “Alert fired” [E1, E2]

## What to do

- Acknowledge the incident and name who leads it [E1]
- Check whether to undo the change before it: “Deployed 2026.3.1” [E1]
- Look up by hand what could not be collected [E1]
- Read the evidence before acting on this summary [E1]

## Timeline

- 2026-01-15T09:24:10.000Z Deployed 2026.3.1 [E1]
- 2026-01-15T09:30:00.000Z Alert fired [E1, E2]

## What is missing

- “the log: status 403”

## Evidence

- [E1] “Payload as received” (\`incident.raw\`, 12 bytes): \`redis://art:1\`
- [E2] “Incident in plain fields” (\`incident.context\`, 262144 bytes, shortened): \`redis://art:2\`

Written by builtin, confidence 0.8, evidence of 2026-01-15T09:31:00.000Z.
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
    "\n## Alerts, the worst first\n\n" +
      "- critical: Slow ×3 on db1, db2 and 1 more, from 2026-01-15T09:30:00.000Z to 2026-01-15T09:31:00.000Z · “It is slow” [E1]\n" +
      "- 2 more names (2 alerts), at worst warning, in the payload\n",
  );
});

Deno.test("toMarkdown() leaves out the parts that are empty", () => {
  assertEquals(
    markdownOf(EMPTY),
    `# WARNING: mock:INC-1

This rests on 0 pieces of evidence.

Written by builtin, confidence 0, evidence of 2026-01-15T09:31:00.000Z.
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
    "- 2026-01-15T09:01:00.000Z known [E1]",
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
    assertEquals(outline(fill(markup)), outline(fill("x")));
  });
}

/** The Markdown of a bundle that holds `text` wherever it holds any. */
function fill(text: string): string {
  return markdownOf({
    ...EMPTY,
    evidence: [item({ kind: text, title: text })],
    normalized_context: {
      title: text,
      description: text,
      severity: "critical",
      severity_rule: text,
      service: text,
      status: text,
      facts: [{ name: text, value: text, evidence: ["E1"] }],
      timeline: [{ ...entry(1, text), evidence: ["E1"] }],
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
