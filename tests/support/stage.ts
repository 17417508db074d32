/**
 * A devcore to replay recordings on: calls, packs made on the fly, and workers
 * that do and say what a scenario needs.
 *
 * Net: 127.0.0.1. No files.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { TarStream, type TarStreamInput } from "@std/tar";
import {
  type Devcore,
  type DevcoreOptions,
  startDevcore,
} from "../../deploy/devcore/devcore.ts";
import { createLog } from "../../lib/base/log.ts";
import { type Bus, connectBus } from "../../lib/platform/bus.ts";
import {
  BusPacketSchema,
  type JobRequest,
  type JobResultSchema,
  JobStatus,
} from "../../lib/platform/gen/cap_pb.ts";
import {
  decodePacket,
  encodeHeartbeat,
  encodePacket,
} from "../../lib/platform/packet.ts";
import { connectStore, type Store } from "../../lib/platform/store.ts";
import { until } from "./until.ts";

/** What came back. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The parsed body; `undefined` if it is no JSON. */
  json: unknown;
}

/** What a call sends. */
export interface Sent {
  headers?: Readonly<Record<string, string | null>>;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is. */
  body?: BodyInit;
  signal?: AbortSignal;
}

const KEY = "k";
const RELOAD_MS = 20;
const PACE_MS = 40;
const RESULT_TTL_S = 60;
const never = new AbortController().signal;
const quiet = createLog({}, { write() {} });

/** A running devcore and what a test does with it. */
export interface Stage extends AsyncDisposable {
  readonly core: Devcore;
  readonly bus: Bus;
  readonly store: Store;
  /** Moves devcore's clock ahead, unless the test has given one of its own. */
  leap(ms: number): void;
  /** Calls the gateway, with its key unless `headers` say otherwise. */
  call(line: string, sent?: Sent): Promise<Answer>;
  /** Installs files as a pack and waits until policy and routing are in force. */
  install(files: ReadonlyMap<string, string>): Promise<JsonObject>;
  /** Joins a pool; resolves when devcore knows. */
  work(plan: WorkerPlan): Promise<TestWorker>;
}

