/**
 * Jobs that wait for approval, as their approver reads them.
 *
 * @module
 */
import { ageOf, printable, shorten } from "../../lib/base/text.ts";
import { unescapeMrkdwn } from "../../lib/message/mrkdwn.ts";
import { type Message, withFooter } from "../../lib/message/render.ts";
import { renderText } from "../../lib/message/text.ts";
import { POST_TOPIC } from "../../lib/operate/pack.ts";
import type { Proposal } from "../../lib/operate/proposal.ts";
import type { WaitingPost } from "../../lib/operate/waiting.ts";
import type { CommandContext } from "./command.ts";
import { outputStyle } from "./format.ts";

const LINE_CHARS_MAX = 96;

/** At most 100 columns wide, unless an id is very long. */
export function listWaiting(post: WaitingPost): string[] {
  const { headline, lines, title, message_sha256 } = post;
  const said = headline === "" ? [title] : [headline, ...lines];
  return [
    headOf(post),
    ...said.filter((line) => line !== "").map((line) =>
      `  │ ${shorten(line, LINE_CHARS_MAX)}`
    ),
    ...factsOf(post),
    ...message_sha256 === "" ? [] : [row("sha256", message_sha256)],
  ];
}

function headOf({ severity, incident_id, age_s }: WaitingPost): string {
  return [
    severity.toUpperCase() || "NO SEVERITY",
    incident_id || "no incident",
    `waiting for ${ageOf(age_s * 1000)}`,
  ].join("  ");
}

function factsOf(post: WaitingPost): string[] {
  const { topic, problem } = post;
  return [
    row("job", post.job_id),
    ...topic === POST_TOPIC ? [] : [row("topic", `${topic}, not a post`)],
    row("rule", printable(post.rule_id) || "not recorded"),
    ...problem === "" ? [] : [row("reject", problem)],
  ];
}

function row(name: string, text: string): string {
  return `  ${name.padEnd(8)}${text}`;
}

/** Prints the message as people will see it, and what decides about it. */
export function showProposal(
  post: WaitingPost,
  proposal: Proposal,
  worker: boolean | undefined,
  context: CommandContext,
): void {
  const { out } = context;
  const { message, digest, evidence, gaps } = proposal;
  const lines = [
    headOf(post),
    ...message === undefined && post.title !== "" ? [`  ${post.title}`] : [],
    ...factsOf(post),
    ...proposal.reason === "" ? [] : [row("because", proposal.reason)],
    row("since", moment(post.since)),
    ...post.until === "" || post.problem !== "" ? [] : [
      row("until", `${moment(post.until)}, then it is too old to be posted`),
    ],
    ...post.destination === ""
      ? []
      : [row("to", TO[post.destination] ?? post.destination)],
    row("worker", WORKER[String(worker)]!),
  ];
  lines.forEach((line) => out(line));
  out();
  if (message !== undefined) showMessage(message, proposal, context);
  if (post.topic === POST_TOPIC) {
    out(`Message sha256 ${digest ?? "not known: the message cannot be read"}`);
  }
  for (const { id, title, pointer } of evidence) {
    out(`  ${id}  ${title}  ${pointer}`);
  }
  for (const { what, why } of gaps) out(`  missing  ${what}: ${why}`);
}

const TO: Readonly<Record<string, string>> = {
  artifact: "an artifact on the platform",
  slack: "Slack, through the poster's own webhook",
};
const WORKER: Readonly<Record<string, string>> = {
  true: "up",
  false: "none is up; start one before you approve",
  undefined: "not known; set REDIS_URL to see it",
};

/** What only the poster will know. */
const PLACEHOLDERS = { by: "(the approver)", at: "(the time)" };

/** As Slack would show it, footer included. */
function showMessage(
  message: Message,
  { ruleId, runId, digest = "" }: Proposal,
  context: CommandContext,
): void {
  const { out } = context;
  const approval = { ...PLACEHOLDERS, ruleId };
  const { blocks, text } = withFooter(message, { approval, runId, digest });
  renderText(blocks, outputStyle(context)).forEach((line) => out(line));
  out();
  out(`Notification: ${printable(unescapeMrkdwn(text), 3_000)}`);
}

/** `2026-11-28 21:30:02 UTC` */
function moment(at: string): string {
  return `${at.slice(0, 19).replace("T", " ")} UTC`;
}
