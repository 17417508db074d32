/**
 * Bundling, installing and uninstalling the pack, against devcore.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { startDevcore } from "../../deploy/devcore/devcore.ts";
import { plain, startGateway } from "../../deploy/standins/gateway.ts";
import { sha256Hex } from "../../lib/base/digest.ts";
import { bundlePack, readPackFolder } from "../../scripts/pack/pack.ts";
import { main as bundle } from "../../scripts/bundle.ts";
import { main as install } from "../../scripts/install.ts";
import { main as uninstall } from "../../scripts/uninstall.ts";
import { call } from "../support/command.ts";
import { runTask } from "../support/task.ts";
import recorded from "../testdata/recorded/http-1.0/config-and-packs.json" with {
  type: "json",
};

Deno.test("deno task bundle writes the archive and says its digest", async () => {
  const { sha256 } = await bundlePack(await readPackFolder("pack"));
  const said = new RegExp(
    `^(\\S+/)incident-enricher-0\\.4\\.0\\.tgz {2}9 files, \\d+\\.\\d KiB\\nsha256 ${sha256}\\n$`,
  );
  const run = await runTask("bundle");
  assertEquals([run.code, said.exec(run.stdout)?.[1]], [0, "dist/"]);
  const out = await Deno.makeTempDir({ dir: "dist" });
  const { code, stdout } = await call(bundle, ["--out", out]);
  assertEquals([code, said.exec(stdout)?.[1]], [0, `${out}/`]);
  const written = await Deno.readFile(`${out}/incident-enricher-0.4.0.tgz`);
  assertEquals(await sha256Hex(written), sha256);
  await Deno.remove(out, { recursive: true });
});

Deno.test("install, uninstall and their refusals", async (t) => {
  await using core = await startDevcore({ reloadMs: 200 });
  const env = core.env;

  await t.step("uninstall says that nothing is installed", async () => {
    const { code, stderr } = await call(uninstall, [], { env });
    assertEquals([code, stderr.trim()], [
      1,
      "error: Pack incident-enricher is not installed",
    ]);
  });

  await t.step(
    "install returns when policy and routing are in force",
    async () => {
      const { code, stdout, stderr } = await runTask(
        "install",
        ["--as", "ada"],
        env,
      );
      assertEquals([code, stderr], [0, ""]);
      assertMatch(
        stdout,
        /^Pack incident-enricher 0\.4\.0, sha256 [0-9a-f]{64}\nInstalled, status ACTIVE\n/,
      );
      assertMatch(
        stdout,
        /In force: policy after \d+\.\d s, routing after \d+\.\d s/,
      );
      assertMatch(
        stdout,
        /require_approval_post +expected REQUIRE_APPROVAL +got REQUIRE_APPROVAL +ok/,
      );
      assertStringIncludes(
        stdout,
        "job.default has no pool until the scheduler restarts",
      );
      const pack = await (await fetch(
        `${core.gatewayUrl}/api/v1/packs/incident-enricher`,
        {
          headers: { "X-API-Key": core.apiKey },
        },
      )).json();
      assertEquals([pack.status, pack.installed_by], ["ACTIVE", "ada"]);
    },
  );

  await t.step("install refuses to install over it, and says how", async () => {
    const { code, stderr } = await call(install, [], { env });
    assertEquals(code, 1);
    assertStringIncludes(stderr, "The pack is installed already");
    assertStringIncludes(stderr, "--upgrade installs over it");
  });

  await t.step("install --upgrade installs over it", async () => {
    const { code } = await call(install, ["--upgrade"], { env });
    assertEquals(code, 0);
  });

  await t.step(
    "install says that the key is wrong, and does not print it",
    async () => {
      const { code, stdout, stderr } = await call(install, [], {
        env: { ...env, CORETEX_API_KEY: "wr0ng-key" },
      });
      assertEquals(code, 1);
      assertStringIncludes(stderr, "status 401");
      assert(!(stdout + stderr).includes("wr0ng-key"));
    },
  );

  await t.step(
    "uninstall says what is left, and --purge leaves less",
    async () => {
      const { code, stdout } = await runTask("uninstall", [], env);
      assertEquals(code, 0);
      assertStringIncludes(
        stdout,
        "registry   the record stays, status DISABLED",
      );
      assertMatch(
        stdout,
        /policy +fragments: none; out of force after \d\.\d s\n/,
      );
      assertStringIncludes(
        stdout,
        "routing    topics: none; until it restarts, the scheduler still sends jobs to the pack's workers\n",
      );
      assertStringIncludes(
        stdout,
        "pools      stay, but empty: incident-enricher-fetch, incident-enricher-summarize, incident-enricher-post\n",
      );
      assertStringIncludes(stdout, "workflows  incident-enricher.enrich");
      const purged = await call(uninstall, ["--purge"], { env });
      assertStringIncludes(purged.stdout, "workflows  none\n");
      assertStringIncludes(purged.stdout, "schemas    none\n");
    },
  );

  await t.step("install after an uninstall needs no flag", async () => {
    await call(install, [], { env });
    assertEquals((await call(uninstall, [], { env })).code, 0);
    // It returned when no rule of ours was in force any more.
    const { results } = await (await fetch(
      `${core.gatewayUrl}/api/v1/packs/incident-enricher/verify`,
      { method: "POST", headers: { "X-API-Key": core.apiKey } },
    )).json();
    assertEquals(results[2].got, "ALLOW");
    const { code, stdout } = await call(install, [], { env });
    assertEquals(code, 0);
    assertMatch(stdout, /\nInstalled over \d+\.\d+\.\d+, status ACTIVE\n/);
  });
});

/** Installs on a stand-in for Cordum 1.0 that had another version before. */
async function installOn1(
  version: string,
  waiting: number,
): Promise<string> {
  const answers = Object.fromEntries(
    recorded.requests.filter(({ note }) => note !== "uninstalled")
      .map(({ send, answer }) => [send.split("?")[0], answer?.body]),
  );
  const record = answers["GET /api/v1/packs"].items[0];
  const job = { topic: "t", state: "APPROVAL_REQUIRED" };
  await using server = startGateway(({ path, request, body }) => {
    const route = path.replace("/api/v1/", "");
    if (route === "packs/install") {
      if (body.includes('name="force"')) return Response.json(record);
      const error = "core version 0.2.0 does not satisfy minCoreVersion 0.6.0";
      return Response.json({ error, status: 400 }, { status: 400 });
    }
    if (route === "policy/snapshots") {
      return Response.json({ snapshots: [`b|cfg:${looks++}`] });
    }
    if (route.endsWith("/verify")) return Response.json({ results: [] });
    if (route === "packs/incident-enricher") {
      return Response.json({ ...record, version });
    }
    if (route === "approvals") {
      const items = Array.from({ length: waiting }, (_, id) => ({
        job: { ...job, id },
      }));
      return Response.json({ items });
    }
    const answer = answers[`${request.method} ${path}`];
    return answer === undefined ? plain(501, "no") : Response.json(answer);
  });
  let looks = 0;
  const { now } = performance;
  let aheadMs = 0;
  performance.now = () => now.call(performance) + aheadMs;
  try {
    const env = { CORETEX_GATEWAY_URL: server.url, CORETEX_API_KEY: "k" };
    const { code, stdout, stderr } = await call(install, ["--upgrade"], {
      env,
      onLine: (line) => aheadMs += line.includes("waiting for") ? 36_000 : 0,
    });
    assertEquals([code, stderr], [0, ""]);
    return stdout;
  } finally {
    performance.now = now;
  }
}

