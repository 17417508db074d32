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
import { StoreError } from "../../lib/platform/store.ts";
import { markPost } from "../../lib/operate/settle.ts";
import { recordKey } from "../../lib/post/events.ts";
import { openLine } from "../support/proxy.ts";
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

Deno.test("a Redis that goes away is not waited for as long as a long list", async () => {
  await using server = await startRedisServer();
  await using line = openLine(server.url);
  {
    await using posts = await openPosts({ url: line.url }, signal, {
      callMs: 200,
    });
    line.cut();
    await assertRejects(
      () => posts.find(() => true),
      StoreError,
      "Redis has not answered for 0.2 s",
    );
  }
  await runOut();
});
