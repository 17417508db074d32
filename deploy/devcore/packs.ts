/**
 * The stand-in's pack installer: checks a pack as the platform does, writes its
 * schemas, workflows and overlays, takes the overlays back, and runs policy
 * simulations.
 *
 * @module
 */
import { isObject, type JsonObject } from "../../lib/base/json.ts";
import {
  type Files,
  parseYaml,
  readArchive,
  readFile,
  readObject,
} from "./archive.ts";
import {
  type Base,
  canonical,
  filled,
  iso,
  isoSeconds,
  need,
  Refusal,
  sha256,
} from "./common.ts";
import type { ConfigDocuments } from "./config.ts";
import {
  checkTopic,
  type ConfigOverlay,
  type Manifest,
  readManifest,
  type Resource,
} from "./manifest.ts";
import { type Kernel, readPolicy } from "./policy.ts";
import { readWorkflow, type Workflow } from "./workflow.ts";

/** What an installation writes to and is checked against. */
interface PackTargets extends Pick<Base, "clock" | "isCordum1" | "version"> {
  config: ConfigDocuments;
  schemas: Map<string, unknown>;
  workflows: Map<string, Workflow>;
  kernel: Kernel;
}

interface InstallOptions {
  upgrade: boolean;
  force: boolean;
  inactive: boolean;
  installedBy: string;
}

/** What Cordum 1.0 records of a pack without a signature. */
const UNSIGNED: JsonObject = {
  signed: false,
  signature_algorithm: "ed25519",
  pack_signature_version: 1,
  warnings: ["pack accepted unsigned — gateway strict mode disabled"],
};

/** The part of a pack's record that devcore itself reads again. */
interface PackRecord {
  id: string;
  status: string;
  resources: { schemas?: JsonObject; workflows?: JsonObject };
  overlays: {
    config?: { key: string; patch: JsonObject }[];
    policy?: { fragment_id: string }[];
  };
  tests: Manifest["tests"];
}

export class Packs {
  readonly #targets: PackTargets;

  constructor(targets: PackTargets) {
    this.#targets = targets;
  }

  /** Every record by id, those of uninstalled packs included. */
  list(): PackRecord[] {
    const ids = Object.keys(this.#targets.config.read("packs", "installed"));
    return ids.toSorted().map((id) => this.find(id)!);
  }

  find(id: string): PackRecord | undefined {
    const installed = this.#targets.config.read("packs", "installed");
    return installed[id] as PackRecord | undefined;
  }

  /** Installs an archive and returns its record. @throws {Refusal} */
  async install(
    archive: Uint8Array,
    { upgrade, force, inactive, installedBy }: InstallOptions,
  ): Promise<JsonObject> {
    const files = await readArchive(archive);
    const yaml = parseYaml(files.get("pack.yaml")!, "parse pack.yaml: ");
    const manifest = readManifest(yaml);
    const { clock, config, schemas, workflows, isCordum1 } = this.#targets;
    const { id: packId, version } = manifest;
    const { minCoreVersion } = manifest.shown.compatibility;
    const core = this.#targets.version;
    need(
      force || !isOlder(core, minCoreVersion),
      `core version ${core} does not satisfy minCoreVersion ${minCoreVersion}`,
    );
    // Everything is read and checked before anything is written.
    const plannedSchemas = manifest.schemas
      .map((resource) => this.#planSchema(resource, files, upgrade));
    const plannedWorkflows = manifest.workflows
      .map((resource) => this.#planWorkflow(resource, files, upgrade));
    const patches = manifest.config
      .filter(({ key }) => !(inactive && key === "pools"))
      .map((overlay) => readOverlay(packId, overlay, files));
    const fragments = manifest.policy.map(({ name, path }) => ({
      name,
      fragment_id: `${packId}/${name}`,
      content: readFragment(files, path),
    }));
    for (const { id, content } of plannedSchemas) schemas.set(id, content);
    for (const { id, content } of plannedWorkflows) workflows.set(id, content);
    for (const { key, patch } of patches) config.patch(key, patch);
    const installed_at = isoSeconds(clock());
    for (const { fragment_id, content } of fragments) {
      const digest = sha256(content);
      const bundle = { content, version, sha256: digest, installed_at };
      config.setEntry("policy", "bundles", fragment_id, bundle);
    }
    const unsigned = {
      installed_by: "unknown", // Its key is nobody's, and headers do not count.
      verification: UNSIGNED,
    };
    const isActive = patches.some(({ key }) => key === "pools");
    return this.#record({
      id: packId,
      version,
      status: isActive ? "ACTIVE" : "INACTIVE",
      installed_at,
      ...filled({ installed_by: installedBy }),
      manifest: manifest.shown,
      resources: filled({
        schemas: digests(plannedSchemas),
        workflows: digests(plannedWorkflows),
      }),
      overlays: filled({
        config: patches,
        policy: fragments.map(({ content: _, ...shown }) => shown),
      }),
      tests: manifest.tests,
      ...isCordum1 && unsigned,
    });
  }

  /** Takes a pack's overlays back; with `purge` its resources too. @throws {Refusal} */
  uninstall(id: string, purge: boolean): JsonObject {
    const record = this.#get(id);
    const { config, schemas, workflows } = this.#targets;
    const { overlays, resources } = record;
    for (const { key, patch } of overlays.config?.toReversed() ?? []) {
      config.patch(key, nulled(patch));
    }
    for (const { fragment_id } of overlays.policy ?? []) {
      config.setEntry("policy", "bundles", fragment_id);
    }
    if (purge) {
      for (const id in resources.schemas) schemas.delete(id);
      for (const id in resources.workflows) workflows.delete(id);
    }
    return this.#record({ ...record, status: "DISABLED" });
  }

  /** Runs a pack's policy simulations against the policy in force. @throws {Refusal} */
  verify(id: string): JsonObject {
    const simulations = this.#get(id).tests.policySimulations ?? [];
    const results = simulations.map(({ name, request, expectDecision }) => {
      const { topic } = request;
      const { kernel } = this.#targets;
      const { decision: got, reason } = kernel.decide({ topic, jobId: "" });
      const ok = got === expectDecision;
      return { name, expected: expectDecision, got, reason, ok };
    });
    return { pack_id: id, results };
  }

  #planSchema({ id, path }: Resource, files: Files, upgrade: boolean) {
    const content = readObject(files, path, "schema");
    const digest = sha256(canonical(content));
    const known = this.#targets.schemas.get(id);
    const differs = known !== undefined && sha256(canonical(known)) !== digest;
    need(upgrade || !differs, `schema ${id} exists; rerun with upgrade`);
    return { id, digest, content };
  }

