/**
 * The records of posts, where Redis holds something else.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { startRedisServer } from "../../deploy/devcore/redis_server.ts";
import { OperationError } from "../../lib/operate/errors.ts";
import { openStore } from "../../lib/operate/reach.ts";
import { openPosts } from "../../lib/operate/posts.ts";
import { markPost } from "../../lib/operate/settle.ts";
import { recordKey } from "../../lib/post/events.ts";
import { runOut } from "../support/until.ts";

const { signal } = new AbortController();
const DECISION = { by: "ada", why: "x", link: undefined, nowMs: 0 };

Deno.test("a key that is no list is shown as in doubt, and cannot be marked", async () => {
  await using server = await startRedisServer();
  const key = recordKey({
    tenant: "default",
    incidentId: "mock:1",
    destination: "artifact",
  });
  await using store = await openStore({ url: server.url }, 5_000, signal);
  await store.write(key, "x", 60, signal);
  await using posts = await openPosts({ url: server.url }, signal);
  const [post, ...others] = await posts.find(() => true);
  assertEquals(
    [post?.key, post?.incident_id, post?.state, others],
    [key, "mock:1", "in doubt", []],
  );
  assertEquals(post?.events.length, 1);
  assertEquals(await posts.find((other) => other !== key), []);
  await assertRejects(
    () => markPost(posts, `${key}x`, DECISION),
    OperationError,
    "The record is gone",
  );
  await runOut();
});
