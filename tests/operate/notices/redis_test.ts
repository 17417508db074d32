/**
 * The record of notices on a real `redis-server`, as the desk's own user.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { Redis } from "ioredis";
import {
  claim,
  noticeStore,
  settle,
} from "../../../lib/operate/notices/claims.ts";
import {
  NOTICE_TTL_S,
  noticeKey,
} from "../../../lib/operate/notices/record.ts";
import { Platform } from "../../../lib/operate/platform.ts";
import { isMissing, startRealRedis } from "../../support/real_servers.ts";
import { as, startRedisWithUsers } from "../../support/users.ts";
import { START_MS } from "../../support/notices.ts";

const ignore = await isMissing(startRealRedis);

Deno.test("of eight desks on one Redis, one tells, and the record expires", {
  ignore,
}, async () => {
  await using server = await startRedisWithUsers();
  await using stack = new AsyncDisposableStack();
  const stores = Array.from({ length: 8 }, () => {
    const gateway = { url: "http://127.0.0.1:1", apiKey: "k" };
    const redis = { url: as("DESK", server.url) };
    const { signal } = new AbortController();
    const platform = stack.use(new Platform({ gateway, redis }, { signal }));
    return noticeStore(platform);
  });
  const key = noticeKey({ jobId: "run:post@1", since: START_MS });
  for (const rank of [0, 1, 2]) {
    const wanted = { to: "slack", key, rank } as const;
    const found = await Promise.all(
      stores.map((store) =>
        claim(store, wanted, { over: undefined, nowMs: START_MS })
      ),
    );
    const mine = found.filter(({ state }) => state === "mine");
    assertEquals(mine.length, 1, JSON.stringify(found));
    const { token } = mine[0] as { token: string };
    await settle(stores[0]!, { key, token }, undefined, START_MS);
  }
  using redis = Object.assign(new Redis(as("PLATFORM", server.url)), {
    [Symbol.dispose]: () => redis.disconnect(),
  });
  const ttl = await redis.ttl(key);
  assert(ttl > NOTICE_TTL_S - 60 && ttl <= NOTICE_TTL_S, `${ttl}`);
});
