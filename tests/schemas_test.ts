import type { JsonObject } from "../lib/base/json.ts";
import { assert, assertEquals } from "@std/assert";
import { parse } from "@std/yaml";
import type { IncidentInput } from "../lib/incident.ts";
import { PACK_SCHEMAS } from "../lib/schemas.ts";
import {
  type Check,
  compileCheck,
  type SchemaName,
} from "../lib/schema_check.ts";

const POINTER = "redis://art:0f8fad5b-d9cb-469f-a165-70867728950e";
const SHA256 = "a".repeat(64);
const AT = "2026-01-15T09:30:00Z";
const CLAIM = { text: "t", evidence: ["E1"] };
const GROUP = {
  name: "n",
  severity: "critical",
  count: 2,
  since: "2026-01-15T09:30:00Z",
  newest: "2026-01-15T09:31:00Z",
  where: ["a"],
  places: 6,
  says: "s",
  worst: "a",
  value: "2 s",
  limit: "1 s",
  shared: "h",
  evidence: ["E1"],
};
const ITEM = {
  id: "E1",
  kind: "k",
  title: "t",
  artifact_ptr: POINTER,
  content_type: "text/plain",
  bytes: 1,
  sha256: SHA256,
  shortened: true,
};

const FACT = { name: "n", value: "v", kind: "metric", evidence: ["E1"] };
const ENTRY = { at: AT, text: "t", kind: "change", evidence: ["E1"] };
const CHANGE = {
  what: "deployment",
  of: "o",
  version: "v",
  where: "w",
  by: "b",
  state: "s",
  says: "y",
  url: "https://example.com/c",
};
const SERIES = {
  alert: "a",
  expression: "e",
  of: "pod: a",
  unit: "s",
  now: 2.4,
  at: AT,
  limit: 2,
  operator: ">",
  crossed: AT,
  beyond: true,
  worst: 2.5,
  worst_at: AT,
  hour_ago: 0.3,
  week_ago: 0.2,
  trend: "rising",
  spark: "▁ █",
  start: AT,
  step_s: 360,
  values: [0.3, null, 2.4],
  evidence: ["E1"],
};
const GAP = { what: "w", why: "y", kind: "cut", got: 1, of: 2 };
const LOOKUP = {
  collector: "prometheus",
  question: "q",
  state: "failed",
  why: "y",
  evidence: ["E1"],
};
const KINDS = [
  ...["alert", "change", "metric", "log"],
  ...["state", "people", "history"],
];
const GAP_KINDS = [
  ...["off", "unconcerned", "refused", "absent"],
  ...["late", "cut", "limited", "broken"],
];
const LOOKUP_STATES = ["found", "nothing", "failed", "off", "unconcerned"];

