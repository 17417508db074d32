/**
 * Asks a provider once, and once more after an answer that says to come back or
 * what to leave out.
 *
 * @module
 */
import { type Outcome, request } from "../../base/http.ts";
import { isObject, type JsonObject, parseJson } from "../../base/json.ts";
import { wait } from "../../base/time.ts";
import type { Failure, Prompt, Provider, Said } from "./provider.ts";
import type { ModelConfig } from "../settings.ts";

/** A longer answer is none. */
const ANSWER_BYTES_MAX = 256 * 1024;
const RETRY_MS = 500;
/** With less left, an answer cannot come in time. */
const LEAST_MS = 50;

/** An answer and how it came. */
export type Sent = Said & {
  /** The status of the last answer; 0 without one. */
  readonly status: number;
  readonly attempts: number;
};

/**
 * Sends a prompt. Never throws for what the other side does.
 *
 * @param options.timeoutMs Limits both attempts and the wait between them.
 */
export async function send(
  provider: Provider,
  prompt: Prompt,
  config: ModelConfig,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<Sent> {
  const { path, headers, body } = provider.call(prompt, config);
  const url = provider.url(config) + path;
  const endMs = performance.now() + timeoutMs;
  const leftMs = () => Math.ceil(endMs - performance.now());
  const ask = (body: JsonObject) =>
    request(url, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "User-Agent": "incident-enricher",
        ...headers,
      },
      body: JSON.stringify(body),
      timeoutMs: Math.max(1, leftMs()),
      bodyBytesMax: ANSWER_BYTES_MAX,
      signal,
    });
  const first = await ask(body);
  const again = adjusted(first, provider, body);
  const waitMs = again === undefined ? retryAfterMs(first, provider) : 0;
  if (waitMs === undefined || waitMs + LEAST_MS > leftMs()) {
    return read(first, provider, 1);
  }
  await wait(waitMs, signal).catch(() => {});
  if (signal.aborted) return read(first, provider, 1);
  return read(await ask(again ?? body), provider, 2);
}

function adjusted(
  outcome: Outcome,
  provider: Provider,
  body: JsonObject,
): JsonObject | undefined {
  return outcome.outcome === "answered" && outcome.status === 400
    ? provider.adjust?.(body, parsed(outcome.body))
    : undefined;
}

/** `undefined` if another attempt is of no use. */
function retryAfterMs(
  outcome: Outcome,
  provider: Provider,
): number | undefined {
  if (outcome.outcome === "not sent") {
    return outcome.hopeless ? undefined : RETRY_MS;
  }
  if (outcome.outcome === "unknown") return undefined;
  const { status, headers, body } = outcome;
  if (status !== 429 && status < 500) return undefined;
  if (headers.get("x-should-retry") === "false") return undefined;
  if (provider.isFinal?.(parsed(body))) return undefined;
  const given = headers.get("retry-after") ?? "";
  return /^\d{1,6}$/.test(given) ? Number(given) * 1000 : RETRY_MS;
}

function read(outcome: Outcome, provider: Provider, attempts: number): Sent {
  const failed = (failed: Failure, status = 0) =>
    ({ failed, status, attempts }) as const;
  if (outcome.outcome === "not sent") return failed("unreachable");
  if (outcome.outcome === "unknown") {
    const isLate = /^no answer|^cancelled/.test(outcome.reason);
    return failed(isLate ? "late" : "garbled");
  }
  const { status, body } = outcome;
  if (status === 429) return failed("limited", status);
  if (status !== 200) return failed("status", status);
  const value = parsed(body);
  return isObject(value)
    ? { ...provider.read(value), status, attempts }
    : failed("garbled", status);
}

function parsed(body: Uint8Array): unknown {
  return parseJson(new TextDecoder().decode(body));
}
