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
import type { Claim, EvidenceItem, NormalizedContext } from "./incident.ts";

/** One block of Slack's Block Kit. */
export type Block = Readonly<Record<string, unknown>> & {
  readonly type: string;
};

/** A message as Slack takes it. */
export interface Message {
  /** For notifications and screen readers. */
  readonly text: string;
  readonly blocks: readonly Block[];
}

/** What a message is made of. */
export interface MessageView {
  incidentId: string;
  context: NormalizedContext;
  /** What is happening, one or two sentences. */
  lead: string;
  highlights: readonly Claim[];
  actionItems: readonly Claim[];
  evidence: readonly EvidenceItem[];
  gaps: readonly { what: string; why: string }[];
  /** Where the whole summary is kept. */
  summaryPtr: string;
}

/** Who released a message, for its footer. */
export interface Footer {
  /** `undefined` if the poster was told to need no approval. */
  approval: { by: string; at: string; ruleId: string } | undefined;
  runId: string;
  digest: string;
}

const HEADER_CHARS_MAX = 150;
const SECTION_CHARS_MAX = 3000;
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
  const title = oneLine(context.title ?? incidentId);
  const service = context.service === undefined
    ? ""
    : ` (${oneLine(context.service)})`;
  const blocks: Block[] = [
    header(`${severity}: ${title}${service}`),
    section(fit(view.lead, SECTION_CHARS_MAX)),
    ...claims("What we know", view.highlights),
    ...claims("What to do", view.actionItems),
  ];
  if (view.gaps.length > 0) {
    const lines = view.gaps.map(({ what, why }) => `${what}: ${why}`);
    blocks.push(section(bullets("What is missing", lines)));
  }
  blocks.push(contextBlock(sourceLine(view)));
  return {
    text: fit(
      `${severity}: ${title}${service}. ${oneLine(view.lead)}`,
      TEXT_CHARS_MAX,
    ),
    blocks: blocks.slice(0, BLOCKS_MAX),
  };
}

/** The bytes whose digest an approval releases. */
export function encodeMessage({ text, blocks }: Message): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ text, blocks }));
}

/**
 * Reads the bytes of a message.
 *
 * @throws {SyntaxError} If they are not `{text, blocks}` within Slack's limits.
 */
export function decodeMessage(bytes: Uint8Array): Message {
  const value: unknown = JSON.parse(
    new TextDecoder("utf-8", { fatal: true }).decode(bytes),
  );
  const { text, blocks } = (value ?? {}) as Partial<Message>;
  const isMessage = typeof text === "string" && text !== "" &&
    Array.isArray(blocks) && blocks.length > 0 && blocks.length <= BLOCKS_MAX &&
    blocks.every((block) => typeof block?.type === "string");
  if (!isMessage) {
    throw new SyntaxError(
      `not a message of text and 1 to ${BLOCKS_MAX} blocks`,
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
    blocks: [...message.blocks, contextBlock(fit(line, 2000))],
  };
}

/** Makes `text` inert in Slack's mrkdwn: no mention, link or entity survives. */
export function escapeMrkdwn(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(
    ">",
    "&gt;",
  );
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
  const cut = [...text].reduce(
    (kept, character) =>
      kept.length + character.length < HEADER_CHARS_MAX
        ? kept + character
        : kept,
    "",
  );
  return {
    type: "header",
    text: { type: "plain_text", text: cut, emoji: false },
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
  const lines = items.map(({ text, evidence }) =>
    `${text} [${evidence.join(", ")}]`
  );
  return [section(bullets(title, lines))];
}

/** A titled list; lines that find no room are counted, not cut in half. */
function bullets(title: string, lines: readonly string[]): string {
  let text = `*${title}*`;
  for (const [at, line] of lines.entries()) {
    const item = `\n• ${fit(oneLine(line), 600)}`;
    const rest = `\n… and ${lines.length - at} more, see the full summary`;
    if (text.length + item.length + rest.length > SECTION_CHARS_MAX) {
      return text + rest;
    }
    text += item;
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
    2000,
  );
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
