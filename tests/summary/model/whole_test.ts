/**
 * A model's part in a summary, through the whole summarizer.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { startModel } from "../../../deploy/standins/llm.ts";
import { caseOf, envOf, summarizeCase } from "../../support/model_case.ts";

const CASE = await caseOf();
const LAG = {
  section: "what",
  evidence: ["E2"],
  quote: "lag of db-1.prod is 212 s",
  text: "Replication lag of db-1.prod reached 212 s, limit 30 s.",
};
const CAUSE = {
  section: "cause",
  evidence: ["E3", "E4"],
  quote: "Deployed orders-api v2.14.0",
  text:
    "The release of orders-api v2.14.0 may have filled its connection pool.",
};
const NEXT = {
  section: "next",
  evidence: ["E4"],
  quote: "write stalled for 41 s",
  text: "Check why the write stalled on db-1.prod.",
};

for (const provider of ["openai", "ollama", "anthropic"]) {
  Deno.test(`a summary shows what a model of ${provider} adds, each line cited and marked as the model's`, async () => {
    await using model = startModel("obey");
    model.claims = () => [LAG, CAUSE, NEXT];
    const env = envOf(model, provider);
    const { lines, markdown, summary, record } = await summarizeCase(CASE, {
      env,
    });
    assertEquals(model.mistakes, []);
    const at = lines.indexOf("◆ A model's reading of the same evidence");
    assert(at > 0, lines.join("\n"));
    assertEquals(lines.slice(at + 1, at + 4), [
      "• Replication lag of db-1.prod reached 212 s, limit 30 s. [E2]",
      "• Possible cause: The release of orders-api v2.14.0 may have filled its connection pool. [E3, E4]",
      "• Next: Check why the write stalled on db-1.prod. [E4]",
    ]);
    assertStringIncludes(markdown, "## A model's reading");
    assertEquals(
      summary.model,
      `${provider}:test-1${provider === "ollama" ? ":3b" : ""}`,
    );
    assertEquals(record.outcome, "read");
    assertEquals(record.kept.length, 3);
  });
}

Deno.test("without a provider a summary has the same bytes, reads no evidence and asks nobody", async () => {
  await using model = startModel("well");
  const plain = await summarizeCase(CASE);
  for (const LLM_PROVIDER of ["builtin", "mock"]) {
    const off = await summarizeCase({ ...CASE, stored: new Map() }, {
      env: { ...envOf(model), LLM_PROVIDER },
    });
    assertEquals(off.messageJson, plain.messageJson);
    assertEquals(off.markdown, plain.markdown);
    assertEquals(off.summary.model, "builtin");
    assertEquals(off.record, undefined);
  }
  assertEquals(model.asked, []);
});
