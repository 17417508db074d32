import { assert, assertEquals } from "@std/assert";
import { create } from "@bufbuild/protobuf";
import { createLog } from "../../lib/base/log.ts";
import {
  type JobRequest,
  JobRequestSchema,
} from "../../lib/platform/gen/cap_pb.ts";
import {
  type Held,
  JobTable,
  QUEUE_MAX,
} from "../../lib/platform/job_table.ts";
import type { JobEnd } from "../../lib/platform/packet.ts";
import { until } from "../support/until.ts";

const TOPIC = "job.incident-enricher.fetch";
const DONE: JobEnd = { status: "succeeded", resultPtr: "redis://res:x" };

interface Harness {
  table: JobTable;
  /** Jobs in hand, by id, each with what ends it. */
  running: Map<string, { held: Held; end: (end: JobEnd | undefined) => void }>;
  /** Every start, in order. */
  started: string[];
  delivered: { jobId: string; end: JobEnd }[];
}

function harness(parallelMax = 2): Harness {
  const running: Harness["running"] = new Map();
  const started: string[] = [];
  const delivered: Harness["delivered"] = [];
  const table = new JobTable({
    topic: TOPIC,
    parallelMax,
    log: createLog({}, { write() {} }),
    run(held) {
      const { promise, resolve } = Promise.withResolvers<JobEnd | undefined>();
      started.push(held.request.jobId);
      running.set(held.request.jobId, { held, end: resolve });
      return promise;
    },
    encode: (_held, _ms, end) => new TextEncoder().encode(JSON.stringify(end)),
    deliver: (jobId, bytes) =>
      delivered.push({
        jobId,
        end: JSON.parse(new TextDecoder().decode(bytes)),
      }),
  });
  return { table, running, started, delivered };
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
  const { table, running, delivered } = harness();
  table.take(request("a"), "t");
  assertEquals(table.size, 1);
  running.get("a")!.end(DONE);
  await until("the answer", () => delivered.length === 1);
  assertEquals(delivered, [{ jobId: "a", end: DONE }]);
  assertEquals(table.size, 0);
});

Deno.test("JobTable does not start a job twice that is delivered while it is in hand", async () => {
  const { table, running, started, delivered } = harness();
  table.take(request("a"), "t");
  table.take(request("a"), "t");
  assertEquals(started, ["a"]);
  running.get("a")!.end(DONE);
  await until("the answer", () => delivered.length > 0);
  assertEquals(delivered.length, 1);
});

Deno.test("JobTable answers a job that is delivered again with the same result", async () => {
  const { table, running, started, delivered } = harness();
  table.take(request("a"), "t");
  running.get("a")!.end(DONE);
  await until("the answer", () => delivered.length === 1);
  table.take(request("a"), "t");
  assertEquals(delivered, [{ jobId: "a", end: DONE }, {
    jobId: "a",
    end: DONE,
  }]);
  assertEquals(started, ["a"]);
});

Deno.test("JobTable queues above its limit and starts the oldest next", async () => {
  const { table, running, started, delivered } = harness(2);
  for (const id of ["a", "b", "c", "d"]) table.take(request(id), "t");
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

Deno.test("JobTable refuses a job beyond its queue's bound", () => {
  const { table, delivered } = harness(1);
  for (let count = 0; count <= QUEUE_MAX; count++) {
    table.take(request(`j${count}`), "t");
  }
  assertEquals(delivered.length, 0);
  table.take(request("one more"), "t");
  assertEquals(delivered, [{
    jobId: "one more",
    end: {
      status: "failed",
      code: "WORKER_OVERLOADED",
      message: "Cannot take a job: 10000 are waiting already",
    },
  }]);
});

Deno.test("JobTable refuses a job of another topic", () => {
  const { table, started, delivered } = harness();
  table.take(request("a", { topic: "job.other.topic" }), "t");
  assertEquals(started, []);
  assertEquals(delivered[0]?.end, {
    status: "failed",
    code: "JOB_WRONG_TOPIC",
    message:
      `Cannot do a job of topic "job.other.topic": this worker serves "${TOPIC}"`,
  });
});

Deno.test("JobTable ignores a job without an id", () => {
  const { table, started, delivered } = harness();
  table.take(request(""), "t");
  assertEquals([started.length, delivered.length, table.size], [0, 0, 0]);
});

Deno.test("JobTable aborts a job at its deadline, with a reason that may be retried", async () => {
  const { table, running } = harness();
  table.take(request("a", { deadlineMs: 30 }), "t");
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
  const { table, running, delivered } = harness();
  table.take(request("a"), "t");
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
  const { table, running, delivered } = harness();
  table.take(request("a"), "t");
  table.cancel("a");
  running.get("a")!.end(DONE);
  await until("the answer", () => delivered.length === 1);
  assertEquals(delivered[0]?.end, DONE);
});

Deno.test("JobTable drops a waiting job that is cancelled", async () => {
  const { table, running, started, delivered } = harness(1);
  table.take(request("a"), "t");
  table.take(request("b"), "t");
  table.cancel("b");
  assertEquals(delivered.map(({ jobId }) => jobId), ["b"]);
  running.get("a")!.end(DONE);
  await until("the answer", () => table.size === 0);
  assertEquals(started, ["a"]);
});

Deno.test("JobTable refuses a job whose cancel came first", () => {
  const { table, started, delivered } = harness();
  table.cancel("a");
  table.take(request("a"), "t");
  assertEquals(started, []);
  assertEquals(delivered[0]?.end, {
    status: "failed",
    code: "JOB_CANCELLED",
    message: "The job was cancelled before it came",
  });
});

Deno.test("JobTable says nothing of a job that another process answers for", async () => {
  const { table, running, started, delivered } = harness();
  table.take(request("a"), "t");
  running.get("a")!.end(undefined);
  await until("the end", () => table.size === 0);
  assertEquals(delivered, []);
  table.take(request("a"), "t");
  assertEquals(
    started,
    ["a", "a"],
    "it was not answered, so it may come again",
  );
  running.get("a")!.end(DONE);
  await until("the answer", () => delivered.length === 1);
});

Deno.test("JobTable.finish() waits for what is in hand", async () => {
  const { table, running, delivered } = harness();
  table.take(request("a"), "t");
  const finished = table.finish(10_000);
  running.get("a")!.end(DONE);
  await finished;
  assertEquals(delivered, [{ jobId: "a", end: DONE }]);
});

Deno.test("JobTable.finish() fails what does not end, waiting jobs at once", async () => {
  const { table, running, delivered } = harness(1);
  table.take(request("a"), "t");
  table.take(request("b"), "t");
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
