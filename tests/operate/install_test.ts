/**
 * Installing on platforms that refuse, or do not tell, as they were seen to.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { sha256Hex } from "../../lib/base/digest.ts";
import { OperationError } from "../../lib/operate/errors.ts";
import { installBundle, lostByInstall } from "../../lib/operate/install.ts";
import type { Platform } from "../../lib/operate/platform.ts";
import { plain, startGateway } from "../../deploy/standins/gateway.ts";
import { platformAt } from "../support/platform.ts";

const BUNDLE = {
  id: "p",
  version: "1.0.0",
  name: "p-1.0.0.tgz",
  bytes: new Uint8Array(1),
  sha256: "",
  files: new Map([
    ["pack.yaml", "overlays: {policy: [{name: safety, path: safety.yaml}]}"],
    ["safety.yaml", "rules: []"],
  ]),
};
const RECORD = {
  status: "ACTIVE",
  manifest: { topics: [{ name: "job.p.x" }] },
};

/** What a gateway answers, and what was asked of it. */
interface Gateway {
  install(form: string): Response;
  verify?(): Response;
  /** Answers of other routes by their path. */
  answers?: Readonly<Record<string, unknown>>;
}

async function onPlatform<T>(
  {
    install,
    verify = () => Response.json({ results: [{ ok: true }] }),
    answers = {},
  }: Gateway,
  use: (platform: Platform) => Promise<T>,
): Promise<T> {
  await using server = startGateway(({ path, body }) => {
    if (path.endsWith("/packs/install")) return install(body);
    if (path.endsWith("/verify")) return verify();
    const answer = answers[path.replace("/api/v1", "")];
    if (answer !== undefined) return Response.json(answer);
    if (path.endsWith("/config")) return Response.json({ data: {} });
    return plain(501, "not implemented");
  });
  await using platform = platformAt(server.url);
  return await use(platform);
}

/** Runs with a clock that `jump` sets ahead. */
async function withClock(
  run: (jump: (ms: number) => void) => Promise<void>,
): Promise<void> {
  const { now } = performance;
  let aheadMs = 0;
  performance.now = () => now.call(performance) + aheadMs;
  try {
    await run((ms) => aheadMs += ms);
  } finally {
    performance.now = now;
  }
}

Deno.test("installBundle() waits for the scheduler's reload where it cannot look", async () => {
  await withClock(async (jump) => {
    const install = () => Response.json(RECORD);
    await onPlatform({ install }, async (platform) => {
      const told: string[] = [];
      const installed = await installBundle(platform, BUNDLE, {
        pollMs: 1,
        onProgress(what) {
          told.push(what);
          jump(35_000);
        },
      });
      assertEquals(told, ["waiting for the routing to be in force"]);
      assertEquals(installed.forced, undefined);
      assertEquals(installed.record, RECORD);
    });
  });
});

Deno.test("installBundle() forces at once if asked to, and does not say that it had to", async () => {
  await withClock(async (jump) => {
    const forced: boolean[] = [];
    const install = (form: string) => {
      forced.push(form.includes('name="force"'));
      return Response.json({ ...RECORD, manifest: {} });
    };
    await onPlatform({ install }, async (platform) => {
      const installed = await installBundle(platform, BUNDLE, {
        force: true,
        pollMs: 1,
        onProgress: () => jump(35_000),
      });
      assertEquals([installed.forced, forced], [undefined, [true]]);
    });
  });
});

Deno.test("installBundle() takes a step that policy allows within limits for allowed", async () => {
  const limited = {
    name: "allow_fetch",
    expected: "ALLOW",
    got: "ALLOW_WITH_CONSTRAINTS",
    ok: false,
  };
  await withClock(async (jump) => {
    const install = () => Response.json({ ...RECORD, manifest: {} });
    const verify = () => Response.json({ results: [limited] });
    await onPlatform({ install, verify }, async (platform) => {
      const { simulations } = await installBundle(platform, BUNDLE, {
        pollMs: 1,
        onProgress: () => jump(35_000),
      });
      assertEquals(simulations, [{ ...limited, ok: true }]);
    });
  });
});

