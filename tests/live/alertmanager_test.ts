/**
 * A real Alertmanager, configured as docs/webhooks.md says, at the ingester's door.
 *
 * Alerts go in through its API, as Prometheus sends them; the ingester is a
 * process with its own permissions, and its runs are those of the stand-in
 * platform with the pack installed.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { parse, stringify } from "@std/yaml";
import { startDevcore } from "../../deploy/devcore/devcore.ts";
import type { IncidentInput } from "../../lib/incident.ts";
import { compileCheck } from "../../lib/schema_check.ts";
import { installBundle } from "../../lib/operate/install.ts";
import { bundlePack, readPackFolder } from "../../scripts/pack/pack.ts";
import { Platform, readAddress } from "../../lib/operate/platform.ts";
import { cacheWorkers, spawnWorker } from "../../scripts/launch/process.ts";
import { freePort } from "../../scripts/launch/free_port.ts";
import { openLine } from "../support/proxy.ts";
import { bundleOf } from "../support/read_source.ts";
import type { RealServer } from "../../scripts/launch/real_server.ts";
import { startRealAlertmanager } from "../../scripts/launch/monitoring.ts";
import { sideBySide } from "../support/side_by_side.ts";
import { until } from "../support/until.ts";

const TOKEN = "t0ken-of-alertmanager";
const checkIncident = compileCheck("IncidentInput");

/** The lines of docs/webhooks.md for alertmanager.yml. */
const CONFIG = await readConfigBlock();

async function readConfigBlock(): Promise<string> {
  const text = await Deno.readTextFile("docs/webhooks.md");
  const blocks = [...text.matchAll(/^```yaml\n([^]*?)^```$/gm)]
    .map(([, text = ""]) => text)
    .filter((text) => text.includes("webhook_configs"));
  const [block = ""] = blocks;
  assertEquals(blocks.length, 1, "docs/webhooks.md shows one webhook_configs");
  return block;
}

const ignore = await isMissing();

async function isMissing(): Promise<boolean> {
  const config = "{ route: { receiver: none }, receivers: [{ name: none }] }";
  await using probe = await startRealAlertmanager(config);
  if (probe !== undefined) return false;
  // deno-lint-ignore no-console -- Not testing something is worth a line.
  console.warn(
    "prometheus-alertmanager is not on the PATH: its webhook is tested with samples only",
  );
  return true;
}

if (!ignore) await cacheWorkers(["ingester"]);

/** What a test sets in alertmanager.yml, beside addresses. */
interface Changes {
  receiver?: string;
  route?: JsonObject;
  webhook?: JsonObject;
}

/** A platform, the ingester, and what it says. */
interface Rig extends AsyncDisposable {
  /** Holds the token that Alertmanager sends. */
  tokenFile: string;
  /** The ingester's line to the gateway. */
  line: { cut(): void; mend(): void };
  /** What the ingester did with each delivery, in order. */
  answers: string[];
  /** Starts an Alertmanager. */
  startAlertmanager(changes?: Changes): Promise<RealServer>;
  /** Waits for so many answers of one kind. */
  untilAnswered(answer: string, times?: number): Promise<void>;
  /** The incidents of the platform's runs, oldest first. */
  incidents(): Promise<IncidentInput[]>;
  /** What the ingester has counted. */
  counts(): Promise<JsonObject>;
}

/** What a line of the ingester's log says became of a delivery. */
function answerOf({ msg, why, status }: JsonObject): string | undefined {
  switch (msg) {
    case "Took a webhook":
      return "run";
    case "Ignored a webhook":
      return `ignored: ${why}`;
    case "Refused a request":
      return `refused: ${status}`;
    default:
      return undefined;
  }
}

