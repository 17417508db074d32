/**
 * Events of posts as a poster writes them.
 *
 * @module
 */
import type { Claim, PostEvent } from "../../lib/post/events.ts";

/** The run that they are of. */
export const RUN = "8f14e45f-ceea-467f-a8d0-5b1c7b2f0d11";

/** What a poster writes before it posts. */
export function claim(
  token: string,
  at: string,
  more: Partial<Claim> = {},
): Claim {
  return {
    type: "claim",
    token,
    job_id: `${RUN}:post@1`,
    run_id: RUN,
    digest: "d".repeat(64),
    host: "hooks.slack.com",
    ...more,
    at,
  };
}

/** What it writes after it has posted, for the claim `A`. */
export function posted(at: string): PostEvent {
  const result = {
    posted_at: at,
    message_sha256: "d".repeat(64),
    job_id: `${RUN}:post@1`,
    run_id: RUN,
  };
  return { type: "posted", token: "A", result, at };
}