/** Each schema's values with everything in them that they may hold. */
const FULL: Record<SchemaName, JsonObject> = (() => {
  const IncidentInput: JsonObject = {
    incident_id: "mock:INC-1",
    title: "t",
    severity: "critical",
    severity_rule: "r",
    service: "s",
    urgency: "high",
    priority: "P1",
    dedup_key: "d",
    occurred_at: AT,
    source: { system: "mock", url: "https://example.com/1?a=b#c" },
    raw: { any: { thing: [1, null, "x"] } },
    destination: { mode: "slack", slack_webhook_url: "https://example.com/x" },
  } satisfies IncidentInput as JsonObject;
  const EvidenceBundle: JsonObject = {
    incident_id: "mock:INC-1",
    collected_at: AT,
    evidence: [ITEM],
    normalized_context: {
      title: "t",
      description: "d",
      severity: "critical",
      severity_rule: "r",
      service: "s",
      status: "s",
      source: { system: "mock", url: "https://example.com/1" },
      occurred_at: AT,
      facts: [{ name: "n", value: "v", evidence: ["E1"] }],
      timeline: [{ at: AT, text: "t", change: CHANGE, evidence: ["E1"] }],
      series: [SERIES],
      alerts: {
        firing: 1,
        resolved: 0,
        cut: 1,
        worst: 1,
        newest: AT,
        places: 1,
        all_say: "s",
        place: "p",
        team: "t",
        groups: [GROUP],
        others: { groups: 1, alerts: 1, severity: "info" },
      },
      links: [{ kind: "runbook", url: "https://example.com/r", of: "n" }],
      redacted: { "aws-key": { count: 1, where: ["raw.key"] } },
      redaction: { counts: { "aws-key": 1 } },
    },
    gaps: [GAP],
    lookups: [LOOKUP],
    subject_key: SHA256,
  };
  const Summary: JsonObject = {
    incident_id: "mock:INC-1",
    summary_md: "# t",
    highlights: [CLAIM],
    action_items: [CLAIM],
    confidence: 0.5,
    model: "builtin",
    artifact_ptr: POINTER,
    message_ptr: POINTER,
    page_ptr: POINTER,
    message_sha256: SHA256,
    model_reading: {
      model: "openai:m",
      claims: [CLAIM],
      left_out: [{ text: "t", why: "w" }],
      note: "n",
      record_ptr: POINTER,
    },
  };
  const PostResult: JsonObject = {
    incident_id: "mock:INC-1",
    mode: "slack",
    posted_at: AT,
    slack: { ok: true, channel: "C1", ts: "1.2", permalink: "https://a.b/c" },
    artifact_ptr: POINTER,
    message_sha256: SHA256,
    job_id: "run-1:post@1",
    run_id: "run-1",
    destination_host: "hooks.slack.com",
    approval: { by: "alice", at: AT, rule_id: "r", signed_by: "ada-1" },
    repeat: false,
    posted_as: "warning",
    update_of: { severity: "info", posted_at: AT },
    dry_run: false,
    warnings: ["w"],
  };
  return {
    IncidentInput,
    EvidenceBundle,
    Summary,
    PostResult,
    SummarizeInput: { evidence: EvidenceBundle },
    PostInput: {
      incident: IncidentInput,
      evidence: EvidenceBundle,
      summary: Summary,
    },
  };
})();

const CHECKS = Object.fromEntries(
  Object.keys(FULL).map((name) => [name, compileCheck(name as SchemaName)]),
) as Record<SchemaName, Check>;

/** The full value with what stands at `path` replaced; `undefined` removes it. */
function change(name: SchemaName, path: string, value: unknown): JsonObject {
  const whole = JSON.parse(JSON.stringify(FULL[name])); // No shared parts.
  const keys = path.split("/").slice(1);
  const last = keys.pop()!;
  const parent = keys.reduce<JsonObject>(
    (at, key) => at[key] as JsonObject,
    whole,
  );
  assert(typeof parent === "object" && parent !== null, `no ${path}`);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return whole;
}

function text(length: number): string {
  return "x".repeat(length);
}

function list<T>(length: number, item: T): T[] {
  return Array.from({ length }, () => item);
}

const ID_PATTERN = 'must match pattern "^[!-~]+$"';
const POINTER_PATTERN = String.raw`must match pattern "^redis://art:[^\s]+$"`;
const SHA256_PATTERN = 'must match pattern "^[0-9a-f]{64}$"';
const URI_FORMAT = 'must match format "uri"';
const HTTP_PATTERN = 'must match pattern "^https?://"';
const COLLECTOR_PATTERN = 'must match pattern "^[a-z][a-z0-9-]{0,39}$"';
const CITATION_PATTERN = 'must match pattern "^E[1-9][0-9]?$"';

/** A path, values that just pass there, and values that just do not. */
type Rule = [path: string, inside: unknown[], outside: [unknown, string][]];

function textRule(path: string, min: number, max: number): Rule {
  const outside: [unknown, string][] = [
    [text(max + 1), `must NOT have more than ${max} characters`],
    [1, "must be string"],
  ];
  if (min > 0) {
    outside.push(["", `must NOT have fewer than ${min} characters`]);
  }
  // A character beyond the first plane counts as one.
  return [path, [text(min), text(max), "\u{1F525}".repeat(max)], outside];
}

function listRule<T>(path: string, max: number, item: T): Rule {
  return [path, [[], list(max, item)], [
    [list(max + 1, item), `must NOT have more than ${max} items`],
    [{}, "must be array"],
  ]];
}

