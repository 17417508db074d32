/**
 * Jobs that wait for approval, as their approver reads them.
 *
 * @module
 */
import { optional } from "../../lib/base/json.ts";
import { named, quoted } from "../../lib/base/foreign.ts";
import { ageOf, printable, utcOf, visible } from "../../lib/base/text.ts";
import { withFooter } from "../../lib/message/footer.ts";
import type { Message } from "../../lib/message/message.ts";
import {
  renderLine,
  renderNotification,
  renderText,
} from "../../lib/message/text.ts";
import {
  describeWhereto,
  type Whereto,
} from "../../lib/operate/destinations.ts";
import { describeEffect } from "../../lib/operate/effect.ts";
import { POST_TOPIC } from "../../lib/operate/pack.ts";
import { workerOf } from "../../lib/operate/approvals.ts";
import type { Looked } from "../../lib/operate/look.ts";
import type { Proposal } from "../../lib/operate/proposal.ts";
import { describeUpdate } from "../../lib/post/result.ts";
import type { WaitingPost } from "../../lib/operate/waiting.ts";
import type { CommandContext } from "./command.ts";
import { heading, outputStyle, printStyled } from "./format.ts";

const LINE_CHARS_MAX = 96;
const GAP_CHARS_MAX = 520;

/** At most 100 columns wide, unless an id is very long. */
export function listWaiting(
  post: WaitingPost,
  context: CommandContext,
): string[] {
  const { headline, lines, title, message_sha256, effect, note } = post;
  const said = headline !== ""
    ? [headline, ...lines]
    : title === ""
    ? []
    : [quoted(title, LINE_CHARS_MAX)];
  return [
    heading(headOf(post), context),
    ...said.filter((line) => line !== "").map((line) =>
      `  │ ${printable(line, LINE_CHARS_MAX)}`
    ),
    ...factsOf(post),
    ...message_sha256 === "" ? [] : [row("sha256", message_sha256)],
    // Then it is not known of any, which is said once.
    ...note === "" || isBlind(effect) ? [] : [row("effect", note)],
    ...problemOf(post),
  ];
}

/** Whether it cannot be told what was posted before. */
export function isBlind(effect: WaitingPost["effect"]): boolean {
  return effect === "unknown" || effect === "too many";
}

function headOf({ severity, incident_id, age_s }: WaitingPost): string {
  return [
    severity === "" ? "NO SEVERITY" : named(severity.toUpperCase(), 30),
    incident_id === "" ? "no incident" : named(incident_id, 220),
    `waiting for ${ageOf(age_s * 1000)}`,
  ].join("  ");
}

function factsOf({ job_id, topic, rule_id }: WaitingPost): string[] {
  return [
    row("job", job_id),
    ...topic === POST_TOPIC ? [] : [row("topic", `${topic}, not a post`)],
    row("rule", printable(rule_id) || "not recorded"),
  ];
}

function problemOf({ problem }: WaitingPost): string[] {
  return problem === ""
    ? []
    : [row("too late", `it can no longer be approved: ${problem}`)];
}

function row(name: string, text: string): string {
  return `  ${name.padEnd(10)}${visible(text)}`;
}

/** Prints the message as people will see it, and what decides about it. */
export function showProposal(looked: Looked, context: CommandContext): void {
  const { out } = context;
  const { post, proposal } = looked;
  const { message, digest, evidence, gaps, reason, refused } = proposal;
  const isShort = message === undefined && post.title !== "";
  const lines = [
    heading(headOf(post), context),
    ...isShort ? [`  │ ${quoted(post.title)}`] : [],
    ...factsOf(post),
    ...reason === "" ? [] : [row("because", reason)],
    row("since", utcOf(post.since)),
  ];
  printStyled(lines, context);
  out();
  if (message !== undefined) showMessage(message, looked, context);
  if (refused !== undefined) out(`The poster would refuse this: ${refused}`);
  if (post.topic === POST_TOPIC) {
    out(`Message sha256 ${digest ?? "not known: the message cannot be read"}`);
  }
  for (const { id, title, pointer } of evidence) {
    print(`  ${named(id)}  ${quoted(title)}  ${pointer}`, context);
  }
  for (const { what, why } of gaps) {
    print(`  missing  ${quoted(`${what}: ${why}`, GAP_CHARS_MAX)}`, context);
  }
  if (post.problem === "") {
    printStyled([heading("Approving it", context)], context);
    outlookOf(looked).forEach((line) => out(line));
  } else out(`It can no longer be approved: ${post.problem}. ${post.remedy}`);
}

/** What approving does, how long it can be done, and who would act on it. */
function outlookOf(
  { post, proposal, whereto, effect, worker }: Looked,
): string[] {
  const { until } = post;
  return [
    ...effect === undefined ? [] : [row("effect", describeEffect(effect))],
    ...whereto === undefined ? [] : [row("to", describeTo(whereto, proposal))],
    ...until === "" ? [] : [row("until", describeUntil(until))],
    row(workerOf(post.topic).split(" ", 1)[0]!, WORKER[String(worker)]!),
  ];
}

function describeUntil(until: string): string {
  const left = ageOf(Date.parse(until) - Date.now());
  return `${utcOf(until)}, in ${left}; later it is too old to be posted`;
}

function describeTo(whereto: Whereto, { mode }: Proposal): string {
  const text = describeWhereto(whereto);
  return whereto.known ? text : `${TO[mode] ?? mode}; ${text}`;
}

const TO: Readonly<Record<string, string>> = {
  artifact: "an artifact",
  slack: "Slack",
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
  { proposal, effect, signingKey }: Looked,
  context: CommandContext,
): void {
  const { out } = context;
  const { ruleId, runId, digest = "", postSeverity } = proposal;
  const { blocks, text } = withFooter(message, {
    approval: {
      ...PLACEHOLDERS,
      ruleId,
      ...optional("signedBy", signingKey && `(the key ${signingKey})`),
    },
    runId,
    digest,
    update: describeUpdate(effect?.before, postSeverity),
  });
  printStyled(renderText(blocks, outputStyle(context)), context);
  out();
  renderNotification(text, outputStyle(context)).forEach((line) => out(line));
}

function print(text: string, context: CommandContext): void {
  renderLine(text, outputStyle(context)).forEach((line) => context.out(line));
}
