/**
 * Proves the derived permissions on the real workers: what they do not grant is
 * refused, and everything that they grant is needed.
 *
 * @module
 */
import { startDevcore } from "../../deploy/devcore/devcore.ts";
import { type SlackStandIn, startSlack } from "../../deploy/standins/slack.ts";
import { variablesOf } from "../../lib/base/config.ts";
import { messageOf } from "../../lib/base/errors.ts";
import {
  type JsonObject,
  objectOf,
  optional,
  stringOf,
} from "../../lib/base/json.ts";
import { wait } from "../../lib/base/time.ts";
import { approve, reject } from "../../lib/operate/approvals.ts";
import { WORKFLOW_ID } from "../../lib/operate/pack.ts";
import { freePort } from "./free_port.ts";
import {
  toFlags,
  WORKER_SETTINGS,
  type WorkerName,
  WORKERS,
} from "./permissions.ts";
import type { ProbeOrder, Try } from "./probe.ts";
import {
  checkCollectors,
  startSystems,
  type Systems,
} from "./proof_collectors.ts";
import { RunEndedError, Stand } from "./stand.ts";

/** What a permission was needed for: what failed without it. */
export interface Removal {
  /** The permission: `net 127.0.0.1:4222`, `env NATS_URL`. */
  removed: string;
  /** `undefined` if the worker did its work all the same. */
  failure: string | undefined;
}

const PROBE = "scripts/launch/probe.ts";
const READY_MS = 20_000;
const HEALTHY_MS = 5_000;
const POLL_MS = 30;
const NOTICE_MS = 8_000;
const NOTICE_PATH = "/notices";
/** No worker has a reason to go there. */
const STRANGERS = ["example.com:443", "169.254.169.254:80"];

const TOKEN = crypto.randomUUID();

/** A stand, and the systems that its collectors ask. */
export interface Proof {
  readonly stand: Stand;
  readonly systems: Systems;
}

/**
 * Opens a stand on which every worker does its work and needs every permission
 * that it has for that.
 *
 * @param stack Ends the stand and what it stands on.
 * @param signal Ends every wait.
 */
export async function openProof(
  stack: AsyncDisposableStack,
  signal?: AbortSignal,
): Promise<Proof> {
  const core = stack.use(await startDevcore({ reloadMs: 100 }));
  const slack = stack.use(await startSlack());
  const systems = await startSystems(stack);
  const ports = new Map(WORKERS.map((worker) => [worker, freePort()]));
  const deskAddress = `127.0.0.1:${freePort()}`;
  const stand = stack.use(
    await Stand.open({
      platformEnv: core.env,
      slack,
      ...optional("signal", signal),
      timeoutMs: 60_000, // What fails does so at once; what works takes its time.
      env: (worker) => ({
        HEALTH_ADDR: `127.0.0.1:${ports.get(worker)}`,
        INGEST_MOCK_OPEN: "",
        MOCK_WEBHOOK_TOKENS: TOKEN,
        DESK_ADDR: deskAddress,
        APPROVALS_SLACK_WEBHOOK_URL: `http://${slack.host}${NOTICE_PATH}`,
        APPROVALS_ALLOWED_HOSTS: slack.host,
        ...systems.env,
      }),
    }),
  );
  await Promise.all([stand.install(), stand.startWorkers()]);
  await stand.startWorkers(() => ({}), ["desk"]);
  const proof = { stand, systems };
  for (const worker of WORKERS) await check(proof, worker);
  return proof;
}

/**
 * The test of one worker: it starts without a complaint, its health is good,
 * and an incident goes through it to Slack, or, in case of the fetcher, every
 * collector can ask. The desk tells of it and shows its page.
 *
 * @throws {Error} Saying what failed.
 */
