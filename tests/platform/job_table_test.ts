import { assert, assertEquals } from "@std/assert";
import { create } from "@bufbuild/protobuf";
import type { JobErrorCode } from "../../lib/base/errors.ts";
import { createLog, type Level } from "../../lib/base/log.ts";
import {
  type JobRequest,
  JobRequestSchema,
} from "../../lib/platform/gen/cap_pb.ts";
import {
  type Held,
  type Hold,
  JobTable,
  QUEUE_MAX,
  type Work,
} from "../../lib/platform/job_table.ts";
import type { JobEnd } from "../../lib/platform/packet.ts";
import { until } from "../support/until.ts";

const TOPIC = "job.incident-enricher.fetch";
const DONE: JobEnd = { status: "succeeded", resultPtr: "redis://res:x" };

interface Harness {
  table: JobTable;
  /** Hands a job to the table; resolves once it is delivered. */
  take: (request: JobRequest) => Promise<void>;
  /** Jobs in hand, by id, each with what ends it. */
  running: Map<
    string,
    { held: Held; end: (end: JobEnd | Hold | undefined) => void }
  >;
  /** Every start, in order. */
  started: string[];
  delivered: { jobId: string; end: JobEnd }[];
}

function harness(
  parallelMax = 2,
  write: (line: string) => void = () => {},
  recoverable = false,
  isDue?: (jobId: string) => Promise<boolean>,
): Harness {
  const running: Harness["running"] = new Map();
  const started: string[] = [];
  const delivered: Harness["delivered"] = [];
  const table = new JobTable({
    topic: TOPIC,
    parallelMax,
    log: createLog({}, { write }),
    recoverable,
    ...(isDue && { isDue }),
  });
  const work: Work = (held) => {
    const { promise, resolve } = Promise.withResolvers<
      JobEnd | Hold | undefined
    >();
    started.push(held.request.jobId);
    running.set(held.request.jobId, { held, end: resolve });
    return promise;
  };
  const take = async (request: JobRequest) => {
    const answer = await table.take({ request, traceId: "t" }, work);
    if (answer === undefined) return;
    const { jobId, end } = answer;
    delivered.push({ jobId, end });
  };
  return { table, take, running, started, delivered };
}

function request(
  jobId: string,
  fields: Partial<{ topic: string; deadlineMs: number }> = {},
): JobRequest {
  const { topic = TOPIC, deadlineMs = 0 } = fields;
  return create(JobRequestSchema, {
    jobId,
    topic,
    budget: { deadlineMs: BigInt(deadlineMs) },
  });
}

Deno.test("JobTable answers a job once", async () => {
  const { table, take, running, delivered } = harness();
  take(request("a"));
  assertEquals(table.size, 1);
  running.get("a")!.end(DONE);
  await until("the answer", () => delivered.length === 1);
  assertEquals(delivered, [{ jobId: "a", end: DONE }]);
  assertEquals(table.size, 0);
});

const ENDS: readonly [JobErrorCode | undefined, Level][] = [
  [undefined, "info"],
  ["NOT_APPROVED", "warn"],
  ["JOB_INVALID_INPUT", "warn"],
  ["REDACTION_INCOMPLETE", "warn"],
  ["POST_TOO_OLD", "warn"],
  ["DESTINATION_REFUSED", "warn"],
  ["JOB_CANCELLED", "warn"],
  ["GATEWAY_REFUSED", "warn"],
  ["INTERNAL", "error"],
  ["GATEWAY_UNAVAILABLE", "error"],
  ["STORE_UNAVAILABLE", "error"],
  ["POST_REFUSED", "error"],
  ["POST_IN_DOUBT", "error"],
  ["JOB_TIMEOUT", "error"],
];
for (const [code, level] of ENDS) {
  Deno.test(`JobTable logs ${code ?? "a success"} at ${level}`, async () => {
    const lines: Record<string, unknown>[] = [];
    const { take, running } = harness(2, (line) => {
      lines.push(JSON.parse(line));
    });
    const taken = take(request("a"));
    running.get("a")!.end(
      code === undefined ? DONE : { status: "failed", code, message: "why" },
    );
    await taken;
    assertEquals(
      lines.map((line) => [line["msg"], line["level"], line["code"]]),
      [["Job answered", level, code]],
    );
  });
}