  #planWorkflow({ id, path }: Resource, files: Files, upgrade: boolean) {
    const { clock, workflows } = this.#targets;
    const file = readObject(files, path, "workflow");
    const known = workflows.get(id);
    // Even the same file would differ from the stored form, which is filled.
    const isFree = upgrade || known === undefined;
    need(isFree, `workflow ${id} exists; rerun with upgrade`);
    const content = readWorkflow(file, id, iso(clock()), known);
    return { id, digest: sha256(canonical({ ...file, id })), content };
  }

  #get(id: string): PackRecord {
    const record = this.find(id);
    if (record === undefined) throw new Refusal(404, "pack not installed");
    return record;
  }

  #record<R extends JsonObject & { id: string }>(record: R): R {
    const { config } = this.#targets;
    config.setEntry("packs", "installed", record.id, record);
    return record;
  }
}

/** A version that is none, such as a development build's, is not older. */
function isOlder(version: string, than: string): boolean {
  const [ours, theirs] = [version, than].map((text) =>
    /^v?(\d+\.\d+(\.\d+)?)/.exec(text)?.[1]?.split(".").map(Number)
  );
  if (ours === undefined || theirs === undefined) return false;
  const at = theirs.findIndex((number, at) => number !== ours[at]);
  return at >= 0 && (ours[at] ?? 0) < theirs[at]!;
}

/** Like the platform, takes what is not YAML, which then freezes the policy. */
function readFragment(files: Files, path: string): string {
  const text = readFile(files, path);
  try {
    readPolicy(text);
  } catch (error) {
    if (error instanceof Refusal) throw error;
  }
  return text;
}

function readOverlay(
  packId: string,
  { name, key, path }: ConfigOverlay,
  files: Files,
) {
  const patch = readObject(files, path, "overlay");
  for (const topic of Object.keys(patch["topics"] ?? {})) {
    checkTopic(packId, topic, `${key} topic`);
  }
  const pools = key === "pools" ? Object.keys(patch["pools"] ?? {}) : [];
  for (const pool of pools) {
    const problem = `pool "${pool}" must be prefixed with ${packId}`;
    need(pool.startsWith(packId), problem);
  }
  return { name, scope: "system", scope_id: "default", key, patch };
}

function digests(resources: { id: string; digest: string }[]): JsonObject {
  return Object.fromEntries(resources.map(({ id, digest }) => [id, digest]));
}

/** The patch that takes a patch back: its leaves go, emptied maps stay. */
function nulled(patch: unknown): unknown {
  if (!isObject(patch)) return null;
  return Object.fromEntries(
    Object.entries(patch).map(([key, value]) => [key, nulled(value)]),
  );
}
