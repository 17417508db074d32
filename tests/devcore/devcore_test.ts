/**
 * Devcore where it must be as strict as the platform: policy, placement,
 * approvals, results, workflows; and each way in which it can be broken.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { Refusal } from "../../deploy/devcore/common.ts";
import {
  BASE_POLICY,
  decide,
  loadPolicy,
} from "../../deploy/devcore/policy.ts";
import { startRedisServer } from "../../deploy/devcore/redis_server.ts";
import { hashJob } from "../../deploy/devcore/job_request.ts";
import { readWorkflow } from "../../deploy/devcore/workflow.ts";
import { type JobRequest, JobStatus } from "../../lib/platform/gen/cap_pb.ts";
import { decodePacket, encodeHeartbeat } from "../../lib/platform/packet.ts";
import {
  archive,
  packFiles,
  type PackPlan,
  type Result,
  sha256,
  type Stage,
  startStage,
  untilAnswer,
  upload,
} from "../support/stage.ts";
import recorded from "../testdata/recorded/bus/job-hash-vectors.json" with {
  type: "json",
};
import { runOut, until } from "../support/until.ts";

const READ = "GET /api/v1";
const WRITE = "POST /api/v1";

function requestOf(packetHex: string): JobRequest {
  const { payload } = decodePacket(Uint8Array.fromHex(packetHex));
  assert(payload.case === "jobRequest");
  return payload.value;
}

for (const { job_id, job_hash, packet_hex } of recorded.vectors) {
  const length = packet_hex.length / 2;
  Deno.test(`hashJob() gives the platform's hash of ${job_id} in ${length} bytes`, () => {
    assertEquals(hashJob(requestOf(packet_hex)), job_hash);
  });
}

Deno.test("hashJob() binds everything but what an approval adds", () => {
  const { packet_hex, job_hash } = recorded.vectors[0]!;
  const request = requestOf(packet_hex);
  Object.assign(request.labels, {
    approval_granted: "true",
    Approval_Note: "seen",
    "cordum.bus_msg_id": "approval:1",
  });
  request.env["CORDUM_EFFECTIVE_CONFIG"] = "{}";
  assertEquals(hashJob(request), job_hash);
  request.env["team_id"] = "other";
  assertNotEquals(hashJob(request), job_hash);
});

// Policy.

function decided(policy: string, topic = "job.demo.a") {
  const fragments = new Map([["demo/safety", policy]]);
  return decide(loadPolicy(BASE_POLICY, fragments), { topic, jobId: "j1" });
}

const MATCHES: readonly (readonly [
  match: string,
  topic: string,
  expected: boolean,
])[] = [
  ["{}", "job.any", true],
  ["{topics: []}", "job.any", true],
  ["{topics: [job.x, job.demo.*]}", "job.demo.fetch", true],
  ["{topics: [job.*]}", "job.", true],
  ["{topics: [job.*.c]}", "job.a.b.c", true],
  ["{topics: [job.*]}", "job.a/b", false],
  ["{topics: [JOB.demo.*]}", "job.demo.a", false],
  ["{topics: [job.+]}", "job.+", true],
  ["{topics: [job.+]}", "job..", false],
  ["{topics: [job.demo]}", "job.demo.a", false],
];

for (const [match, topic, expected] of MATCHES) {
  Deno.test(`decide() ${expected ? "matches" : "does not match"} ${match} and ${topic}`, () => {
    const policy = `rules: [{id: r, match: ${match}, decision: deny}]`;
    assertEquals(decided(policy, topic).ruleId === "r", expected);
  });
}

Deno.test("decide() reads every decision word", () => {
  const words = {
    allow: "ALLOW",
    deny: "DENY",
    require_approval: "REQUIRE_APPROVAL",
    allow_with_constraints: "ALLOW_WITH_CONSTRAINTS",
    throttle: "THROTTLE",
  };
  for (const [word, expected] of Object.entries(words)) {
    const policy = `rules: [{id: r, decision: "${word}", reason: why}]`;
    const { decision, reason, approvalRef } = decided(policy);
    assertEquals(decision, expected, word);
    assertEquals(reason, expected.startsWith("ALLOW") ? "" : "why", word);
    assertEquals(approvalRef, expected === "REQUIRE_APPROVAL" ? "j1" : "");
  }
});

Deno.test("decide() takes the first rule that matches, and allows without one", () => {
  const policy = `
rules:
  - {id: a, match: {topics: ["job.demo.post"]}, decision: require_approval, reason: writes}
  - id: b
    match: {topics: ["job.demo.*"]}
    decision: allow_with_constraints
    constraints: {budgets: {max_runtime_ms: 60000, max_retries: 2}, redaction_level: strict}
`;
  const fetch = decided(policy, "job.demo.fetch");
  assertEquals([fetch.ruleId, fetch.decision], ["b", "ALLOW_WITH_CONSTRAINTS"]);
  assertEquals(fetch.constraints, {
    budgets: { max_runtime_ms: 60_000, max_retries: 2 },
    sandbox: {},
    toolchain: {},
    diff: {},
    redaction_level: "strict",
  });
  const post = decided(policy, "job.demo.post");
  assertEquals([post.ruleId, post.decision], ["a", "REQUIRE_APPROVAL"]);
  const other = decided(policy, "job.other");
  assertEquals([other.ruleId, other.decision], ["", "ALLOW"]);
});

Deno.test("decide() gives constraints with every decision, and none for empty ones", () => {
  const limited = "{budgets: {max_retries: 1}}";
  const parts = { sandbox: {}, toolchain: {}, diff: {} };
  for (
    const [word, expected] of [["allow", "ALLOW_WITH_CONSTRAINTS"], [
      "require_approval",
      "REQUIRE_APPROVAL",
    ]] as const
  ) {
    const { decision, constraints } = decided(
      `rules: [{decision: ${word}, constraints: ${limited}}]`,
    );
    assertEquals(decision, expected);
    assertEquals(constraints, { budgets: { max_retries: 1 }, ...parts });
  }
  for (const empty of ["{}", "{budgets: {max_retries: 0}, sandbox: {}}"]) {
    const policy = `rules: [{decision: allow, constraints: ${empty}}]`;
    assertEquals(decided(policy).constraints, null);
    assertEquals(decided(policy).decision, "ALLOW");
  }
});

Deno.test("decide() asks the tenant's lists only while there is no rule at all", () => {
  const lists = `
tenants:
  default: {deny_topics: ["job.demo.*"], allow_topics: ["job.*"]}
`;
  const answer = (policy: string) => {
    const { decision, ruleId } = decided(policy);
    return [decision, ruleId];
  };
  assertEquals(answer(lists), ["DENY", "legacy:default:deny:2"]);
  assertEquals(answer("{}"), ["ALLOW", "legacy:default:allow:1"]);
  const rules = "rules: [{id: r, match: {topics: [job.no]}, decision: deny}]";
  assertEquals(answer(`${lists}\n${rules}`), ["ALLOW", ""]);
});

Deno.test("decide() denies what is no job, without a snapshot", () => {
  const { decision, reason, snapshot } = decided("{}", "sys.x");
  assertEquals([decision, reason, snapshot], ["DENY", "unsupported topic", ""]);
});

Deno.test("loadPolicy() puts the base first and fragments in the order of their ids", () => {
  const rule = (id: string) => `rules: [{id: ${id}, decision: deny}]`;
  const order = (base: string, ids: string[]) =>
    loadPolicy(base, new Map(ids.map((id) => [id, rule(`r-${id}`)])))
      .rules.map(({ id }) => id);
  assertEquals(order(BASE_POLICY, ["b", "a/z", "B"]), ["r-B", "r-a/z", "r-b"]);
  assertEquals(order(rule("base"), ["a"]), ["base", "r-a"]);
});

Deno.test("loadPolicy() names a policy by the hash of its texts, untrimmed", async () => {
  const text = "rules: []\n\n";
  const base = await sha256(BASE_POLICY);
  const name = (policy: string, fragments: Record<string, string>) =>
    loadPolicy(policy, new Map(Object.entries(fragments))).snapshot;
  assertEquals(name(BASE_POLICY, {}), base);
  assertEquals(
    name(BASE_POLICY, { b: text, "a/x": "{}", blank: " \n" }),
    `${base}|cfg:${await sha256(`a/x\0{}b\0${text}`)}`,
  );
});

for (const text of ["rules: [a", "rules: []\nrules: []"]) {
  Deno.test(`loadPolicy() refuses ${JSON.stringify(text)}, which is no YAML`, () => {
    const load = () => loadPolicy(BASE_POLICY, new Map([["a", text]]));
    assertThrows(load, SyntaxError);
  });
}

const rule = (match: string, more = "decision: deny") =>
  `rules: [{match: ${match}, ${more}}]`;

for (
  const [text, problem] of [
    ["[]", "cannot unmarshal array into Go struct field policy of type object"],
    ["rules", "cannot unmarshal string into Go struct field policy of type"],
    ["rules: {}", "object into Go struct field policy.rules of type list"],
    [rule("{topics: job.x}"), "policy.rules.match.topics of type []string"],
    [rule("{topics: [1]}"), "policy.rules.match.topics of type []string"],
    [
      rule("{}", "constraints: {budgets: {max_retries: two}}"),
      "policy.rules.constraints.budgets.max_retries of type int64",
    ],
    ["Rules: []", "devcore does not implement policy.Rules"],
    [rule("{topic: job.x}"), "implement policy.rules.match.topic"],
    [rule("{risk_tags: [x]}"), "implement policy.rules.match.risk_tags"],
    [rule("{toString: [x]}"), "implement policy.rules.match.toString"],
    ["tenants: {other: {}}", "implement policy.tenants.other"],
    [
      rule("{}", "constraints: {diff: {max_files: 1}}"),
      "implement policy.rules.constraints.diff",
    ],
    [
      rule("{}", "constraints: {budgets: {max_concurrent_jobs: 1}}"),
      "implement policy.rules.constraints.budgets.max_concurrent_jobs",
    ],
    [rule("{}", "decision: Deny"), 'implement the decision "Deny"'],
    [rule("{}", "reason: none"), 'implement the decision ""'],
    [rule("{topics: ['job.?']}"), 'implement the pattern "job.?"'],
    [rule("{topics: ['job.[a-c]']}"), 'implement the pattern "job.[a-c]"'],
  ] as const
) {
  Deno.test(`loadPolicy() refuses ${text} by name`, () => {
    const load = () => loadPolicy(BASE_POLICY, new Map([["a", text]]));
    assertThrows(load, Refusal, problem);
  });
}

Deno.test("loadPolicy() takes a text of comments, and keys without a value", () => {
  assertEquals(decided("# nothing\n").decision, "ALLOW");
  assertEquals(decided("rules:\n").ruleId, "legacy:default:allow:1");
});

// A small pack, and what most tests do with it.

const STEP: JsonObject = { type: "worker", topic: "job.demo.a" };
const PACK: PackPlan = {
  id: "demo",
  topics: { a: "demo", b: "demo", ask: "demo" },
  pools: { demo: ["GIT"] },
  workflows: {
    one: { a: STEP },
    ask: { a: { ...STEP, topic: "job.demo.ask" } },
  },
  rules: [{
    id: "ask",
    match: { topics: ["job.demo.ask"] },
    decision: "require_approval",
    reason: "please",
  }],
};

/** Starts a run; returns its id. */
async function start(
  { call }: Stage,
  workflow: string,
  input: JsonObject = {},
): Promise<string> {
  const path = `/workflows/demo.${workflow}/runs`;
  const { json, text } = await call(WRITE + path, { json: input });
  assert(json !== undefined, text);
  return (json as { run_id: string }).run_id;
}