async function startRig(): Promise<Rig> {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "alertmanager-test-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const tokensFile = `${folder}/ingester`;
  const tokenFile = `${folder}/alertmanager`;
  for (const path of [tokensFile, tokenFile]) {
    await Deno.writeTextFile(path, `${TOKEN}\n`);
  }
  const core = stack.use(await startDevcore({ reloadMs: 200 }));
  const { signal } = new AbortController();
  const platform = stack.use(
    new Platform(readAddress((name) => core.env[name]), {
      signal,
      principal: "tester",
    }),
  );
  const bundle = await bundlePack(await readPackFolder("pack"));
  await installBundle(platform, bundle, { upgrade: true });
  const line = stack.use(openLine(core.gatewayUrl));
  const [address, health] = [freePort(), freePort()].map((port) =>
    `127.0.0.1:${port}`
  );
  const ingester = stack.use(spawnWorker("ingester", [], {
    INGESTER_ADDR: address!,
    HEALTH_ADDR: health!,
    CORETEX_GATEWAY_URL: line.url,
    CORETEX_API_KEY: core.apiKey,
    ALERTMANAGER_WEBHOOK_TOKENS_FILE: tokensFile,
  }));
  const answers: string[] = [];
  ingester.onLine((text) => {
    const answer = text.startsWith("{") && answerOf(JSON.parse(text));
    if (answer) answers.push(answer);
  });
  await ingester.waitFor("Worker ready", 20_000);
  const moved = stack.move();
  return {
    tokenFile,
    line,
    answers,
    async startAlertmanager(changes) {
      const url = `http://${address}/webhook/alertmanager`;
      const config = configure({ url, tokenFile }, changes);
      const server = await startRealAlertmanager(config);
      if (server === undefined) throw new Error("Alertmanager went missing");
      return server;
    },
    async untilAnswered(answer, times = 1) {
      await until(
        `"${answer}" ${times} times`,
        () => answers.filter((one) => one === answer).length >= times,
      );
    },
    incidents: () => readIncidents(platform),
    async counts() {
      const response = await fetch(`http://${health}/readyz`);
      return (await response.json()).counts;
    },
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

/** Counts runs where they are, not where they are asked for. */
async function readIncidents(platform: Platform): Promise<IncidentInput[]> {
  const { items } = await platform.call("GET", "/jobs?limit=200") as {
    items: { id: string }[];
  };
  const ids = new Set(items.map(({ id }) => id.split(":")[0]!));
  const runs = await Promise.all(
    [...ids].map((id) => platform.call("GET", `/workflow-runs/${id}`)),
  );
  return runs
    .toSorted((a, b) => at(a) - at(b))
    .map(({ input }) => input as IncidentInput);
}

function at({ created_at }: JsonObject): number {
  return Date.parse(String(created_at));
}

interface Config {
  route: JsonObject;
  receivers: [
    {
      name: string;
      webhook_configs: [
        { http_config: { authorization: JsonObject } } & JsonObject,
      ];
    },
  ];
}

/**
 * The lines of docs/webhooks.md with a test's address, token and haste.
 *
 * The alerts of a test are sent well within `group_wait`, so that they go out
 * together.
 */
function configure(
  { url, tokenFile }: { url: string; tokenFile: string },
  { receiver, route = {}, webhook = {} }: Changes = {},
): string {
  const config = parse(CONFIG) as Config;
  const [one] = config.receivers;
  const { webhook_configs: [hook] } = one;
  assert("url" in hook && "credentials_file" in hook.http_config.authorization);
  hook.http_config.authorization["credentials_file"] = tokenFile;
  Object.assign(hook, { url }, webhook);
  if (receiver !== undefined) one.name = receiver;
  Object.assign(config.route, {
    receiver: one.name,
    group_wait: "1s",
    group_interval: "300ms",
    repeat_interval: "1h",
    ...route,
  });
  return stringify(config);
}

const MINUTE_MS = 60_000;

/** An alert as Prometheus sends it: over after 4 minutes unless it comes again. */
function alert(instance: string, severity = "warning") {
  const now = new Date();
  return {
    labels: {
      alertname: "HighLatency",
      cluster: "eu",
      instance,
      service: "checkout",
      severity,
    },
    annotations: {
      summary: "p99 above 2 s",
      description: `p99 of ${instance} is 2.4 s`,
    },
    startsAt: now.toISOString(),
    endsAt: new Date(now.getTime() + 4 * MINUTE_MS).toISOString(),
    generatorURL: "http://prometheus.example.com/graph?g0.expr=p99+%3E+2",
  };
}

type Alert = ReturnType<typeof alert>;

function resolve(alerts: Alert[]): Alert[] {
  const endsAt = new Date().toISOString();
  return alerts.map((alert) => ({ ...alert, endsAt }));
}

async function send({ url }: RealServer, alerts: JsonObject[]): Promise<void> {
  const response = await fetch(`${url}/api/v2/alerts`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(alerts),
  });
  assertEquals([response.status, await response.text()], [200, ""]);
}

/** Reads a counter of Alertmanager's webhooks. */
async function readCounter(
  { url }: RealServer,
  name: string,
): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const values = text.split("\n").filter((line) =>
    line.startsWith(`alertmanager_${name}{`) &&
    line.includes('integration="webhook"')
  ).map((line) => Number(line.split(" ").at(-1)));
  assert(values.length > 0, name);
  return values.reduce((sum, value) => sum + value, 0);
}

