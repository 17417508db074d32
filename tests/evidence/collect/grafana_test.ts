import { assert, assertEquals, assertRejects } from "@std/assert";
import { startGrafanaApi } from "../../../deploy/standins/grafana.ts";
import { grafana } from "../../../lib/evidence/collect/grafana.ts";
import { GapError } from "../../../lib/evidence/collector.ts";
import { collect, openIo, testFaults } from "../../support/collecting.ts";

const START = Date.parse("2026-01-15T09:30:00Z");
const MIN = 60_000;
const env = (url: string) => ({ GRAFANA_URL: url, GRAFANA_TOKEN: "glsa_t" });
const DEPLOY = {
  id: 1,
  time: START - 4 * MIN,
  text: "<b>deploy</b> checkout 1.2.3",
  tags: ["deploy", "checkout"],
  email: "ada@example.com",
};

testFaults({
  collector: grafana,
  start: () => startGrafanaApi({ annotations: [DEPLOY] }),
  env,
  harmless: ["list"],
});

Deno.test("grafana: annotations become moments, and the last change before the start a fact", async () => {
  await using api = startGrafanaApi({
    token: "glsa_t",
    annotations: [
      {
        ...DEPLOY,
        id: 2,
        time: START + MIN,
        text: "release rolled back",
        tags: [],
      } as never,
      DEPLOY,
      { time: START - 30 * MIN, text: "network maintenance" },
      { time: START - 200 * MIN, text: "deploy too long ago" },
    ],
    dashboards: [{ title: "checkout overview", url: "/d/abc/checkout" }],
  });
  const found = await collect(grafana, { env: env(api.url) });
  assertEquals(found.timeline.map(({ at, kind, text }) => [at, kind, text]), [
    ["2026-01-15T09:00:00.000Z", "change", "Annotated: network maintenance"],
    [
      "2026-01-15T09:26:00.000Z",
      "change",
      "Annotated: deploy checkout 1.2.3 (deploy, checkout)",
    ],
    ["2026-01-15T09:31:00.000Z", "change", "Annotated: release rolled back"],
  ]);
  assertEquals(found.timeline.map(({ change }) => change), [
    { what: "maintenance", says: "network maintenance" },
    { what: "deployment", of: "checkout", says: "deploy checkout 1.2.3" },
    { what: "rollback", says: "release rolled back" },
  ]);
  assertEquals(found.facts.map(({ name, value }) => [name, value]), [
    ["last change annotated", "deploy checkout 1.2.3, 4 min before the start"],
    ["dashboard", `checkout overview: ${api.url}/d/abc/checkout`],
  ]);
  assert(!JSON.stringify(found).includes("ada@example.com"));
  assertEquals(api.mistakes, []);
});

Deno.test("grafana: the panel that was annotated is linked, on Grafana's own host", async () => {
  const annotations = [
    { ...DEPLOY, dashboardUID: "abc-1", panelId: 4 },
    { ...DEPLOY, time: START - MIN, dashboardUID: "abc-1", panelId: 0 },
    { ...DEPLOY, time: START, dashboardUID: "../x?y", panelId: 4 },
  ];
  await using api = startGrafanaApi({ annotations: annotations as never });
  const found = await collect(grafana, { env: env(api.url) });
  assertEquals(
    JSON.parse(found.pieces[0]!.content).map(({ url }: { url?: string }) =>
      url
    ),
    [`${api.url}/d/abc-1?viewPanel=4`, `${api.url}/d/abc-1`, undefined],
  );
});

Deno.test("grafana: nothing there is said", async () => {
  await using api = startGrafanaApi();
  const found = await collect(grafana, { env: env(api.url) });
  assertEquals(found.lookups.map(({ state }) => state), ["nothing", "nothing"]);
  assertEquals(found.gaps, []);
});

Deno.test("grafana: more annotations than are read are a gap", async () => {
  const annotations = Array.from({ length: 150 }, (_, at) => ({
    time: START + at,
    text: `note ${at}`,
  }));
  await using api = startGrafanaApi({ annotations });
  const found = await collect(grafana, { env: env(api.url) });
  assertEquals(found.gaps.map(({ kind, got }) => [kind, got]), [["cut", 100]]);
  assertEquals(found.timeline.length, 20);
});

Deno.test("grafana: what a sender could have written stays text", async () => {
  const annotations = [
    { time: START, text: "deploy <script>alert(1)</script> `x` *y* \u202e" },
    { time: -1, text: "deploy" },
    { time: "1", text: "deploy" } as never,
    { time: START, text: { a: 1 } },
  ];
  await using api = startGrafanaApi({
    annotations,
    dashboards: [{ title: "checkout", url: "https://evil.example/d" }],
  });
  const found = await collect(grafana, { env: env(api.url) });
  assertEquals(found.timeline.length, 1);
  assert(!JSON.stringify(found.timeline).includes("<script"));
  assertEquals(found.lookups[1]!.state, "nothing");
});

Deno.test("grafana: its check reads what needs a right", async () => {
  await using api = startGrafanaApi({ token: "glsa_t" });
  assertEquals(await grafana.check(openIo(grafana, env(api.url))), {
    says: "Grafana 11.2.0",
  });
  await assertRejects(
    () =>
      grafana.check(openIo(grafana, { ...env(api.url), GRAFANA_TOKEN: "no" })),
    GapError,
    "Grafana answered 401 (Unauthorized)",
  );
});
