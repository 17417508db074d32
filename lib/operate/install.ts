/**
 * Installing a pack, until it is in force.
 *
 * @module
 */
import { parse } from "@std/yaml";
import { type JsonObject, optional, stringOf } from "../base/json.ts";
import { GatewayError } from "../platform/gateway_error.ts";
import { OperationError } from "./errors.ts";
import {
  isPolicyReloaded,
  readFragments,
  RELOAD_MS,
  until,
  type WaitOptions,
} from "./in_force.ts";
import type { Platform, WaitingJob } from "./platform.ts";

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
  /** Why it had to be forced, if it had to. */
  forced?: string;
  /** The version that it replaced, or that was uninstalled before. */
  replaced?: string;
  /** Whether another policy is in force than before. */
  policyChanged: boolean;
}

export interface InstallOptions extends WaitOptions {
  /** Install over what is installed; what was uninstalled needs none. */
  upgrade?: boolean;
  /** Skip the platform's check of its own version. */
  force?: boolean;
}

/**
 * Installs a bundle and returns when its policy and its routing are in force.
 *
 * It may lose waiting approvals for good: see {@linkcode lostByInstall} first.
 *
 * @throws {OperationError} If the platform refuses, or it takes too long.
 */
export async function installBundle(
  platform: Platform,
  bundle: Bundle,
  options: InstallOptions = {},
): Promise<Installed> {
  const before = await platform.policySnapshot();
  const policyChanged = await changesPolicy(platform, bundle);
  const known = await readRecord(platform, bundle.id);
  // An uninstall leaves workflows and schemas, which are then in the way.
  const upgrade = options.upgrade || known?.["status"] === "DISABLED";
  const sent = await upload(platform, bundle, { ...options, upgrade });
  const { record } = sent;
  let simulations: Simulation[] = [];
  const policyMs = await until(
    platform,
    "waiting for the policy to be in force",
    async () => {
      const { results } = await platform.call(
        "POST",
        `/packs/${bundle.id}/verify`,
      );
      simulations = (results as Simulation[]).map(withLimits);
      if (!simulations.every(({ ok }) => ok)) return false;
      // After an upgrade the old policy may pass the new simulations too.
      return !policyChanged || before === undefined ||
        await isPolicyReloaded(platform, before);
    },
    options,
  );
  const topics = topicsOf(record);
  const routingMs = await until(
    platform,
    "waiting for the routing to be in force",
    async (passedMs) => {
      const workers = await platform.workers();
      if (workers === undefined) return passedMs > RELOAD_MS;
      return topics.every((topic) => workers.topics[topic] !== undefined);
    },
    options,
  );
  const replaced = optional("replaced", known && stringOf(known["version"]));
  const result = { simulations, policyMs, routingMs, policyChanged };
  return { ...sent, ...replaced, ...result };
}

/** Policy of the operator's own may limit what it allows, as by a level. */
function withLimits(simulation: Simulation): Simulation {
  const { ok, expected, got } = simulation;
  const isLimited = expected === "ALLOW" && got === "ALLOW_WITH_CONSTRAINTS";
  return { ...simulation, ok: ok || isLimited };
}

/** A gateway that refuses this says why at the upload, too. */
async function readRecord(
  platform: Platform,
  id: string,
): Promise<JsonObject | undefined> {
  try {
    return await platform.find(`/packs/${id}`);
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}

async function upload(
  platform: Platform,
  bundle: Bundle,
  { upgrade = false, force = false }: InstallOptions,
): Promise<{ record: JsonObject; forced?: string }> {
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
    return { record: await send(force) };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const why = force ? undefined : await whyForce(platform, error);
    if (why === undefined) throw new OperationError(explainRefusal(error));
    return { record: await send(true), forced: why };
  }
}

/** The platform has compared its version with the one that the pack needs. */
const TOO_OLD = /version.*(does not satisfy|older|lower|below|at least)/i;
/** The platform does not know its own version, or cannot compare it. */
const VERSION_UNKNOWN =
  /minCoreVersion set|rerun with (--)?force|(core|gateway) version .*(unknown|not semver)|unknown core version/i;

/** @returns `undefined` if the platform must not be forced. */
async function whyForce(
  platform: Platform,
  error: GatewayError,
): Promise<string | undefined> {
  const { detail, isStructured } = error;
  if (!TOO_OLD.test(detail)) {
    return VERSION_UNKNOWN.test(detail)
      ? "the platform's own version is unknown to it"
      : undefined;
  }
  const { version = "an older version", isCordum1 } = await platform.about();
  return isCordum1 || isStructured
    ? `the platform calls itself ${version} but answers as Cordum 1.0, whose versions are counted anew`
    : undefined;
}

function explainRefusal({ status, detail, message }: GatewayError): string {
  if (TOO_OLD.test(detail)) {
    return `The platform is too old for this pack (${detail}); if it is Cordum, whose versions are counted anew, --force installs it`;
  }
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

/**
 * The jobs waiting for approval that could no longer be approved after an
 * installation.
 */
export async function lostByInstall(
  platform: Platform,
  bundle: Bundle,
): Promise<WaitingJob[]> {
  const waiting = await platform.waiting();
  if (waiting.length === 0 || !await changesPolicy(platform, bundle)) return [];
  const { isCordum1 } = await platform.about();
  return isCordum1 ? [] : await onlyApprovable(platform, waiting);
}

/** Leaves out the jobs that an earlier policy change has lost already. */
export async function onlyApprovable(
  platform: Platform,
  waiting: readonly WaitingJob[],
): Promise<WaitingJob[]> {
  const isApprovable = await platform.readApprovable();
  return waiting.filter(({ policySnapshot }) => isApprovable(policySnapshot));
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
  return manifest.overlays.policy.some(({ name, path }) => {
    const { content, enabled = true } = stored[`${id}/${name}`] ?? {};
    return content !== files.get(path) || enabled !== true;
  });
}

/** The topics that a pack's record declares. */
function topicsOf(record: JsonObject): string[] {
  const { topics = [] } = record["manifest"] as { topics?: { name: string }[] };
  return topics.map(({ name }) => name);
}
