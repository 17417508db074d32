/**
 * The pack's JSON Schemas, the same files that the platform installs. They are
 * imported as modules, which needs no permission to read files.
 *
 * @module
 */
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

/** The pack's id, the prefix of its schemas' ids. */
export const PACK_ID = "incident-enricher";

/** The pack's four schemas by name. */
export const PACK_SCHEMAS: Readonly<Record<PackSchemaName, Schema>> = {
  IncidentInput: incidentInput,
  EvidenceBundle: evidenceBundle,
  Summary: summary,
  PostResult: postResult,
};

/** Names of the pack's schemas. */
export type PackSchemaName =
  | "IncidentInput"
  | "EvidenceBundle"
  | "Summary"
  | "PostResult";
