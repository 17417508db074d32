/**
 * A page of a bundle, without a platform.
 *
 * @module
 */
import { mapTexts } from "../../lib/base/json.ts";
import type { EvidenceText } from "../../lib/collected.ts";
import type { EvidenceBundle } from "../../lib/incident.ts";
import { composePage } from "../../lib/message/page/compose.ts";
import type { Report } from "../../lib/message/told.ts";
import {
  type RedactionLevel,
  startRedaction,
} from "../../lib/redact/redaction.ts";

/** What the page of {@linkcode FULL} claims, whatever rules there are. */
export const REPORT: Report = {
  priority: "P2",
  subject: "mail-out",
  claims: [
    {
      place: "headline",
      text: "4210 mails wait (limit 1000)",
      evidence: ["E1"],
    },
    { place: "state", text: "Since 04:02:00 UTC, not resolved", evidence: [] },
    {
      place: "happened",
      text:
        "QueueLong ×1 on mail-out-1, from 04:02 · “4210 mails wait, the limit is 1000”",
      severity: "error",
      evidence: ["E1"],
    },
    {
      place: "happened",
      text: "8 new errors in the logs: “relay refused”",
      collected: true,
      evidence: ["E4", "E3"],
    },
    {
      place: "changed",
      text: "03:58:00, 4 min before: “bo” deployed mail-out “v7.1”",
      collected: true,
      evidence: ["E2"],
    },
    {
      place: "seen",
      text: "It fired 3 times in 30 days",
      collected: true,
      evidence: ["E3"],
    },
    { place: "next", text: "Roll back to “v7.0”", evidence: ["E2"] },
    { place: "small", text: "As of 04:10:00 UTC · team post", evidence: [] },
  ],
};

/** Options of {@linkcode pageOf}. */
export interface PageOptions {
  /** What it claims; {@linkcode REPORT} if not given. */
  report?: Report;
  texts?: readonly EvidenceText[];
  level?: RedactionLevel;
  linkOrigins?: string[];
}

/** The page as the summarizer makes it. */
export function pageOf(
  bundle: EvidenceBundle,
  { texts = [], level = "standard", linkOrigins, report = REPORT }:
    PageOptions = {},
): string {
  return composePage(bundle, { report, model: "builtin", confidence: 0.25 }, {
    runId: "",
    level,
    settings: { linkOrigins, dashboardRunUrl: undefined } as never,
    texts,
    artifacts: [["Summary", "redis://art:s"]],
    redact: startRedaction({ level }).kept,
  });
}

/** A bundle in which every part of a page has something to show. */
export const FULL: EvidenceBundle = {
  incident_id: "alertmanager:7d2e",
  collected_at: "2026-02-03T04:10:00.000Z",
  evidence: [
    item("E1", "incident.raw", "Alertmanager webhook as received"),
    item("E2", "github.deployments", "Deployments of example/mail"),
    item("E3", "prometheus.series-1", "Course of QueueLong, 6 h"),
    item("E4", "loki.errors", "8 error lines of 1 kind"),
    item("E5", "incident.context", "Incident in plain fields"),
  ],
  normalized_context: {
    title: "The queue of outgoing mail is long",
    severity: "error",
    service: "mail-out",
    status: "firing",
    description: "4210 mails wait, the limit is 1000.",
    source: { system: "alertmanager", url: "https://am.example/#/alerts" },
    occurred_at: "2026-02-03T04:02:00.000Z",
    links: [
      { kind: "runbook", url: "https://wiki.example/mail", of: "QueueLong" },
      { kind: "graph", url: "https://elsewhere.example/graph" },
    ],
    facts: [
      { name: "namespace", value: "mail", evidence: ["E1"] },
      {
        name: "error lines",
        value: "8 of 1 kind, new against the hour before",
        kind: "log",
        evidence: ["E4"],
      },
      {
        name: "fired in 30 days",
        value: "3 times before, usually for 12 min",
        kind: "history",
        evidence: ["E3"],
      },
    ],
    timeline: [
      {
        at: "2026-02-03T03:58:00.000Z",
        text: "bo deployed mail-out v7.1 to production",
        kind: "change",
        change: { what: "deployment", of: "mail-out", version: "v7.1" },
        evidence: ["E2"],
      },
      {
        at: "2026-02-03T04:02:00.000Z",
        text: "QueueLong fired: 4210 mails wait",
        evidence: ["E1"],
      },
    ],
    alerts: {
      firing: 1,
      resolved: 0,
      groups: [{
        name: "QueueLong",
        severity: "error",
        count: 1,
        since: "2026-02-03T04:02:00.000Z",
        where: ["mail-out-1"],
        says: "4210 mails wait, the limit is 1000.",
        worst: "mail-out-1",
        value: "4210",
        limit: "1000",
        evidence: ["E1"],
      }],
    },
    series: [{
      alert: "QueueLong",
      expression: "sum(mail_queue_length)",
      unit: "mails",
      now: 4210,
      at: "2026-02-03T04:09:00.000Z",
      limit: 1000,
      operator: ">",
      crossed: "2026-02-03T04:01:00.000Z",
      beyond: true,
      worst: 4210,
      worst_at: "2026-02-03T04:09:00.000Z",
      hour_ago: 12,
      trend: "rising",
      spark: "▁▁▁▂▅█",
      start: "2026-02-02T22:09:00.000Z",
      step_s: 3600,
      values: [10, 12, null, 11, 12, 12, 4210],
      evidence: ["E3"],
    }],
    redacted: { named: { count: 2, where: ["raw.alerts[0].labels.token"] } },
  },
  gaps: [{ what: "events", why: "Kubernetes answered 403", kind: "refused" }],
  lookups: [
    {
      collector: "github",
      question: "deployments of example/mail",
      state: "found",
      evidence: ["E2"],
    },
    {
      collector: "alertmanager",
      question: "silences",
      state: "nothing",
      why: "no silence touches it",
    },
    {
      collector: "kubernetes",
      question: "state of mail",
      state: "failed",
      why: "Kubernetes answered 403",
    },
    { collector: "pagerduty", state: "unconcerned", why: "not PagerDuty's" },
    { collector: "grafana", state: "off", why: "not set up" },
  ],
};

