/**
 * The shapes that a pack must have so that every platform reads it alike:
 * devcore's shapes, narrowed to what this pack may use, with rules for values.
 *
 * The platforms are lenient in ways that hurt later: an unknown key is dropped
 * (`after:` leaves a step without dependencies), an unknown decision word
 * allows, one malformed fragment freezes everybody's policy. Whatever they
 * would misread is refused here, before anything is written.
 *
 * @module
 */
import { isObject } from "../../lib/base/json.ts";
import { MANIFEST } from "../../deploy/devcore/manifest.ts";
import { DECISIONS, POLICY } from "../../deploy/devcore/policy.ts";
import { each, type Fields, MapOf, Rule } from "../../deploy/devcore/shape.ts";
import { STEP, WORKFLOW } from "../../deploy/devcore/workflow.ts";

const FILLED = /./s;
const STEP_ID = /^[a-z][a-z0-9_-]*$/;
const SCOPE = "scope must be system, scope_id default";
const TITLE = text(FILLED, (name) => `${name} must be text`);
const COUNT = count("int64");
const PATH = text(
  /^(?!.*\.\.)[\w-]+(\/[\w.-]+)*\.(yaml|json)$/,
  (_, path) =>
    `path "${path}" must be a plain relative path to a .yaml or .json file`,
);

/** `pack.yaml` of the pack with this id. */
export function ofManifest(id: string): typeof MANIFEST {
  return refine(MANIFEST, {
    apiVersion: is("coretexos.dev/v1alpha1"),
    kind: is("Pack"),
    metadata: {
      id: text(/^[a-z0-9-]+$/, "id must match ^[a-z0-9-]+$"),
      version: version("0.1.0"),
      ...each(TITLE, "title", "description"),
    },
    compatibility: {
      protocolVersion: new Rule(
        "int64",
        (value) => value === 1,
        () => "protocolVersion must be the number 1",
      ),
      minCoreVersion: version("0.6.0"),
    },
    topics: [{
      name: startsWith(`job.${id}.`),
      capability: text(FILLED, "needs a capability"),
    }],
    resources: {
      schemas: [{ id: startsWith(`${id}/`), path: PATH }],
      workflows: [{ id: startsWith(`${id}.`), path: PATH }],
    },
    overlays: {
      config: [{
        name: text(FILLED, "without a name it is never undone"),
        scope: is("system", SCOPE),
        scope_id: is("default", SCOPE),
        key: text(/^(pools|timeouts)$/, "key must be pools or timeouts"),
        strategy: is("json_merge_patch"),
        path: PATH,
      }],
      policy: [{
        // A version in the key would leave the old rules behind at an upgrade.
        name: text(
          /^[a-z][a-z-]*$/,
          "the name must be plain words without a version",
        ),
        strategy: is("bundle_fragment"),
        path: PATH,
      }],
    },
  });
}

/** The workflow that the manifest lists under this id. */
export function ofWorkflow(id: string) {
  const workflow = refine(WORKFLOW, {
    id: is(id, `id must be ${id}, as pack.yaml says`),
    org_id: is("default"),
    version: text(/^/, "version must be a quoted string"),
    input_schema: new Rule(
      "map[string]interface {}",
      isObject,
      () => "input_schema must be the schema itself",
    ),
  });
  const step = refine({
    ...pick(STEP, "type", "topic", "depends_on", "input", "input_schema_id"),
    ...pick(STEP, "output_schema_id", "timeout_sec", "retry", "route_labels"),
    // Without actors: one would be recorded as the approver.
    meta: pick(STEP.meta, "pack_id", "capability", "risk_tags", "requires"),
  }, {
    type: is("worker"),
    timeout_sec: COUNT,
    retry: {
      ...each(COUNT, "max_retries", "initial_backoff_sec", "max_backoff_sec"),
      multiplier: count("float64"),
    },
  });
  const name = text(STEP_ID, `the id must match ${STEP_ID.source}`);
  return { ...workflow, steps: new MapOf(step, name) };
}

