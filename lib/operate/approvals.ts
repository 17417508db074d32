/**
 * Approving and rejecting jobs.
 *
 * @module
 */
import { sha256Hex } from "../base/digest.ts";
import { isObject, type JsonObject, objectOf, optional } from "../base/json.ts";
import { wait } from "../base/time.ts";
import { GatewayError } from "../platform/gateway_error.ts";
import { describeTooOld } from "../post/age.ts";
import { OperationError } from "./errors.ts";
import { POST_POOL, POST_TOPIC } from "./pack.ts";
import type { Platform } from "./platform.ts";

const MESSAGE_BYTES_MAX = 256 * 1024;
const SNAPSHOT_AGE_MS = 15_000;
const FOLLOW_POLL_MS = 300;
const ATTEMPTS = 3;
/** A job that cannot be placed comes back within 10 s; posting can take longer. */
const FOLLOW_MS = 130_000;

export interface Proposal {
  jobId: string;
  incidentId: string;
  title: string;
  mode: string;
  blocks: JsonObject[];
  /** SHA-256 of the message as the poster will compute it, if it could be read. */
  digest: string | undefined;
  /** Whether it is the digest that the summary names. */
  digestHolds: boolean;
  evidence: { id: string; title: string; pointer: string }[];
  /** When the evidence was collected. Unchecked. */
  collectedAt: unknown;
  /** Whether the job's input is gone; the platform keeps it for 24 hours. */
  expired: boolean;
}

/** The input of any job of this pack. Unchecked. */
export function readInput(job: JsonObject): {
  incident: JsonObject;
  evidence: JsonObject;
  /** The incident as the fetcher normalized it. */
  normalized: JsonObject;
  summary: JsonObject;
  expired: boolean;
} {
  const context = objectOf(job["context"]) ?? {};
  const evidence = objectOf(context["evidence"]) ?? {};
  return {
    // A fetch job's input is the incident itself.
    incident: objectOf(context["incident"]) ?? context,
    evidence,
    normalized: objectOf(evidence["normalized_context"]) ?? {},
    summary: objectOf(context["summary"]) ?? {},
    expired: job["context"] === null || job["context"] === undefined,
  };
}

/** Reads what a waiting job would post. */
export async function readProposal(
  platform: Platform,
  jobId: string,
): Promise<Proposal> {
  const job = await platform.job(jobId);
  const { incident, evidence, normalized, summary, expired } = readInput(job);
  const message = await readMessage(platform, summary["message_ptr"]);
  const items = (evidence["evidence"] ?? []) as JsonObject[];
  return {
    jobId,
    incidentId: String(incident["incident_id"] ?? "unknown"),
    title: String(normalized["title"] ?? incident["title"] ?? ""),
    mode: String(objectOf(incident["destination"])?.["mode"] ?? "artifact"),
    blocks: message?.blocks ?? [],
    digest: message?.digest,
    digestHolds: message !== undefined &&
      message.digest === summary["message_sha256"],
    evidence: items.map((item, at) => ({
      id: String(item["id"] ?? `E${at + 1}`),
      title: String(item["title"]),
      pointer: String(item["artifact_ptr"]),
    })),
    collectedAt: evidence["collected_at"],
    expired,
  };
}

