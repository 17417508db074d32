/**
 * The chaos campaign against posters: what it draws and how it judges.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Behaviour } from "../../deploy/standins/slack.ts";
import type { Severity } from "../../lib/incident.ts";
import { outranks, type PostSeverity } from "../../lib/post/severity.ts";
import { judge, type Sent } from "./chaos/post/oracle.ts";
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
    draw(seed, 200).map(({ incidentId: _, ...plan }) => JSON.stringify(plan));
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
  assertEquals(new Set(plans.map(({ way }) => way)).size, 6);
  const rises = plans.filter(({ before, severity }) =>
    before !== undefined && outranks(severity, before)
  );
  assert(rises.length > 100, `${rises.length} rise above what was posted`);
});

const CLAIM = {
  type: "claim",
  token: "A",
  severity: "warning",
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
/** Another run's message, which is worse. */
const WORSE_CLAIM = { ...CLAIM, token: "B", severity: "critical" };
const WORSE_POSTED = { ...POSTED, token: "B" };
const WORSE_REFUSED = { ...REFUSED, token: "B" };
const update = (severity: PostSeverity, isUpdate = true): Sent => ({
  severity,
  isUpdate,
  behaviour: OK,
});

const JUDGED: Readonly<
  Record<string, {
    before?: Severity;
    /** Those that are not described are as warning. */
    requests?: (Behaviour | Sent)[];
    record?: unknown[];
    severity?: PostSeverity;
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
    expected: "Slack got a message as warning after one as warning",
  },
  "posted once, and perhaps once before": {
    requests: [{ status: 500 }, "slack"],
    record: [CLAIM, POSTED],
    expected: "Slack got a message as warning after one as warning",
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
    expected:
      "Slack got a message as warning, and the record would allow another",
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
  "signed, and refused for want of a signature": {
    job: ["FAILED", "NOT_APPROVED"],
    expected: "job r:post@1 was approved and signed, yet refused: m",
  },
  "on record, and never sent": {
    record: [CLAIM, POSTED],
    expected:
      "the record says posted as warning, and Slack got no such message",
  },
  "posted, and updated": {
    requests: [OK, update("critical")],
    record: [CLAIM, POSTED, WORSE_CLAIM, WORSE_POSTED],
    severity: "critical",
    expected: "updated",
  },
  "posted before, and updated": {
    before: "warning",
    requests: [update("critical")],
    record: [CLAIM, POSTED, WORSE_CLAIM, WORSE_POSTED],
    severity: "critical",
    expected: "updated",
  },
  "posted before, and no worse": {
    before: "warning",
    record: [CLAIM, POSTED],
    expected: "posted",
  },
  "posted before, and refused": {
    before: "warning",
    requests: [{ ...update("critical"), behaviour: { status: 404 } }],
    record: [CLAIM, POSTED, WORSE_CLAIM, WORSE_REFUSED],
    severity: "critical",
    job: ["FAILED", "POST_REFUSED"],
    expected: "refused",
  },
  "posted before, and in doubt": {
    before: "warning",
    requests: [{ ...update("critical"), behaviour: "never answer" }],
    record: [CLAIM, POSTED, WORSE_CLAIM],
    severity: "critical",
    job: ["FAILED", "POST_IN_DOUBT"],
    expected: "in doubt",
  },
  "posted before, and dropped": {
    before: "warning",
    record: [CLAIM, POSTED],
    severity: "critical",
    expected: "job r:post@1 succeeded as critical, and only warning was sent",
  },
  "posted before, and sent again": {
    before: "warning",
    requests: [update("warning")],
    record: [CLAIM, POSTED],
    expected: "Slack got a message as warning after one as warning",
  },
  "posted before, and sent as of unknown severity": {
    before: "info",
    requests: [update("unknown")],
    record: [{ ...CLAIM, severity: "info" }, POSTED],
    severity: "unknown",
    expected: "Slack got a message as unknown after one as info",
  },
  "posted before, and not worded as an update": {
    before: "warning",
    requests: [update("critical", false)],
    record: [CLAIM, POSTED, WORSE_CLAIM, WORSE_POSTED],
    severity: "critical",
    expected: "Slack got a message as critical that names none before it",
  },
  "posted for the first time as an update": {
    requests: [update("warning")],
    record: [CLAIM, POSTED],
    expected: "Slack got a message as warning as an update of nothing",
  },
  "updated, with the record back at what it was": {
    before: "warning",
    requests: [update("critical")],
    record: [CLAIM, POSTED, WORSE_CLAIM, WORSE_REFUSED],
    severity: "critical",
    job: ["FAILED", "POST_REFUSED"],
    expected:
      "Slack got a message as critical, and the record would allow another",
  },
  "on record as another": {
    requests: [OK],
    record: [{ ...CLAIM, severity: "critical" }, POSTED],
    expected:
      "the record says posted as critical, and Slack got no such message",
  },
  "posted, with its claim lost with all of Redis": {
    requests: [OK],
    record: [POSTED],
    lostData: true,
    expected: "posted",
  },
  "on record without a claim, and never sent": {
    record: [POSTED],
    lostData: true,
    expected:
      "the record says posted as critical, and Slack got no such message",
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
    expected: "Slack got a message as warning after one as warning",
  },
};

for (const [what, { expected, ...facts }] of Object.entries(JUDGED)) {
  Deno.test(`judge() says of an incident ${what}: ${expected}`, () => {
    const { requests = [], record = [], lostData = false } = facts;
    const { before, severity = "warning" } = facts;
    const [state, code] = facts.job ?? ["SUCCEEDED", ""];
    const { end, problems } = judge({
      before,
      requests: requests.map((one) =>
        typeof one === "object" && "behaviour" in one
          ? one
          : { severity: "warning", isUpdate: false, behaviour: one }
      ),
      record: record.map((event) => JSON.stringify(event)),
      jobs: [{ jobId: "r:post@1", severity, state, code, message: "m" }],
      lostData,
    });
    assertEquals(end ?? problems.join("; "), expected);
  });
}