/** The overlay of pools in the pack with this id. */
export function ofPools(id: string) {
  const pool = { requires: "[]string" } as const;
  const pools = new MapOf(pool, startsWith(id));
  return { pools, topics: "map[string]string" } as const;
}

/** The overlay of timeouts in a pack of these topics. */
export function ofTimeouts(topics: readonly string[]) {
  const name = text(oneOf(topics), "is not in pack.yaml");
  const timeout = each(COUNT, "timeout_seconds", "max_retries");
  return { topics: new MapOf(timeout, name) };
}

/**
 * A policy fragment: what one platform ignores makes another drop the whole
 * file. No constraints, since some of them block a platform for ever.
 */
export const FRAGMENT = refine(
  {
    ...POLICY,
    rules: [pick(POLICY.rules[0], "id", "match", "decision", "reason")],
  } as const,
  {
    version: text(/^/, "must be a quoted string", "field"),
    default_tenant: is("default"),
    rules: [{
      id: text(FILLED, "needs an id of its own"),
      decision: text(
        oneOf(DECISIONS),
        (_, word) =>
          `decision "${word}" is unknown, which means allow; ` +
          `expected ${DECISIONS.join(", ")}`,
      ),
      match: {
        topics: new Rule(
          "[]string",
          (topics) => Array.isArray(topics) && topics.length > 0,
          () => "without topics it decides for every pack",
        ),
      },
    }],
  },
);

type Problem = string | ((name: string, value: unknown) => string);
type RulesOf<F> = F extends string ? Rule<F & Rule["type"]>
  : F extends readonly [infer Item] ? readonly [RulesOf<Item>]
  : { readonly [Name in keyof F]?: RulesOf<F[Name]> };

/** Puts rules in the place of types; what is decoded keeps its type. */
function refine<F extends Fields>(fields: F, rules: RulesOf<F>): F {
  const refined = Object.entries(rules as object).map(([name, rule]) => {
    const type = fields[name];
    if (rule instanceof Rule) return [name, rule];
    if (!Array.isArray(type)) return [name, refine(type as Fields, rule)];
    return [name, [refine(type[0], rule[0])]];
  });
  return { ...fields, ...Object.fromEntries(refined) };
}

function pick<F extends Fields, Name extends keyof F>(
  fields: F,
  ...names: Name[]
): Pick<F, Name> {
  const picked = names.map((name) => [name, fields[name]]);
  return Object.fromEntries(picked) as Pick<F, Name>;
}

/** A string that must be there and match. */
function text(
  pattern: RegExp,
  problem: Problem,
  of?: "field",
): Rule<"string"> {
  const holds = (value: unknown) =>
    typeof value === "string" && pattern.test(value);
  const tell = typeof problem === "string" ? () => problem : problem;
  return new Rule("string", holds, tell, of);
}

function is(
  expected: string,
  problem: Problem = (name) => `${name} must be ${expected}`,
): Rule<"string"> {
  return text(oneOf([expected]), problem);
}

function oneOf(texts: readonly string[]): RegExp {
  return new RegExp(`^(${texts.map(RegExp.escape).join("|")})$`);
}

function version(example: string): Rule<"string"> {
  const problem = `must be a version such as ${example}`;
  return text(/^\d+\.\d+\.\d+$/, (name) => `${name} ${problem}`);
}

function startsWith(prefix: string): Rule<"string"> {
  const pattern = new RegExp(`^${RegExp.escape(prefix)}`);
  return text(pattern, `must start with ${prefix}`);
}

/** A whole number that may be missing, but not negative. */
function count<T extends "int64" | "float64">(type: T): Rule<T> {
  const holds = (value: unknown) =>
    value === undefined || Number.isInteger(value) && Number(value) >= 0;
  return new Rule(type, holds, () => "must be a whole number", "field");
}
