import { assertEquals } from "@std/assert";
import { startAlertmanagerApi } from "../../../deploy/standins/alertmanager.ts";
import { alertmanager } from "../../../lib/evidence/collect/alertmanager.ts";
import { collect, INCIDENT, testFaults } from "../../support/collecting.ts";

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
      question: "silences and inhibitions",
      state: "nothing",
      why: "no silence or inhibition touches it",
    },
  ]);
  assertEquals(found.facts, [{
    name: "other alerts firing",
    value: "1, 1 of them here: OrdersDbDown",
    kind: "alert",
    health: "ill",
    evidence: ["alertmanager/others"],
  }, {
    name: "also firing",
    value:
      "OrdersDbDown, critical, since 2026-01-15 09:26:00 UTC: orders-db does not answer",
    kind: "alert",
    evidence: ["alertmanager/others"],
  }]);
  assertEquals(found.timeline.map(({ text }) => text), [
    "OrdersDbDown fired: orders-db does not answer",
  ]);
  assertEquals(api.mistakes, []);
});

Deno.test("alertmanager: one's own alert is none other for what nobody sees in its labels", async () => {
  const given = { ...OWN.labels, place: " rack\u200b 7 ", note: " " };
  await using api = startAlertmanagerApi({
    alerts: [{ ...OWN, labels: given }],
  });
  // As a webhook's texts are read before anybody is asked.
  const alerts = [{ ...OWN, labels: { ...given, place: "rack 7" } }];
  const found = await collect(alertmanager, {
    env: env(api.url),
    incident: { ...INCIDENT, raw: { ...INCIDENT.raw, alerts } },
  });
  assertEquals(found.lookups.map(({ why }) => why), [
    "no other alert",
    "no silence or inhibition touches it",
  ]);
});

Deno.test("alertmanager: of others that fire, the worst are described first, each name once", async () => {
  const of = (alertname: string, minute: number, severity?: string) => ({
    ...ALERT,
    labels: {
      ...ALERT.labels,
      alertname,
      minute: `${minute}`,
      severity: severity ?? "",
    },
    startsAt: `2026-01-15T09:${minute}:00Z`,
  });
  await using api = startAlertmanagerApi({
    alerts: [
      of("Odd", 20, "meh"),
      of("Info", 10, "info"),
      of("Warn", 12, "warning"),
      of("Page", 29, "page"),
      of("Page", 28, "page"),
    ],
  });
  const found = await collect(alertmanager, { env: env(api.url) });
  assertEquals(
    found.facts.flatMap(({ name, value }) =>
      name === "also firing" ? value.replace(/ UTC.*/, "") : []
    ),
    [
      "Page ×2, critical, since 2026-01-15 09:28:00",
      "Warn, warning, since 2026-01-15 09:12:00",
      "Odd, of no severity, since 2026-01-15 09:20:00",
    ],
  );
});

Deno.test("alertmanager: none of an incident's many alerts is another one", async () => {
  const own = Array.from({ length: 60 }, (_, at) => ({
    ...OWN,
    labels: { ...OWN.labels, pod: `checkout-${at}` },
  }));
  await using api = startAlertmanagerApi({ alerts: [...own, ALERT] });
  const found = await collect(alertmanager, {
    env: env(api.url),
    incident: {
      ...INCIDENT,
      raw: { alerts: own.map((alert) => ({ ...alert, status: "firing" })) },
    },
  });
  assertEquals(found.facts[0]!.value, "1, 1 of them here: OrdersDbDown");
});

const SILENCE = {
  id: "s-1",
  status: { state: "active" },
  createdBy: "ada@example.com",
  comment: "maintenance of the pool",
  startsAt: "2026-01-15T09:40:00.000Z",
  endsAt: "2026-01-15T11:00:00.000Z",
  matchers: [{ name: "alertname", value: "(a+)+$", isRegex: true }],
};

Deno.test("alertmanager: what holds its alerts back is what Alertmanager says", async () => {
  const held = {
    ...OWN,
    status: { state: "suppressed", silencedBy: ["s-1"], inhibitedBy: ["f-2"] },
  };
  await using api = startAlertmanagerApi({
    alerts: [held, { ...ALERT, fingerprint: "f-2" }],
    silences: [{ ...SILENCE, id: "s-0" }, SILENCE],
  });
  const found = await collect(alertmanager, { env: env(api.url) });
  assertEquals(
    found.facts.filter(({ kind }) => kind === "state").map(({ name, value }) =>
      `${name}: ${value}`
    ),
    [
      "silenced: until 2026-01-15T11:00:00.000Z by (e-mail): maintenance of the pool",
      "inhibited by: OrdersDbDown",
    ],
  );
  const piece = JSON.parse(found.pieces[1]!.content);
  assertEquals(piece.silences.map(({ id }: { id: string }) => id), ["s-1"]);
});

Deno.test("alertmanager: that it has none of the alerts is said", async () => {
  await using api = startAlertmanagerApi({ alerts: [ALERT] });
  const found = await collect(alertmanager, { env: env(api.url) });
  assertEquals(
    found.lookups[1]!.why,
    "Alertmanager has none of its alerts now",
  );
});

Deno.test("alertmanager: of too many, those of the namespace are asked for", async () => {
  const many = Array.from({ length: 10_000 }, (_, at) => ({
    ...ALERT,
    labels: { alertname: `A${at}`, namespace: at < 3 ? "shop" : "other" },
  }));
  await using api = startAlertmanagerApi({ alerts: [OWN, ...many] });
  const found = await collect(alertmanager, { env: env(api.url) });
  assertEquals(found.facts[0]!.value, "3, 3 of them here: A0, A1, A2");
  assertEquals(found.gaps.map(({ kind }) => kind), ["cut"]);
  assertEquals(api.mistakes, []);
});

Deno.test("alertmanager: the same alerts in another order give the same", async () => {
  const alerts = [OWN, ALERT, { ...ALERT, labels: { alertname: "B" } }];
  await using one = startAlertmanagerApi({ alerts });
  await using other = startAlertmanagerApi({ alerts: alerts.toReversed() });
  assertEquals(
    await collect(alertmanager, { env: env(one.url) }),
    await collect(alertmanager, { env: env(other.url) }),
  );
});
