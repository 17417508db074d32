import { assertEquals, assertThrows } from "@std/assert";
import { JobError } from "../../lib/base/errors.ts";
import {
  ARTIFACT_BYTES_MAX,
  readConstraints,
  readRecordedConstraints,
  stricter,
} from "../../lib/platform/constraints.ts";

const NONE = {
  redactionLevel: "standard",
  artifactBytesMax: ARTIFACT_BYTES_MAX,
  networkAllowlist: undefined,
  runtimeMsMax: undefined,
} as const;

Deno.test("readConstraints() is the default where policy says nothing", () => {
  assertEquals(readConstraints({}), NONE);
  assertEquals(readConstraints({ CORETEX_POLICY_CONSTRAINTS: "{}" }), NONE);
});

for (const prefix of ["CORETEX_", "CORDUM_"]) {
  Deno.test(`readConstraints() reads protojson under the prefix ${prefix}`, () => {
    const document =
      '{"budgets":{"maxRuntimeMs":"60000", "maxRetries":2, "maxArtifactBytes":"1048576"}, ' +
      '"sandbox":{"isolated":true, "networkAllowlist":["api.example.com:443"]}, ' +
      '"toolchain":{}, "diff":{}, "redactionLevel":"strict"}';
    assertEquals(
      readConstraints({ [`${prefix}POLICY_CONSTRAINTS`]: document }),
      {
        redactionLevel: "strict",
        artifactBytesMax: 1_048_576,
        networkAllowlist: ["api.example.com:443"],
        runtimeMsMax: 60_000,
      },
    );
  });
}

Deno.test("readConstraints() takes the smaller artifact limit of the two that are given", () => {
  const both = (document: string, single: string) =>
    readConstraints({
      CORDUM_POLICY_CONSTRAINTS:
        `{"budgets":{"maxArtifactBytes":"${document}"}}`,
      CORDUM_MAX_ARTIFACT_BYTES: single,
    }).artifactBytesMax;
  assertEquals(both("10", "20"), 10);
  assertEquals(both("20", "10"), 10);
  assertEquals(both("0", "0"), ARTIFACT_BYTES_MAX, "0 means none");
  assertEquals(
    both(String(ARTIFACT_BYTES_MAX * 2), ""),
    ARTIFACT_BYTES_MAX,
    "our own bound stays",
  );
});

Deno.test("readConstraints() takes the stricter redaction level of the two that are given", () => {
  const both = (document: string, single: string) =>
    readConstraints({
      CORETEX_POLICY_CONSTRAINTS: `{"redactionLevel":"${document}"}`,
      CORETEX_REDACTION_LEVEL: single,
    }).redactionLevel;
  assertEquals(both("none", "none"), "none");
  assertEquals(both("none", "full"), "full");
  assertEquals(both("strict", "standard"), "strict");
  assertEquals(both("", " Strict "), "strict");
});

const INVALID: [string, Record<string, string>, string][] = [
  [
    "text that is no JSON",
    { CORETEX_POLICY_CONSTRAINTS: "{" },
    "POLICY_CONSTRAINTS: expected JSON",
  ],
  [
    "a list",
    { CORETEX_POLICY_CONSTRAINTS: "[]" },
    "POLICY_CONSTRAINTS: expected an object",
  ],
  [
    "null",
    { CORETEX_POLICY_CONSTRAINTS: "null" },
    "POLICY_CONSTRAINTS: expected an object",
  ],
  [
    "budgets that are text",
    { CORDUM_POLICY_CONSTRAINTS: '{"budgets":"1"}' },
    "budgets: expected an object",
  ],
  [
    "a limit that is no number",
    { CORDUM_POLICY_CONSTRAINTS: '{"budgets":{"maxArtifactBytes":"lots"}}' },
    "budgets.maxArtifactBytes: expected a whole number",
  ],
  [
    "a negative limit",
    { CORDUM_POLICY_CONSTRAINTS: '{"budgets":{"maxArtifactBytes":-1}}' },
    "budgets.maxArtifactBytes: expected a whole number",
  ],
  [
    "an allow-list of numbers",
    { CORDUM_POLICY_CONSTRAINTS: '{"sandbox":{"networkAllowlist":[1]}}' },
    "sandbox.networkAllowlist: expected a list of strings",
  ],
  [
    "a level that nobody knows",
    { CORETEX_REDACTION_LEVEL: "paranoid" },
    "REDACTION_LEVEL: expected one of none, standard, strict, full",
  ],
  [
    "a limit that is no number",
    { CORETEX_MAX_ARTIFACT_BYTES: "1e3" },
    "MAX_ARTIFACT_BYTES: expected a whole number",
  ],
];

for (const [what, env, expected] of INVALID) {
  Deno.test(`readConstraints() fails the job for ${what}, ${Object.keys(env)[0]}`, () => {
    const error = assertThrows(() => readConstraints(env), JobError);
    assertEquals(error.code, "JOB_CONSTRAINTS_INVALID");
    assertEquals(
      error.message,
      `Cannot read the policy's constraint ${expected}`,
    );
  });
}

Deno.test("readRecordedConstraints() reads what the gateway's record says", () => {
  assertEquals(
    readRecordedConstraints({
      safety_constraints: {
        budgets: { max_artifact_bytes: 1000, max_runtime_ms: 60_000 },
        sandbox: { network_allowlist: ["hooks.slack.com"] },
        redaction_level: "strict",
      },
    }),
    {
      redactionLevel: "strict",
      artifactBytesMax: 1000,
      networkAllowlist: ["hooks.slack.com"],
      runtimeMsMax: 60_000,
    },
  );
  for (const record of [{}, { safety_constraints: null }]) {
    assertEquals(readRecordedConstraints(record), readConstraints({}));
  }
});

Deno.test("readRecordedConstraints() refuses what it cannot read", () => {
  for (
    const safety_constraints of [
      "none",
      [],
      { budgets: { max_artifact_bytes: -1 } },
      { sandbox: { network_allowlist: "hooks.slack.com" } },
      { redaction_level: "some" },
    ]
  ) {
    const error = assertThrows(
      () => readRecordedConstraints({ safety_constraints }),
      JobError,
    );
    assertEquals(error.code, "JOB_CONSTRAINTS_INVALID");
  }
});

Deno.test("stricter() satisfies both", () => {
  const [a, b] = [
    {
      redactionLevel: "none",
      artifactBytesMax: 5,
      networkAllowlist: ["a", "b"],
      runtimeMsMax: undefined,
    },
    {
      redactionLevel: "full",
      artifactBytesMax: 9,
      networkAllowlist: ["b", "c"],
      runtimeMsMax: 7,
    },
  ] as const;
  const both = {
    redactionLevel: "full",
    artifactBytesMax: 5,
    networkAllowlist: ["b"],
    runtimeMsMax: 7,
  } as const;
  assertEquals(stricter(a, b), both);
  assertEquals(stricter(b, a), both);
  const free = { ...a, networkAllowlist: undefined };
  assertEquals(stricter(free, b).networkAllowlist, ["b", "c"]);
  assertEquals(stricter(a, free).networkAllowlist, ["a", "b"]);
  assertEquals(stricter(free, free).networkAllowlist, undefined);
});
