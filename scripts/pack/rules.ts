/**
 * What must hold between the files of a pack so that all platforms take it and
 * read it alike.
 *
 * @module
 */
import { messageOf } from "../../lib/base/errors.ts";
import type { JsonObject } from "../../lib/base/json.ts";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import {
  BASE_POLICY,
  decide,
  loadPolicy,
} from "../../deploy/devcore/policy.ts";
import { templatePath, textsOf } from "../../deploy/devcore/workflow.ts";
import { type Pack, Problems, readPack } from "./read.ts";

type Steps = Pack["workflows"][number]["steps"];
type Step = Steps[string] & { id: string; place: string; steps: Steps };

/** What is wrong, each behind its place. */
type Found = Iterable<string>;

const RULES = [schemasArePortable, poolsFit, rulesFit];
const STEP_RULES = [
  stepFitsTopic,
  stepNamesSchemas,
  stepDependsOnSteps,
  inputsLeadSomewhere,
  approvalCanWait,
];
const AJV = addFormats.default(
  new Ajv2020({ strict: true, allowUnionTypes: true, addUsedSchema: false }),
);

/** Lists everything that is wrong with a pack; nothing if it is right. */
export function findProblems(files: ReadonlyMap<string, string>): string[] {
  const problems = new Problems();
  const pack = readPack(files, problems);
  if (pack === undefined) return [...problems.found];
  const report = (found: Found) => {
    for (const problem of found) problems.found.add(problem);
  };
  for (const rule of RULES) report(rule(pack));
  for (const { path, steps } of pack.workflows) {
    const isEmpty = Object.keys(steps).length === 0;
    if (isEmpty) {
      problems.add(path, "a workflow without steps succeeds at once");
    }
    for (const [id, step] of Object.entries(steps)) {
      const placed = { ...step, id, place: `${path} step ${id}`, steps };
      for (const rule of STEP_RULES) report(rule(placed, pack));
    }
  }
  // Only a fragment without problems can be loaded.
  if (problems.found.size === 0) report(simulationsHold(pack));
  return [...problems.found];
}

function* schemasArePortable({ schemas }: Pack): Found {
  for (const { path, schema = {} } of schemas) {
    // With a $schema of 2020-12 the platforms would not assert formats.
    if ("$schema" in schema) yield `${path}: must not have $schema`;
    try {
      AJV.compile(schema);
    } catch (error) {
      yield `${path}: is not a JSON Schema: ${messageOf(error)}`;
    }
    for (const pattern of patternsOf(schema)) {
      // The platforms' expressions have no look-around and no back-references.
      const isPortable = !/\(\?[=!<]|\\[1-9]/.test(pattern);
      if (!isPortable) yield `${path}: pattern "${pattern}" is not portable`;
    }
  }
}

function patternsOf(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    key === "pattern" && typeof item === "string" ? [item] : patternsOf(item)
  );
}

function* stepFitsTopic({ place, topic, meta }: Step, pack: Pack): Found {
  const declared = pack.topics.get(topic);
  if (declared === undefined) {
    return yield `${place}: topic "${topic}" is not in pack.yaml`;
  }
  const { capability, riskTags: risk_tags, requires } = declared;
  const expected = { pack_id: pack.id, capability, risk_tags, requires };
  for (const [key, value] of Object.entries(expected)) {
    const text = JSON.stringify(value);
    if (JSON.stringify((meta as JsonObject)[key]) === text) continue;
    yield `${place} meta.${key}: must be ${text}, as the topic says`;
  }
}

function* stepNamesSchemas(step: Step, { schemaIds }: Pack): Found {
  for (const key of ["input_schema_id", "output_schema_id"] as const) {
    if (step[key] === "" || schemaIds.includes(step[key])) continue;
    yield `${step.place} ${key}: "${step[key]}" is not a schema of this pack`;
  }
}

function* stepDependsOnSteps({ id, place, depends_on, steps }: Step): Found {
  for (const other of depends_on) {
    if (other in steps) continue;
    yield `${place}: depends on "${other}", which is not a step`;
  }
  if (stepsBefore(id, steps).has(id)) yield `${place}: depends on itself`;
}

