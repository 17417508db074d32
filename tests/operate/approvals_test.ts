/**
 * What an approval's answer means, against a gateway that answers as the
 * platforms were seen to.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { plain, startGateway } from "../../deploy/standins/gateway.ts";
import { GatewayError } from "../../lib/platform/gateway_error.ts";
import { approve } from "../../lib/operate/approvals.ts";
import { Platform } from "../../lib/operate/platform.ts";

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
    const { signal } = new AbortController();
    await using platform = new Platform({
      gateway: { url: server.url, apiKey: "k3y" },
      redis: undefined,
    }, { signal });
    const approving = approve(platform, job.id);
    if (expected === undefined) {
      await assertRejects(() => approving, GatewayError);
    } else assertEquals(await approving, expected);
    assertEquals(count, approvals);
  });
}
