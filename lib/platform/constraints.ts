/**
 * The limits that policy puts on one job. Pure.
 *
 * The scheduler passes them in the job's environment, as protojson under the
 * platform's old or new prefix. An unreadable limit fails the job, because an
 * ignored limit is none.
 *
 * @module
 */
import { JobError } from "../base/errors.ts";
import { isObject, type JsonObject, parseJson } from "../base/json.ts";
import type { RedactionLevel } from "../redact/redaction.ts";
import { REDACTION_LEVELS } from "../removed.ts";

/** The limits that a worker obeys. */
export interface Constraints {
  /** The strictest given level, or `standard`. */
  readonly redactionLevel: RedactionLevel;
  /** The longest artifact, in bytes. */
  readonly artifactBytesMax: number;
  /** Hosts, perhaps with ports, or `undefined` if policy names none. */
  readonly networkAllowlist: readonly string[] | undefined;
  /** The longest run time, or `undefined`. */
  readonly runtimeMsMax: number | undefined;
}

/** The longest artifact unless policy sets a lower limit. */
export const ARTIFACT_BYTES_MAX = 8 * 1024 * 1024;

const PREFIXES = ["CORETEX_", "CORDUM_"];

/** @throws {JobError} `JOB_CONSTRAINTS_INVALID` names the wrong part. */
export function readConstraints(
  env: Readonly<Record<string, string>>,
): Constraints {
  const get = (name: string) =>
    PREFIXES.map((prefix) => env[prefix + name]).find((value) =>
      value !== undefined && value !== ""
    );
  const document = parseObject(get("POLICY_CONSTRAINTS") ?? "{}");
  const given = readDocument(document, (name) => name);
  const bytes = number(get("MAX_ARTIFACT_BYTES"), "MAX_ARTIFACT_BYTES");
  return {
    ...given,
    redactionLevel: strictest([
      given.redactionLevel,
      level(get("REDACTION_LEVEL"), "REDACTION_LEVEL"),
    ]),
    artifactBytesMax: Math.min(given.artifactBytesMax, bytes ?? Infinity),
  };
}

/**
 * Reads the constraints from a job's record, where the gateway writes them with
 * underscores. Nobody on the bus can have changed these.
 *
 * @param record `GET /api/v1/jobs/{id}`, unchecked.
 * @throws {JobError} `JOB_CONSTRAINTS_INVALID` names the wrong part.
 */
export function readRecordedConstraints(
  record: Readonly<JsonObject>,
): Constraints {
  const snakeCase = (name: string) =>
    name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const given = readDocument(object(record, "safety_constraints"), snakeCase);
  return { ...given, redactionLevel: strictest([given.redactionLevel]) };
}

/** Constraints that satisfy both. */
export function stricter(a: Constraints, b: Constraints): Constraints {
  const hosts = [a.networkAllowlist, b.networkAllowlist];
  const [one, other] = hosts.filter((list) => list !== undefined);
  const times = [a.runtimeMsMax, b.runtimeMsMax].filter((ms) =>
    ms !== undefined
  );
  return {
    redactionLevel: strictest([a.redactionLevel, b.redactionLevel]),
    artifactBytesMax: Math.min(a.artifactBytesMax, b.artifactBytesMax),
    networkAllowlist: other === undefined
      ? one
      : one!.filter((host) => other.includes(host)),
    runtimeMsMax: times.length === 0 ? undefined : Math.min(...times),
  };
}

type Given = Omit<Constraints, "redactionLevel"> & {
  redactionLevel: RedactionLevel | undefined;
};

/** @param spell Turns a field's camelCase name into the document's spelling. */
function readDocument(
  document: JsonObject,
  spell: (name: string) => string,
): Given {
  const field = (parent: string, name: string) =>
    [object(document, parent)[spell(name)], `${parent}.${name}`] as const;
  const bytes = number(...field("budgets", "maxArtifactBytes"));
  return {
    redactionLevel: level(document[spell("redactionLevel")], "redactionLevel"),
    artifactBytesMax: Math.min(ARTIFACT_BYTES_MAX, bytes ?? Infinity),
    networkAllowlist: strings(...field("sandbox", "networkAllowlist")),
    runtimeMsMax: number(...field("budgets", "maxRuntimeMs")),
  };
}

function strictest(levels: (RedactionLevel | undefined)[]): RedactionLevel {
  const given = levels.filter((level) => level !== undefined);
  if (given.length === 0) return "standard";
  return given.reduce((a, b) =>
    REDACTION_LEVELS.indexOf(b) > REDACTION_LEVELS.indexOf(a) ? b : a
  );
}

function parseObject(text: string): JsonObject {
  const value = parseJson(text);
  if (value === undefined) throw invalid("POLICY_CONSTRAINTS", "JSON");
  return asObject(value, "POLICY_CONSTRAINTS");
}

function object(parent: JsonObject, name: string): JsonObject {
  const value = parent[name];
  return value === undefined || value === null ? {} : asObject(value, name);
}

function asObject(value: unknown, name: string): JsonObject {
  if (isObject(value)) return value;
  throw invalid(name, "an object");
}

/** Protojson writes 64-bit numbers as strings; absent and 0 both mean none. */
function number(value: unknown, name: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  const given = typeof value === "string" && /^\d{1,16}$/.test(value)
    ? Number(value)
    : value;
  if (typeof given !== "number" || !Number.isSafeInteger(given) || given < 0) {
    throw invalid(name, "a whole number");
  }
  return given === 0 ? undefined : given;
}

function strings(value: unknown, name: string): string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) {
    return value.length === 0 ? undefined : value;
  }
  throw invalid(name, "a list of strings");
}

function level(value: unknown, name: string): RedactionLevel | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const found = REDACTION_LEVELS.find((level) =>
    level === String(value).trim().toLowerCase()
  );
  if (found !== undefined) return found;
  throw invalid(name, `one of ${REDACTION_LEVELS.join(", ")}`);
}

function invalid(name: string, expected: string): JobError {
  return new JobError(
    "JOB_CONSTRAINTS_INVALID",
    `Cannot read the policy's constraint ${name}: expected ${expected}`,
  );
}
