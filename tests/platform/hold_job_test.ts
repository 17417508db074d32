/**
 * What becomes of a job when trouble of ours ends an attempt at it: `runJob`
 * against a gateway that a test breaks and mends.
 *
 * @module
 */
import { Tally } from "../../lib/base/tally.ts";
import { assert, assertEquals } from "@std/assert";
import { create } from "@bufbuild/protobuf";
import {
  type Answer,
  never,
  plain,
  startGateway,
} from "../../deploy/standins/gateway.ts";
import { JobElsewhere, JobError } from "../../lib/base/errors.ts";
import type { JsonObject } from "../../lib/base/json.ts";
import { createLog } from "../../lib/base/log.ts";
import type { JobContext } from "../../lib/platform/context.ts";
import { Gateway } from "../../lib/platform/gateway.ts";
import { JobRequestSchema } from "../../lib/platform/gen/cap_pb.ts";
import type { Hold } from "../../lib/platform/job_table.ts";
import type { JobEnd } from "../../lib/platform/packet.ts";
import { type JobCall, runJob } from "../../lib/platform/run_job.ts";
import { type Store, StoreError } from "../../lib/platform/store.ts";
import { askStatus, GatewayWatch } from "../../lib/platform/watch_gateway.ts";

const TOPIC = "job.incident-enricher.post";
const html = (status: number) => plain(status, "<html>Bad</html>\n");

interface Plan {
  recoverable?: boolean;
  deadlineMs?: number;
  giveUpAt?: number;
  heldMsMax?: number;
  /** How long one call of the gateway is tried. */
  callMs?: number;
  /** How long the gateway may go without a good answer. */
  graceMs?: number;
  /** Does the job; by default reads its record. */
  handle?: (context: JobContext) => Promise<unknown>;
}

/** One job and its surroundings, which all work until the test breaks them. */
async function startScene({
  recoverable = true,
  deadlineMs = 0,
  giveUpAt = Infinity,
  heldMsMax = 60_000,
  callMs = 10_000,
  graceMs = 30_000,
  handle = ({ gateway, job }) => gateway.readJob(job.id),
}: Plan = {}) {
  const scene = {
    /** How the gateway answers, unless it works. */
    answer: undefined as Answer | undefined,
    /** How Redis fails, if it does. */
    redis: undefined as StoreError | undefined,
    /** The platform's record of the job. */
    record: { id: "j", state: "RUNNING" } as JsonObject,
    handled: 0,
    written: [] as string[],
    log: [] as string[],
    abort: new AbortController(),
  };
  const stand = startGateway((asked, works) => {
    if (scene.answer !== undefined) return scene.answer(asked, works);
    return asked.path === "/api/v1/jobs/j"
      ? Response.json(scene.record)
      : works();
  });
  const gateway = new Gateway({
    url: stand.url,
    apiKey: "k",
    deadlineMs: callMs,
    onAnswer: () => watch.answered(),
  });
  const log = createLog({}, { write: (line) => scene.log.push(line) });
  const watch: GatewayWatch = new GatewayWatch({
    ask: (signal) => askStatus(gateway, signal),
    log,
    times: { answerMs: callMs, graceMs },
  });
  while (!await watch.check());
  const store: Partial<Store> = {
    read: () =>
      scene.redis ? Promise.reject(scene.redis) : Promise.resolve("{}"),
    write(key) {
      if (scene.redis) return Promise.reject(scene.redis);
      scene.written.push(key);
      return Promise.resolve();
    },
  };
  const call: JobCall = {
    request: create(JobRequestSchema, {
      jobId: "j",
      topic: TOPIC,
      contextPtr: "redis://ctx:j",
      budget: { deadlineMs: BigInt(deadlineMs) },
    }),
    traceId: "t",
    signal: scene.abort.signal,
    log,
    progress() {},
  };
  const run = () =>
    runJob({
      topic: TOPIC,
      settings: {},
      gateway,
      store: store as Store,
      watch,
      tally: new Tally(),
      recoverable,
      giveUpAt: () => giveUpAt,
      holdTimes: { baseMs: 10, maxMs: 20, heldMsMax },
      checkInput: () => undefined,
      checkOutput: () => undefined,
      handle(_, context) {
        scene.handled++;
        return handle(context);
      },
    }, call);
  return Object.assign(scene, {
    call,
    run,
    watch,
    /** Does a held job, which may be held again on a slow machine. */
    async finish(hold: Hold): Promise<JobEnd | undefined> {
      let end: JobEnd | Hold | undefined = hold;
      while (end?.status === "held") {
        await end.again;
        end = await end.work(call);
      }
      return end;
    },
    /** Lets the gateway work again, and the watch find out. */
    async mend() {
      scene.answer = undefined;
      while (!await watch.check());
    },
    async [Symbol.asyncDispose]() {
      scene.abort.abort(); // Ends what is held.
      gateway[Symbol.dispose]();
      await stand[Symbol.asyncDispose]();
    },
  });
}

