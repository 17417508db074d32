/**
 * Checks values against the pack's schemas and against inputs composed of them,
 * so the pack needs no fifth schema. This is a file of its own so that a process
 * that checks nothing does not load the compiler.
 *
 * @module
 */
import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import { fullFormats } from "ajv-formats/dist/formats.js";
import { PACK_SCHEMAS, type PackSchemaName, type Schema } from "./schemas.ts";

/** A schema of the pack, or an input composed of several. */
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

/** Says what is wrong with a value: where, and what was expected there. */
export type Check = (value: unknown) => string | undefined;

/**
 * Compiles the check of one schema.
 *
 * @returns A function that reports the first problem by path, never by value:
 * `/evidence/0/bytes must be integer`.
 */
export function compileCheck(name: SchemaName): Check {
  const ajv = new Ajv2020({
    strict: true,
    allowUnionTypes: true,
    formats: fullFormats,
  });
  for (const [id, schema] of Object.entries(PACK_SCHEMAS)) {
    ajv.addSchema(schema, id);
  }
  const validate = ajv.compile(schemaOf(name));
  return (value) =>
    validate(value) ? undefined : describe(validate.errors?.[0]);
}

/** Compiles the check of any other schema. */
export function compileSchema(schema: Schema): Check {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
  const validate = ajv.compile(schema);
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
