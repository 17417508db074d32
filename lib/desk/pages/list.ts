/**
 * The list of what waits. Pure.
 *
 * @module
 */
import { named, quoted } from "../../base/foreign.ts";
import { ageOf, counted, printable, utcOf } from "../../base/text.ts";
import { h, type Markup } from "../html.ts";
import { POST_TOPIC } from "../../operate/pack.ts";
import type { WaitingPost } from "../../operate/waiting.ts";
import type { WaitingRow } from "../../operate/watch.ts";
import type { Board } from "../board.ts";
import { type Frame, layout, notice } from "./layout.ts";

const ROWS_A_PAGE = 50;
/** For browsers that run no script. */
const RELOAD_S = 10;
const HEADLINE_CHARS_MAX = 160;

export interface ListView {
  board: Board;
  person: Frame["person"];
  /** Counts from 1. */
  pageNumber: number;
  /** What the board looks like. */
  seen: string;
  nowMs: number;
}

export function listPage(
  { board, person, pageNumber, seen, nowMs }: ListView,
): Markup {
  const { rows, trouble, readMs, undelivered } = board;
  const { rows: shown, start, at, pages } = rowsOf(board, pageNumber);
  return layout(
    {
      title: rows.length > 0
        ? `${rows.length} waiting`
        : readMs === undefined || trouble !== undefined
        ? "Not known what waits"
        : "Nothing waits",
      person,
      at: "waiting",
      events: `/events?seen=${seen}`,
      reload: {
        afterS: RELOAD_S,
        path: at === 1 ? "/" : `/?page=${at}`,
      },
    },
    h`<h1>Waiting for approval</h1>
<div id="live">
${trouble === undefined ? "" : away(trouble, readMs, nowMs)}
${
      undelivered.length === 0 ? "" : notice(
        "bad",
        "A notice could not be delivered",
        h`<ul>${
          undelivered.map((one) => h`<li>${printable(one, 300)}</li>`)
        }</ul>`,
      )
    }
${
      rows.length > 0
        ? h`<p class="count">${
          counted(rows.length, "post")
        }, the one that has waited longest first.</p>
<ol class="rows" start="${start + 1}">${
          shown.map((row) => item(row, nowMs))
        }</ol>
${pages === 1 ? "" : pager(at, pages)}`
        : trouble !== undefined
        ? ""
        : readMs === undefined
        ? h`<div class="empty"><p><strong>Reading what waits…</strong></p>
<p>The platform has not answered yet. This page follows by itself.</p></div>`
        : h`<div class="empty"><p><strong>Nothing waits.</strong></p>
<p>A post appears here by itself as soon as the platform asks for its approval.
To see one, send a webhook to the ingester.</p></div>`
    }
</div>`,
  );
}

/** The rows of one page of the list. */
export function rowsOf(
  { rows }: Board,
  pageNumber: number,
): { rows: readonly WaitingRow[]; start: number; at: number; pages: number } {
  const pages = Math.max(1, Math.ceil(rows.length / ROWS_A_PAGE));
  const at = Math.min(pageNumber, pages);
  const start = (at - 1) * ROWS_A_PAGE;
  return { rows: rows.slice(start, start + ROWS_A_PAGE), start, at, pages };
}

function away(
  trouble: string,
  readMs: number | undefined,
  nowMs: number,
): Markup {
  const seen = readMs === undefined
    ? "Nothing is known of what waits."
    : `What is below was true ${ageOf(nowMs - readMs)} ago.`;
  return notice(
    "bad",
    "The platform cannot be asked",
    `${printable(trouble, 500)}. ${seen} The desk asks again by itself.`,
  );
}

function pager(at: number, pages: number): Markup {
  return h`<nav class="pager" aria-label="Pages">
${at > 1 ? h`<a href="/?page=${at - 1}" rel="prev">Older</a>` : ""}
<span>Page ${at} of ${pages}</span>
${at < pages ? h`<a href="/?page=${at + 1}" rel="next">Newer</a>` : ""}
</nav>`;
}

/** A post's own page. */
export function pathOf(jobId: string): string {
  return `/posts/${encodeURIComponent(jobId)}`;
}

function item({ job, post, trouble }: WaitingRow, nowMs: number): Markup {
  const { jobId, topic, since } = job;
  const age = ageOf(nowMs - since);
  if (post === undefined) {
    return h`<li class="row cold"><a href="${pathOf(jobId)}">${
      printable(jobId, 300)
    }</a>
<p class="faint">${
      topic === POST_TOPIC ? "" : `${printable(topic)}, not a post · `
    }waiting for ${age} · ${
      trouble === undefined
        ? "reading…"
        : `not read yet: ${printable(trouble, 300)}`
    }</p></li>`;
  }
  const { severity, headline, title, problem } = post;
  const said = headline !== ""
    ? printable(withoutSign(headline), HEADLINE_CHARS_MAX)
    : title === ""
    ? printable(jobId, 300)
    : quoted(title, HEADLINE_CHARS_MAX);
  return h`<li class="row ${classOf(severity)}">
<p class="kicker"><span class="severity">${
    severity === "" ? "no severity" : named(severity, 30)
  }</span> <span class="faint">${
    post.incident_id === "" ? "no incident" : named(post.incident_id, 220)
  }</span></p>
<a class="headline" href="${pathOf(jobId)}">${said}</a>
<p class="faint">waiting for ${age}${untilOf(post, nowMs)}</p>
${
    trouble === undefined
      ? ""
      : h`<p class="problem">Not known now: ${printable(trouble, 300)}</p>`
  }
${notesOf(post).map((note) => h`<p class="note">${note}</p>`)}
${
    problem === ""
      ? ""
      : h`<p class="problem">Can no longer be approved: ${problem}</p>`
  }</li>`;
}

function untilOf({ until }: WaitingPost, nowMs: number): Markup | string {
  if (until === "") return "";
  const left = ageOf(Date.parse(until) - nowMs);
  return h` · can be approved for <time datetime="${until}" title="${
    utcOf(until)
  }">${left}</time>`;
}

function notesOf({ topic, effect, note }: WaitingPost): string[] {
  return [
    ...topic === POST_TOPIC ? [] : [`${printable(topic)}: not a post`],
    ...effect === "" || effect === "new" || note === "" ? [] : [note],
  ];
}

/** A headline without the severity, which stands above it. */
export function withoutSign(headline: string): string {
  return headline.replace(/^\p{Emoji_Presentation}\s*(?:[A-Z]{4,8} · )?/u, "");
}

const SEVERITIES = ["critical", "error", "warning", "info"];

/** A severity as a class of the style; none for words of others. */
export function classOf(severity: string): string {
  return SEVERITIES.includes(severity) ? severity : "";
}
