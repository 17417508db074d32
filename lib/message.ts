/**
 * The message that people read: Slack's `{text, blocks}`, the same for every
 * destination. Pure.
 *
 * What the evidence says reaches the message escaped and within Slack's
 * limits, whatever it holds. The bytes of a rendered message are what an
 * approver sees and what is posted; only the footer comes later.
 *
 * @see https://docs.slack.dev/messaging/formatting-message-text for the escapes.
 * @see https://docs.slack.dev/reference/block-kit/blocks for the limits.
 * @module
 */
import { shorten } from "./errors.ts";
import type { Claim, EvidenceItem, NormalizedContext } from "./incident.ts";

/** One block of Slack's Block Kit. */
export type Block = Readonly<Record<string, unknown>> & {
  readonly type: string;
};

/** A message as Slack takes it. */
export interface Message {
  /** For notifications and screen readers. */
  readonly text: string;
  /** 1 to 49, as Block Kit has them. */
  readonly blocks: readonly Block[];
}

/** What a message is made of. */
export interface MessageView {
  /** With its source in front. */
  incidentId: string;
  /** The incident in plain fields. */
  context: NormalizedContext;
  /** What is happening, one or two sentences. */
  lead: string;
  /** What is known. */
  highlights: readonly Claim[];
  /** What to do next. */
  actionItems: readonly Claim[];
  /** What the claims cite. */
  evidence: readonly EvidenceItem[];
  /** What could not be had. */
  gaps: readonly { what: string; why: string }[];
  /** Where the whole summary is kept. */
  summaryPtr: string;
}

/** Who released a message, for its footer. */
export interface Footer {
  /** `undefined` if the poster was told to need no approval. */
  approval: { by: string; at: string; ruleId: string } | undefined;
  /** Empty for a job outside a workflow. */
  runId: string;
  /** Of the message, as 64 hex digits. */
  digest: string;
}

const HEADER_CHARS_MAX = 150;
// Slack takes 3000 a section, but refuses about 13,200 in all blocks together.
const LEAD_CHARS_MAX = 1500;
const LIST_CHARS_MAX = 2500;
const ITEM_CHARS_MAX = 600;
const CONTEXT_CHARS_MAX = 1000;
const TEXT_CHARS_MAX = 3000;
const BLOCKS_MAX = 49; // Slack takes 50, and the footer is one.

const SEVERITY_WORDS = {
  critical: "CRITICAL",
  error: "ERROR",
  warning: "WARNING",
  info: "INFO",
} as const;

/** Renders a message; the same view always gives the same bytes. */
export function renderMessage(view: MessageView): Message {
  const { context, incidentId } = view;
  const severity = SEVERITY_WORDS[context.severity ?? "warning"];
  const title = oneLine(context.title ?? "") || incidentId;
  const service = context.service === undefined
    ? ""
    : ` (${oneLine(context.service)})`;
  const lead = oneLine(view.lead) || "Nothing is known yet.";
  const blocks: Block[] = [
    header(`${severity}: ${title}${service}`),
    section(fit(lead, LEAD_CHARS_MAX)),
    ...claims("What we know", view.highlights),
    ...claims("What to do", view.actionItems),
  ];
  if (view.gaps.length > 0) {
    const items = view.gaps.map(({ what, why }) => itemText(`${what}: ${why}`));
    blocks.push(section(bullets("What is missing", items)));
  }
  blocks.push(contextBlock(sourceLine(view)));
  return {
    text: fit(`${severity}: ${title}${service}. ${lead}`, TEXT_CHARS_MAX),
    blocks,
  };
}

/** The bytes whose digest an approval releases. */
export function encodeMessage({ text, blocks }: Message): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ text, blocks }));
}

/**
 * Reads the bytes of a message.
 *
 * @throws {SyntaxError} If they are not JSON of a text and 1 to 49 blocks; it
 * quotes nothing of them.
 */
