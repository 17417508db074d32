/**
 * Jobs that wait for approval, as their approver reads them.
 *
 * @module
 */
import { named, quoted } from "../../lib/base/foreign.ts";
import { ageOf, printable, utcOf, visible } from "../../lib/base/text.ts";
import type { Message } from "../../lib/message/message.ts";
import {
  renderLine,
  renderNotification,
  renderText,
} from "../../lib/message/text.ts";
import type { Looked } from "../../lib/operate/look.ts";
import { POST_TOPIC } from "../../lib/operate/pack.ts";
import { asPosted, outlookOf } from "../../lib/operate/shown.ts";
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
  const { message, digest, evidence, gaps, pagePointer, reason, refused } =
    proposal;
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
  if (pagePointer !== "") {
    print(
      `  page  all of it, quoted where it is cited  ${pagePointer}`,
      context,
    );
  }
  for (const { what, why } of gaps) {
    print(`  missing  ${quoted(`${what}: ${why}`, GAP_CHARS_MAX)}`, context);
  }
  if (post.problem === "") {
    printStyled([heading("Approving it", context)], context);
    outlookOf(looked).forEach(([name, text]) => out(row(name, text)));
  } else out(`It can no longer be approved: ${post.problem}. ${post.remedy}`);
}

/** As Slack would show it, footer included. */
function showMessage(
  message: Message,
  looked: Looked,
  context: CommandContext,
): void {
  const { out } = context;
  const { blocks, text } = asPosted(message, looked);
  printStyled(renderText(blocks, outputStyle(context)), context);
  out();
  renderNotification(text, outputStyle(context)).forEach((line) => out(line));
}

function print(text: string, context: CommandContext): void {
  renderLine(text, outputStyle(context)).forEach((line) => context.out(line));
}
