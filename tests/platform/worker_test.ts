/**
 * The worker loop against a bus and a store: `serveJobs` in process, the other
 * side of the conversation played by the test.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { startNatsServer } from "../../deploy/devcore/nats_server.ts";
import { startRedisServer } from "../../deploy/devcore/redis_server.ts";
import {
  type Answer,
  plain,
  startGateway,
} from "../../deploy/standins/gateway.ts";
import { ConfigError, JobElsewhere, JobError } from "../../lib/base/errors.ts";
import { createLog } from "../../lib/base/log.ts";
import { delay } from "../../lib/base/time.ts";
import { type Bus, connectBus } from "../../lib/platform/bus.ts";
import {
  BusPacketSchema,
  type Handshake,
  type Heartbeat,
  type JobRequestSchema,
  type JobResult,
  JobStatus,
} from "../../lib/platform/gen/cap_pb.ts";
import { decodePacket, encodePacket } from "../../lib/platform/packet.ts";
import { platformSettings } from "../../lib/platform/settings.ts";
import { connectStore, type Store } from "../../lib/platform/store.ts";
import {
  type JobContext,
  serveJobs,
  type WorkerOptions,
} from "../../lib/platform/worker.ts";
import type { EvidenceBundle, IncidentInput } from "../../lib/incident.ts";
import { type Line, openLine } from "../support/proxy.ts";
import { until } from "../support/until.ts";

const TOPIC = "job.incident-enricher.fetch";
const SETTINGS = platformSettings("w-1", "pool-1");
type Handle = WorkerOptions<
  typeof SETTINGS,
  IncidentInput,
  EvidenceBundle
>["handle"];

const BUNDLE: EvidenceBundle = {
  incident_id: "mock:1",
  collected_at: "2026-01-15T09:30:00Z",
  evidence: [],
};

interface Rig extends AsyncDisposable {
  natsUrl: string;
  redis: Awaited<ReturnType<typeof startRedisServer>>;
  /** The worker's line to NATS. */
  line: Line;
  bus: Bus;
  store: Store;
  results: JobResult[];
  heartbeats: Heartbeat[];
  handshakes: Handshake[];
  log: Record<string, unknown>[];
  /** Ends the worker; resolves when it has. */
  stop(): Promise<void>;
  /** Sends a job as the scheduler does, with its input stored. */
  dispatch(
    request: MessageInitShape<typeof JobRequestSchema>,
    input?: unknown,
  ): Promise<void>;
  resultOf(jobId: string): Promise<JobResult>;
}

const { signal: never } = new AbortController();
const quiet = createLog({}, { write() {} });

