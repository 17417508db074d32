/**
 * The chaos campaign: a short one, its mutants, its parts.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { MUTANTS, runCampaign } from "./chaos/campaign.ts";
import { type Evidence, judge } from "./chaos/oracle.ts";
import { drawPlan } from "./chaos/plan.ts";
import { createRandom } from "./chaos/random.ts";
import { processesWith } from "../support/processes.ts";
import { startTask } from "../support/task.ts";

const { signal } = new AbortController();
const BUDGET_MS = 25_000;

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at + 1);
}

Deno.test("a short campaign finds no message twice and none lost", async () => {
  const report = await runCampaign({
    trials: numbers(200),
    seed: 7,
    lanes: 3,
    servers: "real",
    budgetMs: BUDGET_MS,
    signal,
  });
  assertEquals(
    report.violations.map(({ plan, problems, notes }) => ({
      trial: plan.trial,
      problems,
      notes,
    })),
    [],
  );
  assert(report.trials > 0);
  assert(report.ends.posted > 0);
});

Deno.test("the campaign runs on the embedded servers too", async () => {
  const { violations, servers, trials } = await runCampaign({
    trials: numbers(8),
    seed: 7,
    lanes: 2,
    servers: "embedded",
    signal,
  });
  assertEquals(violations, []);
  assertEquals(trials, 8);
  assertEquals(servers, { nats: "embedded", redis: "embedded" });
});

for (const mutant of ["skip-claim", "retry-unknown"] as const) {
  Deno.test(`the campaign catches the mutant ${mutant} within 50 trials`, async () => {
    const { violations } = await runCampaign({
      trials: numbers(50),
      seed: 7,
      lanes: 2,
      servers: "real",
      mutant,
      stopAtViolation: true,
      signal,
    });
    const [first] = violations;
    assert(first?.problems.some((problem) => /message/.test(problem)));
    // Not those of another campaign on this machine.
    const own = `chaos-${Deno.pid}`;
    assertEquals(await processesWith(MUTANTS[mutant], own), []);
  });
}

Deno.test("deno task chaos leaves nothing behind when it is interrupted", async () => {
  // A seed of its own, by which it is told from other campaigns on this machine:
  // one that is mistaken for ours would have us interrupt ours before it listens.
  const seed = String(100_000_000 + Math.floor(Math.random() * 900_000_000));
  const child = startTask("chaos", ["--trials", "500", "--seed", seed]);
  const [id] = await untilSome(() =>
    processesWith("run --no-prompt", "tests/campaigns/chaos.ts", seed)
  );
  const posters = () => processesWith("workers/poster.ts", `chaos-${id}`);
  await untilSome(posters);
  child.kill("SIGINT");
  const { code, stderr } = await child.output();
  const said = new TextDecoder().decode(stderr);
  assert(said.endsWith("error: Stopped\n"), said);
  assertEquals(code, 130);
  assertEquals(await posters(), []);
  await assertRejects(() => Deno.stat(`dist/chaos-${id}`));
});

Deno.test("drawPlan() draws the same for a seed and a trial, and not for others", () => {
  const draw = (seed: number, trial: number) =>
    JSON.stringify(drawPlan(trial, createRandom(seed, trial)));
  const all = numbers(200).map((trial) => draw(5, trial));
  assertEquals(numbers(200).map((trial) => draw(5, trial)), all);
  assert(new Set(all.map((one) => one.replace(/"trial":\d+/, ""))).size > 80);
  assert(draw(5, 1) !== draw(6, 1));
});

Deno.test("2,000 trials draw every fault", () => {
  const names = new Set(
    numbers(2_000).flatMap((trial) =>
      drawPlan(trial, createRandom(1, trial)).faults.map(({ name }) => name)
    ),
  );
  assertEquals(names.size, 45);
});

const CLAIM = {
  type: "claim",
  token: "A",
  job_id: "r:post@1",
  run_id: "r",
  digest: "d",
  host: "h",
  at: "2026-11-22T12:00:00.000Z",
};
const { at } = CLAIM;
const UNKNOWN = { type: "unknown", token: "A", why: "w", at };
const REFUSED = { type: "refused", token: "A", why: "w", at };
const POSTED = { type: "posted", token: "A", result: {}, at };
const OK = { status: 200 };

const JUDGED: Readonly<
  Record<string, {
    requests?: Evidence["requests"];
    record?: unknown[];
    /** State and code of the one job. */
    job?: [string | undefined, string];
    lostData?: boolean;
    expected: string;
  }>
> = {
  "posted once": {
    requests: [OK],
    record: [CLAIM, POSTED],
    expected: "posted",
  },
  "posted after a 429": {
    requests: [{ status: 429 }, OK],
    record: [CLAIM, POSTED],
    expected: "posted",
  },
  "posted twice": {
    requests: [OK, OK],
    record: [CLAIM, POSTED],
    expected: "Slack got 2 messages of one incident",
  },
  "posted once, and perhaps once before": {
    requests: [{ status: 500 }, "slack"],
    record: [CLAIM, POSTED],
    expected: "Slack got 2 messages of one incident",
  },
  "refused": {
    requests: [{ status: 404 }],
    record: [CLAIM, REFUSED],
    job: ["FAILED", "POST_REFUSED"],
    expected: "refused",
  },
  "refused, but Slack may have taken it": {
    requests: ["reset after reading"],
    record: [CLAIM, REFUSED],
    job: ["FAILED", "POST_REFUSED"],
    expected: "Slack got a message, and the record would allow another",
  },
  "refused and not said": {
    record: [],
    job: ["SUCCEEDED", ""],
    expected:
      "nothing was sent, and no job says why; job r:post@1 succeeded, and the record is free",
  },
  "in doubt": {
    requests: ["never answer"],
    record: [CLAIM, UNKNOWN],
    job: ["FAILED", "POST_IN_DOUBT"],
    expected: "in doubt",
  },
  "a claim that stands": {
    record: [CLAIM],
    job: ["FAILED", "POST_IN_DOUBT"],
    expected: "in doubt",
  },
  "a claim that stands, and a job that hangs": {
    record: [CLAIM],
    job: ["RUNNING", ""],
    expected: "job r:post@1 never ended: it is RUNNING",
  },
  "on record, and never sent": {
    record: [CLAIM, POSTED],
    expected: "the record says posted, and Slack got nothing",
  },
  "lost with all of Redis": {
    requests: [OK],
    record: [],
    job: [undefined, ""],
    lostData: true,
    expected: "forgotten",
  },
  "lost with all of Redis, and posted twice": {
    requests: [OK, OK],
    record: [],
    job: [undefined, ""],
    lostData: true,
    expected: "Slack got 2 messages of one incident",
  },
};

for (const [what, { expected, ...facts }] of Object.entries(JUDGED)) {
  Deno.test(`judge() says of an incident ${what}: ${expected}`, () => {
    const { requests = [], record = [], lostData = false } = facts;
    const [state, code] = facts.job ?? ["SUCCEEDED", ""];
    const { end, problems } = judge({
      requests,
      record: record.map((event) => JSON.stringify(event)),
      jobs: [{ jobId: "r:post@1", state, code, message: "" }],
      lostData,
    });
    assertEquals(end ?? problems.join("; "), expected);
  });
}

async function untilSome(find: () => Promise<number[]>): Promise<number[]> {
  const deadline = performance.now() + 30_000;
  while (true) {
    const found = await find();
    if (found.length > 0) return found;
    assert(performance.now() < deadline);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
