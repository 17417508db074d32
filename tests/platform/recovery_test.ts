/**
 * Jobs whose poster died: another finds them, does them once, and answers.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import { assert, assertEquals } from "@std/assert";
import { plain, startGateway } from "../../deploy/standins/gateway.ts";
import { startDevcore } from "../../deploy/devcore/devcore.ts";
import { type Behaviour, startSlack } from "../../deploy/standins/slack.ts";
import { Gateway } from "../../lib/platform/gateway.ts";
import { findSilentJobs } from "../../lib/platform/recovery.ts";
import { approve } from "../../lib/operate/approvals.ts";
import type { SpawnOptions } from "../../scripts/launch/process.ts";
import { type Stand, startStand } from "../../scripts/launch/stand.ts";
import { until } from "../support/until.ts";
import sample from "../../deploy/samples/sample_webhook.json" with {
  type: "json",
};

const TOPIC = "job.incident-enricher.post";
const NOW = Date.parse("2026-11-22T12:00:00Z");
const { signal } = new AbortController();

const SEARCH = {
  topic: TOPIC,
  silentMs: 60_000,
  nowMs: NOW,
  signal,
  isHeld: () => false,
};

/** A gateway with these jobs, by how many seconds ago they changed. */
function serveJobs(ages: Record<string, number>, more: JsonObject[] = []) {
  const asked: string[] = [];
  const items = Object.entries(ages).map(([id, seconds]) => ({
    id,
    state: "RUNNING",
    topic: TOPIC,
    updated_at: (NOW - seconds * 1000) * 1000,
  }));
  const stand = startGateway(({ path, search }) => {
    asked.push(path + search);
    if (path === "/api/v1/jobs") {
      return Response.json({ items: [...items, ...more] });
    }
    const id = decodeURIComponent(path.split("/").at(-1)!);
    if (id === "forbidden") return plain(403, "no\n");
    return Response.json({
      id,
      topic: TOPIC,
      tenant: "acme",
      trace_id: "trace",
      context_ptr: `redis://ctx:${id}`,
      workflow_id: "w",
      run_id: "r",
      labels: { run_id: "r", odd: 1 },
    });
  });
  const gateway = new Gateway({ url: stand.url, apiKey: "k" });
  return Object.assign(stand, { gateway, asked });
}

Deno.test("findSilentJobs() finds jobs of its topic that nobody spoke of for a while", async () => {
  await using stand = serveJobs({ old: 61, young: 59 }, [
    { id: "other", state: "RUNNING", topic: "job.x", updated_at: 1 },
    { id: "done", state: "SUCCEEDED", topic: TOPIC, updated_at: 1 },
  ]);
  const { jobs, problems } = await findSilentJobs(stand.gateway, SEARCH);
  const [job, ...others] = jobs;
  assertEquals(problems, []);
  assertEquals(others, []);
  const { jobId, topic, contextPtr, tenantId, workflowId, labels, env } = job!
    .request;
  assertEquals(
    { jobId, topic, contextPtr, tenantId, workflowId, labels, env },
    {
      jobId: "old",
      topic: TOPIC,
      contextPtr: "redis://ctx:old",
      tenantId: "acme",
      workflowId: "w",
      labels: { run_id: "r" },
      env: { run_id: "r" },
    },
  );
  assertEquals(job!.traceId, "trace");
  assertEquals(stand.asked, [
    "/api/v1/jobs?state=RUNNING&topic=job.incident-enricher.post&limit=1000",
    "/api/v1/jobs/old",
  ]);
});

Deno.test("findSilentJobs() takes a bounded number at a time", async () => {
  const ages = Object.fromEntries(
    Array.from({ length: 50 }, (_, at) => [`j${at}`, 100]),
  );
  await using stand = serveJobs(ages);
  const isHeld = (jobId: string) => jobId < "j2";
  const { jobs } = await findSilentJobs(stand.gateway, {
    ...SEARCH,
    isHeld,
  });
  // Those in hand do not take the place of those that are not.
  assertEquals(jobs.length, 20);
  assert(jobs.every(({ request }) => !isHeld(request.jobId)));
});

