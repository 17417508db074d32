/**
 * Installing and uninstalling a pack, until it is in force.
 *
 * @module
 */
import { parse } from "@std/yaml";
import { type JsonObject, objectOf } from "../base/json.ts";
import { wait } from "../base/time.ts";
import { GatewayError } from "../platform/gateway_error.ts";
import { OperationError } from "./errors.ts";
import type { Platform } from "./platform.ts";

/** A pack's archive and what is in it. */
export interface Bundle {
  id: string;
  version: string;
  /** The archive's file name. */
  name: string;
  bytes: Uint8Array;
  sha256: string;
  /** Texts by their path in the pack. */
  files: ReadonlyMap<string, string>;
}

/** One policy simulation as the platform ran it. */
export interface Simulation {
  name: string;
  expected: string;
  got: string;
  ok: boolean;
}

export interface Installed {
  record: JsonObject;
  simulations: Simulation[];
  /** How long it took until policy and routing were in force. */
  policyMs: number;
  routingMs: number;
  /** Whether it had to be forced: the platform cannot check its own version. */
  forced: boolean;
}

export interface InstallOptions {
  /** Install over what is installed. */
  upgrade?: boolean;
  /** Skip the platform's check of its own version. */
  force?: boolean;
  /** How often to check whether it is in force. */
  pollMs?: number;
  /** Called repeatedly with the name of the current wait. */
  onProgress?: (what: string) => void;
}

const POLL_MS = 500;
/** Two independent timers reload every 30 s; twice their sum is an outage. */
const IN_FORCE_MS = 120_000;
/** Without access to the scheduler's snapshot: its reload and a margin. */
const BLIND_ROUTING_MS = 35_000;

/**
 * Installs a bundle and returns when its policy and its routing are in force.
 *
 * On most platforms a policy change loses every waiting approval for good:
 * check `platform.waiting()` first.
 *
 * @throws {OperationError} If the platform refuses, or it takes too long.
 */
export async function installBundle(
  platform: Platform,
  bundle: Bundle,
  options: InstallOptions = {},
): Promise<Installed> {
  const before = await platform.policySnapshot();
  const changes = await changesPolicy(platform, bundle);
  const { record, forced } = await upload(platform, bundle, options);
  let simulations: Simulation[] = [];
  const policyMs = await until(
    platform,
    "waiting for the policy to be in force",
    async () => {
      const { results } = await platform.call(
        "POST",
        `/packs/${bundle.id}/verify`,
      );
      simulations = results as Simulation[];
      if (!simulations.every(({ ok }) => ok)) return false;
      // After an upgrade the old policy may pass the new simulations too.
      return !changes || before === undefined ||
        await platform.policySnapshot() !== before;
    },
    options,
  );
  const topics = topicsOf(record);
  const routingMs = await until(
    platform,
    "waiting for the routing to be in force",
    async (passedMs) => {
      const workers = await platform.workers();
      if (workers === undefined) return passedMs > BLIND_ROUTING_MS;
      return topics.every((topic) => workers.topics[topic] !== undefined);
    },
    options,
  );
  return { record, forced, simulations, policyMs, routingMs };
}

async function upload(
  platform: Platform,
  bundle: Bundle,
  { upgrade = false, force = false }: InstallOptions,
): Promise<{ record: JsonObject; forced: boolean }> {
  const send = (forced: boolean) => {
    const form = new FormData();
    const type = "application/gzip";
    form.set(
      "bundle",
      new File([bundle.bytes as BlobPart], bundle.name, { type }),
    );
    if (upgrade) form.set("upgrade", "true");
    if (forced) form.set("force", "true");
    return platform.call("POST", "/packs/install", { form });
  };
  try {
    return { record: await send(force), forced: false };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    if (!force && mayForce(error.detail)) {
      return { record: await send(true), forced: true };
    }
    throw new OperationError(explainRefusal(error));
  }
}

/** The platform does not know its own version, or cannot compare it. */
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

/** Whether any policy fragment differs from the one that is stored now. */
async function changesPolicy(
  platform: Platform,
  { id, files }: Bundle,
): Promise<boolean> {
  const stored = await readFragments(platform);
  const manifest = parse(files.get("pack.yaml")!) as {
    overlays: { policy: { name: string; path: string }[] };
  };
  return manifest.overlays.policy.some(({ name, path }) =>
    stored[`${id}/${name}`]?.["content"] !== files.get(path)
  );
}

/** The stored policy fragments by key. */
export async function readFragments(
  platform: Platform,
): Promise<Record<string, JsonObject>> {
  const { bundles = {} } = await platform.config("policy");
  return bundles as Record<string, JsonObject>;
}

async function until(
  { signal }: Platform,
  what: string,
  holds: (passedMs: number) => Promise<boolean>,
  { onProgress, pollMs = POLL_MS }: InstallOptions,
): Promise<number> {
  const started = performance.now();
  const passedMs = () => performance.now() - started;
  while (!await holds(passedMs())) {
    if (passedMs() > IN_FORCE_MS) {
      throw new OperationError(
        `Gave up ${what} after ${
          IN_FORCE_MS / 1000
        } s; look at the platform's log for a policy that does not load`,
      );
    }
    onProgress?.(what);
    await wait(pollMs, signal);
  }
  return passedMs();
}

/** The topics that a pack's record declares. */
function topicsOf(record: JsonObject): string[] {
  const { topics = [] } = record["manifest"] as { topics?: { name: string }[] };
  return topics.map(({ name }) => name);
}

export interface Leftovers {
  status: string;
  topics: string[];
  pools: JsonObject;
  fragments: string[];
  workflows: string[];
  schemas: string[];
}

/**
 * Uninstalls a pack and lists what is left of it.
 *
 * @param options.purge Also delete its workflows and schemas.
 * @throws {OperationError} If it is not installed.
 */
export async function uninstallPack(
  platform: Platform,
  id: string,
  { purge }: { purge: boolean },
): Promise<Leftovers> {
  const record = await platform.find(`/packs/${id}`);
  if (record === undefined) {
    throw new OperationError(`Pack ${id} is not installed`);
  }
  const { status } = await platform.call("POST", `/packs/${id}/uninstall`, {
    json: { purge },
  });
  const routing = objectOf((await platform.config("default"))["pools"]) ?? {};
  const { schemas = {}, workflows = {} } = record["resources"] as {
    schemas?: JsonObject;
    workflows?: JsonObject;
  };
  const own = (map: unknown, prefix: string) =>
    Object.entries(objectOf(map) ?? {}).filter(([name]) =>
      name.startsWith(prefix)
    );
  const names = (entries: [string, unknown][]) => entries.map(([name]) => name);
  const remaining = async (kind: string, resources: JsonObject) => {
    const ids = Object.keys(resources);
    const found = await Promise.all(
      ids.map((one) => platform.find(`/${kind}/${encodeURIComponent(one)}`)),
    );
    return ids.filter((_, at) => found[at] !== undefined);
  };
  return {
    status: String(status),
    topics: names(own(routing["topics"], `job.${id}.`)),
    pools: Object.fromEntries(own(routing["pools"], id)),
    fragments: names(own(await readFragments(platform), `${id}/`)),
    workflows: await remaining("workflows", workflows),
    schemas: await remaining("schemas", schemas),
  };
}
