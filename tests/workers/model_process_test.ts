/**
 * The whole path with a model: the summarizer as a process that may reach the
 * model's host and nothing else beside the platform.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { startDevcore } from "../../deploy/devcore/devcore.ts";
import sample from "../../deploy/samples/sample_webhook.json" with {
  type: "json",
};
import { startModel } from "../../deploy/standins/llm.ts";
import type { Summary } from "../../lib/incident.ts";
import { startStand } from "../../scripts/launch/stand.ts";
import { startDesk } from "../support/desk.ts";
import { envOf } from "../support/model_case.ts";

Deno.test("a webhook becomes a message with a model's reading, and only the summarizer may reach the model", async () => {
  await using core = await startDevcore({ reloadMs: 200 });
  await using model = startModel("obey");
  model.claims = (items) => [{
    section: "what",
    evidence: [items[0]!.id],
    quote: "64 of 64 connections in use",
    text: "64 of 64 connections of the database pool are in use.",
  }, {
    section: "what",
    evidence: [items[0]!.id],
    quote: "64 of 64 connections in use",
    text: "Only 7 of 64 connections of the database pool are in use.",
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
  const { claims, left_out, note = "", record_ptr = "" } = summary
    .model_reading!;
  assertEquals(claims.map(({ text }) => text), [
    "64 of 64 connections of the database pool are in use.",
  ]);
  assertEquals(left_out, [{
    text: "Only 7 of 64 connections of the database pool are in use.",
    why: "with a number or name that the evidence does not have",
  }]);
  assertMatch(note, /^1 of the model's 2 claims left out: /);
  // The approver sees both, and where to read what was said.
  await using desk = await startDesk(core.env);
  const { text } = await desk.get(`/posts/${encodeURIComponent(jobId)}`);
  assertStringIncludes(text, "A model's reading of the same evidence");
  assertStringIncludes(text, "Only 7 of 64 connections");
  assertStringIncludes(text, "that the evidence does not have");
  assertStringIncludes(text, record_ptr);
});
