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
import { wait } from "../lib/backoff.ts";
import {
  type Config,
  flag,
  integer,
  list,
  optionalSecret,
  type Setting,
} from "../lib/config.ts";
import { sha256Hex } from "../lib/digest.ts";
import { JobError } from "../lib/errors.ts";
import {
  type IncidentInput,
  type PostInput,
  type PostResult,
  qualifiedId,
  type Summary,
} from "../lib/incident.ts";
import { errorFields } from "../lib/log.ts";
import {
  decodeMessage,
  encodeMessage,
  type Message,
  withFooter,
} from "../lib/message.ts";
import {
  type PlatformSettings,
  platformSettings,
} from "../lib/platform/settings.ts";
import { type JobContext, runWorker } from "../lib/platform/worker.ts";
import { type Approval, readApproval } from "../lib/post/approval.ts";
import { type Destination, readDestination } from "../lib/post/destination.ts";
import { type ClaimOutcome, PostRecord } from "../lib/post/record.ts";
import {
  describeOutcome,
  describePost,
  describeRepeat,
  toPosted,
} from "../lib/post/result.ts";
import { send, type SendOutcome } from "../lib/post/send.ts";

const TOPIC = "job.incident-enricher.post";
const MESSAGE_BYTES_MAX = 256 * 1024;

/** The settings of {@linkcode SETTINGS}. */
export type PosterSettings = PlatformSettings & {
  readonly slackWebhookUrl: Setting<string | undefined>;
  readonly slackAllowedHosts: Setting<readonly string[]>;
  readonly allowInputUrl: Setting<boolean>;
  readonly requireApproval: Setting<boolean>;
  readonly postTimeoutMs: Setting<number>;
  readonly postSettleMs: Setting<number>;
};

/** Everything that this worker reads from its environment. */
export const SETTINGS: PosterSettings = {
  ...platformSettings("incident-enricher-poster", "incident-enricher-post"),
  slackWebhookUrl: optionalSecret("SLACK_WEBHOOK_URL", {
    about: "where posts of mode slack go",
  }),
  slackAllowedHosts: list("SLACK_ALLOWED_HOSTS", {
    about: "hosts that a post may go to, with a port if not 443",
    fallback: "hooks.slack.com",
  }),
  allowInputUrl: flag("POSTER_ALLOW_INPUT_URL", {
    about: "whether an incident may bring its own webhook URL",
    fallback: false,
  }),
  requireApproval: flag("POSTER_REQUIRE_APPROVAL", {
    about: "whether only what a recorded approval released is posted",
    fallback: true,
  }),
  postTimeoutMs: integer("POST_TIMEOUT_MS", {
    about: "time for one post, waits that Slack asks for included, in ms",
    fallback: 30_000,
    min: 1_000,
    max: 300_000,
  }),
  postSettleMs: integer("POST_SETTLE_MS", {
    about: "time for another poster's claim to settle, in ms",
    fallback: 60_000,
    min: 0,
    max: 600_000,
  }),
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
 * @throws {JobError} `DESTINATION_REFUSED`, `NOT_APPROVED`, `DIGEST_MISMATCH`
 * before anything is claimed; `POST_REFUSED` if nothing was sent;
 * `POST_IN_DOUBT` if nobody can know.
 * @throws {JobElsewhere} If another live process does this very job.
 */
export async function post(
  { incident, summary }: PostInput,
  context: Context,
): Promise<PostResult> {
  const { job } = context;
  const destination = await chooseDestination(incident, context);
  const approval = await findApproval(context);
  const { message, digest } = await readMessage(summary, context);
  const footer = { approval, runId: job.runId, digest };
  const payload = encodeMessage(withFooter(message, footer));
  const base = describePost({
    incidentId: incident.incident_id,
    destination,
    approval,
    digest,
    jobId: job.id,
    runId: job.runId,
  });
  if (job.dryRun) return await rehearse(payload, base, context);

  const record = openRecord(incident, destination, context);
  const claim = await claimPost(
    record,
    { digest, host: destination.host },
    context,
  );
  if (claim.state !== "mine") return describeRepeat(claim, base);
  const outcome = await send(destination, payload, {
    timeoutMs: context.settings.postTimeoutMs,
    signal: context.signal,
    putArtifact: (payload) => storePayload(payload, "audit", context),
  });
  const warning = await settle(record, claim.token, outcome, { base, context });
  const result = warn(describeOutcome(outcome, base), warning);
  return destination.kind === "artifact"
    ? result
    : await keepCopy(payload, result, context);
}

function chooseDestination(
  { destination }: IncidentInput,
  { settings, constraints }: Context,
): Promise<Destination> {
  return readDestination(destination, {
    webhookUrl: settings.slackWebhookUrl,
    allowedHosts: settings.slackAllowedHosts,
    policyHosts: constraints.networkAllowlist,
    allowInputUrl: settings.allowInputUrl,
  });
}

async function findApproval(
  { gateway, job, settings }: Context,
): Promise<Approval | undefined> {
  if (!settings.requireApproval) return undefined;
  return readApproval(await gateway.readJob(job.id), job);
}

/** The message as the summarizer stored it, if its bytes are still the same. */
async function readMessage(
  { message_ptr: pointer, message_sha256: expected }: Summary,
  { gateway }: Context,
): Promise<{ message: Message; digest: string }> {
  if (pointer === undefined || expected === undefined) {
    throw new JobError(
      "JOB_INVALID_INPUT",
      "Cannot post: the summary names no message",
    );
  }
  const { bytes } = await gateway.readArtifact(pointer, MESSAGE_BYTES_MAX);
  const digest = await sha256Hex(bytes);
  if (digest !== expected) {
    throw new JobError(
      "DIGEST_MISMATCH",
      `Cannot post: the message's sha256 is ${digest}, approved was ${expected}`,
    );
  }
  try {
    return { message: decodeMessage(bytes), digest };
  } catch (cause) {
    // Without the cause's text, which quotes what it could not read.
    throw new JobError(
      "JOB_INVALID_INPUT",
      "Cannot post: the artifact is no message of {text, blocks} within Slack's limits",
      { cause },
    );
  }
}

/** A dry run: everything is rendered and kept for a day, nothing is sent. */
async function rehearse(
  payload: Uint8Array,
  base: PostResult,
  context: Context,
): Promise<PostResult> {
  const pointer = await storePayload(payload, "short", context);
  return { ...base, artifact_ptr: pointer, dry_run: true };
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
    now: Date.now,
    wait: (ms) => wait(ms, signal),
  });
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
  payload: Uint8Array,
  result: PostResult,
  context: Context,
): Promise<PostResult> {
  try {
    return {
      ...result,
      artifact_ptr: await storePayload(payload, "audit", context),
    };
  } catch (error) {
    context.log.warn("Cannot keep a copy of the post", errorFields(error));
    return warn(result, "No copy of the payload could be kept");
  }
}

function storePayload(
  payload: Uint8Array,
  retention: "short" | "audit",
  { gateway }: Context,
): Promise<string> {
  return gateway.putArtifact({
    content: payload,
    contentType: "application/json",
    retention,
    labels: { kind: "incident.post" },
  });
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
    handle: post,
  });
}
