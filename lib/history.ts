/**
 * What was posted about one subject, for whoever looks into its next incident.
 * The poster appends, the fetcher reads. Pure.
 *
 * @module
 */
import {
  objectOf,
  optional,
  parseJson,
  stringOf,
  textOf,
} from "./base/json.ts";
import { toMoment } from "./incident.ts";

/** One message that was posted. */
export interface HistoryItem {
  /** RFC 3339, UTC. */
  at: string;
  /** Prefixed with the source. */
  incidentId: string;
  /** On the PD-CEF scale. */
  severity: string;
  /** One line; redacted as the message was. */
  title: string;
  /** `artifact` or `slack`. */
  mode: string;
  /** The run that posted. */
  runId: string;
  /** `redis://art:<uuid>` of what was sent, if a copy was kept. */
  artifact?: string;
}

/** So many of the newest items are read. */
export const HISTORY_ITEMS_MAX = 100;

const TITLE_CHARS_MAX = 200;
const KEY = /^[0-9a-f]{64}$/;

/**
 * The list in Redis of one subject's posts.
 *
 * @param subjectKey A bundle's `subject_key`.
 * @returns `undefined` if it is none, since it becomes a part of the key.
 */
export function historyKey(
  tenant: string,
  subjectKey: string,
): string | undefined {
  return KEY.test(subjectKey)
    ? `incident-enricher:history:${tenant}:${subjectKey}`
    : undefined;
}

/** Writes an item of the list. */
export function encodeHistory(item: HistoryItem): string {
  const title = textOf(item.title, TITLE_CHARS_MAX) ?? "";
  return JSON.stringify({ v: 1, ...item, title });
}

/** Reads an item of the list; `undefined` if it is none. */
export function readHistory(text: string): HistoryItem | undefined {
  const read = objectOf(parseJson(text)) ?? {};
  const at = toMoment(read["at"]);
  const incidentId = textOf(read["incidentId"], 220);
  if (read["v"] !== 1 || at === undefined || incidentId === undefined) {
    return undefined;
  }
  const artifact = stringOf(read["artifact"]);
  return {
    at,
    incidentId,
    severity: textOf(read["severity"], 20) ?? "",
    title: textOf(read["title"], TITLE_CHARS_MAX) ?? "",
    mode: textOf(read["mode"], 20) ?? "",
    runId: textOf(read["runId"], 200) ?? "",
    ...optional(
      "artifact",
      /^redis:\/\/art:\S{1,180}$/.test(artifact) ? artifact : undefined,
    ),
  };
}
