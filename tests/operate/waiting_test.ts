/**
 * Watching for jobs that wait, on a gateway whose list is a test's.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { Platform } from "../../lib/operate/platform.ts";
import { watchWaiting } from "../../lib/operate/waiting.ts";
import { until } from "../support/until.ts";

Deno.test("watchWaiting() tells of each job once, and of an outage once", async () => {
  let waiting: string[] | undefined = ["a", "b"];
  let looks = 0;
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    ({ url }) => {
      if (!url.includes("/approvals")) return Response.json({});
      looks++;
      if (waiting === undefined) return new Response("no", { status: 401 });
      const items = waiting.map((id) => ({
        job: { id, topic: "t", state: "APPROVAL_REQUIRED", updated_at: 1 },
      }));
      return Response.json({ items });
    },
  );
  const stop = new AbortController();
  const url = `http://127.0.0.1:${server.addr.port}`;
  await using platform = new Platform(
    { gateway: { url, apiKey: "k" }, redis: undefined },
    { signal: stop.signal },
  );
  const told: string[] = [];
  const watching = watchWaiting(platform, 60, {
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
  await expect("Cannot call GET /approvals: got status 401, expected 2xx (no)");
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