Deno.test("installBundle() gives up on a policy that does not come into force", async () => {
  await withClock(async (jump) => {
    const gateway = {
      install: () => Response.json(RECORD),
      verify() {
        jump(60_000);
        return Response.json({ results: [{ ok: true }, { ok: false }] });
      },
    };
    await onPlatform(gateway, async (platform) => {
      await assertRejects(
        () => installBundle(platform, BUNDLE, { pollMs: 1 }),
        OperationError,
        "Gave up waiting for the policy to be in force after 120 s",
      );
    });
  });
});

for (
  const detail of [
    "compatibility.minCoreVersion set but core version unknown",
    "rerun with --force",
    "gateway version dev is not semver",
  ]
) {
  Deno.test(`installBundle() forces where the platform says: ${detail}`, () =>
    assertForces(
      () => plain(400, detail),
      "the platform's own version is unknown to it",
    ));
}

/** Installs where only force helps. */
async function assertForces(
  refuse: () => Response,
  said: string,
  answers: Record<string, unknown> = {},
): Promise<void> {
  const forced: boolean[] = [];
  const install = (form: string) => {
    const isForced = form.includes('name="force"');
    forced.push(isForced);
    return isForced ? Response.json({ ...RECORD, manifest: {} }) : refuse();
  };
  await onPlatform({ install, answers }, async (platform) => {
    await withClock(async (jump) => {
      const options = { pollMs: 1, onProgress: () => jump(35_000) };
      const installed = await installBundle(platform, BUNDLE, options);
      assertEquals([forced, installed.forced], [[false, true], said]);
    });
  });
}

const TOO_OLD = "core version 0.2.0 does not satisfy minCoreVersion 0.6.0";
const STATUS = { build: { version: "0.2.0" }, uptime_seconds: 1 };

for (
  const [what, refusal, status] of [
    ["of its status", plain(400, TOO_OLD), { ...STATUS, license: {} }],
    [
      "of its error",
      Response.json(
        { error: TOO_OLD, code: "PACK_INSTALL_INVALID", status: 400 },
        { status: 400 },
      ),
      STATUS,
    ],
  ] as const
) {
  Deno.test(`installBundle() forces Cordum 1.0 that calls itself 0.2.0, and says so, by the shape ${what}`, () =>
    assertForces(
      () => refusal.clone(),
      "the platform calls itself 0.2.0 but answers as Cordum 1.0, whose versions are counted anew",
      { "/status": status },
    ));
}

for (
  const detail of [
    TOO_OLD,
    "gateway version 0.5.2 is older than 0.6.0; rerun with force",
  ]
) {
  Deno.test(`installBundle() forces no elder platform that says: ${detail}`, async () => {
    let sent = 0;
    const install = () => (sent++, plain(400, detail));
    const gateway = { install, answers: { "/status": STATUS } };
    await onPlatform(gateway, async (platform) => {
      const error = await assertRejects(
        () => installBundle(platform, BUNDLE),
        OperationError,
      );
      assertEquals(
        error.message,
        `The platform is too old for this pack (${detail}); if it is Cordum, whose versions are counted anew, --force installs it`,
      );
      assertEquals(sent, 1);
    });
  });
}

