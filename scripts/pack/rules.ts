/**
 * What a pack must be so that all three platforms take it and read it the same.
 *
 * The platforms are lenient in ways that hurt later: unknown keys are dropped
 * (`after:` leaves a step without dependencies), an unknown decision word
 * allows, one malformed fragment freezes the policy of everybody. So what they
 * would misread is refused here, before anything is written.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import { parse } from "@std/yaml";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import {
  BASE_POLICY,
  decide,
  loadPolicy,
} from "../../deploy/devcore/policy.ts";

/** Collects what is wrong, each with the place where it is. */
class Problems {
  readonly found: string[] = [];

  add(where: string, what: string): void {
    this.found.push(`${where}: ${what}`);
  }

  check(holds: unknown, where: string, what: string): void {
    if (!holds) this.add(where, what);
  }

  /** Refuses keys that the platforms would drop, or drop the whole file for. */
  keys(value: JsonObject, allowed: readonly string[], where: string): void {
    for (const key of Object.keys(value)) {
      this.check(
        allowed.includes(key),
        where,
        `unknown key "${key}", expected ${allowed.join(", ")}`,
      );
    }
  }

  strings(value: unknown, where: string): string[] {
    const isList = Array.isArray(value) &&
      value.every((item) => typeof item === "string" && item !== "");
    this.check(isList, where, "must be a list of strings");
    return isList ? value as string[] : [];
  }
}

interface Topic {
  capability: string;
  riskTags: string[];
  requires: string[];
}

/** Says everything that is wrong with a pack; nothing if it is right. */
export function findProblems(files: ReadonlyMap<string, string>): string[] {
  const problems = new Problems();
  const manifest = readYaml(files, "pack.yaml", problems);
  if (manifest === undefined) return problems.found;
  const pack = new PackRules(files, manifest, problems);
  pack.check();
  return problems.found;
}

class PackRules {
  readonly #files: ReadonlyMap<string, string>;
  readonly #manifest: JsonObject;
  readonly #problems: Problems;
  readonly #used = new Set(["pack.yaml"]);
  readonly #topics = new Map<string, Topic>();
  readonly #schemas = new Map<string, JsonObject>();
  #id = "";

  constructor(
    files: ReadonlyMap<string, string>,
    manifest: JsonObject,
    problems: Problems,
  ) {
    this.#files = files;
    this.#manifest = manifest;
    this.#problems = problems;
  }

