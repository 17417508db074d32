/**
 * The whole path at each redaction level, started at the ingester and at the
 * gateway: 200 planted values are looked for wherever our workers and commands
 * write, send or say anything.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { startDevcore } from "../../deploy/devcore/devcore.ts";
import { startSlack } from "../../deploy/standins/slack.ts";
import type { JsonObject } from "../../lib/base/json.ts";
import { createLog } from "../../lib/base/log.ts";
import { approve } from "../../lib/operate/approvals.ts";
import { connectStore, type Store } from "../../lib/platform/store.ts";
import {
  type RedactionLevel,
  startRedaction,
} from "../../lib/redact/redaction.ts";
import { main as approvals } from "../../scripts/approvals.ts";
import { freePort } from "../../scripts/launch/free_port.ts";
import {
  PATH_WORKERS,
  type WorkerName,
} from "../../scripts/launch/permissions.ts";
import { type Stand, startStand } from "../../scripts/launch/stand.ts";
import { archivePack, readPackFolder } from "../../scripts/pack/pack.ts";
import { main as posts } from "../../scripts/posts.ts";
import { BARE_FRAMES, NAMED_FRAMES } from "../redact/corpus/frames.ts";
import { KINDS } from "../redact/corpus/kinds.ts";
import { isGone } from "../redact/corpus/measure.ts";
import { type Random, startRandom } from "../redact/corpus/random.ts";
import { call } from "../support/command.ts";
import { sign } from "../support/ingester.ts";
import { until } from "../support/until.ts";
import { collectSpans } from "../support/spans.ts";

const { signal } = new AbortController();
const LEVELS = ["none", "standard", "strict", "full"] as const;
const PAGERDUTY_SECRET = "test-signing-secret";
const TOKEN = "test-bearer-token";
const lower = "abcdefghijkmnpqrstuvwxyz";

/** A value, the least level that takes it, and the text that holds it. */
interface Value {
  core: string;
  from: RedactionLevel;
  text: unknown;
}

const CREDENTIALS = 110;
const PEOPLE = 50;
const SENTENCES = 40;

/** Credentials of as many kinds, in frames that a text's redaction finds. */
function credentials(r: Random): Value[] {
  const made = KINDS.filter((_, at) => at % 2 === 0).flatMap((kind) => {
    const named = kind.called !== undefined;
    const frame = r.pick(Object.values(named ? NAMED_FRAMES : BARE_FRAMES));
    const whole = kind.make(r);
    const core = (kind.core?.(whole) ?? whole).slice(-16);
    const text = `note: ${frame(whole, kind.called ?? "")}`;
    return /^\w{16}$/.test(core) &&
        isGone(startRedaction().text(text), core)
      ? [{ core, text, from: "standard" } as const]
      : [];
  });
  assert(made.length >= CREDENTIALS, `${made.length} credentials`);
  return made.slice(0, CREDENTIALS);
}

const PERSONAL: readonly ((r: Random) => [core: string, text: unknown])[] = [
  (r) => {
    const email = `${r.of(lower, 12)}@${r.of(lower, 8)}.example.com`;
    return [email, `a mail from ${email} bounced`];
  },
  (r) => {
    const ip = `10.${r.below(256)}.${100 + r.below(100)}.${100 + r.below(100)}`;
    return [ip, `peer ${ip} timed out`];
  },
  (r) => {
    const phone = `+44 20 7${r.of("123456789", 3)} ${r.of("123456789", 4)}`;
    return [phone, `ring ${phone} first`];
  },
  (r) => {
    const user = r.of(lower, 14);
    return [user, { user_name: user }];
  },
  (r) => {
    const account = r.of("123456789", 12);
    return [account, { account_id: account }];
  },
];

function people(r: Random): Value[] {
  return Array.from({ length: PEOPLE }, (_, at) => {
    const [core, text] = PERSONAL[at % PERSONAL.length]!(r);
    return { core, text, from: "strict" };
  });
}

function sentences(r: Random): Value[] {
  return Array.from({ length: SENTENCES }, () => {
    const core = `${r.of(lower, 9)} ${r.of(lower, 11)}`;
    return { core, from: "full", text: `the ${core} lags behind` };
  });
}

