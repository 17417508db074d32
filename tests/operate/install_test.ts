/**
 * Installing on platforms that refuse, or do not tell, as they were seen to.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { OperationError } from "../../lib/operate/errors.ts";
import { installBundle } from "../../lib/operate/install.ts";
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
}

async function onPlatform<T>(
  { install, verify = () => Response.json({ results: [{ ok: true }] }) }:
    Gateway,
  use: (platform: Platform) => Promise<T>,
): Promise<T> {
  await using server = startGateway(({ path, body }) => {
    if (path.endsWith("/packs/install")) return install(body);
    if (path.endsWith("/verify")) return verify();
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
      assertEquals(installed.forced, false);
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
      assertEquals([installed.forced, forced], [false, [true]]);
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
  Deno.test(`installBundle() forces where the platform says: ${detail}`, async () => {
    const forced: boolean[] = [];
    const install = (form: string) => {
      const isForced = form.includes('name="force"');
      forced.push(isForced);
      return isForced
        ? Response.json({ ...RECORD, manifest: {} })
        : plain(400, detail);
    };
    await onPlatform({ install }, async (platform) => {
      await withClock(async (jump) => {
        const options = { pollMs: 1, onProgress: () => jump(35_000) };
        const installed = await installBundle(platform, BUNDLE, options);
        assertEquals([installed.forced, forced], [true, [false, true]]);
      });
    });
  });
}

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