  check(): void {
    this.#checkManifest();
    const resources = asObject(this.#manifest["resources"]);
    for (const entry of asList(resources["schemas"])) this.#checkSchema(entry);
    for (const entry of asList(resources["workflows"])) {
      this.#checkWorkflow(entry);
    }
    const overlays = asObject(this.#manifest["overlays"]);
    const offered = new Map<string, string[]>();
    for (const entry of asList(overlays["config"])) {
      this.#checkConfigOverlay(entry, offered);
    }
    for (const entry of asList(overlays["policy"])) {
      this.#checkPolicyOverlay(entry);
    }
    for (const path of this.#files.keys()) {
      this.#problems.check(
        this.#used.has(path),
        path,
        "is named nowhere in pack.yaml",
      );
    }
  }

  #checkManifest(): void {
    const problems = this.#problems;
    const where = "pack.yaml";
    const { apiVersion, kind } = this.#manifest;
    problems.keys(
      this.#manifest,
      [
        "apiVersion",
        "kind",
        "metadata",
        "compatibility",
        "topics",
        "resources",
        "overlays",
        "tests",
      ],
      where,
    );
    problems.check(
      apiVersion === "coretexos.dev/v1alpha1",
      where,
      "apiVersion must be coretexos.dev/v1alpha1",
    );
    problems.check(kind === "Pack", where, "kind must be Pack");
    const metadata = asObject(this.#manifest["metadata"]);
    problems.keys(
      metadata,
      ["id", "version", "title", "description"],
      `${where} metadata`,
    );
    const { id, version, title, description } = metadata;
    this.#id = String(id ?? "");
    problems.check(
      /^[a-z0-9-]+$/.test(this.#id),
      `${where} metadata.id`,
      "must match ^[a-z0-9-]+$",
    );
    problems.check(
      isVersion(version),
      `${where} metadata.version`,
      "must be a version such as 0.1.0",
    );
    for (const [name, value] of Object.entries({ title, description })) {
      problems.check(
        typeof value === "string" && value !== "",
        `${where} metadata.${name}`,
        "must be text",
      );
    }
    this.#checkCompatibility();
    this.#readTopics();
  }

  #checkCompatibility(): void {
    const where = "pack.yaml compatibility";
    const compatibility = asObject(this.#manifest["compatibility"]);
    this.#problems.keys(
      compatibility,
      ["protocolVersion", "minCoreVersion"],
      where,
    );
    const { protocolVersion, minCoreVersion } = compatibility;
    this.#problems.check(
      protocolVersion === 1,
      where,
      "protocolVersion must be the number 1",
    );
    this.#problems.check(
      isVersion(minCoreVersion),
      where,
      "minCoreVersion must be a version such as 0.6.0",
    );
  }

  #readTopics(): void {
    const problems = this.#problems;
    for (const topic of asList(this.#manifest["topics"])) {
      const name = String(topic["name"] ?? "");
      const where = `pack.yaml topic ${name}`;
      problems.keys(
        topic,
        ["name", "capability", "riskTags", "requires"],
        where,
      );
      problems.check(
        name.startsWith(`job.${this.#id}.`),
        where,
        `must start with job.${this.#id}.`,
      );
      problems.check(!this.#topics.has(name), where, "is declared twice");
      problems.check(
        typeof topic["capability"] === "string",
        where,
        "needs a capability",
      );
      this.#topics.set(name, {
        capability: String(topic["capability"]),
        riskTags: problems.strings(topic["riskTags"], `${where} riskTags`),
        requires: problems.strings(topic["requires"], `${where} requires`),
      });
    }
    problems.check(
      this.#topics.size > 0,
      "pack.yaml topics",
      "must name at least one topic",
    );
  }

  #file(entry: JsonObject, where: string): JsonObject | undefined {
    const path = String(entry["path"] ?? "");
    const plain = /^[\w-]+(\/[\w.-]+)*\.(yaml|json)$/.test(path) &&
      !path.includes("..");
    this.#problems.check(
      plain,
      where,
      `path "${path}" must be a plain relative path to a .yaml or .json file`,
    );
    this.#used.add(path);
    return readYaml(this.#files, path, this.#problems);
  }

  #checkSchema(entry: JsonObject): void {
    const id = String(entry["id"] ?? "");
    const where = `pack.yaml schema ${id}`;
    this.#problems.keys(entry, ["id", "path"], where);
    this.#problems.check(
      id.startsWith(`${this.#id}/`),
      where,
      `must start with ${this.#id}/`,
    );
    this.#problems.check(!this.#schemas.has(id), where, "is declared twice");
    const schema = this.#file(entry, where);
    if (schema === undefined) return;
    this.#schemas.set(id, schema);
    checkSchema(schema, String(entry["path"]), this.#problems);
  }

  #checkWorkflow(entry: JsonObject): void {
    const problems = this.#problems;
    const id = String(entry["id"] ?? "");
    const where = `pack.yaml workflow ${id}`;
    problems.keys(entry, ["id", "path"], where);
    problems.check(
      id.startsWith(`${this.#id}.`),
      where,
      `must start with ${this.#id}.`,
    );
    const workflow = this.#file(entry, where);
    if (workflow === undefined) return;
    const path = String(entry["path"]);
    problems.keys(
      workflow,
      [
        "id",
        "org_id",
        "name",
        "version",
        "description",
        "input_schema",
        "steps",
      ],
      path,
    );
    problems.check(
      workflow["id"] === id,
      path,
      `id must be ${id}, as pack.yaml says`,
    );
    problems.check(
      workflow["org_id"] === "default",
      path,
      "org_id must be default",
    );
    problems.check(
      typeof workflow["version"] === "string",
      path,
      "version must be a quoted string",
    );
    problems.check(
      isObject(workflow["input_schema"]),
      path,
      "input_schema must be the schema itself",
    );
    if (isObject(workflow["input_schema"])) {
      checkSchema(workflow["input_schema"], path, problems);
    }
    this.#checkSteps(asObject(workflow["steps"]), path);
  }

  #checkSteps(steps: JsonObject, path: string): void {
    const problems = this.#problems;
    problems.check(
      Object.keys(steps).length > 0,
      path,
      "a workflow without steps succeeds at once",
    );
    const dependencies = new Map<string, string[]>();
    for (const [id, value] of Object.entries(steps)) {
      const where = `${path} step ${id}`;
      problems.check(
        /^[a-z][a-z0-9_-]*$/.test(id),
        where,
        "the id must match ^[a-z][a-z0-9_-]*$",
      );
      const step = asObject(value);
      problems.keys(step, STEP_KEYS, where);
      problems.check(step["type"] === "worker", where, "type must be worker");
      const depends = step["depends_on"] === undefined
        ? []
        : problems.strings(step["depends_on"], `${where} depends_on`);
      dependencies.set(id, depends);
      for (const other of depends) {
        problems.check(
          other in steps,
          where,
          `depends on "${other}", which is no step`,
        );
      }
      this.#checkStep(step, where);
    }
    for (const [id, value] of Object.entries(steps)) {
      const before = allBefore(id, dependencies);
      problems.check(
        !before.has(id),
        `${path} step ${id}`,
        "depends on itself",
      );
      this.#checkTemplates(
        asObject(value)["input"],
        before,
        `${path} step ${id}`,
      );
    }
  }

  #checkStep(step: JsonObject, where: string): void {
    const problems = this.#problems;
    const topic = this.#topics.get(String(step["topic"]));
    if (topic === undefined) {
      return problems.add(
        where,
        `topic "${step["topic"]}" is not in pack.yaml`,
      );
    }
    const meta = asObject(step["meta"]);
    // An actor would be recorded as the approver.
    problems.keys(
      meta,
      ["pack_id", "capability", "risk_tags", "requires"],
      `${where} meta`,
    );
    const expected = {
      pack_id: this.#id,
      capability: topic.capability,
      risk_tags: topic.riskTags,
      requires: topic.requires,
    };
    for (const [key, value] of Object.entries(expected)) {
      problems.check(
        sameJson(meta[key], value),
        `${where} meta.${key}`,
        `must be ${JSON.stringify(value)}, as the topic says`,
      );
    }
    for (const key of ["input_schema_id", "output_schema_id"]) {
      const id = step[key];
      problems.check(
        id === undefined || this.#schemas.has(String(id)),
        `${where} ${key}`,
        `"${id}" is no schema of this pack`,
      );
    }
    const timeout = step["timeout_sec"];
    problems.check(
      timeout === undefined || isCount(timeout),
      `${where} timeout_sec`,
      "must be a whole number",
    );
    for (const [key, value] of Object.entries(asObject(step["retry"]))) {
      problems.check(
        RETRY_KEYS.includes(key),
        `${where} retry`,
        `unknown key "${key}"`,
      );
      problems.check(
        isCount(value),
        `${where} retry.${key}`,
        "must be a whole number",
      );
    }
    for (const [key, value] of Object.entries(asObject(step["route_labels"]))) {
      problems.check(
        typeof value === "string",
        `${where} route_labels.${key}`,
        "must be a string",
      );
    }
    if (this.#asksForApproval(String(step["topic"]))) {
      problems.check(
        timeout === undefined,
        where,
        "timeout_sec would run while a person thinks",
      );
      problems.check(
        step["retry"] === undefined,
        where,
        "retry would ask the person again",
      );
      const label = asObject(step["route_labels"])["_content.payload_json"];
      problems.check(
        label === "{}",
        where,
        'route_labels must hold "_content.payload_json": "{}"',
      );
    }
  }

  #asksForApproval(topic: string): boolean {
    const simulations = asList(
      asObject(this.#manifest["tests"])["policySimulations"],
    );
    return simulations.some(({ request, expectDecision }) =>
      asObject(request)["topic"] === topic &&
      expectDecision === "REQUIRE_APPROVAL"
    );
  }

  /** A path that leads nowhere is null on the platform, without an error. */
  #checkTemplates(
    value: unknown,
    before: ReadonlySet<string>,
    where: string,
  ): void {
    if (isObject(value) || Array.isArray(value)) {
      for (const item of Object.values(value)) {
        this.#checkTemplates(item, before, where);
      }
    }
    if (typeof value !== "string" || !value.includes("${")) return;
    const path = /^\$\{([\w.-]+)\}$/.exec(value)?.[1];
    if (path === undefined) {
      return this.#problems.add(
        where,
        `input "${value}" must be one plain path, so that its type is kept`,
      );
    }
    const [root, step, member] = path.split(".");
    const known = root === "input" ||
      root === "steps" && before.has(step ?? "") &&
        ["output", "result_ptr"].includes(member ?? "");
    this.#problems.check(
      known,
      where,
      `input "${value}" leads nowhere, or to a step that may not be done`,
    );
  }

  #checkConfigOverlay(entry: JsonObject, offered: Map<string, string[]>): void {
    const problems = this.#problems;
    const where = `pack.yaml config overlay ${entry["name"]}`;
    problems.keys(entry, [
      "name",
      "scope",
      "scope_id",
      "key",
      "strategy",
      "path",
    ], where);
    problems.check(
      typeof entry["name"] === "string" && entry["name"] !== "",
      where,
      "without a name it is never undone",
    );
    problems.check(
      entry["scope"] === "system" && entry["scope_id"] === "default",
      where,
      "scope must be system, scope_id default",
    );
    problems.check(
      entry["strategy"] === "json_merge_patch",
      where,
      "strategy must be json_merge_patch",
    );
    const key = String(entry["key"]);
    problems.check(
      ["pools", "timeouts"].includes(key),
      where,
      "key must be pools or timeouts",
    );
    const patch = this.#file(entry, where);
    if (patch === undefined) return;
    const path = String(entry["path"]);
    problems.keys(
      patch,
      key === "pools" ? ["pools", "topics"] : ["topics"],
      path,
    );
    if (key === "pools") {
      for (const [pool, value] of Object.entries(asObject(patch["pools"]))) {
        problems.check(
          pool.startsWith(this.#id),
          `${path} pool ${pool}`,
          `must start with ${this.#id}`,
        );
        problems.keys(asObject(value), ["requires"], `${path} pool ${pool}`);
        offered.set(
          pool,
          problems.strings(asObject(value)["requires"], `${path} pool ${pool}`),
        );
      }
    }
    const topics = asObject(patch["topics"]);
    for (const [topic, value] of Object.entries(topics)) {
      const declared = this.#topics.get(topic);
      problems.check(
        declared !== undefined,
        `${path} topic ${topic}`,
        "is not in pack.yaml",
      );
      if (key === "timeouts") {
        this.#checkTimeout(asObject(value), `${path} topic ${topic}`);
      } else {checkPool(
          value,
          declared,
          offered,
          `${path} topic ${topic}`,
          problems,
        );}
    }
    for (const topic of key === "pools" ? this.#topics.keys() : []) {
      problems.check(topic in topics, path, `topic ${topic} has no pool`);
    }
  }

  #checkTimeout(value: JsonObject, where: string): void {
    this.#problems.keys(value, ["timeout_seconds", "max_retries"], where);
    for (const [key, number] of Object.entries(value)) {
      this.#problems.check(
        isCount(number),
        `${where} ${key}`,
        "must be a whole number",
      );
    }
  }

  #checkPolicyOverlay(entry: JsonObject): void {
    const problems = this.#problems;
    const name = String(entry["name"] ?? "");
    const where = `pack.yaml policy overlay ${name}`;
    problems.keys(entry, ["name", "strategy", "path"], where);
    // A version in the key would leave the old rules behind at every upgrade.
    problems.check(
      /^[a-z][a-z-]*$/.test(name),
      where,
      "the name must be plain words without a version",
    );
    problems.check(
      entry["strategy"] === "bundle_fragment",
      where,
      "strategy must be bundle_fragment",
    );
    const fragment = this.#file(entry, where);
    if (fragment === undefined) return;
    const path = String(entry["path"]);
    checkFragment(fragment, path, [...this.#topics.keys()], problems);
    if (problems.found.length === 0) {
      this.#simulate(this.#files.get(path)!, path);
    }
  }

  /** Runs the pack's own simulations against its own fragment. */
  #simulate(fragment: string, path: string): void {
    const policy = loadPolicy(BASE_POLICY, new Map([[path, fragment]]));
    const simulations = asList(
      asObject(this.#manifest["tests"])["policySimulations"],
    );
    this.#problems.check(
      simulations.length > 0,
      "pack.yaml tests",
      "needs policySimulations",
    );
    for (const { name, request, expectDecision } of simulations) {
      const where = `pack.yaml simulation ${name}`;
      const { topic } = asObject(request);
      this.#problems.check(
        this.#topics.has(String(topic)),
        where,
        `topic "${topic}" is not declared`,
      );
      const { decision } = decide(policy, { topic: String(topic), jobId: "" });
      this.#problems.check(
        decision === expectDecision,
        where,
        `expects ${expectDecision}, the fragment says ${decision}`,
      );
    }
  }
}