async function jobOf({ call }: Stage, jobId: string): Promise<JsonObject> {
  return (await call(`${READ}/jobs/${jobId}`)).json as JsonObject;
}

async function runOf({ call }: Stage, runId: string): Promise<JsonObject> {
  return (await call(`${READ}/workflow-runs/${runId}`)).json as JsonObject;
}

async function untilState(
  stage: Stage,
  jobId: string,
  state: string,
): Promise<JsonObject> {
  return await untilAnswer(`job ${jobId} to be ${state}`, async () => {
    const job = await jobOf(stage, jobId);
    return job["state"] === state ? job : undefined;
  });
}

async function untilRun(
  stage: Stage,
  runId: string,
  status: string,
): Promise<JsonObject> {
  return await untilAnswer(`run ${runId} to be ${status}`, async () => {
    const run = await runOf(stage, runId);
    return run["status"] === status ? run : undefined;
  });
}

/** Lets devcore look at its clock, which it does every 20 ms. */
function timersRun(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 60));
}

/** The outputs of a run by step. */
function outputsOf(run: JsonObject): Record<string, { output?: unknown }> {
  return (run["context"] as { steps: Record<string, { output?: unknown }> })
    .steps;
}

async function approve({ call }: Stage, jobId: string): Promise<number> {
  return (await call(`${WRITE}/approvals/${jobId}/approve`)).status;
}

