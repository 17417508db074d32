/**
 * The stand-in's pack installer: writes a pack's schemas, workflows and
 * overlays, takes the overlays back, and runs its policy simulations.
 *
 * @module
 */
import {
  canonical,
  filled,
  iso,
  isObject,
  isoSeconds,
  type Json,
  Refusal,
  sha256,
} from "./common.ts";
import {
  type ConfigOverlay,
  type PackFiles,
  readArchive,
  readFile,
  readManifest,
  readObject,
  type Resource,
} from "./manifest.ts";
import type { Kernel } from "./policy.ts";
import { readWorkflow, type Workflow } from "./workflow.ts";

/** A config document. */
export interface ConfigDocument {
  scope: string;
  scope_id: string;
  data: Json;
  revision: number;
  updated_at: string;
}

/** The config documents, all of scope `system`. */
export class ConfigDocuments {
  readonly #clock: () => number;
  readonly #documents = new Map<string, ConfigDocument>();

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** One document. */
  get(scope: string, scopeId: string): ConfigDocument | undefined {
    return scope === "system" ? this.#documents.get(scopeId) : undefined;
  }

  /** Changes what one holds under a key; there need be none yet. */
  change(
    scopeId: string,
    key: string,
    change: (value: unknown) => unknown,
  ): void {
    const { data = {}, revision = 0 } = this.#documents.get(scopeId) ?? {};
    this.#documents.set(scopeId, {
      scope: "system",
      scope_id: scopeId,
      data: { ...data, [key]: change(data[key]) },
      revision: revision + 1,
      updated_at: iso(this.#clock()),
    });
  }
}

/** What an installation writes to. */
export interface PackTargets {
  clock: () => number;
  config: ConfigDocuments;
  schemas: Map<string, unknown>;
  workflows: Map<string, Workflow>;
  kernel: Kernel;
}

/** How a pack is to be installed. */
export interface InstallOptions {
  upgrade: boolean;
  inactive: boolean;
  installedBy: string;
}

type Patch = Omit<ConfigOverlay, "path"> & { patch: Json };

/** What a record shows of a pack, and what an uninstall needs of it. */
interface PackRecord {
  id: string;
  status: string;
  resources: { schemas?: Json; workflows?: Json };
  overlays: { config?: Patch[]; policy?: { fragment_id: string }[] };
  tests: { policySimulations: Json[] | null };
}

/** The pack routes' work. */
export class Packs {
  readonly #targets: PackTargets;

  constructor(targets: PackTargets) {
    this.#targets = targets;
  }

  /** Where the overlays are written. */
  get config(): ConfigDocuments {
    return this.#targets.config;
  }

  /** Every record, by id, those of uninstalled packs too. */
  list(): PackRecord[] {
    const installed = this.#installed();
    return Object.keys(installed).toSorted().map((id) => installed[id]!);
  }

  /** One record. */
  find(id: string): PackRecord | undefined {
    return this.#installed()[id];
  }

