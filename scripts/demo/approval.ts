/**
 * The decision about the post, and what comes of it.
 *
 * @module
 */
import { sha256Hex } from "../../lib/base/digest.ts";
import type { PostResult } from "../../lib/incident.ts";
import { decodeMessage, encodeMessage } from "../../lib/message/message.ts";
import {
  approve,
  follow,
  type Followed,
  reject,
} from "../../lib/operate/approvals.ts";
import { readProposal } from "../../lib/operate/proposal.ts";
import { askYesOrNo } from "../terminal/ask.ts";
import { CommandError } from "../terminal/command.ts";
import type { Scene } from "./scene.ts";

/** What is to become of the post; `ask` asks on the terminal. */
export type Decision = "approve" | "reject" | "ask";

/** What became of the post. */
export type Decided =
  | { end: "posted"; result: PostResult }
  | { end: "rejected" }
  /** By the platform, which does not release it. */
  | { end: "refused"; cause: string };

const APPROVALS_MAX = 3;
const FOLLOW_MS = 120_000;
const ENDED_MS = 30_000;

/** Approves or rejects a post, as `decision` says, and shows what comes of it. */
export async function decide(
  scene: Scene,
  post: { runId: string; jobId: string },
  { decision, principal }: { decision: Decision; principal: string },
): Promise<Decided> {
  const { stand: { platform }, say } = scene;
  const { jobId } = post;
  say.begin("approval", decision === "reject" ? "Rejection" : "Approval");
  const proposal = await readProposal(platform, post);
  say.line(
    `the message to be posted has sha256 ${proposal.digest}${
      proposal.digest === proposal.messageDigest
        ? ""
        : ", which is NOT the one that the summary names"
    }`,
  );
  if (decision === "ask") say.message(proposal.message?.blocks ?? []);
  const rejected = decision === "reject" || decision === "ask" &&
      !await askYesOrNo(say.context, `  Post this as ${principal}?`);
  if (rejected) {
    await reject(platform, jobId, "rejected in the demo");
    await showRejected(scene, post);
    return { end: "rejected" };
  }
  let cause = "every approval bounced";
  for (let attempt = 1; attempt <= APPROVALS_MAX; attempt++) {
    say.line(
      await approve(platform, jobId)
        ? `approved as ${principal}, with an empty body`
        : "somebody else decided it",
    );
    const followed = await followPost(scene, jobId);
    if (followed.end === "succeeded") {
      say.line(`post       done, job ${jobId}`);
      const result = followed.result as unknown as PostResult;
      const { by = principal } = result.approval ?? {};
      if (by !== principal) {
        say.line(`the platform recorded ${by} as approver: it goes by the key`);
      }
      await showReceived(scene, proposal.digest);
      return { end: "posted", result };
    }
    say.line("it bounced: the job waits for approval again");
    if (followed.why === "never released") {
      // It reads its own approvals back wrongly, so that none counts.
      cause =
        "this platform is coretexOS 0.6, which never releases an approved job";
      say.line(cause);
      break;
    }
  }
  await reject(platform, jobId, "the platform does not release it");
  say.line(`rejected, since ${cause}`);
  return { end: "refused", cause };
}

async function followPost(
  { stand: { platform } }: Scene,
  jobId: string,
): Promise<Extract<Followed, { end: "succeeded" | "bounced" }>> {
  const followed = await follow(platform, jobId, {
    timeoutMs: FOLLOW_MS,
  });
  if (followed.end === "bounced" || followed.end === "succeeded") {
    return followed;
  }
  throw new CommandError(
    followed.end === "failed"
      ? `The post failed: ${followed.code} ${followed.message}`
      : `The post is still ${followed.state}`,
  );
}

/** What went out, as Slack has it, is what was approved. */
async function showReceived(
  { stand: { slack }, say }: Scene,
  digest: string | undefined,
): Promise<void> {
  if (slack === undefined) return;
  const [post, ...more] = slack.received;
  if (post === undefined || more.length > 0) {
    throw new CommandError(
      `Slack received ${slack.received.length} messages, expected 1`,
    );
  }
  const { text, blocks } = JSON.parse(post.body);
  const approved = decodeMessage(
    encodeMessage({ text, blocks: blocks.slice(0, -1) }),
  );
  const received = await sha256Hex(encodeMessage(approved));
  if (received !== digest) {
    throw new CommandError(
      `Slack received a message with sha256 ${received}, approved was ${digest}`,
    );
  }
  say.line("Slack received one message: what was approved, and the footer");
  say.message(blocks);
}

async function showRejected(
  { stand, say }: Scene,
  { runId, jobId }: { runId: string; jobId: string },
): Promise<void> {
  // Not every platform ends the run.
  const run = await stand.untilEnded(runId, ENDED_MS)
    .catch(() => stand.readRun(runId));
  const job = await stand.job(jobId);
  say.line(`rejected: job ${job["state"]}, run ${run["status"]}`);
  if (
    stand.workers.get("poster")!.hasLogged(jobId) || job["state"] !== "DENIED"
  ) {
    throw new CommandError("The rejected job reached the poster");
  }
  if (stand.slack !== undefined && stand.slack.connections() > 0) {
    throw new CommandError("Slack was called for a rejected post");
  }
  say.line(
    "nothing was posted: the poster never got the job, and the job has no result of ours",
  );
}
