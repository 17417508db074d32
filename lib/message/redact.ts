/**
 * Looks for what policy forbids in a message. Pure.
 *
 * @module
 */
import { OWN_MARK } from "../base/foreign.ts";
import { isObject, type JsonObject } from "../base/json.ts";
import { shorten } from "../base/text.ts";
import {
  addLedgers,
  type Redaction,
  type RedactionLedger,
  type RedactionLevel,
  startRedaction,
  WITHHELD,
} from "../redact/redaction.ts";
import { FULL_START } from "../removed.ts";
import {
  type Block,
  fit,
  HEADER_CHARS_MAX,
  unescapeMrkdwn,
} from "./block_kit.ts";
import { evidenceLinksOf, withoutControls } from "./controls.ts";
import type { Message } from "./message.ts";

/** A short line may grow for a placeholder, which no limit of Slack forbids. */
const LINE_CHARS_MIN = 60;

/**
 * A message in which {@linkcode findForbidden} finds nothing at this level. What
 * it is made of is redacted already, but a line may hold what none of its parts
 * did.
 */
export function redactMessage(message: Message, redaction: Redaction): Message {
  const { kept } = redaction;
  const operators = operatorsOf(redaction);
  const redacted = mapLines(message, ({ line, plain, isMrkdwn, opens }) => {
    const redacted = kept(plain);
    const isClean = opens.every((url) => operators.kept(url) === url);
    if (redacted === plain && isClean) return line;
    const charsMax = Math.max(line.length, LINE_CHARS_MIN);
    // What stood as code must stay inert.
    const cut = (isMrkdwn ? fit : shorten)(redacted, charsMax);
    const left = isMrkdwn ? plainOf(cut) : cut;
    return kept(left) === left ? cut : WITHHELD;
  });
  const isClean = ({ action_id, url }: JsonObject) =>
    redactionOf(action_id, redaction).kept(url) === url;
  const blocks = redacted.blocks.flatMap((block) => {
    if (block.type !== "actions") return [block];
    const elements = linksOf(block).filter(isClean);
    return elements.length === 0 ? [] : [{ ...block, elements }];
  });
  return { ...redacted, blocks };
}

function linksOf({ elements }: Block): JsonObject[] {
  return Array.isArray(elements) ? elements.filter(isObject) : [];
}

function redactionOf(action: unknown, redaction: Redaction): Redaction {
  return action === "open_run" ? operatorsOf(redaction) : redaction;
}

/** The operator chose where runs and evidence are shown, perhaps at an IP address. */
function operatorsOf(redaction: Redaction): Redaction {
  return redaction.level === "none" ? redaction : startRedaction();
}

/**
 * What is left in a message that a level forbids; `undefined` if nothing is. At
 * `full`, also whether it says that it holds nothing of the evidence.
 */
export function findForbidden(
  message: Message,
  level: RedactionLevel,
): RedactionLedger | undefined {
  const redaction = startRedaction({ level });
  const operators = operatorsOf(redaction);
  mapLines(message, ({ line, plain, opens }) => {
    redaction.kept(plain);
    for (const url of opens) operators.kept(url);
    return line;
  });
  const ledgers = message.blocks.filter(({ type }) => type === "actions")
    .flatMap(linksOf).map(({ action_id, url }) => {
      const used = redactionOf(action_id, redaction);
      used.kept(url);
      return used === redaction ? {} : used.ledger();
    });
  if (operators !== redaction) ledgers.push(operators.ledger());
  const ledger = ledgers.reduce(addLedgers, redaction.ledger());
  if (level === "full" && !saysFull(message)) {
    ledger["withheld"] = { count: 1, where: [] };
  }
  return Object.keys(ledger).length === 0 ? undefined : ledger;
}

/** No foreign text can begin with our mark. */
function saysFull({ blocks }: Message): boolean {
  const elements = blocks.at(-1)?.["elements"];
  return Array.isArray(elements) &&
    elements.some((element) =>
      isObject(element) &&
      String(element["text"]).startsWith(`${OWN_MARK} ${FULL_START}`)
    );
}

/** One line that people read. */
interface Line {
  /** As it stands. */
  line: string;
  /**
   * As people read it: without escapes, marks of code, which may divide a
   * placeholder, and addresses behind a citation.
   */
  plain: string;
  /** The addresses behind citations. */
  opens: string[];
  isMrkdwn: boolean;
}

/** Changes what people read, line by line, and no address that we made. */
function mapLines(message: Message, change: (line: Line) => string): Message {
  const map = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(map);
    if (!isObject(value)) return value;
    const isMrkdwn = value["type"] !== "plain_text";
    return Object.fromEntries(
      Object.entries(value).map(([name, part]) => [
        name,
        name !== "text" || typeof part !== "string" ? map(part) : fitAs(
          part,
          part.split("\n").map((line) =>
            change({
              line,
              plain: isMrkdwn ? plainOf(line) : line,
              opens: evidenceLinksOf(line).map(({ url }) => url),
              isMrkdwn,
            })
          ).join("\n"),
        ),
      ]),
    );
  };
  return map(message) as Message;
}

function fitAs(before: string, after: string): string {
  return shorten(after, Math.max(before.length, HEADER_CHARS_MAX));
}

function plainOf(line: string): string {
  return unescapeMrkdwn(withoutControls(line)).replaceAll("`", "");
}