Deno.test("JobTable does not start a job twice that is delivered while it is in hand", async () => {
  const { take, running, started, delivered } = harness();
  take(request("a"));
  take(request("a"));
  assertEquals(started, ["a"]);
  running.get("a")!.end(DONE);
  await until("the answer", () => delivered.length > 0);
  assertEquals(delivered.length, 1);
});

Deno.test("JobTable answers a job that is delivered again with the same result", async () => {
  const { take, running, started, delivered } = harness();
  take(request("a"));
  running.get("a")!.end(DONE);
  await until("the answer", () => delivered.length === 1);
  await take(request("a"));
  assertEquals(delivered, [{ jobId: "a", end: DONE }, {
    jobId: "a",
    end: DONE,
  }]);
  assertEquals(started, ["a"]);
});

Deno.test("JobTable queues above its limit and starts the oldest next", async () => {
  const { table, take, running, started, delivered } = harness(2);
  for (const id of ["a", "b", "c", "d"]) take(request(id));
  assertEquals(started, ["a", "b"]);
  assertEquals(table.size, 4, "those that wait are held too");
  running.get("b")!.end(DONE);
  await until("the next start", () => started.length === 3);
  assertEquals(started, ["a", "b", "c"]);
  running.get("a")!.end(DONE);
  await until("the last start", () => started.length === 4);
  for (const id of ["c", "d"]) running.get(id)!.end(DONE);
  await until("all answers", () => delivered.length === 4);
  assertEquals(table.size, 0);
});

Deno.test("JobTable refuses a job beyond its queue's bound", async () => {
  const { take, delivered } = harness(1);
  for (let count = 0; count <= QUEUE_MAX; count++) {
    take(request(`j${count}`));
  }
  assertEquals(delivered.length, 0);
  await take(request("one more"));
  assertEquals(delivered, [{
    jobId: "one more",
    end: {
      status: "failed",
      code: "WORKER_OVERLOADED",
      message: "Cannot take a job: 10000 are waiting already",
    },
  }]);
});

Deno.test("JobTable refuses a job of another topic", async () => {
  const { take, started, delivered } = harness();
  await take(request("a", { topic: "job.other.topic" }));
  assertEquals(started, []);
  assertEquals(delivered[0]?.end, {
    status: "failed",
    code: "JOB_WRONG_TOPIC",
    message:
      `Cannot do a job of topic "job.other.topic": this worker serves "${TOPIC}"`,
  });
});

Deno.test("JobTable ignores a job without an id", () => {
  const { table, take, started, delivered } = harness();
  take(request(""));
  assertEquals([started.length, delivered.length, table.size], [0, 0, 0]);
});

Deno.test("JobTable aborts a job at its deadline, with a reason that may be retried", async () => {
  const { table, take, running } = harness();
  take(request("a", { deadlineMs: 30 }));
  const { held, end } = running.get("a")!;
  assert(!held.signal.aborted);
  await until("the deadline", () => held.signal.aborted);
  assertEquals(held.signal.reason.code, "JOB_TIMEOUT");
  assertEquals(held.signal.reason.message, "The job took longer than 30 ms");
  assertEquals(held.signal.reason.retryable, true);
  end({ status: "failed", code: "JOB_TIMEOUT", message: "m" });
  await until("the answer", () => table.size === 0);
});

Deno.test("JobTable answers for a handler that does not heed its signal", async () => {
  const { table, take, running, delivered } = harness();
  take(request("a"));
  table.cancel("a");
  assert(running.get("a")!.held.signal.aborted);
  await until("the answer", () => delivered.length === 1, 8_000);
  assertEquals(delivered[0]?.end, {
    status: "failed",
    code: "JOB_CANCELLED",
    message: "The job was cancelled",
  });
  running.get("a")!.end(DONE); // Too late: it was answered.
  await until("the end", () => table.size === 0);
  assertEquals(delivered.length, 1);
});

Deno.test("JobTable tells the truth of a handler that ends soon after a cancel", async () => {
  const { table, take, running, delivered } = harness();
  take(request("a"));
  table.cancel("a");
  running.get("a")!.end(DONE);
  await until("the answer", () => delivered.length === 1);
  assertEquals(delivered[0]?.end, DONE);
});

