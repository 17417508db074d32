/**
 * The list of what waits. Pure.
 *
 * @module
 */
import type { Board } from "../board.ts";
import { type Html, html } from "../html.ts";
import { type Frame, layout, notice } from "./layout.ts";

export function listPage(board: Board, person: Frame["person"]): Html {
  return layout(
    { title: "Waiting", person, at: "waiting", events: "/events" },
    html`<h1>Waiting for approval</h1>
${
      board.trouble !== undefined &&
      notice("bad", "The platform cannot be asked", board.trouble)
    }
${
      board.rows.length === 0
        ? html`<p class="empty">Nothing waits.</p>`
        : html`<ol>${
          board.rows.map(({ job }) => html`<li>${job.jobId}</li>`)
        }</ol>`
    }`,
  );
}