/** Values that no other start of a run has. */
function valuesFor(seed: number): Value[] {
  const r = startRandom(seed);
  return [...credentials(r), ...people(r), ...sentences(r)];
}

const asText = ({ text }: Value) =>
  typeof text === "string" ? text : JSON.stringify(text);

/** Which of the values a text holds. */
function findIn(text: string, values: readonly Value[]): Value[] {
  return values.filter(({ core, from }) =>
    from === "standard" ? !isGone(text, core) : text.includes(core)
  );
}

/** Gives one text after the other, those of all levels in turn. */
function places(values: readonly Value[], from: readonly RedactionLevel[]) {
  const rest = from.map((level) =>
    values.filter((value) =>
      value.from === level && typeof value.text === "string"
    ).map(asText)
  );
  let turn = 0;
  return (charsMax = 1000) => {
    const list = rest[turn++ % rest.length]!;
    const at = list.findIndex(({ length }) => length <= charsMax);
    return list.splice(at, 1)[0]!;
  };
}

const AT = "2026-11-15T10:42:10.139Z";

/** The bodies that senders send, and what a person gives the gateway. */
const STARTS: Readonly<
  Record<string, (values: readonly Value[], id: string) => JsonObject>
> = {
  mock(values, id) {
    const next = places(values, ["standard", "strict", "full"]);
    const title = places(values.toReversed(), ["standard", "strict"]);
    return {
      id,
      title: title(),
      severity: "critical",
      service: "checkout",
      url: `https://incidents.example.com/?q=${encodeURIComponent(next())}`,
      description: next(),
      status: next(90),
      facts: { pod: "cart-1", [next(60)]: "x", note: next() },
      timeline: [{ at: AT, text: next() }, { at: next(), text: next() }],
      all: values.map(({ text }) => text),
    };
  },
  alertmanager(values, id) {
    const next = places(values, ["standard", "strict", "full"]);
    const title = places(values.toReversed(), ["standard", "strict"]);
    const alert = (at: number) => ({
      status: "firing",
      labels: {
        alertname: "Slow",
        severity: "critical",
        namespace: "shop",
        pod: `cart-${at}`,
        team: next(),
        reason: next(),
      },
      annotations: {
        summary: title(),
        description: next(),
        runbook_url: `https://runbooks.example.com/?q=${
          encodeURIComponent(next())
        }`,
        dashboard: next(),
      },
      startsAt: AT,
      endsAt: "0001-01-01T00:00:00Z",
      generatorURL: `http://prometheus.example.com/graph?g0.expr=${
        encodeURIComponent(next())
      }`,
      fingerprint: `${id}-${at}`.slice(0, 60),
      all: values.map(({ text }) => text),
    });
    return {
      version: "4",
      receiver: "on-call",
      status: "firing",
      groupKey: next(),
      truncatedAlerts: 0,
      groupLabels: { alertname: "Slow", id },
      commonLabels: { team: next() },
      commonAnnotations: { description: next() },
      externalURL: "http://alertmanager.example.com",
      alerts: [alert(1), alert(2)],
    };
  },
  pagerduty(values, id) {
    const next = places(values, ["standard", "strict", "full"]);
    const title = places(values.toReversed(), ["standard", "strict"]);
    return {
      event: {
        id: `E${id}`.slice(0, 60),
        event_type: "incident.triggered",
        resource_type: "incident",
        occurred_at: new Date().toISOString(),
        client: { name: next() },
        data: {
          id,
          html_url: `https://example.pagerduty.com/incidents/${id}?q=${
            encodeURIComponent(next())
          }`,
          title: title(),
          status: "triggered",
          urgency: "high",
          incident_key: next(250),
          created_at: AT,
          service: { id: "P1", summary: "Checkout" },
          escalation_policy: { summary: next(150) },
          conference_bridge: { conference_url: next() },
          body: { details: values.map(({ text }) => text) },
        },
      },
    };
  },
};

