/**
 * What waits for a decision, in as much detail as a person needs to choose.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import { GatewayError } from "../../lib/platform/gateway_error.ts";
import { describeTooOld } from "../../lib/post/age.ts";
import { POST_TOPIC } from "./approvals.ts";
import { printable } from "../terminal/format.ts";
import type { Platform, Waiting } from "./platform.ts";
import { ageOf } from "./posts.ts";

/** A job that waits, as `approvals --json` and the hooks show it. */
export interface WaitingPost {
  job_id: string;
  run_id: string;
  topic: string;
  /** With its source in front; empty if the job is of no incident of ours. */
  incident_id: string;
  title: string;
  severity: string;
  rule_id: string;
  /** Of the message, as the summary names it. */
  message_sha256: string;
  /** Since when it waits, RFC 3339. */
  since: string;
  age_s: number;
  /** Why approving it would come to nothing; empty if nothing is known. */
  problem: string;
}

/** Reads what a waiting job is about. @returns `undefined` if it is gone. */
export async function readWaiting(
  platform: Platform,
  { jobId, topic, ruleId, since }: Waiting,
  maxAgeS: number,
): Promise<WaitingPost | undefined> {
  const job = await readJob(platform, jobId);
  if (job === undefined) return undefined;
  const context = objectOf(job["context"]);
  const bundle = objectOf(context["evidence"]);
  const normalized = objectOf(bundle["normalized_context"]);
  // A fetch job's input is the incident itself, a summarize job's the bundle.
  const incident = objectOf(context["incident"] ?? context);
  return {
    job_id: jobId,
    run_id: textOf(job["run_id"], 100),
    topic,
    incident_id: textOf(bundle["incident_id"] ?? incident["incident_id"], 220),
    title: textOf(normalized["title"] ?? incident["title"], 1_000),
    severity: textOf(normalized["severity"] ?? incident["severity"], 20),
    rule_id: ruleId,
    message_sha256: textOf(objectOf(context["summary"])["message_sha256"], 64),
    since: new Date(since).toISOString(),
    age_s: Math.max(0, Math.floor((Date.now() - since) / 1000)),
    problem: findProblem(job, topic, bundle["collected_at"], maxAgeS),
  };
}

function findProblem(
  job: JsonObject,
  topic: string,
  collectedAt: unknown,
  maxAgeS: number,
): string {
  if (job["context"] === null || job["context"] === undefined) {
    return "its input has expired";
  }
  if (topic !== POST_TOPIC) return "";
  return describeTooOld(collectedAt, { maxAgeS, nowMs: Date.now() }) ?? "";
}

async function readJob(
  platform: Platform,
  jobId: string,
): Promise<JsonObject | undefined> {
  try {
    return await platform.call("GET", `/jobs/${encodeURIComponent(jobId)}`);
  } catch (error) {
    if (error instanceof GatewayError && error.status === 404) return undefined;
    throw error;
  }
}

function objectOf(value: unknown): JsonObject {
  return value !== null && typeof value === "object" ? value as JsonObject : {};
}

function textOf(value: unknown, charsMax: number): string {
  return typeof value === "string" ? printable(value, charsMax) : "";
}

const TITLE_CHARS_MAX = 88;

/** Lines about one that waits, within 100 columns unless an id is very long. */
export function describeWaitingPost(post: WaitingPost): string[] {
  const { severity, incident_id, title, job_id, topic, message_sha256 } = post;
  return [
    `${severity.toUpperCase() || "UNKNOWN"}  ${
      incident_id || "no incident"
    }  waits for ${ageOf(post.age_s * 1000)}`,
    ...title === "" ? [] : [`  ${printable(title, TITLE_CHARS_MAX)}`],
    `  job     ${printable(job_id)}`,
    `  rule    ${printable(post.rule_id) || "unknown"}`,
    ...topic === POST_TOPIC
      ? []
      : [`  topic   ${printable(topic)}, not a post`],
    ...message_sha256 === "" ? [] : [`  sha256  ${message_sha256}`],
    ...post.problem === "" ? [] : [`  reject  ${post.problem}`],
  ];
}
