/**
 * The page of one post. Pure.
 *
 * @module
 */
import { named, quoted } from "../../base/foreign.ts";
import { type JsonObject, objectOf, stringOf } from "../../base/json.ts";
import { ageOf, printable, utcOf, visible } from "../../base/text.ts";
import { renderBody, renderText } from "../../message/html.ts";
import { leadOf } from "../../message/lead.ts";
import { unescapeMrkdwn } from "../../message/block_kit.ts";
import { h, Markup, type Part } from "../html.ts";
import { encodeMessage, type Message } from "../../message/message.ts";
import { POST_TOPIC } from "../../operate/pack.ts";
import { asPosted } from "../../operate/shown.ts";
import type { Reading } from "../reading.ts";
import { evidenceParts } from "./evidence.ts";
import { type Frame, layout } from "./layout.ts";
import { modelPart } from "./model.ts";
import { classOf, pathOf, withoutSign } from "./list.ts";
import { statePart, type StateView } from "./state.ts";

export interface PostView extends StateView {
  reading: Reading;
  person: NonNullable<Frame["person"]>;
}

export function postPage(view: PostView): Markup {
  const { reading, person, nowMs } = view;
  const { facts, waiting, message } = reading;
  const title = headlineOf(reading);
  const path = pathOf(facts.jobId);
  const since = waiting === undefined
    ? ""
    : ` · waiting for ${ageOf(nowMs - waiting.job.since)}`;
  const state = statePart(view);
  const stage = waiting !== undefined
    ? "waiting"
    : state.isMoving
    ? "moving"
    : "over";
  const { digest = "", evidenceDigest } = reading;
  // What the forms are about; a page that shows something else loads itself anew.
  const shows = waiting === undefined
    ? "decided"
    : `${digest} ${evidenceDigest}`;
  const deciding = h`<div class="deciding" id="live" data-shows="${shows}">
${state.markup}
</div>`;
  const read = h`<div class="reading">
${message === undefined ? noMessage(reading) : messagePart(message, reading)}
</div>`;
  return layout(
    {
      title,
      person,
      events: `${path}/events?seen=${stage}`,
      ...state.isMoving ? { reload: { afterS: 2, path } } : {},
      at: waiting === undefined ? "decided" : "waiting",
    },
    h`<p class="kicker ${classOf(facts.severity)}"><span class="severity">${
      facts.severity === "" ? "no severity" : named(facts.severity, 30)
    }</span> <span class="faint">${
      facts.incidentId === "" ? "no incident" : named(facts.incidentId, 220)
    }${since}</span></p>
<h1>${title}</h1>
<div class="columns">
${waiting === undefined ? [deciding, read] : [read, deciding]}
<div class="reading">
${evidenceParts(reading)}
${modelPart(reading.leftOut)}
${runPart(reading)}
</div>
</div>`,
  );
}

/** What the message says first, or the incident's own title. */
function headlineOf({ message, facts }: Reading): string {
  const { headline } = leadOf(message?.blocks ?? []);
  if (headline !== "") return printable(withoutSign(headline), 300);
  if (facts.title !== "") return quoted(facts.title, 300);
  return printable(facts.topic, 200);
}

function messagePart(message: Message, reading: Reading): Markup {
  const { waiting, digest = "" } = reading;
  const { blocks, text } = waiting === undefined
    ? message
    : asPosted(message, waiting.looked);
  const bytes = new TextDecoder().decode(encodeMessage(message));
  return h`<section aria-labelledby="message">
<h2 id="message">${
    waiting === undefined
      ? "The message that was decided on"
      : "The message, as Slack will show it"
  }</h2>
<div class="slack">${new Markup(renderBody(blocks, "h3"))}</div>
<p class="faint">As a notification: ${new Markup(
    renderText(printable(unescapeMrkdwn(text), 1_000)),
  )}</p>
<p class="faint">Message sha256 <code>${digest}</code></p>
<details><summary>The exact bytes of this digest</summary>
<pre>${visible(bytes)}</pre></details>
</section>`;
}

function noMessage({ facts, waiting }: Reading): Part {
  const text = facts.topic !== POST_TOPIC
    ? `This job is no post: its topic is ${
      printable(facts.topic)
    }. There is no message; what it would do is up to its worker.`
    : facts.expired
    ? "The platform keeps a job's input for 24 hours, and that of this one is gone."
    : "The message cannot be read, or is not the one that the summary names.";
  return h`<section aria-labelledby="message">
<h2 id="message">The message</h2>
<p>${text}</p>
${
    waiting === undefined || facts.topic === POST_TOPIC
      ? ""
      : inputPart(facts)
  }</section>`;
}

function inputPart({ title }: Reading["facts"]): Part {
  return title === "" ? "" : h`<p>The incident: ${quoted(title)}</p>`;
}

/** What has run so far, and what asked for the approval. */
function runPart({ run, facts, waiting }: Reading): Markup {
  const steps = Object.entries(objectOf(run?.["steps"]) ?? {});
  const rows: [string, string][] = [
    ["job", facts.jobId],
    ["run", facts.runId],
    ["rule", waiting?.job.ruleId || facts.ruleId || "not recorded"],
    ["because", waiting === undefined ? "" : facts.reason],
  ];
  return h`<section aria-labelledby="run">
<h2 id="run">The run, and why it asks</h2>
<dl class="facts">${
    rows.filter(([, text]) => text !== "").map(([name, text]) =>
      h`<dt>${name}</dt><dd>${printable(text, 300)}</dd>`
    )
  }</dl>
${
    steps.length === 0 ? "" : h`<table>
<caption>Steps of the run</caption>
<thead><tr><th scope="col">Step</th><th scope="col">State</th><th scope="col">Began</th><th scope="col">Took</th></tr></thead>
<tbody>${steps.slice(0, 50).map(([id, step]) => stepRow(id, step))}</tbody>
</table>`
  }</section>`;
}

function stepRow(id: string, step: unknown): Markup {
  const {
    status,
    started_at: began,
    completed_at: ended,
  } = (objectOf(step) ?? {}) as JsonObject;
  const start = stringOf(began);
  const ms = Date.parse(stringOf(ended)) - Date.parse(start);
  return h`<tr><th scope="row">${printable(id, 100)}</th><td>${
    printable(stringOf(status), 40)
  }</td><td>${start === "" ? "" : utcOf(start)}</td><td>${
    Number.isNaN(ms) || ms < 0 ? "" : `${(ms / 1000).toFixed(1)} s`
  }</td></tr>`;
}
