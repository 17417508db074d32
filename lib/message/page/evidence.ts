/**
 * Every piece of evidence with its beginning. Pure.
 *
 * @module
 */
import { foreignLine, named, quoted } from "../../base/foreign.ts";
import { shorten } from "../../base/text.ts";
import { withIds } from "../../incident.ts";
import { type Excerpt, excerptOf, shorterExcerpt } from "./excerpt.ts";
import { between, html, type Markup } from "./markup.ts";
import type { PageView, Room } from "./view.ts";

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
): Markup {
  const { bundle, texts, openUrl, level } = view;
  const items = withIds(bundle.evidence);
  if (items.length === 0) return html``;
  return html`
    <section>
    <h2>Evidence</h2>
    ${items.map((item) => {
      const { id, title, kind, bytes, sha256, artifact_ptr, shortened } = item;
      const url = openUrl(artifact_ptr);
      const pointer = shorten(foreignLine(artifact_ptr), 200);
      return html`
        <article id="${id}">
        <h3>${id} · ${shorten(
          foreignLine(title),
          Math.min(room.chars, 300),
        )}</h3>
        <p class="faint">${named(kind)}, ${bytes} bytes${shortened
          ? ", shortened when it was collected"
          : ""}${sha256 === undefined
          ? ""
          : html`<br>sha256 <code>${
            sha256.slice(0, 64)
          }</code>`}<br>${url === undefined
          ? html`<code>${pointer}</code>`
          : html`
            <a href="${url}"
              rel="noopener noreferrer">Open the whole piece</a> <code>${pointer}</code>
          `}</p>
        ${beginning(
          excerpts.get(id),
          texts.get(id)?.problem,
          level === "full",
          room,
        )}
        </article>
      `;
    })}</section>
  `;
}

function beginning(
  excerpt: Excerpt | undefined,
  problem: string | undefined,
  isWithheld: boolean,
  { excerptBytes }: Room,
): Markup {
  if (isWithheld) {
    return html`<p>Not shown: policy's redaction level is full.</p>`;
  }
  if (excerpt === undefined) {
    return problem === undefined
      ? html`<p>Not read for this page.</p>`
      : html`<p>Could not be read: ${quoted(problem, 200)}</p>`;
  }
  const { text, cut } = shorterExcerpt(excerpt, excerptBytes);
  if (text === "") return html`<p>${cut ? "Left out here." : "Empty."}</p>`;
  return html`<details>
<summary>${cut ? "How it begins" : "All of it"}</summary>
<pre>${between(text)}</pre>
${
    cut
      ? html`<p class="faint">Cut here; the artifact has the rest.</p>`
      : undefined
  }</details>`;
}