function held(end: JobEnd | Hold | undefined): Hold {
  assert(end?.status === "held", `not held: ${JSON.stringify(end)}`);
  return end;
}

const DONE = { status: "succeeded", resultPtr: "redis://res:j" } as const;

/** Trouble of the gateway's, on every route or on the job's own only. */
const TROUBLES: [what: string, answer: Answer, setting?: string][] = [
  ["401", () => plain(401, "unauthorized\n"), "CORETEX_API_KEY"],
  [
    "403",
    () =>
      Response.json({ error: "no", code: "access_denied" }, { status: 403 }),
    "CORETEX_API_KEY",
  ],
  ["429", () => plain(429, "rate limited\n")],
  ["500", () => plain(500, "redis: closed\n")],
  ["502 and a page", () => html(502)],
  ["503", () => plain(503, "")],
  ["404 of a router", () => plain(404, "404 page not found\n")],
  ["200 and a page", () => html(200)],
  ["nothing", never],
];

for (const [what, answer, setting] of TROUBLES) {
  Deno.test(`runJob() holds a job while the gateway answers ${what}, and does it once after that`, async () => {
    await using scene = await startScene({ callMs: 200 });
    scene.answer = answer;
    const hold = held(await scene.run());
    assertEquals(scene.written, []);
    if (setting !== undefined) {
      assert(hold.why.endsWith(`; check ${setting}`), hold.why);
    }
    await scene.mend();
    assertEquals(await scene.finish(hold), DONE);
    assert(scene.handled > 1);
    assertEquals(scene.written, ["res:j"]);
    const lines = scene.log.filter((line) => line.includes("Holding a job"));
    assertEquals(lines.length, 1);
  });

  Deno.test(`runJob() holds a job while the gateway answers ${what} to it alone`, async () => {
    await using scene = await startScene({ callMs: 200 });
    scene.answer = (asked, works) =>
      asked.path.endsWith("/status") ? works() : answer(asked, works);
    let hold = held(await scene.run());
    // With a gateway that works otherwise, it is tried again and again.
    await hold.again;
    hold = held(await hold.work(scene.call));
    assertEquals(scene.watch.failure, undefined);
    scene.answer = undefined;
    assertEquals(await scene.finish(hold), DONE);
  });
}

Deno.test("runJob() tries a job only once the gateway that refused the key is well", async () => {
  await using scene = await startScene();
  scene.answer = () => plain(401, "unauthorized\n");
  const hold = held(await scene.run());
  let again = false;
  hold.again.then(() => again = true);
  await new Promise((resolve) => setTimeout(resolve, 60));
  assertEquals(again, false);
  await scene.mend();
  await hold.again;
});

Deno.test("runJob() does not even begin a job while the gateway is not well", async () => {
  await using scene = await startScene();
  scene.answer = () => plain(401, "unauthorized\n");
  await scene.watch.check();
  const hold = held(await scene.run());
  assertEquals(scene.handled, 0);
  await scene.mend();
  await hold.again;
  assertEquals(await hold.work(scene.call), DONE);
  assertEquals(scene.handled, 1);
});

Deno.test("runJob() does not take the gateway's last bad answer for one about the job", async () => {
  await using scene = await startScene({ graceMs: 0 });
  scene.answer = () => plain(404, "not found\n");
  await scene.watch.check();
  assertEquals(scene.watch.failure?.status, 404);
  // The next answer is good, but nobody has asked yet.
  scene.answer = undefined;
  const hold = held(await scene.run());
  assertEquals(await scene.finish(hold), DONE);
});

Deno.test("runJob() still refuses a wrong input then", async () => {
  await using scene = await startScene();
  scene.answer = () => plain(401, "unauthorized\n");
  await scene.watch.check();
  Object.assign(scene.call.request, { contextPtr: "redis://ctx:other" });
  assertEquals((await scene.run())?.status, "failed");
});