/** How often it had something to say, but sent nothing. */
async function readSilences(server: RealServer): Promise<number> {
  return await readCounter(server, "notifications_total") -
    await readCounter(server, "notification_requests_total");
}

function instancesOf({ raw }: IncidentInput): string[] {
  const { alerts } = raw as { alerts: Alert[] };
  return alerts.map(({ labels }) => labels.instance);
}

const CASES: { name: string; run: () => Promise<void> }[] = [];
/** Cases that play at a time: each starts processes, and then mostly waits. */
const AT_ONCE = 5;

function test(name: string, run: () => Promise<void>): void {
  CASES.push({ name, run });
}

test("takes the lines of docs/webhooks.md as they stand", async () => {
  await using server = await startRealAlertmanager(CONFIG);
  const status = await (await fetch(`${server?.url}/api/v2/status`)).json();
  const { receivers } = parse(status.config.original) as Config;
  assertEquals(receivers[0].name, "incident-enricher");
});

test("a group that fires is one run, however often it is repeated", async () => {
  await using rig = await startRig();
  await using server = await rig.startAlertmanager({
    route: { repeat_interval: "1s" },
  });
  const alerts = [alert("b", "critical"), alert("a")];
  await send(server, alerts);
  await rig.untilAnswered("run");
  const [incident, ...others] = await rig.incidents();
  assert(incident !== undefined);
  assertEquals(others, []);
  assertEquals(checkIncident(incident), undefined);
  const { incident_id, source, raw, dedup_key: _, ...rest } = incident;
  assert(incident_id.startsWith("alertmanager:"));
  assertEquals(source?.system, "alertmanager");
  assertEquals(rest, {
    title: "HighLatency: p99 above 2 s",
    severity: "critical",
    severity_rule: 'label severity "critical", the worst of 2 alerts',
    service: "checkout",
    occurred_at: alerts[0]!.startsAt,
    destination: { mode: "artifact" },
  });
  assertEquals(instancesOf(incident), ["a", "b"]);
  assertEquals((raw as JsonObject)["truncatedAlerts"], 0);
  // Prometheus sends them again as long as they fire.
  await send(server, alerts);
  await rig.untilAnswered("run", 2);
  assertEquals((await rig.incidents()).length, 1);
  assertEquals(new Set(rig.answers), new Set(["run"]));
});

test("a group that grows is the same incident, one that fires again another", async () => {
  await using rig = await startRig();
  await using server = await rig.startAlertmanager();
  const alerts = [alert("a"), alert("b")];
  await send(server, alerts);
  await rig.untilAnswered("run");
  // An alert that joins starts another run of it.
  {
    alerts.push(alert("c", "critical"));
    await send(server, alerts.slice(2));
    await rig.untilAnswered("run", 2);
    const [first, second, ...others] = await rig.incidents();
    assertEquals(others, []);
    assertEquals(second?.incident_id, first?.incident_id);
    assertEquals(instancesOf(second!), ["a", "b", "c"]);
    assertEquals([first?.severity, second?.severity], ["warning", "critical"]);
  }
  // Its end is not even sent.
  {
    await until(
      "its answer to arrive",
      async () => await readSilences(server) === 0,
    );
    await send(server, resolve(alerts));
    await until(
      "the group to be over",
      async () => await readSilences(server) === 1,
    );
    assertEquals(rig.answers, ["run", "run"]);
  }
  // An alert that fires again is another incident.
  {
    const again = alert("a");
    await send(server, [again]);
    await rig.untilAnswered("run", 3);
    const [first, _, third, ...others] = await rig.incidents();
    assertEquals(others, []);
    assertNotEquals(third?.incident_id, first?.incident_id);
    assertEquals(instancesOf(third!), ["a"]);
    assertEquals(third?.occurred_at, again.startsAt);
    assertEquals(await rig.counts(), { taken: 3 });
  }
});

