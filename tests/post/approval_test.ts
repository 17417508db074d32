import { assertEquals, assertThrows } from "@std/assert";
import { JobError } from "../../lib/base/errors.ts";
import { readApproval } from "../../lib/post/approval.ts";

type JobRecord = Record<string, unknown>;

const JOB = {
  id: "598b2858-9635-44b3-a7be-2d4786130934:post@1",
  topic: "job.incident-enricher.post",
  tenantId: "default",
};
const HASH = "5e3c6d079dc4eda6b349a18bd90d41bf6735fdaf7d7ab0ad8d505b65554bd7ba";

/** As Cordum of 2026-01-15 reports a job that waits for its approval. */
const WAITING: JobRecord = {
  actor_id: "",
  actor_type: "",
  approval_ref: JOB.id,
  approval_required: false, // Always, whatever the truth.
  attempts: 0,
  capability: "incident.post",
  context_ptr: `redis://ctx:${JOB.id}`,
  id: JOB.id,
  idempotency_key: "",
  labels: {
    run_id: "598b2858-9635-44b3-a7be-2d4786130934",
    step_id: "post",
    workflow_id: "incident-enricher.enrich",
  },
  pack_id: "incident-enricher",
  requires: ["slack:webhook"],
  result_ptr: "",
  risk_tags: ["network", "write"],
  run_id: "598b2858-9635-44b3-a7be-2d4786130934",
  safety_constraints: null,
  safety_decision: "REQUIRE_APPROVAL",
  safety_job_hash: HASH,
  safety_reason: "Posting externally requires explicit approval",
  safety_remediations: null,
  safety_rule_id: "incident-enricher-require-approval-post",
  safety_snapshot: "0a64de60|cfg:65a27eac",
  state: "APPROVAL_REQUIRED",
  step_id: "post",
  tenant: "default",
  topic: JOB.topic,
  trace_id: "598b2858-9635-44b3-a7be-2d4786130934",
  workflow_id: "incident-enricher.enrich",
};

const DECIDED: JobRecord = {
  approval_at: 1_795_366_314_613_889,
  approval_job_hash: HASH,
  approval_policy_snapshot: "0a64de60|cfg:65a27eac",
};

/** The same once it is approved and at work, the approver not named. */
const APPROVED: JobRecord = {
  ...WAITING,
  ...DECIDED,
  approval_ref: "",
  labels: {
    ...WAITING["labels"] as JobRecord,
    approval_granted: "true",
    "cordum.bus_msg_id": "approval:eaee7627-a166-4085-a82e-b22889083b4c",
  },
  safety_decision: "ALLOW",
  safety_reason: "approval granted",
  state: "RUNNING",
};

/** The same on Cordum 1.0, which says more. */
const APPROVED_1_0: JobRecord = {
  ...APPROVED,
  approval_by: "static:8254c329a928",
  approval_role: "admin",
  approval_decision: "approve",
  approval_status: "approved",
  context: { incident: { incident_id: "mock:1" } },
};

/** Approved while no poster could take it: it waits again, as before. */
const BOUNCED: JobRecord = {
  ...WAITING,
  ...DECIDED,
  labels: APPROVED["labels"],
};

const REJECTED: JobRecord = {
  ...WAITING,
  ...DECIDED,
  approval_by: "bob",
  approval_reason: "not tonight",
  approval_role: "admin",
  error_code: "approval_rejected",
  error_message: "not tonight",
  error_status: "JOB_STATUS_DENIED",
  last_state: "DENIED",
  state: "DENIED",
};

/** Posted between the installation of the pack and the reload of its policy. */
const NEVER_ASKED: JobRecord = {
  ...WAITING,
  approval_ref: "",
  safety_decision: "ALLOW",
  safety_job_hash: "",
  safety_reason: "",
  safety_rule_id: "legacy:default:allow:1",
  state: "RUNNING",
};

const ACCEPTED: {
  what: string;
  record: JobRecord;
  by?: string;
  at?: string;
}[] = [
  { what: "as Cordum of 2026-01-15 reports it", record: APPROVED },
  {
    what: "as Cordum 1.0 reports it",
    record: APPROVED_1_0,
    by: "static:8254c329a928",
  },
  { what: "scheduled", record: { ...APPROVED, state: "SCHEDULED" } },
  { what: "dispatched", record: { ...APPROVED, state: "DISPATCHED" } },
  {
    what: "approved by somebody with blanks around",
    record: { ...APPROVED, approval_by: " ada \n" },
    by: "ada",
  },
  {
    what: "approved by somebody with a very long name",
    record: { ...APPROVED, approval_by: "a".repeat(10_000) },
    by: "a".repeat(300),
  },
  ...["", "  ", null, 7, { name: "ada" }, ["ada"]].map((by) => ({
    what: `approved by ${JSON.stringify(by)}`,
    record: { ...APPROVED, approval_by: by },
  })),
  {
    what: "approved in the first microsecond of 1970",
    record: { ...APPROVED, approval_at: 1 },
    at: "1970-01-01T00:00:00.000Z",
  },
  {
    what: "approved in the last second of 9999",
    record: { ...APPROVED, approval_at: 253_402_300_799_000_000 },
    at: "9999-12-31T23:59:59.000Z",
  },
  {
    what: "of a platform that reports no tenant",
    record: { ...APPROVED, tenant: "" },
  },
];

