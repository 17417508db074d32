/**
 * Deciding what waits for a person.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import { wait } from "../../lib/base/time.ts";
import { sha256Hex } from "../../lib/base/digest.ts";
import { GatewayError } from "../../lib/platform/gateway_error.ts";
import type { Platform } from "./platform.ts";

/** The topic whose jobs this pack's people decide. */
export const POST_TOPIC = "job.incident-enricher.post";

const MESSAGE_BYTES_MAX = 256 * 1024;
const SNAPSHOT_AGE_MS = 15_000;
const FOLLOW_POLL_MS = 300;
const APPROVE_ATTEMPTS = 3;
/** A job that cannot be placed comes back within this time. */
const BOUNCE_MS = 10_000;

/** What an approver decides on. */
export interface Proposal {
  jobId: string;
  runId: string;
  incidentId: string;
  title: string;
  mode: string;
  /** The message, if its bytes could be read. */
  text: string | undefined;
  blocks: JsonObject[];
  /** Of the bytes that were read, as the poster will compute it. */
  digest: string | undefined;
  /** Whether that is the digest that the summary names. */
  digestHolds: boolean;
  evidence: { id: string; title: string; pointer: string }[];
  /** When the evidence was collected, as it stands there, unchecked. */
  collectedAt: unknown;
  /** Whether the job's input is still there; it lives for 24 hours. */
  expired: boolean;
}

/** Reads what a waiting post job would send. */
export async function readProposal(
  platform: Platform,
  jobId: string,
  signal: AbortSignal,
): Promise<Proposal> {
  const job = await platform.call("GET", `/jobs/${encodeURIComponent(jobId)}`);
  const context = (job["context"] ?? {}) as JsonObject;
  const incident = (context["incident"] ?? {}) as JsonObject;
  const summary = (context["summary"] ?? {}) as JsonObject;
  const bundle = (context["evidence"] ?? {}) as JsonObject;
  const normalized = (bundle["normalized_context"] ?? {}) as JsonObject;
  const pointer = summary["message_ptr"];
  const message = typeof pointer === "string"
    ? await readMessage(platform, pointer, signal)
    : undefined;
  return {
    jobId,
    runId: String(job["run_id"] ?? ""),
    incidentId: String(incident["incident_id"] ?? "unknown"),
    title: String(normalized["title"] ?? incident["title"] ?? ""),
    mode: String(
      ((incident["destination"] ?? {}) as JsonObject)["mode"] ?? "artifact",
    ),
    text: message?.text,
    blocks: message?.blocks ?? [],
    digest: message?.digest,
    digestHolds: message !== undefined &&
      message.digest === summary["message_sha256"],
    evidence: ((bundle["evidence"] ?? []) as JsonObject[]).map((item, at) => ({
      id: String(item["id"] ?? `E${at + 1}`),
      title: String(item["title"]),
      pointer: String(item["artifact_ptr"]),
    })),
    collectedAt: bundle["collected_at"],
    expired: job["context"] === null || job["context"] === undefined,
  };
}

