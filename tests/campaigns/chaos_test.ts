/**
 * What both chaos campaigns share: stages, lanes, trials, how they are counted,
 * and the command. `.ci/run` runs the campaigns themselves.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { delay } from "../../lib/base/time.ts";
import { Stopped } from "../../scripts/terminal/command.ts";
import { call, type CallOptions, type CommandRun } from "../support/command.ts";
import { processesWith } from "../support/processes.ts";
import { startTask } from "../support/task.ts";
import { until } from "../support/until.ts";
import { chaosOf, main } from "./chaos.ts";
import {
  type AnySuite,
  type CampaignOptions,
  type Lane,
  type Plan,
  runCampaign,
  type Suite,
} from "./chaos/campaign.ts";
import { createRandom } from "./chaos/random.ts";
import { type Fault, Schedule, Stage, type Tools } from "./chaos/stage.ts";

type Moment = "first" | "second";
const REPLICA = { id: "replica" };
type FakeStage = Stage<Moment, typeof REPLICA>;
type FakePlan = Plan<FakeLane, Tools<FakeStage, Moment, typeof REPLICA>>;
type FakeLane = Lane<FakeStage>;

const OPTIONS: CampaignOptions = {
  trials: [1, 2, 3, 4, 5, 6],
  seed: 1,
  lanes: 3,
  embedded: false,
  signal: new AbortController().signal,
};

/** A suite whose trials end at once, unless told otherwise. */
function fakeSuite(
  changes: Partial<Suite<FakeLane, FakeStage, FakePlan, string>> = {},
) {
  const [started, disposed]: [string[], string[]] = [[], []];
  const suite: Suite<FakeLane, FakeStage, FakePlan, string> = {
    option: "",
    lanes: 2,
    ends: ["well", "badly"],
    mutants: ["wrong"],
    mutantsFile: "mutants.ts",
    draw: (_, __, trial) => ({ trial, faults: [], way: "some way" }),
    prepare: () =>
      Promise.resolve((name, kind) => {
        started.push(`${name} ${kind}`.trim());
        return Promise.resolve({
          name,
          kind,
          replicas: [],
          stage: undefined,
          [Symbol.asyncDispose]() {
            disposed.push(name);
            return Promise.resolve();
          },
        });
      }),
    begin: () => new Stage(),
    play: () => Promise.resolve("well"),
    judge: (end) => ({ end, problems: [] }),
    facts: (end) => [end],
    ...changes,
  };
  return { suite: suite as AnySuite, started, disposed };
}

Deno.test("runCampaign() runs each trial once, on a lane of its kind, and disposes of the lanes", async () => {
  const at: string[] = [];
  const { suite, started, disposed } = fakeSuite({
    kindOf: ({ trial }) => trial === 6 ? "slow" : "fast",
    async play(lane, _, { trial }) {
      at.push(`${trial} ${lane.kind}`);
      await delay(5);
      return "well";
    },
  });
  const { trials, ends, violations } = await runCampaign(suite, OPTIONS);
  assertEquals([trials, ends, violations], [6, { well: 6, badly: 0 }, []]);
  assertEquals(at.toSorted(), [
    ...["1 fast", "2 fast", "3 fast", "4 fast", "5 fast", "6 slow"],
  ]);
  // 5 of 6 of 3 lanes, and one for what has trials at all.
  assertEquals(started, [
    "lane-0 fast",
    "lane-1 fast",
    "lane-2 fast",
    "lane-3 slow",
  ]);
  assertEquals(disposed.toSorted(), ["lane-0", "lane-1", "lane-2", "lane-3"]);
});

Deno.test("runCampaign() starts no more lanes than there are trials", async () => {
  const { suite, started } = fakeSuite();
  await runCampaign(suite, { ...OPTIONS, trials: [7], lanes: 4 });
  assertEquals(started, ["lane-0"]);
});

Deno.test("runCampaign() counts ends by what struck and what was done", async () => {
  const fault = (name: string, moment: Moment): FakePlan["faults"][number] => ({
    name,
    detail: "",
    arm: (_, { at }) => at(moment, () => {}),
  });
  const { suite } = fakeSuite({
    draw: (_, __, trial) => ({
      trial,
      faults: [fault("one", "first"), fault("other", "second")],
      way: trial % 2 === 0 ? "even" : "odd",
    }),
    async play(_, stage, { trial }) {
      await stage.reach("first", REPLICA);
      if (trial === 3) throw new Error("no");
      return trial < 3 ? "well" : "badly";
    },
  });
  const report = await runCampaign(suite, OPTIONS);
  assertEquals(report.ends, { well: 2, badly: 3 });
  const row = (well: number, badly: number, violation: number) => ({
    well,
    badly,
    violation,
  });
  // What nobody got to has no row.
  assertEquals(report.byFault, {
    one: row(2, 3, 1),
    odd: row(1, 1, 1),
    even: row(1, 2, 0),
  });
  assertEquals(Object.keys(report.meanMs), Object.keys(report.byFault));
  assertEquals(
    report.violations.map(({ plan, problems }) => [plan.trial, ...problems]),
    [[3, "the trial broke off: no"]],
  );
});

