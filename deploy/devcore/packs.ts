/**
 * The stand-in's pack installer: unpacks and checks an archive as the
 * platform's does, writes schemas, workflows and overlays, takes the overlays
 * back, and runs policy simulations.
 *
 * @module
 */
import { isObject, type JsonObject } from "../../lib/base/json.ts";
import { UntarStream } from "@std/tar";
import { parse } from "@std/yaml";
import {
  type Base,
  canonical,
  decode,
  type Decoded,
  each,
  filled,
  iso,
  isoSeconds,
  listOrNull,
  parseJson,
  Refusal,
  sha256,
} from "./common.ts";
import { type Kernel, readPolicy } from "./policy.ts";
import { readWorkflow, type Workflow } from "./workflow.ts";

type Files = ReadonlyMap<string, string>;

const RESOURCE = each("string", "id", "path");

/** What a manifest may hold. */
const MANIFEST = {
  ...each("string", "apiVersion", "kind"),
  metadata: each("string", "id", "version", "title", "description"),
  compatibility: { protocolVersion: "int64", minCoreVersion: "string" },
  topics: [{
    ...each("string", "name", "capability"),
    ...each("[]string", "requires", "riskTags"),
  }],
  resources: { schemas: [RESOURCE], workflows: [RESOURCE] },
  overlays: {
    config: [
      each("string", "name", "scope", "scope_id", "key", "strategy", "path"),
    ],
    policy: [each("string", "name", "strategy", "path")],
  },
  tests: {
    policySimulations: [{
      ...each("string", "name", "expectDecision"),
      request: {
        ...each("string", "tenantId", "topic", "capability"),
        ...each("[]string", "riskTags", "requires"),
      },
    }],
  },
} as const;

type Manifest = Decoded<typeof MANIFEST>;
type ConfigOverlay = Manifest["overlays"]["config"][number];
type Resource = Decoded<typeof RESOURCE>;

/** The config documents, all of scope `system`. */
export class ConfigDocuments {
  readonly #clock: () => number;
  readonly #documents = new Map<
    string,
    { data: JsonObject; revision: number }
  >();

  /** @param system What the document that every job gets holds at first. */
  constructor(clock: () => number, system: JsonObject) {
    this.#clock = clock;
    Object.keys(system).forEach((key) => this.patch(key, system[key]));
  }

  /** One document. */
  get(scopeId: string): { data: JsonObject; revision: number } | undefined {
    return this.#documents.get(scopeId);
  }

  /** A map that one holds under a key; empty if there is none. */
  read(scopeId: string, key: string): JsonObject {
    return (this.get(scopeId)?.data[key] ?? {}) as JsonObject;
  }

  /** Patches what the document that every job gets holds under a key. */
  patch(key: string, patch: unknown): void {
    const value = mergePatch(this.read("default", key), patch);
    this.#write("default", key, value);
  }

  /** Sets one entry of a map that one holds, or deletes it. */
  setEntry(scopeId: string, key: string, id: string, entry?: unknown): void {
    const { [id]: _, ...others } = this.read(scopeId, key);
    const entries = entry === undefined ? others : { ...others, [id]: entry };
    this.#write(scopeId, key, entries);
  }

  #write(scopeId: string, key: string, value: unknown): void {
    const { data = {}, revision = 0 } = this.get(scopeId) ?? {};
    const document = {
      scope: "system",
      scope_id: scopeId,
      data: { ...data, [key]: value },
      revision: revision + 1,
      updated_at: iso(this.#clock()),
    };
    this.#documents.set(scopeId, document);
  }
}

/** What an installation writes to, and what it is checked against. */
export interface PackTargets extends Pick<Base, "clock"> {
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

/** What a record shows of a pack, and what an uninstall needs of it. */
interface PackRecord {
  id: string;
  status: string;
  resources: { schemas?: JsonObject; workflows?: JsonObject };
  overlays: {
    config?: { key: string; patch: JsonObject }[];
    policy?: { fragment_id: string }[];
  };
  tests: {
    policySimulations: readonly ReturnType<typeof showSimulation>[] | null;
  };
}

/** The pack routes' work. */
export class Packs {
  readonly #targets: PackTargets;

  constructor(targets: PackTargets) {
    this.#targets = targets;
  }