function wordRule(path: string, words: string[]): Rule {
  return [path, words, [
    ["Word", `must be one of ${words.join(", ")}`],
    [null, `must be one of ${words.join(", ")}`],
  ]];
}

function flagRule(path: string): Rule {
  return [path, [true, false], [["true", "must be boolean"]]];
}

function countRule(path: string, least = 0): Rule {
  return [path, [least, 10_000], [
    [least - 1, `must be >= ${least}`],
    [1.5, "must be integer"],
  ]];
}

function idRule(path: string, max: number): Rule {
  return [path, ["x", "!~", text(max)], [
    ["", "must NOT have fewer than 1 characters"],
    [text(max + 1), `must NOT have more than ${max} characters`],
    ["a b", ID_PATTERN],
    ["a\n", ID_PATTERN],
    ["\u00e9", ID_PATTERN],
    [7, "must be string"],
  ]];
}

function momentRule(path: string): Rule {
  const wrong = 'must match format "date-time"';
  return [path, [AT, "2026-01-15T09:30:00.123+05:30"], [
    ["2026-01-15T09:30:00", wrong],
    ["2026-01-15", wrong],
    ["2026-02-30T09:30:00Z", wrong],
    ["+012345-01-01T00:00:00Z", wrong],
    ["", wrong],
    [1768469400, "must be string"],
  ]];
}

function uriRule(path: string, relative = URI_FORMAT): Rule {
  const base = "https://example.com/";
  return [path, [base, base + text(2000 - base.length), "http://[::1]:1/"], [
    [
      base + text(2001 - base.length),
      "must NOT have more than 2000 characters",
    ],
    ["/relative", relative],
    [`${base}a b`, URI_FORMAT],
    [`${base}?a={b}`, URI_FORMAT],
    ["", relative],
  ]];
}

function pointerRule(path: string): Rule {
  const head = "redis://art:";
  return [path, [POINTER, `${head}x`, head + text(200 - head.length)], [
    [head + text(201 - head.length), "must NOT have more than 200 characters"],
    [head, POINTER_PATTERN],
    [`${head}a b`, POINTER_PATTERN],
    ["redis://ctx:x", POINTER_PATTERN],
    [` ${POINTER}`, POINTER_PATTERN],
  ]];
}

function sha256Rule(path: string): Rule {
  return [path, [SHA256, "0123456789abcdef".repeat(4)], [
    [SHA256.slice(1), SHA256_PATTERN],
    [`${SHA256}a`, SHA256_PATTERN],
    [SHA256.toUpperCase(), SHA256_PATTERN],
  ]];
}

function citationsRule(path: string): Rule {
  return [path, [["E1"], list(50, "E99")], [
    [[], "must NOT have fewer than 1 items"],
    [list(51, "E1"), "must NOT have more than 50 items"],
    ["E1", "must be array"],
  ]];
}

function citationRule(path: string): Rule {
  return [path, ["E1", "E10", "E99"], [
    ["E0", CITATION_PATTERN],
    ["E100", CITATION_PATTERN],
    ["e1", CITATION_PATTERN],
    ["xE1", CITATION_PATTERN],
  ]];
}

const SEVERITIES = ["critical", "error", "warning", "info"];
const REPORTED = [
  ...["critical", "high", "error", "medium"],
  ...["warning", "low", "info", "unknown"],
];
const NONE = { count: 0, where: [] };

