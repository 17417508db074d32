/**
 * The desk's watch over what waits, on a gateway that counts its calls.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { plain } from "../../deploy/standins/gateway.ts";
import { createLog } from "../../lib/base/log.ts";
import { delay } from "../../lib/base/time.ts";
import {
  type OpenWatcher,
  openWatcher,
  type WatcherOptions,
} from "../../lib/desk/watcher.ts";
import { StoreError } from "../../lib/platform/store.ts";
import type { Operator } from "../../lib/operate/operator.ts";
import { NO_REDIS, platformAt } from "../support/platform.ts";
import { until } from "../support/until.ts";
import {
  serveWaitingPosts,
  type WaitingPosts,
} from "../support/waiting_posts.ts";

/** Calls with a watcher of a gateway on which these jobs wait. */
async function onWatch(
  ids: Iterable<string>,
  { records = NO_REDIS.posts, ...options }: WatcherOptions & {
    records?: Operator["posts"];
  },
  use: (watcher: OpenWatcher, posts: WaitingPosts) => Promise<void>,
): Promise<void> {
  await using posts = serveWaitingPosts(ids);
  const stop = new AbortController();
  await using platform = platformAt(posts.url, {
    signal: stop.signal,
    callMs: 500,
  });
  const operator: Operator = {
    platform,
    posts: records,
    postMaxAgeS: 3_600,
    signingKey: undefined,
  };
  const log = createLog({}, { write() {} });
  await using watcher = openWatcher(operator, log, options);
  await use(watcher, posts);
}

const headlines = async (watcher: OpenWatcher) =>
  (await watcher.board()).rows.map(({ job, post }) =>
    post?.headline ?? `${job.jobId}…`
  );

Deno.test("a warm board costs no call, and each job was read once", async () => {
  await onWatch(["a", "b"], { lookMs: 60_000 }, async (watcher, posts) => {
    await until(
      "both",
      async () =>
        (await headlines(watcher)).every((text) =>
          text.includes("orders fail")
        ),
    );
    const calls = posts.calls.length;
    for (let at = 0; at < 20; at++) await watcher.board();
    assertEquals(posts.calls.length, calls);
    assertEquals([posts.count("/jobs"), posts.count("/artifacts")], [2, 2]);
    assertEquals(watcher.find("b")?.post?.headline, "🔴 P1 · b: orders fail");
    assertEquals(watcher.find("c"), undefined);
  });
});

Deno.test("500 waiting jobs are listed at once and read at most 5 a second, what is looked at first", async () => {
  const ids = Array.from({ length: 500 }, (_, at) => `job-${at}`);
  await onWatch(ids, { lookMs: 100 }, async (watcher, posts) => {
    watcher.want(["job-77"]);
    const { rows, trouble } = await watcher.board();
    assertEquals([rows.length, trouble], [500, undefined]);
    const started = performance.now();
    await until("job-77", () => watcher.find("job-77")?.post);
    await delay(2_100);
    const seconds = (performance.now() - started) / 1_000;
    assert(posts.count("/jobs") <= 5 * (seconds + 1), "too many reads");
    assert(posts.count("/jobs") >= 10, "too few");
    assert(posts.calls.indexOf("/jobs/job-77") <= 8, "not first");
    const before = posts.calls.length;
    const asked = performance.now();
    const board = await watcher.board();
    assert(performance.now() - asked < 100);
    assertEquals(board.rows.length, 500);
    assert(posts.calls.length - before <= 1);
  });
});

Deno.test("a job that was decided elsewhere goes, and one that bounced is not read again", async () => {
  await onWatch(["a", "b"], { lookMs: 10 }, async (watcher, posts) => {
    let changes = 0;
    const end = watcher.onChange(() => changes++);
    await until("both", () => posts.count("/artifacts") === 2);
    await until("b", () => watcher.find("b")?.post);
    const before = changes;
    posts.jobs.delete("b");
    await until("one", () => watcher.find("b") === undefined);
    await until("a change", () => changes > before);
    posts.jobs.set("b", Date.now() + 1_000);
    await until("b again", () => watcher.find("b")?.post);
    assertEquals(posts.count("/jobs/b"), 1);
    end();
    const after = changes;
    posts.jobs.clear();
    await until("none", () => watcher.find("a") === undefined);
    assertEquals(changes, after);
  });
});

Deno.test("while the platform is away the board shows what it knew, and why", async () => {
  await onWatch(["a"], { lookMs: 10 }, async (watcher, posts) => {
    await until("a", async () => (await headlines(watcher)).length === 1);
    posts.fault = () => plain(401, "no");
    const away = await until("trouble", async () => {
      const board = await watcher.board();
      return board.trouble === undefined ? undefined : board;
    });
    assertEquals(away.rows.length, 1);
    assert(
      away.trouble!.startsWith("Cannot call GET /approvals: got status 401"),
    );
    posts.fault = () => undefined;
    await until(
      "back",
      async () => (await watcher.board()).trouble === undefined,
    );
  });
});

