/**
 * What a waiting job would do if it were approved, and why it may be too late.
 *
 * @module
 */
import { sha256Hex } from "../base/digest.ts";
import { JobError, messageOf } from "../base/errors.ts";
import { type JsonObject, objectOf, optional, stringOf } from "../base/json.ts";
import { printable } from "../base/text.ts";
import type { IncidentInput, SourceSystem } from "../incident.ts";
import { qualifiedId } from "../incident_id.ts";
import { decodeMessage, type Message } from "../message/message.ts";
import { readRecordedConstraints } from "../platform/constraints.ts";
import { GatewayError } from "../platform/gateway_error.ts";
import { describeTooOld } from "../post/age.ts";
import { describeForbidden } from "../post/forbidden.ts";
import { type PostSeverity, severityOfPost } from "../post/severity.ts";
import { type RedactionLevel, startRedaction } from "../redact/redaction.ts";
import { OperationError } from "./errors.ts";
import { POST_TOPIC } from "./pack.ts";
import type { Platform, WaitingJob } from "./platform.ts";

const MESSAGE_BYTES_MAX = 256 * 1024;
/** The platform keeps a job's input this long. */
export const INPUT_MS = 24 * 3600 * 1000;
/** A bundle holds at most 50. */
const ITEMS_MAX = 50;

/** A job of any topic as its record describes it: printable and bounded. */
export interface JobFacts {
  jobId: string;
  runId: string;
  topic: string;
  tenant: string;
  state: string;
  /** Including its source; empty if the job belongs to no incident of ours. */
  incidentId: string;
  title: string;
  severity: string;
  /** The severity that the poster takes it by. */
  postSeverity: PostSeverity;
  /** `artifact` or `slack`; empty if the job is no post, or not known any more. */
  mode: string;
  /** Whether the incident brings a webhook of its own. */
  ownWebhook: boolean;
  dryRun: boolean;
  evidence: { id: string; title: string; pointer: string }[];
  gaps: { what: string; why: string }[];
  /** Of the page that quotes the evidence; empty if there is none. */
  pagePointer: string;
  /** When the evidence was collected. Unchecked. */
  collectedAt: unknown;
  /** Unchecked. */
  messagePointer: unknown;
  /** Of the message, as the summary names it. */
  messageDigest: string;
  ruleId: string;
  /** Why approval is demanded, in the words of policy. */
  reason: string;
  /** Whether the job's input is gone. */
  expired: boolean;
}

/** Reads a job's record. */
export function readFacts(job: JsonObject): JobFacts {
  const expired = job["context"] === null || job["context"] === undefined;
  const context = objectOf(job["context"]) ?? {};
  // A fetch job's input is the incident itself.
  const incident = objectOf(context["incident"]) ?? context;
  const evidence = objectOf(context["evidence"]) ?? {};
  const normalized = objectOf(evidence["normalized_context"]) ?? {};
  const summary = objectOf(context["summary"]) ?? {};
  const topic = text(job["topic"], 200);
  // Others than our fetcher may have written them, or the run's input.
  const { kept } = startRedaction({ level: levelOf(job) });
  const destination = objectOf(incident["destination"]) ?? {};
  return {
    jobId: text(job["id"], 300),
    runId: text(job["run_id"], 100),
    topic,
    tenant: text(job["tenant"], 200) || "default",
    state: text(job["state"], 40),
    incidentId: readIncidentId(incident, evidence),
    title: text(kept(normalized["title"] ?? incident["title"]), 1_000),
    severity: text(normalized["severity"] ?? incident["severity"], 20),
    postSeverity: severityOfPost(incident, evidence),
    mode: topic !== POST_TOPIC || expired
      ? ""
      : text(destination["mode"], 20) || "artifact",
    ownWebhook: destination["slack_webhook_url"] !== undefined,
    dryRun: objectOf(job["labels"])?.["dry_run"] === "true",
    evidence: listOf(evidence["evidence"]).map((item, at) => ({
      id: text(item["id"], 20) || `E${at + 1}`,
      title: text(kept(item["title"]), 300),
      pointer: text(item["artifact_ptr"], 200),
    })),
    gaps: listOf(evidence["gaps"]).map((gap) => ({
      what: text(kept(gap["what"]), 200),
      why: text(kept(gap["why"]), 300),
    })),
    pagePointer: text(summary["page_ptr"], 200),
    collectedAt: evidence["collected_at"],
    messagePointer: summary["message_ptr"],
    messageDigest: text(summary["message_sha256"], 64),
    ruleId: text(job["safety_rule_id"], 200),
    reason: text(job["safety_reason"], 300),
    expired,
  };
}

/** `strict` if it cannot be read: then the job is refused, too. */
export function levelOf(job: JsonObject): RedactionLevel {
  try {
    return readRecordedConstraints(job).redactionLevel;
  } catch {
    return "strict";
  }
}

function text(value: unknown, charsMax: number): string {
  return printable(stringOf(value), charsMax);
}

function listOf(value: unknown): JsonObject[] {
  return (Array.isArray(value) ? value : []).slice(0, ITEMS_MAX)
    .map((item) => objectOf(item) ?? {});
}