async function check(
  { stand, systems }: Proof,
  worker: WorkerName,
): Promise<void> {
  const line = await stand.workers.get(worker)!.waitFor(
    // A worker that warns and tries again has lost something.
    ({ msg, level }) =>
      msg === "Worker ready" || level === "warn" || level === "error",
    READY_MS,
  );
  if (line["msg"] !== "Worker ready") {
    throw new Error(`${line["msg"]}: ${line["error"]}`);
  }
  await untilHealthy(stand, worker);
  if (worker === "fetcher") return await checkCollectors(stand, systems);
  if (worker === "desk") return await checkDesk(stand, stand.slack!);
  const runId = await sendIncident(stand, "Proof of permissions");
  const posted = countPosts(stand);
  await approve(stand.platform, await stand.untilApproval(runId));
  const run = await untilEnded(stand, worker, runId);
  if (run["status"] !== "succeeded") throw new RunEndedError(run);
  if (countPosts(stand) !== posted + 1) {
    throw new Error("nothing reached Slack");
  }
}

/** What reached Slack, beside the desk's notices. */
function countPosts(stand: Stand): number {
  const isPost = ({ path }: { path: string }) => path !== NOTICE_PATH;
  return stand.slack!.received.filter(isPost).length;
}

/** @returns The id of its run. */
async function sendIncident(stand: Stand, title: string): Promise<string> {
  const { status, answer } = await stand.send(
    { id: `proof-${crypto.randomUUID()}`, title },
    { headers: { Authorization: `Bearer ${TOKEN}` } },
  );
  if (status !== 202) throw new Error(`answered ${status}: ${answer["error"]}`);
  return String(answer["run_id"]);
}

/** @throws {Error} If no notice comes, or no page. */
async function checkDesk(stand: Stand, slack: SlackStandIn): Promise<void> {
  const title = `Proof ${crypto.randomUUID()}`;
  const jobId = await stand.untilApproval(await sendIncident(stand, title));
  try {
    await untilTold(stand, slack, title);
    const { DESK_ADDR } = stand.variables("desk");
    const page = await fetch(`http://${DESK_ADDR}/`);
    await page.body?.cancel();
    if (!page.ok) throw new Error(`its page answers ${page.status}`);
  } finally {
    // Else the next desk would go on with what this one could not deliver.
    await reject(stand.platform, jobId, "a proof");
  }
}

async function untilTold(
  stand: Stand,
  slack: SlackStandIn,
  title: string,
): Promise<void> {
  const end = performance.now() + NOTICE_MS;
  const isTold = () =>
    slack.received.some(({ path, body }) =>
      path === NOTICE_PATH && body.includes(title)
    );
  while (!isTold()) {
    const [problem] = await readWarnings(stand, "desk");
    if (problem !== undefined) throw new Error(problem);
    if (performance.now() > end) throw new Error("no notice reached Slack");
    await wait(5 * POLL_MS, stand.signal);
  }
}

/**
 * Waits for a run to end, and ends it if the worker holds its job for want of a
 * webhook.
 *
 * @throws {Error} What is wanting.
 */
async function untilEnded(
  stand: Stand,
  worker: WorkerName,
  runId: string,
): Promise<JsonObject> {
  let over = false;
  const ended = stand.untilEnded(runId).finally(() => over = true);
  ended.catch(() => {}); // Awaited below.
  while (!over) {
    const problem = await readProblems(stand, worker).catch(() => undefined);
    if (problem?.["slack"] !== undefined) {
      const path = `/workflows/${WORKFLOW_ID}/runs/${runId}/cancel`;
      await stand.platform.call("POST", path);
      await ended;
      throw new Error(stringOf(problem["slack"]));
    }
    await wait(POLL_MS, stand.signal);
  }
  return await ended;
}

/** What `/readyz` names, while the worker is not ready. */
async function readProblems(
  stand: Stand,
  worker: WorkerName,
): Promise<JsonObject | undefined> {
  const { HEALTH_ADDR } = stand.variables(worker);
  const response = await fetch(`http://${HEALTH_ADDR}/readyz`);
  const { problems } = await response.json();
  return response.ok ? undefined : objectOf(problems) ?? {};
}

