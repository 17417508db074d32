/**
 * The chaos campaign against ingesters: what it draws, what it strikes, how it
 * judges.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { until } from "../support/until.ts";
import { KINDS } from "./chaos/intake/faults.ts";
import { StruckGateway } from "./chaos/intake/gateway.ts";
import { writePagerDutyEvent } from "./chaos/intake/letters.ts";
import { judge } from "./chaos/intake/oracle.ts";
import type { Attempt } from "./chaos/intake/sender.ts";
import { IntakeStage } from "./chaos/intake/stage.ts";
import { INTAKE } from "./chaos/intake/suite.ts";
import { createRandom } from "./chaos/random.ts";
import { Replica } from "./chaos/replica.ts";

const ASKER = { "X-API-Key": "replica-a" };

function draw(seed: number, trials: number) {
  return Array.from(
    { length: trials },
    (_, at) => INTAKE.draw(createRandom(seed, at + 1), seed, at + 1),
  );
}

Deno.test("a delivery's trial is drawn the same for a seed and a number, and not for others", () => {
  const texts = (seed: number) =>
    draw(seed, 200).map((plan) => JSON.stringify(plan));
  assertEquals(texts(5), texts(5));
  assertEquals(new Set(texts(5)).size, 200);
  assert(texts(5)[0] !== texts(6)[0]);
});

Deno.test("2,000 trials draw every fault and every way to deliver", () => {
  const plans = draw(1, 2_000);
  const names = plans.flatMap(({ faults }) => faults.map(({ name }) => name));
  const count = KINDS.reduce((sum, [, draws]) => sum + draws.length, 0);
  assertEquals(new Set(names).size, count);
  assertEquals(new Set(plans.map(({ way }) => way)).size, 6);
  for (const plan of plans) {
    // Only what is folded needs an ingester that folds.
    assertEquals(
      INTAKE.kindOf!(plan),
      plan.way === "two events of one service" ? "cooldown" : "plain",
    );
  }
});

Deno.test("the stand-in gateway burns keys, makes runs late and keeps keys for ever", async () => {
  const stage = new IntakeStage("chaos-1-1");
  await using gateway = new StruckGateway({
    stage,
    replicas: [new Replica("replica-a", () => assert(false) as never)],
  });
  const call = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${gateway.url}/api/v1${path}`, init);
    return [response.status, await response.text()] as const;
  };
  const start = (key: string, input = '{"a":"chaos-1-1"}') =>
    call("/workflows/incident-enricher.enrich/runs", {
      method: "POST",
      headers: { "Idempotency-Key": key, ...ASKER },
      body: input,
    });
  const read = (text: string) =>
    call(`/workflow-runs/${JSON.parse(text).run_id}`, { headers: ASKER });
  stage.burns.add(1, () => "limit");
  assertEquals(await start("A"), [429, "max concurrent runs reached\n"]);
  const [status, burned] = await start("A");
  assertEquals(status, 200);
  assertEquals(await read(burned), [404, "not found\n"]);
  assertEquals(gateway.runsOf("chaos-1-1"), []);
  stage.runLateMs = () => 200;
  const [, made] = await start("B");
  assertEquals(await read(made), [404, "not found\n"]);
  // Another input changes nothing, nor does how often it is asked for.
  assertEquals(await start("B", '{"b":1}'), [200, made]);
  await until("the run", async () => (await read(made))[0] === 200);
  const runs = gateway.runsOf("chaos-1-1");
  assertEquals(runs.map(({ key, input }) => ({ key, input })), [
    { key: "B", input: { a: "chaos-1-1" } },
  ]);
  assertEquals(await call("/jobs"), [404, "404 page not found\n"]);
  await gateway.goDown(20);
  assertEquals((await read(made))[0], 200);
  const down = gateway.goDown(50);
  await assertRejects(() => read(made), TypeError);
  await down;
});

const LETTER = writePagerDutyEvent("chaos-1-1", 0);
const OTHER = writePagerDutyEvent("chaos-1-1", 1);
const RUN = {
  id: "R",
  key: "K",
  input: { incident_id: LETTER.incident, raw: JSON.parse(LETTER.body) },
};
const LOST: Attempt = {
  letter: LETTER,
  replica: "replica-a",
  nth: 1,
  seen: false,
  ms: 10,
  excused: true,
};
const TAKEN: Attempt = {
  ...LOST,
  status: 202,
  answer: { run_id: "R", incident_id: LETTER.incident },
  seen: true,
  excused: false,
};
const REFUSED: Attempt = { ...TAKEN, status: 503, answer: {} };

const JUDGED: Readonly<
  Record<string, {
    attempts: Attempt[];
    runs?: typeof RUN[];
    letters?: typeof LETTER[];
    inputRefused?: boolean;
    expected: string;
  }>
> = {
  "taken at once": { attempts: [TAKEN], expected: "accepted" },
  "taken in the end": {
    attempts: [LOST, { ...TAKEN, nth: 2 }],
    expected: "accepted after redelivery",
  },
  "taken, and nobody heard of it": {
    attempts: [{ ...TAKEN, seen: false }],
    expected: "gave up with one run",
  },
  "never taken": {
    attempts: [REFUSED],
    runs: [],
    expected: "gave up without a run",
  },
  "taken without a run": {
    attempts: [TAKEN],
    runs: [],
    expected: "attempt 1 to replica-a got 202 for a run that does not exist",
  },
  "taken without a run, and nobody heard of it": {
    attempts: [{ ...TAKEN, seen: false }],
    runs: [],
    expected: "attempt 1 to replica-a got 202 for a run that does not exist",
  },
  "taken with the id of another run": {
    attempts: [{ ...TAKEN, answer: { run_id: "S" } }],
    expected: "attempt 1 to replica-a got 202 for a run that does not exist",
  },
  "taken twice": {
    attempts: [TAKEN],
    runs: [RUN, { ...RUN, id: "S" }],
    expected: "2 runs of one delivery",
  },
  "never taken, and started twice": {
    attempts: [REFUSED],
    runs: [RUN, { ...RUN, id: "S" }],
    expected: "2 runs of one delivery",
  },
  "taken with another's input": {
    attempts: [REFUSED],
    runs: [{ ...RUN, input: { ...RUN.input, raw: {} } }],
    expected: "run R has another's input, that of pagerduty:chaos-1-1-0",
  },
  "folded into another's run": {
    letters: [LETTER, OTHER],
    attempts: [TAKEN, {
      ...TAKEN,
      letter: OTHER,
      status: 200,
      answer: {
        run_id: "R",
        incident_id: OTHER.incident,
        folded_into: LETTER.incident,
      },
    }],
    expected: "accepted",
  },
  "taken for another's run, which is not said": {
    letters: [LETTER, OTHER],
    attempts: [{
      ...TAKEN,
      letter: OTHER,
      answer: { run_id: "R", incident_id: OTHER.incident },
    }],
    expected:
      "attempt 1 to replica-a was told of pagerduty:chaos-1-1-1, and the run is another's",
  },
  "never answered, by an ingester that was well": {
    attempts: [{ ...LOST, excused: false }],
    expected: "attempt 1 to replica-a got no answer",
  },
  "answered too late": {
    attempts: [{ ...REFUSED, ms: 7_000 }],
    expected: "attempt 1 to replica-a was answered after 7000 ms",
  },
  "dropped": {
    attempts: [{ ...REFUSED, status: 400 }],
    runs: [],
    expected: "attempt 1 to replica-a was told with 400 to drop it",
  },
  "dropped, since the platform will never take it": {
    attempts: [{ ...REFUSED, status: 400 }],
    runs: [],
    inputRefused: true,
    expected: "gave up without a run",
  },
  "sent away for now": {
    attempts: [{ ...REFUSED, status: 429 }],
    runs: [],
    expected: "gave up without a run",
  },
  "answered 500": {
    attempts: [{ ...REFUSED, status: 500 }],
    expected: "attempt 1 to replica-a was told of a bug",
  },
};

for (const [what, { expected, ...facts }] of Object.entries(JUDGED)) {
  Deno.test(`judge() says of a delivery ${what}: ${expected}`, () => {
    const { attempts, runs = [RUN], letters = [LETTER] } = facts;
    const { inputRefused = false } = facts;
    const { end, problems } = judge({ letters, attempts, runs, inputRefused });
    assertEquals(end ?? problems.join("; "), expected);
  });
}
