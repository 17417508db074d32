/**
 * Where notices go: Slack, where several become one message, and our own
 * webhook, which gets each by itself.
 *
 * @module
 */
import type { Config } from "../../base/config.ts";
import { sha256Hex } from "../../base/digest.ts";
import { deliver, type Delivery } from "./deliver.ts";
import {
  hookNotice,
  type Notice,
  type NoticeOptions,
  slackNotice,
} from "./message.ts";
import { type ChannelName, secondOf } from "./record.ts";
import type { NoticeSettings } from "./settings.ts";
import { readWebhookKey, signWebhook } from "./signed_webhook.ts";

export interface Channel {
  name: ChannelName;
  /** For people. */
  title: string;
  /** How many approvals one delivery tells of. */
  noticesMax: number;
  /** The wait after a delivery that told of so many. */
  paceMs: (count: number) => number;
  deliver(
    notices: readonly Notice[],
    options: NoticeOptions,
    signal: AbortSignal,
  ): Promise<Delivery>;
}

const SLACK_NOTICES_MAX = 50;
/** Slack takes about one message a second, and a channel far less. */
const SLACK_PACE_MS = 1_000;
const SLACK_PACE_MAX_MS = 60_000;

/** The channels that are set up. */
export function openChannels(config: Config<NoticeSettings>): Channel[] {
  const { slackNoticeUrl, hookUrl, hookSecrets } = config;
  return [
    ...slackNoticeUrl === undefined ? [] : [slackChannel(slackNoticeUrl)],
    ...hookUrl === undefined ? [] : [hookChannel(hookUrl, hookSecrets)],
  ];
}

function slackChannel(url: string): Channel {
  return {
    name: "slack",
    title: "Slack",
    noticesMax: SLACK_NOTICES_MAX,
    paceMs: (count) => Math.min(SLACK_PACE_MAX_MS, count * SLACK_PACE_MS),
    deliver: (notices, options, signal) =>
      deliver(url, JSON.stringify(slackNotice(notices, options)), { signal }),
  };
}

function hookChannel(url: string, secrets: readonly string[]): Channel {
  return {
    name: "hook",
    title: "APPROVALS_HOOK_URL",
    noticesMax: 1,
    paceMs: () => 0,
    async deliver([notice], options, signal) {
      const json = JSON.stringify(hookNotice(notice!, options));
      const id = await noticeId(notice!);
      const { nowMs } = options;
      const headers = await hookHeaders(json, { id, nowMs, secrets });
      return await deliver(url, json, { headers, signal });
    },
  };
}

/** The headers of our own webhook: signed if there is a key. */
export async function hookHeaders(
  json: string,
  { id, nowMs, secrets }: {
    id: string;
    nowMs: number;
    secrets: readonly string[];
  },
): Promise<Record<string, string>> {
  if (secrets.length === 0) return { "webhook-id": id };
  const keys = secrets.map(readWebhookKey);
  return await signWebhook(json, { id, nowMs, keys });
}

/**
 * The same for each attempt, and for `approvals --watch` and every desk, so that
 * a receiver can drop what it has seen.
 */
export async function noticeId(
  { post, rank }: Pick<Notice, "post" | "rank">,
): Promise<string> {
  const since = secondOf({ since: Date.parse(post.since) });
  const parts = JSON.stringify([post.job_id, since, rank]);
  return `msg_${(await sha256Hex(parts)).slice(0, 32)}`;
}
