/**
 * What a notice says: what waits, for how long, and where to decide. No
 * evidence: whoever reads a channel need not be allowed to read it. Pure.
 *
 * @module
 */
import {
  ageOf,
  capitalized,
  counted,
  printable,
  utcOf,
} from "../../base/text.ts";
import {
  type Block,
  contextBlock,
  fit,
  header,
  linkButtons,
  section,
} from "../../message/block_kit.ts";
import type { WaitingPost } from "../waiting.ts";
import type { Stage } from "./stages.ts";

/** One approval that people are told of. */
export interface Notice extends Stage {
  post: WaitingPost;
}

export interface NoticeOptions {
  /** Where people reach the desk, without a path; `undefined` if not known. */
  deskUrl: string | undefined;
  nowMs: number;
}

/** What Slack takes. */
export interface SlackNotice {
  text: string;
  blocks: readonly Block[];
}

const LINE_CHARS_MAX = 300;
const LISTED_MAX = 10;
/** The worst first; any other word comes last. */
const SEVERITIES = [
  "critical",
  "high",
  "error",
  "medium",
  "warning",
  "low",
  "info",
];

/** One message for one or several approvals. */
export function slackNotice(
  notices: readonly Notice[],
  options: NoticeOptions,
): SlackNotice {
  const [only, ...more] = notices;
  if (only !== undefined && more.length === 0) return oneNotice(only, options);
  const ordered = notices.toSorted((a, b) =>
    rankOf(a) - rankOf(b) || (a.post.since < b.post.since ? -1 : 1)
  );
  const title = `${counted(notices.length, "approval")} waiting`;
  const lines = ordered.slice(0, LISTED_MAX).map((notice) =>
    fit(`• ${headlineOf(notice)} · ${stateOf(notice, options)}`, LINE_CHARS_MAX)
  );
  const left = notices.length - lines.length;
  if (left > 0) lines.push(`and ${left} more`);
  return {
    text: fit(title, LINE_CHARS_MAX),
    blocks: [
      header(title),
      section(lines.join("\n").slice(0, 3_000)),
      ...buttons("Open the desk", deskLink(options)),
    ],
  };
}

function oneNotice(notice: Notice, options: NoticeOptions): SlackNotice {
  const headline = headlineOf(notice);
  const state = stateOf(notice, options);
  const { severity, note, topic } = notice.post;
  const small = [severity && `severity ${severity}`, note, topic]
    .filter((text) => text !== "");
  return {
    text: fit(`${headline} · ${state}`, 2 * LINE_CHARS_MAX),
    blocks: [
      header(headline),
      section(fit(capitalized(state), 3_000)),
      contextBlock(fit(small.join(" · "), LINE_CHARS_MAX)),
      ...buttons("Read and decide", deskLink(options, notice.post.job_id)),
    ],
  };
}

/** What our own webhook gets: the approval as the list has it, and the notice. */
export function hookNotice(
  { post, kind }: Notice,
  options: NoticeOptions,
): Record<string, unknown> {
  const url = deskLink(options, post.job_id) ?? "";
  return { ...post, notice: kind, desk_url: url };
}

function headlineOf({ post }: Notice): string {
  const { headline, title, topic, job_id } = post;
  return printable(headline || title || `${topic} (${job_id})`, LINE_CHARS_MAX);
}

/** `waiting for approval for 30 s, possible until …` */
function stateOf({ post, kind }: Notice, { nowMs }: NoticeOptions): string {
  const { problem, since, until } = post;
  const age = ageOf(nowMs - Date.parse(since));
  if (problem !== "") {
    // Nobody said no to it.
    return `can no longer be approved, and nobody decided: ${problem}`;
  }
  const left = ageOf(Date.parse(until) - nowMs);
  if (kind === "last") {
    return `can be approved for ${left} more, until ${
      utcOf(until)
    }; has waited for ${age}`;
  }
  const waiting = kind === "reminder"
    ? `still waiting for approval after ${age}`
    : `waiting for approval for ${age}`;
  return until === "" ? waiting : `${waiting}, possible until ${utcOf(until)}`;
}

function rankOf({ post: { severity } }: Notice): number {
  const at = SEVERITIES.indexOf(severity);
  return at === -1 ? SEVERITIES.length : at;
}

function deskLink(
  { deskUrl }: NoticeOptions,
  jobId?: string,
): string | undefined {
  if (deskUrl === undefined) return undefined;
  return jobId === undefined
    ? `${deskUrl}/`
    : `${deskUrl}/posts/${encodeURIComponent(jobId)}`;
}

function buttons(label: string, url: string | undefined): Block[] {
  return url === undefined ? [] : [linkButtons([{ id: "run", label, url }])];
}
