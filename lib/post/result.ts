/**
 * Words the result of a post for the platform.
 *
 * @module
 */
import { JobElsewhere, JobError } from "../base/errors.ts";
import { optional } from "../base/json.ts";
import { shorten } from "../base/text.ts";
import type { IncidentInput, PostResult } from "../incident.ts";
import { safeId } from "../incident_id.ts";
import type { Update } from "../message/footer.ts";
import type { Job } from "../platform/context.ts";
import type { Approval } from "./approval.ts";
import type { Destination } from "./destination.ts";
import type { Posted } from "./events.ts";
import {
  type ClaimOutcome,
  effectOf,
  firstOf,
  type PostState,
  type Sent,
  type Standing,
  standingOf,
} from "./record.ts";
import type { SendOutcome } from "./send.ts";
import { outranks, type PostSeverity, readAs } from "./severity.ts";

const NAME_CHARS_MAX = 300;
const LINK_CHARS_MAX = 2000;
const DIGEST = /^[0-9a-f]{64}$/;
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
    incident_id: safeId(incident.incident_id),
    mode: destination.kind,
    posted_at: new Date().toISOString(),
    message_sha256: digest,
    job_id: job.id,
    run_id: job.runId,
    ...(destination.kind === "slack"
      ? { destination_host: destination.host }
      : {}),
    ...(approval === undefined ? { warnings: [UNAPPROVED] } : {
      approval: {
        by: approval.by,
        at: approval.at,
        rule_id: approval.ruleId,
        ...optional("signed_by", approval.signedBy),
      },
    }),
    ...(approval?.unsigned === undefined ? {} : {
      warnings: [`A post would be refused: ${approval.unsigned}`],
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
      return describeSent(sentBy(claim, base.job_id ?? ""), base);
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
function sentBy({ last, earlier }: Standing, jobId: string): Sent {
  return [...earlier, last].find((sent) => jobOf(sent) === jobId) ?? last;
}

function jobOf(sent: Sent): string | undefined {
  return (sent.as === "posted" ? sent.result : sent.claim)?.job_id;
}

function describeSent(
  sent: Sent,
  { incident_id, mode, destination_host, job_id }: PostResult,
): PostResult {
  const { severity, assumed, at } = sent;
  const repeat: PostResult = {
    incident_id,
    mode,
    posted_at: at,
    ...optional("destination_host", destination_host),
    repeat: true,
    ...assumed ? {} : { posted_as: severity },
  };
  const isOwn = jobOf(sent) === job_id;
  const warning = isOwn ? undefined : `Not sent: ${describeBefore(sent)}`;
  if (sent.as === "posted") {
    return withWarning({ ...repeat, ...sent.result }, warning);
  }
  const { by, link, claim } = sent;
  const marked = {
    ...repeat,
    ...(claim && { job_id: claim.job_id, run_id: claim.run_id }),
    ...(claim && DIGEST.test(claim.digest)
      ? { message_sha256: claim.digest }
      : {}),
    ...(mode === "slack" && isLink(link)
      ? { slack: { ok: true, permalink: link } }
      : {}),
  };
  const who = `Marked as posted by ${shorten(by, NAME_CHARS_MAX)}`;
  return withWarning(withWarning(marked, warning), who);
}

function describeBefore({ severity, assumed, at }: Sent): string {
  const as = assumed ? "" : `as ${severity.toUpperCase()} `;
  return `posted before ${as}at ${at}`;
}

/** Whether the result's schema takes it, whoever wrote it. */
function isLink(link: string | undefined): link is string {
  return link !== undefined && link.length <= LINK_CHARS_MAX &&
    /^https?:\/\/[\w.-]+(?::\d+)?\/[\w.~/?=&-]*$/.test(link);
}

/** How a message differs from the ones before; `undefined` for the first. */
export function describeUpdate(
  before: Standing | undefined,
  severity: PostSeverity,
): Update | undefined {
  if (before === undefined || !outranks(severity, before.last.severity)) {
    return undefined;
  }
  const first = firstOf(before);
  return {
    now: readAs(severity),
    was: before.last.severity,
    firstAt: first.at,
    isMarked: first.as === "marked",
  };
}

/** The result of an update before it is sent. */
export function withUpdate(
  base: PostResult,
  before: Standing | undefined,
): PostResult {
  if (before === undefined) return base;
  const { severity, at } = before.last;
  return { ...base, update_of: { severity, posted_at: at } };
}

/** The result of a dry run: what a post would have done. */
export function describeRehearsal(
  state: PostState,
  severity: PostSeverity,
  base: PostResult,
): PostResult {
  const result = { ...base, dry_run: true };
  const standing = standingOf(state);
  switch (effectOf(state, severity, Date.now())) {
    case "new":
    case "update":
      return withUpdate(result, standing);
    case "nothing":
      return withWarning(
        result,
        `Would not be sent: ${describeBefore(standing!.last)}`,
      );
    case "busy":
      return withWarning(result, "Would wait: another job is posting");
    case "in doubt":
      return withWarning(
        result,
        "Would not be sent: an earlier message is in doubt; a person has to look",
      );
  }
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
        ...("cause" in outcome ? { cause: outcome.cause } : {}),
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