Deno.test("findSilentJobs() goes on after a job that it may not read", async () => {
  await using stand = serveJobs({ forbidden: 100, good: 100 });
  const { jobs, problems } = await findSilentJobs(stand.gateway, SEARCH);
  assertEquals(jobs.map(({ request }) => request.jobId), ["good"]);
  assertEquals(problems.map(({ jobId }) => jobId), ["forbidden"]);
});

Deno.test("findSilentJobs() says that a full list may hide jobs", async () => {
  const many = Array.from({ length: 1_000 }, (_, at) => ({ id: `o${at}` }));
  await using stand = serveJobs({}, many);
  const { problems } = await findSilentJobs(stand.gateway, SEARCH);
  assertEquals(problems.map(({ error }) => error), [
    "The platform lists no more than these jobs; older ones may be missing",
  ]);
});

async function toApproval(stand: Stand, id: string): Promise<[string, string]> {
  const { answer } = await stand.send({ ...sample, id });
  const runId = String(answer["run_id"]);
  return [runId, await stand.untilApproval(runId)];
}

Deno.test("an approved post survives its poster", async (t) => {
  // A platform whose clock is late tells of every change that it was long ago.
  const clock = () => Date.now() - 120_000;
  await using core = await startDevcore({ reloadMs: 200, clock });
  let behaviour: Behaviour = "slack";
  await using slack = await startSlack({ behaviour: () => behaviour });
  await using stand = await startStand({
    platformEnv: core.env,
    slack,
    env: { POST_SETTLE_MS: "0" },
  });
  const start = (id: string, options: SpawnOptions = {}) =>
    stand.spawnBeside("poster", { WORKER_ID: id }, options);

  await t.step(
    "killed right after the approval, its job is done by another",
    async () => {
      const [runId, jobId] = await toApproval(stand, "survives");
      // Stopped and not killed yet, so that the platform still sends it the job.
      stand.workers.get("poster")!.signal("SIGSTOP");
      await approve(stand.platform, jobId);
      await until(
        "the job to be handed over",
        async () => (await stand.job(jobId))["state"] === "RUNNING",
      );
      await stand.workers.get("poster")!.kill();
      assertEquals(slack.received.length, 0);
      await using _ = start("incident-enricher-poster-2");
      const run = await stand.untilEnded(runId);
      assertEquals(run["status"], "succeeded");
      assertEquals(slack.received.length, 1);
      const result = (await stand.job(jobId))["result"] as JsonObject;
      assertEquals((result["approval"] as JsonObject)["by"], "tester");
      assertEquals(result["job_id"], jobId);
    },
  );

  await t.step(
    "killed while Slack had the message, it is in doubt and never sent again",
    async () => {
      // The id of the one that was killed, which the platform believes alive.
      await using first = start("incident-enricher-poster");
      await first.waitFor("Worker ready", 20_000);
      const [runId, jobId] = await toApproval(stand, "in-doubt");
      behaviour = "never answer";
      await approve(stand.platform, jobId);
      await until("Slack to have it", () => slack.connections() === 2);
      await first.kill();
      behaviour = "slack";
      {
        await using second = start("incident-enricher-poster-3");
        await second.waitFor("Left a job to the process that does it", 20_000);
        assertEquals((await stand.job(jobId))["state"], "RUNNING");
      }
      // An hour later nobody can be busy with it any more.
      await using third = start("incident-enricher-poster-4", {
        preload: "tests/support/hour_ahead.ts",
      });
      const run = await stand.untilEnded(runId);
      assertEquals(run["status"], "failed");
      const { error_code, error_message } = await stand.job(jobId);
      assertEquals(error_code, "POST_IN_DOUBT");
      assert(String(error_message).includes("a person has to look"));
      assertEquals(await third.stop(), 0);
      assertEquals(slack.connections(), 2);
    },
  );
});
