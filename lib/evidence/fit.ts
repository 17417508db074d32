/**
 * Shortens what a bundle says about its pieces until it fits in a job's result.
 * Pure.
 *
 * @module
 */
import { bytesOf } from "../base/digest.ts";
import { mapTexts, optional } from "../base/json.ts";
import { shorten } from "../base/text.ts";
import type { TimelineEntry } from "../incident.ts";
import type { Findings } from "../sources/source.ts";

/** For the bundle as JSON; the platform takes a result of 200 KiB. */
const BUNDLE_BYTES_MAX = 196 * 1024;
/** For what an item has beside its title, and for what is no list. */
const ITEM_BYTES_MAX = 700;
/** Tried one after the other. The last one fits whatever a bundle may hold. */
const CHARS_MAX = [300, 150, 60];

/**
 * The findings with facts, moments, gaps and look-ups all there, but with
 * shorter texts if they are too long together. The pieces hold all of them.
 */
export function fitFindings(findings: Findings): Findings {
  const { pieces, context, gaps, lookups } = findings;
  const titles = pieces.reduce(
    (sum, { title }) => sum + sizeOf(title) + ITEM_BYTES_MAX,
    2 * ITEM_BYTES_MAX,
  );
  const bytesMax = BUNDLE_BYTES_MAX - titles;
  let fitted = findings;
  for (const charsMax of CHARS_MAX) {
    if (sizeOf([fitted.context, fitted.gaps, fitted.lookups]) <= bytesMax) {
      break;
    }
    const shorter = <T>(value: T): T =>
      mapTexts(value, (text) => shorten(text, charsMax));
    fitted = {
      ...findings,
      context: {
        ...context,
        ...optional("facts", context.facts && shorter(context.facts)),
        ...optional(
          "timeline",
          context.timeline?.map((entry) =>
            shorter(withoutLongUrl(entry, charsMax))
          ),
        ),
        ...optional("alerts", context.alerts && shorter(context.alerts)),
        ...optional("series", context.series && shorter(context.series)),
      },
      gaps: shorter(gaps),
      ...optional("lookups", lookups && shorter(lookups)),
    };
  }
  return fitted;
}

/** A part of an address leads nowhere. */
function withoutLongUrl(
  { change, ...entry }: TimelineEntry,
  charsMax: number,
): TimelineEntry {
  if (change === undefined) return entry;
  const { url, ...rest } = change;
  return {
    ...entry,
    change: (url?.length ?? 0) > charsMax ? rest : change,
  };
}

function sizeOf(value: unknown): number {
  return bytesOf(JSON.stringify(value)).length;
}
