/**
 * The message that people read: Slack's `{text, blocks}`, the same for every
 * destination. Pure.
 *
 * Any text from the evidence reaches the message inert and within Slack's
 * limits, each in its place and with its own share of the room. Only the
 * headline and the timeline repeat it without quotes. Every line begins with a
 * mark or with words of ours, see `base/foreign.ts`.
 *
 * An approver sees the bytes of a rendered message, and the poster posts the
 * same bytes; only the footer comes later.
 *
 * @module
 */
import {
  type Block,
  contextBlock,
  fit,
  header,
  type Link,
  linkButtons,
  section,
  tryFit,
} from "./block_kit.ts";
import { foreignLine, named, OWN_MARK, quoted } from "../base/foreign.ts";
import { counted, shorten } from "../base/text.ts";
import {
  type Claim,
  type EvidenceItem,
  type NormalizedContext,
  type Severity,
  toMoment,
  withIds,
} from "../incident.ts";
import { type Items, List, shrink } from "./list.ts";
import { findForeignPart } from "./shapes.ts";

export interface Message {
  /** For notifications and screen readers. */
  readonly text: string;
  /** 1 to 49, as Block Kit has them. */
  readonly blocks: readonly Block[];
}

export interface MessageView {
  /** Prefixed by its source. */
  incidentId: string;
  context: NormalizedContext;
  /** In our own voice: quotes what it repeats. */
  lead: string;
  leadEvidence?: readonly string[];
  highlights: readonly Claim[];
  actionItems: readonly Claim[];
  evidence: readonly EvidenceItem[];
  gaps: readonly { what: string; why: string }[];
  summaryPtr: string;
  /** What was looked up in vain or not at all; quotes what it repeats. */
  lookedUp?: string;
  /** What redaction has removed, in our own words. */
  removed?: string;
  /** Buttons with allowed addresses. */
  links?: readonly Link[];
}

export interface Footer {
  /** `undefined` if the poster needs no approval. */
  approval:
    | { by: string; at: string; ruleId: string; signedBy?: string }
    | undefined;
  /** Empty for a job outside a workflow. */
  runId: string;
  /** Of the message, as 64 hex digits. */
  digest: string;
  /** Set if an earlier message said less. */
  update?: Update | undefined;
}

/** A message that follows another one about the same incident. */
export interface Update {
  now: Severity;
  /** The severity of the message before. */
  was: Severity;
  /** Times are RFC 3339: when the first message was posted. */
  firstAt: string;
  /** Whether that is only the time at which a person marked it as posted. */
  isMarked: boolean;
}

/**
 * For all blocks as JSON: Slack documents no limit on the sum, but refuses
 * messages above about 13,200 characters with `msg_blocks_too_long`.
 */
const MESSAGE_CHARS_MAX = 13_000;
/** The footer's share of it: its longest texts as JSON. */
const FOOTER_CHARS_MAX = 1850;
const RELEASED_CHARS_MAX = 1600;
const SERVICE_CHARS_MAX = 50;
const LEAD_CHARS_MAX = 1000;
const ITEM_CHARS_MAX = 600;
const ENTRY_CHARS_MAX = 500;
const CITATIONS_CHARS_MAX = 300;
const SOURCE_CHARS_MAX = 300;
const EVIDENCE_CHARS_MAX = 600;
const EVIDENCE_TITLE_CHARS_MAX = 60;
const LOOKUPS_CHARS_MAX = 300;
const POINTER_CHARS_MAX = 250;
const POINTER = /^redis:\/\/art:[\w.:-]{1,200}$/;
const SUMMARY_WORDS_MAX = 60;
const TEXT_CHARS_MAX = 3000;
/** In the notification, so that it leaves room for what follows. */
const TITLE_CHARS_MAX = 150;
const TIMELINE_SHOWN = 8;
/** A sentence may contain a shorter claim without making it. */
const SAID_CHARS_MIN = 20;

/** The colour helps to find the message among others. */
export const BADGES = {
  critical: ["\u{1F534}", "CRITICAL"],
  error: ["\u{1F7E0}", "ERROR"],
  warning: ["\u{1F7E1}", "WARNING"],
  info: ["\u{1F535}", "INFO"],
} as const;

/**
 * Renders a message; the same view always gives the same bytes. If the message
 * is too long, drops the least important items: old entries of the timeline
 * first, what to do last. Each list counts its dropped items, and the last line
 * says where the full summary is.
 */
