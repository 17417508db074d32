/**
 * Ollama's own chat.
 *
 * @see https://github.com/ollama/ollama/blob/main/docs/api.md
 * @module
 */
import { objectOf, stringOf } from "../../base/json.ts";
import type { Provider } from "./provider.ts";
import { tokensOf, tokensUpTo } from "./tokens.ts";

const SEED = 7;
/** For the instructions, the schema and the marks around the evidence. */
const OTHER_TOKENS = 1_500;

export const ollama: Provider = {
  name: "ollama",
  title: "Ollama",
  urlVariable: "OLLAMA_URL",
  missing: ({ ollamaModel }) =>
    ollamaModel === undefined ? ["OLLAMA_MODEL"] : [],
  url: ({ ollamaUrl }) => ollamaUrl,
  model: ({ ollamaModel = "" }) => ollamaModel,
  takesLengths: () => true,
  call: ({ system, user, schema, tokensMax }, config) => ({
    path: "/api/chat",
    headers: {},
    body: {
      model: config.ollamaModel,
      // Absent, it is a stream of lines.
      stream: false,
      messages: [
        { role: "system", content: system },
        { role: "user", content: user },
      ],
      format: schema,
      options: {
        temperature: 0,
        seed: SEED,
        num_predict: tokensMax,
        // A longer prompt would be cut without a word. Always the same, since
        // each change loads the model anew.
        num_ctx: tokensUpTo(config.llmInputBytesMax) + OTHER_TOKENS +
          config.llmTokensMax,
      },
      keep_alive: "5m",
    },
  }),
  read(body) {
    const tokens = tokensOf(body, "prompt_eval_count", "eval_count");
    const content = objectOf(body["message"])?.["content"];
    const reason = stringOf(body["done_reason"]);
    if (reason === "length") return { ...tokens, failed: "cut" };
    return typeof content === "string" && body["done"] === true
      ? { ...tokens, text: content }
      : { ...tokens, failed: "garbled" };
  },
};
