/**
 * Has a model read the evidence, and keeps of its answer what the evidence says.
 * Whatever goes wrong, the built-in summary stands.
 *
 * @module
 */
import { hostWithPort } from "../../base/address.ts";
import { bytesOf } from "../../base/digest.ts";
import { optional, parseJson } from "../../base/json.ts";
import { shorten } from "../../base/text.ts";
import type { EvidenceText } from "../../collected.ts";
import { type EvidenceBundle, withIds } from "../../incident.ts";
import type { JobContext } from "../../platform/context.ts";
import type { Redaction } from "../../redact/redaction.ts";
import { READ_MS, readEvidence } from "../read_evidence.ts";
import { takeShare } from "./budget.ts";
import { checkClaims } from "./check.ts";
import type { Seen } from "./claim.ts";
import { Mask } from "./mask.ts";
import { withoutOrders } from "./orders.ts";
import { wordPrompt } from "./prompt.ts";
import type { Prompt, Provider } from "./provider.ts";
import type { Reading, Shortfall } from "./reading.ts";
import { providerOf } from "./providers.ts";
import { answerSchema, isAnswer } from "./schema.ts";
import { send, type Sent } from "./send.ts";
import type { ModelSettings } from "../settings.ts";
import { show, valueOf } from "./show.ts";
import { tokensUpTo } from "./tokens.ts";

/** For storing what comes of it. */
const RESERVE_MS = 10_000;
const UNLIMITED = { input: Infinity, output: Infinity, total: Infinity };
const LEAST_MS = 100;
const RECORDED_CHARS_MAX = 64 * 1024;

/** What asking needs beside the evidence: a part of the job's context. */
export type AskContext =
  & Pick<
    JobContext<ModelSettings>,
    "settings" | "constraints" | "tokens" | "signal" | "leftMs"
  >
  & {
    gateway: Pick<JobContext["gateway"], "readArtifact">;
    store: Pick<JobContext["store"], "add">;
    /** The summary's own, so that one value has one placeholder. */
    redaction: Pick<Redaction, "kept">;
  };

/** @returns `undefined` if no model is set up. */
export async function readWithModel(
  bundle: EvidenceBundle,
  context: AskContext,
): Promise<Reading | undefined> {
  const { settings, constraints } = context;
  const provider = providerOf(settings);
  if (provider === undefined) return undefined;
  const model = `${provider.name}:${provider.model(settings)}`;
  if (constraints.redactionLevel === "full") {
    return { model, ...none("withheld") };
  }
  if (!isAllowed(provider.url(settings), constraints.networkAllowlist)) {
    return { model, ...none("forbidden") };
  }
  const { gateway, signal, leftMs } = context;
  const timeMs = Math.max(0, Math.min(READ_MS, leftMs() - RESERVE_MS));
  const texts = await readEvidence(bundle.evidence, {
    gateway,
    signal,
    timeMs,
  });
  return { ...await ask(provider, bundle, texts, context), model, texts };
}

async function ask(
  provider: Provider,
  bundle: EvidenceBundle,
  texts: readonly EvidenceText[],
  context: AskContext,
): Promise<Omit<Reading, "model">> {
  const { settings, constraints, signal } = context;
  const allowed = context.tokens ?? UNLIMITED;
  const mask = maskFor(bundle, texts, context);
  let orders = 0;
  const seen = show(bundle, texts, {
    bytesMax: settings.llmInputBytesMax,
    change(value) {
      const { value: left, count } = withoutOrders(
        context.redaction.kept(value),
      );
      orders += count;
      return mask === undefined ? left : mask.hide(left);
    },
  });
  const ids = [...seen.items.keys()];
  if (ids.length === 0) return none("unread");
  const prompt: Prompt = {
    ...wordPrompt(seen, newMark()),
    schema: answerSchema(ids, provider.takesLengths(settings)),
    tokensMax: Math.min(settings.llmTokensMax, allowed.output),
  };
  const input = tokensUpTo(sizeOf(prompt));
  if (
    input > allowed.input ||
    input + prompt.tokensMax > allowed.total
  ) return none("job budget");
  const timeoutMs = Math.floor(Math.min(
    settings.llmTimeoutMs,
    context.leftMs() - RESERVE_MS,
    (constraints.runtimeMsMax ?? Infinity) - RESERVE_MS,
  ));
  if (timeoutMs < LEAST_MS) return none("no time");
  const share = await takeShare(context.store.add, {
    tokens: input + prompt.tokensMax,
    dailyMax: settings.llmDailyTokensMax,
    now: new Date(),
  });
  if (typeof share === "string") return none(share);
  const sent = await send(provider, prompt, settings, { timeoutMs, signal });
  await share.settle(sent.tokens);
  const judged = judge(sent, seen);
  const { kept } = context.redaction;
  const { system, user, schema } = prompt;
  return {
    ...judged,
    // Names come back only after all checks.
    kept: kept(unmasked(judged.kept, mask)),
    dropped: kept(unmasked(judged.dropped, mask)),
    orders,
    ...optional("status", sent.status || undefined),
    seconds: Math.round(timeoutMs / 1000),
    record: {
      provider: provider.name,
      model: provider.model(settings),
      sent: { system, user, schema },
      received: kept(
        "text" in sent ? shorten(sent.text, RECORDED_CHARS_MAX) : null,
      ),
      outcome: judged.shortfall ?? "read",
      status: sent.status,
      attempts: sent.attempts,
      tokens: sent.tokens ?? null,
      kept: kept(judged.kept),
      dropped: kept(judged.dropped),
    },
  };
}

/** A reading that adds nothing. */
function none(shortfall: Shortfall): Omit<Reading, "model"> {
  return { kept: [], dropped: [], shortfall };
}

/** Hides names where policy is strict. */
function maskFor(
  bundle: EvidenceBundle,
  texts: readonly EvidenceText[],
  { constraints }: AskContext,
): Mask | undefined {
  if (constraints.redactionLevel !== "strict") return undefined;
  const mask = new Mask();
  const given = new Map(texts.map(({ id, text = "" }) => [id, text]));
  mask.learn(bundle.normalized_context ?? {});
  for (const item of withIds(bundle.evidence)) {
    mask.learn(valueOf(given.get(item.id) ?? "", item));
  }
  return mask;
}

function unmasked<T>(value: T, mask: Mask | undefined): T {
  return mask === undefined ? value : mask.show(value);
}

/** What an answer is worth. */
function judge(
  sent: Sent,
  seen: Seen,
): Pick<Reading, "kept" | "dropped" | "shortfall"> {
  if ("failed" in sent) return none(sent.failed);
  const value = parseJson(sent.text.trim().replace(/^```\w*\s*|\s*```$/g, ""));
  if (!isAnswer(value)) return none("garbled");
  const { kept, dropped } = checkClaims(value.claims, seen);
  if (kept.length > 0) return { kept, dropped };
  return {
    kept,
    dropped,
    shortfall: dropped.length === 0 ? "abstained" : "nothing left",
  };
}

/** Whether policy lets this job ask that host. */
function isAllowed(
  url: string,
  hosts: readonly string[] | undefined,
): boolean {
  if (hosts === undefined) return true;
  const { hostname, port } = new URL(url);
  return hosts.includes(hostWithPort(new URL(url))) ||
    hosts.includes(hostname) && port === "";
}

function newMark(): string {
  return crypto.getRandomValues(new Uint8Array(9)).toHex();
}

function sizeOf({ system, user, schema }: Prompt): number {
  return bytesOf(system + user + JSON.stringify(schema)).length;
}
