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
import { sha256Hex } from "../../lib/base/digest.ts";
import { bundlePack, readPackFolder } from "../../scripts/pack/pack.ts";
import { main as bundle } from "../../scripts/bundle.ts";
import { main as install } from "../../scripts/install.ts";
import { main as uninstall } from "../../scripts/uninstall.ts";
import { call } from "../support/command.ts";
import { runTask } from "../support/task.ts";

Deno.test("deno task bundle writes the archive and says its digest", async () => {
  const { sha256 } = await bundlePack(await readPackFolder("pack"));
  const said = new RegExp(
    `^(\\S+/)incident-enricher-0\\.2\\.0\\.tgz {2}9 files, \\d+\\.\\d KiB\\nsha256 ${sha256}\\n$`,
  );
  const run = await runTask("bundle");
  assertEquals([run.code, said.exec(run.stdout)?.[1]], [0, "dist/"]);
  const out = await Deno.makeTempDir({ dir: "dist" });
  const { code, stdout } = await call(bundle, ["--out", out]);
  assertEquals([code, said.exec(stdout)?.[1]], [0, `${out}/`]);
  const written = await Deno.readFile(`${out}/incident-enricher-0.2.0.tgz`);
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
        /^Pack incident-enricher 0\.2\.0, sha256 [0-9a-f]{64}\nInstalled, status ACTIVE\n/,
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
      assertStringIncludes(stdout, "routing    topics: none");
      assertStringIncludes(stdout, "policy     fragments: none");
      assertStringIncludes(stdout, "workflows  incident-enricher.enrich");
      const purged = await call(uninstall, ["--purge"], { env });
      assertStringIncludes(purged.stdout, "workflows  none\n");
      assertStringIncludes(purged.stdout, "schemas    none\n");
    },
  );
});
