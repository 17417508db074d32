/**
 * Whatever a model does wrong, the built-in summary stands, and says why it is
 * alone.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  FAILING,
  type Manner,
  startModel,
} from "../../../deploy/standins/llm.ts";
import { StoreError } from "../../../lib/platform/store.ts";
import { caseOf, envOf, summarizeCase } from "../../support/model_case.ts";

const CASE = await caseOf();
const PLAIN = await summarizeCase(CASE);
const NOTE = "◆ No reading by the model: ";

/** What the small print says of each failure. */
const WHY: Readonly<Partial<Record<Manner, string>>> = {
  "cut": "its answer was too long",
  "refuse": "it declined to answer",
  "abstain": "it finds the evidence inconclusive",
  "hang": "it did not answer within 1 s",
  "429": "it is asked too often (429)",
  "spent": "it is asked too often (429)",
  "500": "it could not answer (500)",
  "401": "it could not answer (401)",
  "redirect": "it could not answer (302)",
  "html": "its answer could not be read",
  "garbage": "its answer could not be read",
  "prose": "its answer could not be read",
  "null": "its answer could not be read",
  "huge": "its answer could not be read",
};

/** The message without the line on the model. */
function withoutNote(message: string): string {
  const { text, blocks } = JSON.parse(message);
  const elements = blocks.at(-1).elements.filter((
    { text }: { text: string },
  ) => !text.startsWith(NOTE));
  return JSON.stringify({
    text,
    blocks: [...blocks.slice(0, -1), { ...blocks.at(-1), elements }],
  });
}

for (const provider of ["openai", "ollama", "anthropic"]) {
  for (const manner of FAILING) {
    Deno.test(`a model of ${provider} that answers with "${manner}" leaves the built-in's message and one line`, async () => {
      await using model = startModel(manner);
      const env = { ...envOf(model, provider), LLM_TIMEOUT_MS: "700" };
      const started = performance.now();
      const { messageJson, summary, lines, record } = await summarizeCase(
        CASE,
        { env },
      );
      const ms = performance.now() - started;
      assert(ms < 1_500, `${ms}`);
      const small = lines.find((line) => line.includes(NOTE)) ?? "";
      // Ollama has no word for a refusal; its answer is prose.
      const why = provider === "ollama" && manner === "refuse"
        ? WHY.prose!
        : WHY[manner]!;
      assertStringIncludes(small, NOTE + why);
      assertEquals(withoutNote(messageJson), PLAIN.messageJson);
      assertEquals(summary.model, "builtin");
      assertEquals(summary.highlights, PLAIN.summary.highlights);
      assertEquals(record?.outcome === "read", false);
      const attempts = ["429", "500"].includes(manner) ||
          manner === "spent" && provider === "ollama"
        ? 2
        : 1;
      assertEquals(model.asked.length, attempts);
      assertEquals(model.mistakes, []);
    });
  }
}

for (const manner of ["429 once", "500 once", "slow", "picky"] as const) {
  Deno.test(`a model that answers with "${manner}" is heard within its time`, async () => {
    await using model = startModel(manner);
    const { summary } = await summarizeCase(CASE, { env: envOf(model) });
    assertEquals(summary.model, "openai:test-1");
    assertEquals(model.asked.length, manner === "slow" ? 1 : 2);
  });
}

Deno.test("a retry that would not end in time is not made", async () => {
  await using model = startModel("500");
  const env = { ...envOf(model), LLM_TIMEOUT_MS: "300" };
  await summarizeCase(CASE, { env });
  assertEquals(model.asked.length, 1);
});