async function readWarnings(
  stand: Stand,
  worker: WorkerName,
): Promise<string[]> {
  const { HEALTH_ADDR } = stand.variables(worker);
  const response = await fetch(`http://${HEALTH_ADDR}/readyz`);
  const { warnings } = await response.json();
  return Array.isArray(warnings) ? warnings.map(String) : [];
}

async function untilHealthy(stand: Stand, worker: WorkerName): Promise<void> {
  const end = performance.now() + HEALTHY_MS;
  while (true) {
    const problems = await readProblems(stand, worker);
    if (problems === undefined) return;
    const text = JSON.stringify(problems);
    if (text.includes("no permission") || performance.now() > end) {
      throw new Error(`not ready: ${text}`);
    }
    await wait(POLL_MS, stand.signal);
  }
}

/**
 * Tries inside a worker what it may not do, and lets it do its work after.
 *
 * @param flags Those that it is started with.
 */
export async function proveRefusals(
  proof: Proof,
  worker: WorkerName,
  flags: readonly string[] = proof.stand.permissions(worker).flags,
): Promise<Try[]> {
  const { stand } = proof;
  const others = WORKERS.filter((other) => other !== worker);
  const own = stand.permissions(worker).net.map(({ host }) => host);
  const [hostname, port] = own[0]!.split(":");
  const hosts = [
    ...others.flatMap((other) =>
      stand.permissions(other).net.map(({ host }) => host)
    ),
    ...STRANGERS,
    `${hostname}:${Number(port) === 65535 ? 1 : Number(port) + 1}`,
  ];
  const known = variablesOf(WORKER_SETTINGS[worker]);
  const foreign = others.flatMap((other) => variablesOf(WORKER_SETTINGS[other]))
    .filter((name) => !known.includes(name));
  const order: ProbeOrder = {
    hosts: [...new Set(hosts)].filter((host) => !own.includes(host)),
    variables: [...new Set(foreign), "HOME", "PATH"],
  };
  const process = await stand.spawn(worker, {
    flags,
    preload: PROBE,
    args: [JSON.stringify(order)],
    // All of them are set, so that one that could be read would be.
    more: Object.fromEntries(foreign.map((name) => [name, "probe"])),
  });
  const { tries } = await process.waitFor("Probe", READY_MS);
  await check(proof, worker);
  return tries as Try[];
}

/** Takes each permission away that is not optional, and sees what fails. */
export async function proveMinimal(
  proof: Proof,
  worker: WorkerName,
): Promise<Removal[]> {
  const { stand } = proof;
  const own = stand.permissions(worker);
  const set = stand.variables(worker);
  const without = [
    ...own.net.map((gone) => ({
      removed: `net ${gone.host} (${gone.why})`,
      left: { ...own, net: own.net.filter((grant) => grant !== gone) },
    })),
    ...own.env.filter(({ name }) => name in set).map((gone) => ({
      removed: `env ${gone.name}`,
      left: { ...own, env: own.env.filter((grant) => grant !== gone) },
    })),
    ...own.read.map((gone) => ({
      removed: `read ${gone.path} (${gone.why})`,
      left: { ...own, read: own.read.filter((grant) => grant !== gone) },
    })),
  ];
  const removals: Removal[] = [];
  for (const { removed, left } of without) {
    await stand.spawn(worker, { flags: toFlags(left) });
    const failure = await check(proof, worker).then(() => undefined, whyFailed);
    stand.signal.throwIfAborted(); // That was no permission's doing.
    removals.push({ removed, failure });
  }
  await stand.spawn(worker); // Whole again, for the others.
  await check(proof, worker);
  return removals;
}

function whyFailed(error: unknown): string {
  return error instanceof RunEndedError ? error.why : messageOf(error);
}
