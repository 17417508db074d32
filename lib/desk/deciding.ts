/**
 * Decisions of people at the desk: everything is read again before anything is
 * done, and of two people the first one decides.
 *
 * @module
 */
import { OutsideError } from "../base/errors.ts";
import { errorFields, type Log } from "../base/log.ts";
import { type JsonObject, stringOf, textOf } from "../base/json.ts";
import { printable } from "../base/text.ts";
import { reject } from "../operate/approvals.ts";
import { approveLooked, describeDecision, placeOf } from "../operate/decide.ts";
import {
  type Decision,
  isRecorded,
  noteDecision,
  REASON_CHARS_MAX,
} from "../operate/decisions.ts";
import { OperationError } from "../operate/errors.ts";
import { POST_TOPIC } from "../operate/pack.ts";
import type { Operator } from "../operate/operator.ts";
import type { Pieces } from "../operate/pieces.ts";
import type { BoardSource } from "./board.ts";
import { type Reading, readPost } from "./reading.ts";
import { DeskRefusal, notFound } from "./refusal.ts";
import type { DecisionRate } from "./rate.ts";
import type { Subject, TokenProblem, Tokens } from "./tokens.ts";

export interface DecidingParts {
  operator: Operator;
  source: BoardSource;
  pieces: Pieces;
  tokens: Tokens;
  rate: DecisionRate;
  log: Log;
  /** Whether the platform may record a key in place of a person. */
  goesByKey: () => Promise<boolean>;
}

/** What a form says. */
export interface Wish {
  verb: Decision["verb"];
  jobId: string;
  person: string;
  form: URLSearchParams;
}

/** What a token on the page of this post is good for. */
export function subjectOf(
  { facts: { jobId }, waiting, digest = "", evidenceDigest }: Reading,
  { verb, person }: Pick<Wish, "verb" | "person">,
): Subject {
  const place = placeOf(waiting?.looked.whereto) ?? "";
  // What cannot be read can be rejected all the same.
  const evidence = verb === "approved" ? evidenceDigest : "";
  return { verb, jobId, digest, place, evidence, person };
}

/** Decides, one after the other for each job. */
export class Deciding {
  readonly #parts: DecidingParts;
  readonly #turns = new Map<string, Promise<unknown>>();
  /** Who decided here; the platform may only know a key. */
  readonly #decided = new Map<string, Decision>();

  constructor(parts: DecidingParts) {
    this.#parts = parts;
  }

  /** Who decided about a job at this desk, as its record is now. */
  async of(jobId: string, record: JsonObject): Promise<Decision | undefined> {
    const known = this.#decided.get(jobId);
    if (known === undefined) return undefined;
    const goesByKey = await this.#parts.goesByKey();
    return isRecorded(known, record, goesByKey) ? known : undefined;
  }

  /**
   * Does what a form asks for.
   *
   * @throws {DeskRefusal} Says in words why it was not done.
   */
  async decide(wish: Wish): Promise<void> {
    const { rate } = this.#parts;
    const waitS = rate.take(wish.person);
    if (waitS !== undefined) throw tooOften(waitS);
    const { jobId } = wish;
    const before = this.#turns.get(jobId) ?? Promise.resolve();
    const turn = before.catch(() => {}).then(() => this.#decide(wish));
    this.#turns.set(jobId, turn);
    try {
      await turn;
    } finally {
      if (this.#turns.get(jobId) === turn) this.#turns.delete(jobId);
    }
  }

  async #decide(wish: Wish): Promise<void> {
    const { operator, source, pieces, tokens } = this.#parts;
    const { jobId, person, form, verb } = wish;
    const reason = readReason(wish);
    const reading = await readPost(operator, pieces, {
      jobId,
      person,
      source,
    });
    if (reading === undefined) throw notFound();
    const { waiting, obstacles } = reading;
    if (waiting === undefined) throw await this.#lost(wish);
    if (verb === "approved" && obstacles.length > 0) {
      throw new DeskRefusal(409, "Nothing was approved", obstacles.join(". "));
    }
    const problem = tokens.redeem(
      form.get("token") ?? "",
      subjectOf(reading, wish),
    );
    if (problem !== undefined) throw badToken(problem, reading, form);
    const own: Operator = {
      ...operator,
      platform: operator.platform.as(person),
    };
    const done = verb === "approved"
      ? await refusing(approveLooked(own, waiting.looked, person))
      : await refusing(reject(own.platform, jobId, reason));
    if (!done) throw await this.#lost(wish);
    await this.#note(reading, wish, reason);
  }

  /** Somebody else was faster; says who. */
  async #lost({ jobId, person }: Wish): Promise<DeskRefusal> {
    const { platform } = this.#parts.operator;
    const known = await this.of(jobId, await platform.job(jobId));
    if (known?.by === person) {
      return new DeskRefusal(
        409,
        "You decided it already",
        `You ${known.verb} it at this desk. This form changed nothing.`,
      );
    }
    const text = known === undefined
      ? await describeDecision(platform, jobId)
      : `${known.by} ${known.verb} it at this desk before you`;
    return new DeskRefusal(
      409,
      "Somebody else decided it",
      `${text}. Nothing was done for you.`,
    );
  }

