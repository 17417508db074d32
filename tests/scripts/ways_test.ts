/**
 * The ways to run a worker, beside its file: by script, as a bundle, as a binary.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { startDevcore } from "../../deploy/devcore/devcore.ts";
import { startNatsServer } from "../../deploy/devcore/nats_server.ts";
import { startRedisServer } from "../../deploy/devcore/redis_server.ts";
import { sha256Hex } from "../../lib/base/digest.ts";
import { approve } from "../../lib/operate/approvals.ts";
import type { CompiledWorker } from "../../scripts/launch/binaries.ts";
import { type Permissions, WORKERS } from "../../scripts/launch/permissions.ts";
import { startStand } from "../../scripts/launch/stand.ts";
import { runTask, startTask } from "../support/task.ts";
import { until } from "../support/until.ts";
import sample from "../../deploy/samples/sample_webhook.json" with {
  type: "json",
};

const ENV_FILE = `# a comment
NATS_URL=nats://nats.example
REDIS_ADDR="redis.example:6380"
CORETEX_GATEWAY_URL=https://gateway.example
HEALTH_ADDR=127.0.0.1:9000
`;

async function withEnvFile<T>(
  text: string,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const path = await Deno.makeTempFile({ suffix: ".env" });
  try {
    await Deno.writeTextFile(path, text);
    return await use(path);
  } finally {
    await Deno.remove(path);
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  try {
    const paths = await Array.fromAsync(Deno.readDir(folder), (entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory ? filesBelow(path) : [path];
    });
    return paths.flat();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

Deno.test("deno task permissions prints each permission with its reason", () =>
  withEnvFile(ENV_FILE, async (path) => {
    const { code, stdout } = await runTask("permissions", [
      "poster",
      "--env-file",
      path,
    ]);
    assertEquals(code, 0);
    for (
      const row of [
        /net +nats\.example:4222 +NATS/,
        /net +redis\.example:6380 +Redis/,
        /net +gateway\.example:443 +the gateway/,
        /net +hooks\.slack\.com:443 +slack:webhook/,
        /net +127\.0\.0\.1:9000 +serves its health here/,
        /env +WORKER_TOKEN_FILE +credential, .*, in a file/,
      ]
    ) assertMatch(stdout, row);
    assertStringIncludes(
      stdout,
      "--no-prompt --cached-only --ignore-env --allow-net=127.0.0.1:9000,nats.example:4222,redis.example:6380,gateway.example:443,hooks.slack.com:443 --allow-env=NATS_URL,",
    );
  }));

Deno.test("deno task permissions --json has the shape that others rely on", () =>
  withEnvFile(ENV_FILE, async (path) => {
    const { stdout } = await runTask("permissions", [
      "--json",
      "--env-file",
      path,
    ]);
    const all = JSON.parse(stdout);
    assertEquals(Object.keys(all), [...WORKERS]);
    const bare = await runTask("permissions", ["--flags", "--env-file", path]);
    const lines = WORKERS.map((worker) => all[worker].flags.join(" "));
    assertEquals(bare.stdout, `${lines.join("\n")}\n`);
    for (const one of Object.values(all)) {
      const { net, env, read, flags } = one as Permissions;
      assert(net.every(({ host, why }) => host !== "" && why !== ""));
      assert(env.every(({ name, why }) => name !== "" && why !== ""));
      assertEquals(read, []);
      assert(flags.includes("--cached-only"));
    }
  }));

Deno.test("an environment that is not complete is refused, and so is a slip in its file", async () => {
  const bare = await runTask("permissions", ["fetcher"]);
  assertEquals(bare.code, 2);
  assertStringIncludes(bare.stderr, "CORETEX_GATEWAY_URL is required");
  assertStringIncludes(bare.stderr, "--env-file");
  await withEnvFile("NATS_ULR=nats://nats\n", async (path) => {
    const { code, stderr } = await runTask("permissions", ["--env-file", path]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, "sets NATS_ULR, which no worker reads");
  });
  const missing = await runTask("run_worker", ["fetcher", "--env-file", "/no"]);
  assertEquals(missing.code, 2);
  assertStringIncludes(missing.stderr, "Cannot read /no");
  const nobody = await runTask("run_worker", ["nobody"]);
  assertEquals([nobody.code, nobody.stderr.trim()], [
    2,
    'error: There is no worker "nobody"; there are ingester, fetcher, summarizer, poster; see --help',
  ]);
});

Deno.test("deno task flags writes what its permission set lets it write", () =>
  withEnvFile(ENV_FILE, async (envFile) => {
    const root = await Deno.makeTempDir({ dir: "/tmp" });
    try {
      await Deno.copyFile("deno.json", `${root}/deno.json`);
      const paths = config.permissions.flags.write.map((path) =>
        `${root}/${path}`
      );
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "--no-prompt", "--ignore-env", "--allow-read"],
          `--allow-write=${paths.join(",")}`,
          ...["scripts/flags.ts", "tasks", "service", "--env-file", envFile],
          ...["--root", root],
        ],
      }).output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      assertEquals(text(stderr), "");
      const written = text(stdout).trim().split("\n");
      assertEquals(written[0], "deno.json written");
      assertEquals(written.length, 1 + WORKERS.length);
      const tasks = await Deno.readTextFile(`${root}/deno.json`);
      assert(tasks.includes("nats.example:4222,redis.example:6380,gateway."));
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  }));

Deno.test("deno task run_worker runs a worker and passes signals and exit codes on", async () => {
  await using nats = await startNatsServer();
  await using redis = await startRedisServer();
  const text = `NATS_URL=${nats.url}\nREDIS_URL=${redis.url}\n` +
    "CORETEX_GATEWAY_URL=http://127.0.0.1:1\nCORETEX_API_KEY=s3cret-key\n";
  await withEnvFile(text, async (path) => {
    const child = startTask("run_worker", ["fetcher", "--env-file", path]);
    const reader = child.stderr.pipeThrough(new TextDecoderStream())
      .getReader();
    let seen = "";
    const reading = (async () => {
      for (let part; !(part = await reader.read()).done;) seen += part.value;
    })();
    await until("the worker to be ready", () => seen.includes("Worker ready"));
    child.kill("SIGTERM");
    assertEquals((await child.status).code, 0);
    await reading;
    await child.stdout.cancel();
    assertStringIncludes(seen, "--cached-only");
    assertStringIncludes(seen, '"Worker stopped"');
    assert(!seen.includes("s3cret"));
  });
  const wrong = await runTask("run_worker", ["fetcher"], {
    CORETEX_GATEWAY_URL: "http://127.0.0.1:1",
  });
  assertEquals(wrong.code, 2);
  assertStringIncludes(wrong.stderr, "CORETEX_API_KEY is required");
});

Deno.test("an incident goes through the four bundles, which need no module from anywhere", async () => {
  const made = await runTask("bundle:workers");
  assertEquals(made.code, 0, made.stderr);
  const folder = await Deno.makeTempDir();
  try {
    const cache = `${folder}/cache`;
    await Deno.mkdir(cache);
    for (const worker of WORKERS) {
      assertMatch(
        made.stdout,
        new RegExp(
          `dist/workers/${worker}\\.js +[\\d.]+ [KM]iB +reads its settings after \\d+ ms`,
        ),
      );
      // Away from the project, so that nothing of it can be found from there.
      await Deno.copyFile(
        `dist/workers/${worker}.js`,
        `${folder}/${worker}.js`,
      );
    }
    await using core = await startDevcore({ reloadMs: 200 });
    await using stand = await startStand({
      platformEnv: core.env,
      spawn: (worker, { flags }) => ({
        file: `${folder}/${worker}.js`,
        flags: [...flags, "--no-remote", "--no-npm", "--no-config"],
        more: { DENO_DIR: cache },
      }),
    });
    const { status, answer } = await stand.send({ ...sample, id: "bundled" });
    assertEquals(status, 202);
    const runId = String(answer["run_id"]);
    await approve(stand.platform, await stand.untilApproval(runId));
    const run = await stand.untilEnded(runId);
    assertEquals(run["status"], "succeeded");
    assertEquals(await filesBelow(`${cache}/npm`), []);
    assertEquals(await filesBelow(`${cache}/remote`), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("deno task compile bakes the permissions in and says so in its manifest", () =>
  withEnvFile(ENV_FILE, async (path) => {
    const { target } = Deno.build;
    // Any executable does for the step itself; nothing runs what comes of it.
    const runtime = Deno.build.os === "linux" ? "/bin/sh" : Deno.execPath();
    const args = ["--env-file", path, "--target", target];
    const { code, stdout, stderr } = await runTask(
      "compile",
      ["all", ...args],
      { DENORT_BIN: runtime },
    );
    assertEquals([code, stderr], [0, ""]);
    const permissions = JSON.parse(
      (await runTask("permissions", ["--json", "--env-file", path])).stdout,
    );
    const manifest: CompiledWorker[] = JSON.parse(
      await Deno.readTextFile("dist/bin/manifest.json"),
    );
    assertEquals(manifest.map(({ worker }) => worker), [...WORKERS]);
    for (const one of manifest) {
      const binary = await Deno.readFile(one.file);
      assertEquals(one.sha256, await sha256Hex(binary));
      assertEquals([one.bytes, one.target], [binary.length, target]);
      assertEquals(one.version, "0.1.0");
      assertEquals(one.permissions, permissions[one.worker]);
      assertStringIncludes(stdout, `${one.file}  `);
      // The flags are in the binary itself, not only in what is said of it.
      const text = new TextDecoder("latin1").decode(binary);
      for (const { host } of one.permissions.net) {
        assertStringIncludes(text, host);
      }
      await Deno.remove(one.file);
    }
    await Deno.remove("dist/bin/manifest.json");
  }));

Deno.test("deno task compile says what to do without the runtime", () =>
  withEnvFile(ENV_FILE, async (path) => {
    const { code, stderr } = await runTask(
      "compile",
      ["fetcher", "--env-file", path],
      { DENORT_BIN: "/no/such/denort" },
    );
    assertEquals(code, 1);
    assertStringIncludes(stderr, "DENORT_BIN=/path/to/denort");
    assertStringIncludes(stderr, "dl.deno.land");
    assert(!stderr.includes("Stack backtrace"));
    const wrong = await runTask("compile", ["--target", "pdp11"]);
    assertEquals(wrong.code, 2);
    assertStringIncludes(wrong.stderr, 'Unknown target "pdp11"');
  }));
