/**
 * The platform's HTTP gateway: one way to call it, and the routes that workers
 * use.
 *
 * The gateway takes 50 requests a second from all clients together. Its 429
 * does not say when to come back, so every call retries with jitter within its
 * deadline.
 *
 * @module
 */
import { bytesOf } from "../base/digest.ts";
import { createClient, type HttpClient, request } from "../base/http.ts";
import { isObject, type JsonObject, optional, stringOf } from "../base/json.ts";
import { retry } from "../base/time.ts";
import {
  GatewayError,
  malformed,
  readAnswer,
  refuseInput,
} from "./gateway_error.ts";

/** How long an artifact is kept: a day, a week, a month. */
export type Retention = "short" | "standard" | "audit";

/** An artifact to store. */
export interface NewArtifact {
  /** Text is stored as UTF-8. */
  content: string | Uint8Array;
  /** MIME type. */
  contentType: string;
  /** How long the platform keeps it. */
  retention: Retention;
  /** For people who look for the artifact. */
  labels?: Record<string, string>;
}

/** A stored artifact. */
export interface Artifact {
  /** The content. */
  bytes: Uint8Array;
  /** MIME type, empty if the platform kept none. */
  contentType: string;
  /** In the platform's own words. */
  retention: string;
  /** As they were stored. */
  labels: Record<string, string>;
}

export interface GatewayOptions {
  /** Without a path. */
  url: string;
  /** Sent with every call, never logged. */
  apiKey: string;
  /** PEM text of authorities to trust beside the well-known ones. */
  ca?: string;
  /** The platform records this name for a decision or an installation. */
  principal?: string;
  /** The limit for one call, including its retries. */
  deadlineMs?: number;
  /** Called after every good answer. */
  onAnswer?: () => void;
}

export interface CallOptions {
  /** Ends the call, including its retries. */
  signal: AbortSignal;
  json?: unknown;
  /** Sent unchanged, instead of `json`. */
  body?: FormData;
  /** Beside the headers of every call. */
  headers?: Record<string, string>;
  /** Whether the same call may safely arrive twice. Reads always may. */
  repeatable?: boolean;
  /** Makes no second attempt. */
  once?: boolean;
  bodyBytesMax?: number;
}

const ATTEMPT_TIMEOUT_MS = 10_000;
const DEADLINE_MS = 30_000;
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;
/** The answer holds an id and little else. */
const STARTED_BYTES_MAX = 64 * 1024;
/** The platform's ids have 36. One or two dots would lead to another route. */
const RUN_ID = /^(?!\.{1,2}$)[ -~]{1,256}$/;

export class Gateway implements Disposable {
  readonly #options: GatewayOptions;
  readonly #client: HttpClient | undefined;

  constructor(options: GatewayOptions, client?: HttpClient) {
    this.#options = options;
    this.#client = client ??
      (options.ca === undefined ? undefined : createClient(options.ca));
  }

  /** The same connections, on behalf of another person. */
  as(principal: string | undefined): Gateway {
    const { principal: _, ...options } = this.#options;
    const whose = optional("principal", principal);
    return new Gateway({ ...options, ...whose }, this.#client);
  }

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
   * @param path Without `/api/v1`, its parameters already escaped.
   * @returns The parsed body; `undefined` for an empty one.
   * @throws {GatewayError} For any status but 2xx, and if no answer comes
   * before the deadline.
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
        !options.once && error instanceof GatewayError &&
        error.mayRetry(repeatable),
    });
  }

  async #attempt(
    method: string,
    path: string,
    options: CallOptions & { timeoutMs: number },
  ): Promise<unknown> {
    const { url, apiKey, principal, onAnswer } = this.#options;
    const { json, headers = {}, signal, timeoutMs } = options;
    const { bodyBytesMax = ANSWER_BYTES_MAX } = options;
    const body = json === undefined ? options.body : JSON.stringify(json);
    const outcome = await request(`${url}/api/v1${path}`, {
      method,
      headers: {
        "X-API-Key": apiKey,
        ...optional("X-Principal-Id", principal),
        ...(json === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      ...optional("body", body),
      ...optional("client", this.#client),
      timeoutMs,
      bodyBytesMax,
      signal,
    });
    const answer = readAnswer(`${method} ${path.split("?", 1)[0]}`, outcome);
    onAnswer?.();
    return answer;
  }

  async putArtifact(
    artifact: NewArtifact,
    signal: AbortSignal,
  ): Promise<string> {
    const { content, contentType, retention, labels = {} } = artifact;
    const answer = await this.call("POST", "/artifacts", {
      signal,
      // A second copy does no harm: it expires.
      repeatable: true,
      json: {
        content_base64: bytesOf(content).toBase64(),
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
   * @param pointer The result of `putArtifact`: `redis://art:<uuid>`.
   * @param bytesMax A longer artifact is an error.
   * @throws {GatewayError} Status 404 if it does not exist or has expired.
   */
  async readArtifact(
    pointer: string,
    bytesMax: number,
    signal: AbortSignal,
  ): Promise<Artifact> {
    const path = `/artifacts/${encodeURIComponent(pointer)}`;
    const answer = await this.call("GET", path, {
      signal,
      // Base64 is a third longer, and the metadata comes on top.
      bodyBytesMax: Math.ceil(bytesMax * 4 / 3) + 64 * 1024,
    }) as JsonObject;
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
    const path = `/jobs/${encodeURIComponent(jobId)}`;
    return await this.call("GET", path, { signal }) as JsonObject;
  }

  /**
   * Starts a run of a workflow.
   *
   * @param key The platform only ever starts one run per key.
   * @returns The run's id, at most 256 visible ASCII characters and blanks; for
   * a known key, the id of its first run.
   * @throws {InputRefusedError} If the platform will never accept this input.
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
    throw malformed(route, "run_id is not an id");
  }

  /**
   * Reads a run.
   *
   * @returns `undefined` only if the platform itself says that there is none. If
   * a router's 404 counted, a second run would start beside the first.
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
    // An empty answer does not mean that there is no run.
    if (isObject(answer)) return answer;
    throw malformed("GET /workflow-runs", "the answer is not an object");
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