  /** What was decided stays decided, whether or not it can be noted. */
  async #note(
    { facts, waiting }: Reading,
    { verb, jobId, person }: Wish,
    reason: string,
  ): Promise<void> {
    const { operator, log } = this.#parts;
    const { post } = waiting!.looked;
    const decision: Decision = {
      at: new Date().toISOString(),
      ...{ jobId, verb, by: person },
      incidentId: facts.incidentId,
      severity: facts.severity,
      headline: printable(post.headline || facts.title, 300),
      ...verb === "rejected" ? { reason } : {},
      ...verb === "approved" && operator.signingKey !== undefined
        ? { key: operator.signingKey.id }
        : {},
    };
    this.#decided.set(jobId, decision);
    for (const old of this.#decided.keys()) {
      if (this.#decided.size <= DECIDED_MAX) break;
      this.#decided.delete(old);
    }
    log.info("Decided", { job: jobId, verb, by: person });
    try {
      await noteDecision(operator.platform, decision);
    } catch (error) {
      log.warn("Cannot note a decision", errorFields(error));
    }
  }
}

const DECIDED_MAX = 500;

/** What the platform or our own checks refuse is no failure of the desk. */
async function refusing<T>(deciding: Promise<T>): Promise<T> {
  try {
    return await deciding;
  } catch (error) {
    if (error instanceof OperationError) {
      throw new DeskRefusal(409, "Nothing was decided", `${error.message}.`);
    }
    if (!(error instanceof OutsideError)) throw error;
    throw new DeskRefusal(
      503,
      "It is not known whether it was decided",
      `${error.message}. Load the page of the post again: it says whether it still waits.`,
    );
  }
}

function readReason({ verb, form }: Wish): string {
  if (verb === "approved") return "";
  const reason = textOf(
    printable(form.get("reason") ?? "", Infinity),
    Infinity,
  );
  if (reason !== undefined && reason.length <= REASON_CHARS_MAX) return reason;
  throw new DeskRefusal(
    422,
    "Say why you reject it",
    `A reason of 1 to ${REASON_CHARS_MAX} characters is needed; the platform records it. Nothing was rejected.`,
  );
}

function tooOften(waitS: number): DeskRefusal {
  return new DeskRefusal(
    429,
    "That was too fast",
    `Nothing was decided. Go on in ${waitS} s: the platform's requests are everybody's.`,
    { "Retry-After": String(waitS) },
  );
}

const TOKEN_PROBLEMS: Readonly<Record<TokenProblem, string>> = {
  used:
    "This form was sent before. Load the page again: it says what came of it.",
  old: "The page was open for more than an hour. Read it again, then decide.",
  foreign:
    "The page is from before the desk was started anew, or from somebody else. Read it again, then decide.",
};

function badToken(
  problem: TokenProblem,
  { facts, digest = "", waiting, evidenceDigest }: Reading,
  form: URLSearchParams,
): DeskRefusal {
  const what = (form.get("digest") ?? "") !== digest
    ? "The message"
    : (form.get("place") ?? "") !== (placeOf(waiting?.looked.whereto) ?? "")
    ? "Where it will go"
    : (form.get("evidence") ?? "") !== evidenceDigest
    ? "The evidence"
    : undefined;
  const changed = problem === "foreign" && what !== undefined &&
    stringOf(facts.topic) === POST_TOPIC;
  return new DeskRefusal(
    409,
    "Nothing was decided",
    changed
      ? `${what} changed while you read it. Read it again, then decide.`
      : TOKEN_PROBLEMS[problem],
  );
}