// Placement.

Deno.test("devcore places a job by pool, labels and load, as in the worked example", async () => {
  await using stage = await startStage();
  const needsRegion = {
    a: {
      ...STEP,
      meta: { requires: ["git"] },
      route_labels: { region: "eu" },
    },
  };
  await stage.install(packFiles({ ...PACK, workflows: { one: needsRegion } }));
  const eu = { region: "eu" };
  const fits = await stage.work({
    id: "w-1",
    pool: "demo",
    labels: eu,
    cpuLoad: 10,
  });
  await fits.beat(2);
  const full = await stage.work({
    id: "w-2",
    pool: "demo",
    labels: eu,
    parallel: 1,
  });
  await full.beat(1);
  const unlabelled = await stage.work({ id: "w-3", pool: "demo" });
  const elsewhere = await stage.work({ id: "w-4", pool: "other", labels: eu });
  await untilState(stage, `${await start(stage, "one")}:a@1`, "RUNNING");
  await until("the job to arrive", () => fits.jobs.length);
  const idle = [full, unlabelled, elsewhere];
  assertEquals(idle.map(({ jobs }) => jobs.length), [0, 0, 0]);
});

Deno.test("devcore gives a job to the worker with the least to do", async () => {
  await using stage = await startStage();
  await stage.install(packFiles(PACK));
  const busy = await stage.work({ id: "w-1", pool: "demo" });
  await busy.beat(1);
  const free = await stage.work({ id: "w-2", pool: "demo", cpuLoad: 50 });
  await start(stage, "one");
  await until("the job to arrive", () => free.jobs.length);
  assertEquals(busy.jobs.length, 0);
});

for (
  const [about, plan, activeJobs] of [
    ["whose load is 9 of 10", { parallel: 10 }, 9],
    ["whose processor is at 90 %", { cpuLoad: 90 }, 0],
    ["whose label differs", { labels: { dry_run: "false" } }, 0],
    ["of another pool", { pool: "other" }, 0],
  ] as const
) {
  Deno.test(`devcore gives nothing to a worker ${about}`, async () => {
    await using stage = await startStage();
    await stage.install(packFiles(PACK));
    const worker = await stage.work({ id: "w-1", pool: "demo", ...plan });
    await worker.beat(activeJobs);
    const path = "/workflows/demo.one/runs?dry_run=1";
    const { json } = await stage.call(WRITE + path, { json: {} });
    const jobId = `${(json as JsonObject)["run_id"]}:a@1`;
    assertEquals((await jobOf(stage, jobId))["state"], "PENDING");
    assertEquals(worker.jobs.length, 0);
  });
}

Deno.test("devcore ignores a worker whose id is no token of a subject", async () => {
  await using stage = await startStage();
  for (const workerId of ["w.1", "w *", ""]) {
    const sender = { workerId, nowMs: 0 };
    const heartbeat = encodeHeartbeat(sender, { pool: "demo" });
    stage.bus.publish("sys.heartbeat", heartbeat);
  }
  await stage.work({ id: "w-1", pool: "demo" });
  const { json } = await stage.call(`${READ}/workers`);
  assertEquals((json as JsonObject[]).map(({ worker_id }) => worker_id), [
    "w-1",
  ]);
});

Deno.test("devcore forgets a worker 30 s after its last heartbeat, but lists it", async () => {
  let now = 1_768_000_000_000;
  await using stage = await startStage({ clock: () => now });
  await stage.install(packFiles(PACK));
  await stage.work({ id: "w-1", pool: "demo" });
  now += 29_999;
  const lost = await start(stage, "one");
  assertEquals((await jobOf(stage, `${lost}:a@1`))["state"], "RUNNING");
  now += 1;
  const waits = await start(stage, "one");
  assertEquals((await jobOf(stage, `${waits}:a@1`))["state"], "PENDING");
  const { json } = await stage.call(`${READ}/workers`);
  assertEquals(json, [{
    worker_id: "w-1",
    pool: "demo",
    max_parallel_jobs: 4,
  }]);
});

