/**
 * Uninstalling on platforms that take their time, or do not tell.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { plain, startGateway } from "../../deploy/standins/gateway.ts";
import { OperationError } from "../../lib/operate/errors.ts";
import type { Platform } from "../../lib/operate/platform.ts";
import { lostByUninstall, uninstallPack } from "../../lib/operate/uninstall.ts";
import { platformAt } from "../support/platform.ts";
import recorded from "../testdata/recorded/http-1.0/config-and-packs.json" with {
  type: "json",
};

const JANUARY = { build: { version: "dev" }, uptime_seconds: 1 };
const CORDUM_1 = { ...JANUARY, license: {} };
const FRAGMENTS = { "p/safety": { content: "rules: []" } };

/** A platform with a pack `p`, as it answers before and after an uninstall. */
interface Plan {
  status?: unknown;
  /** Of each look at the policy; the last stays. */
  snapshots?: (string | undefined)[] | undefined;
  fragments?: unknown;
  /** What is routed after the uninstall. */
  topics?: unknown;
  pools?: unknown;
  /** Whether the simulations are as when it was installed. */
  holds?: boolean;
  waiting?: unknown[];
}

async function onPlatform<T>(plan: Plan, use: (platform: Platform) => T) {
  const { status = JANUARY, snapshots, fragments = FRAGMENTS } = plan;
  const { topics = {}, pools = {}, holds = false, waiting = [] } = plan;
  let isGone = false;
  await using server = startGateway(({ path, search }) => {
    const route = path.replace("/api/v1", "");
    if (route === "/packs/p/uninstall") isGone = true;
    if (route === "/config") {
      const data = search.includes("policy")
        ? { bundles: isGone ? {} : fragments }
        : { pools: { topics, pools } };
      return Response.json({ scope: "system", data });
    }
    if (route === "/policy/snapshots" && snapshots !== undefined) {
      const [first] = snapshots.length > 1 ? snapshots.splice(0, 1) : snapshots;
      if (first === undefined) return plain(501, "not now");
      return Response.json({ snapshots: [first] });
    }
    const answers: Record<string, unknown> = {
      "/packs/p": { status: "ACTIVE", resources: {} },
      "/packs/p/uninstall": { status: "DISABLED" },
      "/packs/p/verify": { results: [{ ok: true }, { ok: holds }] },
      "/status": status,
      "/approvals": { items: waiting },
    };
    const answer = answers[route];
    return answer === undefined ? plain(501, "no") : Response.json(answer);
  });
  await using platform = platformAt(server.url);
  return await use(platform);
}

/** Uninstalls with a clock that each wait sets ahead by 12 s. */
async function uninstall(plan: Plan) {
  const { now } = performance;
  let aheadMs = 0;
  performance.now = () => now.call(performance) + aheadMs;
  const waits: Record<string, number> = {};
  try {
    const uninstalled = await onPlatform(
      plan,
      (platform) =>
        uninstallPack(platform, "p", {
          purge: false,
          pollMs: 1,
          onProgress(what) {
            waits[what] = (waits[what] ?? 0) + 1;
            aheadMs += 12_000;
          },
        }),
    );
    return { ...uninstalled, waits };
  } finally {
    performance.now = now;
  }
}

const POLICY = "waiting for the policy to be out of force";
const ROUTING = "waiting for the routing to be out of force";

Deno.test("uninstallPack() returns when the policy has changed", async () => {
  const snapshots = ["b|cfg:1", "b|cfg:1", "b|cfg:1", "b|cfg:2"];
  const { waits, policyMs, leftovers } = await uninstall({ snapshots });
  assertEquals(waits, { [POLICY]: 2 });
  assert(policyMs > 24_000 && policyMs < 25_000);
  assertEquals([leftovers.status, leftovers.fragments], ["DISABLED", []]);
});

