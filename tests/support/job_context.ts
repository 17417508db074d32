/**
 * A job's context without a platform: artifacts and lists in memory, so that a
 * handler is called with plain values.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import {
  type Config,
  readConfig,
  type Settings,
} from "../../lib/base/config.ts";
import { sha256Hex } from "../../lib/base/digest.ts";
import { Tally } from "../../lib/base/tally.ts";
import { createLog } from "../../lib/base/log.ts";
import {
  type Constraints,
  readRecordedConstraints,
  stricter,
} from "../../lib/platform/constraints.ts";
import type { Artifact, NewArtifact } from "../../lib/platform/gateway.ts";
import { GatewayError } from "../../lib/platform/gateway_error.ts";
import type { Job, JobContext } from "../../lib/platform/worker.ts";

/** What a handler did, beside its context. */
export interface FakeContext<S extends Settings> {
  context: JobContext<S>;
  /** Artifacts by pointer. */
  artifacts: Map<string, Artifact>;
  /** Lists by key. */
  lists: Map<string, string[]>;
  /** Numbers by key. */
  numbers: Map<string, number>;
  /** Job records by id, as the gateway would report them. */
  jobs: Map<string, JsonObject>;
  /** Log lines, parsed. */
  log: JsonObject[];
  abort: AbortController;
  /** What it counted. */
  counts: Tally;
}

/** Options of {@linkcode fakeContext}. */
export interface FakeOptions {
  env?: Readonly<Record<string, string>>;
  job?: Partial<Job>;
  constraints?: Partial<Constraints>;
}

const ENV: Readonly<Record<string, string>> = {
  CORETEX_GATEWAY_URL: "http://127.0.0.1:1",
  CORETEX_API_KEY: "test-key",
};

/** Builds a context that keeps everything in memory. */
export function fakeContext<S extends Settings>(
  settings: S,
  { env = {}, job = {}, constraints = {} }: FakeOptions = {},
): FakeContext<S> {
  const variables = { ...ENV, ...env };
  const config: Config<S> = readConfig(settings, (name) => variables[name]);
  const artifacts = new Map<string, Artifact>();
  const lists = new Map<string, string[]>();
  const numbers = new Map<string, number>();
  const jobs = new Map<string, JsonObject>();
  const log: JsonObject[] = [];
  const counts = new Tally();
  const abort = new AbortController();
  const fullJob: Job = {
    id: "run-1:post@1",
    topic: "job.incident-enricher.post",
    runId: "run-1",
    workflowId: "incident-enricher.enrich",
    tenantId: "default",
    traceId: "run-1",
    dryRun: false,
    ...job,
  };
  const context: JobContext<S> = {
    job: fullJob,
    constraints: {
      redactionLevel: "standard",
      artifactBytesMax: 8 * 1024 * 1024,
      networkAllowlist: undefined,
      runtimeMsMax: undefined,
      ...constraints,
    },
    signal: abort.signal,
    leftMs: () => Infinity,
    settings: config,
    log: createLog({}, { write: (line) => log.push(JSON.parse(line)) }),
    count: (name, count) => counts.add(name, count),
    progress() {},
    constraintsWith: (record) =>
      stricter(
        context.constraints,
        readRecordedConstraints(record),
      ),
    gateway: {
      putArtifact: (artifact) => put(artifacts, artifact),
      readArtifact(pointer) {
        const artifact = artifacts.get(pointer);
        return artifact === undefined
          ? Promise.reject(
            new GatewayError(
              "Cannot call GET /artifacts: got status 404, expected 2xx",
              404,
              "artifact not found",
            ),
          )
          : Promise.resolve(artifact);
      },
      readJob(jobId) {
        const record = jobs.get(jobId);
        return record === undefined
          ? Promise.reject(
            new GatewayError(
              "Cannot call GET /jobs: got status 404, expected 2xx",
              404,
              "job not found",
            ),
          )
          : Promise.resolve(record);
      },
    },
    store: {
      append(key, item) {
        lists.set(key, [...lists.get(key) ?? [], item]);
        return Promise.resolve();
      },
      list: (key) => Promise.resolve(lists.get(key) ?? []),
      latest: (key, itemsMax) =>
        Promise.resolve((lists.get(key) ?? []).slice(-itemsMax)),
      add(key, by) {
        const sum = (numbers.get(key) ?? 0) + by;
        numbers.set(key, sum);
        return Promise.resolve(sum);
      },
    },
  };
  return { context, artifacts, lists, numbers, jobs, log, abort, counts };
}

async function put(
  artifacts: Map<string, Artifact>,
  artifact: NewArtifact,
): Promise<string> {
  const { content, contentType, retention, labels = {} } = artifact;
  const bytes = typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
  const pointer = `redis://art:${artifacts.size + 1}`;
  const sha256 = await sha256Hex(bytes);
  artifacts.set(pointer, {
    bytes,
    contentType,
    retention,
    labels: { sha256, ...labels },
  });
  return pointer;
}
