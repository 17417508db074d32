/**
 * The run: evidence, summary, and a post that waits for approval.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import type { EvidenceBundle, Summary } from "../../lib/incident.ts";
import type { WaitingJob } from "../../lib/operate/platform.ts";
import { inBytes } from "../terminal/format.ts";
import type { Scene, Transcript } from "./scene.ts";

/** What the steps of a run have given so far. */
export function outputsOf(
  run: JsonObject,
): { fetch: EvidenceBundle | undefined; summarize: Summary | undefined } {
  const { steps = {} } = (run["context"] ?? {}) as {
    steps?: Record<string, { output?: unknown }>;
  };
  return {
    fetch: steps["fetch"]?.output as EvidenceBundle | undefined,
    summarize: steps["summarize"]?.output as Summary | undefined,
  };
}

/** Shows a run's steps until its post waits for approval. */
export async function followRun(
  { stand, say }: Scene,
  runId: string,
): Promise<WaitingJob> {
  say.begin("run");
  const shown = new Set<string>();
  const once = (what: string) => !shown.has(what) && shown.add(what);
  const post = await stand.untilWaiting(runId, (run) => {
    const { fetch, summarize } = outputsOf(run);
    if (fetch && once("fetch")) showEvidence(fetch, say);
    if (summarize && once("summarize")) showSummary(summarize, say);
  });
  say.line(`post       waits for approval, demanded by rule ${post.ruleId}`);
  return post;
}

function showEvidence(
  { evidence, gaps = [] }: EvidenceBundle,
  say: Transcript,
): void {
  say.line(
    `fetch      ${evidence.length} pieces of evidence, each an artifact`,
  );
  for (const { id, kind, title, bytes, artifact_ptr } of evidence) {
    say.line(
      `           [${id}] ${title} (${kind}, ${
        inBytes(bytes)
      }) ${artifact_ptr}`,
    );
  }
  for (const { what, why } of gaps) {
    say.line(`           missing: ${what}, ${why}`);
  }
}

function showSummary(
  { summary_md, model, confidence }: Summary,
  say: Transcript,
): void {
  say.line(`summarize  by ${model}, confidence ${confidence}`);
  say.block(summary_md.trim().split("\n").map((line) => `    | ${line}`));
}
