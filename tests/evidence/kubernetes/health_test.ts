/**
 * Whether pods and warnings still show a fault.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import {
  podsHealth,
  troubleHealth,
  warningHealth,
} from "../../../lib/evidence/kubernetes/health.ts";
import { readPod } from "../../../lib/evidence/kubernetes/objects.ts";
import type { Pod, Warning } from "../../../lib/evidence/kubernetes/objects.ts";
import { describeState } from "../../../lib/evidence/kubernetes/state.ts";

const NOW = new Date("2026-01-15T10:00:00Z");

function pod(name: string, more: Partial<Pod> = {}): Pod {
  return {
    name,
    owner: "cart",
    phase: "Running",
    isReady: true,
    restarts: 0,
    troubles: [],
    ...more,
  };
}

function warning(more: Partial<Warning> = {}): Warning {
  return {
    reason: "Unhealthy",
    kind: "Pod",
    object: "cart-1",
    count: 3,
    from: "2026-01-15T09:40:00.000Z",
    to: "2026-01-15T09:54:59.000Z",
    message: "Readiness probe failed",
    ...more,
  };
}

Deno.test("podsHealth() asks only those that shall run", () => {
  const ready = pod("cart-1");
  const unready = { isReady: false };
  const cases: [name: string, pods: Pod[], expected: string][] = [
    ["all ready", [ready], "well"],
    ["one not", [ready, pod("cart-2", unready)], "ill"],
    [
      "one that leaves",
      [ready, pod("cart-2", { ...unready, isLeaving: true })],
      "well",
    ],
    [
      "one that has done its work",
      [ready, pod("job-1", { ...unready, phase: "Succeeded" })],
      "well",
    ],
    ["only one that leaves", [pod("cart-2", { isLeaving: true })], "ill"],
    ["none", [], "ill"],
  ];
  for (const [name, pods, expected] of cases) {
    assertEquals(podsHealth(pods), expected, name);
  }
});

Deno.test("troubleHealth() holds a pod that is ready for ill, unless it leaves", () => {
  assertEquals(troubleHealth(pod("cart-1")), "ill");
  assertEquals(troubleHealth(pod("cart-1", { isLeaving: true })), "recovered");
});

Deno.test("warningHealth() calls over only what an object proves", () => {
  const ready = [pod("cart-1")];
  const unready = [pod("cart-1", { isReady: false })];
  const young = "2026-01-15T09:55:01.000Z";
  const cases: [string, Warning, Pod[], string][] = [
    ["quiet for 5 min", warning(), ready, "recovered"],
    ["not quiet yet", warning({ to: young }), ready, "ill"],
    ["not ready", warning(), unready, "ill"],
    [
      "passed its start",
      warning({ reason: "FailedScheduling", to: young }),
      ready,
      "recovered",
    ],
    [
      "pulled its image",
      warning({ reason: "Failed", message: "Failed to pull image", to: young }),
      ready,
      "recovered",
    ],
    [
      "failed otherwise",
      warning({ reason: "Failed", message: "Error: no key", to: young }),
      ready,
      "ill",
    ],
    [
      "leaves",
      warning({ to: young }),
      [pod("cart-1", { isReady: false, isLeaving: true })],
      "recovered",
    ],
    ["gone, and the others ready", warning(), [pod("cart-2")], "recovered"],
    [
      "gone, and another not ready",
      warning(),
      [pod("cart-2", { isReady: false })],
      "ill",
    ],
    [
      "of a node, not quiet yet",
      warning({ kind: "Node", to: "2026-01-15T09:45:01.000Z" }),
      ready,
      "ill",
    ],
    [
      "of a node, long ago",
      warning({ kind: "Node", to: "2026-01-15T09:45:00.000Z" }),
      ready,
      "recovered",
    ],
    [
      "of a node, long ago, and a pod not ready",
      warning({ kind: "Node", to: "2026-01-15T09:00:00.000Z" }),
      unready,
      "ill",
    ],
    ["no pod was read", warning(), [], "ill"],
  ];
  for (const [name, one, pods, expected] of cases) {
    assertEquals(warningHealth(one, pods, NOW), expected, name);
  }
  assertEquals(warningHealth(warning(), ready, undefined), "ill");
});

Deno.test("readPod() sees that a pod was told to end", () => {
  const metadata = { name: "cart-1" };
  assertEquals(readPod({ metadata }, "").isLeaving, undefined);
  const deletionTimestamp = "2026-01-15T09:59:00Z";
  const left = readPod({ metadata: { ...metadata, deletionTimestamp } }, "");
  assertEquals(left.isLeaving, true);
});

Deno.test("describeState() says of each fact how it stands", () => {
  const deployment = (ready: number) => ({
    name: "cart",
    labels: {},
    replicas: 2,
    ready,
    updated: 2,
    troubles: [],
    images: [],
    selector: "",
  });
  const healthOf = (ready: number, pods: Pod[], warnings: Warning[]) => {
    const found = describeState({
      deployments: { list: [deployment(ready)], isWhole: false },
      pods,
      warnings,
      now: NOW,
    }, { namespace: "shop", deployment: "cart" });
    return "facts" in found
      ? found.facts!.map(({ name, health }) => `${name}: ${health}`)
      : [];
  };
  assertEquals(healthOf(2, [pod("cart-1"), pod("cart-2")], [warning()]), [
    "Deployment cart: well",
    "pods: well",
    "Unhealthy: recovered",
  ]);
  const waiting = { reason: "CrashLoopBackOff", container: "app", at: "" };
  const ill = pod("cart-1", { isReady: false, troubles: [waiting] });
  assertEquals(healthOf(1, [ill, pod("cart-2")], [warning()]), [
    "Deployment cart: ill",
    "pods: ill",
    "CrashLoopBackOff: ill",
    "Unhealthy: ill",
  ]);
  const left = { ...ill, isLeaving: true };
  assertEquals(healthOf(2, [left, pod("cart-2"), pod("cart-3")], []), [
    "Deployment cart: well",
    "pods: well",
    "CrashLoopBackOff: recovered",
  ]);
});

Deno.test("describeState() counts a warning for the workload that its pod says", () => {
  const warnings = ["cart-1", "cart-2"].map((object) => warning({ object }));
  const found = describeState({
    pods: [pod("cart-1"), pod("cart-2")],
    warnings,
    now: NOW,
  }, { namespace: "shop" });
  const values = "facts" in found
    ? found.facts!.filter(({ name }) => name === "Unhealthy")
      .map(({ value }) => value.split(",")[0])
    : [];
  assertEquals(values, ["cart ×6"]);
});
