/**
 * The stand-in's pack installer: reads an archive, checks its manifest as the
 * platform does, writes schemas, workflows and overlays, and undoes them.
 *
 * @module
 */
import { UntarStream } from "@std/tar";
import { parse } from "@std/yaml";
import { createHash } from "node:crypto";
import { InputError, readWorkflow, type Workflow } from "./engine.ts";
import type { Decision, PolicyRequest } from "./policy.ts";

type Json = Record<string, unknown>;

/** A config document. */
export interface ConfigDocument {
  scope: string;
  scope_id: string;
  data: Json;
  revision: number;
  updated_at: string;
}

/** What an installation writes to. */
export interface PackTargets {
  clock: () => number;
  config: Map<string, ConfigDocument>;
  schemas: Map<string, unknown>;
  workflows: Map<string, Workflow>;
  decide: (request: PolicyRequest) => Decision;
}

/** How a pack is to be installed. */
export interface InstallOptions {
  upgrade: boolean;
  inactive: boolean;
  installedBy: string;
}

const FILES_MAX = 2048;
const FILE_BYTES_MAX = 32 * 1024 * 1024;
const PROTOCOL_VERSION = 1;

/** An install or uninstall that the caller got wrong. */
export class PackError extends Error {
  constructor(message: string, readonly status: number = 400) {
    super(message);
  }
}

/** The pack routes' work. */
export class Packs {
  readonly #targets: PackTargets;

  constructor(targets: PackTargets) {
    this.#targets = targets;
  }

  /** Every record, by id, those of uninstalled packs too. */
  list(): Json[] {
    const installed = this.#registry();
    return Object.keys(installed).toSorted().map((id) => installed[id] as Json);
  }

  /** One record. */
  find(id: string): Json | undefined {
    return this.#registry()[id] as Json | undefined;
  }

  /** Installs an archive and returns its record. @throws {PackError} */
  async install(archive: Uint8Array, options: InstallOptions): Promise<Json> {
    const files = await readArchive(archive);
    const manifest = readManifest(files);
    const plan = this.#plan(manifest, files, options);
    for (const [id, schema] of plan.schemas) {
      this.#targets.schemas.set(id, schema);
    }
    for (const [id, workflow] of plan.workflows) {
      this.#targets.workflows.set(
        id,
        upsert(this.#targets.workflows.get(id), workflow),
      );
    }
    for (const overlay of plan.config) this.#patch(overlay, overlay.patch);
    const bundles = this.#document("policy", { bundles: {} });
    for (const { fragment_id, content } of plan.policy) {
      (bundles.data["bundles"] as Json)[fragment_id] = {
        content,
        version: manifest.version,
        sha256: sha256(content),
        installed_at: this.#seconds(),
      };
    }
    if (plan.policy.length > 0) this.#touch(bundles);
    const record = this.#record(manifest, plan, options);
    this.#save(manifest.id, record);
    return record;
  }

  /** Takes a pack's overlays back; with `purge` its resources too. */
  uninstall(id: string, purge: boolean): Json {
    const record = this.find(id);
    if (record === undefined) throw new PackError("pack not installed", 404);
    const overlays = record["overlays"] as {
      config?: ConfigOverlay[];
      policy?: { fragment_id: string }[];
    };
    for (const overlay of (overlays.config ?? []).toReversed()) {
      this.#patch(overlay, nulled(overlay.patch) as Json);
    }
    const bundles = this.#targets.config.get("system:policy");
    for (const { fragment_id } of overlays.policy ?? []) {
      if (bundles === undefined) continue;
      delete (bundles.data["bundles"] as Json)[fragment_id];
      this.#touch(bundles);
    }
    if (purge) {
      const { schemas = {}, workflows = {} } = record["resources"] as {
        schemas?: Json;
        workflows?: Json;
      };
      for (const schema of Object.keys(schemas)) {
        this.#targets.schemas.delete(schema);
      }
      for (const workflow of Object.keys(workflows)) {
        this.#targets.workflows.delete(workflow);
      }
    }
    const disabled = { ...record, status: "DISABLED" };
    this.#save(id, disabled);
    return disabled;
  }