export function renderMessage(view: MessageView): Message {
  const title = foreignLine(view.context.title ?? "") ||
    foreignLine(view.incidentId) ||
    "an incident without a name";
  const words = foreignLine(view.lead) || "Nothing is known yet.";
  const lead = tryFit(`${OWN_MARK} ${words}`, LEAD_CHARS_MAX);
  const lists = listsOf(view);
  const { links = [] } = view;
  const head = [
    header(headline(title, view.context)),
    section(lead.text + citing(view.leadEvidence)),
  ];
  const buttons = links.length === 0 ? [] : [linkButtons(links)];
  const sources = [
    sourceLine(view),
    ...evidenceLine(view.evidence),
    ...lookupLine(view.lookedUp),
    ...view.removed === undefined ? [] : [`${OWN_MARK} ${view.removed}`],
  ];
  const render = () => [
    ...head,
    ...lists.all.flatMap((list) =>
      list.isEmpty ? [] : [section(list.render())]
    ),
    ...buttons,
    contextBlock(
      ...sources,
      summaryLine(view, lead.cut || lists.all.some(({ cut }) => cut)),
    ),
  ];
  shrink(
    lists.leastFirst,
    () =>
      JSON.stringify(render()).length <= MESSAGE_CHARS_MAX - FOOTER_CHARS_MAX,
  );
  return { text: fallback(title, words, view.context), blocks: render() };
}

/** The bytes whose digest an approval releases. */
export function encodeMessage({ text, blocks }: Message): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ text, blocks }));
}

/**
 * Reads a message of this pack, and no other: what it holds is what is shown.
 *
 * @throws {SyntaxError} Says which part is foreign. Quotes none of it.
 */
export function decodeMessage(bytes: Uint8Array): Message {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new SyntaxError("the message is not JSON in UTF-8");
  }
  const problem = findForeignPart(value);
  if (problem !== undefined) {
    throw new SyntaxError(`the message is not one of this pack: ${problem}`);
  }
  const { text, blocks } = value as Message;
  return { text, blocks };
}

/** The message to send: the same text and blocks, and the footer. */
export function withFooter(message: Message, footer: Footer): Message {
  const { approval, runId, digest, update } = footer;
  // Each part has its own limit, so that no part can push out the digest.
  const part = (text: string) => named(text, 80);
  const released = approval === undefined
    ? "Posted without approval, as configured"
    : `Approved by ${part(approval.by)} at ` +
      `${toMoment(approval.at) ?? named(approval.at, 40)}, ` +
      `asked for by rule ${part(approval.ruleId)}` +
      (approval.signedBy === undefined
        ? ""
        : `, signed by ${part(approval.signedBy)}`);
  const run = runId === "" ? "none" : part(runId);
  const line = `${OWN_MARK} ${released} · run ${run} · message sha256 ${
    part(digest.slice(0, 16))
  }`;
  const block = contextBlock(
    ...update === undefined ? [] : [updateLine(update)],
    fit(line, RELEASED_CHARS_MAX),
  );
  return { text: message.text, blocks: [...message.blocks, block] };
}

function updateLine({ now, was, firstAt, isMarked }: Update): string {
  const [sign, word] = BADGES[now];
  const at = toMoment(firstAt)?.slice(0, 19).replace("T", " ");
  const when = at === undefined ? "an unknown time" : `${at} UTC`;
  const first = `first message ${isMarked ? "marked as posted at" : "at"}`;
  return `${sign} Update: now ${word}, was ${BADGES[was][1]}; ${first} ${when}`;
}

function headline(title: string, context: NormalizedContext): string {
  const [sign] = BADGES[context.severity ?? "warning"];
  return `${sign} ${subject(context)}: ${title}`;
}

/** `CRITICAL · checkout-api`. */
export function subject({ severity, service }: NormalizedContext): string {
  const [, word] = BADGES[severity ?? "warning"];
  const where = shorten(foreignLine(service ?? ""), SERVICE_CHARS_MAX);
  return where === "" ? word : `${word} · ${where}`;
}

/** Severity and service first: a phone shows only the beginning. */
function fallback(
  title: string,
  words: string,
  { severity, service = "" }: NormalizedContext,
): string {
  const [, word] = BADGES[severity ?? "warning"];
  const where = foreignLine(service) === ""
    ? ""
    : ` on ${named(service, SERVICE_CHARS_MAX)}`;
  const what = quoted(title, TITLE_CHARS_MAX);
  return fit(`${word}${where}: ${what}. ${words}`, TEXT_CHARS_MAX);
}

/** The lists in their order in the message, and in the order of shrinking. */
function listsOf(view: MessageView) {
  const timeline = timelineList(view.context.timeline ?? []);
  const known = view.highlights.filter((claim) => !isSaid(claim, view));
  const list = (title: string, parts: readonly Parts[]) =>
    new List({ title, items: items(parts) });
  const highlights = list("What we know", known.map(claimParts));
  const actions = list("What to do", view.actionItems.map(claimParts));
  const missing = view.gaps.map(({ what, why }) =>
    quoted(`${what}: ${why}`, ITEM_CHARS_MAX)
  );
  const gaps = list("What is missing", missing.map((text) => ({ text })));
  return {
    all: [highlights, actions, timeline, gaps],
    leastFirst: [
      [timeline, 3],
      [gaps, 2],
      [highlights, 4],
      [timeline, 0],
      [gaps, 0],
      [actions, 3],
      [highlights, 0],
      [actions, 0],
    ] as const,
  };
}