Deno.test("JobTable drops a waiting job that is cancelled", async () => {
  const { table, take, running, started, delivered } = harness(1);
  take(request("a"));
  const dropped = take(request("b"));
  table.cancel("b");
  await dropped;
  assertEquals(delivered.map(({ jobId }) => jobId), ["b"]);
  running.get("a")!.end(DONE);
  await until("the answer", () => table.size === 0);
  assertEquals(started, ["a"]);
});

Deno.test("JobTable refuses a job whose cancel came first", async () => {
  const { table, take, started, delivered } = harness();
  table.cancel("a");
  await take(request("a"));
  assertEquals(started, []);
  assertEquals(delivered[0]?.end, {
    status: "failed",
    code: "JOB_CANCELLED",
    message: "The job was cancelled before it came",
  });
});

Deno.test("JobTable says nothing of a job that another process answers for", async () => {
  const { table, take, running, started, delivered } = harness();
  take(request("a"));
  running.get("a")!.end(undefined);
  await until("the end", () => table.size === 0);
  assertEquals(delivered, []);
  take(request("a"));
  assertEquals(
    started,
    ["a", "a"],
    "it was not answered, so it may come again",
  );
  running.get("a")!.end(DONE);
  await until("the answer", () => delivered.length === 1);
});

Deno.test("JobTable.finish() waits for what is in hand", async () => {
  const { table, take, running, delivered } = harness();
  take(request("a"));
  const finished = table.finish(10_000);
  running.get("a")!.end(DONE);
  await finished;
  assertEquals(delivered, [{ jobId: "a", end: DONE }]);
});

Deno.test("JobTable.finish() fails what does not end, waiting jobs at once", async () => {
  const { table, take, running, delivered } = harness(1);
  take(request("a"));
  take(request("b"));
  const finished = table.finish(20);
  await until("the waiting job's answer", () => delivered.length === 1);
  assertEquals(delivered[0], {
    jobId: "b",
    end: {
      status: "failed",
      code: "WORKER_STOPPING",
      message: "The worker was stopped before the job was done",
    },
  });
  // The one that runs gets its chance to write something down.
  assert(running.get("a")!.held.signal.aborted);
  running.get("a")!.end({
    status: "failed",
    code: "POST_IN_DOUBT",
    message: "m",
  });
  await finished;
  assertEquals(delivered[1]?.end, {
    status: "failed",
    code: "POST_IN_DOUBT",
    message: "m",
  });
});

/** A hold, and what ends it. The job is then done as before. */
function holdOf({ running, started }: Harness): {
  hold: Hold;
  again: () => void;
} {
  const { promise, resolve } = Promise.withResolvers<void>();
  const work: Work = (held) => {
    const { promise, resolve } = Promise.withResolvers<
      JobEnd | Hold | undefined
    >();
    started.push(`${held.request.jobId} again`);
    running.set(held.request.jobId, { held, end: resolve });
    return promise;
  };
  const hold: Hold = { status: "held", why: "it rains", again: promise, work };
  return { hold, again: resolve };
}

Deno.test("JobTable keeps a held job, lets the next have its place, and does it later", async () => {
  const rig = harness(1);
  const { table, take, running, started, delivered } = rig;
  const { hold, again } = holdOf(rig);
  take(request("a"));
  take(request("b"));
  running.get("a")!.end(hold);
  await until("the next", () => started.length === 2);
  assertEquals(started, ["a", "b"]);
  take(request("a"));
  assertEquals([table.size, table.has("a"), delivered.length], [2, true, 0]);
  again();
  // It waits for its turn like any other.
  await Promise.resolve();
  assertEquals(started, ["a", "b"]);
  running.get("b")!.end(DONE);
  await until("the held job", () => started.length === 3);
  assertEquals(started, ["a", "b", "a again"]);
  const second = holdOf(rig);
  running.get("a")!.end(second.hold);
  second.again();
  await until("the held job once more", () => started.length === 4);
  running.get("a")!.end(DONE);
  await until("the answer", () => delivered.length === 2);
  assertEquals([delivered[1]?.jobId, table.size], ["a", 0]);
});

