/**
 * The meaning of the gateway's unsuccessful answers.
 *
 * @module
 */
import { InputRefusedError, OutsideError } from "../base/errors.ts";
import { isTooLong, type Outcome } from "../base/http.ts";
import { type JsonObject, objectOf, parseJson } from "../base/json.ts";
import { shorten } from "../base/text.ts";

/** Further facts about a failure. */
export interface Traits {
  /** It came from a proxy or router and says nothing about the gateway. */
  foreign?: boolean;
  /** The gateway did nothing: it was out of reach, or too busy to look. */
  harmless?: boolean;
  /** This process will never reach it. */
  hopeless?: boolean;
  /** It is JSON with an error and its status, as only Cordum 1.0 gives it. */
  structured?: boolean;
  /** The answer exceeds the caller's bound, and will again. */
  tooLong?: boolean;
}

const ERROR_CHARS_MAX = 300;
/** A proxy's page, and routers' answers when they cannot find the gateway. */
const FOREIGN = /^\s*(?:<|(?:404 page not found|default backend - 404)\s*$)/i;
/** The platform's own "not found" is in lower case. */
const FOREIGN_NOT_FOUND = /^Not Found\s*$/;

/** The gateway refused a call, or the call did not reach it. */
export class GatewayError extends OutsideError {
  override name = "GatewayError";
  /** The HTTP status, or 0 if there was no answer. */
  readonly status: number;
  /** The platform's own words or code, shortened. */
  readonly detail: string;
  readonly #traits: Traits;

  /** @param message Names the route, never its parameters. */
  constructor(
    message: string,
    status: number,
    detail: string,
    traits: Traits = {},
  ) {
    super(message);
    this.status = status;
    this.detail = detail;
    this.#traits = traits;
  }

  /** The same failure in other words. */
  reworded(message: string): GatewayError {
    return new GatewayError(message, this.status, this.detail, this.#traits);
  }

  /** The 404 of a proxy or router in front says nothing about jobs or runs. */
  override get missing(): boolean {
    return this.status === 404 && !this.#traits.foreign;
  }

  /** A proxy or router in front gave the answer. */
  get foreign(): boolean {
    return this.#traits.foreign === true;
  }

  /** Whether it is an answer such as only Cordum 1.0 gives. */
  get isStructured(): boolean {
    return this.#traits.structured === true;
  }

  /** The answer is longer than the caller takes. */
  get tooLong(): boolean {
    return this.#traits.tooLong === true;
  }

  override get refusesKey(): boolean {
    return this.status === 401 || this.status === 403;
  }

  /**
   * The platform will never accept this input. No other 400 may lose an alert: a
   * TLS port also answers plain HTTP with a 400.
   */
  get refusesInput(): boolean {
    return this.status === 400 && !this.#traits.foreign &&
      /\b(?:schema|validation|invalid)\b/i.test(this.detail);
  }

  /** There was no answer, or one that says nothing about the next attempt. */
  get unavailable(): boolean {
    if (this.tooLong) return false;
    // 501: this gateway does not have the route and never will.
    return this.status === 0 || this.status === 429 ||
      (this.status >= 500 && this.status !== 501);
  }

  /** Whether another attempt is safe and may help. */
  mayRetry(repeatable: boolean): boolean {
    const { hopeless, harmless } = this.#traits;
    return !hopeless && (harmless || (repeatable && this.unavailable));
  }
}

export function malformed(route: string, problem: string): GatewayError {
  return new GatewayError(`Cannot call ${route}: ${problem}`, 200, "");
}

/** Turns a refusal of the input into {@linkcode InputRefusedError}. */
export function refuseInput(error: unknown): never {
  const isRefusal = error instanceof GatewayError && error.refusesInput;
  throw isRefusal ? new InputRefusedError(error.message) : error;
}

/** @throws {GatewayError} Unless the status is 2xx and the body JSON or empty. */
export function readAnswer(route: string, outcome: Outcome): unknown {
  if (outcome.outcome !== "answered") {
    const { reason } = outcome;
    const harmless = outcome.outcome === "not sent";
    const hopeless = harmless && outcome.hopeless === true;
    const traits = { harmless, hopeless, tooLong: isTooLong(outcome) };
    throw new GatewayError(
      `Cannot call ${route}: ${reason}`,
      0,
      reason,
      traits,
    );
  }
  const { status, body } = outcome;
  const text = new TextDecoder().decode(body);
  if (status < 200 || status > 299) {
    const answer = objectOf(parseJson(text));
    const detail = errorDetail(text, answer);
    const said = detail === "" ? "" : ` (${detail})`;
    throw new GatewayError(
      `Cannot call ${route}: got status ${status}, expected 2xx${said}`,
      status,
      detail,
      {
        harmless: status === 429,
        foreign: isForeign(text, answer),
        structured: typeof answer?.["error"] === "string" &&
          answer["status"] === status,
      },
    );
  }
  if (text === "") return undefined;
  // The header does not count: some routes send JSON as text/plain.
  const answer = parseJson(text);
  if (answer !== undefined) return answer;
  const message = `Cannot call ${route}: the answer is not JSON`;
  throw new GatewayError(message, status, "not JSON");
}

/** A JSON error of the platform itself always has an `error`. */
function isForeign(text: string, answer: JsonObject | undefined): boolean {
  if (FOREIGN.test(text) || FOREIGN_NOT_FOUND.test(text)) return true;
  return answer !== undefined && typeof answer["error"] !== "string";
}

/** Old platforms answer with a line of text, Cordum 1.0 with `{error, code}`. */
function errorDetail(text: string, answer: JsonObject | undefined): string {
  const { error, code } = answer ?? {};
  // A proxy's HTML page adds nothing to its status.
  const line = /^\s*</.test(text) ? "" : text;
  const detail = typeof error !== "string"
    ? line
    : typeof code === "string"
    ? `${code}: ${error}`
    : error;
  // It is logged, so it must not move a terminal's cursor.
  return shorten(detail.replace(/[\s\p{Cc}]+/gu, " ").trim(), ERROR_CHARS_MAX);
}