/** What the summary claims for an entry of the timeline. */
export function entryClaim({ at, text }: { at: string; text: string }): string {
  return `${toMoment(at) ?? named(at, 40)} ${quoted(text, ENTRY_CHARS_MAX)}`;
}

/** Whether the lead or the timeline already contains a claim word for word. */
function isSaid({ text }: Claim, { lead, context }: MessageView): boolean {
  const inLead = text.length >= SAID_CHARS_MIN && lead.includes(text.trim());
  return inLead ||
    (context.timeline ?? []).some((entry) => entryClaim(entry) === text);
}

interface Parts {
  /** Our own text, neither escaped nor cut. */
  start?: string;
  text: string;
  citations?: readonly string[];
}

function claimParts({ text, evidence }: Claim): Parts {
  return { text, citations: evidence };
}

/** One inert line each. Cuts only the text, so that citations stay. */
function items(parts: readonly Parts[]): Items {
  let cut = false;
  const lines = parts.map(({ start = "", text, citations = [] }) => {
    const end = citing(citations);
    const charsMax = ITEM_CHARS_MAX - start.length - end.length;
    const fitted = tryFit(foreignLine(text), charsMax);
    cut ||= fitted.cut;
    return start + fitted.text + end;
  });
  return { lines, cut };
}

function citing(ids: readonly string[] = []): string {
  return ids.length === 0 ? "" : ` [${
    shorten(
      ids.map(plainId).join(", "),
      CITATIONS_CHARS_MAX,
    )
  }]`;
}

/** An id as a citation names it; a question mark for what could be a word. */
export function plainId(id: string): string {
  return /^[A-Za-z]{1,2}\d{1,4}$/.test(id) ? id : "?";
}

function timelineList(
  given: NonNullable<NormalizedContext["timeline"]>,
): List {
  const entries = given.map((entry) => ({
    ...entry,
    at: toMoment(entry.at) ?? "?",
  }));
  const days = new Set(entries.map(({ at }) => at.slice(0, 10)));
  // A date on every line helps only if there are several days.
  const [day] = days;
  const oneDay = days.size === 1 && /^\d{4}-\d\d-\d\d$/.test(day!);
  const clock = (at: string) =>
    oneDay ? at.slice(11, 19) : at.slice(0, 19).replace("T", " ");
  return new List({
    title: oneDay ? `Timeline of ${day}, UTC` : "Timeline, UTC",
    items: items(entries.map(({ at, text, evidence }) => ({
      start: `\`${at === "?" ? at : clock(at)}\` `,
      text,
      citations: evidence,
    }))),
    newestLast: true,
    shownMax: TIMELINE_SHOWN,
  });
}

function sourceLine({ incidentId, context, evidence }: MessageView): string {
  const count = `${counted(evidence.length, "piece")} of evidence`;
  const source = context.source === undefined
    ? ""
    : ` from ${named(context.source.system, 40)}`;
  const line = `${OWN_MARK} Incident ${named(incidentId, 200)}${source}`;
  return fit(`${line} · ${count}`, SOURCE_CHARS_MAX);
}

/** Explains each citation. */
function evidenceLine(evidence: readonly EvidenceItem[]): string[] {
  if (evidence.length === 0) return [];
  let line = `${OWN_MARK} `;
  for (const [at, { id, title }] of withIds(evidence).entries()) {
    const name = quoted(title, EVIDENCE_TITLE_CHARS_MAX);
    const next = `${at === 0 ? "" : " · "}[${plainId(id)}] ${name}`;
    const rest = ` · and ${evidence.length - at} more`;
    if (fit(line + next + rest, Infinity).length > EVIDENCE_CHARS_MAX) {
      return [fit(line + rest, EVIDENCE_CHARS_MAX)];
    }
    line += next;
  }
  return [fit(line, EVIDENCE_CHARS_MAX)];
}

function lookupLine(words: string | undefined): string[] {
  if (words === undefined) return [];
  const line = `${OWN_MARK} ${words[0]!.toUpperCase()}${words.slice(1)}`;
  return [fit(line, LOOKUPS_CHARS_MAX)];
}

function summaryLine({ summaryPtr }: MessageView, cut: boolean): string {
  const pointer = POINTER.test(summaryPtr)
    ? summaryPtr
    : quoted(summaryPtr, POINTER_CHARS_MAX);
  const line = cut
    ? `Shortened to fit; all of it is the full summary, ${pointer}`
    : `Full summary ${pointer}`;
  return fit(`${OWN_MARK} ${line}`, POINTER_CHARS_MAX + SUMMARY_WORDS_MAX);
}
