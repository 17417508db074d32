/**
 * Chooses what a model is shown: redacted, by rank, within a bound. Pure.
 *
 * @module
 */
import { bytesOf, cutUtf8 } from "../../base/digest.ts";
import { parseJson } from "../../base/json.ts";
import type { EvidenceText } from "../../collected.ts";
import {
  type EvidenceBundle,
  type EvidenceItem,
  toMoment,
  withIds,
} from "../../incident.ts";
import { readKnown } from "../rules/known.ts";
import { fold, type Seen, type SeenItem } from "./claim.ts";

/** Less of a piece says nothing. */
const ITEM_BYTES_MIN = 200;
const TITLE_CHARS_MAX = 120;
/** The same in other words: the rules have read all of it. */
const RAW = "incident.raw";
const PLAIN = "incident.context";
const CHANGE =
  /\b(?:deploy\w*|releas\w+|roll(?:ed|ing)?[ -]?(?:out|back)\w*|merged|migrat\w*|config\w* changed?|scaled)\b/i;

/** What happens to each text before it is shown. */
export type Change = <T>(value: T) => T;

/**
 * What the model sees of a bundle: the incident in plain fields, then what was
 * collected, the payload last.
 *
 * @param options.change Redacts and masks.
 */
export function show(
  bundle: EvidenceBundle,
  texts: readonly EvidenceText[],
  { bytesMax, change }: { bytesMax: number; change: Change },
): Seen {
  const known = readKnown(bundle);
  const given = new Map(texts.map(({ id, text }) => [id, text]));
  const items = withIds(bundle.evidence).flatMap((item) => {
    const text = given.get(item.id) ?? "";
    return text === "" ? [] : [{
      id: item.id,
      kind: familyOf(item),
      title: change(item.title).slice(0, TITLE_CHARS_MAX),
      text: wordsOf(valueOf(text, item), change),
      rank: item.kind === PLAIN ? 0 : item.kind === RAW ? 2 : 1,
    }];
  }).toSorted((one, other) => one.rank - other.rank);
  const shown = share(items, bytesMax).map(({ id, kind, title, text }) =>
    [id, { id, kind, title, text, folded: fold(text) }] as const
  );
  const { since, groups, context } = known;
  const mayWrite = groups.length === 0 &&
    context.source?.system !== "alertmanager";
  return {
    items: new Map<string, SeenItem>(shown),
    ...since !== undefined && { since },
    changes: change(
      known.timeline.filter(({ kind, text, at }) =>
        toMoment(at) !== undefined &&
        (kind === "change" ||
          kind === undefined && mayWrite && CHANGE.test(text))
      ),
    ),
    gaps: change(bundle.gaps ?? []),
    lookups: change(known.lookups),
  };
}

/** The payload and the incident in plain fields say the same. */
function familyOf({ kind }: EvidenceItem): string {
  return kind.startsWith("incident.") ? "incident" : kind;
}

/** The value of a piece of JSON, else its text. */
export function valueOf(text: string, { content_type }: EvidenceItem): unknown {
  return /json/i.test(content_type) ? parseJson(text) ?? text : text;
}

/** JSON without its layout, which only costs. */
function wordsOf(value: unknown, change: Change): string {
  const changed = change(value);
  return (typeof changed === "string" ? changed : JSON.stringify(changed))
    .toWellFormed();
}

/**
 * Cuts texts so that all of them together fit. What a short one leaves, longer
 * ones get; what comes last gets nothing if there is not enough for all.
 */
function share<T extends { text: string }>(
  items: readonly T[],
  bytesMax: number,
): T[] {
  const most = Math.max(1, Math.floor(bytesMax / ITEM_BYTES_MIN));
  const first = items.slice(0, most);
  const sizes = first.map(({ text }) => bytesOf(text).length);
  let left = bytesMax;
  const parts = new Array<number>(first.length).fill(0);
  const bySize = [...first.keys()].sort((a, b) => sizes[a]! - sizes[b]!);
  for (const [at, index] of bySize.entries()) {
    const even = Math.floor(left / (first.length - at));
    parts[index] = Math.min(sizes[index]!, even);
    left -= parts[index]!;
  }
  return first.map((item, at) => ({
    ...item,
    text: cut(item.text, parts[at]!),
  }));
}

function cut(text: string, bytesMax: number): string {
  return new TextDecoder().decode(cutUtf8(bytesOf(text), bytesMax));
}
