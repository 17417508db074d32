/**
 * A job's request: the hash that binds an approval to it, and the form in which
 * a worker gets it. Pure.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import { clone, create, toBinary } from "@bufbuild/protobuf";
import {
  BudgetSchema,
  type JobRequest,
  JobRequestSchema,
} from "../../lib/platform/gen/cap_pb.ts";
import { sha256, sorted } from "./common.ts";
import type { RuleConstraints } from "./policy.ts";

/** The platform's label that makes an approved job a new message. */
export const BUS_ID_LABEL = "cordum.bus_msg_id";
const EFFECTIVE_CONFIG = "CORDUM_EFFECTIVE_CONFIG";

/** Hashes a request in canonical form, without what an approval itself adds. */
export function hashJob(request: JobRequest): string {
  const copy = clone(JobRequestSchema, request);
  for (const name of Object.keys(copy.labels)) {
    const isAdded = /^approval_/i.test(name) || name === BUS_ID_LABEL;
    if (isAdded) delete copy.labels[name];
  }
  delete copy.env[EFFECTIVE_CONFIG];
  copy.labels = sorted(copy.labels);
  copy.env = sorted(copy.env);
  if (copy.meta !== undefined) copy.meta.labels = sorted(copy.meta.labels);
  return sha256(toBinary(JobRequestSchema, copy));
}

/**
 * The request as a worker gets it: with the config in force, and with the
 * policy's limits both as protojson and one by one.
 */
export function constrain(
  request: JobRequest,
  constraints: RuleConstraints | null,
  effectiveConfig: string,
): JobRequest {
  const copy = clone(JobRequestSchema, request);
  const { env } = copy;
  env[EFFECTIVE_CONFIG] = effectiveConfig;
  if (constraints === null) return copy;
  env["CORDUM_POLICY_CONSTRAINTS"] = toProtojson(constraints);
  const level = constraints["redaction_level"];
  if (level !== undefined) env["CORDUM_REDACTION_LEVEL"] = String(level);
  const { max_runtime_ms = 0, ...counts } = constraints["budgets"] as Record<
    string,
    number
  >;
  for (const [name, limit] of Object.entries(counts)) {
    if (limit > 0) env[`CORDUM_${name.toUpperCase()}`] = String(limit);
  }
  // Empty if the submission had none and the rule sets no time.
  const budget = copy.budget ??= create(BudgetSchema);
  const limit = BigInt(max_runtime_ms);
  if (limit > 0n && (budget.deadlineMs === 0n || limit < budget.deadlineMs)) {
    budget.deadlineMs = limit;
  }
  return copy;
}

const INT64 = ["max_runtime_ms", "max_artifact_bytes"];

/** As the platform prints it: camelCase, 64-bit numbers as text. */
function toProtojson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toProtojson).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  const members = Object.entries(value as JsonObject).map(([name, part]) => {
    const camel = name.replace(/_./g, (pair) => pair.slice(1).toUpperCase());
    const shown = INT64.includes(name) ? String(part) : part;
    return `${JSON.stringify(camel)}:${toProtojson(shown)}`;
  });
  return `{${members.join(", ")}}`;
}