const STEP_KEYS = [
  "type",
  "topic",
  "depends_on",
  "input",
  "input_schema_id",
  "output_schema_id",
  "timeout_sec",
  "retry",
  "route_labels",
  "meta",
];
const RETRY_KEYS = [
  "max_retries",
  "initial_backoff_sec",
  "max_backoff_sec",
  "multiplier",
];
const DECISIONS = [
  "allow",
  "deny",
  "require_approval",
  "allow_with_constraints",
  "throttle",
];

function checkPool(
  value: unknown,
  topic: Topic | undefined,
  offered: ReadonlyMap<string, string[]>,
  where: string,
  problems: Problems,
): void {
  const offers = offered.get(String(value));
  if (offers === undefined) {
    return problems.add(where, `pool "${value}" is not in this overlay`);
  }
  const missing = (topic?.requires ?? []).filter((name) =>
    !offers.includes(name)
  );
  problems.check(
    missing.length === 0,
    where,
    `its pool does not offer ${missing.join(", ")}`,
  );
}

/**
 * Checks a policy fragment: what one platform ignores makes another drop the
 * whole file, and a rule that matches too much decides for other packs.
 */
function checkFragment(
  fragment: JsonObject,
  path: string,
  topics: readonly string[],
  problems: Problems,
): void {
  problems.keys(
    fragment,
    ["version", "default_tenant", "tenants", "rules"],
    path,
  );
  problems.check(
    typeof fragment["version"] === "string",
    `${path} version`,
    "must be a quoted string",
  );
  problems.check(
    fragment["default_tenant"] === "default",
    `${path} default_tenant`,
    "must be default",
  );
  for (const [tenant, lists] of Object.entries(asObject(fragment["tenants"]))) {
    problems.keys(
      asObject(lists),
      ["allow_topics", "deny_topics"],
      `${path} tenant ${tenant}`,
    );
    for (const [key, value] of Object.entries(asObject(lists))) {
      problems.strings(value, `${path} tenant ${tenant} ${key}`);
    }
  }
  const ids = new Set<string>();
  const decided = new Set<string>();
  for (const rule of asList(fragment["rules"])) {
    const where = `${path} rule ${rule["id"]}`;
    problems.keys(rule, ["id", "match", "decision", "reason"], where);
    problems.check(
      typeof rule["id"] === "string" && !ids.has(rule["id"]),
      where,
      "needs an id of its own",
    );
    ids.add(String(rule["id"]));
    problems.check(
      DECISIONS.includes(String(rule["decision"])),
      where,
      `decision "${rule["decision"]}" is unknown, which means allow; expected ${
        DECISIONS.join(", ")
      }`,
    );
    const match = asObject(rule["match"]);
    problems.keys(match, ["topics"], `${where} match`);
    for (
      const topic of problems.strings(match["topics"], `${where} match.topics`)
    ) {
      problems.check(
        topics.includes(topic),
        where,
        `topic "${topic}" is not exactly one of this pack's`,
      );
      decided.add(topic);
    }
  }
  for (const topic of topics) {
    problems.check(
      decided.has(topic),
      path,
      `topic ${topic} has no rule, which newer platforms deny`,
    );
  }
}

