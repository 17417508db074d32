/**
 * What the gateway's answers mean when they are not what was asked for.
 *
 * @module
 */
import { InputRefusedError, OutsideError } from "../base/errors.ts";
import type { Outcome } from "../base/http.ts";
import { objectOf } from "../base/json.ts";
import { shorten } from "../base/text.ts";

/** What more is known about a failure. */
export interface Traits {
  /** It came from a proxy or router, which says nothing about the gateway. */
  foreign?: boolean;
  /** The gateway did nothing: it was not reached, or too busy to look. */
  harmless?: boolean;
  /** This process will never reach it. */
  hopeless?: boolean;
}

const ERROR_CHARS_MAX = 300;
/** A proxy's page, and what routers answer for a gateway they cannot find. */
const FOREIGN =
  /^\s*(?:<|(?:404 page not found|default backend - 404)\s*$)|^Not Found\s*$/;

/** A call that the gateway refused, or that did not reach it. */
export class GatewayError extends OutsideError {
  /** The class, for logs. */
  override name = "GatewayError";
  /** The HTTP status, or 0 if there was no answer. */
  readonly status: number;
  /** The platform's own words or code, shortened. */
  readonly detail: string;
  readonly #traits: Traits;

  /** Its `message` names the route, never its parameters. */
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

  /**
   * The platform itself says that there is no such thing. The 404 of a proxy
   * or router in front of it says nothing about jobs or runs.
   */
  override get missing(): boolean {
    return this.status === 404 && !this.#traits.foreign;
  }

  /** The platform refuses the API key. */
  override get refusesKey(): boolean {
    return this.status === 401 || this.status === 403;
  }

  /**
   * The platform will never take this input. No other 400 may lose an alert: a
   * TLS port that is spoken to in plain HTTP answers one too.
   */
  get refusesInput(): boolean {
    return this.status === 400 && !this.#traits.foreign &&
      /\b(?:schema|validation|invalid)\b/i.test(this.detail);
  }

  /** No answer, or one that promises nothing about the next. */
  get unavailable(): boolean {
    // 501 is a route that this gateway does not have, and never will.
    return this.status === 0 || this.status === 429 ||
      (this.status >= 500 && this.status !== 501);
  }

  /** Whether another attempt is allowed, and may help. */
  mayRetry(repeatable: boolean): boolean {
    const { hopeless, harmless } = this.#traits;
    return !hopeless && (harmless || (repeatable && this.unavailable));
  }
}

/** The error for an answer that is not as the route should give it. */
export function malformed(route: string, problem: string): GatewayError {
  return new GatewayError(`Cannot call ${route}: ${problem}`, 200, "");
}

/** Throws an {@linkcode InputRefusedError} for what says that, else the error. */
export function refuseInput(error: unknown): never {
  const isRefusal = error instanceof GatewayError && error.refusesInput;
  throw isRefusal ? new InputRefusedError(error.message) : error;
}

/**
 * Reads the answer to a call.
 *
 * @returns The parsed body; `undefined` for an empty one.
 * @throws {GatewayError} Unless the status is 2xx and the body JSON.
 */
export function readAnswer(route: string, outcome: Outcome): unknown {
  if (outcome.outcome !== "answered") {
    const { reason } = outcome;
    const harmless = outcome.outcome === "not sent";
    const hopeless = harmless && outcome.hopeless === true;
    const message = `Cannot call ${route}: ${reason}`;
    throw new GatewayError(message, 0, reason, { harmless, hopeless });
  }
  const { status, body } = outcome;
  const text = new TextDecoder().decode(body);
  if (status < 200 || status > 299) {
    const detail = errorDetail(text);
    const said = detail === "" ? "" : ` (${detail})`;
    throw new GatewayError(
      `Cannot call ${route}: got status ${status}, expected 2xx${said}`,
      status,
      detail,
      { harmless: status === 429, foreign: isForeign(text) },
    );
  }
  if (text === "") return undefined;
  try {
    // By route, not by header: some routes send JSON as text/plain.
    return JSON.parse(text);
  } catch {
    const message = `Cannot call ${route}: the answer is not JSON`;
    throw new GatewayError(message, status, "not JSON");
  }
}

/** Where the platform itself answers errors with JSON, it has an `error`. */
function isForeign(text: string): boolean {
  if (FOREIGN.test(text)) return true;
  const answer = objectOf(tryParse(text));
  return answer !== undefined && typeof answer["error"] !== "string";
}

/** Old platforms answer with a line of text, Cordum 1.0 with `{error, code}`. */
function errorDetail(text: string): string {
  const { error, code } = objectOf(tryParse(text)) ?? {};
  // A proxy's HTML page says nothing that its status does not.
  const line = /^\s*</.test(text) ? "" : text;
  const detail = typeof error !== "string"
    ? line
    : typeof code === "string"
    ? `${code}: ${error}`
    : error;
  // It is logged: nothing of it may move a terminal's cursor.
  return shorten(detail.replace(/[\s\p{Cc}]+/gu, " ").trim(), ERROR_CHARS_MAX);
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