Deno.test("devcore keeps a worker snapshot in Redis in the platform's shape", async () => {
  await using stage = await startStage();
  const { signal } = new AbortController();
  const read = async () => {
    const text = await stage.store.read("sys:workers:snapshot", 1e5, signal);
    const { captured_at, ...snapshot } = JSON.parse(text!);
    assertMatch(captured_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    return snapshot;
  };
  const none = { workers: 0, capacity: 0, available: false };
  assertEquals(await read(), {
    topics: { "job.default": { pool: "default", ...none } },
  });
  await stage.install(packFiles({ ...PACK, topics: { a: "demo", b: "idle" } }));
  const worker = await stage.work({ id: "w-1", pool: "demo" });
  await worker.beat(1);
  const snapshot = await until("the worker to be in it", async () => {
    const snapshot = await read();
    return snapshot.pools?.demo.active_jobs === 1 && snapshot;
  });
  const load = { workers: 1, active_jobs: 1, capacity: 4 };
  assertEquals(snapshot, {
    pools: { demo: load },
    topics: {
      "job.demo.a": { pool: "demo", workers: 1, capacity: 4, available: true },
      "job.demo.b": { pool: "idle", ...none },
    },
    workers: [{
      worker_id: "w-1",
      pool: "demo",
      active_jobs: 1,
      max_parallel_jobs: 4,
    }],
  });
});

Deno.test("devcore hands a job to its worker as the platform does", async () => {
  await using stage = await startStage();
  const budgets = { max_runtime_ms: 60_000, max_artifact_bytes: 1024 };
  await stage.install(packFiles({
    ...PACK,
    rules: [{
      decision: "allow",
      constraints: {
        budgets: { ...budgets, max_retries: 2 },
        sandbox: { isolated: true, network_allowlist: ["a:443", "b:443"] },
        redaction_level: "strict",
      },
    }],
    workflows: { one: { a: { ...STEP, timeout_sec: 120 } } },
  }));
  const worker = await stage.work({ id: "w-1", pool: "demo" });
  const runId = await start(stage, "one", { priority: "Critical" });
  const job = await until("the job to arrive", () => worker.jobs[0]);
  const { CORDUM_EFFECTIVE_CONFIG, ...env } = job.env;
  const ids = { workflow_id: "demo.one", run_id: runId, step_id: "a" };
  assertEquals(Object.keys(JSON.parse(CORDUM_EFFECTIVE_CONFIG!)), [
    "pools",
    "timeouts",
  ]);
  assertEquals(env, {
    ...ids,
    tenant_id: "default",
    team_id: "",
    memory_id: `run:${runId}`,
    context_mode: "raw",
    CORDUM_POLICY_CONSTRAINTS:
      '{"budgets":{"maxRuntimeMs":"60000", "maxRetries":2, "maxArtifactBytes":"1024"}, "sandbox":{"isolated":true, "networkAllowlist":["a:443", "b:443"]}, "toolchain":{}, "diff":{}, "redactionLevel":"strict"}',
    CORDUM_REDACTION_LEVEL: "strict",
    CORDUM_MAX_ARTIFACT_BYTES: "1024",
    CORDUM_MAX_RETRIES: "2",
  });
  assertEquals<JsonObject>({ ...job.labels }, ids);
  assertEquals(job.budget?.deadlineMs, 60_000n);
  assertEquals([job.contextPtr, job.priority], [
    `redis://ctx:${runId}:a@1`,
    3,
  ]);
});

Deno.test("devcore keeps its last routing, but not the policy, after an uninstall", async () => {
  await using stage = await startStage();
  await stage.install(packFiles(PACK));
  const worker = await stage.work({
    id: "w-1",
    pool: "demo",
    answer: () => ({}),
  });
  await stage.call(`${WRITE}/packs/demo/uninstall`);
  await until("the rules to be gone", async () => {
    const { text } = await stage.call(`${READ}/policy/snapshots`);
    return text.split("|").length === 2 && text.indexOf("|") > 80;
  });
  await untilRun(stage, await start(stage, "ask"), "succeeded");
  assertEquals(worker.jobs[0]?.topic, "job.demo.ask");
});

const OVERLAY = { name: "x", key: "pools", path: "pools.json" };

for (
  const [more, problem] of [
    [{ plugins: [] }, "devcore does not implement pack.yaml.plugins"],
    [
      { compatibility: { protocolVersion: 1, maxCoreVersion: "2.0.0" } },
      "devcore does not implement pack.yaml.compatibility.maxCoreVersion",
    ],
    [
      { compatibility: { protocolVersion: "1" } },
      "json: cannot unmarshal string into Go struct field pack.yaml.compatibility.protocolVersion of type int64",
    ],
    [
      { overlays: { policy: [{ path: "safety.json" }] } },
      "devcore does not implement overlays without a name",
    ],
    [
      { overlays: { config: [{ ...OVERLAY, scope: "org" }] } },
      "redis: nil",
    ],
    [
      { tests: { policySimulations: [{ request: { tenantId: "other" } }] } },
      'devcore does not implement the tenant "other"',
    ],
  ] as const
) {
  Deno.test(`devcore refuses a manifest with ${JSON.stringify(more)}`, async () => {
    await using stage = await startStage();
    const files = packFiles(PACK);
    const manifest = JSON.parse(files.get("pack.yaml")!);
    files.set("pack.yaml", JSON.stringify({ ...manifest, ...more }));
    const body = upload(await archive([...files]));
    const answer = await stage.call(`${WRITE}/packs/install`, { body });
    assertEquals([answer.status, answer.text], [400, `${problem}\n`]);
    const { json } = await stage.call(`${READ}/packs`);
    assertEquals(json, { items: [] });
  });
}

Deno.test("devcore refuses a fragment with what it does not know, and installs nothing", async () => {
  await using stage = await startStage();
  const fragment = "rules: [{match: {topic: job.x}, decision: deny}]";
  const body = upload(await archive([...packFiles({ ...PACK, fragment })]));
  const { status, text } = await stage.call(`${WRITE}/packs/install`, { body });
  const problem = "devcore does not implement policy.rules.match.topic\n";
  assertEquals([status, text], [400, problem]);
  const workflow = await stage.call(`${READ}/workflows/demo.one`);
  assertEquals(workflow.status, 404);
});

Deno.test("devcore keeps the policy in force while one fragment is none", async () => {
  await using stage = await startStage();
  await stage.install(packFiles(PACK));
  const snapshots = async () =>
    (await stage.call(`${READ}/policy/snapshots`)).text;
  const before = await snapshots();
  const bad = packFiles({ id: "bad", fragment: "rules: [a" });
  const body = upload(await archive([...bad]));
  const { status } = await stage.call(`${WRITE}/packs/install`, { body });
  assertEquals(status, 200);
  const good = packFiles({ id: "good", rules: [{ decision: "deny" }] });
  const more = upload(await archive([...good]));
  await stage.call(`${WRITE}/packs/install`, { body: more });
  const runId = await start(stage, "ask");
  await untilState(stage, `${runId}:a@1`, "APPROVAL_REQUIRED");
  assertEquals(await snapshots(), before);
  await stage.call(`${WRITE}/packs/bad/uninstall`);
  await until("the policy to go on", async () => await snapshots() !== before);
});

// Approvals.

Deno.test("devcore asks again 2 s after it could not place an approved job", async () => {
  let now = 1_768_000_000_000;
  await using stage = await startStage({ clock: () => now });
  await stage.install(packFiles(PACK));
  const jobId = `${await start(stage, "ask")}:a@1`;
  await untilState(stage, jobId, "APPROVAL_REQUIRED");
  assertEquals(await approve(stage, jobId), 200);
  const isHonoured = async () => {
    const { state, safety_reason } = await jobOf(stage, jobId);
    return state === "PENDING" && safety_reason === "approval granted";
  };
  await untilAnswer("the approval to be honoured", isHonoured);
  assertEquals(await approve(stage, jobId), 409);
  now += 1_999;
  await timersRun();
  assert(await isHonoured());
  now += 1;
  const back = await untilState(stage, jobId, "APPROVAL_REQUIRED");
  assertEquals(back["safety_reason"], "please");
  assertEquals(typeof back["approval_at"], "number");

  await stage.work({ id: "w-1", pool: "demo", answer: () => ({}) });
  assertEquals(await approve(stage, jobId), 200);
  await untilState(stage, jobId, "SUCCEEDED");
  const { json } = await stage.call(`${READ}/jobs/${jobId}/decisions`);
  assertEquals((json as JsonObject[]).map(({ decision }) => decision), [
    "ALLOW",
    "REQUIRE_APPROVAL",
    "ALLOW",
    "REQUIRE_APPROVAL",
  ]);
});

Deno.test("devcore refuses an approval for good once the policy has changed", async () => {
  await using stage = await startStage();
  await stage.install(packFiles(PACK));
  const jobId = `${await start(stage, "ask")}:a@1`;
  await untilState(stage, jobId, "APPROVAL_REQUIRED");
  await stage.install(
    packFiles({ id: "other", rules: [{ decision: "allow" }] }),
  );
  const { status, text } = await stage.call(
    `${WRITE}/approvals/${jobId}/approve`,
  );
  assertEquals([status, text], [
    409,
    "policy snapshot changed; re-evaluate before approving\n",
  ]);
});

// Results and runs.

const RESULTS: readonly (readonly [
  about: string,
  result: Result,
  job: string,
  run: string,
  message: string | undefined,
])[] = [
  [
    "status 0",
    { status: JobStatus.UNSPECIFIED },
    "FAILED",
    "failed",
    "unexpected status: JOB_STATUS_UNSPECIFIED",
  ],
  [
    "status 4",
    { status: JobStatus.RUNNING },
    "FAILED",
    "failed",
    "unexpected status: JOB_STATUS_RUNNING",
  ],
  [
    "status 8",
    { status: JobStatus.DENIED, errorMessage: "no" },
    "RUNNING",
    "failed",
    "no",
  ],
  [
    "status 9",
    { status: JobStatus.TIMEOUT, errorMessage: "late" },
    "TIMEOUT",
    "timed_out",
    "late",
  ],
  [
    "status 7",
    { status: JobStatus.CANCELLED },
    "CANCELLED",
    "failed",
    undefined,
  ],
];

for (const [about, result, jobState, runStatus, message] of RESULTS) {
  Deno.test(`devcore takes a result of ${about} for job ${jobState}, run ${runStatus}`, async () => {
    await using stage = await startStage();
    await stage.install(packFiles(PACK));
    await stage.work({ id: "w-1", pool: "demo", answer: () => result });
    const runId = await start(stage, "one");
    const run = await untilRun(stage, runId, runStatus);
    const { a } = run["steps"] as Record<string, { error?: JsonObject }>;
    assertEquals(a?.error?.["message"], message);
    const job = await jobOf(stage, `${runId}:a@1`);
    assertEquals(job["state"], jobState);
    if (jobState !== "RUNNING") {
      const { error, processed_by } = job["result"] as JsonObject;
      assertEquals((error as JsonObject)["message"], result.errorMessage ?? "");
      assertEquals(processed_by, "cordum-scheduler");
    }
  });
}

Deno.test("devcore drops a result that no worker signs, and one that comes too early", async () => {
  await using stage = await startStage();
  await stage.install(packFiles(PACK));
  const worker = await stage.work({ id: "w-1", pool: "demo" });
  const runId = await start(stage, "one");
  const waiting = await start(stage, "ask");
  await untilState(stage, `${waiting}:a@1`, "APPROVAL_REQUIRED");
  await worker.answer(`${runId}:a@1`, { workerId: "" });
  await worker.answer(`${waiting}:a@1`, { value: 1 });
  // The heartbeat comes after both on the same connection.
  await worker.beat(1);
  assertEquals((await jobOf(stage, `${runId}:a@1`))["state"], "RUNNING");
  const { state } = await jobOf(stage, `${waiting}:a@1`);
  assertEquals(state, "APPROVAL_REQUIRED");
  assertEquals((await runOf(stage, waiting))["status"], "running");
});

Deno.test("devcore tries a failed step again as job @2, @3 after 1 s and 2 s", async () => {
  let now = 1_768_000_000_000;
  await using stage = await startStage({ clock: () => now });
  const retry = { max_retries: 2, initial_backoff_sec: 1, multiplier: 2 };
  await stage.install(
    packFiles({ ...PACK, workflows: { one: { a: { ...STEP, retry } } } }),
  );
  let attempts = 0;
  const worker = await stage.work({
    id: "w-1",
    pool: "demo",
    answer: () => ({
      status: JobStatus.FAILED,
      errorMessage: `try ${++attempts}`,
    }),
  });
  const runId = await start(stage, "one");
  for (const [attempt, waitMs] of [[1, 1_000], [2, 2_000]] as const) {
    await untilAnswer(`attempt ${attempt} to fail`, async () => {
      const { steps } = await runOf(stage, runId);
      const { a } = steps as Record<string, JsonObject>;
      return a!["attempts"] === attempt && a!["status"] === "pending";
    });
    now += waitMs - 1;
    await timersRun();
    assertEquals(worker.jobs.length, attempt);
    now += 1;
    await until("the next attempt", () => worker.jobs.length > attempt);
  }
  const run = await untilRun(stage, runId, "failed");
  const { a } = run["steps"] as Record<string, JsonObject>;
  assertEquals([a!["attempts"], a!["error"], a!["job_id"]], [
    3,
    { message: "try 3" },
    `${runId}:a@3`,
  ]);
  assertEquals(
    worker.jobs.map(({ jobId }) => jobId),
    [1, 2, 3].map((attempt) => `${runId}:a@${attempt}`),
  );
});

Deno.test("devcore gives the next step what a template leads to, with its type", async () => {
  await using stage = await startStage();
  const input = {
    whole: "${steps.a.output}",
    deep: "${steps.a.output.list}",
    pointer: "${steps.a.result_ptr}",
    number: "${steps.a.output.n}",
    run: "${input}",
    missing: "${steps.a.output.none.deeper}",
    element: "${steps.a.output.list.0}",
    later: "${steps.c.output}",
    text: "as $ is",
    nested: [{ n: "${input.n}" }],
  };
  await stage.install(packFiles({
    ...PACK,
    workflows: {
      one: { a: STEP, b: { ...STEP, depends_on: ["a"], input } },
    },
  }));
  const value = { n: 3, list: [1, { two: 2 }] };
  await stage.work({ id: "w-1", pool: "demo", answer: () => ({ value }) });
  const runId = await start(stage, "one", { n: 1e6 });
  const run = await untilRun(stage, runId, "succeeded");
  const { b } = run["steps"] as Record<string, { input: JsonObject }>;
  assertEquals(b!.input, {
    whole: value,
    deep: value.list,
    pointer: `redis://res:${runId}:a@1`,
    number: 3,
    run: { n: 1e6 },
    missing: null,
    element: null,
    later: null,
    text: "as $ is",
    nested: [{ n: 1e6 }],
  });
});

Deno.test("devcore keeps a result above 256 KiB by its pointer only, and checks it", async () => {
  await using stage = await startStage();
  const input = { a: "${steps.a.output}", pointer: "${steps.a.result_ptr}" };
  await stage.install(packFiles({
    ...PACK,
    schemas: { Out: { type: "object" } },
    workflows: {
      one: {
        a: STEP,
        b: { topic: "job.demo.b", depends_on: ["a"], input },
      },
      checked: { a: { ...STEP, output_schema_id: "demo/Out" } },
    },
  }));
  let bytes = 0;
  await stage.work({
    id: "w-1",
    pool: "demo",
    answer: ({ topic }) =>
      topic === "job.demo.a"
        ? { text: JSON.stringify("x".repeat(bytes - 2)) }
        : { text: "not json" },
  });
  for (const [length, isKept] of [[262_144, true], [262_145, false]] as const) {
    bytes = length;
    const runId = await start(stage, "one");
    const run = await untilRun(stage, runId, "succeeded");
    assertEquals("output" in outputsOf(run)["a"]!, isKept);
    assertEquals(outputsOf(run)["b"]!.output, "not json");
    const { context } = await jobOf(stage, `${runId}:b@1`);
    const { a, pointer } = context as { a: unknown; pointer: string };
    assertEquals(a === null, !isKept);
    assertEquals(pointer, `redis://res:${runId}:a@1`);
  }
  const run = await untilRun(stage, await start(stage, "checked"), "failed");
  const { a } = run["steps"] as Record<string, { error: JsonObject }>;
  assertEquals(
    String(a!.error["message"]).split(": must")[0],
    "schema validation failed: jsonschema: '' does not validate with inmemory://inmemory://demo/Out#/type",
  );
  // The client's parser gives back what it took for long replies step by step.
  await runOut();
  await runOut();
});

for (
  const [about, step] of Object.entries({
    "Step.steps.for_each": { for_each: "input.items" },
    "Step.steps.after": { after: ["b"] },
    "Step.steps.retry.jitter": { retry: { jitter: true } },
    "steps with no topic": { topic: "" },
    "steps with type approval": { type: "approval" },
    "steps with the template a ${input.b}": { input: { a: "a ${input.b}" } },
    "steps with the template ${length(input.b)}": {
      input: { a: ["${length(input.b)}"] },
    },
    "steps with the template ${true}": { input: { a: "${true}" } },
    "steps with the template ${ctx.steps.a}": {
      input: { a: "${ctx.steps.a}" },
    },
    "steps with label preferred_pool": {
      route_labels: { preferred_pool: "a" },
    },
  })
) {
  Deno.test(`readWorkflow() refuses ${about} by name`, () => {
    const steps = { a: { topic: "job.demo.a", ...step } };
    const read = () => readWorkflow({ steps }, "demo.x", "");
    assertThrows(read, Refusal, `devcore does not implement ${about}`);
  });
}

for (
  const [place, file] of Object.entries({
    "Workflow.steps": { steps: [] },
    "Workflow.version": { version: 1 },
    "Step.steps.timeout_sec": { steps: { a: { timeout_sec: "3" } } },
    "Step.steps.input": { steps: { a: { input: "${input}" } } },
    "Step.steps.route_labels": {
      steps: { a: { route_labels: { gpu: true } } },
    },
    "Step.steps.meta.risk_tags": { steps: { a: { meta: { risk_tags: "x" } } } },
    "Step.steps.retry.max_retries": {
      steps: { a: { retry: { max_retries: 1.5 } } },
    },
  })
) {
  Deno.test(`readWorkflow() refuses a wrong type of ${place} in the platform's words`, () => {
    const read = () => readWorkflow(file, "demo.x", "");
    assertThrows(read, Refusal, `into Go struct field ${place} of type `);
  });
}

Deno.test("devcore ends what is overdue without a word on the bus", async () => {
  await using stage = await startStage();
  const limits = { budgets: { max_runtime_ms: 50 } };
  const timeout = { timeout_sec: 1 };
  await stage.install(packFiles({
    ...PACK,
    rules: [
      ...PACK.rules!,
      {
        match: { topics: ["job.demo.b"] },
        decision: "allow",
        constraints: limits,
      },
    ],
    workflows: {
      step: { a: { ...STEP, ...timeout } },
      policy: { a: { ...STEP, topic: "job.demo.b" } },
      ask: { a: { ...STEP, topic: "job.demo.ask", ...timeout } },
      lone: { a: { ...STEP, ...timeout, route_labels: { zone: "x" } } },
    },
  }));
  await stage.work({ id: "w-1", pool: "demo" });
  const subjects: string[] = [];
  for (const subject of ["sys.>", "worker.>"]) {
    stage.bus.subscribe(subject, () => subjects.push(subject));
  }
  await stage.bus.flush();
  const names = ["step", "policy", "ask"];
  const runs = await Promise.all(names.map((name) => start(stage, name)));
  const lone = await start(stage, "lone");
  stage.leap(1_000);
  for (const runId of runs) {
    const run = await untilRun(stage, runId, "timed_out");
    const { a } = run["steps"] as Record<string, { error: JsonObject }>;
    assertEquals(a!.error["message"], "job state: TIMEOUT");
  }
  // A job without a place is submitted anew before its time is up.
  assertEquals((await jobOf(stage, `${lone}:a@1`))["state"], "PENDING");
  assertEquals(subjects, ["worker.>", "worker.>"]);
});

Deno.test("devcore cancels a run, its jobs and tells the workers", async () => {
  await using stage = await startStage();
  await stage.install(packFiles(PACK));
  await stage.work({ id: "w-1", pool: "demo" });
  const cancels: JsonObject[] = [];
  stage.bus.subscribe("sys.job.cancel", (bytes) => {
    const { traceId, senderId, payload } = decodePacket(bytes);
    assert(payload.case === "jobCancel");
    const { jobId, reason, requestedBy } = payload.value;
    cancels.push({ traceId, senderId, jobId, reason, requestedBy });
  });
  await stage.bus.flush();
  const runId = await start(stage, "one");
  const path = `/workflows/any/runs/${runId}/cancel`;
  assertEquals((await stage.call(WRITE + path)).status, 204);
  assertEquals((await runOf(stage, runId))["status"], "cancelled");
  assertEquals((await jobOf(stage, `${runId}:a@1`))["state"], "CANCELLED");
  await until("the cancel to arrive", () => cancels.length);
  assertEquals(cancels, [{
    traceId: `${runId}:a@1`,
    senderId: "workflow-engine",
    jobId: `${runId}:a@1`,
    reason: "workflow run cancelled",
    requestedBy: "workflow-engine",
  }]);
});

Deno.test("devcore starts one run a key, whatever its workflow and input", async () => {
  await using stage = await startStage();
  await stage.install(packFiles(PACK));
  const begin = async (path: string, headers = {}, json: JsonObject = {}) => {
    const line = `${WRITE}/workflows/demo.${path}`;
    const answer = await stage.call(line, { headers, json });
    return (answer.json as { run_id: string }).run_id;
  };
  const key = { "Idempotency-Key": "key-1" };
  const runId = await begin("one/runs", key);
  assertEquals(await begin("one/runs", key, { n: 1 }), runId);
  assertEquals(
    await begin("ask/runs", { "X-Idempotency-Key": "key-1" }),
    runId,
  );
  assertEquals(await begin("one/runs?idempotency_key=key-1"), runId);
  assertEquals(await begin("one/runs?idempotency-key=key-1"), runId);
  assertNotEquals(await begin("one/runs"), runId);
  assertEquals((await runOf(stage, runId))["idempotency_key"], "key-1");
});

// Faults.

Deno.test("devcore drops, doubles or delays a dispatch on request", async () => {
  await using stage = await startStage();
  await stage.install(packFiles(PACK));
  const worker = await stage.work({ id: "w-1", pool: "demo" });
  const { faults } = stage.core;
  const dispatch = async () => {
    const jobId = `${await start(stage, "one")}:a@1`;
    assertEquals((await jobOf(stage, jobId))["state"], "RUNNING");
    return jobId;
  };
  const arrived = (jobId: string) =>
    worker.jobs.filter((job) => job.jobId === jobId).length;
  faults.onDispatch = "drop";
  const dropped = await dispatch();
  faults.onDispatch = "twice";
  const doubled = await dispatch();
  await until("the job to arrive twice", () => arrived(doubled) === 2);
  faults.onDispatch = ({ topic }) =>
    topic === "job.demo.a" ? { lateMs: 200 } : undefined;
  const late = await dispatch();
  await worker.beat(1);
  assertEquals([arrived(dropped), arrived(late)], [0, 0]);
  await until("the job to arrive late", () => arrived(late) === 1);
});

Deno.test("devcore answers a status, hangs or loses a reply on request", async () => {
  await using stage = await startStage();
  await stage.install(packFiles(PACK));
  const { faults } = stage.core;
  const status = `${READ}/status`;
  faults.onRoute = (method, path) =>
    method === "GET" && path === "/api/v1/status"
      ? { status: 503, body: "try later" }
      : undefined;
  const refused = await stage.call(status);
  assertEquals([refused.status, refused.text], [503, "try later\n"]);
  assertEquals((await stage.call(`${READ}/workers`)).status, 200);

  faults.onRoute = () => "hang";
  const signal = AbortSignal.timeout(50);
  await assertRejects(() => stage.call(status, { signal }), DOMException);

  faults.onRoute = () => "lose reply";
  const headers = { "Idempotency-Key": "lost" };
  const line = `${WRITE}/workflows/demo.one/runs`;
  const begin = () => stage.call(line, { headers, json: {} });
  await assertRejects(begin, TypeError);
  delete faults.onRoute;
  const { run_id } = (await begin()).json as { run_id: string };
  // The work was done although nobody was told.
  assertEquals((await runOf(stage, run_id))["id"], run_id);
});

Deno.test("devcore stops although a request hangs", async () => {
  let hangs = false;
  const onRoute = () => {
    hangs = true;
    return "hang" as const;
  };
  await using stage = await startStage({ faults: { onRoute } });
  const hanging = stage.call(`${READ}/status`).then(() => {}, () => {});
  await until("the request to hang", () => hangs);
  await stage[Symbol.asyncDispose]();
  await hanging;
});

Deno.test("devcore burns keys on request", async () => {
  await using stage = await startStage({ faults: { burnKeys: 1 } });
  await stage.install(packFiles(PACK));
  const begin = (key: string) =>
    stage.call(`${WRITE}/workflows/demo.one/runs`, {
      headers: { "Idempotency-Key": key },
      json: {},
    });
  assertEquals((await begin("a")).status, 429);
  const again = await begin("a");
  assertEquals(again.status, 200);
  const { run_id } = again.json as { run_id: string };
  const { status } = await stage.call(`${READ}/workflow-runs/${run_id}`);
  assertEquals(status, 404);
  const other = (await begin("b")).json as { run_id: string };
  assertEquals((await runOf(stage, other.run_id))["id"], other.run_id);
});

Deno.test("devcore freezes its policy on request", async () => {
  await using stage = await startStage({ faults: { freezePolicy: true } });
  const body = upload(await archive([...packFiles(PACK)]));
  await stage.call(`${WRITE}/packs/install`, { body });
  await stage.work({ id: "w-1", pool: "demo", answer: () => ({}) });
  const verify = `${WRITE}/workflows/demo.ask/runs`;
  await until("routing to be there", async () => {
    const { json } = await stage.call(verify, { json: {} });
    const { run_id } = json as { run_id: string };
    const { state } = await jobOf(stage, `${run_id}:a@1`);
    return state !== "FAILED";
  });
  delete stage.core.faults.freezePolicy;
  await until("the policy to be in force", async () => {
    const runId = await start(stage, "ask");
    const { state } = await jobOf(stage, `${runId}:a@1`);
    return state === "APPROVAL_REQUIRED";
  });
});

Deno.test("devcore bounces an approval on request, before any worker sees the job", async () => {
  await using stage = await startStage({ faults: { bounceApprovals: 1 } });
  await stage.install(packFiles(PACK));
  const worker = await stage.work({
    id: "w-1",
    pool: "demo",
    answer: () => ({}),
  });
  const jobId = `${await start(stage, "ask")}:a@1`;
  await untilState(stage, jobId, "APPROVAL_REQUIRED");
  assertEquals(await approve(stage, jobId), 200);
  const back = await untilState(stage, jobId, "APPROVAL_REQUIRED");
  assertEquals(typeof back["approval_at"], "number");
  assertEquals(worker.jobs.length, 0);
  assertEquals(await approve(stage, jobId), 200);
  await untilState(stage, jobId, "SUCCEEDED");
});

Deno.test("devcore forgets jobs, runs, keys, approvals and artifacts with its Redis", async () => {
  await using redis = await startRedisServer();
  await using stage = await startStage({ redisUrl: redis.url });
  await stage.install(packFiles(PACK));
  const headers = { "Idempotency-Key": "key-1" };
  const begin = async () => {
    const line = `${WRITE}/workflows/demo.ask/runs`;
    const { json } = await stage.call(line, { headers, json: {} });
    return (json as { run_id: string }).run_id;
  };
  const runId = await begin();
  await untilState(stage, `${runId}:a@1`, "APPROVAL_REQUIRED");
  const stored = await stage.call(`${WRITE}/artifacts`, {
    json: { content: "x" },
  });
  const pointer = (stored.json as { artifact_ptr: string }).artifact_ptr;
  redis.flushAll();
  const statusOf = async (line: string) => (await stage.call(line)).status;
  assertEquals(await statusOf(`${READ}/jobs/${runId}:a@1`), 404);
  assertEquals(await statusOf(`${READ}/workflow-runs/${runId}`), 404);
  const artifact = encodeURIComponent(pointer);
  assertEquals(await statusOf(`${READ}/artifacts/${artifact}`), 404);
  assertEquals(await approve(stage, `${runId}:a@1`), 404);
  const { json } = await stage.call(`${READ}/approvals`);
  assertEquals(json, { items: [], next_cursor: null });
  assertNotEquals(await begin(), runId);
});

// Routes.

/** Every route of the contract; those marked are answered with 501. */
const ROUTES = `
GET /health
GET /api/v1/workers
GET /api/v1/status
GET /api/v1/jobs
POST /api/v1/jobs 501
GET /api/v1/jobs/{id}
GET /api/v1/jobs/{id}/decisions
POST /api/v1/jobs/{id}/cancel 501
POST /api/v1/jobs/{id}/remediate 501
GET /api/v1/memory 501
POST /api/v1/artifacts
GET /api/v1/artifacts/{ptr}
GET /api/v1/traces/{id} 501
GET /api/v1/workflows 501
POST /api/v1/workflows 501
GET /api/v1/workflows/{id}
DELETE /api/v1/workflows/{id} 501
POST /api/v1/workflows/{id}/runs
GET /api/v1/workflows/{id}/runs 501
POST /api/v1/workflows/{id}/runs/{run}/steps/{step}/approve 501
POST /api/v1/workflows/{id}/runs/{run}/cancel
GET /api/v1/workflow-runs 501
GET /api/v1/workflow-runs/{id}
DELETE /api/v1/workflow-runs/{id} 501
GET /api/v1/workflow-runs/{id}/timeline
POST /api/v1/workflow-runs/{id}/rerun 501
GET /api/v1/config
POST /api/v1/config 501
GET /api/v1/config/effective 501
GET /api/v1/packs
GET /api/v1/packs/{id}
POST /api/v1/packs/install
POST /api/v1/packs/{id}/uninstall
POST /api/v1/packs/{id}/verify
POST /api/v1/schemas 501
GET /api/v1/schemas 501
GET /api/v1/schemas/{id}
DELETE /api/v1/schemas/{id} 501
GET /api/v1/locks 501
POST /api/v1/locks/acquire 501
POST /api/v1/locks/release 501
POST /api/v1/locks/renew 501
GET /api/v1/dlq 501
GET /api/v1/dlq/page 501
DELETE /api/v1/dlq/{job} 501
POST /api/v1/dlq/{job}/retry 501
GET /api/v1/approvals
POST /api/v1/approvals/{id}/approve
POST /api/v1/approvals/{id}/reject
POST /api/v1/policy/evaluate 501
POST /api/v1/policy/simulate 501
POST /api/v1/policy/explain 501
GET /api/v1/policy/snapshots
GET /api/v1/policy/rules 501
GET /api/v1/policy/bundles 501
GET /api/v1/policy/bundles/{id} 501
PUT /api/v1/policy/bundles/{id} 501
POST /api/v1/policy/bundles/{id}/simulate 501
GET /api/v1/policy/bundles/snapshots 501
POST /api/v1/policy/bundles/snapshots 501
GET /api/v1/policy/bundles/snapshots/{id} 501
POST /api/v1/policy/publish 501
POST /api/v1/policy/rollback 501
GET /api/v1/policy/audit 501
GET /api/v1/marketplace/packs 501
POST /api/v1/marketplace/install 501
GET /api/v1/stream 501
`.trim().split("\n");

Deno.test("devcore serves every route of the contract, or names it in a 501", async () => {
  await using stage = await startStage();
  assertEquals(ROUTES.length, 67);
  for (const route of ROUTES) {
    const [method = "", path = "", unserved] = route.split(" ");
    const line = `${method} ${path.replace(/\{\w+\}/g, "x")}`;
    const { status, text } = await stage.call(line);
    if (unserved === undefined) {
      assertNotEquals(status, 501, route);
      assertNotEquals(status, 405, route);
      assertNotEquals(text, "404 page not found\n", route);
    } else {
      const expected = `devcore does not implement ${method} ${path}\n`;
      assertEquals([status, text], [501, expected]);
    }
  }
});

Deno.test("devcore refuses by name a filter of jobs that it does not have", async () => {
  await using stage = await startStage();
  for (const name of ["team", "trace_id", "updated_after", "updated_before"]) {
    const { status, text } = await stage.call(`${READ}/jobs?${name}=x`);
    const expected = `devcore does not implement GET /api/v1/jobs?${name}\n`;
    assertEquals([status, text], [501, expected]);
  }
});

Deno.test("devcore sends the platform's CORS headers with every answer", async () => {
  await using stage = await startStage();
  for (const line of ["GET /health", "GET /nothing", `${READ}/status`]) {
    const { headers } = await stage.call(line);
    assertEquals([
      headers.get("access-control-allow-methods"),
      headers.get("access-control-allow-headers"),
    ], [
      "GET, POST, DELETE, OPTIONS",
      "Content-Type, Authorization, X-API-Key, X-Principal-Id, X-Principal-Role",
    ]);
  }
});

Deno.test("devcore forgets an artifact when its time is over", async () => {
  let now = 1_768_000_000_000;
  await using stage = await startStage({ clock: () => now });
  const day = 24 * 3600_000;
  for (const [retention, days] of [["short", 1], ["", 7], ["audit", 30]]) {
    const json = { content: "x", retention };
    const stored = await stage.call(`${WRITE}/artifacts`, { json });
    const { artifact_ptr } = stored.json as { artifact_ptr: string };
    const line = `${READ}/artifacts/${encodeURIComponent(artifact_ptr)}`;
    now += Number(days) * day - 1;
    assertEquals((await stage.call(line)).status, 200);
    now += 1;
    assertEquals((await stage.call(line)).status, 404);
  }
});

Deno.test("devcore takes only padded base64 for an artifact", async () => {
  await using stage = await startStage();
  for (const [content_base64, expected] of [["eA==", 200], ["eA", 400]]) {
    const json = { content_base64 };
    const { status } = await stage.call(`${WRITE}/artifacts`, { json });
    assertEquals(status, expected);
  }
});
