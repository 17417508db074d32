/**
 * Every provider of models, and what the chosen one needs to reach.
 *
 * @module
 */
import { hostWithPort, isLoopback } from "../../base/address.ts";
import { ConfigError } from "../../base/errors.ts";
import { anthropic } from "./anthropic.ts";
import { ollama } from "./ollama.ts";
import { openai } from "./openai.ts";
import type { Provider } from "./provider.ts";
import type { ModelConfig } from "../settings.ts";
import { tokensUpTo } from "./tokens.ts";

const PROVIDERS: readonly Provider[] = [openai, ollama, anthropic];
/** For the instructions and the schema. */
const OWN_BYTES = 8_000;

/** The chosen provider; `undefined` for the built-in alone. */
export function providerOf(
  { llmProvider }: Pick<ModelConfig, "llmProvider">,
): Provider | undefined {
  return PROVIDERS.find(({ name }) => name === llmProvider);
}

/** The one host that the chosen provider needs; none for the built-in alone. */
export function reachOf(
  config: ModelConfig,
): { readonly host: string; readonly why: string }[] {
  const provider = providerOf(config);
  if (provider === undefined) return [];
  return [{
    host: hostWithPort(new URL(provider.url(config))),
    why: provider.title,
  }];
}

/**
 * Stops a worker whose settings contradict each other.
 *
 * @returns What it should be warned of.
 * @throws {ConfigError} Names the variables, never their values.
 */
export function checkModel(config: ModelConfig): string | undefined {
  const provider = providerOf(config);
  if (provider === undefined) return undefined;
  const { name, urlVariable } = provider;
  const missing = provider.missing(config);
  if (missing.length > 0) {
    throw new ConfigError(
      `LLM_PROVIDER is ${name}, so ${missing.join(" and ")} must be set`,
    );
  }
  const url = new URL(provider.url(config));
  if (
    !/^https?:$/.test(url.protocol) || url.username !== "" ||
    url.password !== "" || url.search !== "" || url.hash !== ""
  ) {
    throw new ConfigError(
      `${urlVariable} must be http or https, without user, query or fragment`,
    );
  }
  const { llmInputBytesMax, llmTokensMax, llmDailyTokensMax } = config;
  const least = tokensUpTo(llmInputBytesMax + OWN_BYTES) + llmTokensMax;
  if (llmDailyTokensMax < least) {
    throw new ConfigError(
      `LLM_DAILY_TOKENS_MAX must be at least ${least}, which one summary may use by LLM_INPUT_BYTES_MAX and LLM_TOKENS_MAX`,
    );
  }
  return url.protocol === "http:" && !isLoopback(url.hostname)
    ? `${urlVariable} is not https: the evidence and any key travel unencrypted`
    : undefined;
}
