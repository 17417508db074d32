/**
 * An approval is not spent on trouble of ours: what a poster does when its
 * gateway refuses it or goes away, with an approved post in hand or none.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { approve, follow } from "../../lib/operate/approvals.ts";
import { isRoutable, startPath } from "../support/gateway_path.ts";
import { until } from "../support/until.ts";

Deno.test("a poster whose key is refused takes no posts, and is back when its key is right", async (t) => {
  await using path = await startPath();
  const { stand, slack, front } = path;
  const poster = stand.workers.get("poster")!;
  const [runId, jobId] = await path.waiting("rotated");

  await t.step("it leaves its pool and says why", async () => {
    front.trouble = () => new Response("unauthorized\n", { status: 401 });
    const { level, error } = await poster.waitFor(
      "Taking no jobs; check CORETEX_API_KEY",
      20_000,
    );
    assertEquals(level, "error");
    const said =
      "Cannot call GET /status: got status 401, expected 2xx (unauthorized)";
    assertEquals(error, said);
    assertEquals(await path.ready(), {
      status: 503,
      problems: { gateway: `${said}; check CORETEX_API_KEY` },
    });
    await until("the scheduler to know", async () => !await isRoutable(stand));
  });

  await t.step("an approval given now bounces and is not lost", async () => {
    await approve(stand.platform, jobId);
    assertEquals((await follow(stand.platform, jobId)).end, "bounced");
    assertEquals(slack.received.length, 0);
  });

  await t.step("with the right key it is back, and posts once", async () => {
    front.trouble = undefined;
    await until("the scheduler to know", () => isRoutable(stand), 20_000);
    await approve(stand.platform, jobId);
    assertEquals((await stand.untilEnded(runId))["status"], "succeeded");
    assertEquals(slack.received.length, 1);
    assertEquals((await path.ready()).status, 200);
  });
});

Deno.test("an approved post in hand outlives its gateway, and is sent once", async () => {
  await using path = await startPath();
  const { stand, slack, front } = path;
  const poster = stand.workers.get("poster")!;
  const cases: [string, () => void][] = [
    ["401", () => {
      front.trouble = () => new Response("unauthorized\n", { status: 401 });
    }],
    ["403", () => {
      front.trouble = () =>
        Response.json({ error: "no", code: "access_denied" }, { status: 403 });
    }],
    ["a 404 of a router", () => {
      front.trouble = () =>
        new Response("404 page not found\n", { status: 404 });
    }],
  ];
  for (const [at, [name, begin]] of cases.entries()) {
    const [runId, jobId] = await path.waiting(`held-${at}`);
    await until("the poster to be there", () => isRoutable(stand), 20_000);
    begin();
    await approve(stand.platform, jobId);
    await poster.waitFor(
      ({ msg, job }) =>
        msg === "Holding a job until it can be done" && job === jobId,
      60_000,
    );
    assertEquals((await stand.job(jobId))["state"], "RUNNING", name);
    front.trouble = undefined;
    const run = await stand.untilEnded(runId);
    assertEquals([run["status"], slack.received.length], ["succeeded", at + 1]);
  }
});

/** A platform that tells of every change that it was long ago. */
const late = () => Date.now() - 120_000;

Deno.test("an approved post in the hands of a poster in trouble is done by another, once", async () => {
  await using path = await startPath({}, late);
  const { stand, slack, front, core } = path;
  const poster = stand.workers.get("poster")!;
  const [runId, jobId] = await path.waiting("taken-over");
  front.trouble = () => new Response("unauthorized\n", { status: 401 });
  await approve(stand.platform, jobId);
  await poster.waitFor("Holding a job until it can be done", 20_000);
  await using _ = stand.spawnBeside("poster", {
    WORKER_ID: "other",
    CORETEX_GATEWAY_URL: core.gatewayUrl,
    HEALTH_ADDR: "",
  });
  assertEquals((await stand.untilEnded(runId))["status"], "succeeded");
  front.trouble = undefined;
  await poster.waitFor("Left a job to the process that does it", 20_000);
  assert(!poster.hasLogged('"Job answered"'));
  assertEquals(slack.received.length, 1);
});

Deno.test("a poster that stops with an approved post in hand leaves it to the next", async () => {
  await using path = await startPath({}, late);
  const { stand, slack, front } = path;
  const poster = stand.workers.get("poster")!;
  const [runId, jobId] = await path.waiting("stopped");
  front.trouble = () => new Response("unauthorized\n", { status: 401 });
  await approve(stand.platform, jobId);
  await poster.waitFor("Holding a job until it can be done", 20_000);
  assertEquals(await poster.stop(), 0);
  assert(!poster.hasLogged('"Job answered"'));
  assertEquals((await stand.job(jobId))["state"], "RUNNING");
  assertEquals(slack.received.length, 0);
  front.trouble = undefined;
  await stand.spawn("poster");
  assertEquals((await stand.untilEnded(runId))["status"], "succeeded");
  assertEquals(slack.received.length, 1);
});

Deno.test("a poster that starts with a wrong key is never ready", async () => {
  await using path = await startPath();
  const { stand } = path;
  await stand.workers.get("poster")!.stop();
  await using other = stand.spawnBeside("poster", {
    CORETEX_API_KEY: "wr0ng-key",
    CORETEX_GATEWAY_URL: path.core.gatewayUrl,
    WORKER_ID: "other",
  });
  await other.waitFor("Taking no jobs; check CORETEX_API_KEY", 20_000);
  await other.stop();
  assert(!other.hasLogged("Worker ready"));
  assert(!other.hasLogged("wr0ng-key"));
});

Deno.test("an approved post whose gateway does not come back fails when it is too old, and not as its own fault", async () => {
  await using path = await startPath({ POST_MAX_AGE_S: "12" });
  const { stand, slack, front } = path;
  const [, jobId] = await path.waiting("given-up");
  front.trouble = () => new Response("unauthorized\n", { status: 401 });
  await approve(stand.platform, jobId);
  const followed = await follow(stand.platform, jobId);
  assert(followed.end === "failed");
  assertEquals(followed.code, "GATEWAY_UNAVAILABLE");
  assert(
    /^Gave up after \d+ s: .*; check CORETEX_API_KEY$/.test(
      followed.message,
    ),
    followed.message,
  );
  assertEquals(slack.received.length, 0);
});
