/**
 * Deciding on a job, against a gateway that answers as the platforms were seen
 * to.
 *
 * @module
 */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { plain, startGateway } from "../../deploy/standins/gateway.ts";
import { GatewayError } from "../../lib/platform/gateway_error.ts";
import {
  approve,
  checkProposal,
  checkWorker,
  follow,
  readProposal,
} from "../../lib/operate/approvals.ts";
import { OperationError } from "../../lib/operate/errors.ts";
import { POST_TOPIC } from "../../lib/operate/pack.ts";
import { platformAt } from "../support/platform.ts";

const WAITING = { id: "r:post@1", state: "APPROVAL_REQUIRED" };
const RUNNING = { id: "r:post@1", state: "RUNNING" };

interface Row {
  name: string;
  /** Status and body of each approve, in turn; the last one for ever. */
  answers: [status: number, body: string][];
  job: typeof WAITING;
  /** What `approve()` returns; `undefined` if it throws. */
  expected: boolean | undefined;
  approvals: number;
}

const ROWS: Row[] = [
  {
    name: "200 is an approval",
    answers: [[200, "{}"]],
    job: RUNNING,
    expected: true,
    approvals: 1,
  },
  {
    name: "409 of a job that no longer waits: somebody was faster",
    answers: [[409, "job not awaiting approval\n"]],
    job: RUNNING,
    expected: false,
    approvals: 1,
  },
  {
    name: "500 of a lost race, and the job went on",
    answers: [[500, "redis: transaction failed\n"]],
    job: RUNNING,
    expected: false,
    approvals: 1,
  },
  {
    name: "500 while the job goes on waiting: once more",
    answers: [[500, "redis: transaction failed\n"], [200, "{}"]],
    job: WAITING,
    expected: true,
    approvals: 2,
  },
  {
    name: "500 for ever is an error after three tries",
    answers: [[500, "store down\n"]],
    job: WAITING,
    expected: undefined,
    approvals: 3,
  },
  {
    name: "404 is an error at once",
    answers: [[404, "job not found\n"]],
    job: WAITING,
    expected: undefined,
    approvals: 1,
  },
  {
    name: "409 for another cause is an error",
    answers: [[409, "policy snapshot changed\n"]],
    job: WAITING,
    expected: undefined,
    approvals: 1,
  },
];

for (const { name, answers, job, expected, approvals } of ROWS) {
  Deno.test(`approve: ${name}`, async () => {
    let count = 0;
    await using server = startGateway(({ request, body }) => {
      if (request.method === "GET") return Response.json(job);
      assertEquals(body, "");
      return plain(...answers[Math.min(count++, answers.length - 1)]!);
    });
    await using platform = platformAt(server.url);
    const approving = approve(platform, job.id);
    if (expected === undefined) {
      await assertRejects(() => approving, GatewayError);
    } else assertEquals(await approving, expected);
    assertEquals(count, approvals);
  });
}

const NOW = new Date().toISOString();
const PROPOSAL = {
  jobId: "r:post@1",
  incidentId: "mock:1",
  title: "",
  mode: "artifact",
  blocks: [],
  digest: "d",
  digestHolds: true,
  evidence: [],
  collectedAt: NOW,
  expired: false,
};
const POINTLESS: [changes: Partial<typeof PROPOSAL>, message: string][] = [
  [{ expired: true }, "The job's input has expired"],
  [{ collectedAt: "2026-01-01T00:00:00Z" }, "The poster would refuse it: its"],
  [
    { collectedAt: "soon" },
    "The poster would refuse it: the age of its evidence",
  ],
  [{ digestHolds: false }, "The message cannot be read, or is not the one"],
];
for (const [changes, message] of POINTLESS) {
  Deno.test(`checkProposal() refuses ${JSON.stringify(changes)}`, () => {
    checkProposal(PROPOSAL, 60);
    assertThrows(
      () => checkProposal({ ...PROPOSAL, ...changes }, 60),
      OperationError,
      message,
    );
  });
}

Deno.test("readProposal() has no digest of a message that cannot be read", async () => {
  const context = { summary: { message_ptr: "redis://art:1" } };
  const content = (text: string) =>
    Response.json({ content_base64: btoa(text), metadata: {} });
  for (const artifact of [() => plain(404, "gone"), () => content("{")]) {
    await using server = startGateway(({ path }) =>
      path.includes("/artifacts/")
        ? artifact()
        : Response.json({ id: "r:post@1", context })
    );
    await using platform = platformAt(server.url);
    const { digest, digestHolds, blocks, incidentId } = await readProposal(
      platform,
      "r:post@1",
    );
    assertEquals([digest, digestHolds, blocks, incidentId], [
      undefined,
      false,
      [],
      "unknown",
    ]);
  }
});

const POOL = { pool: "incident-enricher-post" };
/** What Cordum 1.0 answers about its workers, and whether that is a poster. */
const HEARD: [workers: unknown, seen: boolean | undefined][] = [
  [{ items: [{ ...POOL, heartbeat_age_seconds: 14 }] }, true],
  [[{ ...POOL, heartbeat_age_seconds: 14 }, { ...POOL }], true],
  [[{ ...POOL, heartbeat_age_seconds: 15 }], undefined],
  [[{ pool: "other", heartbeat_age_seconds: 1 }], false],
  [[POOL], false],
  [{}, false],
];
for (const [workers, seen] of HEARD) {
  Deno.test(`checkWorker() of a post with ${JSON.stringify(workers)}`, async () => {
    await using server = startGateway(() => Response.json(workers));
    await using platform = platformAt(server.url);
    const check = checkWorker(platform, POST_TOPIC);
    if (seen !== undefined) assertEquals(await check, seen);
    else await assertRejects(() => check, OperationError, "No poster is up");
  });
}

const ENDS: [job: Record<string, unknown>, end: Record<string, unknown>][] = [
  [{ state: "SUCCEEDED", result: { a: 1 } }, {
    end: "succeeded",
    result: { a: 1 },
  }],
  [{ state: "DENIED" }, {
    end: "failed",
    code: "",
    message: "job state DENIED",
  }],
  [{ state: "FAILED", error_code: "POST_REFUSED", error_message: "no" }, {
    end: "failed",
    code: "POST_REFUSED",
    message: "no",
  }],
  [{ state: "APPROVAL_REQUIRED" }, { end: "bounced" }],
  [{ state: "RUNNING" }, { end: "still running", state: "RUNNING" }],
];
for (const [job, expected] of ENDS) {
  Deno.test(`follow() of a job that is ${job["state"]}`, async () => {
    await using server = startGateway(() => Response.json(job));
    await using platform = platformAt(server.url);
    const { job: _, ...followed } = await follow(platform, "j", 1) as {
      job?: unknown;
    };
    assertEquals(followed, expected);
  });
}