const GROUPS = "/normalized_context/alerts/groups/0";
const LINK_KINDS = [
  ...["incident", "bridge", "runbook", "graph"],
  ...["dashboard", "panel", "logs", "silence"],
];
const ALERT_RULES: Rule[] = [
  countRule("/normalized_context/alerts/firing", 0),
  countRule("/normalized_context/alerts/resolved", 0),
  countRule("/normalized_context/alerts/cut", 1),
  countRule("/normalized_context/alerts/worst", 1),
  momentRule("/normalized_context/alerts/newest"),
  countRule("/normalized_context/alerts/places", 1),
  textRule("/normalized_context/alerts/all_say", 1, 300),
  textRule("/normalized_context/alerts/place", 1, 100),
  textRule("/normalized_context/alerts/team", 1, 100),
  listRule("/normalized_context/alerts/groups", 20, GROUP),
  textRule(`${GROUPS}/name`, 1, 150),
  wordRule(`${GROUPS}/severity`, SEVERITIES),
  countRule(`${GROUPS}/count`, 1),
  momentRule(`${GROUPS}/since`),
  momentRule(`${GROUPS}/newest`),
  [`${GROUPS}/where`, [["a"], list(5, "a")], [
    [[], "must NOT have fewer than 1 items"],
    [list(6, "a"), "must NOT have more than 5 items"],
  ]],
  textRule(`${GROUPS}/where/0`, 1, 80),
  countRule(`${GROUPS}/places`, 1),
  textRule(`${GROUPS}/says`, 1, 300),
  textRule(`${GROUPS}/worst`, 1, 80),
  textRule(`${GROUPS}/value`, 1, 100),
  textRule(`${GROUPS}/limit`, 1, 100),
  textRule(`${GROUPS}/shared`, 1, 300),
  citationsRule(`${GROUPS}/evidence`),
  citationRule(`${GROUPS}/evidence/0`),
  countRule("/normalized_context/alerts/others/groups", 1),
  countRule("/normalized_context/alerts/others/alerts", 1),
  wordRule("/normalized_context/alerts/others/severity", SEVERITIES),
  listRule("/normalized_context/links", 12, {
    kind: "runbook",
    url: "https://example.com/r",
  }),
  wordRule("/normalized_context/links/0/kind", LINK_KINDS),
  uriRule("/normalized_context/links/0/url"),
  textRule("/normalized_context/links/0/of", 1, 100),
];

const COURSE = "/normalized_context/series/0";
const MADE = "/normalized_context/timeline/0/change";
const NUMBER: [unknown[], [unknown, string][]] = [[-1.5, 0, 1e300], [
  ["1", "must be number"],
  [null, "must be number"],
]];
const COURSE_RULES: Rule[] = [
  listRule("/normalized_context/series", 5, SERIES),
  textRule(`${COURSE}/alert`, 1, 150),
  textRule(`${COURSE}/expression`, 1, 300),
  textRule(`${COURSE}/of`, 1, 100),
  textRule(`${COURSE}/unit`, 1, 10),
  ...["now", "limit", "worst", "hour_ago", "week_ago"].map((name): Rule => [
    `${COURSE}/${name}`,
    ...NUMBER,
  ]),
  ...["at", "crossed", "worst_at", "start"].map((name) =>
    momentRule(`${COURSE}/${name}`)
  ),
  wordRule(`${COURSE}/operator`, [">", ">=", "<", "<=", "==", "!="]),
  flagRule(`${COURSE}/beyond`),
  wordRule(`${COURSE}/trend`, ["rising", "falling", "flat"]),
  [`${COURSE}/spark`, ["▁", "▁▂▃▄▅▆▇█ ▁▂▃"], [
    ["", 'must match pattern "^[ ▁▂▃▄▅▆▇█]{1,12}$"'],
    ["▁▂▃▄▅▆▇█ ▁▂▃▄", 'must match pattern "^[ ▁▂▃▄▅▆▇█]{1,12}$"'],
    ["x", 'must match pattern "^[ ▁▂▃▄▅▆▇█]{1,12}$"'],
  ]],
  [`${COURSE}/step_s`, [1, 0.5], [[0, "must be > 0"]]],
  [`${COURSE}/values`, [[1], list(60, null)], [
    [[], "must NOT have fewer than 1 items"],
    [list(61, 1), "must NOT have more than 60 items"],
    [1, "must be array"],
  ]],
  citationsRule(`${COURSE}/evidence`),
  wordRule(`${MADE}/what`, [
    ...["deployment", "rollout", "rollback", "restart", "scale"],
    ...["merge", "config", "flag", "maintenance", "other"],
  ]),
  textRule(`${MADE}/of`, 1, 150),
  textRule(`${MADE}/version`, 1, 200),
  textRule(`${MADE}/where`, 1, 100),
  textRule(`${MADE}/by`, 1, 100),
  textRule(`${MADE}/state`, 1, 100),
  textRule(`${MADE}/says`, 1, 200),
  uriRule(`${MADE}/url`),
];

