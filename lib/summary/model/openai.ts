/**
 * OpenAI's chat completions, which vLLM, llama.cpp, LiteLLM and others speak,
 * too.
 *
 * @see https://platform.openai.com/docs/api-reference/chat
 * @module
 */
import { isObject, objectOf, stringOf } from "../../base/json.ts";
import { tokensOf } from "./tokens.ts";
import type { Provider } from "./provider.ts";

const OWN_HOST = "api.openai.com";
const SEED = 7;
/** A 429 with one of these codes stays one. */
const SPENT = /quota|credit_balance|spend_limit|usage_limit|billing_hard_limit/;

export const openai: Provider = {
  name: "openai",
  title: "OpenAI",
  urlVariable: "OPENAI_BASE_URL",
  missing: ({ openaiApiKey, openaiModel, openaiBaseUrl }) => [
    ...openaiModel === undefined ? ["OPENAI_MODEL"] : [],
    // A server of one's own may want no key.
    ...openaiApiKey === undefined && isOwn(openaiBaseUrl)
      ? ["OPENAI_API_KEY"]
      : [],
  ],
  url: ({ openaiBaseUrl }) => openaiBaseUrl,
  model: ({ openaiModel = "" }) => openaiModel,
  takesLengths: ({ openaiBaseUrl }) => !isOwn(openaiBaseUrl),
  call: ({ system, user, schema, tokensMax }, config) => {
    const { openaiApiKey: key, openaiModel: model, openaiBaseUrl } = config;
    return {
      path: "/chat/completions",
      headers: key === undefined ? {} : { Authorization: `Bearer ${key}` },
      body: {
        model,
        messages: [
          { role: "system", content: system },
          { role: "user", content: user },
        ],
        response_format: {
          type: "json_schema",
          json_schema: { name: "reading", strict: true, schema },
        },
        temperature: 0,
        seed: SEED,
        // Others know only the older name; OpenAI's newer models refuse it.
        ...isOwn(openaiBaseUrl)
          ? { max_completion_tokens: tokensMax, store: false }
          : { max_tokens: tokensMax },
      },
    };
  },
  read({ choices, usage }) {
    const tokens = tokensOf(usage, "prompt_tokens", "completion_tokens");
    const choice = Array.isArray(choices) ? objectOf(choices[0]) : undefined;
    const message = objectOf(choice?.["message"]);
    if (choice === undefined || message === undefined) {
      return { ...tokens, failed: "garbled" };
    }
    const reason = stringOf(choice["finish_reason"]);
    if (stringOf(message["refusal"]) !== "" || reason === "content_filter") {
      return { ...tokens, failed: "refusal" };
    }
    if (reason === "length") return { ...tokens, failed: "cut" };
    const { content } = message;
    return typeof content === "string"
      ? { ...tokens, text: content }
      : { ...tokens, failed: "garbled" };
  },
  adjust(body, refused) {
    const error = isObject(refused) ? objectOf(refused["error"]) : undefined;
    const { temperature: _, seed: __, ...rest } = body;
    switch (stringOf(error?.["param"])) {
      // Models that think take neither.
      case "temperature":
      case "seed":
        return rest;
      case "max_tokens": {
        const { max_tokens, ...others } = rest;
        return { ...others, max_completion_tokens: max_tokens };
      }
      default:
        return undefined;
    }
  },
  isFinal(body) {
    const error = isObject(body) ? objectOf(body["error"]) : undefined;
    return SPENT.test(
      `${stringOf(error?.["code"])} ${stringOf(error?.["type"])}`,
    );
  },
};

function isOwn(url: string): boolean {
  return new URL(url).hostname === OWN_HOST;
}