const REDIS: [string, StoreError][] = [
  ["is away", new StoreError("unavailable", "Redis is unavailable: closed")],
  ["refuses the password", new StoreError("refused", "Redis refused: NOAUTH")],
];
for (const [what, error] of REDIS) {
  Deno.test(`runJob() holds a job while Redis ${what}`, async () => {
    await using scene = await startScene();
    scene.redis = error;
    const hold = held(await scene.run());
    assertEquals([hold.why, scene.handled], [error.message, 0]);
    scene.redis = undefined;
    await hold.again;
    assertEquals(await hold.work(scene.call), DONE);
  });
}

Deno.test("runJob() does a job only once whose result it cannot store at first", async () => {
  const away = new StoreError("unavailable", "Redis is unavailable: closed");
  await using scene = await startScene({
    handle() {
      scene.redis = away;
      return Promise.resolve({});
    },
  });
  const hold = held(await scene.run());
  scene.redis = undefined;
  await hold.again;
  assertEquals(await hold.work(scene.call), DONE);
  assertEquals(scene.handled, 1);
});

const FAULTS: [what: string, answer: Answer, code: string][] = [
  ["no such job", () => plain(404, "job not found\n"), "GATEWAY_REFUSED"],
  ["a bad pointer", () => plain(400, "invalid pointer\n"), "GATEWAY_REFUSED"],
  ["a wrong type", () => plain(500, "WRONGTYPE x\n"), "GATEWAY_REFUSED"],
];
for (const [what, answer, code] of FAULTS) {
  Deno.test(`runJob() fails a job at once for ${what}`, async () => {
    await using scene = await startScene();
    scene.answer = (asked, works) =>
      asked.path.endsWith("/status") ? works() : answer(asked, works);
    const end = await scene.run();
    assertEquals(end?.status === "failed" && end.code, code);
  });
}

Deno.test("runJob() blames no job while the gateway's status is not good either", async () => {
  await using scene = await startScene();
  // What a port with TLS says to a client without.
  scene.answer = () =>
    plain(400, "Client sent an HTTP request to an HTTPS server.\n");
  await scene.watch.check();
  assertEquals(scene.watch.failure, undefined);
  held(await scene.run());
});

/** How each error of a handler ends a job. */
const ERRORS: [error: unknown, code: string][] = [
  [new JobError("NOT_APPROVED", "x"), "NOT_APPROVED"],
  [new JobError("POST_TOO_OLD", "x"), "POST_TOO_OLD"],
  [new JobError("DESTINATION_REFUSED", "x"), "DESTINATION_REFUSED"],
  [new JobError("DIGEST_MISMATCH", "x"), "DIGEST_MISMATCH"],
  [new JobError("JOB_INVALID_INPUT", "x"), "JOB_INVALID_INPUT"],
  [new JobError("ARTIFACT_TOO_LARGE", "x"), "ARTIFACT_TOO_LARGE"],
  [new JobError("POST_REFUSED", "x", { retryable: true }), "POST_REFUSED"],
  [new JobError("POST_IN_DOUBT", "x"), "POST_IN_DOUBT"],
  [new StoreError("too large", "x"), "JOB_INVALID_INPUT"],
  [new TypeError("x"), "INTERNAL"],
];
for (const [error, code] of ERRORS) {
  Deno.test(`runJob() answers ${code} for ${(error as Error).name}, and holds nothing`, async () => {
    await using scene = await startScene({
      handle: () => Promise.reject(error),
    });
    const end = await scene.run();
    assertEquals(end?.status === "failed" && end.code, code);
    assertEquals(scene.written, ["res:j:error"]);
  });
}

Deno.test("runJob() holds a post while its poster has no webhook", async () => {
  const missing = new JobError("DESTINATION_REFUSED", "no webhook", {
    part: "slack",
  });
  let handle = (): Promise<unknown> => Promise.reject(missing);
  await using scene = await startScene({ handle: () => handle() });
  const hold = held(await scene.run());
  assertEquals([hold.why, scene.written], ["no webhook", []]);
  handle = () => Promise.resolve({});
  assertEquals((await scene.finish(hold))?.status, "succeeded");
});

