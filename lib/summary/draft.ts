/**
 * A summary before it is stored. Types only.
 *
 * @module
 */
import type { Claim } from "../incident.ts";
import type { Report } from "../message/told.ts";

export interface Draft {
  /** One or two sentences about the current situation. */
  lead: string;
  /** The lead's citations beside the incident itself. */
  leadEvidence: string[];
  highlights: Claim[];
  actionItems: Claim[];
  /** 0 to 1, by the amount of evidence. */
  confidence: number;
  model: string;
  /** What the rules tell; the message shows nothing else. */
  report: Report;
}
