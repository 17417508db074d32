/**
 * The manifest of a pack: what it may hold, and how the platform checks it.
 *
 * @module
 */
import { filled, listOrNull, need } from "./common.ts";
import { decode, type Decoded, each } from "./shape.ts";

const RESOURCE = each("string", "id", "path");

/** What `pack.yaml` may hold, here and when a pack is bundled. */
export const MANIFEST = {
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

type Document = Decoded<typeof MANIFEST>;
type Simulation = Document["tests"]["policySimulations"][number];

export type ConfigOverlay = Document["overlays"]["config"][number];
export type Resource = Decoded<typeof RESOURCE>;
export type Manifest = ReturnType<typeof readManifest>;

const PROTOCOL_VERSION = 1;
const STRATEGY = { config: "json_merge_patch", policy: "bundle_fragment" };

/** Reads and checks a manifest. @throws {Refusal} */
export function readManifest(yaml: unknown) {
  const manifest = decode(yaml, MANIFEST, "pack.yaml");
  const { metadata, compatibility, topics, overlays } = manifest;
  const { id, version } = metadata;
  need(id !== "", "metadata.id required");
  need(/^[a-z0-9-]+$/.test(id), "metadata.id must match ^[a-z0-9-]+$");
  need(version !== "", "metadata.version required");
  for (const { name } of topics) {
    need(name !== "", "topic name required");
    checkTopic(id, name, "topic");
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
  need(
    /^(v?\d+(\.\d+){0,2}([-+].*)?)?$/.test(minCoreVersion),
    `invalid minCoreVersion "${minCoreVersion}"`,
  );
  const { config, policy } = overlays;
  config.forEach(checkConfigOverlay);
  policy.forEach((overlay) => checkOverlay(overlay, "policy"));
  const simulations = manifest.tests.policySimulations.map(showSimulation);
  const tests = { policySimulations: listOrNull(simulations) };
  /** As the record shows it. */
  const shown = {
    metadata,
    compatibility: { ...compatibility, maxCoreVersion: "" },
    ...filled({ topics: topics.map(showLists) }),
  };
  return { id, version, schemas, workflows, config, policy, tests, shown };
}

/** @param word What the refusal calls the topic. @throws {Refusal} */
export function checkTopic(packId: string, topic: string, word: string): void {
  const prefix = `job.${packId}.`;
  const problem = `${word} "${topic}" must be namespaced under ${prefix}*`;
  need(topic.startsWith(prefix), problem);
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

function checkOverlay(
  { name, strategy }: { name: string; strategy: string },
  kind: "config" | "policy",
): void {
  const isKnown = ["", STRATEGY[kind]].includes(strategy);
  need(isKnown, `unsupported ${kind} overlay strategy "${strategy}"`);
  // The platform applies such an overlay and never undoes it.
  need(name !== "", "devcore does not implement overlays without a name");
}

function showSimulation({ request, ...simulation }: Simulation) {
  const tenantId = request.tenantId || "default";
  const isKnown = tenantId === "default";
  need(isKnown, `devcore does not implement the tenant "${tenantId}"`);
  const unset = { packId: "", actorId: "", actorType: "" };
  return {
    ...simulation,
    request: { ...showLists(request), tenantId, ...unset },
  };
}

function showLists<T extends { requires: string[]; riskTags: string[] }>(
  item: T,
) {
  return {
    ...item,
    requires: listOrNull(item.requires),
    riskTags: listOrNull(item.riskTags),
  };
}