Deno.test("runJob() gives up on a webhook when the post is too old, and says so", async () => {
  const missing = new JobError("DESTINATION_REFUSED", "no webhook", {
    part: "slack",
  });
  await using scene = await startScene({
    handle: () => Promise.reject(missing),
    giveUpAt: Date.now() + 50,
  });
  const end = await scene.finish(held(await scene.run()));
  assert(end?.status === "failed");
  assertEquals(end.code, "DESTINATION_REFUSED");
  assertEquals(end.message, "Gave up after 0 s: no webhook");
});

Deno.test("runJob() holds a post whose artifact could not be stored", async () => {
  const away = new StoreError("unavailable", "Redis is unavailable: closed");
  await using scene = await startScene({
    handle: () =>
      Promise.reject(new JobError("POST_REFUSED", "x", { cause: away })),
  });
  held(await scene.run());
});

Deno.test("runJob() says nothing of a held job that the platform no longer waits for", async () => {
  for (const state of ["SUCCEEDED", "FAILED", "CANCELLED", "TIMEOUT", ""]) {
    await using scene = await startScene();
    scene.answer = () => plain(401, "unauthorized\n");
    const hold = held(await scene.run());
    await scene.mend();
    await hold.again;
    scene.record = { id: "j", state };
    if (state === "") { // Its record is gone.
      scene.answer = (asked, works) =>
        asked.path.endsWith("/status")
          ? works()
          : plain(404, "job not found\n");
    }
    assertEquals(await hold.work(scene.call), undefined, state);
    assertEquals([scene.handled, scene.written], [1, []]);
  }
});

Deno.test("runJob() leaves a held job that another process does meanwhile", async () => {
  let first = true;
  await using scene = await startScene({
    handle({ gateway, job }) {
      if (!first) throw new JobElsewhere("x");
      first = false;
      return gateway.readJob(job.id);
    },
  });
  scene.answer = () => plain(401, "unauthorized\n");
  const hold = held(await scene.run());
  await scene.mend();
  await hold.again;
  assertEquals(await hold.work(scene.call), undefined);
});

Deno.test("runJob() gives up a held job when it is no longer worth it, and says that it was ours", async () => {
  const limits: Plan[] = [
    { giveUpAt: Date.now() + 300 },
    { heldMsMax: 300 },
  ];
  for (const limit of limits) {
    await using scene = await startScene(limit);
    scene.answer = () => plain(401, "unauthorized\n");
    const hold = held(await scene.run());
    await hold.again;
    assertEquals(await hold.work(scene.call), {
      status: "failed",
      code: "GATEWAY_UNAVAILABLE",
      message:
        "Gave up after 0 s: Cannot call GET /status: got status 401, expected 2xx (unauthorized); check CORETEX_API_KEY",
    });
    assertEquals(scene.written, ["res:j:error"]);
  }
});

Deno.test("runJob() holds a job that nobody recovers only if it has a deadline", async () => {
  for (const deadlineMs of [0, 60_000]) {
    await using scene = await startScene({ recoverable: false, deadlineMs });
    scene.answer = () => plain(401, "unauthorized\n");
    const end = await scene.run();
    assertEquals(
      end?.status === "failed" ? end.code : end?.status,
      deadlineMs === 0 ? "GATEWAY_UNAVAILABLE" : "held",
    );
  }
});

const STOPPING = new JobError("WORKER_STOPPING", "x", { retryable: true });
const STOPS: [recoverable: boolean, code: string, left: boolean][] = [
  [true, "POST_REFUSED", true],
  [true, "WORKER_STOPPING", true],
  [true, "POST_IN_DOUBT", false],
  [false, "WORKER_STOPPING", false],
];
for (const [recoverable, code, left] of STOPS) {
  const verb = left ? "leaves" : "answers";
  Deno.test(`runJob() ${verb} ${code} at a stop, recoverable: ${recoverable}`, async () => {
    await using scene = await startScene({
      recoverable,
      handle() {
        scene.abort.abort(STOPPING);
        return Promise.reject(new JobError(code as "POST_REFUSED", "x"));
      },
    });
    const end = await scene.run();
    assertEquals(end?.status, left ? undefined : "failed");
  });
}

Deno.test("runJob() holds no job that was cancelled", async () => {
  const cancelled = new JobError("JOB_CANCELLED", "The job was cancelled");
  await using scene = await startScene({
    handle({ gateway, job }) {
      scene.abort.abort(cancelled);
      return gateway.readJob(job.id);
    },
  });
  const end = await scene.run();
  assertEquals(end?.status === "failed" && end.code, "JOB_CANCELLED");
});