  /** Every record, by id, those of uninstalled packs too. */
  list(): PackRecord[] {
    const ids = Object.keys(this.#targets.config.read("packs", "installed"));
    return ids.toSorted().map((id) => this.find(id)!);
  }

  /** One record. */
  find(id: string): PackRecord | undefined {
    const installed = this.#targets.config.read("packs", "installed");
    return installed[id] as PackRecord | undefined;
  }

  /** Installs an archive and returns its record. @throws {Refusal} */
  async install(
    archive: Uint8Array,
    options: InstallOptions,
  ): Promise<JsonObject> {
    const files = await readArchive(archive);
    const manifest = readManifest(files);
    const { clock, config, schemas, workflows } = this.#targets;
    const { id: packId, version } = manifest;
    // Everything is read and checked before anything is written.
    const { upgrade, inactive, installedBy } = options;
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
      const bundle = {
        content,
        version,
        sha256: sha256(content),
        installed_at,
      };
      config.setEntry("policy", "bundles", fragment_id, bundle);
    }
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
        policy: fragments.map(({ name, fragment_id }) => ({
          name,
          fragment_id,
        })),
      }),
      tests: manifest.tests,
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
      Object.keys(resources.schemas ?? {}).forEach((id) => schemas.delete(id));
      Object.keys(resources.workflows ?? {})
        .forEach((id) => workflows.delete(id));
    }
    return this.#record({ ...record, status: "DISABLED" });
  }

  /** Runs a pack's policy simulations against the policy in force. @throws {Refusal} */
  verify(id: string): JsonObject {
    const simulations = this.#get(id).tests.policySimulations ?? [];
    const results = simulations.map(({ name, request, expectDecision }) => {
      const { topic } = request;
      const { kernel } = this.#targets;
      const { decision, reason } = kernel.decide({ topic, jobId: "" });
      return {
        name,
        expected: expectDecision,
        got: decision,
        reason,
        ok: decision === expectDecision,
      };
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
    // The stored form has fields that a file leaves out: they never match.
    need(
      upgrade || known === undefined,
      `workflow ${id} exists; rerun with upgrade`,
    );
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

const FILES_MAX = 2048;
const FILE_BYTES_MAX = 32 * 1024 * 1024;
const PROTOCOL_VERSION = 1;

/** Unpacks an archive; one folder around everything is taken off. */
async function readArchive(archive: Uint8Array): Promise<Files> {
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
      const fits = header.size <= FILE_BYTES_MAX && files.size < FILES_MAX;
      need(fits, "archive too large");
      files.set(name, await new Response(readable).text());
    }
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal(400, "unexpected EOF");
  }
  if (files.has("pack.yaml")) return files;
  const [root = ""] = roots;
  need(
    roots.size === 1 && files.has(`${root}/pack.yaml`),
    "pack.yaml not found in archive root",
  );
  return new Map(
    [...files].map(([name, text]) => [name.slice(root.length + 1), text]),
  );
}

function cleanPath(path: string): string {
  need(!path.startsWith("/"), `absolute archive path: ${path}`);
  const parts: string[] = [];
  for (const part of path.split("/")) {
    const leaves = part === ".." && parts.pop() === undefined;
    need(!leaves, `invalid archive path: ${path}`);
    if (!["", ".", ".."].includes(part)) parts.push(part);
  }
  // What cleans to the root itself is refused, a bare "./" among it.
  need(parts.length > 0, `invalid archive path: ${path}`);
  return parts.join("/");
}

function readFile(files: Files, path: string): string {
  const text = files.get(cleanPath(path));
  need(text !== undefined, `open ${path}: no such file or directory`);
  return text;
}

function readObject(files: Files, path: string, word: string): JsonObject {
  const text = readFile(files, path);
  const value = parseJson(text) ?? parseYaml(text, "");
  need(isObject(value), `${word} file must be an object`);
  return value;
}

function parseYaml(text: string, prefix: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    const [line] = (error as Error).message.split("\n", 1);
    throw new Refusal(400, `${prefix}yaml: ${line}`);
  }
}

/** What is no YAML is installed all the same, as there, and freezes the policy. */
function readFragment(files: Files, path: string): string {
  const text = readFile(files, path);
  try {
    readPolicy(text);
  } catch (error) {
    if (error instanceof Refusal) throw error;
  }
  return text;
}

