/**
 * Sends a message to a Slack webhook, once, and says what became of it.
 *
 * The URL is a credential. Deno's own HTTP clients write the full URL of every
 * request into their telemetry spans, so this one speaks through `undici`,
 * whose sockets they do not see; measured with `OTEL_DENO=true`.
 *
 * @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 * @module
 */
import type { Socket } from "node:net";
import { buildConnector, Client } from "undici";
import { backoffMs, wait } from "../base/time.ts";
import { shorten } from "../base/text.ts";

export type SlackOutcome =
  /** Slack took it, at that time (RFC 3339). */
  | { outcome: "posted"; at: string; warning?: string }
  /** Slack certainly did not take it. */
  | { outcome: "refused"; why: string; retryable: boolean }
  /** It may or may not have been taken; Slack has no way to ask. */
  | { outcome: "unknown"; why: string };

/** Options of {@linkcode postToSlack}. */
export interface SlackOptions {
  /** For everything, the waits that Slack asks for included. */
  timeoutMs: number;
  /**
   * Ends waits, and what has no connection yet; the answer to a request that
   * went out is still waited for.
   */
  signal: AbortSignal;
}

/** What a token of Slack says of a message: whether it may still be taken. */
export type SlackVerdict =
  /** Refused, and again if it is sent again. */
  | "permanent"
  /** Refused for now. */
  | "retryable"
  /** It may have been taken. */
  | "unknown";

/**
 * Every error token that Slack documents for webhooks and for
 * chat.postMessage, whose words webhooks share.
 *
 * A token decides before the status does, since a status is only documented
 * for some. None leads to a second, different message: what Slack found wrong
 * with the blocks is for a person to read, not for us to guess round.
 *
 * @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 * @see https://docs.slack.dev/reference/methods/chat.postMessage
 */
export const SLACK_TOKENS: Readonly<Record<string, SlackVerdict>> = {
  ...verdicts("permanent", [
    // The message.
    ...["invalid_payload", "no_text", "invalid_blocks"],
    ...["invalid_blocks_format", "too_many_attachments", "msg_too_long"],
    ...["msg_blocks_too_long", "metadata_too_large"],
    ...["invalid_metadata_format", "invalid_metadata_schema"],
    "cannot_reply_to_message",
    // The webhook, and who may use it.
    ...["invalid_token", "no_service", "no_service_id", "no_active_hooks"],
    ...["no_team", "team_disabled", "action_prohibited", "invalid_auth"],
    ...["not_authed", "token_expired", "token_revoked", "account_inactive"],
    ...["missing_scope", "no_permission", "ekm_access_denied"],
    // The channel.
    ...["user_not_found", "channel_not_found", "channel_is_archived"],
    ...["is_archived", "not_in_channel", "restricted_action"],
    "posting_to_general_channel_denied",
  ]),
  ...verdicts("retryable", [
    ...["rate_limited", "ratelimited", "message_limit_exceeded"],
  ]),
  ...verdicts("unknown", [
    // Documented as Slack's own failure, possibly after it took the message.
    ...["rollup_error", "fatal_error", "internal_error"],
    ...["request_timeout", "service_unavailable"],
  ]),
};

function verdicts(
  verdict: SlackVerdict,
  tokens: readonly string[],
): Record<string, SlackVerdict> {
  return Object.fromEntries(tokens.map((token) => [token, verdict]));
}

const ANSWER_BYTES_MAX = 64 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;
const RETRY = { baseMs: 500, maxMs: 5_000 };
const ABORTED: SlackOutcome = {
  outcome: "refused",
  why: "the job was aborted",
  retryable: false,
};

/**
 * Posts `payload` and tries again only after a definite refusal that may pass:
 * no connection, or 429 for as long as it asks.
 */