async function readMessage(
  { gateway, signal }: Platform,
  pointer: unknown,
): Promise<{ blocks: JsonObject[]; digest: string } | undefined> {
  if (typeof pointer !== "string") return undefined;
  try {
    const { bytes } = await gateway.readArtifact(
      pointer,
      MESSAGE_BYTES_MAX,
      signal,
    );
    const { blocks } = JSON.parse(new TextDecoder().decode(bytes));
    return { blocks, digest: await sha256Hex(bytes) };
  } catch (error) {
    if (error instanceof GatewayError || error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  }
}

/** @throws {OperationError} If the poster would refuse the post. */
export function checkProposal(
  { expired, digestHolds, collectedAt }: Proposal,
  maxAgeS: number,
): void {
  if (expired) throw inputExpired();
  const tooOld = describeTooOld(collectedAt, { maxAgeS, nowMs: Date.now() });
  if (tooOld !== undefined) {
    throw new OperationError(
      `The poster would refuse it: ${tooOld}; reject it and start a new run`,
    );
  }
  if (!digestHolds) {
    throw new OperationError(
      "The message cannot be read, or is not the one that the summary names; the poster would refuse it",
    );
  }
}

export function inputExpired(): OperationError {
  return new OperationError(
    "The job's input has expired (it is kept for 24 hours); reject it and start a new run",
  );
}

/**
 * Checks that a worker is up that would take an approved job.
 *
 * @returns `false` if the platform does not tell.
 * @throws {OperationError} If none is up.
 */
export async function checkWorker(
  platform: Platform,
  topic: string,
): Promise<boolean> {
  const ready = await isWorkerReady(platform, topic);
  if (ready !== false) return ready === true;
  throw new OperationError(
    `No ${
      workerOf(topic)
    } is up to take the job; an approval given now would be lost. Start one first`,
  );
}

export function workerOf(topic: string): string {
  return topic === POST_TOPIC ? "poster" : "worker of that topic";
}

async function isWorkerReady(
  platform: Platform,
  topic: string,
): Promise<boolean | undefined> {
  const snapshot = await platform.workers();
  if (
    snapshot !== undefined && Date.now() - snapshot.capturedMs < SNAPSHOT_AGE_MS
  ) {
    return snapshot.topics[topic]?.available === true;
  }
  if (topic !== POST_TOPIC) return undefined;
  // Cordum 1.0 says how long ago it heard from each worker.
  const answer: unknown = await platform.call("GET", "/workers");
  const items = isObject(answer) ? answer["items"] ?? [] : answer;
  const ages = (items as JsonObject[]).filter(({ pool }) => pool === POST_POOL)
    .map(({ heartbeat_age_seconds: age }) => age)
    .filter((age) => typeof age === "number");
  if (ages.length === 0) return undefined;
  return Math.min(...ages) < SNAPSHOT_AGE_MS / 1000;
}

/**
 * Finds a waiting job.
 *
 * @returns `undefined` if it is no longer waiting.
 * @throws {OperationError} If there is no such job.
 */
export async function findWaiting(
  platform: Platform,
  jobId: string,
): Promise<{ jobId: string; topic: string } | undefined> {
  const waiting = await platform.waiting();
  const job = waiting.find((job) => job.jobId === jobId);
  if (job === undefined && await platform.findJob(jobId) === undefined) {
    throw new OperationError(`There is no job ${jobId}`);
  }
  return job;
}

/**
 * Approves a job with an empty body: a reason would make it unplaceable.
 *
 * @returns `false` if somebody had already decided it.
 * @throws {GatewayError} If the gateway refuses, or fails and the job is still
 * waiting.
 */
export function approve(platform: Platform, jobId: string): Promise<boolean> {
  return decide(platform, jobId, "approve");
}

/** Rejects a job; returns and throws like {@linkcode approve}. */
export function reject(
  platform: Platform,
  jobId: string,
  reason: string,
): Promise<boolean> {
  return decide(platform, jobId, "reject", { reason });
}

async function decide(
  platform: Platform,
  jobId: string,
  verb: "approve" | "reject",
  json?: JsonObject,
): Promise<boolean> {
  const path = `/approvals/${encodeURIComponent(jobId)}/${verb}`;
  for (let attempt = 1;; attempt++) {
    try {
      await platform.call("POST", path, optional("json", json));
      return true;
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      if (error.status === 409 && /not awaiting|resolved/.test(error.detail)) {
        return false;
      }
      // A failed call may have decided all the same: on coretexOS 0.6 one of
      // two simultaneous approvals gets a 500. Only the job's record tells.
      if (!error.unavailable) throw error;
      const { state } = await platform.job(jobId);
      if (state !== "APPROVAL_REQUIRED") return false;
      if (attempt === ATTEMPTS) throw error;
      await wait(FOLLOW_POLL_MS, platform.signal);
    }
  }
}

export type Followed =
  | { end: "succeeded"; result: JsonObject; job: JsonObject }
  | { end: "failed"; code: string; message: string; job: JsonObject }
  /** It is waiting for approval again. */
  | { end: "bounced" }
  | { end: "still running"; state: string };

/** Follows an approved job until it ends or waits for approval again. */
export async function follow(
  platform: Platform,
  jobId: string,
  timeoutMs = FOLLOW_MS,
): Promise<Followed> {
  const started = performance.now();
  let state = "";
  while (performance.now() - started < timeoutMs) {
    const job = await platform.job(jobId);
    state = String(job["state"]);
    if (state === "SUCCEEDED") {
      return { end: "succeeded", result: objectOf(job["result"]) ?? {}, job };
    }
    if (["FAILED", "DENIED", "CANCELLED", "TIMEOUT"].includes(state)) {
      const code = String(job["error_code"] ?? "");
      const message = String(job["error_message"] ?? `job state ${state}`);
      return { end: "failed", code, message, job };
    }
    if (state === "APPROVAL_REQUIRED") return { end: "bounced" };
    await wait(FOLLOW_POLL_MS, platform.signal);
  }
  return { end: "still running", state };
}
