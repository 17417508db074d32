/**
 * The incident: a webhook as its source sends it, and the run that it starts.
 *
 * @module
 */
import { readConfig } from "../../lib/base/config.ts";
import type { JsonObject } from "../../lib/base/json.ts";
import type {
  EvidenceBundle,
  IncidentInput,
  Summary,
} from "../../lib/incident.ts";
import { readAdmitted } from "../../lib/intake/delivery.ts";
import { INTAKE_SETTINGS } from "../../lib/intake/settings.ts";
import { WEBHOOKS } from "../../lib/intake/webhooks.ts";
import { STATES } from "../../lib/summary/details.ts";
import type { WaitingJob } from "../../lib/operate/platform.ts";
import { CommandError } from "../terminal/command.ts";
import { inBytes } from "../terminal/format.ts";
import type { Scene, Transcript } from "./scene.ts";
import type { Sender } from "./senders.ts";

/** An incident that the ingester accepted, and the run that it started. */
export interface Accepted {
  runId: string;
  incidentId: string;
}

/** The incident that the ingester reads from a webhook of the sender. */
export async function readSent(
  body: string,
  { path }: Sender,
): Promise<IncidentInput> {
  const delivery = await readAdmitted(
    new TextEncoder().encode(body),
    WEBHOOKS.get(path)!,
    readConfig(INTAKE_SETTINGS, () => undefined),
  );
  if ("incident" in delivery) return delivery.incident;
  throw new CommandError(`The webhook starts no run: ${delivery.ignored}`);
}

/** Sends a webhook about an incident, and before it one that proves nothing. */
export async function sendIncident(
  { stand, say }: Scene,
  sender: Sender,
  body: string,
): Promise<Accepted> {
  say.begin("incident", "Incident");
  const { path } = sender;
  const proof = sender.prove(body);
  if (Object.keys(proof).length > 0) {
    await showRefused({ stand, say }, path, body);
  }
  const { status, answer } = await stand.send(body, { path, headers: proof });
  if (status !== 202) {
    throw new CommandError(
      `The ingester answered status ${status}: ${answer["error"]}`,
    );
  }
  const runId = String(answer["run_id"]);
  const incidentId = String(answer["incident_id"]);
  say.line(
    `${sender.what} sent for ${incidentId}, answered 202 with run ${runId}`,
  );
  return { runId, incidentId };
}

/**
 * Waits for a webhook that somebody else sends, and sends one before it that
 * proves nothing.
 *
 * @param fire Makes them send it.
 */
export async function awaitIncident(
  scene: Scene,
  { what, path }: Sender,
  fire: () => Promise<Accepted>,
): Promise<Accepted> {
  const { say } = scene;
  say.begin("incident", "Incident");
  await showRefused(scene, path, "{}");
  const accepted = await fire();
  say.line(
    `${what} came for ${accepted.incidentId}, answered 202 with run ${accepted.runId}`,
  );
  return accepted;
}

async function showRefused(
  { stand, say }: Pick<Scene, "stand" | "say">,
  path: string,
  body: string,
): Promise<void> {
  const { status } = await stand.send(body, { path });
  if (status !== 401) {
    throw new CommandError(
      `The ingester answered status ${status} to a webhook without proof of its sender, expected 401`,
    );
  }
  say.line("the same webhook from anybody else: refused with 401");
}

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
  { evidence, gaps = [], lookups = [], normalized_context }: EvidenceBundle,
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
  say.table(
    lookups.map(({ state, collector, question = "", why = "", evidence }) => [
      "look-up  ",
      STATES[state],
      collector,
      question,
      evidence?.map((id) => `[${id}]`).join("") ?? (state === "off" ? "" : why),
    ]),
  );
  const { facts = [] } = normalized_context ?? {};
  say.table(
    facts.flatMap(({ name, value, kind, evidence }) =>
      kind === undefined
        ? []
        : [["fact     ", `[${evidence}]`, kind, name, value]]
    ),
  );
}

function showSummary(
  { summary_md, model, confidence }: Summary,
  say: Transcript,
): void {
  say.line(`summarize  by ${model}, confidence ${confidence}`);
  say.block(summary_md.trim().split("\n").map((line) => `    | ${line}`));
}