Deno.test("install on Cordum 1.0 says why it used force, and what the licence allows", async () => {
  const stdout = await installOn1("0.2.0", 2);
  assertStringIncludes(
    stdout,
    "Installed with force: the platform calls itself v1.0.0 but answers as Cordum 1.0, whose versions are counted anew\n",
  );
  assertStringIncludes(
    stdout,
    "The platform's Community licence has limits, and it says nothing when it refuses more:\n" +
      "  workers    3 at most, 3 needed here. Any more get no jobs.\n" +
      "  jobs       3 unfinished at most, those that wait for approval included (now 2).\n" +
      "             With 2 unfinished nothing else runs; with 3, not even what is approved.\n",
  );
  // None of it is so there.
  assert(!/lost|no longer|job\.default/.test(stdout), stdout);
});

Deno.test("install, upgrade and uninstall on a Cordum 1.0 that calls itself 0.2.0", async () => {
  const plan = { profile: "cordum-1.0", version: "0.2.0" } as const;
  await using core = await startDevcore({ ...plan, reloadMs: 200 });
  const { env } = core;
  for (const args of [[], ["--upgrade"]]) {
    const { code, stdout } = await call(install, args, { env });
    assertEquals(code, 0);
    assertStringIncludes(
      stdout,
      "Installed with force: the platform calls itself 0.2.0 but answers as Cordum 1.0, whose versions are counted anew\n",
    );
  }
  const { code, stdout } = await call(uninstall, [], { env });
  assertEquals(code, 0);
  // Other topics are left there, so the routing goes, too.
  assertMatch(stdout, /routing +topics: none; out of force after \d\.\d s\n/);
  assertMatch(stdout, /pools +stay, but empty: incident-enricher-fetch, /);
});

Deno.test("install on a January build with a version of its own says how to force it", async () => {
  await using core = await startDevcore({ version: "0.2.0", reloadMs: 200 });
  const { env } = core;
  const { code, stderr } = await call(install, [], { env });
  assertEquals([code, stderr], [
    1,
    "error: The platform is too old for this pack (core version 0.2.0 does not satisfy minCoreVersion 0.6.0); if it is Cordum, whose versions are counted anew, --force installs it\n",
  ]);
  const { code: forced, stdout } = await call(install, ["--force"], { env });
  assertEquals(forced, 0);
  assert(!stdout.includes("with force:"), "it was asked for");
});

Deno.test("install says that Alertmanager's groups get one more run, after versions that told them apart otherwise", async () => {
  const said = "Alertmanager groups that are firing now get one more run each";
  for (
    const [version, expected] of [["0.1.0", true], ["0.2.0", false]] as const
  ) {
    assertEquals((await installOn1(version, 0)).includes(said), expected);
  }
});
