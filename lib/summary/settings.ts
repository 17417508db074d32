/**
 * The settings of the summarizer's model.
 *
 * @module
 */
import {
  type Config,
  integer,
  oneOf,
  optional,
  secret,
  type Setting,
  text,
  url,
} from "../base/config.ts";

/** Who may write a reading beside the built-in summary. */
export const PROVIDER_NAMES = [
  "mock",
  "builtin",
  "openai",
  "ollama",
  "anthropic",
] as const;

/** The step itself may take 90 s. */
const TIMEOUT_MS_MAX = 90_000;
const MODEL = /^[\w.:/@+-]{1,120}$/;

function model(name: string, about: string): Setting<string | undefined> {
  return optional(text(name, {
    about,
    pattern: MODEL,
    expected: "a model's name without blanks",
  }));
}

/** What the summarizer reads to find its model. */
export const MODEL_SETTINGS = {
  llmProvider: oneOf("LLM_PROVIDER", {
    values: PROVIDER_NAMES,
    fallback: "builtin",
    about:
      "which model reads the evidence, too: builtin or mock for none, openai, ollama or anthropic",
  }),
  llmTimeoutMs: integer("LLM_TIMEOUT_MS", {
    min: 100,
    max: TIMEOUT_MS_MAX,
    fallback: 30_000,
    about: "how long a model may take, with its one retry, in milliseconds",
  }),
  llmInputBytesMax: integer("LLM_INPUT_BYTES_MAX", {
    min: 512,
    max: 64 * 1024,
    fallback: 24 * 1024,
    about: "how much of the evidence a model is sent, in bytes",
  }),
  llmTokensMax: integer("LLM_TOKENS_MAX", {
    min: 64,
    max: 8_192,
    fallback: 1_500,
    about: "how long a model's answer may be, in tokens",
  }),
  llmDailyTokensMax: integer("LLM_DAILY_TOKENS_MAX", {
    min: 1_000,
    max: 1_000_000_000,
    fallback: 2_000_000,
    about: "how many tokens, in and out, all summaries of a day may use (UTC)",
  }),
  openaiApiKey: optional(secret("OPENAI_API_KEY", {
    about: "key for OpenAI, or for the server at OPENAI_BASE_URL",
  })),
  openaiModel: model("OPENAI_MODEL", "the model's name there"),
  openaiBaseUrl: url("OPENAI_BASE_URL", {
    fallback: "https://api.openai.com/v1",
    about: "OpenAI, or any server with its chat completions",
  }),
  ollamaUrl: url("OLLAMA_URL", {
    fallback: "http://127.0.0.1:11434",
    about: "where Ollama listens",
  }),
  ollamaModel: model("OLLAMA_MODEL", "the model's name there, pulled before"),
  anthropicApiKey: optional(secret("ANTHROPIC_API_KEY", {
    about: "key for Anthropic",
  })),
  anthropicModel: model("ANTHROPIC_MODEL", "the model's name there"),
  anthropicBaseUrl: url("ANTHROPIC_BASE_URL", {
    fallback: "https://api.anthropic.com",
    about: "Anthropic, or a proxy with its messages",
  }),
};

/** The settings of {@linkcode MODEL_SETTINGS}. */
export type ModelSettings = typeof MODEL_SETTINGS;

/** What {@linkcode MODEL_SETTINGS} were set to. */
export type ModelConfig = Config<ModelSettings>;
