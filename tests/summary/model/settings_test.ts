/**
 * Which settings of a model a summarizer starts with.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { readConfig } from "../../../lib/base/config.ts";
import { ConfigError } from "../../../lib/base/errors.ts";
import { checkModel } from "../../../lib/summary/model/providers.ts";
import { MODEL_SETTINGS } from "../../../lib/summary/settings.ts";

const check = (env: Record<string, string>) =>
  checkModel(
    readConfig(MODEL_SETTINGS, (name) => env[name], () => "from a file"),
  );
const OPENAI = {
  LLM_PROVIDER: "openai",
  OPENAI_API_KEY: "k",
  OPENAI_MODEL: "m",
};

const GOOD: readonly Record<string, string>[] = [
  {},
  { LLM_PROVIDER: "mock" },
  // What is not asked needs nothing.
  { LLM_PROVIDER: "builtin", OPENAI_API_KEY: "k" },
  OPENAI,
  { ...OPENAI, OPENAI_API_KEY: "", OPENAI_API_KEY_FILE: "/run/key" },
  {
    LLM_PROVIDER: "openai",
    OPENAI_MODEL: "m",
    OPENAI_BASE_URL: "http://127.0.0.1:8000/v1",
  },
  { LLM_PROVIDER: "Ollama", OLLAMA_MODEL: "llama3.2:3b" },
  {
    LLM_PROVIDER: "anthropic",
    ANTHROPIC_API_KEY: "k",
    ANTHROPIC_MODEL: "m",
    LLM_TIMEOUT_MS: "90000",
    LLM_INPUT_BYTES_MAX: "65536",
  },
  { ...OPENAI, LLM_DAILY_TOKENS_MAX: "12359" },
];
for (const env of GOOD) {
  Deno.test(`a summarizer starts with ${JSON.stringify(env)}`, () => {
    assertEquals(check(env), undefined);
  });
}

const BAD: readonly [env: Record<string, string>, why: string][] = [
  [
    { LLM_PROVIDER: "gpt" },
    "LLM_PROVIDER must be one of mock, builtin, openai, ollama, anthropic",
  ],
  [
    { LLM_PROVIDER: "openai" },
    "LLM_PROVIDER is openai, so OPENAI_MODEL and OPENAI_API_KEY must be set",
  ],
  [
    { LLM_PROVIDER: "openai", OPENAI_MODEL: "m" },
    "LLM_PROVIDER is openai, so OPENAI_API_KEY must be set",
  ],
  [
    { LLM_PROVIDER: "ollama" },
    "LLM_PROVIDER is ollama, so OLLAMA_MODEL must be set",
  ],
  [
    { LLM_PROVIDER: "anthropic", ANTHROPIC_API_KEY: "k" },
    "LLM_PROVIDER is anthropic, so ANTHROPIC_MODEL must be set",
  ],
  [
    { ...OPENAI, OPENAI_MODEL: "a model" },
    "OPENAI_MODEL must be a model's name without blanks",
  ],
  [
    { ...OPENAI, OPENAI_BASE_URL: "https://me:pw@api.example/v1" },
    "OPENAI_BASE_URL must be http or https, without user, query or fragment",
  ],
  [
    { ...OPENAI, OPENAI_BASE_URL: "https://api.example/v1?key=x" },
    "OPENAI_BASE_URL must be http or https, without user, query or fragment",
  ],
  [
    { ...OPENAI, OPENAI_BASE_URL: "ftp://api.example" },
    "OPENAI_BASE_URL must be http or https, without user, query or fragment",
  ],
  [
    { ...OPENAI, LLM_TIMEOUT_MS: "90001" },
    "LLM_TIMEOUT_MS must be a whole number from 100 to 90000",
  ],
  [
    { ...OPENAI, LLM_INPUT_BYTES_MAX: "65537" },
    "LLM_INPUT_BYTES_MAX must be a whole number from 512 to 65536",
  ],
  [
    { ...OPENAI, LLM_DAILY_TOKENS_MAX: "12358" },
    "LLM_DAILY_TOKENS_MAX must be at least 12359, which one summary may use by LLM_INPUT_BYTES_MAX and LLM_TOKENS_MAX",
  ],
];
for (const [env, why] of BAD) {
  Deno.test(`a summarizer does not start with ${JSON.stringify(env)}`, () => {
    assertThrows(() => check(env), ConfigError, why);
  });
}

Deno.test("a summarizer warns of a model whose evidence would travel unencrypted", () => {
  const url = (OPENAI_BASE_URL: string) =>
    check({ ...OPENAI, OPENAI_BASE_URL });
  assertEquals(
    url("http://vllm.internal:8000/v1"),
    "OPENAI_BASE_URL is not https: the evidence and any key travel unencrypted",
  );
  assertEquals(url("http://localhost:8000/v1"), undefined);
});
