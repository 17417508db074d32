/**
 * A summary before it is stored. Types only.
 *
 * @module
 */
import type { Claim } from "../incident.ts";

export interface Draft {
  /** What is happening, one or two sentences. */
  lead: string;
  /** What it rests on beside the incident itself. */
  leadEvidence: string[];
  highlights: Claim[];
  actionItems: Claim[];
  /** 0 to 1: how much there was to go by. */
  confidence: number;
  model: string;
}
