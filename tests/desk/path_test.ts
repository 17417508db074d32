/**
 * From the list to the post and back, on devcore in both its profiles.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { startDevcore } from "../../deploy/devcore/devcore.ts";
import { PROFILES } from "../../deploy/devcore/profile.ts";
import { WORKFLOW_ID } from "../../lib/operate/pack.ts";
import { startStand } from "../../scripts/launch/stand.ts";
import { startDesk } from "../support/desk.ts";
import { until } from "../support/until.ts";

for (const profile of PROFILES) {
  Deno.test(`a post is read, approved and posted at the desk, on ${profile}`, async () => {
    await using core = await startDevcore({ profile, reloadMs: 200 });
    await using stand = await startStand({ platformEnv: core.env });
    await using desk = await startDesk(core.env);
    const { signal, gateway } = stand.platform;
    const input = {
      incident_id: "mock:disk",
      title: "Disk full on db-1",
      severity: "critical",
      service: "db",
    };
    const key = crypto.randomUUID();
    const jobId = await stand.untilApproval(
      await gateway.startRun(WORKFLOW_ID, input, { key, signal }),
    );
    const path = `/posts/${encodeURIComponent(jobId)}`;
    const list = await until("the list", async () => {
      const { text } = await desk.get("/");
      return text.includes("Disk full on db-1") ? text : undefined;
    });
    assertStringIncludes(list, `href="${path}"`);
    const read = await desk.get(path);
    assertEquals(read.status, 200, desk.log.at(-1));
    assertMatch(read.text, /Approve as Ana</);
    assertMatch(read.text, /E1 · Payload as received/);
    const { context } = await stand.job(jobId) as {
      context: { summary: { message_sha256: string } };
    };
    assertStringIncludes(read.text, context.summary.message_sha256);
    const approved = await desk.send(path, "approve", { page: read.text });
    assertEquals([approved.status, approved.text], [303, ""]);
    assertEquals(approved.headers.get("location"), `${path}#decide`);
    const done = await until("the post", async () => {
      const { text } = await desk.get(path);
      return text.includes("Posted as an artifact") ? text : undefined;
    });
    assertMatch(done, /Approved by Ana on /);
    const job = await stand.job(jobId);
    assertEquals(job["state"], "SUCCEEDED");
    assertEquals(job["approval_by"] === "Ana", profile === "cordum-2026-01");
    assertEquals(
      done.includes("it goes by the API key"),
      profile === "cordum-1.0",
    );
    const decided = await desk.get("/decided");
    assertMatch(decided.text, /approved<[^]*by <strong>Ana</);
    assert(!desk.log.join("\n").includes(core.apiKey));
  });
}