const STORED = { content: BUNDLE.files.get("safety.yaml") };
const CHANGED = { content: "rules: [{id: old}]" };
const CORDUM_1 = { ...STATUS, license: {} };
const LOSSES: [
  what: string,
  stored: unknown,
  status: unknown,
  lost: string[],
][] = [
  ["the same fragment is stored", STORED, STATUS, []],
  ["another fragment is stored", CHANGED, STATUS, ["live"]],
  ["none is stored", undefined, STATUS, ["live"]],
  ["an operator switched it off", { ...STORED, enabled: false }, STATUS, [
    "live",
  ]],
  ["another is stored, on Cordum 1.0", CHANGED, CORDUM_1, []],
];
for (const [what, stored, status, lost] of LOSSES) {
  Deno.test(`lostByInstall() names what can still be approved, and only if policy changes: ${what}`, async () => {
    const bundles = stored === undefined ? {} : { "p/safety": stored };
    const held = (id: string, policy_snapshot: string) => ({
      job: { id, topic: "job.q.x", state: "APPROVAL_REQUIRED", updated_at: 1 },
      policy_snapshot,
    });
    const answers = {
      "/config": { scope: "system", data: { bundles } },
      "/status": status,
      "/policy/snapshots": { snapshots: ["b|cfg:2"] },
      "/approvals": {
        items: [held("dead", "b|cfg:1"), held("live", "b|cfg:2")],
      },
    };
    const install = () => Response.json(RECORD);
    await onPlatform({ install, answers }, async (platform) => {
      const jobs = await lostByInstall(platform, BUNDLE);
      assertEquals(jobs.map(({ jobId }) => jobId), lost);
    });
  });
}

for (
  const [status, upgrades] of [["DISABLED", true], ["ACTIVE", false]] as const
) {
  Deno.test(`installBundle() ${upgrades ? "upgrades" : "does not upgrade"} by itself what is ${status}`, async () => {
    const forms: boolean[] = [];
    const install = (form: string) => {
      forms.push(form.includes('name="upgrade"'));
      return Response.json({ ...RECORD, manifest: {} });
    };
    const answers = { "/packs/p": { status, version: "0.9.0" } };
    await onPlatform({ install, answers }, async (platform) => {
      await withClock(async (jump) => {
        const options = { pollMs: 1, onProgress: () => jump(35_000) };
        const installed = await installBundle(platform, BUNDLE, options);
        assertEquals([forms, installed.replaced], [[upgrades], "0.9.0"]);
      });
    });
  });
}

Deno.test("installBundle() knows a policy in force by its hash if an uninstall never came into force", async () => {
  const stored = { "p/safety": STORED, "a/b": { content: "rules: [{id: x}]" } };
  const hash = await sha256Hex("a/b\0rules: [{id: x}]p/safety\0rules: []");
  const config = (bundles: unknown) => ({ scope: "system", data: { bundles } });
  const answers: Record<string, unknown> = {
    "/config": config({}),
    "/policy/snapshots": { snapshots: [`b|cfg:${hash}`] },
  };
  const install = () => {
    answers["/config"] = config(stored);
    return Response.json({ ...RECORD, manifest: {} });
  };
  await onPlatform({ install, answers }, async (platform) => {
    await withClock(async (jump) => {
      const options = { pollMs: 1, onProgress: () => jump(35_000) };
      const installed = await installBundle(platform, BUNDLE, options);
      assert(installed.policyMs < 35_000);
      assertEquals(installed.policyChanged, true);
    });
  });
});

const REFUSALS: [status: number, detail: string, message: string][] = [
  [
    409,
    "pack p exists; rerun with --upgrade",
    "The pack is installed already (pack p exists; rerun with --upgrade); --upgrade installs over it",
  ],
  [
    409,
    "pack lock held",
    "Another installation is going on (pack lock held); try again in a minute",
  ],
  [
    401,
    "unauthorized",
    "The gateway refused the API key; check CORETEX_API_KEY",
  ],
  [400, "no manifest", "The platform refused the pack: no manifest"],
  [400, "", "Cannot call POST /packs/install: got status 400, expected 2xx"],
];
for (const [status, detail, message] of REFUSALS) {
  Deno.test(`installBundle() explains status ${status} "${detail}"`, async () => {
    const install = () => plain(status, detail);
    await onPlatform({ install }, async (platform) => {
      const error = await assertRejects(
        () => installBundle(platform, BUNDLE),
        OperationError,
      );
      assertEquals(error.message, message);
    });
  });
}