async function readMessage(
  platform: Platform,
  pointer: string,
  signal: AbortSignal,
): Promise<{ text: string; blocks: JsonObject[]; digest: string } | undefined> {
  try {
    const { bytes } = await platform.gateway.readArtifact(
      pointer,
      MESSAGE_BYTES_MAX,
      signal,
    );
    const { text, blocks } = JSON.parse(new TextDecoder().decode(bytes));
    return { text, blocks, digest: await sha256Hex(bytes) };
  } catch (error) {
    if (error instanceof GatewayError || error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  }
}

export { renderBlocks } from "../../lib/message/text.ts";

/** Whether a worker is there to take an approved job. */
export async function workerReady(
  platform: Platform,
  topic: string,
): Promise<"yes" | "no" | "unknown"> {
  const snapshot = await platform.workers();
  if (
    snapshot !== undefined && Date.now() - snapshot.capturedMs < SNAPSHOT_AGE_MS
  ) {
    return snapshot.topics[topic]?.available ? "yes" : "no";
  }
  if (topic !== POST_TOPIC) return "unknown";
  // Cordum 1.0 says how long ago each worker was heard of.
  const workers = await platform.call("GET", "/workers") as unknown;
  const items =
    (Array.isArray(workers)
      ? workers
      : (workers as JsonObject)["items"] ?? []) as JsonObject[];
  const ages = items.filter(({ pool }) => pool === "incident-enricher-post")
    .map(({ heartbeat_age_seconds: age }) => age).filter((age) =>
      typeof age === "number"
    );
  if (ages.length === 0) return "unknown";
  return Math.min(...ages) < SNAPSHOT_AGE_MS / 1000 ? "yes" : "no";
}

/** How an approval went on. */
export type Followed =
  | { end: "succeeded"; result: JsonObject; job: JsonObject }
  | { end: "failed"; code: string; message: string; job: JsonObject }
  /** It waits for approval again. */
  | { end: "bounced" }
  | { end: "still running"; state: string };

/**
 * Approves a job with an empty body: a reason would make it unplaceable.
 *
 * @throws {GatewayError} If the gateway refuses, or fails while the job goes on
 * waiting.
 */
export async function approve(
  platform: Platform,
  jobId: string,
): Promise<"approved" | "decided already"> {
  const made = await decide(platform, `${encodeURIComponent(jobId)}/approve`);
  return made ? "approved" : "decided already";
}

/** Rejects a job. @throws {GatewayError} As {@linkcode approve} does. */
export async function reject(
  platform: Platform,
  jobId: string,
  reason: string,
): Promise<"rejected" | "decided already"> {
  const path = `${encodeURIComponent(jobId)}/reject`;
  const made = await decide(platform, path, { json: { reason } });
  return made ? "rejected" : "decided already";
}

/** @returns Whether it was this decision; if not, the job waits no longer. */
async function decide(
  platform: Platform,
  path: string,
  body?: { json: unknown },
): Promise<boolean> {
  for (let attempt = 1;; attempt++) {
    try {
      await platform.call("POST", `/approvals/${path}`, body);
      return true;
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      if (error.status === 409 && /not awaiting|resolved/.test(error.detail)) {
        return false;
      }
      // A failed answer does not say what became of the decision (two at a
      // time give one of them a 500 on coretexOS 0.6): the job's record does.
      if (!error.unavailable) throw error;
      if (!await isWaiting(platform, path.split("/")[0]!)) return false;
      if (attempt === APPROVE_ATTEMPTS) throw error;
      await wait(FOLLOW_POLL_MS, platform.signal);
    }
  }
}

async function isWaiting(
  platform: Platform,
  escapedId: string,
): Promise<boolean> {
  const job = await platform.call("GET", `/jobs/${escapedId}`);
  return job["state"] === "APPROVAL_REQUIRED";
}

/** Follows an approved job until it ends or waits again. */
export async function follow(
  platform: Platform,
  jobId: string,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<Followed> {
  const started = performance.now();
  let state = "";
  while (performance.now() - started < timeoutMs) {
    const job = await platform.call(
      "GET",
      `/jobs/${encodeURIComponent(jobId)}`,
    );
    state = String(job["state"]);
    if (state === "SUCCEEDED") {
      return {
        end: "succeeded",
        result: (job["result"] ?? {}) as JsonObject,
        job,
      };
    }
    if (["FAILED", "DENIED", "CANCELLED", "TIMEOUT"].includes(state)) {
      const code = String(job["error_code"] ?? "");
      return {
        end: "failed",
        code,
        message: String(job["error_message"] ?? `job state ${state}`),
        job,
      };
    }
    if (state === "APPROVAL_REQUIRED") return { end: "bounced" };
    await wait(FOLLOW_POLL_MS, signal);
  }
  return { end: "still running", state };
}

/** How long to follow before a bounce is out of the question. */
export const FOLLOW_MS: number = BOUNCE_MS + 120_000;
