/**
 * Requests of collectors: GET below one fixed address, bounded and counted.
 *
 * @module
 */
import { messageOf } from "../base/errors.ts";
import {
  createClient,
  type HttpClient,
  isTooLong,
  type Outcome,
  request,
} from "../base/http.ts";
import { isObject, parseJson } from "../base/json.ts";
import { printable } from "../base/text.ts";
import { wait } from "../base/time.ts";
import {
  type Answer,
  GapError,
  type GetOptions,
  type HttpConnection,
} from "./collector.ts";

/** A collector sends no more requests for one incident. */
export const REQUESTS_MAX = 20;
/** A longer answer is cut off, and is a gap. */
export const ANSWER_BYTES_MAX = 1024 * 1024;
/** So many requests to one host are open at a time. */
const HOST_REQUESTS_MAX = 2;
const RETRY_MS = 300;
const REASON_CHARS_MAX = 200;

/** How many requests all of a collector's connections may send, and have sent. */
export interface RequestBudget {
  readonly max: number;
  sent: number;
}

/** Lets so many through at a time. */
export class Lanes {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  async enter(): Promise<Disposable> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return {
      [Symbol.dispose]: () => {
        const next = this.#waiting.shift();
        if (next === undefined) this.#free++;
        else next();
      },
    };
  }
}

/** The lanes of each host. */
export class HostLanes {
  readonly #hosts = new Map<string, Lanes>();

  of(url: string): Lanes {
    const { host } = new URL(url);
    const known = this.#hosts.get(host) ?? new Lanes(HOST_REQUESTS_MAX);
    this.#hosts.set(host, known);
    return known;
  }
}

/** A connection's surroundings. */
export interface ClientOptions {
  readonly budget: RequestBudget;
  readonly lanes: HostLanes;
  readonly signal: AbortSignal;
  /** By `performance.now()`: no retry begins after it. */
  readonly endMs: number;
}

/** Sends a collector's requests. Dispose of it: it may hold connections. */
export class CollectorClient implements Disposable {
  readonly #connection: HttpConnection;
  readonly #options: ClientOptions;
  readonly #client: HttpClient | undefined;

  constructor(connection: HttpConnection, options: ClientOptions) {
    this.#connection = connection;
    this.#options = options;
    const { ca } = connection;
    this.#client = ca === undefined ? undefined : createClient(ca);
  }

  [Symbol.dispose](): void {
    this.#client?.close();
  }

  /**
   * Asks once, and once more after a 429 whose wait fits, a 5xx, or a request
   * that was not sent.
   *
   * @throws {GapError} For every answer but a good one.
   */
  async get(path: string, options: GetOptions = {}): Promise<Answer> {
    const { signal, endMs, lanes } = this.#options;
    const { url } = this.#connection;
    using _lane = await lanes.of(url).enter();
    const first = await this.#send(path, options);
    const waitMs = this.#retryAfterMs(first);
    if (waitMs === undefined || performance.now() + waitMs >= endMs) {
      return this.#read(first, options);
    }
    await wait(waitMs, signal).catch(() => {});
    if (signal.aborted) return this.#read(first, options);
    return this.#read(await this.#send(path, options), options);
  }

