/**
 * The commands that people run, as tasks of deno.json with the permissions that
 * stand there, against devcore.
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
import sample from "../../deploy/samples/sample_webhook.json" with {
  type: "json",
};
import { freePort } from "../../scripts/launch/free_port.ts";
import { startStand } from "../../scripts/launch/stand.ts";
import { runTask } from "../support/task.ts";
import { until } from "../support/until.ts";

const COMMANDS = [
  "demo",
  "preview",
  "bundle",
  "install",
  "uninstall",
  "approve_latest_post",
  "approvals",
  "posts",
  "permissions",
  "run_worker",
  "bundle:workers",
  "compile",
  "chaos",
  "bench",
];

for (const command of COMMANDS) {
  Deno.test(`deno task ${command} --help says how to use it`, async () => {
    const { code, stdout, stderr } = await runTask(command, ["--help"]);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, `Usage: deno task ${command}`);
    assertStringIncludes(stdout, "--help");
    for (const line of stdout.split("\n")) assert(line.length <= 100, line);
  });

  Deno.test(`deno task ${command} refuses an option that it does not know`, async () => {
    const { code, stdout, stderr } = await runTask(command, ["--frobnicate"]);
    assertEquals([code, stdout, stderr.trim()], [
      2,
      "",
      "error: Unknown option '--frobnicate'; see --help",
    ]);
  });
}

for (
  const command of ["install", "uninstall", "approve_latest_post", "approvals"]
) {
  Deno.test(`deno task ${command} says which variables it needs`, async () => {
    const { code, stderr } = await runTask(command);
    assertEquals(code, 2);
    assertEquals(
      stderr.trim(),
      "error: CORETEX_GATEWAY_URL is required (HTTP address of the platform's gateway); " +
        "CORETEX_API_KEY is required (the gateway's API key)",
    );
  });
}

Deno.test("deno task bundle writes the archive and says its digest", async () => {
  const { code, stdout } = await runTask("bundle");
  assertEquals(code, 0);
  const expected = await bundlePack(await readPackFolder("pack"));
  const written = await Deno.readFile("dist/incident-enricher-0.1.0.tgz");
  assertEquals(await sha256Hex(written), expected.sha256);
  assertMatch(
    stdout,
    /^dist\/incident-enricher-0\.1\.0\.tgz {2}9 files, \d+\.\d KiB\nsha256 [0-9a-f]{64}\n$/,
  );
  assertStringIncludes(stdout, expected.sha256);
});

Deno.test("install, uninstall and their refusals", async (t) => {
  await using core = await startDevcore({ reloadMs: 200 });
  const env = core.env;

  await t.step("uninstall says that nothing is installed", async () => {
    const { code, stderr } = await runTask("uninstall", [], env);
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
        /^Pack incident-enricher 0\.1\.0, sha256 [0-9a-f]{64}\nInstalled, status ACTIVE\n/,
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
    const { code, stderr } = await runTask("install", [], env);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "The pack is installed already");
    assertStringIncludes(stderr, "--upgrade installs over it");
  });

  await t.step("install --upgrade installs over it", async () => {
    const { code } = await runTask("install", ["--upgrade"], env);
    assertEquals(code, 0);
  });

  await t.step(
    "install says that the key is wrong, and does not print it",
    async () => {
      const { code, stdout, stderr } = await runTask("install", [], {
        ...env,
        CORETEX_API_KEY: "wr0ng-key",
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
      const purged = await runTask("uninstall", ["--purge"], env);
      assertStringIncludes(purged.stdout, "workflows  none\n");
      assertStringIncludes(purged.stdout, "schemas    none\n");
    },
  );
});

Deno.test("a gateway that is not there is said in one line", async () => {
  const { code, stderr } = await runTask("uninstall", [], {
    CORETEX_GATEWAY_URL: `http://127.0.0.1:${freePort()}`,
    CORETEX_API_KEY: "k",
  });
  assertEquals(code, 1);
  assertEquals(
    stderr.trim(),
    "error: Cannot call GET /approvals: connection refused",
  );
});

Deno.test("approve_latest_post, with what can go wrong before and after", async (t) => {
  let aheadMs = 0;
  await using core = await startDevcore({
    reloadMs: 200,
    clock: () => Date.now() + aheadMs,
  });
  await using path = await startStand({ platformEnv: core.env });
  const env = core.env;
  const start = async () => {
    const { answer } = await path.send({ ...sample, id: crypto.randomUUID() });
    const runId = String(answer["run_id"]);
    return { runId, jobId: await path.untilApproval(runId) };
  };
  const stateOf = async (jobId: string) => (await path.job(jobId))["state"];

  await t.step("nothing waits", async () => {
    const { code, stderr } = await runTask("approve_latest_post", [], env);
    assertEquals([code, stderr.trim()], [
      1,
      "error: No post is waiting for approval",
    ]);
  });

  await t.step(
    "it shows the message with its digest and evidence, approves and follows",
    async () => {
      const { runId, jobId } = await start();
      const { code, stdout } = await runTask("approve_latest_post", [
        "--as",
        "ada",
      ], env);
      assertEquals(code, 0);
      assertStringIncludes(
        stdout,
        "  | \u{1F534} CRITICAL · checkout-api: Checkout latency above 2 s",
      );
      assertStringIncludes(stdout, "  | *What we know*");
      assertMatch(stdout, /Message sha256 [0-9a-f]{64}/);
      assertMatch(stdout, / {2}E1 {2}Payload as received {2}redis:\/\/art:/);
      assertStringIncludes(stdout, "Approved as ada");
      assertStringIncludes(stdout, `"run_id":"${runId}"`);
      const job = await path.job(jobId);
      assertEquals([job["state"], job["approval_by"], job["approval_reason"]], [
        "SUCCEEDED",
        "ada",
        undefined,
      ]);
    },
  );

  await t.step("several wait: it lists them and asks which", async () => {
    const [first, second] = [await start(), await start()];
    const undecided = await runTask("approve_latest_post", [], env);
    assertEquals(undecided.code, 1);
    assertStringIncludes(undecided.stdout, first.jobId);
    assertStringIncludes(undecided.stdout, second.jobId);
    assertStringIncludes(
      undecided.stderr,
      "2 posts are waiting; choose one with --run ID, or --newest",
    );
    assertEquals(await stateOf(second.jobId), "APPROVAL_REQUIRED");
    const chosen = await runTask(
      "approve_latest_post",
      ["--run", first.runId],
      env,
    );
    assertEquals([chosen.code, await stateOf(first.jobId)], [0, "SUCCEEDED"]);
    const third = await start();
    const newest = await runTask("approve_latest_post", ["--newest"], env);
    assertEquals([
      newest.code,
      await stateOf(third.jobId),
      await stateOf(second.jobId),
    ], [
      0,
      "SUCCEEDED",
      "APPROVAL_REQUIRED",
    ]);
    const rest = await runTask("approve_latest_post", [], env);
    assertEquals([rest.code, await stateOf(second.jobId)], [0, "SUCCEEDED"]);
  });

  await t.step(
    "an approval that bounces is said to, and can be given again",
    async () => {
      const { jobId } = await start();
      core.faults.bounceApprovals = 1;
      const bounced = await runTask("approve_latest_post", [], env);
      assertEquals(bounced.code, 1);
      assertStringIncludes(
        bounced.stderr,
        "The job bounced: it waits for approval again. Approve again",
      );
      const { code } = await runTask("approve_latest_post", [], env);
      assertEquals([code, await stateOf(jobId)], [0, "SUCCEEDED"]);
    },
  );

  await t.step(
    "install and uninstall ask before they lose what waits",
    async () => {
      const { jobId } = await start();
      for (
        const [command, ...args] of [["install", "--upgrade"], [
          "uninstall",
        ]] as const
      ) {
        const { code, stdout, stderr } = await runTask(command, args, env);
        assertEquals(code, 1);
        assertStringIncludes(
          stdout,
          "1 job waiting for approval would be lost by this policy change:",
        );
        assertStringIncludes(stdout, jobId);
        assertStringIncludes(
          stderr,
          "There is no terminal to ask on; --yes says yes",
        );
      }
      assertEquals(await stateOf(jobId), "APPROVAL_REQUIRED");
    },
  );

  await t.step(
    "a message that is not the one named is not approved",
    async () => {
      const { onRoute } = core.faults;
      core.faults.onRoute = (method, path) =>
        method === "GET" && path.includes("/artifacts/")
          ? {
            status: 200,
            body: JSON.stringify({
              content_base64: btoa('{"text":"x","blocks":[]}'),
              metadata: {},
            }),
          }
          : undefined;
      const { code, stderr } = await runTask("approve_latest_post", [], env);
      assertEquals(code, 1);
      assertStringIncludes(
        stderr,
        "is not the one that the summary names; the poster would refuse it",
      );
      delete core.faults.onRoute;
      if (onRoute !== undefined) core.faults.onRoute = onRoute;
    },
  );

  await t.step("without a poster it does not approve", async () => {
    await path.workers.get("poster")!.stop();
    aheadMs = 31_000; // The scheduler forgets a worker after 30 s.
    await until(
      "the poster to be forgotten",
      async () =>
        (await path.platform.workers())?.topics["job.incident-enricher.post"]
          ?.available === false,
      45_000,
    );
    const { code, stderr } = await runTask("approve_latest_post", [], env);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "No poster is up to take the job");
  });
});
