/**
 * Answers that refuse a request, and which failure leads to which answer.
 *
 * @module
 */
import { InputRefusedError, OutsideError } from "../base/errors.ts";

export class Refusal extends Error {
  override name = "Refusal";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  /** @param message Tells the sender what to do. */
  constructor(
    status: number,
    message: string,
    headers: Record<string, string> = {},
  ) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** In seconds, for refusals that may pass. */
const COME_BACK = { "Retry-After": "5" };

/**
 * The answer if a run cannot be started. A sender drops the alert at a 400 and
 * comes back after a 5xx, so only an input that the platform will never accept
 * gets a 400.
 *
 * @returns `undefined` for a bug of ours.
 */
export function toRefusal(error: unknown): Refusal | undefined {
  if (error instanceof InputRefusedError) {
    return new Refusal(
      400,
      "The platform refused the incident; the ingester's log says why",
    );
  }
  if (!(error instanceof OutsideError)) return undefined;
  return error.refusesKey
    ? new Refusal(
      502,
      "The platform refused the ingester's own key; send the webhook again later",
      COME_BACK,
    )
    : unavailable();
}

/** Why a request's signal aborts when its time is up. */
export function tooLate(answerMs: number): DOMException {
  return new DOMException(
    `The platform has not answered within ${answerMs} ms of the request`,
    "TimeoutError",
  );
}

/** The answer while too many webhooks are being handled. */
export function tooMany(): Refusal {
  const message = "Too many webhooks at once; send it again later";
  return new Refusal(429, message, COME_BACK);
}

/** The answer while runs would fail. @param why Ends no sentence. */
export function wouldFail(why: string): Refusal {
  const message = `Cannot start a run: ${why}; send the webhook again later`;
  return new Refusal(503, message, COME_BACK);
}

/** The answer if there is no time left, or the platform does not answer. */
export function unavailable(): Refusal {
  return new Refusal(
    503,
    "Cannot start a run now; send the webhook again later",
    COME_BACK,
  );
}