/** Reads and checks the manifest. */
function readManifest(files: Files) {
  const yaml = parseYaml(files.get("pack.yaml")!, "parse pack.yaml: ");
  const manifest = decode(yaml, MANIFEST, "pack.yaml");
  const { metadata, compatibility, topics, overlays } = manifest;
  const { id, version } = metadata;
  need(id !== "", "metadata.id required");
  need(/^[a-z0-9-]+$/.test(id), "metadata.id must match ^[a-z0-9-]+$");
  need(version !== "", "metadata.version required");
  for (const { name } of topics) {
    need(name !== "", "topic name required");
    const problem = `topic "${name}" must be namespaced under job.${id}.*`;
    need(name.startsWith(`job.${id}.`), problem);
  }
  const { schemas, workflows } = manifest.resources;
  schemas.forEach((schema) => checkResource(schema, "schema", `${id}/`));
  workflows.forEach((flow) => checkResource(flow, "workflow", `${id}.`));
  const { protocolVersion, minCoreVersion } = compatibility;
  need(protocolVersion !== 0, "compatibility.protocolVersion required");
  need(
    protocolVersion === PROTOCOL_VERSION,
    `protocolVersion ${protocolVersion} not supported (expected ${PROTOCOL_VERSION})`,
  );
  // Only its form: the version of a development build compares with nothing.
  need(
    /^(v?\d+(\.\d+){0,2}([-+].*)?)?$/.test(minCoreVersion),
    `invalid minCoreVersion "${minCoreVersion}"`,
  );
  const { config, policy } = overlays;
  config.forEach(checkConfigOverlay);
  policy.forEach((overlay) => checkOverlay(overlay, "policy"));
  const simulations = manifest.tests.policySimulations.map(showSimulation);
  const shownTopics = topics.map((topic) => ({
    ...topic,
    requires: listOrNull(topic.requires),
    riskTags: listOrNull(topic.riskTags),
  }));
  /** As the record shows it. */
  const shown = {
    metadata,
    compatibility: { ...compatibility, maxCoreVersion: "" },
    ...filled({ topics: shownTopics }),
  };
  const tests = { policySimulations: listOrNull(simulations) };
  return { id, version, schemas, workflows, config, policy, tests, shown };
}

function checkResource(
  { id, path }: Resource,
  word: string,
  prefix: string,
): void {
  need(id !== "" && path !== "", `${word} id and path required`);
  const problem = `${word} id "${id}" must be namespaced under ${prefix}`;
  need(id.startsWith(prefix), problem);
}

const STRATEGY = { config: "json_merge_patch", policy: "bundle_fragment" };

function checkOverlay(
  { name, strategy }: { name: string; strategy: string },
  kind: "config" | "policy",
): void {
  const isKnown = ["", STRATEGY[kind]].includes(strategy);
  need(isKnown, `unsupported ${kind} overlay strategy "${strategy}"`);
  // The platform applies it, and never undoes it.
  need(name !== "", "devcore does not implement overlays without a name");
}

function checkConfigOverlay(overlay: ConfigOverlay): void {
  const { scope, scope_id, key } = overlay;
  const isKnown = ["pools", "timeouts"].includes(key);
  need(isKnown, `unsupported config overlay key "${key}"`);
  checkOverlay(overlay, "config");
  const isSystem = ["", "system"].includes(scope) &&
    ["", "default"].includes(scope_id);
  // The gateway cannot create the document that it patches.
  need(isSystem, "redis: nil");
}

function readOverlay(
  packId: string,
  { name, key, path }: ConfigOverlay,
  files: Files,
) {
  const patch = readObject(files, path, "overlay");
  for (const topic of Object.keys(patch["topics"] ?? {})) {
    const problem =
      `${key} topic "${topic}" must be namespaced under job.${packId}.*`;
    need(topic.startsWith(`job.${packId}.`), problem);
  }
  const pools = key === "pools" ? Object.keys(patch["pools"] ?? {}) : [];
  for (const pool of pools) {
    const problem = `pool "${pool}" must be prefixed with ${packId}`;
    need(pool.startsWith(packId), problem);
  }
  return { name, scope: "system", scope_id: "default", key, patch };
}

function showSimulation(
  { request, ...simulation }: Manifest["tests"]["policySimulations"][number],
) {
  const tenantId = request.tenantId || "default";
  const isKnown = tenantId === "default";
  need(isKnown, `devcore does not implement the tenant "${tenantId}"`);
  return {
    ...simulation,
    request: {
      ...request,
      tenantId,
      riskTags: listOrNull(request.riskTags),
      requires: listOrNull(request.requires),
      packId: "",
      actorId: "",
      actorType: "",
    },
  };
}

function need(holds: boolean, problem: string): asserts holds {
  if (!holds) throw new Refusal(400, problem);
}

function digests(resources: { id: string; digest: string }[]): JsonObject {
  return Object.fromEntries(resources.map(({ id, digest }) => [id, digest]));
}

/** RFC 7396: null deletes, maps merge, anything else replaces. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: JsonObject = isObject(target) ? { ...target } : {};
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
