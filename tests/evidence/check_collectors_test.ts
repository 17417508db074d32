import { assertEquals } from "@std/assert";
import { startAlertmanagerApi } from "../../deploy/standins/alertmanager.ts";
import { startApi } from "../../deploy/standins/api.ts";
import { startGrafanaApi } from "../../deploy/standins/grafana.ts";
import { startPrometheusApi } from "../../deploy/standins/prometheus.ts";
import { readConfig } from "../../lib/base/config.ts";
import { checkCollectors } from "../../lib/evidence/check_collectors.ts";
import { COLLECTORS } from "../../lib/evidence/collectors.ts";
import { COLLECTOR_SETTINGS } from "../../lib/evidence/settings.ts";

function check(env: Record<string, string>, ms?: number) {
  const config = readConfig(COLLECTOR_SETTINGS, (name) => env[name]);
  return checkCollectors(COLLECTORS, config, ms);
}

Deno.test("checkCollectors() says which system cannot be asked, and why", async () => {
  await using prometheus = startPrometheusApi();
  await using alertmanager = startAlertmanagerApi();
  await using grafana = startGrafanaApi({ token: "t" });
  const env = {
    PROMETHEUS_URL: prometheus.url,
    ALERTMANAGER_URL: alertmanager.url,
    GRAFANA_URL: grafana.url,
    GRAFANA_TOKEN: "t",
  };
  assertEquals(await check({}), []);
  assertEquals(await check(env), []);
  alertmanager.fault = "html";
  prometheus.fault = "silent";
  const problems = await check({ ...env, GRAFANA_TOKEN: "wrong" }, 200);
  assertEquals(
    problems.map((one) => one.replace(/within \d+ ms$/, "in time")),
    [
      "collector grafana cannot ask: Grafana answered 401 (Unauthorized)",
      "collector prometheus cannot ask: Prometheus could not be asked: no answer in time",
      "collector alertmanager cannot ask: Alertmanager answered with a page of HTML in place of JSON",
    ],
  );
});

Deno.test("checkCollectors() says how often a system was asked in vain", async () => {
  const asked = new Map<string, number>();
  const secondTime = ({ path }: { path: string }) => {
    asked.set(path, (asked.get(path) ?? 0) + 1);
    return asked.get(path)! > 1 ? [] : new Response(null, { status: 500 });
  };
  await using grafana = startApi({
    routes: { "/api/annotations": secondTime, "/api/health": secondTime },
  });
  assertEquals(await check({ GRAFANA_URL: grafana.url }), [
    "collector grafana cannot ask: Grafana was asked 3 times",
  ]);
  assertEquals(grafana.asked.length, 3);
});
