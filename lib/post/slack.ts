/**
 * Sends a message to a Slack webhook once and reports the outcome.
 *
 * @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 * @module
 */
import { postSecretly, readRetryAfter } from "../base/secret_post.ts";
import { backoffMs, wait } from "../base/time.ts";

export type SlackOutcome =
  /** Slack took it, at that time (RFC 3339). */
  | { outcome: "posted"; at: string; warning?: string }
  /** Slack certainly did not take it. */
  | { outcome: "refused"; why: string; retryable: boolean }
  /** Slack may or may not have taken it; there is no way to ask. */
  | { outcome: "unknown"; why: string };

export interface SlackOptions {
  /** Limits everything, including the waits that Slack asks for. */
  timeoutMs: number;
  /** Ends waits and pending connections, but not the wait for an answer. */
  signal: AbortSignal;
}

/** The meaning of a token of Slack. */
export type SlackVerdict =
  /** Refused, and refused again if sent again. */
  | "permanent"
  /** Refused for now. */
  | "retryable"
  /** Slack may have taken the message. */
  | "unknown";

/**
 * Every error token that Slack documents for webhooks and for
 * chat.postMessage, whose tokens webhooks share.
 *
 * A token takes precedence over the status, because Slack documents the status
 * for some tokens only. No token leads to a second, different message: a person
 * should read Slack's objection to the blocks, and we should not guess a fix.
 *
 * @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 * @see https://docs.slack.dev/reference/methods/chat.postMessage
 */
export const SLACK_TOKENS: Readonly<Record<string, SlackVerdict>> = {
  // The message.
  ...verdicts(
    "permanent",
    `invalid_payload no_text invalid_blocks invalid_blocks_format
    too_many_attachments msg_too_long msg_blocks_too_long metadata_too_large
    invalid_metadata_format invalid_metadata_schema cannot_reply_to_message`,
  ),
  // The webhook and its permissions.
  ...verdicts(
    "permanent",
    `invalid_token no_service no_service_id no_active_hooks no_team
    team_disabled action_prohibited invalid_auth not_authed token_expired
    token_revoked account_inactive missing_scope no_permission
    ekm_access_denied`,
  ),
  // The channel.
  ...verdicts(
    "permanent",
    `user_not_found channel_not_found channel_is_archived is_archived
    not_in_channel restricted_action posting_to_general_channel_denied`,
  ),
  ...verdicts("retryable", "rate_limited ratelimited message_limit_exceeded"),
  // Documented as Slack's own failure, possibly after it took the message.
  ...verdicts(
    "unknown",
    "rollup_error fatal_error internal_error request_timeout service_unavailable",
  ),
};

function verdicts(
  verdict: SlackVerdict,
  tokens: string,
): Record<string, SlackVerdict> {
  return Object.fromEntries(
    tokens.split(/\s+/).map((token) => [token, verdict]),
  );
}

const RETRY = { baseMs: 500, maxMs: 5_000 };
const ABORTED = "the job was aborted";

/**
 * Posts `payload`. Retries only after a definite refusal that may pass: a
 * failure to connect, or a 429 after the wait that it asks for.
 */
export async function postToSlack(
  url: string,
  payload: Uint8Array,
  { timeoutMs, signal }: SlackOptions,
): Promise<SlackOutcome> {
  const end = performance.now() + timeoutMs;
  for (let attempt = 1;; attempt++) {
    const timeoutMs = Math.max(1, end - performance.now());
    const options = { timeoutMs, signal };
    const { waitMs, ...outcome } = await attemptOnce(url, payload, options);
    if (outcome.outcome !== "refused" || !outcome.retryable) return outcome;
    // Our own backoff is the minimum: with `Retry-After: 0` we would hammer.
    const ms = Math.max(waitMs ?? 0, backoffMs(attempt, RETRY));
    if (performance.now() + ms >= end) return outcome;
    try {
      await wait(ms, signal);
    } catch {
      return outcome;
    }
  }
}

type Attempt = SlackOutcome & { waitMs?: number };

async function attemptOnce(
  url: string,
  payload: Uint8Array,
  options: SlackOptions,
): Promise<Attempt> {
  const sent = await postSecretly(url, payload, options);
  switch (sent.outcome) {
    case "answered":
      return judge(sent.status, sent.body, sent.retryAfter);
    case "unknown":
      return sent;
    case "not sent": {
      const why = options.signal.aborted ? ABORTED : sent.why;
      return { outcome: "refused", why, retryable: !sent.hopeless };
    }
  }
}

function judge(
  status: number,
  body: string,
  retryAfter: string | undefined,
): Attempt {
  const token = body.trim();
  // Slack's own answers are short tokens; any other may be a proxy's page.
  const isToken = /^[a-z_]{1,60}$/.test(token) && status !== 429;
  const said = isToken ? ` (${token})` : "";
  if (status >= 200 && status <= 299) {
    const at = new Date().toISOString();
    if (token === "ok") return { outcome: "posted", at };
    const warning =
      `Slack answered status ${status} with a body other than "ok"`;
    return { outcome: "posted", at, warning };
  }
  const why = `Slack answered status ${status}${said}`;
  const verdict = verdictOf(status, token);
  if (verdict === "unknown") return { outcome: "unknown", why };
  const refused = { outcome: "refused", why } as const;
  if (verdict === "permanent") return { ...refused, retryable: false };
  return { ...refused, retryable: true, waitMs: readRetryAfter(retryAfter) };
}

function verdictOf(status: number, token: string): SlackVerdict {
  // With any token, 429 means that Slack posted nothing.
  if (status === 429) return "retryable";
  if (Object.hasOwn(SLACK_TOKENS, token)) return SLACK_TOKENS[token]!;
  return status >= 400 && status <= 499 ? "permanent" : "unknown";
}