/** A ledger of so many classes. */
function ledger(classes: number): JsonObject {
  const name = (at: number) =>
    "b".repeat(2 + at % 10) + "cde"[at % 3] + "f".repeat(at / 10 | 0);
  return Object.fromEntries(
    list(classes, NONE).map((none, at) => [name(at), none]),
  );
}

const RULES: Partial<Record<SchemaName, Rule[]>> = {
  IncidentInput: [
    idRule("/incident_id", 200),
    textRule("/title", 0, 1000),
    wordRule("/severity", REPORTED),
    textRule("/severity_rule", 0, 200),
    textRule("/service", 0, 200),
    wordRule("/urgency", ["high", "low"]),
    textRule("/priority", 0, 100),
    textRule("/dedup_key", 0, 300),
    momentRule("/occurred_at"),
    ["/source", [{ system: "mock" }], [["mock", "must be object"]]],
    wordRule("/source/system", ["mock", "pagerduty", "alertmanager"]),
    uriRule("/source/url", HTTP_PATTERN),
    ["/source/url", ["http://h", "https://h"], [
      ["ftp://h", HTTP_PATTERN],
      ["javascript:alert(1)", HTTP_PATTERN],
    ]],
    ["/raw", [{}, { a: { b: [] } }], [
      [[], "must be object"],
      ["{}", "must be object"],
    ]],
    wordRule("/destination/mode", ["artifact", "slack"]),
    uriRule("/destination/slack_webhook_url"),
  ],
  EvidenceBundle: [
    idRule("/incident_id", 220),
    momentRule("/collected_at"),
    listRule("/evidence", 50, ITEM),
    citationRule("/evidence/0/id"),
    textRule("/evidence/0/kind", 1, 100),
    textRule("/evidence/0/title", 1, 300),
    pointerRule("/evidence/0/artifact_ptr"),
    textRule("/evidence/0/content_type", 1, 100),
    ["/evidence/0/bytes", [0, 8_388_608], [
      [-1, "must be >= 0"],
      [8_388_609, "must be <= 8388608"],
      [1.5, "must be integer"],
      ["1", "must be integer"],
    ]],
    sha256Rule("/evidence/0/sha256"),
    flagRule("/evidence/0/shortened"),
    ["/normalized_context", [{}], [[null, "must be object"]]],
    textRule("/normalized_context/title", 0, 1000),
    textRule("/normalized_context/description", 0, 4000),
    wordRule("/normalized_context/severity", SEVERITIES),
    textRule("/normalized_context/severity_rule", 0, 200),
    textRule("/normalized_context/service", 0, 200),
    textRule("/normalized_context/status", 0, 100),
    textRule("/normalized_context/source/system", 0, 100),
    uriRule("/normalized_context/source/url"),
    momentRule("/normalized_context/occurred_at"),
    listRule("/normalized_context/facts", 100, FACT),
    textRule("/normalized_context/facts/0/name", 1, 100),
    textRule("/normalized_context/facts/0/value", 0, 1000),
    wordRule("/normalized_context/facts/0/kind", KINDS),
    wordRule("/normalized_context/facts/0/health", [
      "well",
      "ill",
      "recovered",
    ]),
    citationsRule("/normalized_context/facts/0/evidence"),
    citationRule("/normalized_context/facts/0/evidence/0"),
    listRule("/normalized_context/timeline", 100, ENTRY),
    momentRule("/normalized_context/timeline/0/at"),
    textRule("/normalized_context/timeline/0/text", 1, 500),
    wordRule("/normalized_context/timeline/0/kind", KINDS),
    citationsRule("/normalized_context/timeline/0/evidence"),
    citationRule("/normalized_context/timeline/0/evidence/0"),
    ...ALERT_RULES,
    ...COURSE_RULES,
    ["/normalized_context/redacted", [{}, ledger(30)], [
      [ledger(31), "must NOT have more than 30 properties"],
      [{ Named: NONE }, 'must match pattern "^[a-z][a-z-]{1,29}$"'],
      [[], "must be object"],
    ]],
    ["/normalized_context/redacted/aws-key/count", [0, 1_000_000], [
      [-1, "must be >= 0"],
      [1_000_001, "must be <= 1000000"],
      [1.5, "must be integer"],
    ]],
    listRule("/normalized_context/redacted/aws-key/where", 20, "raw.a"),
    textRule("/normalized_context/redacted/aws-key/where/0", 0, 120),
    listRule("/gaps", 50, GAP),
    textRule("/gaps/0/what", 1, 200),
    textRule("/gaps/0/why", 1, 500),
    wordRule("/gaps/0/kind", GAP_KINDS),
    countRule("/gaps/0/got"),
    countRule("/gaps/0/of"),
    sha256Rule("/subject_key"),
    listRule("/lookups", 50, LOOKUP),
    ["/lookups/0/collector", ["x", `a-${text(38)}`], [
      ["", COLLECTOR_PATTERN],
      ["1x", COLLECTOR_PATTERN],
      [text(41), COLLECTOR_PATTERN],
    ]],
    textRule("/lookups/0/question", 1, 200),
    wordRule("/lookups/0/state", LOOKUP_STATES),
    textRule("/lookups/0/why", 1, 500),
    citationsRule("/lookups/0/evidence"),
  ],
  Summary: [
    idRule("/incident_id", 220),
    textRule("/summary_md", 1, 32_000),
    ...["highlights", "action_items"].flatMap((key) => [
      listRule(`/${key}`, 20, CLAIM),
      textRule(`/${key}/0/text`, 1, 1000),
      citationsRule(`/${key}/0/evidence`),
      citationRule(`/${key}/0/evidence/0`),
    ]),
    textRule("/verdict", 1, 500),
    ["/confidence", [0, 1, 0.5], [
      [-0.01, "must be >= 0"],
      [1.01, "must be <= 1"],
      ["1", "must be number"],
    ]],
    textRule("/model", 1, 200),
    pointerRule("/artifact_ptr"),
    pointerRule("/message_ptr"),
    pointerRule("/page_ptr"),
    sha256Rule("/message_sha256"),
    textRule("/model_reading/model", 1, 200),
    listRule("/model_reading/claims", 20, CLAIM),
    listRule("/model_reading/left_out", 20, { text: "t", why: "w" }),
    textRule("/model_reading/left_out/0/text", 0, 1000),
    textRule("/model_reading/left_out/0/why", 1, 200),
    textRule("/model_reading/note", 1, 500),
    pointerRule("/model_reading/record_ptr"),
  ],
  PostResult: [
    idRule("/incident_id", 200),
    wordRule("/mode", ["slack", "artifact"]),
    momentRule("/posted_at"),
    flagRule("/slack/ok"),
    textRule("/slack/channel", 0, 100),
    textRule("/slack/ts", 0, 100),
    uriRule("/slack/permalink"),
    pointerRule("/artifact_ptr"),
    sha256Rule("/message_sha256"),
    textRule("/job_id", 0, 300),
    textRule("/run_id", 0, 200),
    textRule("/destination_host", 0, 300),
    textRule("/approval/by", 1, 300),
    momentRule("/approval/at"),
    textRule("/approval/rule_id", 0, 300),
    textRule("/approval/signed_by", 1, 100),
    flagRule("/repeat"),
    wordRule("/posted_as", ["critical", "error", "warning", "info"]),
    wordRule("/update_of/severity", ["critical", "error", "warning", "info"]),
    momentRule("/update_of/posted_at"),
    flagRule("/dry_run"),
    listRule("/warnings", 20, "w"),
    textRule("/warnings/0", 1, 500),
  ],
};

