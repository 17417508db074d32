/**
 * Secrets, as units, services and pods give them to the workers: each worker's
 * bundle runs with the command and the variables of the shipped files.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { startDevcore } from "../../deploy/devcore/devcore.ts";
import { startSlack } from "../../deploy/standins/slack.ts";
import sample from "../../deploy/samples/sample_pagerduty.json" with {
  type: "json",
};
import { approve } from "../../lib/operate/approvals.ts";
import { main as makeFiles } from "../../scripts/secrets.ts";
import { freePort } from "../../scripts/launch/free_port.ts";
import { type WorkerName, WORKERS } from "../../scripts/launch/permissions.ts";
import type { ProbeOrder, Try } from "../../scripts/launch/probe.ts";
import { WorkerProcess } from "../../scripts/launch/process.ts";
import { Stand } from "../../scripts/launch/stand.ts";
import { bundleWorker } from "../../scripts/launch/ways.ts";
import { call } from "../support/command.ts";
import { ROOT } from "../support/deploy.ts";
import { sign } from "../support/ingester.ts";
import {
  moved,
  secretVariables,
  SHIPPED,
  type Shipped,
} from "../support/shipped.ts";

const READY_MS = 40_000;
const TOO_LONG = "x".repeat(65_537);
const PROBE = new URL("scripts/launch/probe.ts", ROOT).pathname;
const WEBHOOK_SECRET = "pagerduty-signing-secret";

Deno.test("workers read every secret from its file, and no other worker's, as deployed", async (t) => {
  await using core = await startDevcore({ reloadMs: 200 });
  await using slack = await startSlack();
  await using stand = await Stand.open({ platformEnv: core.env });
  await using temporary = await makeTempDir();
  const root = temporary.path;
  await Promise.all([
    stand.install(),
    ...WORKERS.map((worker) => bundleWorker(worker, `${root}/bundles`)),
  ]);
  const { code, stderr } = await call(makeFiles, ["--out", `${root}/own`]);
  assertEquals([code, stderr], [0, ""]);

  for (const [way, shipped] of Object.entries(SHIPPED)) {
    const webhooks = `127.0.0.1:${freePort()}`;
    const pages = `127.0.0.1:${freePort()}`;
    const folderOf = (worker: WorkerName) => `${root}/${way}/${worker}`;
    // What the operator sets for all.
    const shared = {
      CORETEX_GATEWAY_URL: core.gatewayUrl,
      NATS_URL: core.natsUrl,
      REDIS_ADDR: new URL(core.redisUrl).host,
      INGESTER_ADDR: webhooks,
      DESK_ADDR: pages,
      DESK_URL: "https://desk.example.com",
      DESK_USER_HEADER: "X-Forwarded-Email",
      DEFAULT_DESTINATION_MODE: "slack",
      SLACK_ALLOWED_HOSTS: slack.host,
      // Not in a ConfigMap, which nothing would keep from a pod's environment.
      ...way === "k8s" ? {} : LEFTOVERS,
    };
    const [gateway, nats, redis] = [
      core.gatewayUrl,
      core.natsUrl,
      core.redisUrl,
    ]
      .map((url) => new URL(url).host) as [string, string, string];
    const places = new Map([
      ["gateway:8081", gateway],
      ["127.0.0.1:8081", gateway],
      ["nats:4222", nats],
      ["127.0.0.1:4222", nats],
      ["redis:6379", redis],
      ["127.0.0.1:6379", redis],
      ["127.0.0.1:8088", webhooks],
      ["0.0.0.0:8088", webhooks],
      ["127.0.0.1:8090", pages],
      ["0.0.0.0:8090", pages],
      ["hooks.slack.com:443", slack.host],
      ["/worker/", `${root}/bundles/`],
      ["/opt/incident-enricher/", `${root}/bundles/`],
    ]);

    /** The worker as it is shipped, its secrets mounted from a folder. */
    const place = async (worker: WorkerName, from: string, to: string) => {
      const own = await shipped(worker, shared);
      await Deno.mkdir(to, { recursive: true });
      await own.mount(from, to);
      const health = `127.0.0.1:${freePort()}`;
      return moved(
        own,
        new Map([...places, ["0.0.0.0:9000", health], [own.folder, to]]),
      );
    };

    await t.step(`${way}: every secret's file is read`, async () => {
      await Promise.all(WORKERS.map(async (worker) => {
        const from = `${root}/long/${worker}`;
        await Deno.mkdir(from, { recursive: true });
        for await (const { name } of Deno.readDir(`${root}/own/${worker}`)) {
          await Deno.writeTextFile(`${from}/${name}`, TOO_LONG);
        }
        const to = `${folderOf(worker)}-long`;
        const command = toCommand(await place(worker, from, to));
        const { code, stderr } = await command.output();
        const said = new TextDecoder().decode(stderr);
        const problems = secretVariables(worker).map((name) =>
          `${name} names a file longer than 65536 characters`
        );
        assertEquals([code, said], [2, `error: ${problems.join("; ")}\n`]);
      }));
    });

    await t.step(
      `${way}: a worker does not start without its key`,
      async () => {
        const to = `${root}/${way}/keyless`;
        const command = toCommand(
          await place("fetcher", `${root}/own/fetcher`, to),
        );
        const { code, stderr } = await command.output();
        assertEquals(code, 2);
        assertEquals(
          new TextDecoder().decode(stderr),
          "error: CORETEX_API_KEY is required (API key for the gateway)\n",
        );
      },
    );

    await t.step(`${way}: a signed webhook becomes a post`, async () => {
      for (const worker of WORKERS) {
        const from = `${root}/given/${way}/${worker}`;
        await copyFolder(`${root}/own/${worker}`, from);
        await Deno.writeTextFile(`${from}/CORETEX_API_KEY`, core.apiKey);
        // Kubernetes and Compose want every file, systemd only the key's.
        if (way !== "systemd") continue;
        for await (const { name } of Deno.readDir(from)) {
          if (name !== "CORETEX_API_KEY") await Deno.remove(`${from}/${name}`);
        }
      }
      const given = (worker: WorkerName) => `${root}/given/${way}/${worker}`;
      await Deno.writeTextFile(
        `${given("ingester")}/PAGERDUTY_WEBHOOK_SECRETS`,
        `${WEBHOOK_SECRET}\n`,
      );
      await Deno.writeTextFile(
        `${given("desk")}/DESK_PROXY_SECRET`,
        "what-the-proxy-knows",
      );
      await Deno.writeTextFile(
        `${given("poster")}/SLACK_WEBHOOK_URL`,
        slack.url,
      );

      await using stack = new AsyncDisposableStack();
      const processes = new Map<WorkerName, WorkerProcess>();
      const placed = new Map<WorkerName, Shipped>();
      for (const worker of WORKERS) {
        placed.set(
          worker,
          await place(worker, given(worker), folderOf(worker)),
        );
      }
      for (const [worker, own] of placed) {
        const foreign = WORKERS.filter((other) => other !== worker)
          .flatMap((other) => secretFilesOf(placed.get(other)!));
        const order: ProbeOrder = {
          hosts: ["example.com:443"],
          variables: ["HOME"],
          files: [...foreign, folderOf(worker)],
        };
        assert(foreign.length > 10, `${foreign}`);
        const child = toCommand(own, order).spawn();
        processes.set(worker, stack.use(new WorkerProcess(worker, [], child)));
      }
      for (const process of processes.values()) {
        const { tries } = await process.waitFor("Probe", READY_MS);
        const allowed = (tries as Try[]).filter(({ outcome }) =>
          outcome === "allowed"
        );
        assertEquals([process.name, allowed], [process.name, []]);
        await process.waitFor("Worker ready", READY_MS);
      }

      await stand.untilRoutable();
      const received = slack.received.length;
      const body = JSON.stringify(freshly(way));
      const response = await fetch(`http://${webhooks}/webhook/pagerduty`, {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          "X-PagerDuty-Signature": sign(body, WEBHOOK_SECRET),
        },
        body,
      });
      const { run_id, error } = await response.json();
      assertEquals([response.status, error], [202, undefined]);
      await approve(stand.platform, await stand.untilApproval(run_id));
      assertEquals((await stand.untilEnded(run_id))["status"], "succeeded");
      assertEquals(slack.received.length, received + 1);
      for (const process of processes.values()) {
        assertEquals([process.name, await process.stop()], [process.name, 0]);
      }
    });
  }
});

