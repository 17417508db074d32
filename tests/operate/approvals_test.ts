/**
 * Deciding on a job, against a gateway that answers as the platforms were seen
 * to.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { sha256Hex } from "../../lib/base/digest.ts";
import { plain, startGateway } from "../../deploy/standins/gateway.ts";
import { section } from "../../lib/message/block_kit.ts";
import { encodeMessage } from "../../lib/message/message.ts";
import { GatewayError } from "../../lib/platform/gateway_error.ts";
import {
  approve,
  type Bounce,
  checkWorker,
  follow,
} from "../../lib/operate/approvals.ts";
import { OperationError } from "../../lib/operate/errors.ts";
import { POST_TOPIC } from "../../lib/operate/pack.ts";
import {
  checkProposal,
  findObstacle,
  type Proposal,
  readFacts,
  readProposal,
} from "../../lib/operate/proposal.ts";
import { platformAt } from "../support/platform.ts";

const WAITING = { id: "r:post@1", state: "APPROVAL_REQUIRED" };
const RUNNING = { id: "r:post@1", state: "RUNNING" };

interface Row {
  name: string;
  /** Status and body of each approve, in turn; the last one for ever. */
  answers: [status: number, body: string][];
  job: typeof WAITING;
  /** What `approve()` returns, or how what it throws begins. */
  expected: boolean | string;
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
    expected:
      "Cannot call POST /approvals/r%3Apost%401/approve: got status 500",
    approvals: 3,
  },
  {
    name: "404 is an error at once",
    answers: [[404, "job not found\n"]],
    job: WAITING,
    expected:
      "Cannot call POST /approvals/r%3Apost%401/approve: got status 404",
    approvals: 1,
  },
  {
    name: "409 for another policy is refused for good",
    answers: [[409, "policy snapshot changed; re-evaluate before approving\n"]],
    job: WAITING,
    expected:
      "It can no longer be approved: the policy changed since the approval was asked for, so the platform refuses it. Reject it (",
    approvals: 1,
  },
  {
    name: "409 for another policy, as Cordum 1.0 says it",
    answers: [[
      409,
      '{"error":"the policy moved on","code":"stale_snapshot","status":409}',
    ]],
    job: WAITING,
    expected: "It can no longer be approved: the policy changed since ",
    approvals: 1,
  },
  {
    name: "409 for another cause is refused for good, in the platform's words",
    answers: [[409, '{"error":"job changed","code":"stale_request"}']],
    job: WAITING,
    expected:
      "It can no longer be approved: the platform refuses it (stale_request: job changed). Reject it (",
    approvals: 1,
  },
  {
    name: "409 for a lock passes",
    answers: [[409, '{"error":"approval lock busy","code":"conflict"}'], [
      200,
      "{}",
    ]],
    job: WAITING,
    expected: true,
    approvals: 2,
  },
  {
    name: "409 of Cordum 1.0 for a job that somebody decided",
    answers: [[409, '{"error":"no","code":"approval_already_resolved"}']],
    job: RUNNING,
    expected: false,
    approvals: 1,
  },
  {
    name: "200 of Cordum 1.0 for a job that somebody approved",
    answers: [[200, '{"status":"already_approved","approved_by":"bob"}']],
    job: RUNNING,
    expected: false,
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
    if (typeof expected === "string") {
      const kind = expected.startsWith("It ") ? OperationError : GatewayError;
      const error = await assertRejects(() => approving, kind);
      assertEquals(error.message.slice(0, expected.length), expected);
    } else assertEquals(await approving, expected);
    assertEquals(count, approvals);
  });
}