/** Checks that a schema compiles here, and means the same on the platforms. */
function checkSchema(
  schema: JsonObject,
  path: string,
  problems: Problems,
): void {
  // With a $schema of 2020-12 the platforms would not assert formats.
  problems.check(
    schema["$schema"] === undefined,
    path,
    "must not have $schema",
  );
  try {
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
    addFormats.default(ajv);
    ajv.compile(schema);
  } catch (error) {
    problems.add(
      path,
      `is no JSON Schema: ${error instanceof Error ? error.message : error}`,
    );
  }
  for (const pattern of patternsOf(schema)) {
    // The platforms' expressions know no look-around and no back-references.
    problems.check(
      !/\(\?[=!<]|\\[1-9]/.test(pattern),
      path,
      `pattern "${pattern}" is not portable`,
    );
  }
}

function patternsOf(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    key === "pattern" && typeof item === "string" ? [item] : patternsOf(item)
  );
}

function allBefore(
  id: string,
  dependencies: ReadonlyMap<string, string[]>,
): Set<string> {
  const before = new Set<string>();
  const visit = (step: string) => {
    for (const other of dependencies.get(step) ?? []) {
      if (before.has(other)) continue;
      before.add(other);
      visit(other);
    }
  };
  visit(id);
  return before;
}

function readYaml(
  files: ReadonlyMap<string, string>,
  path: string,
  problems: Problems,
): JsonObject | undefined {
  const text = files.get(path);
  if (text === undefined) {
    problems.add(path, "is missing");
    return undefined;
  }
  try {
    const value = path.endsWith(".json") ? JSON.parse(text) : parse(text);
    if (isObject(value)) return value;
    problems.add(path, "must be a mapping");
  } catch (error) {
    const [line] = String(error instanceof Error ? error.message : error).split(
      "\n",
      1,
    );
    problems.add(path, `cannot be parsed: ${line}`);
  }
  return undefined;
}

function isVersion(value: unknown): boolean {
  return typeof value === "string" && /^\d+\.\d+\.\d+$/.test(value);
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

function asList(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.map(asObject) : [];
}

function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