for (const name of Object.keys(FULL) as SchemaName[]) {
  Deno.test(`compileCheck("${name}") takes a value with everything in it`, () => {
    assertEquals(CHECKS[name](FULL[name]), undefined);
  });

  for (const value of [null, [], "text", 7, undefined]) {
    Deno.test(`compileCheck("${name}") refuses ${JSON.stringify(value)}`, () => {
      assertEquals(CHECKS[name](value), "/ must be object");
    });
  }
}

for (const [name, rules] of Object.entries(RULES)) {
  const check = CHECKS[name as SchemaName];
  for (const [path, inside, outside] of rules) {
    Deno.test(`compileCheck("${name}") holds the bounds of ${path}`, () => {
      for (const value of inside) {
        assertEquals(check(change(name as SchemaName, path, value)), undefined);
      }
      for (const [value, wrong] of outside) {
        const changed = change(name as SchemaName, path, value);
        assertEquals(check(changed), `${path} ${wrong}`);
      }
    });
  }
}

/** Every property that a schema declares, as paths into the full values. */
function pathsOf(schema: JsonObject, at = ""): string[] {
  const { properties = {}, items } = schema as {
    properties?: Record<string, JsonObject>;
    items?: JsonObject;
  };
  const inner = Object.entries(properties).flatMap(([key, value]) => [
    `${at}/${key}`,
    ...pathsOf(value, `${at}/${key}`),
  ]);
  return items === undefined ? inner : [...inner, ...pathsOf(items, `${at}/0`)];
}