  /** Installs an archive and returns its record. @throws {Refusal} */
  async install(archive: Uint8Array, options: InstallOptions): Promise<Json> {
    const files = await readArchive(archive);
    const manifest = readManifest(files);
    const { clock, config, schemas, workflows } = this.#targets;
    // Everything is read and checked before anything is written.
    const { upgrade, inactive } = options;
    const planned = {
      schemas: manifest.schemas
        .map((resource) => this.#planSchema(resource, files, upgrade)),
      workflows: manifest.workflows
        .map((resource) => this.#planWorkflow(resource, files, upgrade)),
      config: manifest.config
        .filter(({ key }) => !(inactive && key === "pools"))
        .map((overlay) => this.#readPatch(manifest.id, overlay, files)),
      policy: manifest.policy.map(({ name, path }) => ({
        name,
        fragment_id: `${manifest.id}/${name || "default"}`,
        content: readFile(files, path),
      })),
    };
    for (const { id, content } of planned.schemas) schemas.set(id, content);
    for (const { id, content } of planned.workflows) workflows.set(id, content);
    for (const { scope_id, key, patch } of planned.config) {
      config.change(scope_id, key, (value) => mergePatch(value, patch));
    }
    const now = isoSeconds(clock());
    for (const { fragment_id, content } of planned.policy) {
      this.#changeEntry("policy", "bundles", fragment_id, {
        content,
        version: manifest.version,
        sha256: sha256(content),
        installed_at: now,
      });
    }
    // What has no name is applied but not recorded, and so never taken back.
    const named = <T extends { name: string }>(overlays: T[]) =>
      overlays.filter(({ name }) => name !== "");
    const recorded = named(planned.config);
    const active = recorded.some(({ key }) => key === "pools");
    const record = {
      id: manifest.id,
      version: manifest.version,
      status: active ? "ACTIVE" : "INACTIVE",
      installed_at: now,
      ...filled({ installed_by: options.installedBy }),
      manifest: manifest.shown,
      resources: filled({
        schemas: digests(planned.schemas),
        workflows: digests(planned.workflows),
      }),
      overlays: filled({
        config: recorded,
        policy: named(planned.policy).map(({ name, fragment_id }) => ({
          name,
          fragment_id,
        })),
      }),
      tests: manifest.tests,
    };
    this.#changeEntry("packs", "installed", manifest.id, record);
    return record;
  }

  /** Takes a pack's overlays back; with `purge` its resources too. @throws {Refusal} */
  uninstall(id: string, purge: boolean): PackRecord {
    const record = this.#get(id);
    const { config, schemas, workflows } = this.#targets;
    const { overlays, resources } = record;
    for (
      const { scope_id, key, patch } of overlays.config?.toReversed() ?? []
    ) {
      config.change(scope_id, key, (value) => mergePatch(value, nulled(patch)));
    }
    for (const { fragment_id } of overlays.policy ?? []) {
      this.#changeEntry("policy", "bundles", fragment_id, undefined);
    }
    if (purge) {
      for (const name of Object.keys(resources.schemas ?? {})) {
        schemas.delete(name);
      }
      for (const name of Object.keys(resources.workflows ?? {})) {
        workflows.delete(name);
      }
    }
    const disabled = { ...record, status: "DISABLED" };
    this.#changeEntry("packs", "installed", id, disabled);
    return disabled;
  }

  /** Runs a pack's policy simulations against the policy in force. @throws {Refusal} */
  verify(id: string): Json {
    const { policySimulations } = this.#get(id).tests;
    const results = (policySimulations ?? []).map((simulation) => {
      const request = simulation["request"] as Record<string, string>;
      const lists = simulation["request"] as Record<string, string[] | null>;
      const { decision: got, reason } = this.#targets.kernel.decide({
        tenant: request["tenantId"] || "default",
        topic: request["topic"]!,
        jobId: "",
        labels: {},
        capability: request["capability"]!,
        riskTags: lists["riskTags"] ?? [],
        requires: lists["requires"] ?? [],
        packId: request["packId"] || id,
        actorId: request["actorId"]!,
        actorType: request["actorType"]!,
      });
      const { name, expectDecision: expected } = simulation;
      return { name, expected, got, reason, ok: got === expected };
    });
    return { pack_id: id, results };
  }

  #planSchema({ id, path }: Resource, files: PackFiles, upgrade: boolean) {
    const content = readObject(files, path, "schema");
    const digest = sha256(canonical(content));
    const known = this.#targets.schemas.get(id);
    const differs = known !== undefined && sha256(canonical(known)) !== digest;
    if (differs && !upgrade) {
      throw new Refusal(400, `schema ${id} exists; rerun with upgrade`);
    }
    return { id, digest, content };
  }

  #planWorkflow({ id, path }: Resource, files: PackFiles, upgrade: boolean) {
    const { created_at: _, updated_at: __, ...file } = readObject(
      files,
      path,
      "workflow",
    );
    const known = this.#targets.workflows.get(id);
    // The stored form has fields that a file leaves out: they never match.
    if (known !== undefined && !upgrade) {
      throw new Refusal(400, `workflow ${id} exists; rerun with upgrade`);
    }
    const next = readWorkflow(file, id, iso(this.#targets.clock()));
    const digest = sha256(canonical({ ...file, id }));
    return { id, digest, content: upsert(known, next) };
  }

  #readPatch(
    id: string,
    { path, ...overlay }: ConfigOverlay,
    files: PackFiles,
  ): Patch {
    const { scope, scope_id, key } = overlay;
    const patch = readObject(files, path, "overlay");
    for (const topic of Object.keys(patch["topics"] ?? {})) {
      if (topic.startsWith(`job.${id}.`)) continue;
      const problem =
        `${key} topic "${topic}" must be namespaced under job.${id}.*`;
      throw new Refusal(400, problem);
    }
    const pools = key === "pools" ? Object.keys(patch["pools"] ?? {}) : [];
    const foreign = pools.find((pool) => !pool.startsWith(id));
    if (foreign !== undefined) {
      throw new Refusal(400, `pool "${foreign}" must be prefixed with ${id}`);
    }
    // The gateway cannot create the document that it patches.
    if (this.config.get(scope, scope_id) === undefined) {
      throw new Refusal(400, "redis: nil");
    }
    return { ...overlay, patch };
  }

  #get(id: string): PackRecord {
    const record = this.find(id);
    if (record === undefined) throw new Refusal(404, "pack not installed");
    return record;
  }

  #installed(): Record<string, PackRecord> {
    const { data = {} } = this.config.get("system", "packs") ?? {};
    return (data["installed"] ?? {}) as Record<string, PackRecord>;
  }

  /** Sets or deletes one entry of a map in a document. */
  #changeEntry(scopeId: string, key: string, id: string, entry: unknown): void {
    this.config.change(scopeId, key, (map) => {
      const { [id]: _, ...others } = (map ?? {}) as Json;
      return entry === undefined ? others : { ...others, [id]: entry };
    });
  }
}

function digests(resources: { id: string; digest: string }[]): Json {
  return Object.fromEntries(resources.map(({ id, digest }) => [id, digest]));
}

/** A newer file keeps what it leaves out, but for its steps. */
function upsert(known: Workflow | undefined, next: Workflow): Workflow {
  const given = { ...filled({ ...known }), ...filled({ ...next }) };
  return { ...next, ...given, steps: next.steps };
}

/** RFC 7396: null deletes, maps merge, anything else replaces. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: Json = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

/** The patch that takes a patch back: its leaves go, emptied maps stay. */
function nulled(patch: unknown): unknown {
  if (!isObject(patch)) return null;
  return Object.fromEntries(
    Object.entries(patch).map(([key, value]) => [key, nulled(value)]),
  );
}
