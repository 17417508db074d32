/**
 * Workflow definitions: decoding them as the platform does, and refusing by
 * name what this stand-in's engine cannot do. Pure.
 *
 * @module
 */
import { isObject, type Json, Refusal } from "./common.ts";

/** The Go types of a step's fields; what is not listed is dropped. */
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

/** A workflow's other fields. */
const WORKFLOW = {
  org_id: "string",
  team_id: "string",
  name: "string",
  description: "string",
  version: "string",
  timeout_sec: "int64",
  created_by: "string",
  input_schema: "map[string]interface {}",
} as const;

interface GoTypes {
  string: string;
  int64: number;
  float64: number;
  "[]string": string[];
  "map[string]string": Record<string, string>;
  "map[string]interface {}": Json;
}

type Fields = { readonly [name: string]: keyof GoTypes | Fields };
type Decoded<F> = {
  -readonly [N in keyof F]?: F[N] extends keyof GoTypes ? GoTypes[F[N]]
    : Decoded<F[N]>;
};

/** A step as a pack writes it. */
export type Step = Decoded<typeof STEP> & {
  id: string;
  name: string;
  type: string;
};

/** A workflow as the gateway shows it. */
export interface Workflow extends Decoded<typeof WORKFLOW> {
  id: string;
  steps: Record<string, Step>;
  created_at: string;
  updated_at: string;
}

const UNSUPPORTED_FIELDS = [
  "condition",
  "for_each",
  "max_parallel",
  "output_path",
  "delay_sec",
  "delay_until",
  "worker_id",
];
const UNSUPPORTED_TYPES = ["approval", "condition", "delay", "notify"];

/**
 * Reads a workflow: wrong types are refused in the platform's words, unknown
 * keys dropped.
 *
 * @param id The manifest's, which wins over the file's.
 * @throws {Refusal}
 */
export function readWorkflow(file: Json, id: string, now: string): Workflow {
  const steps =
    decode(file, { steps: "map[string]interface {}" }, "Workflow").steps ?? {};
  return {
    id,
    org_id: "",
    team_id: "",
    name: "",
    description: "",
    version: "",
    timeout_sec: 0,
    created_by: "",
    ...decode(file, WORKFLOW, "Workflow"),
    steps: Object.fromEntries(
      Object.entries(steps).map(([id, step]) => [id, readStep(id, step)]),
    ),
    created_at: now,
    updated_at: now,
  };
}

function readStep(id: string, value: unknown): Step {
  if (!isObject(value)) throw misfit(value, "Workflow.steps", "workflow.Step");
  const step = decode(value, STEP, "Step.steps");
  const missing = (what: string) =>
    new Refusal(400, `devcore does not implement steps with ${what}`);
  for (const field of UNSUPPORTED_FIELDS) {
    if (value[field] !== undefined) throw missing(field);
  }
  if (UNSUPPORTED_TYPES.includes(step.type ?? "")) {
    throw missing(`type ${step.type}`);
  }
  for (const label of Object.keys(step.route_labels ?? {})) {
    if (/^(preferred_|mcp)/.test(label)) throw missing(`label ${label}`);
  }
  for (const text of textsOf(step.input)) {
    if (text.includes("${") && templatePath(text) === undefined) {
      throw missing(`the template ${text}`);
    }
  }
  return { name: "", type: "", ...step, id };
}

/**
 * The path of a template that is a whole value and leads to an input or an
 * output. The platform evaluates more, but gives no plainer answer.
 */
export function templatePath(text: string): string[] | undefined {
  const path = /^\s*\$\{\s*((?:input|steps|ctx)(?:\.[\w-]+)*)\s*\}\s*$/
    .exec(text)?.[1];
  return path?.split(".");
}

function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsOf);
}

function decode<F extends Fields>(
  from: Json,
  fields: F,
  path: string,
): Decoded<F> {
  const decoded: Json = {};
  for (const [name, type] of Object.entries(fields)) {
    const value = from[name];
    if (value === undefined || value === null) continue;
    const place = `${path}.${name}`;
    const isNested = typeof type !== "string";
    if (!isOfType(value, isNested ? "map[string]interface {}" : type)) {
      throw misfit(value, place, isNested ? `workflow.${name}` : type);
    }
    decoded[name] = isNested ? decode(value as Json, type, place) : value;
  }
  return decoded as Decoded<F>;
}

function isOfType(value: unknown, type: keyof GoTypes): boolean {
  const isText = (item: unknown) => typeof item === "string";
  switch (type) {
    case "string":
      return isText(value);
    case "int64":
      return Number.isInteger(value);
    case "float64":
      return typeof value === "number";
    case "[]string":
      return Array.isArray(value) && value.every(isText);
    case "map[string]string":
      return isObject(value) && Object.values(value).every(isText);
    case "map[string]interface {}":
      return isObject(value);
  }
}

function misfit(value: unknown, place: string, type: string): Refusal {
  const got = Array.isArray(value) ? "array" : typeof value;
  return new Refusal(
    400,
    `json: cannot unmarshal ${got} into Go struct field ${place} of type ${type}`,
  );
}