/** What a run takes at the gateway, past every ingester. */
function atGateway(values: readonly Value[], id: string): JsonObject {
  const next = places(values, ["standard", "strict", "full"]);
  const title = places(values.toReversed(), ["standard", "strict"]);
  return {
    incident_id: id,
    title: title(),
    severity: "critical",
    severity_rule: next(150),
    service: "checkout",
    priority: next(80),
    dedup_key: next(250),
    source: {
      system: "mock",
      url: `https://incidents.example.com/?q=${encodeURIComponent(next())}`,
    },
    raw: STARTS["mock"]!(values, id),
    destination: { mode: "artifact" },
  };
}

/** Keys that the platform writes, and why we cannot help what they hold. */
const PLATFORMS: readonly [key: RegExp, why: string][] = [
  [/^ctx:/, "a job's input: the run's own input, and what steps gave"],
  [/^sys:/, "the platform's routing and pack records"],
];

async function readRedis(store: Store): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for await (const keys of store.scan("", signal)) {
    for (const key of keys) {
      const value = await store.read(key, 10_000_000, signal)
        .catch(async () => JSON.stringify(await store.list(key, signal)));
      found.push([key, String(value)]);
    }
  }
  return found;
}

/** Every artifact that these texts name, with its labels. */
async function readArtifacts(stand: Stand, text: string): Promise<string[]> {
  const pointers = new Set(text.match(/redis:\/\/art:[\w-]+/g));
  return await Promise.all([...pointers].map(async (pointer) => {
    const { gateway } = stand.platform;
    const { bytes, labels } = await gateway.readArtifact(
      pointer,
      10_000_000,
      signal,
    );
    return JSON.stringify(labels) + new TextDecoder().decode(bytes);
  }));
}

/** The pack with a level for every step. */
async function packAt(level: RedactionLevel) {
  const files = await readPackFolder("pack");
  const path = "overlays/policy.fragment.yaml";
  const limit = `\n    constraints: {redaction_level: ${level}}`;
  const policy = files.get(path)!
    .replaceAll("decision: allow", `decision: allow_with_constraints${limit}`)
    .replaceAll(
      "decision: require_approval",
      `decision: require_approval${limit}`,
    );
  return await archivePack(new Map([...files, [path, policy]]));
}