for (const [name, rules] of Object.entries(RULES)) {
  Deno.test(`compileCheck("${name}") is tested at every property that is a value`, () => {
    const tested = rules.map(([path]) => path);
    const declared = pathsOf(PACK_SCHEMAS[name as keyof typeof PACK_SCHEMAS]);
    const missing = declared.filter((path) =>
      !tested.some((known) => known === path || known.startsWith(`${path}/`))
    );
    assertEquals(missing, []);
  });
}

const REQUIRED: Partial<Record<SchemaName, string[]>> = {
  IncidentInput: ["/incident_id", "/source/system", "/destination/mode"],
  EvidenceBundle: [
    "/incident_id",
    "/evidence",
    "/collected_at",
    ...["kind", "title", "artifact_ptr", "content_type", "bytes"]
      .map((key) => `/evidence/0/${key}`),
    "/normalized_context/source/system",
    ...["name", "value", "evidence"]
      .map((key) => `/normalized_context/facts/0/${key}`),
    ...["at", "text", "evidence"]
      .map((key) => `/normalized_context/timeline/0/${key}`),
    ...["firing", "resolved", "groups"]
      .map((key) => `/normalized_context/alerts/${key}`),
    ...["name", "severity", "count", "evidence"].map((key) =>
      `${GROUPS}/${key}`
    ),
    ...["groups", "alerts", "severity"]
      .map((key) => `/normalized_context/alerts/others/${key}`),
    ...["kind", "url"].map((key) => `/normalized_context/links/0/${key}`),
    ...["count", "where"]
      .map((key) => `/normalized_context/redacted/aws-key/${key}`),
    "/gaps/0/what",
    "/gaps/0/why",
    "/lookups/0/collector",
    "/lookups/0/state",
  ],
  Summary: [
    ...["incident_id", "summary_md", "highlights", "action_items"]
      .map((key) => `/${key}`),
    "/highlights/0/text",
    "/highlights/0/evidence",
  ],
  PostResult: [
    ...["incident_id", "mode", "posted_at"].map((key) => `/${key}`),
    "/slack/ok",
    ...["by", "at", "rule_id"].map((key) => `/approval/${key}`),
    ...["severity", "posted_at"].map((key) => `/update_of/${key}`),
  ],
  SummarizeInput: ["/evidence"],
  PostInput: ["/incident", "/evidence", "/summary"],
};
for (const [name, paths] of Object.entries(REQUIRED)) {
  for (const path of paths) {
    Deno.test(`compileCheck("${name}") demands ${path}`, () => {
      const at = path.lastIndexOf("/");
      const parent = path.slice(0, at) || "/";
      const key = path.slice(at + 1);
      assertEquals(
        CHECKS[name as SchemaName](change(name as SchemaName, path, undefined)),
        `${parent} must have required property '${key}'`,
      );
    });
  }
}

Deno.test("compileCheck(EvidenceBundle) lets more into the context, so that older workers take newer bundles", () => {
  const more = change("EvidenceBundle", "/normalized_context/more", 1);
  for (
    const value of [
      more,
      change("EvidenceBundle", "/normalized_context/redacted", undefined),
    ]
  ) {
    assertEquals(CHECKS.EvidenceBundle(value), undefined);
  }
});