  /** Runs a pack's policy simulations against the policy in force. */
  verify(id: string): Json {
    const record = this.find(id);
    if (record === undefined) throw new PackError("pack not installed", 404);
    const { policySimulations } = record["tests"] as {
      policySimulations: Json[] | null;
    };
    const results = (policySimulations ?? []).map((test) => {
      const request = test["request"] as Json;
      const decision = this.#targets.decide({
        tenant: text(request["tenantId"]) || "default",
        topic: text(request["topic"]),
        jobId: "",
        labels: {},
        capability: text(request["capability"]),
        riskTags: (request["riskTags"] ?? []) as string[],
        requires: (request["requires"] ?? []) as string[],
        packId: text(request["packId"]) || id,
        actorId: text(request["actorId"]),
        actorType: text(request["actorType"]),
      });
      const expected = text(test["expectDecision"]);
      const { decision: got, reason } = decision;
      return {
        name: test["name"],
        expected,
        got,
        reason,
        ok: got === expected,
      };
    });
    return { pack_id: id, results };
  }

  #plan(
    manifest: Manifest,
    files: ReadonlyMap<string, string>,
    { upgrade, inactive }: InstallOptions,
  ): Plan {
    const now = new Date(this.#targets.clock()).toISOString();
    const schemas = manifest.schemas.map(({ id, path }): [string, unknown] => {
      const schema = readObject(files, path, "schema");
      const known = this.#targets.schemas.get(id);
      if (known !== undefined && digest(known) !== digest(schema) && !upgrade) {
        throw new PackError(`schema ${id} exists; rerun with upgrade`);
      }
      return [id, schema];
    });
    const digests: Record<string, string> = {};
    const workflows = manifest.workflows.map(
      ({ id, path }): [string, Workflow] => {
        const { created_at: _, updated_at: __, ...file } = readObject(
          files,
          path,
          "workflow",
        );
        // The stored form has fields that a file leaves out, so the two never match.
        if (this.#targets.workflows.has(id) && !upgrade) {
          throw new PackError(`workflow ${id} exists; rerun with upgrade`);
        }
        digests[id] = digest({ ...file, id });
        try {
          return [id, readWorkflow(file, id, now)];
        } catch (error) {
          if (error instanceof InputError) throw new PackError(error.message);
          throw error;
        }
      },
    );
    const config = manifest.config.filter(({ key }) =>
      !(inactive && key === "pools")
    ).map((overlay) => ({
      ...overlay,
      patch: this.#readPatch(manifest.id, overlay, files),
    }));
    const policy = manifest.policy.map(({ name, path }) => ({
      name,
      fragment_id: `${manifest.id}/${name}`,
      content: readFile(files, path),
    }));
    return { schemas, workflows, digests, config, policy };
  }

  #readPatch(
    id: string,
    { key, scope, scope_id, path }: ManifestOverlay,
    files: ReadonlyMap<string, string>,
  ): Json {
    const patch = readObject(files, path, "overlay");
    for (const topic of Object.keys((patch["topics"] ?? {}) as Json)) {
      if (topic.startsWith(`job.${id}.`)) continue;
      throw new PackError(
        `${key} topic "${topic}" must be namespaced under job.${id}.*`,
      );
    }
    for (
      const pool of key === "pools"
        ? Object.keys((patch["pools"] ?? {}) as Json)
        : []
    ) {
      if (!pool.startsWith(id)) {
        throw new PackError(`pool "${pool}" must be prefixed with ${id}`);
      }
    }
    // The gateway cannot create the document that it patches.
    if (!this.#targets.config.has(`${scope}:${scope_id}`)) {
      throw new PackError("redis: nil");
    }
    return patch;
  }

  #patch({ scope, scope_id, key }: ConfigOverlay, patch: Json): void {
    const document = this.#targets.config.get(`${scope}:${scope_id}`);
    if (document === undefined) return;
    document.data[key] = mergePatch(document.data[key], patch);
    this.#touch(document);
  }

  #record(
    manifest: Manifest,
    plan: Plan,
    { inactive, installedBy }: InstallOptions,
  ): Json {
    const active = !inactive && plan.config.some(({ key }) => key === "pools");
    return {
      id: manifest.id,
      version: manifest.version,
      status: active ? "ACTIVE" : "INACTIVE",
      installed_at: this.#seconds(),
      ...(installedBy === "" ? {} : { installed_by: installedBy }),
      manifest: manifest.shown,
      resources: {
        schemas: Object.fromEntries(
          plan.schemas.map(([id, schema]) => [id, digest(schema)]),
        ),
        workflows: plan.digests,
      },
      overlays: {
        config: plan.config.map(({ name, scope, scope_id, key, patch }) => ({
          name,
          scope,
          scope_id,
          key,
          patch,
        })),
        policy: plan.policy.map(({ name, fragment_id }) => ({
          name,
          fragment_id,
        })),
      },
      tests: manifest.tests,
    };
  }

  #registry(): Json {
    return (this.#targets.config.get("system:packs")?.data["installed"] ??
      {}) as Json;
  }

  #save(id: string, record: Json): void {
    const document = this.#document("packs", { installed: {} });
    (document.data["installed"] as Json)[id] = record;
    this.#touch(document);
  }

  #document(scopeId: string, data: Json): ConfigDocument {
    const key = `system:${scopeId}`;
    const known = this.#targets.config.get(key);
    if (known !== undefined) return known;
    const document = {
      scope: "system",
      scope_id: scopeId,
      data,
      revision: 0,
      updated_at: "",
    };
    this.#targets.config.set(key, document);
    return document;
  }

  #touch(document: ConfigDocument): void {
    document.revision += 1;
    document.updated_at = new Date(this.#targets.clock()).toISOString();
  }

  #seconds(): string {
    return new Date(this.#targets.clock()).toISOString().replace(
      /\.\d+Z$/,
      "Z",
    );
  }
}

