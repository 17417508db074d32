/**
 * Kinds of evidence in a case, and what a reader makes of them. Pure.
 *
 * @module
 */
import { isObject, type JsonObject, stringOf } from "../../lib/base/json.ts";
import type { Finding, Question } from "../../lib/evidence/collector.ts";
import type { Limit } from "../../lib/evidence/course.ts";
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

/** The objects of a list; none of anything else. */
export function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** Whose a kind is, by how its name begins: `argocd` for `argocd_syncs`. */
export function collectorOf({ name }: Kind, otherwise: string): string {
  return name.split("_")[0]!.replace(/[^a-z0-9-]/g, "") || otherwise;
}

/** The limit that a kind states beside its numbers. */
export function limitOf(
  { limit, operator = ">" }: JsonObject,
): Limit | undefined {
  return typeof limit === "number"
    ? { operator: stringOf(operator), value: limit }
    : undefined;
}
