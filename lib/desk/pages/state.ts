/**
 * Where a post stands, and the forms to decide about it. Pure.
 *
 * @module
 */
import { stringOf } from "../../base/json.ts";
import { ageOf, printable, utcOf } from "../../base/text.ts";
import { h, type Markup } from "../html.ts";
import { readEnd } from "../../operate/approvals.ts";
import { placeOf } from "../../operate/decide.ts";
import { type Decision, REASON_CHARS_MAX } from "../../operate/decisions.ts";
import { describeHindrance, describeOutcome } from "../../operate/outcome.ts";
import { outlookOf } from "../../operate/shown.ts";
import { POST_TOPIC } from "../../operate/pack.ts";
import type { Following } from "../followings.ts";
import type { Reading } from "../reading.ts";
import { notice } from "./layout.ts";
import { pathOf } from "./list.ts";

export interface StateView {
  reading: Reading;
  person: { name: string };
  /** Makes a token that is good for one decision about what is shown. */
  tokenFor: (verb: Decision["verb"]) => string;
  /** What was decided at this desk, if it was. */
  decided: Decision | undefined;
  following: Following | undefined;
  /** What is to be known of names before anybody decides. */
  nameNote: string;
  nowMs: number;
}

/** @returns Also whether it is on its way, so that it soon changes. */
export function statePart(
  view: StateView,
): { markup: Markup; isMoving: boolean } {
  const { reading: { waiting }, following } = view;
  if (waiting !== undefined) {
    return { markup: decisionPart(view), isMoving: false };
  }
  const isMoving = readEnd(view.reading.record) === undefined &&
    following?.trouble === undefined &&
    following?.end?.end !== "still running";
  return { markup: outcomePart(view, isMoving), isMoving };
}

function decisionPart(view: StateView): Markup {
  const { reading, following, person } = view;
  const { waiting, obstacles } = reading;
  const { looked } = waiting!;
  const { post } = looked;
  const isOver = post.problem !== "";
  const bounced = following?.end?.end === "bounced"
    ? describeOutcome(jobOf(view), following.end)
    : undefined;
  return h`<section aria-labelledby="decide">
<h2 id="decide" tabindex="-1">Your decision</h2>
${
    bounced === undefined
      ? ""
      : notice("bad", "It was approved, and came back", h`${bounced.said}.`)
  }
<dl class="facts">${
    outlookOf(looked, view.nowMs).map(([name, text]) =>
      h`<dt>${NAMES[name] ?? name}</dt><dd>${text}</dd>`
    )
  }${
    looked.signingKey === undefined
      ? ""
      : h`<dt>signed with</dt><dd>the key ${looked.signingKey}</dd>`
  }</dl>
${view.nameNote === "" ? "" : h`<p class="faint">${view.nameNote}</p>`}
${
    isOver
      ? notice(
        "bad",
        "It can no longer be approved",
        h`${post.problem}. Reject it below, then start its run again at the gateway.`,
      )
      : obstacles.length > 0
      ? notice(
        "bad",
        "It cannot be approved now",
        obstacles.map((one) => h`<p>${one}.</p>`),
      )
      : ""
  }
${isOver || obstacles.length > 0 ? "" : approveForm(view)}
<form method="post" action="${
    pathOf(reading.facts.jobId)
  }/reject" class="reject">
${hidden(view, "rejected")}
<label for="reason">Why you reject it</label>
<textarea id="reason" name="reason" rows="2" required maxlength="${REASON_CHARS_MAX}" aria-describedby="reason-note"></textarea>
<p class="faint" id="reason-note">The platform records the reason. Nothing is posted.</p>
<button class="danger">Reject as ${person.name}</button>
</form>
</section>`;
}

const NAMES: Readonly<Record<string, string>> = {
  effect: "does",
  to: "goes to",
};

function approveForm(view: StateView): Markup {
  const { reading: { facts }, person } = view;
  return h`<form method="post" action="${
    pathOf(facts.jobId)
  }/approve" class="approve">
${hidden(view, "approved")}
<button class="primary">Approve as ${person.name}</button>
</form>`;
}

