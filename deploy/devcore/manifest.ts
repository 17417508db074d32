/**
 * A pack's archive and manifest, checked as the platform's installer checks
 * them. Pure.
 *
 * @module
 */
import { UntarStream } from "@std/tar";
import { parse } from "@std/yaml";
import { isObject, type Json, parseJson, Refusal } from "./common.ts";

/** A pack's files by path. */
export type PackFiles = ReadonlyMap<string, string>;

/** A file that the manifest names. */
export interface Resource {
  id: string;
  path: string;
}

/** A patch of a config document. */
export interface ConfigOverlay {
  /** Without one it is applied, and never undone. */
  name: string;
  scope: string;
  scope_id: string;
  key: string;
  path: string;
}

/** A checked manifest. */
export interface Manifest {
  id: string;
  version: string;
  schemas: Resource[];
  workflows: Resource[];
  config: ConfigOverlay[];
  policy: { name: string; path: string }[];
  /** As the record shows them. */
  shown: Json;
  tests: Json;
}

const FILES_MAX = 2048;
const FILE_BYTES_MAX = 32 * 1024 * 1024;
const PROTOCOL_VERSION = 1;

/** Unpacks an archive; one folder around everything is taken off. @throws {Refusal} */
export async function readArchive(archive: Uint8Array): Promise<PackFiles> {
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
        throw new Refusal(400, "archive too large");
      }
      files.set(name, await new Response(readable).text());
    }
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal(400, "unexpected EOF");
  }
  if (manifestOf(files) !== undefined) return files;
  const [root = ""] = roots;
  const inner = new Map(
    [...files].map(([name, text]) => [name.slice(root.length + 1), text]),
  );
  if (roots.size === 1 && manifestOf(inner) !== undefined) return inner;
  throw new Refusal(400, "pack.yaml not found in archive root");
}

function manifestOf(files: PackFiles): string | undefined {
  return files.get("pack.yaml") ?? files.get("pack.yml");
}

function cleanPath(path: string): string {
  if (path.startsWith("/")) {
    throw new Refusal(400, `absolute archive path: ${path}`);
  }
  const parts: string[] = [];
  for (const part of path.split("/")) {
    const leaves = part === ".." && parts.pop() === undefined;
    if (leaves) throw new Refusal(400, `invalid archive path: ${path}`);
    if (!["", ".", ".."].includes(part)) parts.push(part);
  }
  // What cleans to the root itself is refused, a bare "./" among it.
  if (parts.length > 0) return parts.join("/");
  throw new Refusal(400, `invalid archive path: ${path}`);
}

/** Reads a file that the manifest names. @throws {Refusal} */
export function readFile(files: PackFiles, path: string): string {
  const text = files.get(cleanPath(path));
  if (text !== undefined) return text;
  throw new Refusal(400, `open ${path}: no such file or directory`);
}

/** Reads a JSON or YAML file that must be an object. @throws {Refusal} */
export function readObject(files: PackFiles, path: string, word: string): Json {
  const text = readFile(files, path);
  const value = parseJson(text) ?? parseYaml(text, "");
  if (isObject(value)) return value;
  throw new Refusal(400, `${word} file must be an object`);
}

function parseYaml(text: string, prefix: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    const [line] = (error as Error).message.split("\n", 1);
    throw new Refusal(400, `${prefix}yaml: ${line}`);
  }
}