interface ConfigOverlay {
  name: string;
  scope: string;
  scope_id: string;
  key: string;
  patch: Json;
}

type ManifestOverlay = Omit<ConfigOverlay, "patch"> & { path: string };

interface Plan {
  schemas: [string, unknown][];
  workflows: [string, Workflow][];
  digests: Record<string, string>;
  config: ConfigOverlay[];
  policy: { name: string; fragment_id: string; content: string }[];
}

interface Manifest {
  id: string;
  version: string;
  /** As the record shows it. */
  shown: Json;
  tests: Json;
  schemas: { id: string; path: string }[];
  workflows: { id: string; path: string }[];
  config: ManifestOverlay[];
  policy: { name: string; path: string }[];
}

async function readArchive(archive: Uint8Array): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const roots = new Set<string>();
  try {
    const entries = new Blob([archive as BlobPart]).stream()
      .pipeThrough(new DecompressionStream("gzip"))
      .pipeThrough(new UntarStream());
    for await (const { path, header, readable } of entries) {
      const name = cleanPath(path);
      roots.add(name.split("/", 1)[0]!);
      if (readable === undefined) continue;
      if (header.size > FILE_BYTES_MAX || files.size >= FILES_MAX) {
        throw new PackError("archive too large");
      }
      files.set(name, await new Response(readable).text());
    }
  } catch (error) {
    if (error instanceof PackError) throw error;
    throw new PackError("unexpected EOF");
  }
  if (files.has("pack.yaml") || files.has("pack.yml")) return files;
  const [top] = roots;
  if (roots.size === 1 && files.has(`${top}/pack.yaml`)) {
    return new Map(
      [...files].map((
        [name, content],
      ) => [name.slice(top!.length + 1), content]),
    );
  }
  throw new PackError("pack.yaml not found in archive root");
}

