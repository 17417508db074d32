/**
 * The list of what was decided. Pure.
 *
 * @module
 */
import { named } from "../../base/foreign.ts";
import { counted, printable, utcOf } from "../../base/text.ts";
import { h, type Markup } from "../html.ts";
import {
  type Decision,
  DECISIONS_MAX,
  REASON_CHARS_MAX,
} from "../../operate/decisions.ts";
import { type Frame, layout, notice } from "./layout.ts";
import { classOf, pathOf, withoutSign } from "./list.ts";

/** @param decisions `undefined` if they cannot be read; then `trouble` says why. */
export function decidedPage(
  decisions: readonly Decision[] | undefined,
  { person, trouble }: { person: Frame["person"]; trouble: string },
): Markup {
  return layout(
    { title: "Decided", person, at: "decided", events: "/events" },
    h`<h1>Decided</h1>
<div id="live">
${
      decisions === undefined
        ? notice(
          "bad",
          "What was decided cannot be read",
          h`${trouble}. Load the page again.`,
        )
        : decisions.length === 0
        ? h`<div class="empty"><p><strong>Nothing was decided in the last month.</strong></p>
<p>See <a href="/">what waits</a>.</p></div>`
        : h`<p class="count">${
          decisions.length < DECISIONS_MAX
            ? `${counted(decisions.length, "decision")} of the last month`
            : `The last ${DECISIONS_MAX} decisions`
        }, newest first.</p>
<ol class="rows">${decisions.map(item)}</ol>`
    }
</div>`,
  );
}

function item(
  {
    at,
    jobId,
    verb,
    by,
    incidentId,
    severity,
    headline,
    reason,
    key,
    elsewhere,
  }: Decision,
): Markup {
  return h`<li class="row ${classOf(severity)}">
<p class="kicker"><span class="verb ${verb}">${verb}</span> <span class="faint">${
    incidentId === "" ? "no incident" : named(incidentId, 220)
  }</span></p>
<a class="headline" href="${pathOf(jobId)}">${
    printable(withoutSign(headline) || jobId, 200)
  }</a>
<p class="faint">by <strong>${
    printable(by, 100) || "not recorded"
  }</strong>, <time datetime="${at}">${utcOf(at)}</time>${
    elsewhere ? ", elsewhere" : ""
  }${key === undefined ? "" : `, signed with the key ${printable(key)}`}</p>
${
    reason === undefined
      ? ""
      : h`<p class="note">${printable(reason, REASON_CHARS_MAX)}</p>`
  }
</li>`;
}
