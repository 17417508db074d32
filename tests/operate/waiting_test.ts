/**
 * Watching for jobs that wait, on a gateway whose list is a test's.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { plain, startGateway } from "../../deploy/standins/gateway.ts";
import { header, section } from "../../lib/message/block_kit.ts";
import { encodeMessage } from "../../lib/message/message.ts";
import { POST_TOPIC } from "../../lib/operate/pack.ts";
import { readWaiting, type WaitingPost } from "../../lib/operate/waiting.ts";
import { watchWaiting } from "../../lib/operate/watch_waiting.ts";
import { NO_REDIS, platformAt } from "../support/platform.ts";
import { until } from "../support/until.ts";

Deno.test("watchWaiting() tells of each job once, and of an outage once", async () => {
  let waiting: string[] | undefined = ["a", "b"];
  let looks = 0;
  await using server = startGateway(({ path }) => {
    if (!path.endsWith("/approvals")) return Response.json({});
    looks++;
    if (waiting === undefined) return plain(401, "no");
    const items = waiting.map((id) => ({
      job: { id, topic: "t", state: "APPROVAL_REQUIRED", updated_at: 1 },
    }));
    return Response.json({ items });
  });
  const stop = new AbortController();
  await using platform = platformAt(server.url, { signal: stop.signal });
  const told: string[] = [];
  const watching = watchWaiting(platform, NO_REDIS, {
    onWaiting: ({ job_id }) => Promise.resolve(void told.push(job_id)),
    onAway: (error) => told.push(error.message),
    onBack: () => told.push("back"),
  }, 10);
  /** Three looks more tell what one told, and nothing twice. */
  const expect = async (...expected: string[]) => {
    await until(expected.join(), () => told.length >= expected.length);
    const seen = looks;
    await until("more looks", () => looks >= seen + 3);
    assertEquals(told.splice(0), expected);
  };
  await expect("a", "b");
  waiting = undefined;
  await expect(
    "Cannot call GET /approvals: got status 401, expected 2xx (no); check CORETEX_API_KEY or CORDUM_API_KEY",
  );
  waiting = ["a", "b", "c"];
  await expect("back", "c");
  waiting = ["b", "c"];
  await expect();
  waiting = ["a", "b", "c"]; // It bounced.
  await expect("a");
  waiting = Array.from({ length: 20 }, (_, at) => `n${at}`); // Eight a look.
  await expect(...waiting);
  stop.abort(new Error("stopped"));
  await assertRejects(() => watching, Error, "stopped");
});

const LINES = ["Since 09:20, none resolved"];

/** Waiting jobs that are posts, with a message each; counts the reads of those. */
function servePosts(ids: () => readonly string[]) {
  const reads: string[] = [];
  const [text] = LINES;
  const blocks = [header("Orders fail"), section(text!)];
  const content = encodeMessage({ text: "t", blocks }).toBase64();
  const server = startGateway(({ path }) => {
    const [, kind = "", id = ""] = /v1\/(\w+)\/?(.*)$/.exec(path)!;
    const topic = id.startsWith("step") ? "job.other" : POST_TOPIC;
    switch (kind) {
      case "approvals":
        return Response.json({
          items: ids().map((id) => ({
            job: {
              id,
              topic: id.startsWith("step") ? "job.other" : POST_TOPIC,
              state: "APPROVAL_REQUIRED",
              updated_at: 1,
            },
            policy_snapshot: id.endsWith("old") ? "before" : "now",
          })),
        });
      case "policy":
        return Response.json({ snapshots: ["now", "before"] });
      case "jobs":
        return Response.json({
          id,
          topic,
          context: id === "gone" ? null : {
            incident: { incident_id: id },
            evidence: { collected_at: new Date().toISOString() },
            summary: { message_ptr: `redis://art:${id}` },
          },
        });
      case "artifacts":
        reads.push(decodeURIComponent(id));
        return Response.json({ content_base64: content });
      default:
        return Response.json({});
    }
  });
  return { server, reads };
}

Deno.test("readWaiting() reads messages of posts only, and marks what policy has left behind", async () => {
  const { server, reads } = servePosts(() => ["a", "step", "b-old", "gone"]);
  await using _ = server;
  await using platform = platformAt(server.url);
  const posts = await readWaiting(
    platform,
    await platform.waiting(),
    NO_REDIS,
  );
  assertEquals(
    posts.map(({ job_id, destination, headline, lines, effect, until }) => [
      job_id,
      destination,
      headline,
      lines,
      effect,
      until === "",
    ]),
    [
      ["a", "artifact", "Orders fail", LINES, "unknown", false],
      ["step", "", "", [], "", true],
      ["b-old", "artifact", "Orders fail", LINES, "unknown", true],
      ["gone", "", "", [], "", true],
    ],
  );
  assertEquals(
    posts.map(({ problem }) => problem.split(" ").slice(0, 3).join(" ")),
    ["", "", "the policy changed", "its input has"],
  );
  assertEquals(reads, ["redis://art:a", "redis://art:b-old"]);
});

Deno.test("watchWaiting() reads the message of a job that bounces once", async () => {
  let waiting = ["a"];
  const { server, reads } = servePosts(() => waiting);
  await using _ = server;
  const stop = new AbortController();
  await using platform = platformAt(server.url, { signal: stop.signal });
  const told: WaitingPost[] = [];
  const watching = watchWaiting(platform, NO_REDIS, {
    onWaiting: (post) => Promise.resolve(void told.push(post)),
    onAway() {},
    onBack() {},
  }, 10);
  await until("a", () => told.length === 1);
  waiting = ["b"];
  await until("b", () => told.length === 2);
  waiting = ["a", "b"];
  await until("a again", () => told.length === 3);
  assertEquals(told.map(({ job_id, headline }) => [job_id, headline]), [
    ["a", "Orders fail"],
    ["b", "Orders fail"],
    ["a", "Orders fail"],
  ]);
  assertEquals(reads, ["redis://art:a", "redis://art:b"]);
  stop.abort(new Error("stopped"));
  await assertRejects(() => watching, Error, "stopped");
});