function item(id: string, kind: string, title: string) {
  return {
    id,
    kind,
    title,
    artifact_ptr: `redis://art:${id}`,
    content_type: "application/json",
    bytes: 300,
    sha256: "ab".repeat(32),
  };
}

/** What stands in the pieces of {@linkcode FULL}. */
export const TEXTS: readonly EvidenceText[] = [
  {
    id: "E1",
    text: JSON.stringify(
      {
        receiver: "ops",
        alerts: [{
          labels: { alertname: "QueueLong", instance: "mail-out-1" },
          annotations: { summary: "4210 mails wait, the limit is 1000." },
          startsAt: "2026-02-03T04:02:00.000Z",
        }],
      },
      null,
      2,
    ),
  },
  {
    id: "E2",
    text: '[{"ref":"v7.1","environment":"production","creator":"bo"}]',
  },
  { id: "E3", problem: "the gateway did not give it" },
  {
    id: "E4",
    text: Array.from(
      { length: 4000 },
      (_, at) => `line ${at} level=error msg="relay refused"`,
    ).join("\n"),
  },
];

/** What would act or mislead if it were not escaped. */
export const PAYLOADS: readonly string[] = [
  `<script>document.title="ran";fetch("http://127.0.0.1:1/")</script>`,
  `"><img src=x onerror="document.title='ran'">`,
  `' onmouseover='document.title="ran"' x='`,
  `</style><script>document.title="ran"</script>`,
  `</title></head><body onload=document.title='ran'>`,
  `</pre></details></li><iframe src="http://127.0.0.1:1/"></iframe>`,
  `<svg/onload=document.title='ran'><use href="http://127.0.0.1:1/#a"/>`,
  `<!--<math><mtext><style><img src=x onerror=document.title='ran'>`,
  `&lt;script&gt;&#60;script&#62; ]]> <![CDATA[ <?php`,
  `\u0000<scr\u0000ipt>a\u0000</scr\u0000ipt>`,
  `\u202e\u2066gnp.exe\u200b\ufeff \u{e0041}`,
  `javascript:document.title='ran'`,
  `<link rel=stylesheet href=http://127.0.0.1:1/><meta http-equiv=refresh content="0;url=http://127.0.0.1:1/">`,
  `<form action=http://127.0.0.1:1/><input autofocus onfocus=document.title='ran'><base href=//127.0.0.1:1/>`,
  `\ud800 <a href="javascript:document.title='ran'">E1</a> [E1] \u{1F534} ◆`,
];
/** What the schema of a bundle fixes, so nobody can write it. */
const FIXED =
  /^(?:E\d+|redis:.*|[0-9a-f]{64}|[\d-]+T[\d:.]+Z|error|firing|alertmanager|change|log|history|found|nothing|failed|off|unconcerned|refused|rising|>|github|kubernetes|deployment|runbook|graph|[▁▂▅█]+)$/;

/** A bundle, and its pieces, in which every text is hostile. */
export function hostile(
  payload: string,
): { bundle: EvidenceBundle; texts: EvidenceText[]; report: Report } {
  const bundle = mapTexts(
    FULL,
    (text) => FIXED.test(text) || /^[a-z_]+$/.test(text) ? text : payload,
  );
  bundle.evidence[0]!.artifact_ptr = `redis://art:${
    payload.replace(/\s/g, "")
  }`;
  bundle.normalized_context!.links![0]!.url =
    `https://wiki.example/"><script>document.title='ran'</script>`;
  return {
    bundle,
    report: {
      priority: payload,
      subject: payload,
      claims: REPORT.claims.map((told) => ({
        ...told,
        text: `${payload} “${payload}”`,
      })),
    },
    texts: ["E1", "E2", "E4"].map((id) => ({
      id,
      text: `{"a": "${payload}"}\n${payload}\n${payload.repeat(50)}`,
    })),
  };
}
