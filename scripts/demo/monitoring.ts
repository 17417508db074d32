/**
 * Debian's Prometheus and Alertmanager in place of their stand-ins: blocks of the
 * past, a series that rises when it is told to, a rule that fires on it, and a
 * webhook to the ingester.
 *
 * @module
 */
import { stringify } from "@std/yaml";
import type { JsonObject } from "../../lib/base/json.ts";
import { wait } from "../../lib/base/time.ts";
import { toSubject } from "../../lib/evidence/subject.ts";
import {
  startRealAlertmanager,
  startRealPrometheus,
} from "../launch/monitoring.ts";
import { hasProgram } from "../launch/program.ts";
import { CommandError } from "../terminal/command.ts";
import { showProgress } from "../terminal/progress.ts";
import type { Accepted } from "./incident.ts";
import type { Scene } from "./scene.ts";
import type { Sender } from "./senders.ts";
import { latencyAt, MINUTE_S, PAST, type Story } from "./story.ts";

/** Each program, and the package that brings it. */
const PROGRAMS: readonly (readonly [program: string, pack: string])[] = [
  ["prometheus", "prometheus"],
  ["promtool", "prometheus"],
  ["prometheus-alertmanager", "prometheus-alertmanager"],
];
const PARENT = "dist";
const SERIES = "checkout_latency_p99_seconds";
const EXPR = `${SERIES} > 2`;
const HOUR_S = 60 * MINUTE_S;
const FIRE_MS = 60_000;
const POLL_MS = 250;

/** Running servers. */
export interface Monitoring {
  /** The fetcher's variables, which name them. */
  env: Record<string, string>;
  /** Lets the series rise until its alert has become a run. */
  fire(): Promise<Accepted>;
}

/** @throws {CommandError} Naming the packages of the programs that are missing. */
export async function needPrograms(programs = PROGRAMS): Promise<void> {
  const missing: string[] = [];
  const packages = new Set<string>();
  for (const [program, pack] of programs) {
    if (await hasProgram(program)) continue;
    missing.push(program);
    packages.add(pack);
  }
  if (missing.length === 0) return;
  throw new CommandError(
    `--real needs ${
      missing.join(" and ")
    } in /usr/bin; on Debian and Ubuntu: apt install ${
      [...packages].join(" ")
    }`,
    2,
  );
}

/**
 * Starts both.
 *
 * @param sender What the ingester takes the webhook from.
 * @param stack Ends them, and removes what they wrote.
 */
