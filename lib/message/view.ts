/**
 * All that a message shows, before it is laid out. Types only.
 *
 * @module
 */
import type { EvidenceItem, NormalizedContext } from "../incident.ts";
import type { Link } from "./block_kit.ts";
import type { Address } from "./links.ts";
import type { Report } from "./told.ts";

export interface ReportView extends Report {
  incidentId: string;
  context: NormalizedContext;
  evidence: readonly EvidenceItem[];
  /** What was looked up in vain or not at all; quotes what it repeats. */
  lookedUp?: string;
  /** What redaction has removed, in our own words. */
  removed?: string;
  links: readonly Link[];
  addresses: readonly Address[];
  /** Where people open an artifact. */
  openUrl: (pointer: string) => string | undefined;
}
