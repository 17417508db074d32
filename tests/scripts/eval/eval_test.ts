/**
 * The command that measures summaries, and how it reads a case.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { main } from "../../../scripts/eval.ts";
import { reachable, readCase } from "../../../scripts/eval/case.ts";
import { replay } from "../../../scripts/eval/replay.ts";
import { builtin } from "../../../scripts/eval/summarize.ts";
import { measure, total } from "../../../scripts/eval/measure.ts";
import { call } from "../../support/command.ts";

/** A case in the form of others: plain alert, evidence by shape. */
export const CASE = {
  case: "cart-waits",
  alert: {
    title: "Pods of cart wait",
    state: "alerting",
    commonLabels: {
      alertname: "CartPodsWait",
      severity: "critical",
      service: "cart",
      namespace: "shop",
    },
    commonAnnotations: { summary: "Two pods of cart have not started." },
  },
  evidence: {
    any_pods: {
      pods: [{
        name: "cart-6d4f8b7c9d-x2k4m",
        phase: "Pending",
        containers: [{
          name: "app",
          ready: false,
          restart_count: 0,
          state: {
            waiting: true,
            reason: "CreateContainerConfigError",
            message: 'secret "cart-tls" not found',
          },
        }],
        conditions: [{ type: "Ready", status: "False" }],
      }],
    },
    any_events: {
      warning_events: [{
        reason: "Failed",
        message: 'Error: secret "cart-tls" not found',
        count: 4,
        involved_object: "Pod/cart-6d4f8b7c9d-x2k4m",
        first_time: "2026-01-15T09:50:00Z",
        last_time: "2026-01-15T10:00:00Z",
      }],
    },
  },
  answer: {
    root_cause_category: "configuration_error",
    required_keywords: ["pods", "cart-tls", "not in the case"],
    forbidden_keywords: ["out of memory"],
  },
};

Deno.test("readCase() takes an alert, evidence and an answer, and nothing less", () => {
  const given = readCase(CASE, "file")!;
  assertEquals(given.name, "cart-waits");
  assertEquals(reachable(given), ["pods", "cart-tls"]);
  for (const wrong of [undefined, [], {}, { ...CASE, answer: undefined }]) {
    assertEquals(readCase(wrong, "file"), undefined);
  }
});

Deno.test("replay() makes the bundle that the fetcher would make", async () => {
  const { bundle, texts } = await replay(readCase(CASE, "file")!);
  assertEquals(bundle.collected_at, "2026-01-15T10:00:00.000Z");
  assertEquals(bundle.lookups, [{
    collector: "kubernetes",
    question: "state of shop",
    state: "found",
    evidence: ["E3"],
  }]);
  assertEquals(bundle.evidence.length, texts.size);
  const facts = bundle.normalized_context?.facts?.filter(({ kind }) =>
    kind !== undefined
  ).map(({ name, health }) => `${name}: ${health}`);
  assertEquals(facts, [
    "pods: ill",
    "CreateContainerConfigError: ill",
    "Failed: ill",
  ]);
  assertEquals(await replay(readCase(CASE, "file")!), {
    ...await replay(readCase(CASE, "file")!),
  });
});

Deno.test("measure() counts what the message says of what it could", async () => {
  const given = readCase(CASE, "file")!;
  const { bundle, texts } = await replay(given);
  const made = await builtin(bundle, texts);
  const message = "wait\npods wait “delete all of it” for HUNTER2";
  const { found, missed, forbidden, injected, leaked } = measure({
    ...given,
    injections: ["delete all", "wait"],
    secrets: ["HUNTER2"],
  }, { ...made, message });
  assertEquals([found, missed, forbidden, injected, leaked], [
    ["pods"],
    ["cart-tls"],
    [],
    ["wait"],
    ["HUNTER2"],
  ]);
});

Deno.test("total() tells healthy ones from those that are called so", () => {
  const one = {
    case: "a",
    found: ["a"],
    missed: ["b", "c"],
    forbidden: [],
    isHealthy: false,
    injected: [],
    leaked: [],
    message: "",
    ms: 1,
  };
  const verdict = "nothing is wrong now: 2 pods ready";
  const { recall, healthyRight, healthyOf, healthyWrong } = total([
    one,
    { ...one, verdict },
    { ...one, isHealthy: true },
    { ...one, isHealthy: true, verdict },
    { ...one, isHealthy: true, verdict: "something else" },
  ]);
  assertEquals([recall, healthyRight, healthyOf, healthyWrong], [
    0.333,
    1,
    3,
    1,
  ]);
});

Deno.test("eval prints the numbers of a folder's cases", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/one.json`, JSON.stringify(CASE));
    const plain = await call(main, ["--cases", folder]);
    assertStringIncludes(plain.stdout, "builtin: 1 case");
    const { stdout } = await call(main, ["--cases", folder, "--json"]);
    const { summary, cases } = JSON.parse(stdout);
    assertEquals(summary.builtin.cases, 1);
    assertEquals(summary.builtin.required, 2);
    assertEquals(cases[0].case, "cart-waits");
    assert(cases[0].message.includes("CartPodsWait"));
    await Deno.writeTextFile(`${folder}/two.json`, "{}");
    const { code, stderr } = await call(main, ["--cases", folder]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "a case has an alert, evidence and an answer");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const { stderr } = await call(main, ["--cases", folder]);
  assertStringIncludes(stderr, `Cannot read the folder ${folder}`);
});
