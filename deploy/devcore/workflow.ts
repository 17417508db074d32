/**
 * Workflow definitions: what this stand-in's engine can do, read as the
 * platform reads it; anything else is refused by name. Pure.
 *
 * @module
 */
import {
  decode,
  type Decoded,
  filled,
  isObject,
  type Json,
  Refusal,
} from "./common.ts";

const STEP = {
  name: "string",
  type: "string",
  topic: "string",
  depends_on: "[]string",
  input: "map[string]interface {}",
  input_schema: "map[string]interface {}",
  input_schema_id: "string",
  output_schema: "map[string]interface {}",
  output_schema_id: "string",
  meta: {
    actor_id: "string",
    actor_type: "string",
    idempotency_key: "string",
    pack_id: "string",
    capability: "string",
    risk_tags: "[]string",
    requires: "[]string",
    labels: "map[string]string",
  },
  retry: {
    max_retries: "int64",
    initial_backoff_sec: "int64",
    max_backoff_sec: "int64",
    multiplier: "float64",
  },
  timeout_sec: "int64",
  route_labels: "map[string]string",
} as const;

const WORKFLOW = {
  id: "string",
  org_id: "string",
  name: "string",
  description: "string",
  version: "string",
  input_schema: "map[string]interface {}",
  steps: "map[string]interface {}",
} as const;

/** A step as a pack writes it. */
export type Step = Decoded<typeof STEP> & { id: string; topic: string };

/** A workflow as the gateway shows it. */
export type Workflow = Omit<Decoded<typeof WORKFLOW>, "steps"> & {
  id: string;
  steps: Record<string, Step>;
};

/**
 * Reads a workflow.
 *
 * @param id The manifest's, which wins over the file's.
 * @param known The one that it replaces: what the file leaves out stays.
 * @throws {Refusal}
 */
export function readWorkflow(
  file: Json,
  id: string,
  now: string,
  known?: Workflow,
): Workflow {
  const { steps = {}, ...given } = decode(file, WORKFLOW, "Workflow");
  return {
    org_id: "",
    team_id: "",
    name: "",
    description: "",
    version: "",
    timeout_sec: 0,
    created_by: "",
    ...known,
    ...filled(given),
    id,
    steps: Object.fromEntries(
      Object.entries(steps).map(([id, step]) => [id, readStep(id, step)]),
    ),
    created_at: now,
    updated_at: now,
  } as Workflow;
}

function readStep(id: string, value: unknown): Step {
  const step = decode(value, STEP, "Step.steps");
  const { topic = "", type = "", route_labels = {}, input } = step;
  const labels = Object.keys(route_labels)
    .filter((label) => /^(preferred_|mcp)/.test(label));
  const templates = textsOf(input).filter((text) =>
    text.includes("${") && templatePath(text) === undefined
  );
  const missing = [
    ...(topic === "" ? ["no topic"] : []),
    ...(["", "worker"].includes(type) ? [] : [`type ${type}`]),
    ...labels.map((label) => `label ${label}`),
    ...templates.map((text) => `the template ${text}`),
  ];
  if (missing.length === 0) return { name: "", type: "", topic, ...step, id };
  const problem = `devcore does not implement steps with ${missing.join(", ")}`;
  throw new Refusal(400, problem);
}

/**
 * The path of a template that is a whole value and leads to an input or an
 * output. The platform evaluates more, but gives no plainer answer.
 */
export function templatePath(text: string): string[] | undefined {
  return /^\$\{((?:input|steps)(?:\.[\w-]+)*)\}$/.exec(text)?.[1]?.split(".");
}

function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (!isObject(value) && !Array.isArray(value)) return [];
  return Object.values(value).flatMap(textsOf);
}
