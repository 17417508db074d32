/**
 * Packets on the bus that the scheduler has not sent: a post that waits for its
 * approval gets no answer, so that it can still be approved.
 *
 * @module
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { assertEquals } from "@std/assert";
import { startDevcore } from "../../deploy/devcore/devcore.ts";
import sample from "../../deploy/samples/sample_webhook.json" with {
  type: "json",
};
import { startSlack } from "../../deploy/standins/slack.ts";
import { createLog } from "../../lib/base/log.ts";
import { approve } from "../../lib/operate/approvals.ts";
import { connectBus } from "../../lib/platform/bus.ts";
import {
  BusPacketSchema,
  type JobRequestSchema,
} from "../../lib/platform/gen/cap_pb.ts";
import { decodePacket, encodePacket } from "../../lib/platform/packet.ts";
import { startStand } from "../../scripts/launch/stand.ts";
import { until } from "../support/until.ts";

const TOPIC = "job.incident-enricher.post";
const LEFT = "Left a job to the process that does it";

type Request = MessageInitShape<typeof JobRequestSchema>;

const FORGED: [what: string, request: Request][] = [
  ["what the scheduler would send", {}],
  ["another topic", { topic: "job.incident-enricher.fetch" }],
  ["another input", { contextPtr: "redis://ctx:other" }],
  ["no input", { contextPtr: "" }],
  ["limits that nobody can read", {
    env: { CORETEX_POLICY_CONSTRAINTS: "{" },
  }],
  ["a deadline that has passed", { budget: { deadlineMs: 1n } }],
  ["a rehearsal", { env: { dry_run: "true" } }],
  ["another tenant", { tenantId: "acme" }],
  ["labels of an approval", { labels: { approval_granted: "true" } }],
];

for (const requireApproval of ["1", "0"]) {
  Deno.test(`no packet on the bus ends a post that waits, POSTER_REQUIRE_APPROVAL=${requireApproval}`, async (t) => {
    await using core = await startDevcore({ reloadMs: 200 });
    await using slack = await startSlack();
    await using stand = await startStand({
      platformEnv: core.env,
      slack,
      env: { POSTER_REQUIRE_APPROVAL: requireApproval },
    });
    const bus = await connectBus({
      url: core.natsUrl,
      name: "forger",
      log: createLog({}, { write: () => {} }),
      signal: new AbortController().signal,
    });
    await using _ = bus;
    const answered: string[] = [];
    bus.subscribe("sys.job.result", (bytes) => {
      const { payload: { case: kind, value } } = decodePacket(bytes);
      if (kind === "jobResult") answered.push(value.jobId);
    });
    await bus.flush();
    const { answer } = await stand.send({ ...sample, id: "waits" });
    const runId = String(answer["run_id"]);
    const jobId = await stand.untilApproval(runId);
    let left = 0;
    stand.workers.get("poster")!.onLine((line) => {
      if (line.includes(LEFT)) left++;
    });
    for (const [nth, [what, request]] of FORGED.entries()) {
      await t.step(what, async () => {
        const packet = create(BusPacketSchema, {
          traceId: "forged",
          senderId: "cordum-scheduler",
          protocolVersion: 1,
          payload: {
            case: "jobRequest",
            value: {
              jobId,
              topic: TOPIC,
              contextPtr: `redis://ctx:${jobId}`,
              ...request,
            },
          },
        });
        bus.publish(
          "worker.incident-enricher-poster.jobs",
          encodePacket(packet),
        );
        await until("the poster to leave it", () => left === nth + 1);
        await bus.flush();
        assertEquals(answered.filter((id) => id === jobId), []);
        const { state } = await stand.job(jobId);
        assertEquals(state, "APPROVAL_REQUIRED");
      });
    }
    await t.step("and the approval is still good", async () => {
      assertEquals(slack.received.length, 0);
      await approve(stand.platform, jobId);
      const run = await stand.untilEnded(runId);
      assertEquals(run["status"], "succeeded");
      assertEquals(slack.received.length, 1);
    });
  });
}
