/**
 * Words the result of a post for the platform.
 *
 * @module
 */
import { JobElsewhere, JobError } from "../base/errors.ts";
import { optional } from "../base/json.ts";
import type { IncidentInput, PostResult } from "../incident.ts";
import type { Job } from "../platform/context.ts";
import type { Approval } from "./approval.ts";
import type { Destination } from "./destination.ts";
import type { Posted } from "./events.ts";
import type { ClaimOutcome, Sent, Standing } from "./record.ts";
import type { SendOutcome } from "./send.ts";
import type { PostSeverity } from "./severity.ts";

const UNAPPROVED =
  "Posted without an approval, as POSTER_REQUIRE_APPROVAL=0 says";

export interface Post {
  incident: IncidentInput;
  destination: Destination;
  /** Of the message, as 64 hex digits. */
  digest: string;
  severity: PostSeverity;
}

/** The result of a post before it is sent. */
export function describePost(
  { incident, destination, digest }: Post,
  approval: Approval | undefined,
  job: Job,
): PostResult {
  return {
    incident_id: incident.incident_id,
    mode: destination.kind,
    posted_at: new Date().toISOString(),
    message_sha256: digest,
    job_id: job.id,
    run_id: job.runId,
    ...(destination.kind === "slack"
      ? { destination_host: destination.host }
      : {}),
    ...(approval === undefined ? { warnings: [UNAPPROVED] } : {
      approval: { by: approval.by, at: approval.at, rule_id: approval.ruleId },
    }),
  };
}

/**
 * The result of a post that another attempt has claimed.
 *
 * @throws {JobElsewhere} If another process answers for this very job.
 * @throws {JobError} `POST_IN_DOUBT` if only a person can tell.
 */
export function describeRepeat(
  claim: Exclude<ClaimOutcome, { state: "mine" }>,
  base: PostResult,
): PostResult {
  switch (claim.state) {
    case "posted":
      return describeSent(sentBy(claim, base.job_id), base);
    case "elsewhere":
      throw new JobElsewhere("Another process does this job");
    case "in doubt":
      throw new JobError(
        "POST_IN_DOUBT",
        `Cannot post: it may have been posted already (${claim.why}); a person has to look`,
      );
  }
}

/** This job's own message, or else the last one, which is the worst. */
function sentBy({ last, earlier }: Standing, jobId = ""): Sent {
  const ownJob = (sent: Sent) =>
    (sent.as === "posted" ? sent.result.job_id : sent.job_id) === jobId;
  return [...earlier, last].find(ownJob) ?? last;
}

function describeSent(sent: Sent, base: PostResult): PostResult {
  const { approval: _, warnings: __, ...rest } = base;
  if (sent.as === "posted") return { ...rest, ...sent.result, repeat: true };
  return {
    ...rest,
    posted_at: sent.at,
    repeat: true,
    warnings: [`Marked as posted by ${sent.by}`],
  };
}

/** The result of a post after sending. @throws {JobError} Unless it was sent. */
export function describeOutcome(
  outcome: SendOutcome,
  base: PostResult,
): PostResult {
  switch (outcome.outcome) {
    case "posted":
      return withWarning({
        ...base,
        posted_at: outcome.at,
        ...(base.mode === "slack" ? { slack: { ok: true } } : {}),
        ...("artifactPtr" in outcome
          ? { artifact_ptr: outcome.artifactPtr }
          : {}),
      }, outcome.warning);
    case "refused":
      throw new JobError("POST_REFUSED", `Cannot post: ${outcome.why}`, {
        retryable: outcome.retryable,
      });
    case "unknown":
      throw new JobError(
        "POST_IN_DOUBT",
        `Cannot tell whether it was posted: ${outcome.why}; a person has to look`,
      );
  }
}

export function toPosted(result: PostResult): Posted {
  const {
    posted_at,
    slack,
    artifact_ptr,
    approval,
    message_sha256 = "",
    job_id = "",
    run_id = "",
  } = result;
  return {
    posted_at,
    ...optional("slack", slack && { ok: slack.ok }),
    ...optional("artifact_ptr", artifact_ptr),
    ...optional("approval", approval),
    message_sha256,
    job_id,
    run_id,
  };
}

export function withWarning(
  result: PostResult,
  warning: string | undefined,
): PostResult {
  if (warning === undefined) return result;
  return { ...result, warnings: [...result.warnings ?? [], warning] };
}
