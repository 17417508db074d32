/**
 * Looks for what policy forbids in a message. Pure.
 *
 * @module
 */
import { isObject } from "../base/json.ts";
import { shorten } from "../base/text.ts";
import {
  type Redaction,
  type RedactionLedger,
  type RedactionLevel,
  startRedaction,
  WITHHELD,
} from "../redact/redaction.ts";
import { FULL_START } from "../removed.ts";
import type { Message } from "./render.ts";

/**
 * A message in which a second redaction at this level finds nothing, within the
 * limits of the first. A text may hold what none of its parts did, or end in
 * half a placeholder.
 */
export function redactMessage(message: Message, { kept }: Redaction): Message {
  const redact = (text: string): string => {
    const once = kept(text);
    if (once === text) return text;
    const cut = shorten(once, Math.max(text.length, WITHHELD.length));
    return kept(cut) === cut ? cut : WITHHELD;
  };
  return mapShown(message, redact) as Message;
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
  mapShown(message, redaction.kept);
  const ledger = redaction.ledger();
  if (level === "full" && !saysFull(message)) {
    ledger["withheld"] = { count: 1, where: [] };
  }
  return Object.keys(ledger).length === 0 ? undefined : ledger;
}

/** No other text of ours begins so, and no foreign one stands alone. */
function saysFull({ blocks }: Message): boolean {
  const elements = blocks.at(-1)?.["elements"];
  return Array.isArray(elements) &&
    elements.some((element) =>
      isObject(element) && String(element["text"]).startsWith(FULL_START)
    );
}

/** Changes the texts that people read, and no address that we made. */
function mapShown(
  value: unknown,
  change: (text: string) => string,
): unknown {
  if (Array.isArray(value)) return value.map((item) => mapShown(item, change));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      name === "text" && typeof inner === "string"
        ? change(inner)
        : mapShown(inner, change),
    ]),
  );
}