Deno.test("runCampaign() stops a mutant at its first violation", async () => {
  const mutants: unknown[] = [];
  const { suite } = fakeSuite({
    judge: (end) => ({ end: undefined, problems: [`ended ${end}`] }),
  });
  const { prepare } = suite;
  suite.prepare = (ground, stack) => {
    mutants.push(ground.mutant);
    return prepare(ground, stack);
  };
  const options = { ...OPTIONS, lanes: 1, mutant: "wrong" };
  const { trials, violations } = await runCampaign(suite, options);
  assertEquals([trials, violations[0]?.problems], [1, ["ended well"]]);
  assertEquals(mutants, [{ name: "wrong", file: "mutants.ts" }]);
  // Without one, it goes on.
  assertEquals((await runCampaign(suite, OPTIONS)).violations.length, 6);
});

Deno.test("runCampaign() begins no trial once its time is up", async () => {
  const { suite } = fakeSuite({ play: () => delay(40).then(() => "well") });
  const options = { ...OPTIONS, lanes: 1, budgetMs: 20 };
  assertEquals((await runCampaign(suite, options)).trials, 1);
});

Deno.test("runCampaign() reports what was done when it is aborted", async () => {
  const abort = new AbortController();
  const { suite, disposed } = fakeSuite({
    play(_, __, { trial }) {
      if (trial === 3) abort.abort();
      return Promise.resolve("well");
    },
  });
  const { signal } = abort;
  const report = await runCampaign(suite, { ...OPTIONS, lanes: 1, signal });
  assertEquals([report.trials, disposed], [2, ["lane-0"]]);
});

Deno.test("runCampaign() disposes of the lanes that started when another does not", async () => {
  const { suite, disposed } = fakeSuite();
  const { prepare } = suite;
  suite.prepare = async (ground, stack) => {
    const start = await prepare(ground, stack);
    return (name, kind) =>
      name === "lane-1" ? Promise.reject(new Error("no")) : start(name, kind);
  };
  await assertRejects(() => runCampaign(suite, OPTIONS), Error, "no");
  assertEquals(disposed.toSorted(), ["lane-0", "lane-2"]);
});

Deno.test("runCampaign() judges again what is known only later", async () => {
  const { suite } = fakeSuite({
    lateEvidence: (_, { trial }, end) => trial === 2 ? "badly" : end,
  });
  const { ends } = await runCampaign(suite, OPTIONS);
  assertEquals(ends, { well: 5, badly: 1 });
});

Deno.test("runCampaign() arms a trial's faults before it, and cuts what they hold after", async () => {
  const held = Promise.withResolvers<void>();
  let verdict: Promise<unknown> | undefined;
  const fault: Fault<FakeLane, Tools<FakeStage, Moment, typeof REPLICA>> = {
    name: "holds",
    detail: "",
    arm: (_, { at }) => at("first", () => held.promise),
  };
  const { suite } = fakeSuite({
    draw: (_, __, trial) => ({ trial, faults: [fault], way: "" }),
    play(_, stage) {
      verdict = stage.reach("first", REPLICA);
      return Promise.resolve("well");
    },
  });
  await runCampaign(suite, { ...OPTIONS, trials: [1] });
  assertEquals(await verdict, "cut");
  held.resolve();
});

Deno.test("Schedule: the nth from now on, and each that has nothing of its own", () => {
  const schedule = new Schedule<string>();
  schedule.add(2, "second");
  schedule.add(2, "too");
  assertEquals([schedule.next(), schedule.next()], [[], ["second", "too"]]);
  schedule.add(1, "third");
  schedule.add(0, "other");
  assertEquals([schedule.next(), schedule.next()], [["third"], ["other"]]);
  schedule.clear();
  assertEquals(schedule.next(), []);
});

Deno.test("Stage: a fault strikes whoever is the nth at its moment", async () => {
  const stage = new Stage<Moment, typeof REPLICA>();
  const { at, struck } = stage.tools(1);
  at("first", ({ id }) => ({ error: id }), 2);
  assertEquals(await stage.reach("first", REPLICA), "pass");
  assertEquals([...stage.struck], []);
  assertEquals(await stage.reach("second", REPLICA), "pass");
  assertEquals(await stage.reach("first", REPLICA), { error: "replica" });
  assertEquals([...stage.struck], [1]);
  stage.tools(0).struck();
  struck();
  assertEquals([...stage.struck], [1, 0]);
  assertEquals(stage.notes.map(({ what }) => what), [
    ...["replica first", "replica second", "replica first"],
  ]);
  at("second", () => "cut");
  stage.disarm();
  assertEquals(await stage.reach("second", REPLICA), "pass");
});