/** The token is bound to the others, which only say what has changed. */
function hidden(
  { tokenFor, reading: { digest = "", waiting, evidenceDigest } }: StateView,
  verb: Decision["verb"],
): Markup {
  const place = placeOf(waiting?.looked.whereto) ?? "";
  return h`<input type="hidden" name="token" value="${tokenFor(verb)}">
<input type="hidden" name="digest" value="${digest}">
<input type="hidden" name="place" value="${place}">
<input type="hidden" name="evidence" value="${evidenceDigest}">`;
}

function jobOf({ reading: { facts }, person, decided }: StateView) {
  const { jobId, topic } = facts;
  return { jobId, topic, principal: decided?.by ?? person.name };
}

function outcomePart(view: StateView, isMoving: boolean): Markup {
  const { reading: { record, facts }, following, nowMs } = view;
  const state = stringOf(record["state"]);
  const end = readEnd(record) ?? following?.end;
  const hindrance = following?.hindrance;
  const who = h`<p>${describeWho(view)}</p>`;
  if (state === "DENIED") {
    const reason = view.decided?.reason ??
      printable(stringOf(record["approval_reason"]), REASON_CHARS_MAX);
    return h`<section aria-labelledby="decide"><h2 id="decide" tabindex="-1">What became of it</h2>
${
      notice(
        "note",
        "Rejected",
        h`Nothing was posted.${reason === "" ? "" : ` The reason: ${reason}`}`,
      )
    }${who}</section>`;
  }
  if (end === undefined || isMoving) {
    const since = following === undefined
      ? ""
      : `, for ${ageOf(nowMs - following.sinceMs)}`;
    const poster = facts.topic === POST_TOPIC ? "the poster" : "its worker";
    const why = hindrance === undefined
      ? undefined
      : describeHindrance(hindrance, facts.topic);
    return h`<section aria-labelledby="decide"><h2 id="decide" tabindex="-1">What became of it</h2>
${
      following?.trouble !== undefined
        ? notice(
          "bad",
          "What became of it is not known",
          h`${following.trouble}. Load the page again.`,
        )
        : why === undefined
        ? notice(
          "note",
          "Approved; on its way",
          h`Waiting for ${poster}${since} (job state ${printable(state)}).`,
        )
        : notice(
          "bad",
          "Approved, and nothing happens",
          h`${why.because}. The job goes on waiting; ${why.cure}.`,
        )
    }${who}</section>`;
  }
  const outcome = describeOutcome(jobOf(view), end);
  return h`<section aria-labelledby="decide"><h2 id="decide" tabindex="-1">What became of it</h2>
${
    notice(
      outcome.done ? "good" : "bad",
      outcome.done ? "Done" : "Not done",
      h`${outcome.said}.${outcome.remedy === "" ? "" : ` ${outcome.remedy}.`}`,
    )
  }${who}
<dl class="facts">${
    outcome.facts.filter(([name]) => name !== "approver").map((
      [name, fact],
    ) => h`<dt>${name}</dt><dd>${fact}</dd>`)
  }</dl>
${outcome.warnings.map((one) => h`<p class="note">Warning: ${one}</p>`)}
</section>`;
}

/** Who decided, by the platform's record and by our own. */
function describeWho({ reading: { record }, decided }: StateView): string {
  const recorded = printable(stringOf(record["approval_by"]));
  const at = record["approval_at"];
  const when = typeof at === "number"
    ? ` on ${utcOf(new Date(at / 1000).toISOString())}`
    : "";
  const verb = record["state"] === "DENIED" ? "Rejected" : "Approved";
  if (decided === undefined) {
    return when === ""
      ? "Nobody has decided about it."
      : `${verb} by ${recorded || "a name not recorded"}${when}.`;
  }
  const differs = recorded !== "" && recorded !== decided.by;
  return `${verb} by ${decided.by}${when}.${
    differs
      ? ` The platform recorded ${recorded}: it goes by the API key, not by the name.`
      : ""
  }`;
}
