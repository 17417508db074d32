/**
 * Kinds of evidence in a case, and what a reader makes of them. Types only.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import type { Finding, Question } from "../../lib/evidence/collector.ts";
import type { Subject } from "../../lib/evidence/subject.ts";

/** What one collector answers to one question. */
export interface Reply {
  /** Its name, as look-ups have it. */
  readonly collector: string;
  readonly question: Question;
  readonly findings: readonly Finding[];
}

/** What readers know beside the evidence. */
export interface Looking {
  readonly subject: Subject;
  readonly now: Date;
  /** All of the alert's words. */
  readonly said: string;
}

/** One kind of evidence. */
export interface Kind {
  readonly name: string;
  readonly value: JsonObject;
}

/** Takes the kinds that it can read. */
export type Reader = (
  kinds: readonly Kind[],
  looking: Looking,
) => { read: readonly Kind[]; replies: readonly Reply[] };
