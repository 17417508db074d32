/**
 * Installing and uninstalling, until it is in force.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import { parse } from "@std/yaml";
import { wait } from "../../lib/base/time.ts";
import { GatewayError } from "../../lib/platform/gateway_error.ts";
import { askYes } from "../terminal/ask.ts";
import { type CommandContext, CommandError } from "../terminal/command.ts";
import type { Bundle } from "../pack/pack.ts";
import type { Platform, Waiting } from "./platform.ts";

/** One policy simulation as the platform ran it. */
export interface Simulation {
  name: string;
  expected: string;
  got: string;
  ok: boolean;
}

/** What an installation came to. */
export interface Installed {
  record: JsonObject;
  simulations: Simulation[];
  /** How long policy and routing took to be in force. */
  policyMs: number;
  routingMs: number;
  /** Whether the platform had to be told to skip its version check. */
  forced: boolean;
}

/** How to install. */
export interface InstallOptions {
  upgrade: boolean;
  force: boolean;
  signal: AbortSignal;
  /** Told again and again what is waited for. */
  onProgress?: (what: string) => void;
}

const POLL_MS = 500;
/** Two reload timers of 30 s each run on their own; twice that is an outage. */
const IN_FORCE_MS = 120_000;
/** Without a look at the scheduler's snapshot: its reload, and some. */
const BLIND_ROUTING_MS = 35_000;

/**
 * Says what waits for approval and asks before it is lost: on most platforms
 * any policy change makes every waiting approval undecidable for good.
 *
 * @throws {CommandError} If the answer is no.
 */
export async function confirmLoss(
  platform: Platform,
  context: CommandContext,
  yes: boolean,
): Promise<void> {
  const waiting = await platform.waiting();
  if (waiting.length === 0) return;
  context.out(
    `${waiting.length} job${
      waiting.length === 1 ? "" : "s"
    } waiting for approval would be lost by this policy change:`,
  );
  for (const job of waiting) context.out(`  ${describeWaiting(job)}`);
  if (yes) return;
  if (!await askYes(context, "Go on and lose them?", "--yes")) {
    throw new CommandError("Nothing was changed; decide them first");
  }
}

/** One line about a job that waits. */
export function describeWaiting(
  { jobId, topic, ruleId, since }: Waiting,
): string {
  const minutes = Math.max(0, Math.round((Date.now() - since) / 60_000));
  return `${jobId}  ${topic}  rule ${ruleId || "unknown"}  ${minutes} min`;
}

/**
 * Installs a bundle and returns when its policy and its routing are in force.
 *
 * @throws {CommandError} If the platform refuses, or it takes too long.
 */
export async function installBundle(
  platform: Platform,
  bundle: Bundle,
  options: InstallOptions,
): Promise<Installed> {
  const before = await platform.policySnapshot();
  const changes = await changesPolicy(platform, bundle);
  const { record, forced } = await upload(platform, bundle, options);
  const policy = await untilPolicy(
    platform,
    bundle.id,
    changes ? before : undefined,
    options,
  );
  const routingMs = await untilRouted(
    platform,
    topicsOf(record),
    options,
  );
  return { record, forced, ...policy, routingMs };
}

async function upload(
  platform: Platform,
  bundle: Bundle,
  { upgrade, force }: InstallOptions,
): Promise<{ record: JsonObject; forced: boolean }> {
  const send = (forced: boolean) => {
    const form = new FormData();
    form.set(
      "bundle",
      new File([bundle.bytes as BlobPart], bundle.name, {
        type: "application/gzip",
      }),
    );
    if (upgrade) form.set("upgrade", "true");
    if (forced) form.set("force", "true");
    return platform.call("POST", "/packs/install", { form });
  };
  try {
    return { record: await send(force), forced: force };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    if (!force && mayForce(error.detail)) {
      return { record: await send(true), forced: true };
    }
    throw new CommandError(explainRefusal(error));
  }
}

/** The platform cannot tell its own version, or never compares it. */
function mayForce(detail: string): boolean {
  return /minCoreVersion set|rerun with (--)?force|(core|gateway) version .*(unknown|not semver)|unknown core version/i
    .test(detail);
}

function explainRefusal({ status, detail, message }: GatewayError): string {
  if (/exists; rerun with (--)?upgrade/i.test(detail)) {
    return `The pack is installed already (${detail}); --upgrade installs over it`;
  }
  if (status === 409) {
    return `Another installation is going on (${detail}); try again in a minute`;
  }
  if (status === 401) {
    return "The gateway refused the API key; check CORETEX_API_KEY";
  }
  return detail === "" ? message : `The platform refused the pack: ${detail}`;
}

/** Whether the fragments differ from those that are stored now. */
async function changesPolicy(
  platform: Platform,
  bundle: Bundle,
): Promise<boolean> {
  const stored = ((await platform.config("policy"))["bundles"] ?? {}) as Record<
    string,
    JsonObject
  >;
  const manifest = parse(bundle.files.get("pack.yaml")!) as {
    overlays: { policy: { name: string; path: string }[] };
  };
  return manifest.overlays.policy.some(({ name, path }) =>
    stored[`${bundle.id}/${name}`]?.["content"] !== bundle.files.get(path)
  );
}

