/**
 * A gateway that is away for longer than a call is tried: `deno task test:slow`.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { approve } from "../../../lib/operate/approvals.ts";
import { isRoutable, startPath } from "../../support/gateway_path.ts";
import { until } from "../../support/until.ts";

Deno.test("an approved post in hand outlives a gateway that is gone, and is sent once", async () => {
  await using path = await startPath();
  const { stand, slack, front } = path;
  const poster = stand.workers.get("poster")!;
  const [runId, jobId] = await path.waiting("gone");
  await front.close();
  await approve(stand.platform, jobId);
  await poster.waitFor("Holding a job until it can be done", 60_000);
  await poster.waitFor("Taking no jobs; check CORETEX_GATEWAY_URL", 60_000);
  await until("the scheduler to know", async () => !await isRoutable(stand));
  assertEquals((await stand.job(jobId))["state"], "RUNNING");
  front.open();
  assertEquals((await stand.untilEnded(runId))["status"], "succeeded");
  assertEquals(slack.received.length, 1);
});