/** Reads and checks the manifest. @throws {Refusal} */
export function readManifest(files: PackFiles): Manifest {
  const file = mapOf(parseYaml(manifestOf(files)!, "parse pack.yaml: "));
  const metadata = mapOf(file["metadata"]);
  const id = text(metadata["id"]).trim();
  const version = text(metadata["version"]).trim();
  const need = (holds: boolean, problem: string) => {
    if (!holds) throw new Refusal(400, problem);
  };
  need(id !== "", "metadata.id required");
  need(/^[a-z0-9-]+$/.test(id), "metadata.id must match ^[a-z0-9-]+$");
  need(version !== "", "metadata.version required");
  const topics = listOf(file["topics"]);
  for (const { name } of topics) {
    const problem = `topic "${name}" must be namespaced under job.${id}.*`;
    need(text(name) !== "", "topic name required");
    need(text(name).startsWith(`job.${id}.`), problem);
  }
  const resources = mapOf(file["resources"]);
  const read = (value: unknown, word: string, prefix: string) =>
    listOf(value).map((entry) => {
      const resource = { id: text(entry["id"]), path: text(entry["path"]) };
      const problem =
        `${word} id "${resource.id}" must be namespaced under ${prefix}`;
      need(
        resource.id !== "" && resource.path !== "",
        `${word} id and path required`,
      );
      need(resource.id.startsWith(prefix), problem);
      return resource;
    });
  const schemas = read(resources["schemas"], "schema", `${id}/`);
  const workflows = read(resources["workflows"], "workflow", `${id}.`);
  const compatibility = mapOf(file["compatibility"]);
  const { protocolVersion = 0 } = compatibility;
  need(protocolVersion !== 0, "compatibility.protocolVersion required");
  need(
    protocolVersion === PROTOCOL_VERSION,
    `protocolVersion ${protocolVersion} not supported (expected ${PROTOCOL_VERSION})`,
  );
  const minimum = text(compatibility["minCoreVersion"]);
  // Only its form: the version of a development build compares with nothing.
  need(
    minimum === "" || /^v?\d+(\.\d+){0,2}([-+].*)?$/.test(minimum),
    `invalid minCoreVersion "${minimum}"`,
  );
  const overlays = mapOf(file["overlays"]);
  return {
    id,
    version,
    schemas,
    workflows,
    config: listOf(overlays["config"]).map(readConfigOverlay),
    policy: listOf(overlays["policy"]).map((overlay) => {
      checkStrategy(overlay, "policy", "bundle_fragment");
      return {
        name: text(overlay["name"]).trim(),
        path: text(overlay["path"]),
      };
    }),
    shown: {
      metadata: {
        id,
        version,
        title: text(metadata["title"]),
        description: text(metadata["description"]),
      },
      compatibility: {
        protocolVersion,
        minCoreVersion: minimum,
        maxCoreVersion: text(compatibility["maxCoreVersion"]),
      },
      ...(topics.length === 0 ? {} : { topics: topics.map(showTopic) }),
    },
    tests: { policySimulations: showSimulations(mapOf(file["tests"])) },
  };
}

function readConfigOverlay(overlay: Json): ConfigOverlay {
  const key = text(overlay["key"]);
  if (!["pools", "timeouts"].includes(key.toLowerCase())) {
    throw new Refusal(400, `unsupported config overlay key "${key}"`);
  }
  checkStrategy(overlay, "config", "json_merge_patch");
  const scope = text(overlay["scope"]) || "system";
  return {
    name: text(overlay["name"]),
    scope,
    scope_id: text(overlay["scope_id"]) ||
      (scope === "system" ? "default" : ""),
    key,
    path: text(overlay["path"]),
  };
}

function checkStrategy(overlay: Json, kind: string, known: string): void {
  const strategy = text(overlay["strategy"]);
  if (strategy === "" || strategy === known) return;
  const problem = `unsupported ${kind} overlay strategy "${strategy}"`;
  throw new Refusal(400, problem);
}

function showTopic(topic: Json): Json {
  const { name, requires = null, riskTags = null, capability } = topic;
  return { name, requires, riskTags, capability: text(capability) };
}

function showSimulations({ policySimulations }: Json): Json[] | null {
  const shown = listOf(policySimulations).map((simulation) => {
    const request = mapOf(simulation["request"]);
    return {
      name: text(simulation["name"]),
      request: {
        tenantId: text(request["tenantId"]),
        topic: text(request["topic"]),
        capability: text(request["capability"]),
        riskTags: request["riskTags"] ?? null,
        requires: request["requires"] ?? null,
        packId: text(request["packId"]),
        actorId: text(request["actorId"]),
        actorType: text(request["actorType"]),
      },
      expectDecision: text(simulation["expectDecision"]),
    };
  });
  return shown.length === 0 ? null : shown;
}

function text(value: unknown): string {
  return String(value ?? "");
}

function mapOf(value: unknown): Json {
  return isObject(value) ? value : {};
}

function listOf(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(mapOf) : [];
}
