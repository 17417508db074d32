/**
 * What an approver is shown beside the evidence, in a terminal and on a page.
 *
 * @module
 */
import { optional } from "../base/json.ts";
import { ageOf, utcOf } from "../base/text.ts";
import { withFooter } from "../message/footer.ts";
import type { Message } from "../message/message.ts";
import { describeUpdate } from "../post/result.ts";
import { workerOf } from "./approvals.ts";
import { describeWhereto, type Whereto } from "./destinations.ts";
import { describeEffect } from "./effect.ts";
import type { Looked } from "./look.ts";
import type { Proposal } from "./proposal.ts";

/** What only the poster will know. */
const PLACEHOLDERS = { by: "(the approver)", at: "(the time)" };

/** The message as Slack would show it, footer included. */
export function asPosted(
  message: Message,
  { proposal, effect, signingKey }: Looked,
): Message {
  const { ruleId, runId, digest = "", postSeverity } = proposal;
  return withFooter(message, {
    approval: {
      ...PLACEHOLDERS,
      ruleId,
      ...optional("signedBy", signingKey && `(the key ${signingKey})`),
    },
    runId,
    digest,
    update: describeUpdate(effect?.before, postSeverity),
  });
}

/**
 * What approving does, how long it can be done, and who would act on it, by
 * name.
 */
export function outlookOf(
  { post, proposal, whereto, effect, worker }: Looked,
  nowMs: number = Date.now(),
): [name: string, text: string][] {
  const { until } = post;
  return [
    ...effect === undefined
      ? []
      : [["effect", describeEffect(effect)] as [string, string]],
    ...whereto === undefined
      ? []
      : [["to", describeTo(whereto, proposal)] as [string, string]],
    ...until === ""
      ? []
      : [["until", describeUntil(until, nowMs)] as [string, string]],
    [workerOf(post.topic).split(" ", 1)[0]!, WORKER[String(worker)]!],
  ];
}

function describeUntil(until: string, nowMs: number): string {
  const left = ageOf(Date.parse(until) - nowMs);
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
