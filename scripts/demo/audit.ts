/**
 * The audit trail: every artifact of a run, and who did what.
 *
 * @module
 */
import { sha256Hex } from "../../lib/base/digest.ts";
import type { WorkerName } from "../launch/permissions.ts";
import type { Stand } from "../launch/stand.ts";
import { CommandError } from "../terminal/command.ts";
import { inBytes } from "../terminal/format.ts";
import type { Decided } from "./approval.ts";
import { type Accepted, outputsOf } from "./incident.ts";
import type { Scene } from "./scene.ts";

const ARTIFACT_BYTES_MAX = 8 * 1024 * 1024;
const RIGHT = "digest ok";

/** Shows the post's result and every artifact. @returns What that shows. */
export async function showAuditTrail(
  { stand, say }: Scene,
  { runId, incidentId }: Accepted,
  decided: Decided,
): Promise<string> {
  say.begin("audit trail", "Audit trail");
  const result = decided.end === "posted" ? decided.result : undefined;
  for (const [name, value] of Object.entries(result ?? {})) {
    const text = typeof value === "object" ? JSON.stringify(value) : value;
    say.line(`${name.padEnd(16)} ${text}`);
  }
  const { fetch, summarize } = outputsOf(await stand.readRun(runId));
  const pointers = [
    ...fetch!.evidence.map(({ artifact_ptr }) => artifact_ptr),
    summarize!.artifact_ptr,
    summarize!.message_ptr,
    summarize!.page_ptr,
    result?.artifact_ptr,
  ].filter((pointer) => pointer !== undefined);
  const rows: string[][] = [];
  for (const pointer of pointers) {
    rows.push(await checkArtifact(stand, pointer, incidentId));
  }
  say.table(rows);
  const wrong = rows.filter((row) => row.at(-1) !== RIGHT).length;
  if (wrong > 0) {
    throw new CommandError(`${wrong} artifacts are not what was stored`);
  }
  return `${rows.length} artifacts stored, read back, digests right`;
}

async function checkArtifact(
  { platform, signal }: Stand,
  pointer: string,
  incidentId: string,
): Promise<string[]> {
  const { bytes, labels, retention } = await platform.gateway.readArtifact(
    pointer,
    ARTIFACT_BYTES_MAX,
    signal,
  );
  const { kind = "", sha256 = "", incident_id: incident = incidentId } = labels;
  const right = await sha256Hex(bytes) === sha256 && incident === incidentId;
  return [
    pointer,
    kind,
    inBytes(bytes.length),
    retention,
    right ? RIGHT : "digest WRONG",
  ];
}

const STEPS: readonly (readonly [WorkerName, step: string])[] = [
  ["fetcher", "fetch"],
  ["summarizer", "summarize"],
  ["poster", "post"],
];

/**
 * Checks by the workers' own logs that each job went to the worker of its pool.
 *
 * @returns What that shows.
 */
export function checkRouting(
  { stand }: Scene,
  { runId }: Accepted,
  decided: Decided,
): string {
  const served = decided.end === "posted" ? STEPS : STEPS.slice(0, -1);
  for (const [worker, step] of served) {
    if (stand.workers.get(worker)!.hasLogged(`${runId}:${step}@`)) continue;
    throw new CommandError("A job did not go to the worker of its pool");
  }
  return `${served.length} topics, ${served.length} pools: each job went to the one worker of its pool`;
}
