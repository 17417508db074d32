import { assertEquals } from "@std/assert";
import type { Lookup, NormalizedContext } from "../../../lib/incident.ts";
import { changes } from "../../../lib/summary/rules/changes.ts";
import { alertsOf, group, textsOf } from "./support.ts";

const entry = (minute: string, text: string, kind?: "change" | "alert") => ({
  at: `2026-03-04T07:${minute}:00.000Z`,
  text,
  ...kind && { kind },
  evidence: ["E2"],
});
const START = { occurred_at: "2026-03-04T08:00:00.000Z" };

const TOLD: readonly [what: string, NormalizedContext, texts: string[]][] = [
  ["nothing without a start", { timeline: [entry("50", "Deployed")] }, []],
  ["changes before the start, the newest first", {
    ...START,
    timeline: [
      entry("50", "Deployed cart 2", "change"),
      entry("56", "Merged #7", "change"),
      {
        ...entry("59", "Deployed cart 3", "change"),
        at: "2026-03-04T08:01:00Z",
      },
    ],
  }, [
    "07:56:00, 4 min before: “Merged #7”",
    "07:50:00, 10 min before: “Deployed cart 2”",
  ]],
  ["no alert about a deployment", {
    ...alertsOf([group()]),
    timeline: [
      entry("50", "KubeDeploymentReplicasMismatch fired"),
      entry("51", "config of release is ill", "alert"),
    ],
  }, []],
  ["what a sender without kinds calls a deployment", {
    ...START,
    timeline: [entry("50", "Deployed cart 2"), entry("51", "Disk full")],
  }, ["07:50:00, 10 min before: “Deployed cart 2”"]],
];
for (const [what, context, texts] of TOLD) {
  Deno.test(`changes tells ${what}`, () => {
    assertEquals(textsOf(changes, context), texts);
  });
}

Deno.test("changes tells that there is none where it was asked for", () => {
  const lookup = (
    collector: string,
    question: string,
    state: Lookup["state"],
  ) => ({
    collector,
    question,
    state,
  });
  const lookups = [
    lookup("github", "deployments of cart", "nothing"),
    lookup("kubernetes", "rollouts of cart", "found"),
    lookup("grafana", "annotations", "failed"),
    lookup("loki", "errors", "nothing"),
  ];
  assertEquals(textsOf(changes, START, { lookups }), [
    "No change found before it began, in GitHub and Kubernetes",
  ]);
});
