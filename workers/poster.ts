/**
 * Post worker: sends the approved message, once.
 *
 * Takes jobs of `job.incident-enricher.post`: `{incident, evidence, summary}`.
 * Returns a `PostResult`. Refuses a post without a recorded approval, a message
 * that is not byte for byte the one that the approver saw, and any destination
 * that is not allowed. Net: NATS, Redis, gateway, the Slack hosts. Env:
 * `SETTINGS`. No files, no processes.
 *
 * @module
 */
import type { Config } from "../lib/base/config.ts";
import { ConfigError } from "../lib/base/errors.ts";
import { errorFields } from "../lib/base/log.ts";
import type { PostInput, PostResult } from "../lib/incident.ts";
import { withFooter } from "../lib/message/footer.ts";
import { encodeMessage } from "../lib/message/message.ts";
import {
  type PlatformSettings,
  platformSettings,
} from "../lib/platform/settings.ts";
import { type JobContext, runWorker } from "../lib/platform/worker.ts";
import { ageLimitOf, refuseOld } from "../lib/post/age.ts";
import { fetchApprovedMessage } from "../lib/post/approved_message.ts";
import {
  claimPost,
  confirmRelease,
  openRecord,
  settlePost,
} from "../lib/post/claim.ts";
import { readDestination } from "../lib/post/destination.ts";
import { refuseForbidden } from "../lib/post/forbidden.ts";
import { publish } from "../lib/post/published.ts";
import { noteHistory } from "../lib/post/history.ts";
import { readRelease } from "../lib/post/release.ts";
import { type Standing, standingOf } from "../lib/post/record.ts";
import {
  describePost,
  describeRehearsal,
  describeRepeat,
  describeUpdate,
  withUpdate,
  withWarning,
} from "../lib/post/result.ts";
import { send } from "../lib/post/send.ts";
import { severityOfPost } from "../lib/post/severity.ts";
import { POST_SETTINGS, type PostSettings } from "../lib/post/settings.ts";
import { readSigner } from "../lib/post/signer.ts";

const TOPIC = "job.incident-enricher.post";

/** Everything that this worker reads from its environment. */
export const SETTINGS: PlatformSettings & PostSettings = {
  ...platformSettings("incident-enricher-poster", "incident-enricher-post"),
  ...POST_SETTINGS,
};

/**
 * Warns at start-up when approval is switched off.
 *
 * @throws {ConfigError} If approvals have to be signed, yet are not required.
 */
export function caution(
  { requireApproval, approvalKeys }: Config<typeof SETTINGS>,
): string | undefined {
  if (!requireApproval && approvalKeys.length > 0) {
    throw new ConfigError(
      "POSTER_REQUIRE_APPROVAL=0 contradicts APPROVAL_PUBLIC_KEYS; set only one of them",
    );
  }
  return requireApproval
    ? undefined
    : "POSTER_REQUIRE_APPROVAL=0: posts are sent without an approval";
}

/**
 * Posts one message: checks it, claims the post, sends it and records the
 * outcome.
 *
 * @throws {JobError} `NOT_APPROVED`, `POST_TOO_OLD`, `DESTINATION_REFUSED`,
 * `DIGEST_MISMATCH` or `REDACTION_INCOMPLETE` before the claim; `POST_REFUSED`
 * if nothing was sent; `POST_IN_DOUBT` if nobody can know.
 * @throws {JobElsewhere} If the post still waits for its approval, or another
 * live process does this very job.
 */
export async function post(
  { incident, evidence, summary }: PostInput,
  context: JobContext<typeof SETTINGS>,
): Promise<PostResult> {
  const { job, settings, gateway, signal } = context;
  const { approval: recorded, constraints } = await readRelease(context);
  refuseOld(evidence, settings);
  const destination = await readDestination(incident.destination, {
    ...settings,
    policyHosts: constraints.networkAllowlist,
  });
  const { message, digest } = await fetchApprovedMessage(summary, gateway);
  refuseForbidden(message, constraints);
  const severity = severityOfPost(incident, evidence);
  const facts = { incident, destination, digest, severity };
  const approval = await readSigner(recorded, facts, context);
  const base = describePost(facts, approval, job);
  const record = openRecord(facts, context);
  const render = (before: Standing | undefined) => {
    const update = describeUpdate(before, severity);
    const footer = { approval, runId: job.runId, digest, update };
    return encodeMessage(withFooter(message, footer));
  };
  const keep = (payload: Uint8Array, retention: "short" | "audit") =>
    gateway.putArtifact({
      content: payload,
      contentType: "application/json",
      retention,
      labels: { kind: "incident.post" },
    }, constraints.artifactBytesMax);
  if (job.dryRun) {
    const state = await record.state();
    const payload = render(standingOf(state));
    const result = describeRehearsal(state, severity, base);
    return { ...result, artifact_ptr: await keep(payload, "short") };
  }
  const claim = await claimPost(record, facts, context);
  if (claim.state !== "mine") return describeRepeat(claim, base);
  const { token, before } = claim;
  await confirmRelease(record, { token, post: facts }, context);
  const payload = render(before);
  const outcome = await send(destination, payload, {
    timeoutMs: settings.postTimeoutMs,
    signal,
    putArtifact: () => keep(payload, "audit"),
  });
  const result = await settlePost(
    { record, token, base: withUpdate(base, before) },
    outcome,
    context,
  );
  const kept = destination.kind === "artifact"
    ? result
    : await keepCopy(() => keep(payload, "audit"), result, context);
  await noteHistory(kept, { evidence, severity }, context);
  return kept;
}

/** Keeps a copy of a sent payload. A failure is only a warning by now. */
async function keepCopy(
  keep: () => Promise<string>,
  result: PostResult,
  { log }: JobContext<typeof SETTINGS>,
): Promise<PostResult> {
  try {
    return { ...result, artifact_ptr: await keep() };
  } catch (error) {
    log.warn("Cannot keep a copy of the post", errorFields(error));
    return withWarning(result, "No copy of the payload could be kept");
  }
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
    announce: (settings) => publish(settings.workerId, settings),
    recover: true,
    giveUpAt: ({ evidence }, settings) => ageLimitOf(evidence, settings),
    // A message that may have reached Slack must be settled, so wait for its
    // answer.
    graceMs: ({ postTimeoutMs }) => postTimeoutMs + 3_000,
    handle: post,
  });
}