const CLOSED: Record<SchemaName, string[]> = {
  IncidentInput: ["", "/source", "/destination"],
  EvidenceBundle: [
    "",
    "/evidence/0",
    "/normalized_context/facts/0",
    "/normalized_context/timeline/0",
    "/normalized_context/alerts",
    GROUPS,
    "/normalized_context/alerts/others",
    "/normalized_context/links/0",
    "/normalized_context/redacted/aws-key",
    "/gaps/0",
  ],
  Summary: ["", "/highlights/0", "/action_items/0"],
  PostResult: ["", "/slack", "/approval"],
  SummarizeInput: ["", "/evidence"],
  PostInput: ["", "/incident", "/evidence", "/summary"],
};
for (const [name, paths] of Object.entries(CLOSED)) {
  for (const path of paths) {
    Deno.test(`compileCheck("${name}") lets nothing else into ${path || "/"}`, () => {
      const more = change(name as SchemaName, `${path}/more`, "s3cret");
      assertEquals(
        CHECKS[name as SchemaName](more),
        `${path || "/"} must not have "more"`,
      );
    });
  }
}

Deno.test("compileCheck() leaves open what a source may fill as it likes", () => {
  for (
    const [name, path] of [
      ["IncidentInput", "/raw/more"],
      ["EvidenceBundle", "/normalized_context/more"],
      ["EvidenceBundle", "/normalized_context/source/more"],
    ] as const
  ) {
    assertEquals(CHECKS[name](change(name, path, { any: "thing" })), undefined);
  }
});

Deno.test("compileCheck() names neither a key nor a value of the prototype", () => {
  const value = JSON.parse('{"incident_id":"x","__proto__":{"a":1}}');
  assertEquals(
    CHECKS.IncidentInput(value),
    '/ must not have "__proto__"',
  );
});

const MINIMAL: [SchemaName, JsonObject][] = [
  ["IncidentInput", { incident_id: "x" }],
  ["EvidenceBundle", { incident_id: "x", evidence: [], collected_at: AT }],
  ["Summary", {
    incident_id: "x",
    summary_md: "x",
    highlights: [],
    action_items: [],
  }],
  ["PostResult", { incident_id: "x", mode: "artifact", posted_at: AT }],
];
for (const [name, value] of MINIMAL) {
  Deno.test(`compileCheck("${name}") takes a value with the least in it`, () => {
    assertEquals(CHECKS[name](value), undefined);
  });
}

Deno.test("compileCheck() wants a message's pointer and digest together", () => {
  assertEquals(
    CHECKS.Summary(change("Summary", "/message_ptr", undefined)),
    "/ must have property message_ptr when property message_sha256 is present",
  );
  assertEquals(
    CHECKS.Summary(change("Summary", "/message_sha256", undefined)),
    "/ must have property message_sha256 when property message_ptr is present",
  );
});

Deno.test("compileCheck() follows composed inputs into their parts", () => {
  assertEquals(
    CHECKS.SummarizeInput(
      change("SummarizeInput", "/evidence/evidence/0/bytes", "s3cret"),
    ),
    "/evidence/evidence/0/bytes must be integer",
  );
  assertEquals(
    CHECKS.PostInput(change("PostInput", "/incident/severity", "s3cret")),
    `/incident/severity must be one of ${REPORTED.join(", ")}`,
  );
  assertEquals(
    CHECKS.PostInput(change("PostInput", "/summary/confidence", 2)),
    "/summary/confidence must be <= 1",
  );
});

Deno.test("compileCheck() quotes no value, whatever is wrong", () => {
  for (const [name, rules] of Object.entries(RULES)) {
    for (const [path] of rules) {
      for (const value of ["s3cret\u0000".repeat(8000), { s3cret: 1 }]) {
        const wrong = CHECKS[name as SchemaName](
          change(name as SchemaName, path, value),
        );
        assertEquals(wrong?.includes("s3cret") ?? false, false);
      }
    }
  }
});

Deno.test("the workflow's inline input_schema equals IncidentInput.json", async () => {
  const path = new URL(
    "../pack/workflows/incident_enrich.yaml",
    import.meta.url,
  );
  const workflow = parse(await Deno.readTextFile(path)) as JsonObject;
  assertEquals(workflow["input_schema"], PACK_SCHEMAS.IncidentInput);
});
