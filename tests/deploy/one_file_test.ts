/**
 * Four workers on one machine from one file, as the README says: made from
 * deploy/env.example, with every line filled in that a person would fill.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { startDevcore } from "../../deploy/devcore/devcore.ts";
import type { JsonObject } from "../../lib/base/json.ts";
import { approve } from "../../lib/operate/approvals.ts";
import { freePort } from "../../scripts/launch/free_port.ts";
import { type WorkerName, WORKERS } from "../../scripts/launch/permissions.ts";
import {
  cacheWorkers,
  spawnWorker,
  WorkerProcess,
} from "../../scripts/launch/process.ts";
import { Stand } from "../../scripts/launch/stand.ts";
import { exampleText, requirements } from "../support/deploy.ts";
import { withEnvFile } from "../support/env_file.ts";
import { startTask } from "../support/task.ts";
import { until } from "../support/until.ts";

const READY_MS = 40_000;
/** Two processes with one id find each other within three looks. */
const TWIN_MS = 30_000;

/** The example with these lines filled in, whether commented out or not. */
function fillIn(values: Readonly<Record<string, string>>): string {
  return Object.entries(values).reduce((text, [name, value]) => {
    const line = new RegExp(`^(?:# )?${name}=.*$`, "m");
    if (!line.test(text)) throw new Error(`The example has no ${name}`);
    return text.replace(line, `${name}=${value}`);
  }, exampleText);
}

/** Runs a worker as the README says. */
function runWorker(worker: WorkerName, file: string): WorkerProcess {
  const child = startTask("run_worker", [worker, "--env-file", file]);
  child.stdout.cancel();
  return new WorkerProcess(worker, [], child);
}

async function readProblems(
  address: string,
): Promise<[number, Record<string, string>]> {
  const response = await fetch(`http://${address}/readyz`);
  return [response.status, (await response.json()).problems];
}

Deno.test("all workers from one file take a webhook to an approved post", async (t) => {
  await cacheWorkers(WORKERS);
  await using core = await startDevcore({ reloadMs: 200 });
  const free = () => `127.0.0.1:${freePort()}`;
  const ingester = free();
  const health: Record<WorkerName, string> = {
    ingester: free(),
    fetcher: free(),
    summarizer: free(),
    poster: free(),
    desk: free(),
  };
  await using stand = await Stand.open({ platformEnv: core.env });
  await stand.install();
  const text = fillIn({
    CORETEX_GATEWAY_URL: core.gatewayUrl,
    CORETEX_API_KEY: core.apiKey,
    NATS_URL: core.natsUrl,
    REDIS_ADDR: new URL(core.redisUrl).host,
    INGESTER_ADDR: ingester,
    DESK_ADDR: free(),
    MOCK_WEBHOOK_TOKENS: "t0ken",
    INGEST_TRUST_DESTINATION: "1",
    ...Object.fromEntries(
      WORKERS.map((
        worker,
      ) => [`${worker.toUpperCase()}_HEALTH_ADDR`, health[worker]]),
    ),
  });

  /** Sends an incident and approves its post. @returns The run's id. */
  const release = async (incident: JsonObject): Promise<string> => {
    const response = await fetch(`http://${ingester}/webhook/mock`, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Authorization: "Bearer t0ken",
      },
      body: JSON.stringify(incident),
    });
    const { run_id, error } = await response.json();
    assertEquals([response.status, error], [202, undefined]);
    await approve(stand.platform, await stand.untilApproval(run_id));
    return run_id;
  };
  /** @returns The ended run. */
  const post = async (incident: JsonObject): Promise<JsonObject> =>
    await stand.untilEnded(await release(incident));

  await withEnvFile(text, async (file) => {
    await using stack = new AsyncDisposableStack();
    const processes = WORKERS.map((worker) =>
      stack.use(runWorker(worker, file))
    );
    await Promise.all(
      processes.map((process) => process.waitFor("Worker ready", READY_MS)),
    );
    const start = (worker: WorkerName, env: Record<string, string>) =>
      stack.use(spawnWorker(worker, requirements[worker], {
        ...core.env,
        ...env,
      }));

    await t.step("the post is made, and every worker is ready", async () => {
      await stand.untilRoutable();
      assertEquals((await post({ id: "one-file" }))["status"], "succeeded");
      for (const worker of WORKERS) {
        await until(`the ${worker} to be ready`, async () => {
          // Five processes that start at once keep Redis busy for a moment.
          const [status] = await readProblems(health[worker]);
          return status === 200;
        });
      }
    });

    await t.step("a worker in another pool says so", async () => {
      const address = free();
      await using other = start("poster", {
        WORKER_ID: "other-poster",
        WORKER_POOL: "incident-enricher-fetch",
        HEALTH_ADDR: address,
      });
      const line = await other.waitFor(
        ({ level, part }) => level === "error" && part === "pool",
        READY_MS,
      );
      assertStringIncludes(
        String(line["msg"]),
        'routing sends job.incident-enricher.post to the pool "incident-enricher-post", and this worker is in "incident-enricher-fetch"',
      );
      const [status, { pool }] = await readProblems(address);
      assertEquals([status, `Not ready: ${pool}`], [503, line["msg"]]);
    });

    await t.step("two processes with one WORKER_ID both say so", async () => {
      const address = free();
      const twin = start("fetcher", { HEALTH_ADDR: address });
      await twin.waitFor("Worker ready", READY_MS);
      for (const one of [address, health.fetcher]) {
        const problem = await until("the twin to be named", async () => {
          const [status, { worker_id }] = await readProblems(one);
          return status === 503 ? worker_id : undefined;
        }, TWIN_MS);
        assertStringIncludes(problem, "incident-enricher-fetcher");
      }
      const fits = ({ level, part }: JsonObject) =>
        level === "error" && part === "worker_id";
      for (const one of [twin, processes[1]!]) await one.waitFor(fits, 5_000);
      assertEquals(await twin.stop(), 0);
      await until("the other one to be alone", async () => {
        const [status] = await readProblems(health.fetcher);
        return status === 200;
      }, TWIN_MS);
    });

    await t.step(
      "a poster without a Slack URL says so once it needs one",
      async () => {
        assertEquals((await readProblems(health.poster))[0], 200);
        // It is held until there is one.
        await release({ id: "slack", destination: { mode: "slack" } });
        const problems = await until("the poster to say so", async () => {
          const [status, problems] = await readProblems(health.poster);
          return status === 503 ? problems : undefined;
        });
        assertEquals(problems, {
          slack: "Cannot post: no webhook is configured; set SLACK_WEBHOOK_URL",
        });
        await processes[3]!.waitFor(
          ({ level, part }) => level === "error" && part === "slack",
          5_000,
        );
      },
    );

    await t.step(
      "the ingester refuses while the pack is uninstalled",
      async () => {
        await stand.platform.call("POST", "/packs/incident-enricher/uninstall");
        const found = await until("the ingester to know", async () => {
          const [, { pack }] = await readProblems(health.ingester);
          return pack;
        }, 15_000);
        assertStringIncludes(found, "DISABLED");
      },
    );

    for (const process of processes) {
      assertEquals([process.name, await process.stop()], [process.name, 0]);
    }
  });
});
