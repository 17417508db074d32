/**
 * Uninstalling a pack, until it is out of force.
 *
 * @module
 */
import { type JsonObject, objectOf } from "../base/json.ts";
import { OperationError } from "./errors.ts";
import {
  isPolicyReloaded,
  readFragments,
  RELOAD_MS,
  until,
  type WaitOptions,
} from "./in_force.ts";
import { onlyApprovable, type Simulation } from "./install.ts";
import type { Platform, WaitingJob } from "./platform.ts";

export interface Leftovers {
  status: string;
  topics: string[];
  pools: JsonObject;
  fragments: string[];
  workflows: string[];
  schemas: string[];
}

export interface Uninstalled {
  leftovers: Leftovers;
  /** How long it took until policy and routing were out of force. */
  policyMs: number;
  routingMs: number;
  /** Whether the scheduler keeps the routing until it restarts. */
  keepsRouting: boolean;
}

export interface UninstallOptions extends WaitOptions {
  /** Also delete the pack's workflows and schemas. */
  purge: boolean;
}

/**
 * Uninstalls a pack and returns when its policy and its routing are out of
 * force.
 *
 * It may lose waiting approvals for good: see {@linkcode lostByUninstall}
 * first.
 *
 * @throws {OperationError} If it is not installed, or it takes too long.
 */
export async function uninstallPack(
  platform: Platform,
  id: string,
  { purge, ...options }: UninstallOptions,
): Promise<Uninstalled> {
  const record = await platform.find(`/packs/${id}`);
  if (record === undefined) {
    throw new OperationError(`Pack ${id} is not installed`);
  }
  const before = await platform.policySnapshot();
  const hadPolicy = (await fragmentsOf(platform, id)).length > 0;
  const { status } = await platform.call("POST", `/packs/${id}/uninstall`, {
    json: { purge },
  });
  const policyMs = await until(
    platform,
    "waiting for the policy to be out of force",
    async (passedMs) => {
      // One that had no policy left, such as after a Ctrl-C, changes nothing.
      const known = hadPolicy ? before : await platform.policySnapshot();
      if (await isPolicyReloaded(platform, known)) return true;
      return passedMs > RELOAD_MS && !await answersAsInstalled(platform, id);
    },
    options,
  );
  const { routingMs, keepsRouting } = await awaitRouting(platform, id, options);
  const leftovers = await readLeftovers(platform, id, record, String(status));
  return { leftovers, policyMs, routingMs, keepsRouting };
}

async function fragmentsOf(platform: Platform, id: string): Promise<string[]> {
  const keys = Object.keys(await readFragments(platform));
  return keys.filter((key) => key.startsWith(`${id}/`));
}

/** The simulations of a pack can be run when it is uninstalled, too. */
async function answersAsInstalled(
  platform: Platform,
  id: string,
): Promise<boolean> {
  const { results } = await platform.call("POST", `/packs/${id}/verify`);
  const simulations = results as Simulation[];
  return simulations.length > 0 && simulations.every(({ ok }) => ok);
}

async function awaitRouting(
  platform: Platform,
  id: string,
  options: WaitOptions,
): Promise<{ routingMs: number; keepsRouting: boolean }> {
  const { topics } = await readRouting(platform);
  const { isCordum1 } = await platform.about();
  // Elder schedulers ignore a routing without any topic: they keep their last.
  if (Object.keys(topics).length === 0 && !isCordum1) {
    return { routingMs: 0, keepsRouting: true };
  }
  let isRouted: boolean | undefined;
  const routingMs = await until(
    platform,
    "waiting for the routing to be out of force",
    async (passedMs) => {
      const workers = await platform.workers();
      isRouted = workers && own(workers.topics, `job.${id}.`).length > 0;
      return isRouted === false || passedMs > RELOAD_MS;
    },
    options,
  );
  return { routingMs, keepsRouting: isRouted === true };
}

async function readRouting(
  platform: Platform,
): Promise<{ topics: JsonObject; pools: JsonObject }> {
  const { pools } = await platform.config("default");
  const { topics, pools: named } = objectOf(pools) ?? {};
  return { topics: objectOf(topics) ?? {}, pools: objectOf(named) ?? {} };
}

function own(map: object, prefix: string): [string, unknown][] {
  return Object.entries(map).filter(([name]) => name.startsWith(prefix));
}

async function readLeftovers(
  platform: Platform,
  id: string,
  record: JsonObject,
  status: string,
): Promise<Leftovers> {
  const { topics, pools } = await readRouting(platform);
  const { schemas = {}, workflows = {} } = record["resources"] as {
    schemas?: JsonObject;
    workflows?: JsonObject;
  };
  const remaining = async (kind: string, resources: JsonObject) => {
    const ids = Object.keys(resources);
    const found = await Promise.all(
      ids.map((one) => platform.find(`/${kind}/${encodeURIComponent(one)}`)),
    );
    return ids.filter((_, at) => found[at] !== undefined);
  };
  return {
    status,
    topics: own(topics, `job.${id}.`).map(([name]) => name),
    pools: Object.fromEntries(own(pools, id)),
    fragments: await fragmentsOf(platform, id),
    workflows: await remaining("workflows", workflows),
    schemas: await remaining("schemas", schemas),
  };
}

/**
 * The jobs waiting for approval that could no longer be approved after a pack
 * is uninstalled.
 */
export async function lostByUninstall(
  platform: Platform,
  id: string,
): Promise<WaitingJob[]> {
  const waiting = await platform.waiting();
  if (waiting.length === 0) return [];
  const { isCordum1 } = await platform.about();
  // There the policy voids no approval, but no worker gets the pack's jobs.
  if (isCordum1) {
    return waiting.filter(({ topic }) => topic.startsWith(`job.${id}.`));
  }
  const hasPolicy = (await fragmentsOf(platform, id)).length > 0;
  return hasPolicy ? await onlyApprovable(platform, waiting) : [];
}
