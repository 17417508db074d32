/**
 * What a licence allows, as Cordum 1.0 tells it.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import {
  fitsJob,
  fitsWorkers,
  type Licence,
  readLicence,
} from "../../lib/operate/licence.ts";
import { onAnswers } from "../support/platform.ts";
import recorded from "../testdata/recorded/http-1.0/config-and-packs.json" with {
  type: "json",
};

const status = recorded.requests
  .find(({ send }) => send === "GET /api/v1/status")!.answer!.body;

async function licenceOf(
  status: unknown,
  workers: unknown[] = [],
  { waiting = [], jobs }: { waiting?: string[]; jobs?: unknown[] } = {},
): Promise<Licence | undefined> {
  const job = { topic: "t", state: "APPROVAL_REQUIRED" };
  const answers: Record<string, unknown> = {
    "/status": status,
    "/workers": { items: workers },
    "/approvals": { items: waiting.map((id) => ({ job: { ...job, id } })) },
    "/jobs": jobs && { items: jobs },
  };
  return await onAnswers(answers, readLicence);
}

Deno.test("readLicence() tells what is allowed and what is in use", async () => {
  const workers = [
    { worker_id: "incident-enricher-poster", heartbeat_age_seconds: 1 },
    { worker_id: "alice", heartbeat_age_seconds: 30 },
    { worker_id: "gone", heartbeat_age_seconds: 31 },
    { worker_id: "unknown" },
  ];
  const waiting = ["old", "a"];
  const jobs = [
    { id: "a", state: "APPROVAL_REQUIRED" },
    { id: "b", state: "PENDING" },
    { id: "c", state: "RUNNING" },
    { id: "d", state: "SUCCEEDED" },
    { id: "e", state: "FAILED" },
  ];
  assertEquals(await licenceOf(status, workers, { waiting, jobs }), {
    plan: "Community",
    workersMax: 3,
    jobsMax: 3,
    foreignWorkers: ["alice"],
    unfinished: new Set(["old", "a", "b", "c"]),
  });
  // Where jobs are not listed for this key.
  const { unfinished } = await licenceOf(status, [], { waiting }) ?? {};
  assertEquals(unfinished, new Set(waiting));
});

Deno.test("readLicence() says nothing where nothing is told or limited", async () => {
  const { license: _, ...silent } = status as Record<string, unknown>;
  const unlimited = { max_workers: -1, max_concurrent_jobs: 0 };
  const license = { plan: "Enterprise", limits: unlimited };
  for (const told of [silent, { ...silent, license }, undefined]) {
    assertEquals(await licenceOf(told), undefined);
  }
});

const LICENCE = {
  plan: "Community",
  workersMax: 3,
  jobsMax: 3,
  foreignWorkers: [],
  unfinished: new Set<string>(),
};

Deno.test("a licence fits the pack's three workers, and a job beside the unfinished", () => {
  const one = ["alice"];
  assertEquals(fitsWorkers(LICENCE), true);
  assertEquals(fitsWorkers({ ...LICENCE, foreignWorkers: one }), false);
  const four = { ...LICENCE, foreignWorkers: one, workersMax: 4 };
  assertEquals(fitsWorkers(four), true);
  assertEquals(fitsWorkers({ ...four, workersMax: undefined }), true);
  const unfinished = new Set(["a", "b"]);
  assertEquals(fitsJob({ jobsMax: 3, unfinished: new Set(["a"]) }), true);
  assertEquals(fitsJob({ jobsMax: 3, unfinished }), false);
  assertEquals(fitsJob({ jobsMax: 3, unfinished }, "c"), false);
  assertEquals(fitsJob({ jobsMax: 3, unfinished }, "b"), true, "counted once");
  assertEquals(fitsJob({ jobsMax: undefined, unfinished }), true);
});