Deno.test("policy's level holds on the whole path", async (t) => {
  let level: RedactionLevel = "none";
  const ports = new Map<WorkerName, number>(
    PATH_WORKERS.map((worker) => [worker, freePort()]),
  );
  await using core = await startDevcore({ reloadMs: 200 });
  await using slack = await startSlack();
  await using spans = collectSpans();
  const more = {
    OTEL_DENO: "true",
    OTEL_EXPORTER_OTLP_ENDPOINT: spans.url,
    OTEL_BSP_SCHEDULE_DELAY: "100",
  };
  await using stand = await startStand({
    platformEnv: core.env,
    slack,
    env: (worker) => ({
      HEALTH_ADDR: `127.0.0.1:${ports.get(worker)}`,
      PAGERDUTY_WEBHOOK_SECRETS: PAGERDUTY_SECRET,
      ALERTMANAGER_WEBHOOK_TOKENS: TOKEN,
      INGEST_REDACTION_LEVEL: level,
    }),
    spawn: () => ({ more }),
  });
  await using store = await connectStore({
    url: core.env["REDIS_URL"]!,
    name: "test",
    log: createLog({}, { write() {} }),
    signal,
  });
  const logs: string[] = [];
  for (const worker of stand.workers.values()) {
    worker.onLine((line) => logs.push(line));
  }

  const send = async (source: string, body: JsonObject): Promise<string> => {
    const text = JSON.stringify(body);
    const headers: Record<string, string> = source === "pagerduty"
      ? { "X-PagerDuty-Signature": sign(text, PAGERDUTY_SECRET) }
      : source === "alertmanager"
      ? { Authorization: `Bearer ${TOKEN}` }
      : {};
    const path = `/webhook/${source}`;
    const { status, answer } = await stand.send(text, { path, headers });
    assertEquals([status, answer["error"]], [202, undefined]);
    logs.push(JSON.stringify(answer));
    return String(answer["run_id"]);
  };

  for (const [at, next] of LEVELS.entries()) {
    level = next;
    await stand.install(await packAt(level));
    const ingester = await stand.spawn("ingester", { more });
    ingester.onLine((line) => logs.push(line));
    await ingester.waitFor("Worker ready", 20_000);

    const starts = [...Object.keys(STARTS), "gateway"];
    for (const [place, source] of starts.entries()) {
      await t.step(`at ${level}, started by ${source}`, async () => {
        const values = valuesFor(100 * at + place);
        assertEquals(values.length, 200);
        const secretId = `ghp_${startRandom(place * 7 + at).hex(36)}`;
        const isDirect = source === "gateway";
        const runId = isDirect
          ? await stand.platform.gateway.startRun(
            "incident-enricher.enrich",
            atGateway(values, secretId),
            { key: `test-${level}`, signal },
          )
          : await send(
            source,
            STARTS[source]!(
              values,
              source === "pagerduty" ? `P${at}7QX` : secretId,
            ),
          );
        const jobId = await stand.untilApproval(runId);
        const shown = await call(approvals, ["show", jobId], {
          env: core.env,
        });
        assertEquals([shown.code, shown.stderr], [0, ""]);
        const before = slack.received.length;
        await approve(stand.platform, jobId);
        const run = await stand.untilEnded(runId);
        assertEquals(run["status"], "succeeded", JSON.stringify(run));
        const list = await call(posts, ["--all", "--json"], { env: core.env });
        assertEquals(list.code, 0);

        const { steps } = run["context"] as JsonObject;
        const outputs = JSON.stringify(steps);
        const artifacts = await readArtifacts(stand, outputs);
        assert(artifacts.length >= 5, `${artifacts.length} artifacts`);
        const redis = (await readRedis(store)).filter(([key]) =>
          !PLATFORMS.some(([theirs]) => theirs.test(key))
        );
        assert(redis.length >= 3, `${redis.length} values in Redis`);
        const posted = slack.received.slice(before).map(({ body }) => body);
        assertEquals(posted.length, isDirect ? 0 : 1);
        const health = await Promise.all(
          [...ports.values()].map(async (port) =>
            await (await fetch(`http://127.0.0.1:${port}/readyz`)).text()
          ),
        );
        await until("spans", () => spans.bodies.length > 0);
        const ours: Record<string, string> = {
          artifacts: artifacts.join("\n"),
          results: outputs,
          redis: redis.map((entry) => entry.join(" ")).join("\n"),
          posted: posted.join("\n"),
          logs: logs.join("\n"),
          health: health.join("\n"),
          spans: spans.bodies.join("\n"),
          shown: shown.stdout,
          list: list.stdout,
        };
        // With the ingester at the same level even the platform has no more.
        if (!isDirect) {
          ours["run"] = JSON.stringify(run);
          ours["contexts"] = (await readRedis(store))
            .filter(([key]) => key.startsWith(`ctx:${runId}`))
            .map(([, value]) => value).join("\n");
        }
        const mayStand = (from: RedactionLevel) =>
          LEVELS.indexOf(level) < LEVELS.indexOf(from);
        const forbidden = values.filter(({ from }) => !mayStand(from));
        for (const [name, text] of Object.entries(ours)) {
          const found = findIn(text, forbidden).map(asText);
          assertEquals([name, found], [name, []]);
          const held = level !== "none" && text.includes(secretId);
          assert(!held, `${name} holds the id`);
        }
        // The search does find, since what may stand is there.
        const allowed = values.filter(({ from }) => mayStand(from));
        const left = new Set(findIn(ours["artifacts"]!, allowed));
        assertEquals(allowed.filter((value) => !left.has(value)), []);
        if (level !== "none") {
          const counted = /"removed: credentials":[1-9]/;
          assert(counted.test(ours["health"]!), ours["health"]);
          const said = level === "standard"
            ? /\d+ credentials removed/
            : RegExp(`Redaction level ${level}: \\d+ credential`);
          assert(said.test(ours["shown"]!), ours["shown"]);
        }
      });
    }
  }
});