async function startRig(
  handle: Handle,
  env: Record<string, string> = {},
  { caution = () => undefined, answer, recover = false, heartbeatMs = 5_000 }: {
    caution?: (workerId: string) => string | undefined;
    recover?: boolean;
    heartbeatMs?: number;
    /** The gateway's answers, by default that all is well. */
    answer?: Answer;
  } = {},
): Promise<Rig> {
  const stack = new AsyncDisposableStack();
  const nats = stack.use(await startNatsServer());
  // The worker's own, so that it alone can lose its connection.
  const line = stack.use(openLine(nats.url));
  const redis = stack.use(await startRedisServer());
  const gateway = stack.use(startGateway(answer));
  const bus = stack.use(
    await connectBus({
      url: nats.url,
      name: "test",
      log: quiet,
      signal: never,
    }),
  );
  const store = stack.use(
    await connectStore({
      url: redis.url,
      name: "test",
      log: quiet,
      signal: never,
    }),
  );
  const results: JobResult[] = [];
  const heartbeats: Heartbeat[] = [];
  const handshakes: Handshake[] = [];
  for (const subject of ["sys.job.result", "sys.heartbeat", "sys.handshake"]) {
    bus.subscribe(subject, (bytes) => {
      const { payload } = decodePacket(bytes);
      if (payload.case === "jobResult") results.push(payload.value);
      if (payload.case === "heartbeat") heartbeats.push(payload.value);
      if (payload.case === "handshake") handshakes.push(payload.value);
    });
  }
  await bus.flush();
  const stop = new AbortController();
  const log: Record<string, unknown>[] = [];
  const variables: Record<string, string> = {
    NATS_URL: line.url,
    REDIS_URL: redis.url,
    CORETEX_GATEWAY_URL: gateway.url,
    CORETEX_API_KEY: "s3cret-key",
    ...env,
  };
  const ended = serveJobs({
    topic: TOPIC,
    settings: SETTINGS,
    input: "IncidentInput",
    output: "EvidenceBundle",
    caution: ({ workerId }) => caution(workerId),
    recover,
    handle,
  }, {
    env: (name) => variables[name],
    signal: stop.signal,
    write: (line) => log.push(JSON.parse(line)),
    heartbeatMs,
    watch: { everyMs: 50, answerMs: 200, graceMs: 600 },
  });
  const failed = ended.then(() => false, () => true);
  stack.defer(async () => {
    stop.abort();
    await failed;
  });
  await until(
    "the worker to be ready",
    () =>
      heartbeats.length > 0 && log.some(({ msg }) => msg === "Worker ready"),
  );
  return {
    natsUrl: nats.url,
    redis,
    line,
    bus,
    store,
    results,
    heartbeats,
    handshakes,
    log,
    stop() {
      stop.abort();
      return ended;
    },
    async dispatch(request, input = { incident_id: "mock:1" }) {
      const { jobId = "" } = request;
      if (input !== NO_INPUT) {
        await store.write(`ctx:${jobId}`, JSON.stringify(input), 60, never);
      }
      const packet = create(BusPacketSchema, {
        traceId: "trace-1",
        senderId: "cordum-scheduler",
        protocolVersion: 1,
        payload: {
          case: "jobRequest",
          value: {
            topic: TOPIC,
            contextPtr: `redis://ctx:${jobId}`,
            ...request,
          },
        },
      });
      bus.publish("worker.w-1.jobs", encodePacket(packet));
      await bus.flush();
    },
    resultOf: (jobId) =>
      until(
        `the result of ${jobId}`,
        () => results.find((result) => result.jobId === jobId),
      ),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

Deno.test("serveJobs() announces itself at once: subscribed, heartbeat, handshake", async () => {
  await using rig = await startRig(() => Promise.resolve(BUNDLE), {
    WORKER_TOKEN: "t0ken-1",
  });
  const {
    workerId,
    pool,
    maxParallelJobs,
    activeJobs,
    labels,
    capabilities,
    authToken,
  } = rig.heartbeats[0]!;
  assertEquals(
    {
      workerId,
      pool,
      maxParallelJobs,
      activeJobs,
      labels: { ...labels },
      capabilities,
      authToken,
    },
    {
      workerId: "w-1",
      pool: "pool-1",
      maxParallelJobs: 16,
      activeJobs: 0,
      labels: { dry_run: "true" },
      capabilities: [TOPIC],
      authToken: "t0ken-1",
    },
  );
  const handshake = await until("the handshake", () => rig.handshakes[0]);
  assertEquals([handshake.componentId, handshake.readyTopics], ["w-1", [
    TOPIC,
  ]]);
});

Deno.test("serveJobs() does a job and answers with its pointer, id and time", async () => {
  await using rig = await startRig((input, { job, settings }) => {
    assertEquals(input.incident_id, "mock:1");
    assertEquals([job.id, job.runId, job.tenantId, job.traceId], [
      "r1:fetch@1",
      "r1",
      "t1",
      "trace-1",
    ]);
    assertEquals(settings.workerPool, "pool-1");
    return Promise.resolve(BUNDLE);
  });
  await rig.dispatch({
    jobId: "r1:fetch@1",
    env: { run_id: "r1" },
    tenantId: "t1",
  });
  const result = await rig.resultOf("r1:fetch@1");
  assertEquals(result.status, JobStatus.SUCCEEDED);
  assertEquals(result.resultPtr, "redis://res:r1:fetch@1");
  assertEquals(result.workerId, "w-1");
  assert(result.executionMs >= 0n);
  assertEquals(
    JSON.parse((await rig.store.read("res:r1:fetch@1", 10_000, never))!),
    BUNDLE,
  );
});

Deno.test("serveJobs() answers a job that comes again with the same result, and does it once", async () => {
  let times = 0;
  await using rig = await startRig(() => {
    times++;
    return Promise.resolve(BUNDLE);
  });
  await rig.dispatch({ jobId: "j1" });
  await rig.resultOf("j1");
  await rig.dispatch({ jobId: "j1" });
  await until("the second answer", () => rig.results.length === 2);
  const [first, second] = rig.results;
  assertEquals(times, 1);
  assertEquals(first, second!);
});

interface Refused {
  what: string;
  request: MessageInitShape<typeof JobRequestSchema>;
  input?: unknown;
  raw?: string;
  code: string;
  message: string;
}

const REFUSED: Refused[] = [
  {
    what: "a job of another topic",
    request: { jobId: "j", topic: "job.other.x" },
    code: "JOB_WRONG_TOPIC",
    message:
      `Cannot do a job of topic "job.other.x": this worker serves "${TOPIC}"`,
  },
  ...[
    "redis://ctx:other",
    "redis://cfg:system:default",
    "redis://art:1",
    "file:///etc/passwd",
    "redis://host/ctx:j",
    "",
  ]
    .map((contextPtr) => ({
      what: `the context pointer "${contextPtr}"`,
      request: { jobId: "j", contextPtr },
      code: "JOB_INVALID_INPUT",
      message:
        'Cannot read the job\'s input: its context pointer is not "redis://ctx:j"',
    })),
  {
    what: "an input that is missing or expired",
    request: { jobId: "j" },
    input: undefined,
    code: "JOB_CONTEXT_MISSING",
    message: 'Cannot read the job\'s input: "ctx:j" is missing or expired',
  },
  {
    what: "an input that is no JSON",
    request: { jobId: "j" },
    raw: "{",
    code: "JOB_INVALID_INPUT",
    message: 'Cannot read the job\'s input: "ctx:j" is not JSON',
  },
  {
    what: "an input that breaks the schema",
    request: { jobId: "j" },
    input: { incident_id: "mock:1", severity: "meh" },
    code: "JOB_INVALID_INPUT",
    message:
      "Cannot use the job's input: /severity must be one of critical, high, error, medium, warning, low, info, unknown",
  },
  {
    what: "an input that is too long",
    request: { jobId: "j" },
    raw: `"${"x".repeat(4 * 1024 * 1024)}"`,
    code: "JOB_INVALID_INPUT",
    message: 'Cannot read "ctx:j": longer than 4194304 bytes',
  },
  {
    what: "a constraint that cannot be read",
    request: { jobId: "j", env: { CORDUM_POLICY_CONSTRAINTS: "{" } },
    code: "JOB_CONSTRAINTS_INVALID",
    message:
      "Cannot read the policy's constraint POLICY_CONSTRAINTS: expected JSON",
  },
];

Deno.test("serveJobs() refuses with a clear error and goes on", async (t) => {
  let times = 0;
  await using rig = await startRig(() => {
    times++;
    return Promise.resolve(BUNDLE);
  });
  for (
    const [at, { what, request, raw, code, message, ...rest }] of REFUSED
      .entries()
  ) {
    await t.step(what, async () => {
      const jobId = `j${at}`;
      const own = (text: string) => text.replaceAll("ctx:j", `ctx:${jobId}`);
      if (raw !== undefined) {
        await rig.store.write(`ctx:${jobId}`, raw, 60, never);
      }
      const input =
        raw !== undefined || ("input" in rest && rest.input === undefined)
          ? undefined
          : "input" in rest
          ? rest.input
          : { incident_id: "mock:1" };
      await rig.dispatch(
        { ...request, jobId },
        input === undefined ? NO_INPUT : input,
      );
      const result = await rig.resultOf(jobId);
      assertEquals([result.status, result.errorCode, result.errorMessage], [
        JobStatus.FAILED,
        code,
        own(message),
      ]);
      assertEquals(result.workerId, "w-1");
      const detail = await rig.store.read(`res:${jobId}:error`, 10_000, never);
      if (code !== "JOB_WRONG_TOPIC") {
        assertEquals(JSON.parse(detail!).code, code);
      }
    });
  }
  assertEquals(times, 0);
  await rig.dispatch({ jobId: "good" });
  assertEquals((await rig.resultOf("good")).status, JobStatus.SUCCEEDED);
});

const NO_INPUT = Symbol("no input");

Deno.test("serveJobs() ignores what is no packet, no job and no job of anybody, and goes on", async () => {
  await using rig = await startRig(() => Promise.resolve(BUNDLE));
  const garbage = [
    new Uint8Array(),
    Uint8Array.fromHex("0afeffffff0f41"),
    new TextEncoder().encode("hello"),
    new Uint8Array(1000).fill(255),
  ];
  for (const bytes of garbage) rig.bus.publish("worker.w-1.jobs", bytes);
  for (const bytes of garbage) rig.bus.publish("sys.job.cancel", bytes);
  await rig.dispatch({ jobId: "" });
  await rig.dispatch({ jobId: "good" });
  assertEquals((await rig.resultOf("good")).status, JobStatus.SUCCEEDED);
  assertEquals(rig.results.length, 1);
});

const FAILURES: [string, () => unknown, string, string][] = [
  [
    "a JobError",
    () => new JobError("NOT_APPROVED", "Cannot post"),
    "NOT_APPROVED",
    "Cannot post",
  ],
  [
    "a bug",
    () => new TypeError("x is undefined"),
    "INTERNAL",
    "Internal error of the worker; its log has the details",
  ],
  [
    "something that is no error",
    () => "oops",
    "INTERNAL",
    "Internal error of the worker; its log has the details",
  ],
  [
    "an error that quotes a secret",
    () => new JobError("POST_REFUSED", "bad s3cret-key"),
    "POST_REFUSED",
    "bad [secret]",
  ],
];

for (const [what, error, code, message] of FAILURES) {
  Deno.test(`serveJobs() answers ${code} for ${what}`, async () => {
    await using rig = await startRig(() => Promise.reject(error()));
    await rig.dispatch({ jobId: "j" });
    const result = await rig.resultOf("j");
    assertEquals([result.status, result.errorCode, result.errorMessage], [
      JobStatus.FAILED,
      code,
      message,
    ]);
    assert(!JSON.stringify(rig.log).includes("s3cret-key"));
  });
}

Deno.test("serveJobs() refuses an output that breaks the schema or is too long", async () => {
  const outputs: [unknown, string, string][] = [
    [
      { incident_id: "x" },
      "JOB_INVALID_OUTPUT",
      "Cannot store the job's result: / must have required property 'evidence'",
    ],
    [
      { ...BUNDLE, normalized_context: { big: "x".repeat(200 * 1024) } },
      "JOB_RESULT_TOO_LARGE",
      `Cannot store the job's result: got ${
        JSON.stringify({ ...BUNDLE, normalized_context: { big: "" } }).length +
        200 * 1024
      } bytes, expected at most ${200 * 1024}`,
    ],
  ];
  let at = 0;
  await using rig = await startRig(() =>
    Promise.resolve(outputs[at++]![0] as EvidenceBundle)
  );
  for (const [index, [, code, message]] of outputs.entries()) {
    await rig.dispatch({ jobId: `j${index}` });
    const result = await rig.resultOf(`j${index}`);
    assertEquals([result.errorCode, result.errorMessage], [code, message]);
  }
});

Deno.test("serveJobs() says nothing of a job that another process does", async () => {
  await using rig = await startRig((_, { job }) =>
    job.id === "theirs"
      ? Promise.reject(new JobElsewhere())
      : Promise.resolve(BUNDLE)
  );
  await rig.dispatch({ jobId: "theirs" });
  await rig.dispatch({ jobId: "ours" });
  await rig.resultOf("ours");
  assertEquals(rig.results.map(({ jobId }) => jobId), ["ours"]);
});

Deno.test("serveJobs() ends a job at its deadline", async () => {
  await using rig = await startRig((_, { signal }) => heed(signal));
  await rig.dispatch({ jobId: "slow", budget: { deadlineMs: 50n } });
  const result = await rig.resultOf("slow");
  assertEquals([result.errorCode, result.errorMessage], [
    "JOB_TIMEOUT",
    "The job took longer than 50 ms",
  ]);
});

Deno.test("serveJobs() ends a job that is cancelled on the bus", async () => {
  const begun = Promise.withResolvers<void>();
  await using rig = await startRig((_, { signal }) => {
    begun.resolve();
    return heed(signal);
  });
  await rig.dispatch({ jobId: "long" });
  await begun.promise;
  const cancel = create(BusPacketSchema, {
    payload: { case: "jobCancel", value: { jobId: "long", reason: "x" } },
  });
  rig.bus.publish("sys.job.cancel", encodePacket(cancel));
  assertEquals((await rig.resultOf("long")).errorCode, "JOB_CANCELLED");
});

Deno.test("serveJobs() publishes progress", async () => {
  await using rig = await startRig(
    (_, context: JobContext<typeof SETTINGS>) => {
      context.progress(40, "half way");
      return Promise.resolve(BUNDLE);
    },
  );
  const seen: string[] = [];
  rig.bus.subscribe("sys.job.progress", (bytes) => {
    const { payload } = decodePacket(bytes);
    if (payload.case === "jobProgress") {
      seen.push(
        `${payload.value.jobId} ${payload.value.percent} ${payload.value.message}`,
      );
    }
  });
  await rig.bus.flush();
  await rig.dispatch({ jobId: "j" });
  await until("the note", () => seen.length === 1);
  assertEquals(seen, ["j 40 half way"]);
  await rig.resultOf("j");
});

Deno.test("serveJobs() drains when it is stopped: looks full, finishes, answers", async () => {
  const go = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  await using rig = await startRig(async () => {
    begun.resolve();
    await go.promise;
    return BUNDLE;
  });
  await rig.dispatch({ jobId: "held" });
  await begun.promise;
  const stopped = rig.stop();
  await until(
    "a heartbeat that looks full",
    () => rig.heartbeats.some(({ activeJobs }) => activeJobs >= 16),
  );
  go.resolve();
  await stopped;
  assertEquals((await rig.resultOf("held")).status, JobStatus.SUCCEEDED);
  assertEquals(rig.log.at(-1)?.["msg"], "Worker stopped");
  await rig.dispatch({ jobId: "late" });
  await rig.bus.flush();
  assertEquals(rig.results.length, 1);
});

Deno.test("serveJobs() delivers a result after the bus was away", async () => {
  const go = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  await using rig = await startRig(async () => {
    begun.resolve();
    await go.promise;
    return BUNDLE;
  });
  await rig.dispatch({ jobId: "j" });
  await begun.promise;
  rig.line.cut();
  await until(
    "the loss to be seen",
    () => rig.log.some(({ msg }) => msg === "Lost the connection to NATS"),
  );
  go.resolve();
  rig.line.mend();
  assertEquals((await rig.resultOf("j")).status, JobStatus.SUCCEEDED);
  assert(rig.log.some(({ msg }) => msg === "Reconnected to NATS"));
  await rig.dispatch({ jobId: "next" });
  assertEquals((await rig.resultOf("next")).status, JobStatus.SUCCEEDED);
});

Deno.test("serveJobs() rides out a store that is away", async () => {
  await using rig = await startRig(() => Promise.resolve(BUNDLE));
  await rig.dispatch({ jobId: "before" });
  await rig.resultOf("before");
  rig.redis.disconnectAll();
  await rig.dispatch({ jobId: "after" });
  assertEquals((await rig.resultOf("after")).status, JobStatus.SUCCEEDED);
});

Deno.test("serveJobs() waits for servers that come up later, and says so", async () => {
  await using nats = await startNatsServer();
  await using redis = await startRedisServer();
  const { port: natsPort } = nats;
  const { port: redisPort } = redis;
  await nats.stop();
  await redis.stop();
  let works = false;
  await using gateway = startGateway((_, answer) =>
    works ? answer() : plain(503, "not yet\n")
  );
  const stop = new AbortController();
  const log: Record<string, unknown>[] = [];
  const variables: Record<string, string> = {
    NATS_URL: `nats://127.0.0.1:${natsPort}`,
    REDIS_ADDR: `127.0.0.1:${redisPort}`,
    CORDUM_GATEWAY_URL: gateway.url,
    CORDUM_API_KEY: "k",
  };
  const handle = () => Promise.resolve(BUNDLE);
  const ended = serveJobs({
    topic: TOPIC,
    settings: SETTINGS,
    input: "IncidentInput",
    output: "EvidenceBundle",
    handle,
  }, {
    env: (name) => variables[name],
    signal: stop.signal,
    write: (line) => log.push(JSON.parse(line)),
    watch: { everyMs: 100 },
  });
  await until(
    "a word about Redis",
    () =>
      log.some(({ msg }) => msg === "Cannot connect to Redis, trying again"),
  );
  await using _redis = await startRedisServer({ port: redisPort });
  await until(
    "a word about NATS",
    () => log.some(({ msg }) => msg === "Cannot connect to NATS, trying again"),
  );
  await using _nats = await startNatsServer({ port: natsPort });
  await until(
    "the connection",
    () => log.some(({ msg }) => msg === "Connected to NATS"),
    20_000,
  );
  await until(
    "a word about the gateway",
    () =>
      log.some(({ msg }) => msg === "Cannot reach the gateway, trying again"),
  );
  assert(!log.some(({ msg }) => msg === "Worker ready"));
  works = true;
  await until(
    "the worker to be ready",
    () => log.some(({ msg }) => msg === "Worker ready"),
    20_000,
  );
  stop.abort();
  await ended;
});

Deno.test("serveJobs() leaves its pool while the gateway refuses the key, and comes back", async () => {
  let refuses = false;
  await using rig = await startRig(() => Promise.resolve(BUNDLE), {}, {
    heartbeatMs: 20,
    answer: (_, works) => refuses ? plain(401, "unauthorized\n") : works(),
  });
  refuses = true;
  const last = await until(
    "the farewell",
    () => rig.heartbeats.find(({ pool }) => pool !== "pool-1"),
  );
  assertEquals([last.pool, last.activeJobs], ["pool-1-away", 16]);
  const joined = () => rig.heartbeats.filter(({ pool }) => pool === "pool-1");
  const { length } = joined();
  const line = rig.log.find(({ level }) => level === "error");
  assertEquals([line?.["msg"], line?.["error"]], [
    "Taking no jobs; check CORETEX_API_KEY",
    "Cannot call GET /status: got status 401, expected 2xx (unauthorized)",
  ]);
  await delay(100);
  assertEquals(joined().length, length);
  // With a connection that comes back, it leaves again and does not join.
  rig.line.cut();
  await until(
    "the loss to be seen",
    () => rig.log.some(({ msg }) => msg === "Lost the connection to NATS"),
  );
  rig.line.mend();
  await until(
    "the connection",
    () => rig.log.some(({ msg }) => msg === "Reconnected to NATS"),
  );
  await until(
    "the second farewell",
    () => rig.heartbeats.filter(({ pool }) => pool !== "pool-1").length === 2,
  );
  assertEquals(joined().length, length);
  refuses = false;
  const next = await until("a heartbeat after that", () => joined()[length]);
  assertEquals([next.pool, next.activeJobs], ["pool-1", 0]);
  assertEquals(rig.log.filter(({ level }) => level === "error").length, 1);
  const ready = rig.log.filter(({ msg }) => msg === "Worker ready");
  assertEquals(ready.length, 1);
});

Deno.test("serveJobs() has no trouble while the gateway answers its jobs' calls", async () => {
  let isBusy = true;
  let isLimited = false;
  const begun = Promise.withResolvers<void>();
  await using rig = await startRig(
    async (_, { gateway, job }) => {
      begun.resolve();
      while (isBusy) {
        await gateway.readJob(job.id);
        await delay(20);
      }
      return BUNDLE;
    },
    {},
    {
      answer: ({ path }, works) =>
        !path.endsWith("/status")
          ? Response.json({})
          : isLimited
          ? plain(429, "rate limited\n")
          : works(),
    },
  );
  await rig.dispatch({ jobId: "j" });
  await begun.promise;
  isLimited = true;
  await delay(1_000);
  assertEquals(rig.log.filter(({ level }) => level === "error"), []);
  isBusy = false;
  await rig.resultOf("j");
  await until(
    "the trouble",
    () => rig.log.some(({ level }) => level === "error"),
  );
});

Deno.test("serveJobs() looks for jobs that nobody answers as soon as the gateway is well", async () => {
  let refuses = false;
  const asked: string[] = [];
  await using rig = await startRig(() => Promise.resolve(BUNDLE), {}, {
    recover: true,
    answer({ path }, works) {
      if (path.endsWith("/status")) {
        return refuses ? plain(401, "unauthorized\n") : works();
      }
      asked.push(`${path}${refuses ? " with a refused key" : ""}`);
      return Response.json(
        path.endsWith("/jobs")
          ? { items: [{ id: "j", topic: TOPIC, state: "RUNNING" }] }
          : { id: "j", topic: TOPIC, context_ptr: "redis://ctx:j" },
      );
    },
  });
  await until("the first search", () => asked.length > 0);
  refuses = true;
  await until(
    "the trouble",
    () => rig.log.some(({ level }) => level === "error"),
  );
  await rig.store.write("ctx:j", '{"incident_id":"mock:1"}', 60, never);
  const { length } = asked;
  refuses = false;
  // The next search by the clock is a minute away.
  await until("the next search", () => asked.length > length);
  assertEquals(asked.filter((path) => path.includes("refused")), []);
});

Deno.test("serveJobs() says once, at start, what its worker cautions about", async () => {
  const handle = () => Promise.resolve(BUNDLE);
  await using rig = await startRig(handle, {}, {
    caution: (id) => `started as ${id}`,
  });
  assertEquals(
    rig.log.filter(({ level }) => level === "warn").map(({ msg }) => msg),
    ["started as w-1"],
  );
});

Deno.test("serveJobs() does not start in a wrong environment", async () => {
  const handle = () => Promise.resolve(BUNDLE);
  const options = {
    topic: TOPIC,
    settings: SETTINGS,
    input: "IncidentInput",
    output: "EvidenceBundle",
    handle,
  } as const;
  const error = await assertRejects(
    () =>
      serveJobs(options, {
        env: (name) => name === "WORKER_ID" ? "a.b" : undefined,
        signal: never,
      }),
    ConfigError,
  );
  assertEquals(
    error.message,
    "CORETEX_GATEWAY_URL is required (HTTP address of the platform's gateway); " +
      "CORETEX_API_KEY is required (API key for the gateway); " +
      "WORKER_ID must be 1 to 100 characters without blanks, dots, * or >",
  );
});

/** Rejects when the signal aborts, as a handler that heeds it does. */
function heed(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), {
      once: true,
    });
  });
}
