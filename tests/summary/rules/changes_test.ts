import { assertEquals } from "@std/assert";
import type { Change } from "../../../lib/collected.ts";
import type {
  Lookup,
  NormalizedContext,
  TimelineEntry,
} from "../../../lib/incident.ts";
import { changes } from "../../../lib/summary/rules/changes.ts";
import { alertsOf, group, textsOf } from "./support.ts";

const entry = (minute: string, text: string, kind?: "change" | "alert") => ({
  at: `2026-03-04T07:${minute}:00.000Z`,
  text,
  ...kind && { kind },
  evidence: ["E2"],
});
const made = (
  minute: string,
  change: Change,
  evidence = "E2",
  text = "told in a sentence",
): TimelineEntry => ({
  ...entry(minute, text, "change"),
  change,
  evidence: [evidence],
});
const START = { occurred_at: "2026-03-04T08:00:00.000Z" };
const CART = { ...START, service: "cart" };
const DEPLOYED: Change = {
  what: "deployment",
  of: "cart",
  version: "v2.1.0",
  where: "production",
  by: "ada",
  state: "success",
};

const TOLD: readonly [what: string, NormalizedContext, texts: string[]][] = [
  ["nothing without a start", { timeline: [entry("50", "Deployed")] }, []],
  ["changes before the start, the nearest first", {
    ...START,
    timeline: [
      entry("50", "Deployed cart 2", "change"),
      entry("56", "Merged #7", "change"),
      {
        ...entry("59", "Deployed cart 3", "change"),
        at: "2026-03-04T08:00:00.001Z",
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
  ["a deployment in its parts", {
    ...CART,
    timeline: [made("56", { ...DEPLOYED, says: "2 commits: a (ada); b (bo)" })],
  }, [
    "07:56:00, 4 min before: cart v2.1.0 deployed to production by ada: “2 commits: a; b (bo)”",
  ]],
  ["that a deployment failed", {
    ...CART,
    timeline: [made("56", { ...DEPLOYED, state: "failure" })],
  }, [
    "07:56:00, 4 min before: cart v2.1.0 deployed to production by ada, which failed",
  ]],
  ["rollouts, rollbacks, restarts and merges in their parts", {
    ...CART,
    timeline: [
      made("56", {
        what: "rollout",
        of: "cart",
        version: "cart 2.0 → 2.1",
        where: "shop",
        by: "helm",
      }),
      made("50", { what: "rollback", of: "cart", where: "shop" }),
      made("49", { what: "restart", of: "cart", where: "shop", by: "kubectl" }),
    ],
  }, [
    "07:56:00, 4 min before: cart rolled out in shop, “cart 2.0 → 2.1” by helm",
    "07:50:00, 10 min before: cart rolled back in shop",
    "07:49:00, 11 min before: cart restarted in shop by kubectl",
  ]],
  ["a merge, a flag and a maintenance", {
    ...CART,
    timeline: [
      made("56", {
        what: "merge",
        of: "cart",
        version: "#7",
        by: "ada",
        says: "Retry",
      }),
      made("50", {
        what: "flag",
        of: "cart",
        by: "flags",
        says: "new-cart is on",
      }),
      made("49", { what: "maintenance", of: "cart", says: "Work on cart" }),
    ],
  }, [
    "07:56:00, 4 min before: #7 merged into cart by ada: “Retry”",
    "07:50:00, 10 min before: “new-cart is on” on cart, from flags",
    "07:49:00, 11 min before: “Work on cart”",
  ]],
  ["nothing in our voice that others may have written", {
    ...CART,
    timeline: [made("56", {
      what: "deployment",
      of: "cart. All is well",
      version: "1 [E1]",
      by: "x: “y”",
    })],
  }, [
    '07:56:00, 4 min before: “cart. All is well” “1 (E1)” deployed by “x: "y"”',
  ]],
  ["what concerns the subject before what is nearer", {
    ...CART,
    timeline: [
      made("57", { what: "rollout", of: "mail", where: "shop" }),
      made("48", { what: "rollout", of: "cart", where: "shop" }),
      made("10", { what: "restart", of: "cart", where: "shop" }),
    ],
  }, [
    "07:48:00, 12 min before: cart rolled out in shop",
    "07:57:00, 3 min before: mail rolled out in shop",
    "07:10:00, 50 min before: cart restarted in shop",
  ]],
  ["no merge that its deployment brought", {
    ...CART,
    timeline: [
      made("40", { what: "merge", of: "cart", version: "#7", says: "Retry" }),
      made("41", { what: "merge", of: "cart", version: "#77", says: "Wait" }),
      made("56", { ...DEPLOYED, says: "1 commit: #7 Retry (ada)" }),
    ],
  }, [
    "07:56:00, 4 min before: cart v2.1.0 deployed to production by ada: “1 commit: #7 Retry”",
    "07:41:00, 19 min before: #77 merged into cart: “Wait”",
  ]],
];
for (const [what, context, texts] of TOLD) {
  Deno.test(`changes tells ${what}`, () => {
    assertEquals(textsOf(changes, context), texts);
  });
}

const SYSTEMS = ["github", "kubernetes", "pagerduty"].map((
  collector,
  at,
): Lookup => ({
  collector,
  question: "q",
  state: "found",
  evidence: [`E${at + 1}`],
}));

Deno.test("changes tells one deployment once, whoever tells of it", () => {
  const timeline = [
    made(
      "55",
      { what: "rollout", of: "cart-api", where: "shop" },
      "E2",
      "cart-api 2.1.0",
    ),
    made("56", DEPLOYED, "E1", "deployed v2.1.0"),
    made("57", { what: "deployment", of: "cart", says: "x" }, "E3", "x"),
    made(
      "57",
      { what: "rollout", of: "mail", where: "shop" },
      "E2",
      "mail 2.1",
    ),
  ];
  assertEquals(
    textsOf(changes, { ...CART, timeline }, { lookups: SYSTEMS }),
    [
      "07:55:00, 5 min before: cart v2.1.0 deployed to production by ada (also in Kubernetes and PagerDuty)",
      "07:57:00, 3 min before: mail rolled out in shop",
    ],
  );
});

Deno.test("changes tells two of one system, and two that are far apart, twice", () => {
  const both = (first: string, second: string, evidence: string) =>
    textsOf(changes, {
      ...CART,
      timeline: [
        made(first, DEPLOYED, "E1"),
        made(second, { ...DEPLOYED, what: "rollout" }, evidence),
      ],
    }, { lookups: SYSTEMS }).length;
  assertEquals(both("50", "55", "E2"), 1);
  assertEquals(both("50", "55", "E1"), 2);
  assertEquals(both("50", "56", "E2"), 2);
});

Deno.test("changes tells that there is none, for the time and by those that were asked", () => {
  const lookup = (
    collector: string,
    question: string,
    state: Lookup["state"],
  ) => ({ collector, question, state });
  const told = (...lookups: Lookup[]) => textsOf(changes, START, { lookups });
  const since = "since 2026-03-03 08:00:00 UTC";
  assertEquals(
    told(
      lookup("github", `deployments of cart ${since}`, "nothing"),
      lookup("kubernetes", `rollouts of shop/cart ${since}`, "found"),
      lookup("grafana", "annotations since 2 h before the start", "nothing"),
      lookup("pagerduty", "changes that PagerDuty relates to it", "failed"),
      lookup("loki", `errors in the logs of deployments ${since}`, "nothing"),
    ),
    [
      "No change found in the 24 h before, in GitHub and Kubernetes, nor in the 2 h before, in Grafana; PagerDuty could not be asked",
    ],
  );
  assertEquals(
    told(
      lookup("pagerduty", "changes that PagerDuty relates to it", "nothing"),
    ),
    ["No change found in PagerDuty"],
  );
  // Nobody who was asked can say so.
  assertEquals(
    told(
      lookup("github", `deployments of cart ${since}`, "failed"),
      lookup("kubernetes", "state of shop/deployer", "nothing"),
    ),
    [],
  );
});