/** Secrets in the variables that all four share, which must not count. */
const LEFTOVERS = {
  CORETEX_API_KEY: "not-this-one",
  PAGERDUTY_WEBHOOK_SECRETS: "nor-this-one",
  SLACK_WEBHOOK_URL: "https://hooks.slack.com/services/nor-this-one",
};

/** The files that a worker's flags let it read. */
function secretFilesOf({ command }: Shipped): string[] {
  const flag = command.find((word) => word.startsWith("--allow-read="));
  return flag?.slice("--allow-read=".length).split(",") ?? [];
}

/** The command, with this Deno, on bundles that may load nothing else. */
function toCommand(
  { command, env }: Shipped,
  order?: ProbeOrder,
): Deno.Command {
  const [, first, ...words] = command;
  const script = words.pop()!;
  return new Deno.Command(Deno.execPath(), {
    args: [
      first!,
      "--no-config",
      ...words,
      ...(order === undefined ? [] : [`--preload=${PROBE}`]),
      script,
      ...(order === undefined ? [] : [JSON.stringify(order)]),
    ],
    clearEnv: true,
    // As systemd and images set one.
    env: { PATH: "/usr/local/bin:/usr/bin:/bin", ...env },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  });
}

/** PagerDuty's sample as an incident of its own, that happened just now. */
function freshly(id: string) {
  const { event } = sample;
  const now = new Date().toISOString();
  return {
    event: {
      ...event,
      id: `event-${id}`,
      occurred_at: now,
      data: { ...event.data, id: `incident-${id}`, incident_key: id },
    },
  };
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) {
    await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

async function makeTempDir(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir({ dir: "/tmp" });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}
