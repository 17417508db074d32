/**
 * The platform's HTTP gateway: one way to call it, and the routes that workers
 * use.
 *
 * The gateway takes 50 requests a second from everybody together and answers
 * 429 without saying when to come back, so every call waits with jitter and
 * tries again inside its deadline.
 *
 * @module
 */

import { isObject, type JsonObject, objectOf } from "../base/json.ts";
import { retry } from "../base/time.ts";
import { InputRefusedError, OutsideError } from "../base/errors.ts";
import { shorten } from "../base/text.ts";
import {
  createClient,
  type HttpClient,
  type Outcome,
  request,
} from "../base/http.ts";

/** How long an artifact is kept: a day, a week, a month. */
export type Retention = "short" | "standard" | "audit";

/** What to store. */
export interface NewArtifact {
  /** Text is stored as UTF-8. */
  content: string | Uint8Array;
  /** MIME type. */
  contentType: string;
  /** How long the platform keeps it. */
  retention: Retention;
  /** What it belongs to, for those who look for it. */
  labels?: Record<string, string>;
}

/** What was stored. */
export interface Artifact {
  /** The content. */
  bytes: Uint8Array;
  /** MIME type, empty if the platform kept none. */
  contentType: string;
  /** As the platform has it. */
  retention: string;
  /** As they were stored. */
  labels: Record<string, string>;
}

/** Where the gateway is, and who calls. */
export interface GatewayOptions {
  /** Without a path. */
  url: string;
  /** Sent with every call, never logged. */
  apiKey: string;
  /** PEM text of authorities that count beside those that all know. */
  ca?: string;
  /** Recorded by the platform as who decided or installed. */
  principal?: string;
  /** How long one call may take, its retries included. */
  deadlineMs?: number;
}

/** What a call sends. */
export interface CallOptions {
  /** Ends the call, its retries included. */
  signal: AbortSignal;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is, instead of `json`. */
  body?: FormData;
  /** Beside those that every call has. */
  headers?: Record<string, string>;
  /** Whether the same call may safely arrive twice. Reads always may. */
  repeatable?: boolean;
  /** Longest answer. */
  bodyBytesMax?: number;
}

const ATTEMPT_TIMEOUT_MS = 10_000;
const DEADLINE_MS = 30_000;
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;
const ERROR_CHARS_MAX = 300;
/** It says an id and little else. */
const STARTED_BYTES_MAX = 64 * 1024;
/** A proxy's page, and what routers answer for a gateway they cannot find. */
const FOREIGN =
  /^\s*(?:<|(?:404 page not found|default backend - 404)\s*$)|^Not Found\s*$/;
/** The platform's own have 36. A dot or two would lead to another route. */
const RUN_ID = /^(?!\.{1,2}$)[ -~]{1,256}$/;

/** A call that the gateway refused, or that did not reach it. */
export class GatewayError extends OutsideError {
  /** The class, for logs. */
  override name = "GatewayError";
  /** The HTTP status, or 0 if there was no answer. */
  readonly status: number;
  /** The platform's own words or code, shortened. */
  readonly detail: string;
  /** It came from what stands before the gateway, which says nothing of it. */
  readonly foreign: boolean;

  /** Its `message` names the route, never its parameters. */
  constructor(
    message: string,
    status: number,
    detail: string,
    foreign = false,
  ) {
    super(message);
    this.status = status;
    this.detail = detail;
    this.foreign = foreign;
  }

  /**
   * The platform itself says that there is no such thing. The 404 of a proxy
   * or router in front of it says nothing about jobs or runs.
   */
  override get missing(): boolean {
    return this.status === 404 && !this.foreign;
  }

  /** The platform refuses the API key. */
  override get refusesKey(): boolean {
    return this.status === 401 || this.status === 403;
  }

  /** No answer, or one that promises nothing about the next. */
  get unavailable(): boolean {
    // 501 is a route that this gateway does not have, and never will.
    return this.status === 0 || this.status === 429 ||
      (this.status >= 500 && this.status !== 501);
  }
}

/** A client of the gateway. */
export class Gateway implements Disposable {
  readonly #options: GatewayOptions;
  readonly #client: HttpClient | undefined;

