/**
 * Anthropic's messages.
 *
 * @see https://docs.claude.com/en/api/messages
 * @module
 */
import { isObject, objectOf, stringOf } from "../../base/json.ts";
import type { Provider } from "./provider.ts";
import { tokensOf } from "./tokens.ts";

const VERSION = "2023-06-01";

export const anthropic: Provider = {
  name: "anthropic",
  title: "Anthropic",
  urlVariable: "ANTHROPIC_BASE_URL",
  missing: ({ anthropicApiKey, anthropicModel }) => [
    ...anthropicApiKey === undefined ? ["ANTHROPIC_API_KEY"] : [],
    ...anthropicModel === undefined ? ["ANTHROPIC_MODEL"] : [],
  ],
  url: ({ anthropicBaseUrl }) => anthropicBaseUrl,
  model: ({ anthropicModel = "" }) => anthropicModel,
  takesLengths: () => false,
  call: ({ system, user, schema, tokensMax }, config) => ({
    path: "/v1/messages",
    headers: {
      "x-api-key": config.anthropicApiKey ?? "",
      "anthropic-version": VERSION,
    },
    body: {
      model: config.anthropicModel,
      max_tokens: tokensMax,
      temperature: 0,
      system,
      messages: [{ role: "user", content: user }],
      output_config: { format: { type: "json_schema", schema } },
    },
  }),
  read({ content, stop_reason, usage }) {
    const tokens = tokensOf(usage, "input_tokens", "output_tokens");
    const reason = stringOf(stop_reason);
    if (reason === "refusal") return { ...tokens, failed: "refusal" };
    if (/^(?:max_tokens|model_context_window_exceeded)$/.test(reason)) {
      return { ...tokens, failed: "cut" };
    }
    const texts = (Array.isArray(content) ? content.filter(isObject) : [])
      .filter(({ type }) => type === "text")
      .map(({ text }) => stringOf(text));
    return texts.length === 0
      ? { ...tokens, failed: "garbled" }
      : { ...tokens, text: texts.join("") };
  },
  isFinal(body) {
    const error = isObject(body) ? objectOf(body["error"]) : undefined;
    const details = objectOf(error?.["details"]);
    return stringOf(details?.["error_code"]) === "enforced_spend_limit_reached";
  },
};