Deno.test("Stage: what a handler fails with is told to who settles", async () => {
  const stage = new Stage<Moment, typeof REPLICA>();
  stage.at("first", () => Promise.reject(new Error("no")));
  assertEquals(await stage.reach("first", REPLICA), "cut");
  await assertRejects(() => stage.settle(), Error, "no");
});

Deno.test("Stage: settle() waits for what begins meanwhile", async () => {
  const stage = new Stage<Moment, typeof REPLICA>();
  const done: string[] = [];
  let count = 0;
  stage.also(
    delay(5).then(() => {
      done.push("first");
      stage.also(delay(5).then(() => done.push("second")));
    }),
  );
  await stage.settle(() => {
    if (++count === 1) stage.also(delay(5).then(() => done.push("beside")));
    return Promise.resolve();
  });
  assertEquals(done.toSorted(), ["beside", "first", "second"]);
  assertEquals(count, 2);
});

Deno.test("createRandom() repeats its choices for a seed and a trial, and no others", () => {
  const draw = (seed: number, trial: number) => {
    const random = createRandom(seed, trial);
    return Array.from({ length: 50 }, () => random.next());
  };
  assertEquals(draw(1, 1), draw(1, 1));
  const first = [[1, 1], [1, 2], [2, 1], [2, 2]].map(([seed, trial]) =>
    draw(seed!, trial!)[0]
  );
  assertEquals(new Set(first).size, 4);
  const random = createRandom(3, 3);
  const some = Array.from({ length: 1_000 }, () => random.between(2, 4));
  assertEquals(new Set(some), new Set([2, 3, 4]));
  const picked = Array.from({ length: 1_000 }, () => random.pick(["a", "b"]));
  assertEquals(new Set(picked), new Set(["a", "b"]));
  const hits = some.filter(() => random.chance(0.2)).length;
  assert(hits > 100 && hits < 300, `${hits} of 1,000`);
});

/** The command with a suite of ours, which is called `post`. */
function chaos(
  args: readonly string[],
  suite: AnySuite = fakeSuite().suite,
  options: CallOptions = {},
): Promise<CommandRun> {
  return call(chaosOf({ post: suite }), args, options);
}

Deno.test("chaos prints what came of the trials, row by row", async () => {
  const { suite } = fakeSuite({
    draw: (_, __, trial) => ({ trial, faults: [], way: `way ${trial % 2}` }),
    play: (_, __, { trial }) => Promise.resolve(trial > 2 ? "badly" : "well"),
    servers: () => ({ nats: "real", redis: "embedded" }),
  });
  const { code, stdout, stderr } = await chaos(
    ["--trials", "4", "--seed", "9"],
    suite,
  );
  assertEquals([code, stderr], [0, ""]);
  assertEquals(
    stdout.replace(/in \d.\d s/, "in - s"),
    `
            well  badly  violation  mean
way 0       1     1      ·          0.0 s
way 1       1     1      ·          0.0 s
all trials  2     2      0

seed 9, 4 trials in - s, NATS real, Redis embedded
no violation
`,
  );
});

Deno.test("chaos exits with 1 and tells all of a trial that violates", async () => {
  const { suite } = fakeSuite({
    option: "--suite post ",
    draw: (_, __, trial) => ({
      trial,
      faults: [{ name: "one", detail: "deep", arm() {} }, {
        name: "other",
        detail: "",
        arm() {},
      }],
      way: "some way",
    }),
    judge: (end) => ({
      end: undefined,
      problems: [`it ended ${end}`, "twice"],
    }),
  });
  const { code, stdout, stderr } = await chaos(["--trials", "2"], suite);
  assertEquals(code, 1);
  const told = (trial: number) =>
    `VIOLATION in trial ${trial}: it ended well; twice
  one (deep) and other; some way
  well
`;
  assertEquals(stderr, told(1) + told(2));
  assertStringIncludes(
    stdout,
    "2 violations, in trials 1, 2; repeat one with --suite post --seed 1 --only TRIAL\n",
  );
});

Deno.test("chaos exits with 1 if 200 trials never end in one of the ways", async () => {
  const { code, stdout } = await chaos([]);
  assertEquals(code, 1);
  assertStringIncludes(stdout, "seed 1, 200 trials in ");
  assertStringIncludes(stdout, "never happened: badly\nno violation\n");
  assertEquals((await chaos(["--trials", "199"])).code, 0);
  assertEquals((await chaos(["--mutant", "wrong"])).code, 0);
});

