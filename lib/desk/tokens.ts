/**
 * One-time tokens in the desk's forms: whoever sends one has read this very
 * message on a page of this very process, as this person, a while ago at most.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** What a token is good for. */
export interface Subject {
  /** What it lets somebody do. */
  verb: "approved" | "rejected";
  jobId: string;
  /** Of the message, or empty for a job without one. */
  digest: string;
  /** Where it will go, or empty if nobody can tell. */
  place: string;
  /** Of the evidence; empty where it does not matter. */
  evidence: string;
  person: string;
}

/** Why a token is not good. */
export type TokenProblem = "used" | "old" | "foreign";

/** Nobody reads longer, and then it may all have changed. */
const VALID_MS = 60 * 60_000;
const USED_MAX = 10_000;
const PATTERN = /^(\d{13})\.([\w-]{22})\.([\w-]{43})$/;

/** Issues tokens and takes each of them once. */
export class Tokens {
  readonly #key = randomBytes(32);
  /** By nonce, until when each would be valid; the oldest first. */
  readonly #used = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  issue(subject: Subject): string {
    const head = `${this.#now() + VALID_MS}.${
      randomBytes(16).toString("base64url")
    }`;
    return `${head}.${this.#seal(head, subject)}`;
  }

  /** Takes a token. @returns Why it is not good, if it is not. */
  redeem(token: string, subject: Subject): TokenProblem | undefined {
    const [, until = "", nonce = "", seal = ""] = PATTERN.exec(token) ?? [];
    const expected = this.#seal(`${until}.${nonce}`, subject);
    if (
      seal.length !== expected.length ||
      !timingSafeEqual(Buffer.from(seal), Buffer.from(expected))
    ) return "foreign";
    const now = this.#now();
    if (Number(until) <= now) return "old";
    if (this.#used.has(nonce)) return "used";
    for (const [old, end] of this.#used) {
      if (end > now && this.#used.size < USED_MAX) break;
      this.#used.delete(old);
    }
    this.#used.set(nonce, Number(until));
    return undefined;
  }

  /** JSON keeps the parts apart, whatever they hold. */
  #seal(head: string, subject: Subject): string {
    const { verb, jobId, digest, place, evidence, person } = subject;
    const parts = [head, verb, jobId, digest, place, evidence, person];
    const text = JSON.stringify(parts);
    return createHmac("sha256", this.#key).update(text).digest("base64url");
  }
}