test("send_resolved costs a run for what ends early, none for the end", async () => {
  await using rig = await startRig();
  await using server = await rig.startAlertmanager({
    webhook: { send_resolved: true },
  });
  const alerts = [alert("a"), alert("b")];
  await send(server, alerts);
  await rig.untilAnswered("run");
  // One that ends early is another run of the incident.
  {
    await send(server, resolve(alerts.slice(1)));
    await rig.untilAnswered("run", 2);
    const [first, second, ...others] = await rig.incidents();
    assertEquals(others, []);
    assertEquals(second?.incident_id, first?.incident_id);
    const { bundle } = await bundleOf(second!);
    assertEquals(
      bundle.normalized_context?.facts?.[0]?.value,
      "1 firing, 1 resolved",
    );
  }
  // The end of all is ignored.
  {
    await send(server, resolve(alerts.slice(0, 1)));
    await rig.untilAnswered("ignored: resolved");
    assertEquals((await rig.incidents()).length, 2);
    assertEquals(await rig.counts(), { "taken": 2, "ignored: resolved": 1 });
    await until(
      "its answer to arrive",
      async () =>
        await readCounter(server, "notification_requests_total") === 3,
    );
    assertEquals(
      await readCounter(server, "notification_requests_failed_total"),
      0,
    );
  }
});

test("a wrong token is refused once, a right one takes its place at the next flush", async () => {
  await using rig = await startRig();
  await Deno.writeTextFile(rig.tokenFile, "wrong");
  await using server = await rig.startAlertmanager();
  // It is not sent again by itself.
  {
    await send(server, [alert("a")]);
    await until(
      "it to say so",
      () => server.output.includes("Notify for alerts failed"),
    );
    assertStringIncludes(
      server.output,
      "after 1 attempts: unexpected status code 401",
    );
    assertEquals(await rig.incidents(), []);
    assertEquals(new Set(rig.answers), new Set(["refused: 401"]));
  }
  // The group comes after all once the token is right.
  {
    await Deno.writeTextFile(rig.tokenFile, `${TOKEN}\n`);
    await rig.untilAnswered("run");
    assertEquals((await rig.incidents()).length, 1);
  }
});

test("what cannot be started now is sent again by itself, and is one run", async () => {
  await using rig = await startRig();
  await using server = await rig.startAlertmanager({
    route: { group_interval: "1h" }, // So that no flush helps.
  });
  rig.line.cut();
  await send(server, [alert("a")]);
  await rig.untilAnswered("refused: 503");
  rig.line.mend();
  await rig.untilAnswered("run");
  assertEquals((await rig.incidents()).length, 1);
  await until(
    "its answer to arrive",
    async () =>
      await readCounter(server, "notification_requests_total") -
          await readCounter(server, "notification_requests_failed_total") === 1,
  );
  // All of that was one notification: it never gave up.
  assertEquals(await readCounter(server, "notifications_total"), 1);
  assertEquals(await readCounter(server, "notifications_failed_total"), 0);
});

test("a pair sends one group twice, and it is one run", async () => {
  await using rig = await startRig();
  await using one = await rig.startAlertmanager();
  await using other = await rig.startAlertmanager();
  const alerts = [alert("a"), alert("b")];
  await Promise.all([send(one, alerts), send(other, alerts)]);
  await rig.untilAnswered("run", 2);
  for (const server of [one, other]) {
    await until(
      "each to have sent its own",
      async () =>
        await readCounter(server, "notification_requests_total") === 1,
    );
  }
  assertEquals(rig.answers, ["run", "run"]);
  assertEquals((await rig.incidents()).length, 1);
});

