import { assertEquals } from "@std/assert";
import { startAlertmanagerApi } from "../../../deploy/standins/alertmanager.ts";
import { alertmanager } from "../../../lib/evidence/collect/alertmanager.ts";
import { collect, testFaults } from "../../support/collecting.ts";

const ALERT = {
  labels: {
    alertname: "OrdersDbDown",
    namespace: "shop",
    severity: "critical",
  },
  annotations: { summary: "orders-db does not answer" },
  startsAt: "2026-01-15T09:26:00.000Z",
  status: { state: "active", silencedBy: [], inhibitedBy: [] },
};
const OWN = {
  ...ALERT,
  labels: { alertname: "CheckoutSlow", service: "checkout", namespace: "shop" },
};
const env = (url: string) => ({ ALERTMANAGER_URL: url });

testFaults({
  collector: alertmanager,
  start: startAlertmanagerApi,
  env,
  harmless: ["list"],
});

Deno.test("alertmanager: other alerts become facts and moments, without one's own", async () => {
  await using api = startAlertmanagerApi({ alerts: [OWN, ALERT] });
  const found = await collect(alertmanager, { env: env(api.url) });
  assertEquals(found.lookups, [
    {
      collector: "alertmanager",
      question: "other alerts",
      state: "found",
      evidence: ["alertmanager/others"],
    },
    {
      collector: "alertmanager",
      question: "silences",
      state: "nothing",
      why: "no silence touches it",
    },
  ]);
  assertEquals(found.facts, [{
    name: "other alerts firing",
    value: "1, 1 of them here: OrdersDbDown",
    kind: "alert",
    evidence: ["alertmanager/others"],
  }]);
  assertEquals(found.timeline.map(({ text }) => text), [
    "OrdersDbDown fired: orders-db does not answer",
  ]);
  assertEquals(api.mistakes, []);
});