async function untilPolicy(
  platform: Platform,
  id: string,
  old: string | undefined,
  options: InstallOptions,
): Promise<{ simulations: Simulation[]; policyMs: number }> {
  let simulations: Simulation[] = [];
  const policyMs = await until(
    "waiting for the policy to be in force",
    async () => {
      const { results } = await platform.call(
        "POST",
        `/packs/${id}/verify`,
      ) as { results: Simulation[] };
      simulations = results;
      if (!results.every(({ ok }) => ok)) return false;
      // After an upgrade the old policy may pass the new simulations too.
      return old === undefined || await platform.policySnapshot() !== old;
    },
    options,
  );
  return { simulations, policyMs };
}

async function untilRouted(
  platform: Platform,
  topics: string[],
  options: InstallOptions,
): Promise<number> {
  const started = performance.now();
  return await until("waiting for the routing to be in force", async () => {
    const workers = await platform.workers();
    if (workers === undefined) {
      return performance.now() - started > BLIND_ROUTING_MS;
    }
    return topics.every((topic) => workers.topics[topic] !== undefined);
  }, options);
}

async function until(
  what: string,
  holds: () => Promise<boolean>,
  { signal, onProgress }: InstallOptions,
): Promise<number> {
  const started = performance.now();
  const passedMs = () => performance.now() - started;
  while (!await holds()) {
    if (passedMs() > IN_FORCE_MS) {
      throw new CommandError(
        `Gave up ${what} after ${
          IN_FORCE_MS / 1000
        } s; look at the platform's log for a policy that does not load`,
      );
    }
    onProgress?.(what);
    await wait(POLL_MS, signal);
  }
  return passedMs();
}

/** The topics that a pack's record declares. */
export function topicsOf(record: JsonObject): string[] {
  const { topics = [] } = record["manifest"] as { topics?: { name: string }[] };
  return topics.map(({ name }) => name);
}

/** What is left of a pack after an uninstall. */
export interface Leftovers {
  status: string;
  topics: string[];
  pools: JsonObject;
  fragments: string[];
  workflows: string[];
  schemas: string[];
}

/** Uninstalls a pack and looks at what is left of it. */
export async function uninstallPack(
  platform: Platform,
  id: string,
  { purge }: { purge: boolean },
): Promise<Leftovers> {
  const record = await platform.find(`/packs/${id}`);
  if (record === undefined) {
    throw new CommandError(`Pack ${id} is not installed`);
  }
  const { status } = await platform.call("POST", `/packs/${id}/uninstall`, {
    json: { purge },
  });
  return {
    ...await lookForLeftovers(platform, id, record),
    status: String(status),
  };
}

async function lookForLeftovers(
  platform: Platform,
  id: string,
  record: JsonObject,
): Promise<Omit<Leftovers, "status">> {
  const { pools = {} } = await platform.config("default") as {
    pools?: JsonObject;
  };
  const { bundles = {} } = await platform.config("policy") as {
    bundles?: JsonObject;
  };
  const resources = record["resources"] as {
    schemas?: JsonObject;
    workflows?: JsonObject;
  };
  const remaining = async (kind: string, ids: string[]) => {
    const found = await Promise.all(
      ids.map((one) => platform.find(`/${kind}/${encodeURIComponent(one)}`)),
    );
    return ids.filter((_, at) => found[at] !== undefined);
  };
  const own = (map: unknown, prefix: string) =>
    Object.entries((map ?? {}) as JsonObject).filter(([name]) =>
      name.startsWith(prefix)
    );
  return {
    topics: own(pools["topics"], `job.${id}.`).map(([name]) => name),
    pools: Object.fromEntries(own(pools["pools"], id)),
    fragments: own(bundles, `${id}/`).map(([name]) => name),
    workflows: await remaining(
      "workflows",
      Object.keys(resources.workflows ?? {}),
    ),
    schemas: await remaining("schemas", Object.keys(resources.schemas ?? {})),
  };
}

/** Lines that say what is left. */
export function describeLeftovers(
  { status, topics, pools, fragments, workflows, schemas }: Leftovers,
): string[] {
  const names = (items: string[]) =>
    items.length === 0 ? "none" : items.join(", ");
  const emptied = Object.entries(pools).map(([name, pool]) =>
    `${name}: ${JSON.stringify(pool)}`
  );
  return [
    `registry   the record stays, status ${status}`,
    `routing    topics: ${names(topics)}; emptied pools: ${names(emptied)}`,
    `policy     fragments: ${names(fragments)}`,
    `workflows  ${names(workflows)}`,
    `schemas    ${names(schemas)}`,
  ];
}

/** What an installation changes for everybody on the platform. */
export const SIDE_EFFECTS: readonly string[] = [
  "The pack brings rules, so the tenants' own allow and deny lists of topics no longer count.",
  "Its pools overlay replaces the default routing: job.default has no pool until the scheduler restarts.",
  "Approvals that waited under the old policy can no longer be given.",
];