for (const { what, record, by, at } of ACCEPTED) {
  Deno.test(`readApproval() says who released a job that is ${what}`, () => {
    assertEquals(readApproval(record, JOB), {
      by: by ?? "not recorded",
      at: at ?? "2026-11-22T16:51:54.613Z",
      ruleId: "incident-enricher-require-approval-post",
    });
  });
}

const ANOTHER_JOB = "the record belongs to another job";
const ANOTHER_TOPIC = "the record belongs to another topic";
const ANOTHER_TENANT = "the record belongs to another tenant";
const ANOTHER_INPUT = "the record names another input";
const NO_REASON = "the safety decision does not rest on an approval";
const NO_YES = "the recorded decision is not to approve";
const NO_TIME = "no time of approval is recorded";
const NO_HASH = "no hash of what was approved is recorded";
const ANOTHER_HASH = "the job is not the one that was approved";

function state(word: string): string {
  return `the job's state is ${word}, expected one of SCHEDULED, DISPATCHED, RUNNING`;
}

function decision(word: string): string {
  return `the safety decision is ${word}, expected ALLOW`;
}

const REFUSED: { what: string; record: JobRecord; why: string }[] = [
  { what: "waits", record: WAITING, why: state("APPROVAL_REQUIRED") },
  { what: "bounced", record: BOUNCED, why: state("APPROVAL_REQUIRED") },
  {
    what: "bounced and was not yet put back",
    record: { ...BOUNCED, state: "PENDING" },
    why: state("PENDING"),
  },
  {
    what: "bounced, in a state that a poster sees",
    record: { ...BOUNCED, state: "RUNNING" },
    why: decision("REQUIRE_APPROVAL"),
  },
  { what: "was rejected", record: REJECTED, why: state("DENIED") },
  {
    what: "was rejected, in a state that a poster sees",
    record: { ...REJECTED, state: "RUNNING" },
    why: decision("REQUIRE_APPROVAL"),
  },
  { what: "nobody was asked about", record: NEVER_ASKED, why: NO_REASON },
  {
    what: "carries the label alone",
    record: { ...NEVER_ASKED, labels: APPROVED["labels"] },
    why: NO_REASON,
  },
  {
    what: "carries the label and the words of an approval alone",
    record: {
      ...NEVER_ASKED,
      labels: APPROVED["labels"],
      safety_reason: "approval granted",
    },
    why: NO_TIME,
  },
  { what: "has no record at all", record: {}, why: ANOTHER_JOB },
  ...changed("id", ANOTHER_JOB, [`${JOB.id}0`, "", undefined, null, [JOB.id]]),
  ...changed("topic", ANOTHER_TOPIC, ["job.default", "", undefined]),
  ...changed("tenant", ANOTHER_TENANT, ["acme", ["default"]]),
  ...changed("context_ptr", ANOTHER_INPUT, [
    "redis://ctx:other:post@1",
    `redis://other/ctx:${JOB.id}`,
    `redis://art:${JOB.id}`,
    "",
    undefined,
  ]),
  ...["SUCCEEDED", "FAILED", "CANCELLED", "TIMEOUT", "DENIED", "QUARANTINED"]
    .map((word) => ({
      what: `is ${word} already`,
      record: { ...APPROVED, state: word },
      why: state(word),
    })),
  ...changed("state", state("not set"), [undefined, "", "running", 3, [
    "RUNNING",
  ]]),
  ...["DENY", "THROTTLE", "ALLOW_WITH_CONSTRAINTS", "REQUIRE_APPROVAL"]
    .flatMap((word) => changed("safety_decision", decision(word), [word])),
  ...changed("safety_decision", decision("not set"), ["allow", "", true]),
  ...changed("safety_reason", NO_REASON, [
    "",
    undefined,
    "Approval granted",
    "approval granted by default",
  ]),
  ...changed("approval_decision", NO_YES, ["reject", "approved", "", null]),
  ...changed("approval_at", NO_TIME, [
    undefined,
    null,
    0,
    -1,
    "1795366314613889",
    true,
    NaN,
    Infinity,
    1e300,
    253_402_300_800_000_000,
  ]),
  ...changed("approval_job_hash", NO_HASH, ["", undefined, null, 7]),
  ...changed("approval_job_hash", ANOTHER_HASH, [HASH.toUpperCase(), "5e3c"]),
  ...changed("safety_job_hash", ANOTHER_HASH, ["", undefined, "0".repeat(64)]),
  {
    what: "has two empty hashes, which are equal",
    record: { ...APPROVED, approval_job_hash: "", safety_job_hash: "" },
    why: NO_HASH,
  },
  {
    what: "has no hash at all, twice",
    record: {
      ...APPROVED,
      approval_job_hash: undefined,
      safety_job_hash: undefined,
    },
    why: NO_HASH,
  },
  {
    what: "says in its state what must not be repeated",
    record: { ...APPROVED, state: "https://hooks.slack.com/services/x" },
    why: state("not set"),
  },
];

/** The approved job with one field changed, once for each value. */
function changed(field: string, why: string, values: unknown[]) {
  return values.map((value) => ({
    what: `has ${field} ${
      JSON.stringify(value) ?? "left out"
    } (${typeof value})`,
    record: { ...APPROVED_1_0, [field]: value },
    why,
  }));
}

for (const { what, record, why } of REFUSED) {
  Deno.test(`readApproval() refuses a job that ${what}`, () => {
    const error = assertThrows(() => readApproval(record, JOB), JobError);
    assertEquals(
      [error.code, error.retryable, error.message],
      [
        "NOT_APPROVED",
        false,
        `Cannot post without a recorded approval: ${why}`,
      ],
    );
  });
}
