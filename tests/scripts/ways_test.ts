/**
 * The ways to run a worker beside its file: by script and as a binary. Bundles
 * are in tests/deploy/image_test.ts.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { startNatsServer } from "../../deploy/devcore/nats_server.ts";
import { startRedisServer } from "../../deploy/devcore/redis_server.ts";
import { startGateway } from "../../deploy/standins/gateway.ts";
import { sha256Hex } from "../../lib/base/digest.ts";
import { main as bundleWorkers } from "../../scripts/bundle_workers.ts";
import { main as compile } from "../../scripts/compile.ts";
import { dropInOf } from "../../scripts/launch/files/render.ts";
import type { CompiledWorker } from "../../scripts/launch/ways.ts";
import { WORKERS } from "../../scripts/launch/permissions.ts";
import { WorkerProcess } from "../../scripts/launch/process.ts";
import { main as permissions } from "../../scripts/permissions.ts";
import { main as runWorker } from "../../scripts/run_worker.ts";
import { CommandError } from "../../scripts/terminal/command.ts";
import { call } from "../support/command.ts";
import { ENV_FILE, withEnvFile } from "../support/env_file.ts";
import { runTask, startTask } from "../support/task.ts";
import { until } from "../support/until.ts";

const FOLDER = "dist/ways_test";
/** Any executable does to compile with; nothing runs what comes of it. */
const RUNTIME = Deno.build.os === "linux" ? "/bin/sh" : Deno.execPath();

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
  await using gateway = startGateway();
  const text = `NATS_URL=${nats.url}\nREDIS_URL=${redis.url}\n` +
    `CORETEX_GATEWAY_URL=${gateway.url}\nCORETEX_API_KEY=s3cret-key\n`;
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

Deno.test("a worker that does not log what is expected is said to", async () => {
  const child = new Deno.Command("sh", {
    args: ["-c", "exec sleep 20"],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const worker = new WorkerProcess("poster", [], child);
  await assertRejects(
    () => worker.waitFor("Worker ready", 50),
    CommandError,
    "The poster did not log the expected line within 0.05 s",
  );
  await worker.kill();
});

Deno.test("run_worker says which worker or file there is not", async () => {
  const missing = await call(runWorker, ["fetcher", "--env-file", "/no"]);
  assertEquals(missing.code, 2);
  assertEquals(
    missing.stderr,
    "error: Cannot read /no: there is no such file or folder; " +
      "cp deploy/env.example /no makes one\n",
  );
  const folder = await call(runWorker, ["fetcher", "--env-file", "deploy"]);
  assertEquals(folder.stderr, "error: Cannot read deploy: it is a folder\n");
  for (const main of [runWorker, bundleWorkers, compile, permissions]) {
    const { code, stderr } = await call(main, ["nobody"]);
    assertEquals([code, stderr], [
      2,
      'error: There is no worker "nobody"; there are ingester, fetcher, summarizer, poster, desk; see --help\n',
    ]);
  }
});

Deno.test("deno task compile bakes the permissions in and says so in its manifest", () =>
  withEnvFile(ENV_FILE, async (path) => {
    const { target } = Deno.build;
    const { code, stdout, stderr } = await runTask(
      "compile",
      ["poster", "--env-file", path, "--target", target, "--out", FOLDER],
      { DENORT_BIN: RUNTIME },
    );
    assertEquals([code, stderr], [0, ""]);
    const derived = JSON.parse(
      (await call(permissions, ["--json", "--env-file", path])).stdout,
    );
    const manifest: CompiledWorker[] = JSON.parse(
      await Deno.readTextFile(`${FOLDER}/manifest.json`),
    );
    assertEquals(manifest.map(({ worker }) => worker), ["poster"]);
    const [one] = manifest;
    const binary = await Deno.readFile(one!.file);
    assertEquals(one!.sha256, await sha256Hex(binary));
    assertEquals([one!.bytes, one!.target], [binary.length, target]);
    assertEquals(one!.version, "0.4.0");
    assertEquals(one!.permissions, derived.poster);
    assertStringIncludes(stdout, `${one!.file}  `);
    // The flags are in the binary itself, not only in what is said of it.
    const text = new TextDecoder("latin1").decode(binary);
    assert(one!.permissions.net.length > 4);
    for (const { host } of one!.permissions.net) {
      assertStringIncludes(text, host);
    }
    await Deno.remove(FOLDER, { recursive: true });
  }));

Deno.test("deno task compile all gives each worker its own permissions", () =>
  withEnvFile(ENV_FILE, async (path) => {
    const folder = `${FOLDER}_all`;
    const { code, stderr } = await runTask(
      "compile",
      ["all", "--env-file", path, "--out", folder],
      { DENORT_BIN: RUNTIME },
    );
    assertEquals([code, stderr], [0, ""]);
    const derived = JSON.parse(
      (await call(permissions, ["--json", "--env-file", path])).stdout,
    );
    const manifest: CompiledWorker[] = JSON.parse(
      await Deno.readTextFile(`${folder}/manifest.json`),
    );
    assertEquals(
      manifest.map(({ worker, permissions }) => ({ worker, permissions })),
      WORKERS.map((worker) => ({ worker, permissions: derived[worker] })),
    );
    assertEquals(
      new Set(manifest.map(({ file }) => file)).size,
      WORKERS.length,
    );
    for (const { file, sha256, permissions } of manifest) {
      const binary = await Deno.readFile(file);
      assertEquals(sha256, await sha256Hex(binary));
      const text = new TextDecoder("latin1").decode(binary);
      const { net, env } = permissions;
      assertStringIncludes(text, JSON.stringify(net.map(({ host }) => host)));
      assertStringIncludes(text, JSON.stringify(env.map(({ name }) => name)));
    }
    await Deno.remove(folder, { recursive: true });
  }));

Deno.test("compile --service bakes in the secrets of the worker's unit", () =>
  withEnvFile(ENV_FILE, async (path) => {
    const folder = `${FOLDER}_service`;
    const { code, stderr } = await runTask(
      "compile",
      ["ingester", "--service", "--env-file", path, "--out", folder],
      { DENORT_BIN: RUNTIME },
    );
    assertEquals([code, stderr], [0, ""]);
    const [{ permissions }] = JSON.parse(
      await Deno.readTextFile(`${folder}/manifest.json`),
    );
    const unit = await Deno.readTextFile(dropInOf("ingester"));
    const [, files] = /--allow-read=(\S+)/.exec(unit)!;
    assertEquals(
      permissions.read.map(({ path }: { path: string }) => path).join(","),
      files,
    );
    await Deno.remove(folder, { recursive: true });
  }));

Deno.test("compile begins with the first of all workers, and says what to do without the runtime", () =>
  withEnvFile(ENV_FILE, async (path) => {
    for (const name of [[], ["all"]]) {
      const { code, stderr } = await runTask(
        "compile",
        [...name, "--env-file", path, "--out", FOLDER],
        { DENORT_BIN: "/no/such/denort" },
      );
      assertEquals(code, 1);
      assertStringIncludes(stderr, "Cannot compile the ingester: the runtime");
      assertStringIncludes(stderr, "DENORT_BIN=/path/to/denort");
      assertStringIncludes(stderr, "dl.deno.land");
      assert(!stderr.includes("Stack backtrace"));
    }
    const wrong = await call(compile, ["--target", "pdp11"]);
    assertEquals(wrong.code, 2);
    assertStringIncludes(
      wrong.stderr,
      'There is no target "pdp11"; there are x86_64-unknown-linux-gnu, ',
    );
    await Deno.remove(FOLDER, { recursive: true });
  }));