const NOW = new Date().toISOString();
const PROPOSAL: Proposal = {
  ...readFacts({
    id: "r:post@1",
    topic: POST_TOPIC,
    context: {
      evidence: { collected_at: NOW },
      summary: { message_sha256: "d" },
    },
  }),
  message: { text: "t", blocks: [] },
  digest: "d",
  stale: false,
};
const POINTLESS: [changes: Partial<Proposal>, message: string][] = [
  [
    { stale: true },
    "the policy changed since the approval was asked for, so the platform refuses it",
  ],
  [{ expired: true }, "its input has expired: the platform keeps it for 24 h"],
  [{ collectedAt: "2026-01-01T00:00:00Z" }, "its evidence was collected "],
  [{ collectedAt: "soon" }, "the age of its evidence is unknown"],
  [{ digest: "e" }, "its message cannot be read, or is not the one"],
  [{ message: undefined }, "its message cannot be read, or is not the one"],
];
for (const [changes, message] of POINTLESS) {
  Deno.test(`checkProposal() refuses ${JSON.stringify(changes)}`, () => {
    checkProposal(PROPOSAL, 60);
    const error = assertThrows(
      () => checkProposal({ ...PROPOSAL, ...changes }, 60),
      OperationError,
      `It can no longer be approved: ${message}`,
    );
    assertStringIncludes(
      error.message,
      ". Reject it (deno task approvals reject r:post@1 --reason TEXT), then start its run again (POST /api/v1/workflow-runs/r/rerun at the gateway)",
    );
  });
}

Deno.test("findObstacle() of a step that is no post", () => {
  const step = { ...PROPOSAL, topic: "job.x", collectedAt: undefined };
  assertEquals(findObstacle(step, 60), undefined);
  checkProposal({ ...step, message: undefined, digest: undefined }, 60);
  assertStringIncludes(findObstacle({ ...step, stale: true }, 60)!, "policy");
});

Deno.test("readProposal() has no message of one that the poster could not read", async () => {
  const context = { summary: { message_ptr: "redis://art:1" } };
  const content = (text: string) =>
    Response.json({ content_base64: btoa(text), metadata: {} });
  const artifacts: [answer: () => Response, digest: string | undefined][] = [
    [() => plain(404, "gone"), undefined],
    [() => content("{"), await sha256Hex(new TextEncoder().encode("{"))],
  ];
  for (const [artifact, expected] of artifacts) {
    await using server = startGateway(({ path }) =>
      path.includes("/artifacts/")
        ? artifact()
        : Response.json({ id: "r:post@1", topic: POST_TOPIC, context })
    );
    await using platform = platformAt(server.url);
    const { digest, message, incidentId } = await readProposal(platform, {
      jobId: "r:post@1",
    });
    assertEquals([digest, message, incidentId], [expected, undefined, ""]);
  }
});

