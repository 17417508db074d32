/**
 * What a message has no room for: every alert, fact, moment, gap, look-up and
 * piece of evidence, as lines of Markdown. Pure.
 *
 * @module
 */
import { foreignLine, named, quoted } from "../base/foreign.ts";
import { counted } from "../base/text.ts";
import type {
  AlertGroup,
  Claim,
  EvidenceBundle,
  EvidenceItem,
  EvidenceKind,
  Lookup,
  LookupState,
} from "../incident.ts";
import { withIds } from "../incident.ts";
import { titleOf } from "../lookups.ts";
import { citing, plainId } from "../message/cited.ts";
import { evidenceUrl } from "../message/evidence_url.ts";
import { keepCited } from "./citations.ts";
import { inert, momentOf, spanOf } from "./inert.ts";
import type { Said } from "./said.ts";

/** A line for each name, unless one alert is all that there is. */
export function alertLines(
  { normalized_context, evidence }: EvidenceBundle,
  said: Said,
): string[] {
  const { groups = [], others } = normalized_context?.alerts ?? {};
  if (groups.length === 1 && groups[0]!.count === 1) return [];
  const lines = linesOf(
    groups.map((group) => ({
      text: groupText(group, said),
      evidence: group.evidence,
    })),
    evidence,
  );
  return others === undefined ? lines : [
    ...lines,
    inert(
      `${counted(others.groups, "more name")} (${
        counted(others.alerts, "alert")
      }), at worst ${others.severity}, in the payload`,
    ),
  ];
}

function groupText(group: AlertGroup, said: Said): string {
  const { name, severity, count, since, newest, where = [], places } = group;
  const more = (places ?? where.length) - where.length;
  const on = where.length === 0
    ? ""
    : ` on ${where.map((place) => named(place)).join(", ")}${
      more > 0 ? ` and ${more} more` : ""
    }`;
  const when = since === undefined ? "" : ` · ${spanOf(since, newest)}`;
  const words = [group.shared, group.says].map((text) => said.rest(text ?? ""))
    .filter((text) => text !== "").map((text) => quoted(text, TEXT_CHARS_MAX));
  const what = words.length === 0 ? "" : ` · ${words.join(" ")}`;
  const times = count === 1 ? "" : ` ×${count}`;
  return `${severity}: ${named(name)}${times}${on}${when}${what}`;
}

/** Facts by what they are about, and how that is called. */
const KINDS: readonly (readonly [EvidenceKind | undefined, string])[] = [
  ["metric", "Metrics"],
  ["alert", "Other alerts"],
  ["log", "Logs"],
  ["change", "Changes"],
  ["state", "State"],
  ["people", "People"],
  ["history", "Earlier incidents"],
  [undefined, "Also in the webhook"],
];
const TEXT_CHARS_MAX = 2000;
const SENTENCE_CHARS_MIN = 20;

/** Facts that do not stand above, under a title for each kind. */
export function factLines(
  { normalized_context, evidence }: EvidenceBundle,
  said: Said,
): [title: string, lines: string[]][] {
  const { facts = [] } = normalized_context ?? {};
  return KINDS.map(([wanted, title]) => {
    const told = facts.filter(({ kind, name, value }) =>
      kind === wanted && !said.has(`${name}: ${value}`) &&
      // A shorter one may be the same by chance, such as a number.
      !(value.length >= SENTENCE_CHARS_MIN && said.has(value))
    );
    for (const { value } of told) said.add(value);
    const claims = told.map(({ name, value, evidence }) => ({
      text: quoted(`${name}: ${value}`, TEXT_CHARS_MAX),
      evidence,
    }));
    return [title, linesOf(claims, evidence)];
  });
}

/** All moments, the oldest first; what stands above is not said again. */
export function momentLines(
  { normalized_context, evidence }: EvidenceBundle,
  said: Said,
): string[] {
  const { timeline = [] } = normalized_context ?? {};
  return linesOf(
    timeline.map(({ at, text, evidence }) => {
      const left = said.rest(text);
      const what = left === "" ? "told above" : quoted(left, TEXT_CHARS_MAX);
      return { text: `${momentOf(at)} · ${what}`, evidence };
    }),
    evidence,
  );
}

/** What no look-up tells of anyway. */
export function gapLines(
  { gaps = [], lookups = [] }: EvidenceBundle,
): string[] {
  return gaps.filter(({ what, why }) =>
    !lookups.some((lookup) => lookup.question === what && lookup.why === why)
  ).map(({ what, why }) => inert(quoted(`${what}: ${why}`, 800)));
}

/** How a look-up ended, in words. */
export const STATES: Readonly<Record<LookupState, string>> = {
  found: "found",
  nothing: "nothing there",
  failed: "could not ask",
  off: "not set up",
  unconcerned: "not concerned",
};

export function lookupLines(bundle: EvidenceBundle): string[] {
  return (bundle.lookups ?? []).map((lookup) => lookupLine(lookup, bundle));
}

function lookupLine(
  { collector, question, state, why, evidence = [] }: Lookup,
  bundle: EvidenceBundle,
): string {
  const what = question === undefined ? "" : `, ${quoted(question, 250)}`;
  const isSaid = why === undefined || state === "off";
  const text = `${titleOf(collector)}${what}: ${STATES[state]}${
    isSaid ? "" : `: ${quoted(why, 500)}`
  }`;
  const [cited] = linesOf([{ text, evidence }], bundle.evidence);
  return cited ?? inert(text);
}

/** @param pattern Where people open a piece, see `EVIDENCE_URL`. */
export function evidenceLines(
  { evidence }: EvidenceBundle,
  pattern: string | undefined,
): string[] {
  return withIds(evidence).map((item) => evidenceLine(item, pattern));
}

function evidenceLine(item: EvidenceItem, pattern: string | undefined): string {
  const { id = "", title, kind, bytes, artifact_ptr, shortened } = item;
  const about = `${named(kind)}, ${bytes} bytes${
    shortened ? ", shortened" : ""
  }`;
  const pointer = `\`${foreignLine(artifact_ptr).replaceAll("`", "'")}\``;
  const url = evidenceUrl(pattern, artifact_ptr);
  const place = url === undefined ? pointer : `[${pointer}](<${url}>)`;
  return `[${plainId(id)}] ${inert(quoted(title))} (${inert(about)}): ${place}`;
}

/** Claims that cite evidence of this bundle, as lines. */
function linesOf(
  claims: readonly Claim[],
  evidence: readonly EvidenceItem[],
): string[] {
  return keepCited(claims, evidence, claims.length)
    .map(({ text, evidence }) => `${inert(text)} ${citing(evidence)}`);
}
