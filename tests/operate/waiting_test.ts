/**
 * Watching for jobs that wait, on a gateway whose list is a test's.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { plain, startGateway } from "../../deploy/standins/gateway.ts";
import { watchWaiting } from "../../lib/operate/waiting.ts";
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