Deno.test("readProposal() knows beforehand what policy would not let the poster send", async () => {
  const message = {
    text: "t",
    blocks: [section("Ask ada@example.com, who runs it")],
  };
  const bytes = encodeMessage(message);
  const digest = await sha256Hex(bytes);
  const context = {
    evidence: { collected_at: new Date().toISOString() },
    summary: { message_ptr: "redis://art:1", message_sha256: digest },
  };
  const levels: [constraints: unknown, refused: RegExp | undefined][] = [
    [null, undefined],
    [{ redaction_level: "standard" }, undefined],
    [{ redaction_level: "strict" }, /"strict".* still holds e-mail addresses$/],
    [{ redaction_level: "full" }, /"full".* was made at another$/],
    [{ redaction_level: "some" }, /^Cannot read the policy's constraint/],
  ];
  for (const [safety_constraints, refused] of levels) {
    await using server = startGateway(({ path }) =>
      path.includes("/artifacts/")
        ? Response.json({ content_base64: bytes.toBase64(), metadata: {} })
        : path.includes("/policy/")
        ? Response.json({ snapshots: ["now"] })
        : Response.json({
          id: "r:post@1",
          topic: POST_TOPIC,
          safety_snapshot: "now",
          safety_constraints,
          context,
        })
    );
    await using platform = platformAt(server.url);
    const proposal = await readProposal(platform, { jobId: "r:post@1" });
    assertEquals(proposal.message, message); // A person may look at it.
    if (refused === undefined) {
      assertEquals(proposal.refused, undefined);
      checkProposal(proposal, 3600);
      continue;
    }
    assertMatch(proposal.refused!, refused);
    assertThrows(
      () => checkProposal(proposal, 3600),
      OperationError,
      "the poster would refuse it",
    );
  }
});

const POOL = { pool: "incident-enricher-post" };
/** What Cordum 1.0 answers about its workers, and whether that is a poster. */
const HEARD: [workers: unknown, seen: boolean | undefined][] = [
  [{ items: [{ ...POOL, heartbeat_age_seconds: 14 }] }, true],
  [[{ ...POOL, heartbeat_age_seconds: 14 }, { ...POOL }], true],
  [[{ ...POOL, heartbeat_age_seconds: 15 }], undefined],
  // A poster that takes no jobs leaves its pool.
  [
    [{ pool: "incident-enricher-post-away", heartbeat_age_seconds: 1 }],
    undefined,
  ],
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
  [{ state: "RUNNING" }, {
    end: "still running",
    state: "RUNNING",
    hindrance: undefined,
  }],
];
for (const [job, expected] of ENDS) {
  Deno.test(`follow() of a job that is ${job["state"]}`, async () => {
    await using server = startGateway(() => Response.json(job));
    await using platform = platformAt(server.url);
    const { job: _, ...followed } = await follow(platform, "j", {
      timeoutMs: 1,
    }) as { job?: unknown };
    assertEquals(followed, expected);
  });
}

/** Why a job bounced, by what the platform tells of workers and itself. */
const BOUNCES: [workers: unknown, status: Response, why: Bounce][] = [
  [
    [{ ...POOL, heartbeat_age_seconds: 20 }],
    Response.json({ uptime_seconds: 1 }),
    "no worker",
  ],
  [[POOL], Response.json({ uptime_seconds: 1 }), "never released"],
  [[POOL], Response.json({ uptime_seconds: 1, build: {} }), "not placed"],
  [[POOL], plain(403, "access denied"), "not placed"],
  [[POOL], Response.json({ ok: true }), "not placed"],
];
for (const [at, [workers, status, why]] of BOUNCES.entries()) {
  Deno.test(`follow() says why a job bounced: ${why}, ${at}`, async () => {
    await using server = startGateway(({ path }) =>
      path.endsWith("/workers")
        ? Response.json(workers)
        : path.endsWith("/status")
        ? status.clone()
        : Response.json({ state: "APPROVAL_REQUIRED", topic: POST_TOPIC })
    );
    await using platform = platformAt(server.url);
    assertEquals(await follow(platform, "j"), { end: "bounced", why });
  });
}

Deno.test("follow() asks less often once a poster should have answered", async () => {
  const askedMs: number[] = [];
  const started = performance.now();
  await using server = startGateway(({ path }) => {
    if (path.endsWith("/workers")) return plain(403, "access denied");
    askedMs.push(performance.now() - started);
    return Response.json({ state: "RUNNING", topic: POST_TOPIC });
  });
  await using platform = platformAt(server.url);
  const times = { pollMs: 10, lookMs: 500, timeoutMs: 1_500 };
  const { end } = await follow(platform, "j", times);
  assertEquals(end, "still running");
  const late = askedMs.filter((ms) => ms > 600).length;
  assert(late >= 1 && late <= 10, `${late} calls in the last 0.9 s`);
});

Deno.test("follow() looks again and again whether a poster is up", async () => {
  const ages: (number | undefined)[] = [20, undefined, 1];
  let looks = 0;
  await using server = startGateway(({ path }) => {
    if (!path.endsWith("/workers")) {
      const state = looks < ages.length ? "RUNNING" : "SUCCEEDED";
      return Response.json({ state, topic: POST_TOPIC });
    }
    const age = ages[looks++];
    return age === undefined
      ? plain(403, "access denied")
      : Response.json([{ ...POOL, heartbeat_age_seconds: age }]);
  });
  await using platform = platformAt(server.url);
  const seen: (string | undefined)[] = [];
  const { end } = await follow(platform, "j", {
    lookMs: 250,
    timeoutMs: 10_000,
    onWait: (_, hindrance) => seen.push(hindrance),
  });
  assertEquals([end, seen], [
    "succeeded",
    [undefined, "no worker", undefined, undefined],
  ]);
});