/** The id that the record of posts goes by. */
function readIncidentId(incident: JsonObject, evidence: JsonObject): string {
  const id = stringOf(incident["incident_id"]);
  if (id === "") return text(evidence["incident_id"], 220);
  const system = stringOf(objectOf(incident["source"])?.["system"]);
  const source = system === "" ? {} : {
    source: { system: system as SourceSystem },
  };
  return text(
    qualifiedId({ incident_id: id, ...source } as IncidentInput),
    220,
  );
}

/** A job that waits for approval, with the message that it would post. */
export interface Proposal extends JobFacts {
  /** `undefined` if it cannot be read. */
  message: Message | undefined;
  /** Why the poster would refuse the message, if it would. */
  refused?: string;
  /** SHA-256 of the message's bytes, if they could be read. */
  digest: string | undefined;
  /** Whether the policy is no longer the one that the platform binds it to. */
  stale: boolean;
}

/**
 * Reads what a waiting job would do.
 *
 * @param job As the list of approvals has it, or only its id.
 * @param known The job's record, if it was read a moment ago.
 * @throws {GatewayError} If it is gone.
 */
export async function readProposal(
  platform: Platform,
  { jobId, policySnapshot }: Pick<WaitingJob, "jobId"> & Partial<WaitingJob>,
  known?: JsonObject,
): Promise<Proposal> {
  const record = known ?? await platform.job(jobId);
  const facts = readFacts(record);
  const isApprovable = await platform.readApprovable();
  const snapshot = policySnapshot || stringOf(record["safety_snapshot"]);
  const read = await readMessage(platform, facts);
  return {
    ...facts,
    stale: !isApprovable(snapshot),
    ...read,
    ...read.message && optional("refused", forbiddenBy(record, read.message)),
  };
}

/** Why policy would not let the message out, as the poster reads it. */
function forbiddenBy(record: JsonObject, message: Message): string | undefined {
  try {
    const { redactionLevel } = readRecordedConstraints(record);
    return describeForbidden(message, redactionLevel);
  } catch (error) {
    if (error instanceof JobError) return messageOf(error);
    throw error;
  }
}

/** Reads the message that a post would send. */
export async function readMessage(
  { gateway, signal }: Platform,
  { topic, messagePointer }: JobFacts,
): Promise<Pick<Proposal, "message" | "digest" | "refused">> {
  const none = { message: undefined, digest: undefined };
  if (topic !== POST_TOPIC || typeof messagePointer !== "string") return none;
  let digest: string | undefined;
  try {
    const { bytes } = await gateway.readArtifact(
      messagePointer,
      MESSAGE_BYTES_MAX,
      signal,
    );
    digest = await sha256Hex(bytes);
    return { message: decodeMessage(bytes), digest };
  } catch (error) {
    if (error instanceof SyntaxError) {
      return { ...none, digest, refused: error.message };
    }
    if (error instanceof GatewayError && !error.unavailable) return none;
    throw error;
  }
}

/** The last moment to approve a post; `undefined` if its age is unknown. */
export function approvableUntil(
  { collectedAt }: JobFacts,
  maxAgeS: number,
): Date | undefined {
  const collected = Date.parse(stringOf(collectedAt));
  if (Number.isNaN(collected)) return undefined;
  // The input is stored right after the evidence was collected.
  return new Date(collected + Math.min(maxAgeS * 1000, INPUT_MS));
}

/**
 * Says why a job can no longer be approved.
 *
 * @param maxAgeS The poster refuses older evidence.
 * @returns A sentence without its full stop; `undefined` if nothing is known.
 */
export function findObstacle(
  { topic, stale, expired, collectedAt }: Omit<Proposal, "message" | "digest">,
  maxAgeS: number,
  nowMs: number = Date.now(),
): string | undefined {
  if (stale) return POLICY_CHANGED;
  if (expired) return "its input has expired: the platform keeps it for 24 h";
  if (topic !== POST_TOPIC) return undefined;
  return describeTooOld(collectedAt, { maxAgeS, nowMs });
}

const POLICY_CHANGED =
  "the policy changed since the approval was asked for, so the platform refuses it";

/** @throws {OperationError} If approving would be pointless; says what helps. */
export function checkProposal(proposal: Proposal, maxAgeS: number): void {
  const obstacle = findObstacle(proposal, maxAgeS);
  if (obstacle !== undefined) throw tooLate(proposal, obstacle);
  const { topic, message, digest, messageDigest, refused } = proposal;
  if (topic !== POST_TOPIC) return;
  if (refused !== undefined && digest === messageDigest) {
    throw tooLate(proposal, `${refused}; the poster would refuse it`);
  }
  if (message === undefined || digest !== messageDigest) {
    throw tooLate(
      proposal,
      "its message cannot be read, or is not the one that the summary names; the poster would refuse it",
    );
  }
}

/** A job that must be rejected and its run started again. */
export function tooLate(
  job: Pick<JobFacts, "jobId" | "runId">,
  why: string = POLICY_CHANGED,
): OperationError {
  return new OperationError(
    `It can no longer be approved: ${why}. ${describeRemedy(job)}`,
  );
}

/** What to do about a job that can no longer be approved. */
export function describeRemedy(
  { jobId, runId }: Pick<JobFacts, "jobId" | "runId">,
): string {
  // The same webhook, sent again, would start no second run.
  const run = runId || jobId.split(":", 1)[0];
  return `Reject it (deno task approvals reject ${jobId} --reason TEXT), then start ` +
    `its run again (POST /api/v1/workflow-runs/${run}/rerun at the gateway)`;
}
