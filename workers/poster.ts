/**
 * Post worker: sends the approved message, once.
 *
 * Takes jobs of `job.incident-enricher.post`: `{incident, evidence, summary}`.
 * Gives a `PostResult`. Refuses what no recorded approval released, what is
 * not byte for byte what the approver was shown, and every destination that is
 * not allowed. Net: NATS, Redis, gateway, the Slack hosts. Env: `SETTINGS`. No
 * files, no processes.
 *
 * @module
 */
import { wait } from "../lib/base/time.ts";
import type { Config } from "../lib/base/config.ts";
import { JobError } from "../lib/base/errors.ts";
import {
  type EvidenceBundle,
  type IncidentInput,
  type PostInput,
  type PostResult,
  qualifiedId,
  type Summary,
} from "../lib/incident.ts";
import { errorFields } from "../lib/base/log.ts";
import {
  encodeMessage,
  type Message,
  withFooter,
} from "../lib/message/render.ts";
import {
  checkSupported,
  type Constraints,
  readRecordedConstraints,
  stricter,
} from "../lib/platform/constraints.ts";
import { GatewayError } from "../lib/platform/gateway.ts";
import {
  type PlatformSettings,
  platformSettings,
} from "../lib/platform/settings.ts";
import { type JobContext, runWorker } from "../lib/platform/worker.ts";
import { describeTooOld } from "../lib/post/age.ts";
import { type Approval, readApproval } from "../lib/post/approval.ts";
import {
  MESSAGE_BYTES_MAX,
  readApprovedMessage,
} from "../lib/post/approved_message.ts";
import { type Destination, readDestination } from "../lib/post/destination.ts";
import { type ClaimOutcome, PostRecord } from "../lib/post/record.ts";
import {
  describeOutcome,
  describePost,
  describeRepeat,
  toPosted,
} from "../lib/post/result.ts";
import { send, type SendOutcome } from "../lib/post/send.ts";
import { POST_SETTINGS, type PostSettings } from "../lib/post/settings.ts";

const TOPIC = "job.incident-enricher.post";

/** The settings of {@linkcode SETTINGS}. */
export type PosterSettings = PlatformSettings & PostSettings;

/** Everything that this worker reads from its environment. */
export const SETTINGS: PosterSettings = {
  ...platformSettings("incident-enricher-poster", "incident-enricher-post"),
  ...POST_SETTINGS,
};

/** The one way round the approval is said when the worker starts. */
export function caution(
  { requireApproval }: Config<typeof SETTINGS>,
): string | undefined {
  return requireApproval
    ? undefined
    : "POSTER_REQUIRE_APPROVAL=0: posts are sent without an approval";
}

/** What its verb gets beside its input. */
export type Context = JobContext<typeof SETTINGS>;

/**
 * Posts one message: checks first, then claims, sends and writes down what
 * became of it.
 *
 * @throws {JobError} `NOT_APPROVED`, `POST_TOO_OLD`, `DESTINATION_REFUSED`,
 * `DIGEST_MISMATCH`
 * before anything is claimed; `POST_REFUSED` if nothing was sent;
 * `POST_IN_DOUBT` if nobody can know.
 * @throws {JobElsewhere} If another live process does this very job.
 */
export async function post(
  { incident, evidence, summary }: PostInput,
  context: Context,
): Promise<PostResult> {
  const { job } = context;
  const { approval, constraints } = await readRelease(context);
  refuseOld(evidence, context);
  const destination = await chooseDestination(incident, constraints, context);
  const { message, digest } = await readMessage(summary, context);
  const footer = { approval, runId: job.runId, digest };
  const payload = encodeMessage(withFooter(message, footer));
  const keep = (retention: "short" | "audit") =>
    storePayload(payload, { retention, constraints, context });
  const base = describePost({
    incidentId: incident.incident_id,
    destination,
    approval,
    digest,
    jobId: job.id,
    runId: job.runId,
  });
  if (job.dryRun) {
    return { ...base, artifact_ptr: await keep("short"), dry_run: true };
  }
  const record = openRecord(incident, destination, context);
  const claim = await claimPost(
    record,
    { digest, host: destination.host },
    context,
  );
  if (claim.state !== "mine") return describeRepeat(claim, base);
  await confirmRelease(record, claim.token, context);
  const outcome = await send(destination, payload, {
    timeoutMs: context.settings.postTimeoutMs,
    signal: context.signal,
    putArtifact: () => keep("audit"),
  });
  const warning = await settle(record, claim.token, outcome, { base, context });
  const result = warn(describeOutcome(outcome, base), warning);
  return destination.kind === "artifact"
    ? result
    : await keepCopy(() => keep("audit"), result, context);
}

/** Who released the job and what policy holds it to, by the gateway's record. */
async function readRelease(
  { gateway, job, settings, constraints }: Context,
): Promise<{ approval: Approval | undefined; constraints: Constraints }> {
  const { requireApproval } = settings;
  const record = await gateway.readJob(job.id).catch((error) => {
    const missing = error instanceof GatewayError && error.missing;
    if (missing && !requireApproval) return {};
    throw error;
  });
  const approval = requireApproval ? readApproval(record, job) : undefined;
  const both = stricter(constraints, readRecordedConstraints(record));
  checkSupported(both);
  return { approval, constraints: both };
}

