/**
 * What the poster adds below an approved message: who approved it, and whether
 * an earlier message said less. Pure.
 *
 * @module
 */
import { named, OWN_MARK } from "../base/foreign.ts";
import { utcOf } from "../base/text.ts";
import { type Severity, toMoment } from "../incident.ts";
import { BADGES } from "./badges.ts";
import { contextBlock, fit } from "./block_kit.ts";
import type { Message } from "./message.ts";

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

const LINE_CHARS_MAX = 1600;

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
    fit(line, LINE_CHARS_MAX),
  );
  return { text: message.text, blocks: [...message.blocks, block] };
}

function updateLine({ now, was, firstAt, isMarked }: Update): string {
  const [sign, word] = BADGES[now];
  const at = toMoment(firstAt);
  const when = at === undefined ? "an unknown time" : utcOf(at);
  const first = `first message ${isMarked ? "marked as posted at" : "at"}`;
  return `${sign} Update: now ${word}, was ${BADGES[was][1]}; ${first} ${when}`;
}
