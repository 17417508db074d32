/**
 * Workflow definitions, read as the platform reads them; whatever the engine of
 * this stand-in cannot do is refused by name. Pure.
 *
 * @module
 */
import { isObject, type JsonObject } from "../../lib/base/json.ts";
import { filled, need } from "./common.ts";
import { decode, type Decoded, each } from "./shape.ts";

const MAP = "map[string]interface {}";

/** What a step of a workflow may hold. */
export const STEP = {
  ...each("string", "name", "type", "topic"),
  ...each("string", "input_schema_id", "output_schema_id"),
  ...each(MAP, "input", "input_schema", "output_schema"),
  depends_on: "[]string",
  meta: {
    ...each("string", "actor_id", "actor_type", "idempotency_key"),
    ...each("string", "pack_id", "capability"),
    ...each("[]string", "risk_tags", "requires"),
    labels: "map[string]string",
  },
  retry: {
    ...each("int64", "max_retries", "initial_backoff_sec", "max_backoff_sec"),
    multiplier: "float64",
  },
  timeout_sec: "int64",
  route_labels: "map[string]string",
} as const;

/** What a workflow may hold. */
export const WORKFLOW = {
  ...each("string", "id", "org_id", "name", "description", "version"),
  ...each(MAP, "input_schema", "steps"),
} as const;

export type Step = Decoded<typeof STEP> & { id: string };

export interface Workflow {
  id: string;
  org_id: string;
  input_schema: JsonObject;
  steps: readonly Step[];
  /** As the gateway shows it. */
  shown: JsonObject;
}

/**
 * Reads a workflow.
 *
 * @param id The manifest's id, which wins over the file's.
 * @param known The workflow that it replaces; what the file omits stays.
 * @throws {Refusal}
 */
export function readWorkflow(
  file: JsonObject,
  id: string,
  now: string,
  known?: Workflow,
): Workflow {
  const { steps, ...given } = decode(file, WORKFLOW, "Workflow");
  const entries = Object.entries(steps) as [string, JsonObject][];
  const shown = {
    team_id: "",
    timeout_sec: 0,
    created_by: "",
    ...given,
    ...filled(known?.shown ?? {}),
    ...filled(given),
    id,
    steps: Object.fromEntries(
      entries.map(([id, step]) => [id, { id, ...step }]),
    ),
    created_at: now,
    updated_at: now,
  };
  const { org_id, input_schema } = shown;
  const read = entries.map(([id, step]) => readStep(id, step));
  return { id, org_id, input_schema, steps: read, shown };
}

function readStep(id: string, value: unknown): Step {
  const step = decode(value, STEP, "Step.steps");
  const { topic, type, route_labels, input } = step;
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
  ].join(", ");
  need(missing === "", `devcore does not implement steps with ${missing}`);
  return { ...step, id };
}

/**
 * The path of a template that is a whole value and leads to an input or output;
 * the platform evaluates others, too.
 */
export function templatePath(text: string): string[] | undefined {
  return /^\$\{((?:input|steps)(?:\.[\w-]+)*)\}$/.exec(text)?.[1]?.split(".");
}

/** Every string in a value. */
export function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (!isObject(value) && !Array.isArray(value)) return [];
  return Object.values(value).flatMap(textsOf);
}