/** @throws {JobError} `POST_TOO_OLD`. */
function refuseOld(
  { collected_at: collectedAt }: EvidenceBundle,
  { settings }: Context,
): void {
  const limits = { maxAgeS: settings.postMaxAgeS, nowMs: Date.now() };
  const why = describeTooOld(collectedAt, limits);
  if (why !== undefined) {
    throw new JobError("POST_TOO_OLD", `Cannot post: ${why}`);
  }
}

function chooseDestination(
  { destination }: IncidentInput,
  { networkAllowlist }: Constraints,
  { settings }: Context,
): Promise<Destination> {
  return readDestination(destination, {
    webhookUrl: settings.slackWebhookUrl,
    allowedHosts: settings.slackAllowedHosts,
    policyHosts: networkAllowlist,
    allowInputUrl: settings.allowInputUrl,
  });
}

/** The message as the summarizer stored it, if its bytes are still the same. */
async function readMessage(
  { message_ptr: pointer, message_sha256: digest }: Summary,
  { gateway }: Context,
): Promise<{ message: Message; digest: string }> {
  if (pointer === undefined || digest === undefined) {
    throw new JobError(
      "JOB_INVALID_INPUT",
      "Cannot post: the summary names no message",
    );
  }
  const { bytes } = await gateway.readArtifact(pointer, MESSAGE_BYTES_MAX);
  return { message: await readApprovedMessage(bytes, digest), digest };
}

function openRecord(
  incident: IncidentInput,
  destination: Destination,
  { store, job }: Context,
): PostRecord {
  return new PostRecord(store, {
    tenant: job.tenantId,
    incidentId: qualifiedId(incident),
    destination: destination.id,
  });
}

function claimPost(
  record: PostRecord,
  { digest, host }: { digest: string; host: string },
  { job, settings, signal }: Context,
): Promise<ClaimOutcome> {
  signal.throwIfAborted();
  return record.claim({ jobId: job.id, runId: job.runId, digest, host }, {
    settleMs: settings.postSettleMs,
    liveMs: settings.postTimeoutMs + 30_000,
    now: Date.now,
    wait: (ms) => wait(ms, signal),
  });
}

/**
 * Reads the approval once more, now that the claim stands.
 *
 * A record that looks free may be one that Redis has lost since the checks,
 * another's message with it. The platform keeps its jobs in the same Redis, so
 * the approval is then gone too.
 */
async function confirmRelease(
  record: PostRecord,
  token: string,
  context: Context,
): Promise<void> {
  try {
    await readRelease(context);
  } catch (error) {
    const why = "the approval could not be confirmed after the claim";
    await record.settle(token, { outcome: "refused", why }).catch((error) =>
      context.log.error(
        "Cannot write down that nothing was posted",
        errorFields(error),
      )
    );
    throw error;
  }
}

/**
 * Writes down what became of the post.
 *
 * @returns A warning if that failed. The claim then stays, so that nobody sends
 * it again before a person has looked.
 */
async function settle(
  record: PostRecord,
  token: string,
  outcome: SendOutcome,
  { base, context }: { base: PostResult; context: Context },
): Promise<string | undefined> {
  try {
    await record.settle(
      token,
      outcome.outcome === "posted"
        ? {
          outcome: "posted",
          result: toPosted(describeOutcome(outcome, base)),
        }
        : outcome,
    );
    return undefined;
  } catch (error) {
    context.log.error("Cannot write down what became of a post", {
      outcome: outcome.outcome,
      ...errorFields(error),
    });
    return "What became of the post could not be written down; its claim stays until a person frees it";
  }
}

/** Keeps the payload of a message that is out: whatever fails now is a warning. */
async function keepCopy(
  keep: () => Promise<string>,
  result: PostResult,
  context: Context,
): Promise<PostResult> {
  try {
    return { ...result, artifact_ptr: await keep() };
  } catch (error) {
    context.log.warn("Cannot keep a copy of the post", errorFields(error));
    return warn(result, "No copy of the payload could be kept");
  }
}

/** @throws {JobError} `ARTIFACT_TOO_LARGE` if policy allows only less. */
function storePayload(
  payload: Uint8Array,
  { retention, constraints, context }: {
    retention: "short" | "audit";
    constraints: Constraints;
    context: Context;
  },
): Promise<string> {
  return context.gateway.putArtifact({
    content: payload,
    contentType: "application/json",
    retention,
    labels: { kind: "incident.post" },
  }, constraints.artifactBytesMax);
}

function warn(result: PostResult, warning: string | undefined): PostResult {
  if (warning === undefined) return result;
  return { ...result, warnings: [...result.warnings ?? [], warning] };
}

if (import.meta.main) {
  await runWorker({
    topic: TOPIC,
    settings: SETTINGS,
    input: "PostInput",
    output: "PostResult",
    // The label that the workflow gives the post step is a placement constraint.
    labels: { "_content.payload_json": "{}" },
    caution,
    recover: true,
    // What Slack may have must be settled: its answer is worth waiting for.
    graceMs: ({ postTimeoutMs }) => postTimeoutMs + 3_000,
    handle: post,
  });
}
