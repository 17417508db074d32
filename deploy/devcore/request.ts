/**
 * Job requests as the scheduler changes and hashes them. Pure.
 *
 * @module
 */
import { clone, create, toBinary } from "@bufbuild/protobuf";
import { createHash } from "node:crypto";
import {
  BudgetSchema,
  type JobRequest,
  JobRequestSchema,
} from "../../lib/platform/gen/cap_pb.ts";
import { byBytes, type Json } from "./common.ts";
import type { RuleConstraints } from "./policy.ts";

/** The label that makes an approved job a new message; the platform's own. */
export const BUS_ID_LABEL = "cordum.bus_msg_id";
const EFFECTIVE_CONFIG = "CORDUM_EFFECTIVE_CONFIG";

/**
 * The hash that binds an approval to a job: of the request without what an
 * approval itself adds, in canonical form.
 */
export function hashJob(request: JobRequest): string {
  const copy = clone(JobRequestSchema, request);
  copy.labels = sorted(
    copy.labels,
    (name) => !/^approval_/i.test(name) && name !== BUS_ID_LABEL,
  );
  copy.env = sorted(copy.env, (name) => name !== EFFECTIVE_CONFIG);
  if (copy.meta !== undefined) copy.meta.labels = sorted(copy.meta.labels);
  return createHash("sha256").update(toBinary(JobRequestSchema, copy))
    .digest("hex");
}

function sorted(
  map: Readonly<Record<string, string>>,
  keeps: (name: string) => boolean = () => true,
): Record<string, string> {
  const kept = Object.entries(map).filter(([name]) => keeps(name));
  return Object.fromEntries(kept.toSorted(([a], [b]) => byBytes(a, b)));
}

/**
 * The request as a worker gets it: with the config in force, and with the
 * policy's limits as protojson and one by one.
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
  const budgets = constraints["budgets"] as Record<string, number>;
  const counts = ["max_artifact_bytes", "max_concurrent_jobs", "max_retries"];
  for (const name of counts) {
    const limit = budgets[name];
    if (limit! > 0) env[`CORDUM_${name.toUpperCase()}`] = String(limit);
  }
  // Empty where the submission had none and the rule sets no time.
  const budget = copy.budget ??= create(BudgetSchema);
  const limit = BigInt(budgets["max_runtime_ms"] ?? 0);
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
  const members = Object.entries(value as Json).map(([name, part]) => {
    const camel = name.replace(/_./g, (pair) => pair.slice(1).toUpperCase());
    const shown = INT64.includes(name) ? String(part) : part;
    return `${JSON.stringify(camel)}:${toProtojson(shown)}`;
  });
  return `{${members.join(", ")}}`;
}
