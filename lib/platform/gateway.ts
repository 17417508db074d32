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
import { createClient, type HttpClient, request } from "../base/http.ts";
import { isObject, type JsonObject, stringOf } from "../base/json.ts";
import { retry } from "../base/time.ts";
import {
  GatewayError,
  malformed,
  readAnswer,
  refuseInput,
} from "./gateway_error.ts";

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
/** It says an id and little else. */
const STARTED_BYTES_MAX = 64 * 1024;
/** The platform's own have 36. A dot or two would lead to another route. */
const RUN_ID = /^(?!\.{1,2}$)[ -~]{1,256}$/;

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
        error instanceof GatewayError && error.mayRetry(repeatable),
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
    throw malformed(route, "run_id is no id");
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
    throw malformed("GET /workflow-runs", "the answer is no object");
  }
}

function stringField(
  answer: JsonObject | undefined,
  field: string,
  route: string,
): string {
  const value = stringOf(answer?.[field]);
  if (value !== "") return value;
  throw malformed(route, `the answer has no ${field}`);
}

function decodeContent(base64: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(base64);
  } catch {
    throw malformed("GET /artifacts", "the content is not base64");
  }
}
