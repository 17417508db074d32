/**
 * An Alertmanager group that gets worse, from webhook to Slack.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startSlack } from "../../deploy/standins/slack.ts";
import type { PostResult } from "../../lib/incident.ts";
import type { Message } from "../../lib/message/message.ts";
import { readAlertmanagerDelivery } from "../../lib/sources/alertmanager/webhook.ts";
import { fetchEvidence, SETTINGS as FETCHER } from "../../workers/fetcher.ts";
import { post, SETTINGS as POSTER } from "../../workers/poster.ts";
import {
  SETTINGS as SUMMARIZER,
  summarizeEvidence,
} from "../../workers/summarizer.ts";
import { fakeContext } from "../support/job_context.ts";

function alert(name: string, severity: string | undefined, minute: number) {
  return {
    status: "firing",
    labels: { alertname: name, ...severity && { severity } },
    annotations: { summary: `${name} on the queue` },
    startsAt: `2026-11-15T11:${String(minute).padStart(2, "0")}:00.000Z`,
    endsAt: "0001-01-01T00:00:00Z",
    generatorURL: "http://prometheus.test/graph?g0.expr=up",
    fingerprint: name.toLowerCase(),
  };
}

function group(...alerts: ReturnType<typeof alert>[]) {
  return {
    receiver: "night-shift",
    status: "firing",
    alerts,
    groupLabels: { queue: "orders" },
    commonLabels: {},
    commonAnnotations: {},
    externalURL: "http://alertmanager.test",
    version: "4",
    groupKey: '{}/{queue=~".+"}:{queue="orders"}',
    truncatedAlerts: 0,
  };
}

const SLOW = alert("QueueSlow", "warning", 0);
const UNSAID = alert("QueueOdd", undefined, 3);
const DOWN = alert("QueueDown", "critical", 6);
const FULL = alert("DiskFull", "error", 9);

Deno.test("a group that gets worse is posted again, once a severity, as an update", async () => {
  await using slack = await startSlack();
  const fake = fakeContext(POSTER, {
    env: {
      SLACK_WEBHOOK_URL: slack.url,
      SLACK_ALLOWED_HOSTS: slack.host,
      POSTER_REQUIRE_APPROVAL: "0",
    },
  });
  const { gateway, store } = fake.context;
  let runs = 0;
  /** One delivery's whole way. */
  const run = async (body: unknown): Promise<PostResult> => {
    const delivery = await readAlertmanagerDelivery(body);
    if ("ignored" in delivery) throw new Error("ignored");
    const runId = `run-${++runs}`;
    const job = { ...fake.context.job, id: `${runId}:post@1`, runId };
    const incident = {
      ...delivery.incident,
      destination: { mode: "slack" as const },
    };
    const parts = { job, gateway, store };
    const evidence = await fetchEvidence(incident, {
      ...fakeContext(FETCHER).context,
      ...parts,
    });
    const summary = await summarizeEvidence({ evidence }, {
      ...fakeContext(SUMMARIZER).context,
      ...parts,
    });
    return await post({ incident, evidence, summary }, {
      ...fake.context,
      ...parts,
    });
  };
  const results = [
    await run(group(SLOW)),
    await run(group(SLOW, UNSAID)),
    await run(group(SLOW, UNSAID, DOWN)),
    await run(group(SLOW, UNSAID, DOWN, FULL)),
    await run(group(SLOW)),
  ];
  assertEquals(
    results.map(({ repeat, posted_as, update_of }) => [
      repeat,
      posted_as,
      update_of?.severity,
    ]),
    [
      [undefined, undefined, undefined],
      [true, "warning", undefined],
      [undefined, undefined, "warning"],
      [true, "critical", undefined],
      [true, "critical", undefined],
    ],
  );
  const [warned, worse, ...more] = slack.received.map(({ body }) =>
    JSON.parse(body) as Message
  );
  assertEquals(more, []);
  assertMatch(warned!.text, /WARNING/);
  assertMatch(worse!.text, /CRITICAL/);
  const [small] = worse!.blocks.slice(-1);
  assertStringIncludes(
    JSON.stringify(small),
    "Update: now CRITICAL, was WARNING; first message at ",
  );
  assertEquals(JSON.stringify(warned).includes("Update: now"), false);
});