Deno.test("a notice that could not be delivered is a change of the board", async () => {
  let undelivered: string[] = [];
  const options = { lookMs: 10, undelivered: () => undelivered };
  await onWatch(["a"], options, async (watcher, posts) => {
    await until("a", () => watcher.find("a")?.post ?? watcher.start());
    let changes = 0;
    watcher.onChange(() => changes++);
    const looks = async () => {
      const before = posts.count("/approvals");
      await until("looks", () => posts.count("/approvals") > before + 2);
      return changes;
    };
    assertEquals(await looks(), 0);
    undelivered = ["1 notice could not be delivered; next attempt later"];
    assertEquals(await looks(), 1);
    assertEquals((await watcher.board()).undelivered, undelivered);
    undelivered = [];
    assertEquals(await looks(), 2);
  });
});

Deno.test("what waits is handed on only while the platform confirms it", async () => {
  let handed = 0;
  const options = { lookMs: 10, onRows: () => void handed++ };
  await onWatch(["a"], options, async (watcher, posts) => {
    await until("a", async () => (await headlines(watcher)).length === 1);
    posts.fault = () => plain(401, "no");
    await until(
      "away",
      async () => (await watcher.board()).trouble !== undefined,
    );
    const before = handed;
    const calls = posts.calls.length;
    await until("more looks", () => posts.calls.length > calls + 3);
    assertEquals(handed, before);
  });
});

Deno.test("a job that cannot be read says why, holds up no other, and is read later", async () => {
  let nowMs = Date.now();
  const options = { lookMs: 10, now: () => nowMs };
  await onWatch(["a", "b"], options, async (watcher, posts) => {
    posts.fault = (path) => path === "/jobs/a" ? plain(403, "no") : undefined;
    watcher.start();
    await until("b", () => watcher.find("b")?.post);
    const { post, trouble } = watcher.find("a")!;
    assertEquals([post, trouble?.slice(0, 19)], [
      undefined,
      "Cannot call GET /jo",
    ]);
    posts.fault = () => undefined;
    nowMs += 60_000;
    await until("a", () => watcher.find("a")?.post);
    assertEquals(watcher.find("a")!.trouble, undefined);
  });
});

Deno.test("a record that is gone takes its job off the board", async () => {
  await onWatch(["a", "b"], { lookMs: 10 }, async (watcher, posts) => {
    posts.fault = (path) =>
      path === "/jobs/a" ? plain(404, "job not found\n") : undefined;
    watcher.start();
    await until("b", () => watcher.find("b")?.post);
    await until("a", () => watcher.find("a") === undefined);
    assertEquals(await headlines(watcher), ["🔴 P1 · b: orders fail"]);
  });
});

Deno.test("429 and 500 of the gateway cost time and nothing else", async () => {
  await onWatch(["a"], { lookMs: 10 }, async (watcher, posts) => {
    let faults = 2;
    posts.fault = (path) =>
      path.startsWith("/jobs") && faults-- > 0
        ? plain(faults === 1 ? 429 : 500, "busy")
        : undefined;
    watcher.start();
    const row = await until(
      "a",
      () => watcher.find("a")?.post && watcher.find("a"),
    );
    assertEquals(row.trouble, undefined);
    assertEquals(posts.count("/jobs/a"), 3);
  });
});

Deno.test("a gateway that is slow to list is asked less often", async () => {
  await onWatch(["a"], { lookMs: 10 }, async (watcher, posts) => {
    posts.fault = async (path) => {
      if (path.startsWith("/approvals")) await delay(100);
      return undefined;
    };
    watcher.start();
    await until("a", () => watcher.find("a")?.post);
    const before = posts.count("/approvals");
    await delay(1_100);
    assert(posts.count("/approvals") - before <= 2);
  });
});

Deno.test("after a decision the platform is asked at once", async () => {
  await onWatch(["a"], { lookMs: 60_000 }, async (watcher, posts) => {
    await until("a", async () => (await headlines(watcher)).length === 1);
    posts.jobs.clear();
    watcher.refresh();
    await until("none", async () => (await headlines(watcher)).length === 0);
    assertEquals(posts.count("/approvals"), 2);
  });
});

Deno.test("a post says that it can no longer be approved as soon as that is so", async () => {
  let nowMs = Date.now();
  const options = { lookMs: 10, now: () => nowMs };
  await onWatch(["a"], options, async (watcher, posts) => {
    watcher.start();
    const post = await until("a", () => watcher.find("a")?.post);
    assertEquals(post.problem, "");
    nowMs += 3_601_000;
    assertEquals(
      watcher.find("a")!.post!.problem,
      "its evidence was collected 1 h ago, and POST_MAX_AGE_S allows 1 h",
    );
    assertEquals(watcher.find("a")!.post!.until, "");
    assertEquals(posts.count("/jobs"), 1);
  });
});

Deno.test("without the records of posts a job is shown, and only they are read again", async () => {
  let nowMs = Date.now();
  let away = true;
  const records = () => {
    if (away) throw new StoreError("unavailable", "Redis is away");
    return Promise.resolve(undefined);
  };
  const options = { lookMs: 10, now: () => nowMs, records };
  await onWatch(["a"], options, async (watcher, posts) => {
    watcher.start();
    const row = await until("why", () => {
      const row = watcher.find("a");
      return row?.trouble === undefined ? undefined : row;
    });
    assertEquals([row.post?.job_id, row.trouble], ["a", "Redis is away"]);
    assertEquals(row.post?.effect, "");
    away = false;
    nowMs += 60_000;
    await until("records", () => watcher.find("a")?.post?.effect === "unknown");
    assertEquals(posts.count("/jobs"), 1);
  });
});
