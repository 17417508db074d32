/**
 * The chaos campaign against posters: what it draws and how it judges.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type Evidence, judge } from "./chaos/post/oracle.ts";
import { POST } from "./chaos/post/suite.ts";
import { createRandom } from "./chaos/random.ts";

function draw(seed: number, trials: number) {
  return Array.from(
    { length: trials },
    (_, at) => POST.draw(createRandom(seed, at + 1), seed, at + 1),
  );
}

Deno.test("a post's trial is drawn the same for a seed and a number, and not for others", () => {
  const texts = (seed: number) =>
    draw(seed, 200).map(({ faults, way }) => JSON.stringify([faults, way]));
  assertEquals(texts(5), texts(5));
  assert(new Set(texts(5)).size > 80);
  assert(texts(5)[0] !== texts(6)[0]);
  const incidents = draw(5, 200).map(({ incidentId }) => incidentId);
  assertEquals(new Set(incidents).size, 200);
});

Deno.test("2,000 trials draw every fault and all that is done after a post", () => {
  const plans = draw(1, 2_000);
  const names = plans.flatMap(({ faults }) => faults.map(({ name }) => name));
  assertEquals(new Set(names).size, 45);
  assertEquals(new Set(plans.map(({ way }) => way)).size, 5);
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