Deno.test("uninstallPack() takes no failure to tell the policy for a change", async () => {
  const snapshots = ["b|cfg:1", undefined, "b|cfg:1", "b"];
  assertEquals((await uninstall({ snapshots })).waits, { [POLICY]: 2 });
});

Deno.test("uninstallPack() knows by its hash that no fragment is in force", async () => {
  // A repeated uninstall sees no change.
  const { waits } = await uninstall({ snapshots: ["b"], fragments: {} });
  assertEquals(waits, {});
});

Deno.test("uninstallPack() waits for a reload where the platform does not tell its policy", async () => {
  assertEquals((await uninstall({})).waits, { [POLICY]: 3 });
});

Deno.test("uninstallPack() gives up on a policy that stays in force", async () => {
  await assertRejects(
    () => uninstall({ snapshots: ["b|cfg:1"], holds: true }),
    OperationError,
    "Gave up waiting for the policy to be out of force after 120 s",
  );
});

Deno.test("uninstallPack() waits for the routing of others to be loaded, but not for one that stays", async () => {
  const snapshots = ["b|cfg:1", "b"];
  const others = { topics: { "job.q.x": "q" } };
  const cases: [what: string, plan: Plan, waits: number, keeps: boolean][] = [
    ["another pack's topics are left", others, 3, false],
    ["none is left", {}, 0, true],
    ["none is left on Cordum 1.0", { status: CORDUM_1 }, 3, false],
  ];
  for (const [what, plan, expected, keeps] of cases) {
    const given = { snapshots: [...snapshots], ...plan };
    const { waits, keepsRouting } = await uninstall(given);
    assertEquals([waits[ROUTING] ?? 0, keepsRouting], [expected, keeps], what);
  }
});

Deno.test("uninstallPack() sees the emptied pools of Cordum 1.0", async () => {
  await using server = startGateway(({ path, search, request }) => {
    const line = `${request.method} ${path}${search}`;
    const { answer } = recorded.requests.find(({ send, note }) =>
      send === line && note === "uninstalled"
    ) ?? {};
    if (answer !== undefined) {
      return Response.json(answer.body);
    }
    if (path.endsWith("/status")) {
      return Response.json(CORDUM_1);
    }
    if (!path.includes("incident-enricher")) {
      return plain(501, "no");
    }
    return Response.json({ status: "DISABLED", resources: {}, results: [] });
  });
  await using platform = platformAt(server.url);
  const { now } = performance;
  let aheadMs = 0;
  performance.now = () => now.call(performance) + aheadMs;
  try {
    const { leftovers } = await uninstallPack(platform, "incident-enricher", {
      purge: false,
      pollMs: 1,
      onProgress: () => aheadMs += 36_000,
    });
    assertEquals(leftovers.topics, []);
    assertEquals(leftovers.pools, {
      "incident-enricher-fetch": {},
      "incident-enricher-post": {},
      "incident-enricher-summarize": {},
    });
  } finally {
    performance.now = now;
  }
});

Deno.test("lostByUninstall() names what can no longer be approved or done", async () => {
  const held = (id: string, topic: string, policy_snapshot: string) => ({
    job: { id, topic, state: "APPROVAL_REQUIRED", updated_at: 1 },
    policy_snapshot,
  });
  const waiting = [
    held("dead", "job.p.x", "b|cfg:1"),
    held("own", "job.p.x", "b|cfg:2"),
    held("foreign", "job.q.x", "b|cfg:2"),
  ];
  const snapshots = ["b|cfg:2"];
  const cases: [what: string, plan: Plan, lost: string[]][] = [
    ["January", {}, ["own", "foreign"]],
    ["without a fragment", { fragments: {} }, []],
    ["Cordum 1.0", { status: CORDUM_1 }, ["dead", "own"]],
  ];
  for (const [what, plan, lost] of cases) {
    const given = { waiting, snapshots, ...plan };
    const jobs = await onPlatform(given, (at) => lostByUninstall(at, "p"));
    assertEquals(jobs.map(({ jobId }) => jobId), lost, what);
  }
});