Deno.test("a model is not asked with less time than the step has left", async () => {
  await using model = startModel("hang");
  const whole = await summarizeCase(CASE, {
    env: { ...envOf(model), LLM_TIMEOUT_MS: "90000" },
    leftMs: () => 10_400,
  });
  assertStringIncludes(whole.messageJson, `${NOTE}it did not answer within`);
  const none = await summarizeCase(CASE, {
    env: envOf(model),
    leftMs: () => 9_000,
  });
  assertStringIncludes(none.messageJson, `${NOTE}there was no time left`);
  const policy = await summarizeCase(CASE, {
    env: envOf(model),
    constraints: { runtimeMsMax: 10_050 },
  });
  assertStringIncludes(policy.messageJson, `${NOTE}there was no time left`);
  assertEquals(model.asked.length, 1);
});

Deno.test("a model that is down leaves the built-in's message", async () => {
  const env = envOf({ url: "http://127.0.0.1:1" });
  const { messageJson } = await summarizeCase(CASE, { env });
  assertStringIncludes(messageJson, `${NOTE}it could not be reached`);
});

Deno.test("policy's full redaction keeps all evidence from a model", async () => {
  await using model = startModel();
  const { messageJson } = await summarizeCase(CASE, {
    env: envOf(model),
    constraints: { redactionLevel: "full" },
  });
  assertStringIncludes(messageJson, `${NOTE}policy withholds the evidence`);
  assertEquals(model.asked, []);
});

Deno.test("policy's list of hosts holds for a model", async () => {
  await using model = startModel();
  const { host } = new URL(model.url);
  for (
    const [networkAllowlist, count] of [[["api.example"], 0], [
      [host],
      1,
    ]] as const
  ) {
    const { messageJson } = await summarizeCase(CASE, {
      env: envOf(model),
      constraints: { networkAllowlist },
    });
    assertEquals(
      messageJson.includes("policy does not allow its host"),
      count === 0,
    );
    assertEquals(model.asked.length, count);
  }
});

Deno.test("a job's own budget of tokens holds for a model", async () => {
  await using model = startModel();
  const unlimited = { input: Infinity, output: Infinity, total: Infinity };
  for (const tight of [{ input: 100 }, { total: 1_000 }]) {
    const { messageJson } = await summarizeCase(CASE, {
      env: envOf(model),
      tokens: { ...unlimited, ...tight },
    });
    assertStringIncludes(messageJson, `${NOTE}its tokens for this incident`);
  }
  assertEquals(model.asked, []);
  await summarizeCase(CASE, {
    env: envOf(model),
    tokens: { ...unlimited, output: 300 },
  });
  assertEquals(model.asked[0]!["max_tokens"], 300);
});

Deno.test("a day's tokens are counted under one key, and no model is asked beyond them", async () => {
  await using model = startModel();
  const env = { ...envOf(model), LLM_DAILY_TOKENS_MAX: "13000" };
  const first = await summarizeCase(CASE, { env });
  const [[key, used]] = [...first.numbers] as [[string, number]];
  assert(/^incident-enricher:tokens:\d{4}-\d\d-\d\d$/.test(key), key);
  // What was set aside and not used is given back.
  const { tokens } = first.record;
  assertEquals(used, tokens.input + tokens.output);
  const later = await summarizeCase(CASE, {
    env,
    numbers: [[key, 12_500]],
  });
  assertStringIncludes(
    later.messageJson,
    `${NOTE}its tokens for today are used up`,
  );
  assertEquals([...later.numbers], [[key, 12_500]]);
  assertEquals(later.record, undefined);
  assertEquals(model.asked.length, 1);
});

Deno.test("a model is not asked if its tokens cannot be counted", async () => {
  await using model = startModel();
  const { messageJson } = await summarizeCase(CASE, {
    env: envOf(model),
    add: () => Promise.reject(new StoreError("refused", "NOPERM")),
  });
  assertStringIncludes(messageJson, `${NOTE}its tokens could not be counted`);
  assertEquals(model.asked, []);
});

Deno.test("evidence that cannot be read is not sent, and none of it is no question", async () => {
  await using model = startModel();
  const { messageJson } = await summarizeCase(
    { ...CASE, stored: new Map() },
    { env: envOf(model) },
  );
  assertStringIncludes(messageJson, `${NOTE}no evidence could be read`);
  assertEquals(model.asked, []);
});