function stepsBefore(id: string, steps: Steps, before = new Set<string>()) {
  for (const other of steps[id]?.depends_on ?? []) {
    if (before.has(other)) continue;
    before.add(other);
    stepsBefore(other, steps, before);
  }
  return before;
}

/** A path that leads nowhere is null on the platform, without an error. */
function* inputsLeadSomewhere({ id, place, input, steps }: Step): Found {
  const before = stepsBefore(id, steps);
  for (const text of textsOf(input)) {
    if (!text.includes("${")) continue;
    const [root, step = "", member = ""] = templatePath(text) ?? [];
    const leads = root === "input" ||
      before.has(step) && ["output", "result_ptr"].includes(member);
    const problem = root === undefined
      ? "must be one plain path, so that its type is kept"
      : "leads nowhere, or to a step that may not be done";
    if (!leads) yield `${place}: input "${text}" ${problem}`;
  }
}

function* approvalCanWait(step: Step, { simulations }: Pack): Found {
  const { place, route_labels, timeout_sec, retry } = step;
  const isHeld = simulations.some(({ request, expectDecision }) =>
    request.topic === step.topic && expectDecision === "REQUIRE_APPROVAL"
  );
  if (!isHeld) return;
  const retries = Object.values(retry).some((number) => number > 0);
  const isLabelled = route_labels["_content.payload_json"] === "{}";
  if (timeout_sec > 0) {
    yield `${place}: timeout_sec would run while a person thinks`;
  }
  if (retries) yield `${place}: retry would ask the person again`;
  if (!isLabelled) {
    yield `${place}: route_labels must hold "_content.payload_json": "{}"`;
  }
}

function* poolsFit({ topics, pools: overlays }: Pack): Found {
  for (const { path, pools, topics: poolOf } of overlays) {
    for (const [name, pool] of Object.entries(poolOf)) {
      const place = `${path} topic ${name}`;
      const topic = topics.get(name);
      if (topic === undefined) yield `${place}: is not in pack.yaml`;
      const offered = pools[pool]?.requires ?? [];
      const missing = topic?.requires.filter((name) => !offered.includes(name));
      if (!(pool in pools)) {
        yield `${place}: pool "${pool}" is not in this overlay`;
      } else if (missing?.length) {
        yield `${place}: its pool does not offer ${missing.join(", ")}`;
      }
    }
    for (const topic of topics.keys()) {
      if (!(topic in poolOf)) yield `${path}: topic ${topic} has no pool`;
    }
  }
}

/** A rule that matches too much would decide for other packs. */
function* rulesFit({ fragments, topics }: Pack): Found {
  for (const { path, rules } of fragments) {
    const undecided = new Set(topics.keys());
    for (const { id, match } of rules) {
      for (const topic of match.topics) {
        undecided.delete(topic);
        if (topics.has(topic)) continue;
        yield `${path} rule ${id}: topic "${topic}" is not exactly one of this pack's`;
      }
    }
    for (const topic of undecided) {
      yield `${path}: topic ${topic} has no rule, which newer platforms deny`;
    }
  }
}

/** Runs the pack's own simulations against its own fragments. */
function* simulationsHold(pack: Pack): Found {
  const { files, fragments, simulations, topics } = pack;
  if (simulations.length === 0) {
    yield "pack.yaml tests: needs policySimulations";
  }
  for (const { path } of fragments) {
    const policy = loadPolicy(BASE_POLICY, new Map([[path, files.get(path)!]]));
    for (const { name, request: { topic }, expectDecision } of simulations) {
      const place = `pack.yaml simulation ${name}`;
      if (!topics.has(topic)) {
        yield `${place}: topic "${topic}" is not declared`;
      }
      const { decision } = decide(policy, { topic, jobId: "" });
      if (decision === expectDecision) continue;
      yield `${place}: expects ${expectDecision}, the fragment says ${decision}`;
    }
  }
}