function cleanPath(path: string): string {
  if (path.startsWith("/")) {
    throw new PackError(`absolute archive path: ${path}`);
  }
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) {
        throw new PackError(`invalid archive path: ${path}`);
      }
    } else if (part !== "" && part !== ".") parts.push(part);
  }
  // What cleans to the root itself is refused, a bare "./" among it.
  if (parts.length === 0) throw new PackError(`invalid archive path: ${path}`);
  return parts.join("/");
}

function readManifest(files: ReadonlyMap<string, string>): Manifest {
  let file: Json;
  try {
    file = parse(files.get("pack.yaml") ?? files.get("pack.yml") ?? "") as Json;
  } catch (error) {
    throw new PackError(
      `parse pack.yaml: yaml: ${(error as Error).message.split("\n", 1)[0]}`,
    );
  }
  const metadata = (file["metadata"] ?? {}) as Json;
  const id = text(metadata["id"]).trim();
  const version = text(metadata["version"]).trim();
  if (id === "") throw new PackError("metadata.id required");
  if (!/^[a-z0-9-]+$/.test(id)) {
    throw new PackError("metadata.id must match ^[a-z0-9-]+$");
  }
  if (version === "") throw new PackError("metadata.version required");
  const topics = list(file["topics"]);
  for (const { name } of topics) {
    if (text(name) === "") throw new PackError("topic name required");
    if (!text(name).startsWith(`job.${id}.`)) {
      throw new PackError(
        `topic "${name}" must be namespaced under job.${id}.*`,
      );
    }
  }
  const resources = (file["resources"] ?? {}) as Json;
  const schemas = readResources(resources["schemas"], "schema", `${id}/`);
  const workflows = readResources(resources["workflows"], "workflow", `${id}.`);
  const compatibility = (file["compatibility"] ?? {}) as Json;
  checkCompatibility(compatibility);
  const overlays = (file["overlays"] ?? {}) as Json;
  return {
    id,
    version,
    schemas,
    workflows,
    config: list(overlays["config"]).map(readConfigOverlay),
    policy: list(overlays["policy"]).map(readPolicyOverlay),
    shown: {
      metadata: {
        id,
        version,
        title: text(metadata["title"]),
        description: text(metadata["description"]),
      },
      compatibility: {
        protocolVersion: compatibility["protocolVersion"],
        minCoreVersion: text(compatibility["minCoreVersion"]),
        maxCoreVersion: text(compatibility["maxCoreVersion"]),
      },
      topics: topics.map((
        { name, requires = null, riskTags = null, capability },
      ) => ({
        name,
        requires,
        riskTags,
        capability: text(capability),
      })),
    },
    tests: {
      policySimulations: readSimulations(
        ((file["tests"] ?? {}) as Json)["policySimulations"],
      ),
    },
  };
}

function readResources(
  value: unknown,
  word: string,
  prefix: string,
): { id: string; path: string }[] {
  return list(value).map(({ id, path }) => {
    if (text(id) === "" || text(path) === "") {
      throw new PackError(`${word} id and path required`);
    }
    if (!text(id).startsWith(prefix)) {
      throw new PackError(
        `${word} id "${id}" must be namespaced under ${prefix}`,
      );
    }
    return { id: text(id), path: text(path) };
  });
}

function checkCompatibility(
  { protocolVersion = 0, minCoreVersion }: Json,
): void {
  if (protocolVersion === 0) {
    throw new PackError("compatibility.protocolVersion required");
  }
  if (protocolVersion !== PROTOCOL_VERSION) {
    throw new PackError(
      `protocolVersion ${protocolVersion} not supported (expected ${PROTOCOL_VERSION})`,
    );
  }
  const version = text(minCoreVersion);
  if (version !== "" && !/^v?\d+(\.\d+){0,2}([-+].*)?$/.test(version)) {
    throw new PackError(`invalid minCoreVersion "${version}"`);
  }
}