  /** Calls nothing yet. */
  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#client = options.ca === undefined
      ? undefined
      : createClient(options.ca);
  }

  /** Gives up its connections. */
  [Symbol.dispose](): void {
    this.#client?.close();
  }

  /** Host and port, for people. */
  get address(): string {
    return new URL(this.#options.url).host;
  }

  /**
   * Calls a route.
   *
   * @param path With its parameters already escaped, without `/api/v1`.
   * @returns The parsed body; `undefined` for an empty one.
   * @throws {GatewayError} For every status but 2xx, and if no answer came
   * within the deadline.
   */
  async call(
    method: string,
    path: string,
    options: CallOptions,
  ): Promise<unknown> {
    const { deadlineMs = DEADLINE_MS } = this.#options;
    const end = performance.now() + deadlineMs;
    const repeatable = options.repeatable ?? method === "GET";
    return await retry(() => {
      const left = Math.max(1, Math.ceil(end - performance.now()));
      const timeoutMs = Math.min(ATTEMPT_TIMEOUT_MS, left);
      return this.#attempt(method, path, { ...options, timeoutMs });
    }, {
      baseMs: 200,
      maxMs: 4_000,
      signal: options.signal,
      deadlineMs,
      retryable: (error) =>
        error instanceof AttemptError && !error.hopeless &&
        (error.harmless || (repeatable && error.unavailable)),
    });
  }

  async #attempt(
    method: string,
    path: string,
    options: CallOptions & { timeoutMs: number },
  ): Promise<unknown> {
    const { url, apiKey, principal } = this.#options;
    const {
      json,
      body,
      headers = {},
      signal,
      timeoutMs,
      bodyBytesMax = ANSWER_BYTES_MAX,
    } = options;
    const outcome = await request(`${url}/api/v1${path}`, {
      method,
      headers: {
        "X-API-Key": apiKey,
        ...(principal === undefined ? {} : { "X-Principal-Id": principal }),
        ...(json === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(json === undefined
        ? body === undefined ? {} : { body }
        : { body: JSON.stringify(json) }),
      timeoutMs,
      bodyBytesMax,
      signal,
      ...(this.#client === undefined ? {} : { client: this.#client }),
    });
    return readAnswer(`${method} ${path.split("?", 1)[0]}`, outcome);
  }

  /** Stores an artifact and returns its pointer. */
  async putArtifact(
    artifact: NewArtifact,
    signal: AbortSignal,
  ): Promise<string> {
    const { content, contentType, retention, labels = {} } = artifact;
    const bytes = typeof content === "string"
      ? new TextEncoder().encode(content)
      : content;
    const answer = await this.call("POST", "/artifacts", {
      signal,
      // Twice stored is one artifact too many, which expires.
      repeatable: true,
      json: {
        content_base64: bytes.toBase64(),
        content_type: contentType,
        retention,
        labels,
      },
    }) as JsonObject;
    return stringField(answer, "artifact_ptr", "POST /artifacts");
  }

  /**
   * Reads an artifact.
   *
   * @param pointer As `putArtifact` returned it: `redis://art:<uuid>`.
   * @param bytesMax A longer one is an error.
   * @throws {GatewayError} Status 404 if there is none or no longer.
   */
  async readArtifact(
    pointer: string,
    bytesMax: number,
    signal: AbortSignal,
  ): Promise<Artifact> {
    const answer = await this.call(
      "GET",
      `/artifacts/${encodeURIComponent(pointer)}`,
      {
        signal,
        // Base64 is a third longer, and the metadata comes on top.
        bodyBytesMax: Math.ceil(bytesMax * 4 / 3) + 64 * 1024,
      },
    ) as JsonObject;
    const content = stringField(answer, "content_base64", "GET /artifacts");
    const metadata = (answer["metadata"] ?? {}) as JsonObject;
    return {
      bytes: decodeContent(content),
      contentType: String(metadata["content_type"] ?? ""),
      retention: String(metadata["retention"] ?? ""),
      labels: (metadata["labels"] ?? {}) as Record<string, string>,
    };
  }

  /** Reads a job's record. @throws {GatewayError} Status 404 if there is none. */
  async readJob(jobId: string, signal: AbortSignal): Promise<JsonObject> {
    return await this.call("GET", `/jobs/${encodeURIComponent(jobId)}`, {
      signal,
    }) as JsonObject;
  }

  /**
   * Starts a run of a workflow.
   *
   * @param key The platform starts one run a key, ever.
   * @returns The run's id, at most 256 visible ASCII characters and blanks; of
   * the first run if the key is known.
   * @throws {InputRefusedError} If the platform will never take this input.
   */
  async startRun(
    workflowId: string,
    input: unknown,
    { key, dryRun = false, signal }: {
      key: string;
      dryRun?: boolean;
      signal: AbortSignal;
    },
  ): Promise<string> {
    const query = dryRun ? "?dry_run=true" : "";
    const path = `/workflows/${encodeURIComponent(workflowId)}/runs${query}`;
    const answer = await this.call("POST", path, {
      signal,
      json: input,
      headers: { "Idempotency-Key": key },
      repeatable: true,
      bodyBytesMax: STARTED_BYTES_MAX,
    }).catch(refuseInput) as JsonObject;
    const route = "POST /workflows/{id}/runs";
    const runId = stringField(answer, "run_id", route);
    if (RUN_ID.test(runId)) return runId;
    throw new GatewayError(`Cannot call ${route}: run_id is no id`, 200, "");
  }

  /**
   * Reads a run.
   *
   * @returns `undefined` only if the platform itself says that there is none:
   * if a router's 404 counted, a second run would start beside the first.
   */
  async findRun(
    runId: string,
    signal: AbortSignal,
  ): Promise<JsonObject | undefined> {
    try {
      return await this.readRun(runId, signal);
    } catch (error) {
      if (error instanceof GatewayError && error.missing) return undefined;
      throw error;
    }
  }

  /** Reads a run. @throws {GatewayError} Status 404 if there is none. */
  async readRun(runId: string, signal: AbortSignal): Promise<JsonObject> {
    const path = `/workflow-runs/${encodeURIComponent(runId)}`;
    const answer = await this.call("GET", path, { signal });
    // Nothing at all is no news of a run, least of all that there is none.
    if (isObject(answer)) return answer;
    const route = "GET /workflow-runs";
    throw new GatewayError(
      `Cannot call ${route}: the answer is no object`,
      200,
      "",
    );
  }
}

/** A failure of one attempt, which knows whether another may help. */
class AttemptError extends GatewayError {
  /** The gateway did nothing: it was not reached, or too busy to look. */
  readonly harmless: boolean;
  /** This process will never reach it. */
  readonly hopeless: boolean;

  constructor(
    message: string,
    status: number,
    detail: string,
    { harmless = false, hopeless = false, foreign = false } = {},
  ) {
    super(message, status, detail, foreign);
    this.harmless = harmless;
    this.hopeless = hopeless;
  }
}

function readAnswer(route: string, outcome: Outcome): unknown {
  if (outcome.outcome !== "answered") {
    const harmless = outcome.outcome === "not sent";
    const hopeless = harmless && outcome.hopeless === true;
    throw new AttemptError(
      `Cannot call ${route}: ${outcome.reason}`,
      0,
      outcome.reason,
      { harmless, hopeless },
    );
  }
  const { status, body } = outcome;
  const text = new TextDecoder().decode(body);
  if (status < 200 || status > 299) {
    const detail = errorDetail(text);
    throw new AttemptError(
      `Cannot call ${route}: got status ${status}, expected 2xx${
        detail === "" ? "" : ` (${detail})`
      }`,
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
    throw new AttemptError(
      `Cannot call ${route}: the answer is not JSON`,
      status,
      "not JSON",
    );
  }
}

/** Where the platform itself answers errors with JSON, it has an `error`. */
function isForeign(text: string): boolean {
  if (FOREIGN.test(text)) return true;
  try {
    const answer = objectOf(JSON.parse(text));
    return answer !== undefined && typeof answer["error"] !== "string";
  } catch {
    return false;
  }
}

/** Old platforms answer with a line of text, Cordum 1.0 with `{error, code}`. */
function errorDetail(text: string): string {
  let detail = text;
  try {
    const { error, code } = JSON.parse(text) as {
      error?: unknown;
      code?: unknown;
    };
    if (typeof error === "string") {
      detail = typeof code === "string" ? `${code}: ${error}` : error;
    }
  } catch {
    // A proxy's HTML page says nothing that its status does not.
    if (/^\s*</.test(text)) detail = "";
  }
  // It is logged: nothing of it may move a terminal's cursor.
  return shorten(detail.replace(/[\s\p{Cc}]+/gu, " ").trim(), ERROR_CHARS_MAX);
}

/**
 * No other 400 may lose an alert: a TLS port that is spoken to in plain HTTP
 * answers one too.
 */
function refuseInput(error: unknown): never {
  const isRefusal = error instanceof GatewayError && error.status === 400 &&
    !error.foreign && /\b(?:schema|validation|invalid)\b/i.test(error.detail);
  throw isRefusal ? new InputRefusedError(error.message) : error;
}

function decodeContent(base64: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(base64);
  } catch {
    throw new GatewayError(
      "Cannot call GET /artifacts: the content is not base64",
      200,
      "",
    );
  }
}

function stringField(
  answer: JsonObject | undefined,
  field: string,
  route: string,
): string {
  const value = answer?.[field];
  if (typeof value === "string" && value !== "") return value;
  throw new GatewayError(
    `Cannot call ${route}: the answer has no ${field}`,
    200,
    "",
  );
}
