/**
 * The whole path with a model: the summarizer as a process that may reach the
 * model's host and nothing else beside the platform.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { startDevcore } from "../../deploy/devcore/devcore.ts";
import sample from "../../deploy/samples/sample_webhook.json" with {
  type: "json",
};
import { startModel } from "../../deploy/standins/llm.ts";
import type { Summary } from "../../lib/incident.ts";
import { startStand } from "../../scripts/launch/stand.ts";
import { envOf } from "../support/model_case.ts";

Deno.test("a webhook becomes a message with a model's reading, and only the summarizer may reach the model", async () => {
  await using core = await startDevcore({ reloadMs: 200 });
  await using model = startModel("obey");
  model.claims = (items) => [{
    section: "what",
    evidence: [items[0]!.id],
    quote: "64 of 64 connections in use",
    text: "64 of 64 connections of the database pool are in use.",
  }];
  await using stand = await startStand({
    platformEnv: core.env,
    env: (worker) =>
      worker === "summarizer"
        ? { ...envOf(model), LLM_TIMEOUT_MS: "20000" }
        : {},
  });
  const { answer } = await stand.send(sample);
  const runId = String(answer["run_id"]);
  const jobId = await stand.untilApproval(runId);
  const { context: { summary } } = await stand.job(jobId) as {
    context: { summary: Summary };
  };
  assertEquals(model.mistakes, []);
  assertEquals(model.asked.length, 1);
  assertEquals(summary.model, "openai:test-1", JSON.stringify(summary));
  const { host } = new URL(model.url);
  for (const worker of stand.workers.keys()) {
    const may = stand.permissions(worker).net.some((net) => net.host === host);
    assertEquals(may, worker === "summarizer", worker);
  }
  assert(summary.summary_md.includes("## A model's reading"));
});