function readConfigOverlay(overlay: Json): ManifestOverlay {
  const { name, scope = "system", key, strategy = "json_merge_patch", path } =
    overlay;
  const scopeId = overlay["scope_id"] ?? (scope === "system" ? "default" : "");
  if (!["pools", "timeouts"].includes(text(key).toLowerCase())) {
    throw new PackError(`unsupported config overlay key "${text(key)}"`);
  }
  if (strategy !== "json_merge_patch") {
    throw new PackError(
      `unsupported config overlay strategy "${text(strategy)}"`,
    );
  }
  return {
    name: text(name),
    scope: text(scope),
    scope_id: text(scopeId),
    key: text(key),
    path: text(path),
  };
}

function readPolicyOverlay(
  { name, strategy = "bundle_fragment", path }: Json,
): { name: string; path: string } {
  if (strategy !== "bundle_fragment") {
    throw new PackError(
      `unsupported policy overlay strategy "${text(strategy)}"`,
    );
  }
  return { name: text(name).trim() || "default", path: text(path) };
}

function readSimulations(value: unknown): Json[] | null {
  const simulations = list(value).map(
    ({ name, request = {}, expectDecision }) => {
      const {
        tenantId,
        topic,
        capability,
        riskTags = null,
        requires = null,
        packId,
        actorId,
        actorType,
      } = request as Json;
      return {
        name: text(name),
        request: {
          tenantId: text(tenantId),
          topic: text(topic),
          capability: text(capability),
          riskTags,
          requires,
          packId: text(packId),
          actorId: text(actorId),
          actorType: text(actorType),
        },
        expectDecision: text(expectDecision),
      };
    },
  );
  return simulations.length === 0 ? null : simulations;
}

function readFile(files: ReadonlyMap<string, string>, path: string): string {
  const content = files.get(cleanPath(path));
  if (content === undefined) {
    throw new PackError(`open ${path}: no such file or directory`);
  }
  return content;
}

function readObject(
  files: ReadonlyMap<string, string>,
  path: string,
  word: string,
): Json {
  const content = readFile(files, path);
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    try {
      value = parse(content);
    } catch (error) {
      throw new PackError(
        `yaml: ${(error as Error).message.split("\n", 1)[0]}`,
      );
    }
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Json;
  }
  throw new PackError(`${word} file must be an object`);
}

/** A newer file keeps what it leaves out, but for its steps. */
function upsert(known: Workflow | undefined, next: Workflow): Workflow {
  if (known === undefined) return next;
  const given = Object.entries(next).filter(([, value]) =>
    value !== "" && value !== 0
  );
  return { ...known, ...Object.fromEntries(given), steps: next.steps };
}

/** RFC 7396: null deletes, maps merge, anything else replaces. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return patch;
  const merged: Json = isMap(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

/** The patch that takes a patch back: its leaves go, emptied maps stay. */
function nulled(patch: unknown): unknown {
  if (!isMap(patch)) return null;
  return Object.fromEntries(
    Object.entries(patch).map(([key, value]) => [key, nulled(value)]),
  );
}

/** SHA-256 of canonical JSON: sorted keys, escaped as Go escapes. */
function digest(value: unknown): string {
  return sha256(canonical(value));
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isMap(value)) {
    return JSON.stringify(value).replace(
      /[<>&\u2028\u2029]/g,
      (character) =>
        `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
  }
  const members = Object.keys(value).toSorted((a, b) => a < b ? -1 : 1)
    .map((key) => `${canonical(key)}:${canonical(value[key])}`);
  return `{${members.join(",")}}`;
}

function sha256(content: string): string {
  return createHash("sha256").update(content).digest("hex");
}

function isMap(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return value === undefined || value === null ? "" : String(value);
}

function list(value: unknown): Json[] {
  return Array.isArray(value) ? value as Json[] : [];
}