  async #send(path: string, { query = [], headers, text }: GetOptions) {
    const { budget, signal, endMs } = this.#options;
    const { title, url } = this.#connection;
    if (budget.sent >= budget.max) {
      throw new GapError("cut", `${title} was asked ${budget.max} times`);
    }
    budget.sent++;
    const parameters = new URLSearchParams(
      [...query].flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value]]
      ),
    ).toString();
    const leftMs = Math.ceil(endMs - performance.now());
    if (leftMs <= 0 || signal.aborted) {
      throw new GapError("late", `${title} was not asked in time`);
    }
    return await request(
      `${url}${path}${parameters === "" ? "" : `?${parameters}`}`,
      {
        headers: {
          Accept: text === undefined ? "application/json" : text.join(", "),
          "User-Agent": "incident-enricher",
          ...await this.#connection.headers?.(),
          ...headers,
        },
        timeoutMs: leftMs,
        bodyBytesMax: ANSWER_BYTES_MAX,
        signal,
        ...(this.#client && { client: this.#client }),
      },
    );
  }

  /** `undefined` if another attempt is of no use. */
  #retryAfterMs(outcome: Outcome): number | undefined {
    if (outcome.outcome === "not sent") {
      return outcome.hopeless ? undefined : RETRY_MS;
    }
    if (outcome.outcome === "unknown") return undefined;
    const { status, headers } = outcome;
    if (status === 429 || this.#isLimit(outcome)) {
      return this.#connection.resetMs?.(headers, Date.now()) ??
        secondsOf(headers.get("retry-after"));
    }
    return status >= 500 ? RETRY_MS : undefined;
  }

  #isLimit(outcome: Outcome & { outcome: "answered" }): boolean {
    const { status, headers, body } = outcome;
    return this.#connection.isLimit?.(status, headers, bodyOf(body)) ?? false;
  }

  #read(outcome: Outcome, { text }: GetOptions): Answer {
    const { title } = this.#connection;
    if (outcome.outcome !== "answered") {
      const { reason } = outcome;
      if (isTooLong(outcome)) {
        throw new GapError("cut", `${title}'s answer is too long: ${reason}`);
      }
      const isLate = /^no answer|^cancelled/.test(reason);
      throw new GapError(
        isLate ? "late" : "broken",
        `${title} could not be asked: ${reason}`,
      );
    }
    const { status, headers, body } = outcome;
    if (status < 200 || status > 299) {
      const kind = this.#isLimit(outcome) ? "limited" : kindOf(status);
      const said = reasonOf(body, headers);
      throw new GapError(
        kind,
        `${title} answered ${status}${said === "" ? "" : ` (${said})`}`,
        status,
      );
    }
    const type = (headers.get("content-type") ?? "").split(";", 1)[0]!.trim()
      .toLowerCase();
    if (text !== undefined) {
      if (text.includes(type)) return { value: decode(body), headers };
      throw new GapError(
        "broken",
        `${title} answered with ${wordOf(type)} in place of text`,
        status,
      );
    }
    const value = /^application\/(?:[\w.-]+\+)?json$/.test(type)
      ? bodyOf(body)
      : undefined;
    if (value !== undefined) return { value, headers };
    throw new GapError(
      "broken",
      `${title} answered with ${wordOf(type)} in place of JSON`,
      status,
    );
  }
}

/**
 * A path whose parts are escaped: ``pathOf`/repos/${owner}/${name}` ``.
 *
 * @throws {GapError} If a part would lead to another path.
 */
export function pathOf(
  texts: TemplateStringsArray,
  ...parts: readonly string[]
): string {
  const wrong = parts.find((part) => /^\.{0,2}$/.test(part));
  if (wrong !== undefined) {
    throw new GapError("unconcerned", "its name is not one to ask for");
  }
  return String.raw({ raw: texts }, ...parts.map(encodeURIComponent));
}

function kindOf(status: number) {
  if (status === 429) return "limited";
  if (status === 404 || status === 410) return "absent";
  if ([401, 402, 403, 407].includes(status)) return "refused";
  return "broken"; // A redirect too: most of them lead to a page for people.
}

/** The system's own words, where it has some in a usual place. */
function reasonOf(body: Uint8Array, headers: Headers): string {
  const value = bodyOf(body);
  if (!isObject(value)) {
    const isText = /^text\/plain/.test(headers.get("content-type") ?? "");
    const given = typeof value === "string"
      ? value
      : isText
      ? decode(body)
      : "";
    return printable(given, REASON_CHARS_MAX);
  }
  const error = value["error"];
  const given = [
    isObject(error) ? error["message"] : error,
    value["message"],
  ].find((one) => typeof one === "string" && one !== "");
  return printable(String(given ?? ""), REASON_CHARS_MAX);
}

function bodyOf(body: Uint8Array): unknown {
  return parseJson(decode(body));
}

function decode(body: Uint8Array): string {
  return new TextDecoder().decode(body);
}

function wordOf(type: string): string {
  if (type === "text/html") return "a page of HTML";
  return /^[\w.+/-]{1,60}$/.test(type) ? type : "something else";
}

/**
 * Seconds as `Retry-After` has them, in milliseconds; a date is not worth
 * waiting for.
 */
export function secondsOf(text: string | null): number | undefined {
  return text !== null && /^\d{1,6}$/.test(text)
    ? Number(text) * 1000
    : undefined;
}

/** Words any failure as a gap. */
export function toGapError(error: unknown, title: string): GapError {
  if (error instanceof GapError) return error;
  return new GapError(
    "broken",
    `${title} could not be read (${printable(messageOf(error), 100)})`,
  );
}
