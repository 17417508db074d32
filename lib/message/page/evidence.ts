/**
 * Every piece of evidence with its beginning. Pure.
 *
 * @module
 */
import { foreignLine, named } from "../../base/foreign.ts";
import { shorten } from "../../base/text.ts";
import { type EvidenceItem, withIds } from "../../incident.ts";
import { type Excerpt, excerptOf, shorterExcerpt } from "./excerpt.ts";
import { type Child, element, type Markup } from "./markup.ts";
import type { PageView, Room } from "./view.ts";

/** What is opened learns nothing of this page. */
export const REL = "noopener noreferrer";

const REST = "Cut here; the artifact has the rest.";

/** Excerpts by id: what costs time is done once. */
export type Excerpts = ReadonlyMap<string, Excerpt>;

/** Reads the beginning of each piece. */
export function findExcerpts({ texts, redact }: PageView): Excerpts {
  return new Map(
    [...texts].flatMap(([id, { text }]) =>
      text === undefined ? [] : [[id, excerptOf(text, redact)] as const]
    ),
  );
}

/** One card a piece, in the order of their numbers. */
export function evidenceSection(
  view: PageView,
  excerpts: Excerpts,
  room: Room,
): Child {
  const items = withIds(view.bundle.evidence);
  if (items.length === 0) return undefined;
  const cards = items.map((item) => card(item, view, excerpts, room));
  return element("section", {}, element("h2", {}, "Evidence"), cards);
}

function card(
  item: EvidenceItem & { id: string },
  { texts, openUrl, level }: PageView,
  excerpts: Excerpts,
  room: Room,
): Markup {
  const { id, title, kind, bytes, sha256, artifact_ptr, shortened } = item;
  const url = openUrl(artifact_ptr);
  const pointer = element("code", {}, shorten(foreignLine(artifact_ptr), 200));
  const about = `${named(kind)}, ${bytes} bytes${
    shortened ? ", shortened when it was collected" : ""
  }`;
  return element(
    "article",
    { id },
    element(
      "h3",
      {},
      `${id} · ${shorten(foreignLine(title), Math.min(room.chars, 300))}`,
    ),
    element(
      "p",
      { class: "faint" },
      about,
      element("br"),
      url === undefined ? undefined : [
        element("a", { href: url, rel: REL }, "Open the whole piece"),
        " ",
      ],
      pointer,
      sha256 === undefined ? undefined : [
        element("br"),
        "sha256 ",
        element("code", {}, sha256),
      ],
    ),
    level === "full"
      ? element("p", {}, "Not shown: policy's redaction level is full.")
      : beginning(excerpts.get(id), texts.get(id)?.problem, room),
  );
}

function beginning(
  excerpt: Excerpt | undefined,
  problem: string | undefined,
  { excerptBytes }: Room,
): Child {
  if (excerpt === undefined) {
    const why = problem === undefined
      ? "Not read for this page: what it holds stands above."
      : `Could not be read: ${problem}.`;
    return element("p", {}, why);
  }
  const { text, cut } = shorterExcerpt(excerpt, excerptBytes);
  if (text === "") return element("p", {}, cut ? "Left out here." : "Empty.");
  return element(
    "details",
    {},
    element("summary", {}, cut ? "How it begins" : "All of it"),
    element("pre", {}, text),
    cut ? element("p", { class: "faint" }, REST) : undefined,
  );
}
