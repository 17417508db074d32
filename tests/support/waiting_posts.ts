/**
 * A gateway on which posts wait for approval, and which fails when it is told
 * to.
 *
 * @module
 */
import { plain, startGateway } from "../../deploy/standins/gateway.ts";
import { header } from "../../lib/message/block_kit.ts";
import { encodeMessage } from "../../lib/message/message.ts";
import { POST_TOPIC } from "../../lib/operate/pack.ts";

export interface WaitingPosts extends AsyncDisposable {
  readonly url: string;
  /** Ids of jobs and since when they wait, in ms since the epoch. */
  readonly jobs: Map<string, number>;
  /** The path of each call, in order. */
  readonly calls: string[];
  /** Answers in place of the gateway. */
  fault: (path: string) => Response | undefined | Promise<Response | undefined>;
  /** How many calls began with this path. */
  count(path: string): number;
}

/** @param collectedAt When the evidence of all of them was collected. */
export function serveWaitingPosts(
  ids: Iterable<string>,
  { sinceMs = Date.now(), collectedAt = () => new Date().toISOString() } = {},
): WaitingPosts {
  const jobs = new Map([...ids].map((id) => [id, sinceMs]));
  const calls: string[] = [];
  const server = startGateway(async ({ path: whole }) => {
    const path = decodeURIComponent(whole.replace("/api/v1", ""));
    calls.push(path);
    const fault = await posts.fault(path);
    if (fault !== undefined) return fault;
    const [, kind = "", id = ""] = /^\/(\w+)\/?(.*)$/.exec(path)!;
    switch (kind) {
      case "approvals":
        return Response.json({
          items: [...jobs].map(([id, sinceMs]) => ({
            job: {
              id,
              topic: POST_TOPIC,
              state: "APPROVAL_REQUIRED",
              updated_at: sinceMs * 1000,
            },
            policy_snapshot: "now",
          })),
        });
      case "policy":
        return Response.json({ snapshots: ["now"] });
      case "jobs":
        return Response.json({
          id,
          topic: POST_TOPIC,
          run_id: id.split(":")[0],
          context: {
            incident: { incident_id: id, title: `Title of ${id}` },
            evidence: { collected_at: collectedAt() },
            summary: { message_ptr: `redis://art:${id}` },
          },
        });
      case "artifacts": {
        const about = id.replace("redis://art:", "");
        const blocks = [header(`🔴 P1 · ${about}: orders fail`)];
        const content = encodeMessage({ text: "t", blocks }).toBase64();
        return Response.json({ content_base64: content });
      }
      default:
        return plain(404, "no");
    }
  });
  const posts: WaitingPosts = {
    url: server.url,
    jobs,
    calls,
    fault: () => undefined,
    count: (path) => calls.filter((call) => call.startsWith(path)).length,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
  return posts;
}
