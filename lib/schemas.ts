/**
 * The pack's JSON Schemas as checks.
 *
 * They are imported as modules, which needs no permission to read files, and
 * are the same files that the platform installs. The composed inputs of the
 * later steps are built here from the same four: there is no fifth resource.
 *
 * @module
 */
import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import evidenceBundle from "../pack/schemas/EvidenceBundle.json" with {
  type: "json",
};
import incidentInput from "../pack/schemas/IncidentInput.json" with {
  type: "json",
};
import postResult from "../pack/schemas/PostResult.json" with { type: "json" };
import summary from "../pack/schemas/Summary.json" with { type: "json" };

/** A JSON Schema, draft 2020-12. */
export type Schema = Record<string, unknown>;

/** The pack's id, which its schemas' ids begin with. */
export const PACK_ID = "incident-enricher";

/** The pack's four schemas by name. */
export const PACK_SCHEMAS: Readonly<Record<PackSchemaName, Schema>> = {
  IncidentInput: incidentInput,
  EvidenceBundle: evidenceBundle,
  Summary: summary,
  PostResult: postResult,
};

/** A schema of the pack. */
export type PackSchemaName =
  | "IncidentInput"
  | "EvidenceBundle"
  | "Summary"
  | "PostResult";

/** A schema of the pack, or an input composed of them. */
export type SchemaName = PackSchemaName | "SummarizeInput" | "PostInput";

const COMPOSED: Readonly<
  Record<string, Readonly<Record<string, PackSchemaName>>>
> = {
  SummarizeInput: { evidence: "EvidenceBundle" },
  PostInput: {
    incident: "IncidentInput",
    evidence: "EvidenceBundle",
    summary: "Summary",
  },
};

/** What is wrong with a value: where, and what was expected there. */
export type Check = (value: unknown) => string | undefined;

/**
 * Compiles the check of one schema.
 *
 * @returns A function that says the first thing that is wrong, by path and
 * never by value: `/evidence/0/bytes must be integer`.
 */
export function compileCheck(name: SchemaName): Check {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
  addFormats.default(ajv);
  for (const [id, schema] of Object.entries(PACK_SCHEMAS)) {
    ajv.addSchema(schema, id);
  }
  const validate = ajv.compile(schemaOf(name));
  return (value) =>
    validate(value) ? undefined : describe(validate.errors?.[0]);
}

function schemaOf(name: SchemaName): Schema {
  const parts = COMPOSED[name];
  if (parts === undefined) return { $ref: name };
  const properties = Object.fromEntries(
    Object.entries(parts).map(([key, part]) => [key, { $ref: part }]),
  );
  return {
    type: "object",
    additionalProperties: false,
    required: Object.keys(parts),
    properties,
  };
}

function describe(error: ErrorObject | undefined): string {
  if (error === undefined) return "does not match its schema";
  const { instancePath, message = "is wrong", keyword, params } = error;
  const path = instancePath === "" ? "/" : instancePath;
  if (keyword === "additionalProperties") {
    return `${path} must not have "${params["additionalProperty"]}"`;
  }
  if (keyword === "enum") {
    const values = (params["allowedValues"] as unknown[]).join(", ");
    return `${path} must be one of ${values}`;
  }
  return `${path} ${message}`;
}