/** Starts a devcore whose timers run every 20 ms. */
export async function startStage(options: DevcoreOptions = {}): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  let aheadMs = 0;
  const clock = () => Date.now() + aheadMs;
  const core = stack.use(
    await startDevcore({ apiKey: KEY, reloadMs: RELOAD_MS, clock, ...options }),
  );
  const client = { name: "test", log: quiet, signal: never };
  const bus = stack.use(await connectBus({ ...client, url: core.natsUrl }));
  const store = stack.use(
    await connectStore({ ...client, url: core.redisUrl }),
  );
  const workers: TestWorker[] = [];
  stack.defer(async () => {
    await Promise.all(workers.map((worker) => worker.settled()));
  });
  const call = (line: string, sent: Sent = {}) => send(core, line, sent);
  const running = stack.move();
  return {
    core,
    bus,
    store,
    leap: (ms) => aheadMs += ms,
    call,
    async install(files) {
      const answer = await call("POST /api/v1/packs/install?upgrade=1", {
        body: upload(await archive([...files])),
      });
      if (answer.status !== 200) throw new Error(answer.text);
      const { id, version } = answer.json as { id: string; version: string };
      await inForce(call, store, id, version);
      return answer.json as JsonObject;
    },
    async work(plan) {
      const worker = new TestWorker({ bus, store, call }, plan);
      workers.push(worker);
      await worker.beat();
      return worker;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function send(
  { gatewayUrl, apiKey }: Devcore,
  line: string,
  { headers = {}, json, body, signal }: Sent,
): Promise<Answer> {
  const [method = "", ...path] = line.split(" ");
  const sent = new Headers({ "X-API-Key": apiKey });
  for (const [name, value] of Object.entries(headers)) {
    if (value === null) sent.delete(name);
    else sent.set(name, value);
  }
  const content = json === undefined ? body : JSON.stringify(json);
  const response = await fetch(gatewayUrl + path.join(" "), {
    method,
    headers: sent,
    redirect: "manual",
    ...(content === undefined ? {} : { body: content }),
    ...(signal === undefined ? {} : { signal }),
  });
  const text = await response.text();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  const { status } = response;
  return { status, headers: response.headers, text, json: parsed };
}

/** The same content in policy and routing as in the installed pack. */
async function inForce(
  call: Stage["call"],
  store: Store,
  id: string,
  version: string,
): Promise<void> {
  const read = async (scopeId: string) =>
    dataOf((await call(`GET /api/v1/config?scope_id=${scopeId}`)).json);
  const { bundles = {} } = await read("policy");
  const fragments = Object.keys(bundles).toSorted().map((name) =>
    `${name}\0${bundles[name]!["content"]}`
  ).join("");
  const { pools } = await read("default");
  const topics = Object.keys(pools?.["topics"] ?? {});
  const hash = await sha256(fragments);
  await until(`${id} ${version} to be in force`, async () => {
    const { json } = await call("GET /api/v1/policy/snapshots");
    const [newest = ""] = (json as { snapshots: string[] }).snapshots;
    const snapshot = await store.read("sys:workers:snapshot", 1e6, never);
    const routed = Object.keys(JSON.parse(snapshot ?? "{}")["topics"] ?? {});
    return newest.endsWith(`|cfg:${hash}`) &&
      topics.every((topic) => routed.includes(topic));
  });
}

/** Cordum 1.0 answers with the data alone. */
function dataOf(document: unknown) {
  const { data = document } = document as { data?: unknown };
  return data as Record<string, Record<string, Record<string, unknown>>>;
}

/**
 * Repeats a read until it gives something; slowly, since the gateway takes 50
 * requests a second.
 */
export async function untilAnswer<T>(
  what: string,
  read: () => Promise<T | undefined>,
): Promise<NonNullable<T>> {
  let next = 0;
  const given = await until(what, async () => {
    if (performance.now() < next) return undefined;
    next = performance.now() + PACE_MS;
    return await read();
  });
  return given as NonNullable<T>;
}

/** SHA-256 of a text, in hex. */
export async function sha256(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(hash).toHex();
}

/** A form that uploads an archive. */
export function upload(
  archive: Uint8Array,
  { part = "bundle", file = "p.tgz", fields = {} as Record<string, string> } =
    {},
): FormData {
  const form = new FormData();
  form.set(part, new Blob([archive as BlobPart]), file);
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return form;
}

/** Packs entries as they are; one without content is a folder. */
export async function archive(
  entries: readonly (readonly [path: string, content: string | undefined])[],
): Promise<Uint8Array> {
  const inputs = entries.map(([path, content]): TarStreamInput => {
    if (content === undefined) return { type: "directory", path };
    const bytes = new TextEncoder().encode(content);
    const readable = new Blob([bytes]).stream();
    return { type: "file", path, size: bytes.length, readable };
  });
  const stream = ReadableStream.from(inputs).pipeThrough(new TarStream())
    .pipeThrough(new CompressionStream("gzip") as never);
  return new Uint8Array(await new Response(stream as BodyInit).arrayBuffer());
}

/** A pack of workflows, routes and rules, in as few words as a test needs. */
export interface PackPlan {
  id: string;
  version?: string;
  /** Steps by the name of their workflow. */
  workflows?: Readonly<Record<string, JsonObject>>;
  schemas?: Readonly<Record<string, unknown>>;
  /** Pool by the last word of a topic. */
  topics?: Readonly<Record<string, string>>;
  /** What pools offer. */
  pools?: Readonly<Record<string, string[]>>;
  rules?: readonly JsonObject[];
  /** The policy fragment's text, in place of `rules`. */
  fragment?: string;
}

/** The files of a planned pack, all JSON. */
export function packFiles(plan: PackPlan): Map<string, string> {
  const { id, version = "1.0.0" } = plan;
  const files = new Map<string, string>();
  const add = (path: string, content: unknown) => {
    files.set(
      path,
      typeof content === "string" ? content : JSON.stringify(content),
    );
    return path;
  };
  const workflows = Object.entries(plan.workflows ?? {}).map((
    [name, steps],
  ) => ({
    id: `${id}.${name}`,
    path: add(`workflows/${name}.json`, { steps }),
  }));
  const schemas = Object.entries(plan.schemas ?? {}).map(([name, schema]) => ({
    id: `${id}/${name}`,
    path: add(`schemas/${name}.json`, schema),
  }));
  const topics = Object.entries(plan.topics ?? {}).map(([name, pool]) =>
    [`job.${id}.${name}`, pool] as const
  );
  const pools = Object.entries(plan.pools ?? {}).map(([name, requires]) =>
    [name, { requires }] as const
  );
  const patch = {
    topics: Object.fromEntries(topics),
    pools: Object.fromEntries(pools),
  };
  const config = topics.length === 0 ? [] : [{
    name: "pools",
    key: "pools",
    path: add("pools.json", patch),
  }];
  const policy = [{
    name: "safety",
    path: add("safety.json", plan.fragment ?? { rules: plan.rules ?? [] }),
  }];
  add("pack.yaml", {
    metadata: { id, version },
    compatibility: { protocolVersion: 1 },
    resources: { schemas, workflows },
    overlays: { config, policy },
  });
  return files;
}

/** What a worker of a test is and does. */
export interface WorkerPlan {
  id: string;
  pool: string;
  parallel?: number;
  labels?: Record<string, string>;
  cpuLoad?: number;
  /** Whether it takes jobs at all. */
  deaf?: boolean;
  /** What it answers; `undefined` for nothing. */
  answer?: (job: JobRequest) => Result | undefined;
}

/** The parts of a result that a test gives; `value` is stored first. */
export type Result = MessageInitShape<typeof JobResultSchema> & {
  value?: unknown;
  /** Stored in place of the JSON of `value`. */
  text?: string;
};

/** A worker that does what a test says. */
export class TestWorker {
  /** What it was sent, oldest first. */
  readonly jobs: JobRequest[] = [];
  readonly #stage: Pick<Stage, "bus" | "store" | "call">;
  readonly #plan: WorkerPlan;
  readonly #answers = new Set<Promise<void>>();
  /** Ends its subscription. */
  readonly leave: () => void;

  constructor(stage: Pick<Stage, "bus" | "store" | "call">, plan: WorkerPlan) {
    this.#stage = stage;
    this.#plan = plan;
    const subject = `worker.${plan.id}.jobs`;
    this.leave = plan.deaf
      ? () => {}
      : stage.bus.subscribe(subject, (bytes) => this.#onMessage(bytes));
  }

  /** Says that it is there, with so many jobs; resolves when devcore knows. */
  async beat(activeJobs = 0): Promise<void> {
    const { id: workerId, pool, parallel = 4, labels = {}, cpuLoad = 0 } =
      this.#plan;
    const sender = { workerId, nowMs: Date.now() };
    const heartbeat = {
      pool,
      maxParallelJobs: parallel,
      activeJobs,
      labels,
      cpuLoad,
    };
    this.#stage.bus.publish(
      "sys.heartbeat",
      encodeHeartbeat(sender, heartbeat),
    );
    await this.#stage.bus.flush();
    await until(`the heartbeat of ${workerId} to be heard`, async () => {
      const { json } = await this.#stage.call("GET /api/v1/workers");
      const workers = Array.isArray(json)
        ? json
        : (json as JsonObject)["items"];
      return (workers as JsonObject[]).some((worker) =>
        worker["worker_id"] === workerId &&
        (worker["active_jobs"] ?? 0) === activeJobs
      );
    });
  }

  /** Answers a job, whether it was sent one or not. */
  async answer(jobId: string, result: Result): Promise<void> {
    const { bus, store } = this.#stage;
    const { value, text, ...fields } = result;
    const stored = text ?? (value === undefined ? "" : JSON.stringify(value));
    const key = `res:${jobId}`;
    if (stored !== "") await store.write(key, stored, RESULT_TTL_S, never);
    const packet = create(BusPacketSchema, {
      traceId: jobId.split(":")[0]!,
      senderId: this.#plan.id,
      payload: {
        case: "jobResult",
        value: {
          jobId,
          workerId: this.#plan.id,
          status: JobStatus.SUCCEEDED,
          ...(stored === "" ? {} : { resultPtr: `redis://${key}` }),
          ...fields,
        },
      },
    });
    bus.publish("sys.job.result", encodePacket(packet));
    await bus.flush();
  }

  /** Resolves when what it was sent is answered. */
  async settled(): Promise<void> {
    await Promise.all(this.#answers);
  }

  #onMessage(bytes: Uint8Array): void {
    const { payload } = decodePacket(bytes);
    if (payload.case !== "jobRequest") return;
    const job = payload.value;
    this.jobs.push(job);
    const result = this.#plan.answer?.(job);
    if (result === undefined) return;
    const answer = this.answer(job.jobId, result)
      .finally(() => this.#answers.delete(answer));
    this.#answers.add(answer);
  }
}
