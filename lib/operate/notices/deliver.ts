/**
 * Delivering a notice to a webhook.
 *
 * @module
 */
import { bytesOf } from "../../base/digest.ts";
import { postSecretly, readRetryAfter } from "../../base/secret_post.ts";

/** How an attempt ended. */
export type Delivery =
  | { delivered: true }
  | {
    delivered: false;
    /** Never quotes the URL. */
    why: string;
    /** Another attempt soon would end like this one. */
    hopeless: boolean;
    /** As the other side asks; 0 if it does not. */
    waitMs: number;
  };

export interface DeliverOptions {
  headers?: Readonly<Record<string, string>>;
  signal: AbortSignal;
  /** Limits one attempt. */
  timeoutMs?: number;
}

const ATTEMPT_MS = 10_000;
/** Slack's own words for what is wrong. */
const TOKEN = /^[a-z_]{1,60}$/;

/** Posts JSON once. What may have arrived counts as not delivered: a notice twice is better than none. */
export async function deliver(
  url: string,
  json: string,
  { headers = {}, signal, timeoutMs = ATTEMPT_MS }: DeliverOptions,
): Promise<Delivery> {
  const options = { headers, timeoutMs, signal };
  const sent = await postSecretly(url, bytesOf(json), options);
  if (sent.outcome !== "answered") {
    const hopeless = sent.outcome === "not sent" && sent.hopeless;
    return { delivered: false, why: sent.why, hopeless, waitMs: 0 };
  }
  const { status, body, retryAfter } = sent;
  if (status >= 200 && status <= 299) return { delivered: true };
  const token = body.trim();
  return {
    delivered: false,
    why: `status ${status}${TOKEN.test(token) ? ` (${token})` : ""}`,
    hopeless: status !== 429 && status < 500,
    waitMs: readRetryAfter(retryAfter),
  };
}
