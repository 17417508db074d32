/**
 * What a page is made of. Types only.
 *
 * @module
 */
import type { EvidenceText } from "../../collected.ts";
import type { EvidenceBundle } from "../../incident.ts";
import type { RedactionLevel } from "../../redact/redaction.ts";
import type { Report } from "../told.ts";

/** An address, and what it is called. */
export interface PageLink {
  label: string;
  url: string;
  /** Whether people may follow it; any other is shown as text. */
  allowed: boolean;
}

/** All that a page shows. The bundle and the report are redacted already. */
export interface PageView {
  bundle: EvidenceBundle;
  report: Report;
  /** What was read of the pieces, by id; others were not read. */
  texts: ReadonlyMap<string, EvidenceText>;
  links: readonly PageLink[];
  level: RedactionLevel;
  /** Who wrote the summary, and how much of it rests on collected evidence. */
  model: string;
  confidence: number;
  /** Artifacts beside this page: what each is, and its pointer. */
  artifacts: readonly (readonly [what: string, pointer: string])[];
  /** An address that opens an artifact; `undefined` if none is set up. */
  openUrl: (pointer: string) => string | undefined;
  /** Removes what the level forbids. */
  redact: (text: string) => string;
}

/** How much of each thing finds room. */
export interface Room {
  /** Of an excerpt. */
  excerptBytes: number;
  /** Of one text in a list. */
  chars: number;
  /** Whether evidence is quoted beside claims. */
  quotes: boolean;
}