export async function startMonitoring(
  { stand, say }: Scene,
  { story, sender }: { story: Story; sender: Sender },
  stack: AsyncDisposableStack,
): Promise<Monitoring> {
  say.begin("monitoring", "Monitoring: Debian's Prometheus and Alertmanager");
  await Deno.mkdir(PARENT, { recursive: true });
  const folder = await Deno.makeTempDir({ dir: PARENT, prefix: "monitoring-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const { alerts } = toSubject(story.incident, story.startedAt);
  const targets = alerts.map(({ labels }) => {
    const { alertname: _, cluster: __, severity: ___, ...own } = Object
      .fromEntries(labels);
    return own;
  });
  const start = story.startedAt.getTime() / 1000;
  let isRising = false;
  const exporter = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => {
      const since = Date.now() / 1000 - start;
      const lines = targets.map((labels) => {
        // Below its limit until all is ready, whatever the clock says.
        const value = isRising
          ? latencyAt(Math.max(0, since), labels["pod"] ?? "")
          : 1.9;
        return `${SERIES}{${inBraces(labels)}} ${value}`;
      });
      const about = inBraces({ namespace: "shop", service: "checkout-api" });
      lines.push(`checkout_error_ratio{${about}} 0.083`, "");
      return new Response(lines.join("\n"));
    },
  );
  stack.defer(() => exporter.shutdown());
  const alertmanager = stack.use(
    need(
      await startRealAlertmanager(
        alertmanagerConfig(stand.ingesterUrl + sender.path, sender),
        `${folder}/alertmanager`,
      ),
    ),
  );
  say.line(`Alertmanager at ${alertmanager.url}, which calls the ingester`);
  const now = Math.floor(Date.now() / 1000);
  const history = historyOf(targets, { start, now });
  const prometheus = stack.use(
    need(
      await startRealPrometheus({
        config: prometheusConfig({
          exporter: `127.0.0.1:${exporter.addr.port}`,
          alertmanager: new URL(alertmanager.url).host,
          cluster: alerts[0]?.labels.get("cluster") ?? "",
        }),
        rules: rulesOf(story),
        history,
      }, { folder: `${folder}/prometheus`, signal: stand.signal }),
    ),
  );
  say.line(
    `Prometheus at ${prometheus.url}, with ${
      history.split("\n").length
    } samples from before in blocks that promtool made`,
  );
  const fire = async () => {
    isRising = true;
    say.line(`${SERIES} rises: the rule is ${EXPR}`);
    return await untilTaken({ stand, say }, prometheus.url);
  };
  return {
    env: { PROMETHEUS_URL: prometheus.url, ALERTMANAGER_URL: alertmanager.url },
    fire,
  };
}

function need<T>(server: T | undefined): T {
  if (server !== undefined) return server;
  throw new CommandError("A program of --real went missing");
}

/** Waits for the webhook, and says how far its alert is. */
async function untilTaken(
  { stand, say }: Pick<Scene, "stand" | "say">,
  prometheusUrl: string,
): Promise<Accepted> {
  const progress = showProgress(say.context);
  const shown = new Set<string>();
  const taken = stand.workers.get("ingester")!
    .waitFor("Took a webhook", FIRE_MS);
  let isTaken = false;
  taken.then(() => isTaken = true, () => isTaken = true);
  while (!isTaken) {
    const state = await stateOf(prometheusUrl, stand.signal);
    if (state !== "inactive" && !shown.has(state)) {
      shown.add(state);
      say.line(`Prometheus: the alert is ${state}`);
    }
    progress(`waiting for Alertmanager's webhook; the alert is ${state}`);
    await wait(POLL_MS, stand.signal);
  }
  const { run, incident } = await taken;
  return { runId: String(run), incidentId: String(incident) };
}

async function stateOf(url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(`${url}/api/v1/rules?type=alert`, { signal });
  const { data } = await response.json() as {
    data: { groups: { rules: JsonObject[] }[] };
  };
  const rules = data.groups.flatMap(({ rules }) => rules);
  return String(rules.find(({ query }) => query === EXPR)?.["state"]);
}

function alertmanagerConfig(url: string, sender: Sender): string {
  const [type, credentials] = sender.prove("")["Authorization"]!.split(" ");
  const others = { matchers: ['alertname!="CheckoutHighLatency"'] };
  return stringify({
    route: {
      receiver: "incident-enricher",
      group_by: ["alertname", "cluster", "namespace"],
      group_wait: "2s",
      group_interval: "1m",
      routes: [{ receiver: "nobody", ...others }],
    },
    receivers: [{ name: "nobody" }, {
      name: "incident-enricher",
      webhook_configs: [{
        url,
        send_resolved: false,
        max_alerts: 100,
        http_config: { authorization: { type, credentials } },
      }],
    }],
  });
}

function prometheusConfig(
  { exporter, alertmanager, cluster }: {
    exporter: string;
    alertmanager: string;
    cluster: string;
  },
): string {
  const at = (target: string) => [{ targets: [target] }];
  return stringify({
    global: {
      scrape_interval: "1s",
      scrape_timeout: "1s",
      evaluation_interval: "1s",
      external_labels: { cluster },
    },
    rule_files: ["rules.yml"],
    alerting: { alertmanagers: [{ static_configs: at(alertmanager) }] },
    scrape_configs: [{
      job_name: "checkout-api",
      honor_labels: true,
      static_configs: [{
        targets: [exporter],
        labels: { instance: "checkout-api" },
      }],
    }],
  });
}

/** The first alert's annotations, and another alert that fires all the time. */
function rulesOf({ incident, startedAt }: Story): string {
  const [alert] = toSubject(incident, startedAt).alerts;
  const { runbook_url, summary } = Object.fromEntries(alert!.annotations);
  return stringify({
    groups: [{
      name: "checkout",
      rules: [
        {
          alert: "CheckoutHighLatency",
          expr: EXPR,
          for: "2s",
          labels: { severity: "critical" },
          annotations: {
            summary,
            runbook_url,
            description:
              "p99 of POST /checkout on {{ $labels.pod }} is {{ $value | humanizeDuration }}; the objective is 500 ms.",
          },
        },
        {
          alert: "CheckoutErrorRatio",
          expr: "checkout_error_ratio > 0.05",
          labels: { severity: "warning" },
          annotations: {
            summary: "{{ $value | humanizePercentage }} of POST /checkout fail",
          },
        },
      ],
    }],
  });
}

type Labels = Readonly<Record<string, string>>;

/** What Prometheus would have seen, had it been there: OpenMetrics. */
function historyOf(
  targets: readonly Labels[],
  { start, now }: { start: number; now: number },
): string {
  const scraped = (labels: Labels) =>
    inBraces({ job: "checkout-api", ...labels, instance: "checkout-api" });
  const lines = [`# TYPE ${SERIES} gauge`];
  for (const labels of targets) {
    const write = (from: number, to: number) => {
      for (let at = from; at <= to; at += MINUTE_S / 2) {
        const value = latencyAt(at - start, labels["pod"] ?? "");
        lines.push(
          `${SERIES}{${scraped(labels)}} ${Math.min(value, 1.9)} ${at}`,
        );
      }
    };
    write(now - 7 * 24 * HOUR_S - 6 * HOUR_S, now - 7 * 24 * HOUR_S);
    write(now - 6 * HOUR_S, now - 5);
  }
  lines.push("# TYPE ALERTS gauge");
  for (const labels of targets) {
    const fired = scraped({
      ...labels,
      alertname: "CheckoutHighLatency",
      alertstate: "firing",
      severity: "critical",
    });
    for (const [from, minutes] of PAST) {
      for (let minute = 0; minute < minutes; minute++) {
        const at = Math.floor(start + from) + minute * MINUTE_S;
        lines.push(`ALERTS{${fired}} 1 ${at}`);
      }
    }
  }
  return [...lines, "# EOF", ""].join("\n");
}

function inBraces(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(",");
}