export function decodeMessage(bytes: Uint8Array): Message {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new SyntaxError("the message is not JSON in UTF-8");
  }
  const { text, blocks } = (value ?? {}) as Partial<Message>;
  const isMessage = typeof text === "string" && text !== "" &&
    Array.isArray(blocks) && blocks.length > 0 && blocks.length <= BLOCKS_MAX &&
    blocks.every((block) => typeof block?.type === "string");
  if (!isMessage) {
    throw new SyntaxError(
      `the message is not a text and 1 to ${BLOCKS_MAX} blocks`,
    );
  }
  return { text, blocks };
}

/** The message as it is sent: the same text and blocks, and the footer. */
export function withFooter(message: Message, footer: Footer): Message {
  const { approval, runId, digest } = footer;
  const released = approval === undefined
    ? "Posted without approval, as configured"
    : `Approved by ${approval.by} at ${approval.at}, asked for by rule ${approval.ruleId}`;
  const line = `${released} · run ${runId || "none"} · message sha256 ${
    digest.slice(0, 16)
  }`;
  return {
    text: message.text,
    blocks: [...message.blocks, contextBlock(fit(line, CONTEXT_CHARS_MAX))],
  };
}

/**
 * Makes `text` inert in Slack's mrkdwn: no mention, disguised link or entity
 * survives. Half a surrogate pair, which no JSON reader has to take, becomes
 * U+FFFD.
 */
export function escapeMrkdwn(text: string): string {
  return text.toWellFormed().replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}

/**
 * Escapes `text` and shortens it so that the escaped form has at most
 * `charsMax` characters. Neither an entity nor a surrogate pair is cut.
 */
export function fit(text: string, charsMax: number): string {
  const escaped = escapeMrkdwn(text);
  if (escaped.length <= charsMax) return escaped;
  let kept = "";
  for (const character of text) { // By code point, so pairs stay whole.
    const next = escapeMrkdwn(character);
    if (kept.length + next.length > charsMax - 1) break;
    kept += next;
  }
  return `${kept}…`;
}

function header(text: string): Block {
  const title = shorten(text.toWellFormed(), HEADER_CHARS_MAX);
  return {
    type: "header",
    text: { type: "plain_text", text: title, emoji: false },
  };
}

function section(text: string): Block {
  return { type: "section", text: { type: "mrkdwn", text } };
}

function contextBlock(text: string): Block {
  return { type: "context", elements: [{ type: "mrkdwn", text }] };
}

function claims(title: string, items: readonly Claim[]): Block[] {
  if (items.length === 0) return [];
  const texts = items.map(({ text, evidence }) =>
    itemText(text, ` [${evidence.join(", ")}]`)
  );
  return [section(bullets(title, texts))];
}

/** One escaped line; only `text` is cut, so that the citations stay. */
function itemText(text: string, citations = ""): string {
  const end = escapeMrkdwn(citations);
  return fit(oneLine(text), ITEM_CHARS_MAX - end.length) + end;
}

/** A titled list; items that find no room are counted, not cut in half. */
function bullets(title: string, items: readonly string[]): string {
  let text = `*${title}*`;
  for (const [at, item] of items.entries()) {
    const line = `\n• ${item}`;
    const rest = `\n… and ${items.length - at} more, see the full summary`;
    if (text.length + line.length + rest.length > LIST_CHARS_MAX) {
      return text + rest;
    }
    text += line;
  }
  return text;
}

function sourceLine(
  { incidentId, context, evidence, summaryPtr }: MessageView,
): string {
  const count = `${evidence.length} piece${
    evidence.length === 1 ? "" : "s"
  } of evidence`;
  const source = context.source === undefined
    ? ""
    : ` from ${context.source.system}`;
  return fit(
    `Incident ${incidentId}${source} · ${count} · full summary ${summaryPtr}`,
    CONTEXT_CHARS_MAX,
  );
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