test("two routes with one receiver and the same labels are two incidents", async () => {
  await using rig = await startRig();
  const team = (name: string) => ({
    matchers: [`team="${name}"`],
    group_by: ["alertname"],
  });
  await using server = await rig.startAlertmanager({
    route: { group_by: ["alertname"], routes: [team("shop"), team("pay")] },
  });
  // One rule, so one start; and one more that no route matches.
  const [shop, pay, other] = ["shop", "pay", "ops"].map((team) => {
    const one = alert(team);
    return { ...one, labels: { ...one.labels, team } };
  });
  const alerts = [shop, pay, other].map((one) => ({
    ...one,
    startsAt: shop!.startsAt,
  }));
  await send(server, alerts);
  await rig.untilAnswered("run", 3);
  const incidents = await rig.incidents();
  assertEquals(
    incidents.map(({ raw }) => (raw as JsonObject)["groupLabels"]),
    incidents.map(() => ({ alertname: "HighLatency" })),
  );
  assertEquals(
    new Set(incidents.map(({ occurred_at }) => occurred_at)),
    new Set([shop!.startsAt]),
  );
  assertEquals(
    incidents.map(instancesOf).sort(),
    [["ops"], ["pay"], ["shop"]],
  );
  const ids = new Set(incidents.map(({ incident_id }) => incident_id));
  assertEquals(ids.size, 3);
  assertEquals(await rig.counts(), { taken: 3 });
});

test("a receiver's name is the one in its configuration", async () => {
  await using rig = await startRig();
  await using server = await rig.startAlertmanager({
    receiver: "team.web (eu)",
    route: { group_by: [] },
  });
  const { alertname: _, ...labels } = alert("a").labels;
  await send(server, [{ ...alert("a"), labels }]);
  await rig.untilAnswered("run");
  const [incident] = await rig.incidents();
  assertEquals(incident?.title, "Alerts for team.web (eu): p99 above 2 s");
  const { bundle } = await bundleOf(incident!);
  assertEquals(
    bundle.normalized_context?.facts?.at(-1),
    { name: "receiver", value: "team.web (eu)", evidence: ["E1"] },
  );
});

test("what max_alerts leaves out is a gap of the evidence", async () => {
  await using rig = await startRig();
  // It may be left out beside what fires…
  {
    await using server = await rig.startAlertmanager({
      webhook: { max_alerts: 1 },
    });
    await send(server, [alert("b", "critical"), alert("a")]);
    await rig.untilAnswered("run");
    const [incident, ...others] = await rig.incidents();
    assert(incident !== undefined);
    assertEquals(others, []);
    assertEquals(checkIncident(incident), undefined);
    await checkCut(incident, "firing");
  }
  // … and may be all that fires.
  {
    await using server = await rig.startAlertmanager({
      webhook: { max_alerts: 1, send_resolved: true },
    });
    const alerts = [alert("a"), alert("b")];
    await send(server, alerts);
    await send(server, resolve(alerts.slice(0, 1)));
    await until("an answer", () => rig.answers.length > 1);
    assertEquals(rig.answers, ["run", "run"]);
    const [_, incident] = await rig.incidents();
    assert(incident !== undefined);
    assertEquals(checkIncident(incident), undefined);
    // That one fires is not said: the status is that of the one that is left.
    await checkCut(incident, "resolved");
  }
});

/** Checks an incident of two alerts, one of them left out. */
async function checkCut(
  incident: IncidentInput,
  status: "firing" | "resolved",
): Promise<void> {
  const raw = incident.raw as JsonObject;
  assertEquals([raw["status"], raw["truncatedAlerts"]], [status, 1]);
  assertEquals(instancesOf(incident), ["a"]);
  const { bundle } = await bundleOf(incident);
  assertEquals(
    bundle.normalized_context?.status,
    status === "firing" ? status : undefined,
  );
  assertEquals(bundle.gaps?.[0], {
    what: "1 more alert",
    why: "the webhook left it out, as max_alerts of its receiver says",
  });
}

Deno.test({
  name: "a real Alertmanager and the ingester",
  ignore,
  fn: () => sideBySide(CASES, ({ run }) => run(), AT_ONCE),
});