Deno.test("JobTable ends a held job at once that is cancelled", async () => {
  const rig = harness();
  const { table, take, running, started, delivered } = rig;
  const { hold, again } = holdOf(rig);
  take(request("a"));
  running.get("a")!.end(hold);
  await new Promise((resolve) => setTimeout(resolve));
  table.cancel("a");
  await until("the answer", () => delivered.length === 1);
  assertEquals(delivered[0]?.end, {
    status: "failed",
    code: "JOB_CANCELLED",
    message: "The job was cancelled; it had to wait: it rains",
  });
  again();
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals([started, table.size], [["a"], 0]);
});

Deno.test("JobTable fails a held job at its deadline, and says why it had to wait", async () => {
  const rig = harness();
  const { take, running, delivered } = rig;
  take(request("a", { deadlineMs: 30 }));
  running.get("a")!.end(holdOf(rig).hold);
  await until("the answer", () => delivered.length === 1);
  assertEquals(delivered[0]?.end, {
    status: "failed",
    code: "JOB_TIMEOUT",
    message: "The job took longer than 30 ms; it had to wait: it rains",
  });
});

Deno.test("JobTable.finish() fails a held job at once, unless another process finds it", async () => {
  for (const recoverable of [false, true]) {
    const rig = harness(2, () => {}, recoverable);
    const { table, take, running, delivered } = rig;
    take(request("before"));
    running.get("before")!.end(holdOf(rig).hold);
    take(request("during"));
    await new Promise((resolve) => setTimeout(resolve));
    const start = performance.now();
    const finished = table.finish(60_000);
    running.get("during")!.end(holdOf(rig).hold);
    await finished;
    assert(performance.now() - start < 30_000);
    assertEquals(
      delivered.map(({ jobId }) => jobId),
      recoverable ? [] : ["before", "during"],
    );
    assertEquals(table.size, 0);
  }
});

Deno.test("JobTable.finish() leaves what another process finds", async () => {
  const { table, take, running, delivered } = harness(1, () => {}, true);
  take(request("a"));
  take(request("waits"));
  const finished = table.finish(20);
  await until(
    "the stop",
    () => running.get("a")!.held.signal.aborted && table.size === 1,
  );
  // What is certain is still said.
  running.get("a")!.end(DONE);
  await finished;
  assertEquals(delivered.map(({ jobId }) => jobId), ["a"]);
});

Deno.test("JobTable leaves a job beyond its queue's bound to who finds it", async () => {
  const { table, take, delivered } = harness(1, () => {}, true);
  for (let count = 0; count <= QUEUE_MAX; count++) take(request(`j${count}`));
  await take(request("late"));
  assertEquals([delivered, table.has("late")], [[], false]);
});

const FAILED: JobEnd = { status: "failed", code: "NOT_APPROVED", message: "m" };

Deno.test("JobTable fails no job that is not due, and takes it when it is", async () => {
  let due = false;
  const { take, running, started, delivered } = harness(
    2,
    undefined,
    true,
    () => Promise.resolve(due),
  );
  const first = take(request("a"));
  running.get("a")!.end(FAILED);
  await first;
  await take(request("a", { topic: "job.other" }));
  assertEquals(delivered, []);
  due = true;
  const second = take(request("a"));
  running.get("a")!.end(FAILED);
  await second;
  assertEquals(started, ["a", "a"]);
  assertEquals(delivered, [{ jobId: "a", end: FAILED }]);
});

Deno.test("JobTable asks nobody about a job in doubt", async () => {
  const never = () => Promise.reject(new Error("asked"));
  const { take, running, delivered } = harness(2, undefined, true, never);
  const end: JobEnd = { status: "failed", code: "POST_IN_DOUBT", message: "m" };
  const taken = take(request("a"));
  running.get("a")!.end(end);
  await taken;
  assertEquals(delivered, [{ jobId: "a", end }]);
});

Deno.test("JobTable does a job whose packet came while a forged one was looked at", async () => {
  const { table, take, running, started, delivered } = harness();
  const forged = take(request("a"));
  await take(request("a"));
  running.get("a")!.end(undefined);
  await until("the second start", () => started.length === 2);
  assertEquals(table.has("a"), true);
  running.get("a")!.end({ status: "succeeded", resultPtr: "r" });
  await forged;
  assertEquals(delivered.map(({ jobId }) => jobId), ["a"]);
  assertEquals(table.size, 0);
});