Deno.test("chaos --only runs that one trial and tells all of it", async () => {
  const { code, stderr } = await chaos(["--only", "12"]);
  assertEquals([code, stderr], [0, "Trial 12: well\n  ; some way\n  well\n"]);
});

Deno.test("chaos --json prints the report and nothing else", async () => {
  const { code, stdout } = await chaos(["--json", "--seed", "3"]);
  assertEquals(code, 1);
  const { seed, trials, ends, violations, missing } = JSON.parse(stdout);
  assertEquals(
    { seed, trials, ends, violations, missing },
    {
      seed: 3,
      trials: 200,
      ends: { well: 200, badly: 0 },
      violations: [],
      missing: ["badly"],
    },
  );
});

Deno.test("chaos exits with 3 if the campaign itself fails", async () => {
  const { suite } = fakeSuite({
    prepare: () => Promise.reject(new Error("no platform")),
  });
  const { code, stderr } = await chaos([], suite);
  assertEquals(code, 3);
  assertMatch(stderr, /^error: The campaign failed: Error: no platform\n/);
});

Deno.test("chaos says what it did before it was stopped, and exits with 130", async () => {
  const abort = new AbortController();
  const { suite } = fakeSuite({
    play(_, __, { trial }) {
      if (trial === 4) abort.abort(new Stopped("SIGINT"));
      return Promise.resolve("well");
    },
  });
  const { code, stdout, stderr } = await chaos(["--lanes", "1"], suite, abort);
  assertEquals([code, stderr], [130, "stopped\n"]);
  assertStringIncludes(stdout, "3 trials in ");
});

const REFUSED: [args: string[], error: string][] = [
  [
    ["--suite", "fetch"],
    'There is no suite "fetch"; there are post, intake; see --help',
  ],
  [
    ["--mutant", "fresh-key"],
    'There is no mutant "fresh-key"; there are skip-claim, retry-unknown, drop-worse, send-equal; see --help',
  ],
  [
    ["--suite", "intake", "--mutant", "skip-claim"],
    'There is no mutant "skip-claim"; there are no-read-back, fresh-key, drop-on-error; see --help',
  ],
  [["--trials=-1"], "--trials takes a whole number; see --help"],
  [["--seed", "one"], "--seed takes a whole number; see --help"],
  [["--only", "1.5"], "--only takes a whole number; see --help"],
  [["--lanes", "x"], "--lanes takes a whole number; see --help"],
  [["post"], "Unexpected argument 'post'; see --help"],
];
for (const [args, error] of REFUSED) {
  Deno.test(`chaos refuses ${args.join(" ")}`, async () => {
    assertEquals(await call(main, args), {
      code: 2,
      stdout: "",
      stderr: `error: ${error}\n`,
    });
  });
}

Deno.test("chaos --embedded strikes posters on the embedded servers", async () => {
  const args = ["--embedded", "--trials", "2", "--lanes", "1", "--seed", "7"];
  const { code, stdout, stderr } = await call(main, args);
  assertEquals([code, stderr], [0, ""]);
  assertStringIncludes(stdout, "NATS embedded, Redis embedded\nno violation\n");
});

Deno.test("chaos --suite intake leaves no ingester behind when it is stopped", async () => {
  const abort = new AbortController();
  const ingesters = () =>
    processesWith("workers/ingester.ts", `chaos-${Deno.pid}`);
  const args = ["--suite", "intake", "--trials", "500", "--lanes", "1"];
  const running = call(main, args, abort);
  await until(
    "an ingester",
    async () => (await ingesters()).length > 0,
    30_000,
  );
  abort.abort(new Stopped("SIGINT"));
  const { code, stderr } = await running;
  assertEquals([code, stderr], [130, "stopped\n"]);
  assertEquals(await ingesters(), []);
});

Deno.test("deno task chaos leaves nothing behind when it is interrupted", async () => {
  // A seed of its own, by which it is told from other campaigns on this machine:
  // one that is mistaken for ours would have us interrupt ours before it listens.
  const seed = String(100_000_000 + Math.floor(Math.random() * 900_000_000));
  const child = startTask("chaos", ["--lanes", "1", "--seed", seed]);
  let id = 0;
  await until("the campaign", async () => {
    [id = 0] = await processesWith("tests/campaigns/chaos.ts", seed);
    return id;
  }, 30_000);
  const posters = () => processesWith("workers/poster.ts", `chaos-${id}`);
  await until("a poster", async () => (await posters()).length > 0, 30_000);
  child.kill("SIGINT");
  const { code, stderr } = await child.output();
  const said = new TextDecoder().decode(stderr);
  assert(said.endsWith("stopped\n"), said);
  assertEquals(code, 130);
  assertEquals(await posters(), []);
  await assertRejects(() => Deno.stat(`dist/chaos-${id}`));
});