export async function postToSlack(
  url: string,
  payload: Uint8Array,
  { timeoutMs, signal }: SlackOptions,
): Promise<SlackOutcome> {
  const end = performance.now() + timeoutMs;
  for (let attempt = 1;; attempt++) {
    const left = Math.max(1, end - performance.now());
    const { waitMs, ...outcome } = await attemptOnce(
      url,
      payload,
      left,
      signal,
    );
    if (outcome.outcome !== "refused" || !outcome.retryable) return outcome;
    // Never sooner than our own backoff: `Retry-After: 0` would hammer.
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
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Attempt> {
  if (signal.aborted) return ABORTED;
  const { origin, pathname, search } = new URL(url);
  const { client, isConnected, drop } = openClient(origin);
  const end = new AbortController();
  const timer = setTimeout(() => {
    end.abort();
    drop();
  }, timeoutMs);
  const connectTimer = setTimeout(drop, CONNECT_TIMEOUT_MS);
  signal.addEventListener("abort", drop);
  try {
    const answer = await client.request({
      path: pathname + search,
      method: "POST",
      headers: { "content-type": "application/json" },
      body: payload,
      // Not the job's: an answer that is on its way is worth waiting for.
      signal: end.signal,
    });
    const body = await readText(answer.body);
    return judge(
      answer.statusCode,
      body,
      headerOf(answer.headers, "retry-after"),
    );
  } catch (error) {
    if (isConnected()) {
      const why = end.signal.aborted
        ? "no answer in time"
        : `connection lost (${codeOf(error)})`;
      return { outcome: "unknown", why };
    }
    if (signal.aborted) return ABORTED;
    const code = codeOf(error);
    const why = `no connection (${code})`;
    // A host that this process may not reach stays out of reach: Deno says so
    // by class, or by code if it was asked for the host's address.
    const retryable = code !== "NotCapable" && code !== "EPERM";
    return { outcome: "refused", why, retryable };
  } finally {
    clearTimeout(timer);
    clearTimeout(connectTimer);
    signal.removeEventListener("abort", drop);
    await client.destroy().catch(() => {});
  }
}

interface OneClient {
  client: Client;
  isConnected: () => boolean;
  /** Gives up a connection that does not stand yet, so that nothing is sent. */
  drop: () => void;
}

/**
 * A client for one request over one connection. It speaks no HTTP/2, where it
 * would send a refused request again by itself, and has no timers of its own,
 * which are up to a second late and outlive it.
 */
function openClient(origin: string): OneClient {
  const connect = buildConnector({ timeout: 0, allowH2: false });
  let socket: Socket | undefined;
  let connected = false;
  const client = new Client(origin, {
    connect(options, callback) {
      // Its type leaves out that it returns the socket.
      socket = connect(options, (...made) => {
        connected = made[0] === null;
        callback(...made);
      }) as unknown as Socket;
    },
    pipelining: 0,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const drop = () => {
    if (connected) return;
    socket?.destroy(Object.assign(new Error("Gave up"), { code: "ETIMEDOUT" }));
  };
  return { client, isConnected: () => connected, drop };
}

/** A status line is an answer even if its body then breaks off. */
async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of body) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > ANSWER_BYTES_MAX) break;
    }
  } catch {
    // What was read so far has to do.
  }
  return text;
}

function judge(
  status: number,
  body: string,
  retryAfter: string | undefined,
): Attempt {
  const token = body.trim();
  // Slack's own words are short tokens; anything else may be a proxy's page.
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
  switch (verdictOf(status, token)) {
    case "permanent":
      return { outcome: "refused", why, retryable: false };
    case "retryable":
      return {
        outcome: "refused",
        why,
        retryable: true,
        waitMs: readRetryAfter(retryAfter),
      };
    case "unknown":
      return { outcome: "unknown", why };
  }
}

function verdictOf(status: number, token: string): SlackVerdict {
  // Whatever it says beside it, 429 means that nothing was posted.
  if (status === 429) return "retryable";
  if (Object.hasOwn(SLACK_TOKENS, token)) return SLACK_TOKENS[token]!;
  return status >= 400 && status <= 499 ? "permanent" : "unknown";
}

/** In ms, from seconds or a date; 0 for anything else. */
function readRetryAfter(text = ""): number {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  return Math.max(0, Date.parse(text) - Date.now()) || 0;
}

function headerOf(
  headers: Record<string, string | string[] | undefined>,
  name: string,
): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The library's error texts may name the host and path; its codes do not. */
function codeOf(error: unknown): string {
  const code = (error as { code?: unknown })?.code ??
    (error as { name?: unknown })?.name;
  return shorten(typeof code === "string" ? code : "error", 60);
}
