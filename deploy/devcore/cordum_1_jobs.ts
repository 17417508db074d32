/**
 * What the scheduler of Cordum 1.0 asks of a job, and adds to it, beside what
 * that of January 2026 does. Pure.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import type { JobRequest } from "../../lib/platform/gen/cap_pb.ts";
import type { ConfigDocuments } from "./config.ts";
import type { Decision } from "./policy.ts";
import { CORDUM_1 } from "./profile.ts";

/** The part of a job's record that matters here. */
interface Job {
  state: string;
  request: JobRequest;
  /** Its input as text. */
  content: string;
  approval: JsonObject;
}

/** Whether a pack that is installed declares a topic. */
export function isRegistered(config: ConfigDocuments, topic: string): boolean {
  const packs = Object.values(config.read("packs", "installed")) as {
    status: string;
    manifest: { topics?: { name: string }[] };
  }[];
  return packs.some(({ status, manifest: { topics = [] } }) =>
    status !== "DISABLED" && topics.some(({ name }) => name === topic)
  );
}

/** A request without its own label is taken for a stale one. */
export function isStale({ state, request }: Job): boolean {
  return state === "APPROVAL_REQUIRED" &&
    !(CORDUM_1.contentLabel in request.labels);
}

/** It looks into the input of any job that policy allows. */
export function inspect(
  { request, content }: Job,
  decision: Decision,
): Decision {
  const isFine = !decision.decision.startsWith("ALLOW") ||
    !CORDUM_1.suspicious.test(content);
  if (isFine) return decision;
  return {
    ...decision,
    decision: "REQUIRE_APPROVAL",
    ruleId: "input-rules",
    reason: "the input looks like an attack",
    approvalRef: request.jobId,
  };
}

/** The labels that it adds to a job when it dispatches it. */
export function labelsOf(
  { request, content, approval }: Job,
): Record<string, string> {
  const { contentLabel, contentCharsMax } = CORDUM_1;
  const isShown = !("approval_status" in approval) &&
    !(contentLabel in request.labels) && content.length <= contentCharsMax;
  return {
    _source: "workflow",
    "policy.attachment_id": `job/${request.jobId}/policy`,
    ...isShown && { [contentLabel]: content },
  };
}
