/**
 * The message about an incident of which every collector knows something, whole.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { renderText } from "../../lib/message/text.ts";
import { collectSample, NOW } from "../../scripts/pictures/collected.ts";
import { previewFindings } from "../../scripts/pictures/make.ts";
import { assertSlackTakes } from "../support/block_kit.ts";

const SETTINGS = {
  linkOrigins: [
    "https://runbooks.example.com",
    "http://prometheus.example.com:9090",
    "http://alertmanager.example.com:9093",
    "https://ci.example.com",
  ],
  dashboardRunUrl: undefined,
  evidenceUrl: undefined,
};

Deno.test("the message of what all collectors found says what to know and to do in 15 lines", async () => {
  const sample = await collectSample();
  const { message } = await previewFindings(sample, SETTINGS, { now: NOW });
  assertSlackTakes(message);
  const lines = renderText(message.blocks, { columns: 1e9, colour: false })
    .map((line) => line.slice(2)).filter((line) => line !== "");
  assertEquals(lines.slice(0, -1), [
    "🔴 CRITICAL · checkout-api, eu-west-1-prod: p99 of POST /checkout above 2 s (worst 2.4 s)",
    "◆ Since 09:30:12 UTC (91 s ago), 2 alerts, none resolved",
    "[Runbook] https://runbooks.example.com/checkout/latency",
    "[Graph] http://prometheus.example.com:9090/graph?g0.expr=histogram_quantile%280.99%2C+sum+by+%28le%2C+pod%29+%28rate%28checkout_seconds_bucket%5B5m%5D%29%29%29+%3E+2&g0.tab=1",
    "[The change] https://ci.example.com/runs/2112",
    "[Silence] http://alertmanager.example.com:9093/#/silences/new?filter=%7Balertname%3D%22CheckoutHighLatency%22%2Ccluster%3D%22eu-west-1-prod%22%7D",
    "[Open the incident] http://alertmanager.example.com:9093/",
    "🔴 CheckoutHighLatency ×2 on “checkout-api-7c9f4-2xk8p, checkout-api-7c9f4-m5d7q” · “p99 of POST /checkout on checkout-api-7c9f4-2xk8p is 2.4 s over 5 minutes; the objective is 500 ms”",
    "• Measured: 2.4 s now, limit 2 s, crossed 09:28, 0.3 s an hour ago ▁▂▃▂▁▁▁▂▃▂▁█ [E5]",
    "• checkout-api: 2 of 3 ready; 1 pod in CrashLoopBackOff (container app); 2 restarts [E9]",
    "• New in the logs since 09:26:52, 10 times: “timed out after 30000 ms waiting for a connection from the pool (64 of 64 in use)” [E10]",
    "◆ What changed · 09:26:02, 4 min before: checkout v2026.3.1 deployed to production by ada-example: “1 commit: #412 Wait longer for a connection to the database” (also in Kubernetes) [E3, E4]",
    "◆ Seen before · It last fired 2026-01-09 09:31 UTC for 25 min; 2 times in 30 days [E6]",
    "◆ Next",
    "• See if the deployment of checkout v2026.3.1, 4 min before, explains it; if so, roll it back [E3, E4]",
    "• Runbook, step 1: “Compare the pool of connections: checkout_pool_in_use against its size of 64.” [E11]",
    "◆ As of 2026-01-15 09:31:44 UTC · not got: events (refused) · team shop · incident alertmanager:6c20d41bd10cf1af52eb239fa5155dcc · in the stored summary: 2 more findings, 1 earlier time, 2 more steps",
    "◆ [E3] “Deployments of example/checkout” · [E4] “1 rollout in shop” · [E5] “Course of CheckoutHighLatency, 6 h” · [E6] “Firings of CheckoutHighLatency in 30 days” · [E9] “State of 1 Deployment and 3 pods in shop” · [E10] “12 error lines of 2 kinds” · and 1 more in the stored summary",
    "◆ Asked, nothing there: “silences and inhibitions”, “targets that are down” · not concerned: PagerDuty · not set up: Grafana",
  ]);
  const shown = lines.filter((line) => !line.startsWith("["));
  assert(shown.length <= 15, `${shown.length}`);
  assert(shown.join("\n").length <= 2000);
});
