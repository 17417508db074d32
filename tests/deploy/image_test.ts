/**
 * The images: their Dockerfile, and what is built as it says.
 *
 * @module
 */
import { parseEnv } from "node:util";
import { assert, assertEquals, assertMatch } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { startDevcore } from "../../deploy/devcore/devcore.ts";
import { isAlive } from "../../deploy/healthcheck.ts";
import { approve } from "../../lib/operate/approvals.ts";
import { IMAGE_ENV } from "../../scripts/launch/files/render.ts";
import { WORKERS } from "../../scripts/launch/permissions.ts";
import { startStand } from "../../scripts/launch/stand.ts";
import {
  chainOf,
  execForm,
  parseDockerfile,
  read,
  ROOT,
} from "../support/deploy.ts";
import sample from "../../deploy/samples/sample_webhook.json" with {
  type: "json",
};

const dockerfile = parseDockerfile(await read("deploy/Dockerfile"));

Deno.test("Dockerfile: one target a worker, after one build", () => {
  const names = dockerfile.stages.map(({ name }) => name);
  assertEquals(names, ["build", "runtime", ...WORKERS]);
  for (const worker of WORKERS) {
    const stage = dockerfile.stages.find(({ name }) => name === worker)!;
    assertEquals(stage.from, "runtime");
    const file = `dist/workers/${worker}.js`;
    assertEquals(
      stage.instructions.filter(({ name }) => name === "COPY"),
      [{
        name: "COPY",
        text: `--from=build /source/${file} /worker/${worker}.js`,
      }],
    );
  }
});

Deno.test("Dockerfile: images run as nobody in particular, without a shell", () => {
  for (const worker of WORKERS) {
    const chain = chainOf(dockerfile, worker);
    const names = chain.map(({ name }) => name);
    assert(!names.includes("RUN") && !names.includes("SHELL"), worker);
    assert(!names.includes("ADD") && !names.includes("CMD"), worker);
    const users = chain.filter(({ name }) => name === "USER");
    assertEquals(users.map(({ text }) => text), ["65532:65532"]);
    for (const { name, text } of chain) {
      if (name === "ENTRYPOINT") assert(text.startsWith("["), text);
      if (name === "HEALTHCHECK") assert(/ CMD \[/.test(text), text);
      if (name === "ENTRYPOINT" || name === "HEALTHCHECK") {
        assertEquals(execForm(text)[0], "/bin/deno");
        assert(!execForm(text).some((word) => /^-c$|\bsh$/.test(word)), text);
      }
    }
    assert(names.includes("ENTRYPOINT") && names.includes("HEALTHCHECK"));
  }
});

Deno.test("Dockerfile: base, version and digests are arguments, no digest is made up", () => {
  const defaults = Object.fromEntries(
    dockerfile.head.map(({ name, text }) => {
      assertEquals(name, "ARG");
      return text.split("=") as [string, string];
    }),
  );
  assertEquals(defaults, {
    DENO_IMAGE: "denoland/deno",
    DENO_VERSION: Deno.version.deno,
    DENO_DIGEST: "",
    BASE_IMAGE: "gcr.io/distroless/cc-debian12:nonroot",
    BASE_DIGEST: "",
  });
  const images = dockerfile.stages.slice(0, 2).map(({ from }) => from);
  assertEquals(images, [
    "${DENO_IMAGE}:${DENO_VERSION}${DENO_DIGEST:+@${DENO_DIGEST}}",
    "${BASE_IMAGE}${BASE_DIGEST:+@${BASE_DIGEST}}",
  ]);
});

Deno.test("Dockerfile: every container serves its health where its flags allow it", () => {
  for (const worker of WORKERS) {
    const instructions = chainOf(dockerfile, worker);
    const set = instructions.flatMap(({ name, text }) =>
      name === "ENV" ? Object.entries(parseEnv(text.replaceAll(" ", "\n"))) : []
    );
    const given = new Map(set).get("HEALTH_ADDR");
    assertEquals(given, IMAGE_ENV["HEALTH_ADDR"]);
    const { text = "" } = instructions.findLast(({ name }) =>
      name === "ENTRYPOINT"
    ) ?? {};
    const [net] = execForm(text).filter((word) => /^--allow-net=/.test(word));
    assert(net?.split(/[=,]/).includes(given!), net);
  }
});

Deno.test("Dockerfile: what it reads is there and not ignored", async () => {
  const ignore = (await read("deploy/Dockerfile.dockerignore")).split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  assertEquals(ignore[0], "*");
  const kept = ignore.slice(1).map((line) => line.replace(/^!/, ""));
  for (const path of kept) await Deno.stat(new URL(path, ROOT));
  assertEquals(kept.filter((path) => path.includes("env")), []);
  const needed = ["deno.json", "deno.lock", "workers", "lib", "pack"];
  const linked = config.links.map((path) => path.replace("./", ""));
  for (const path of [...needed, ...linked, "deploy/healthcheck.ts"]) {
    assert(kept.some((one) => path === one || path.startsWith(`${one}/`)));
  }
  const [build] = dockerfile.stages;
  const runs = build!.instructions.filter(({ name }) => name === "RUN");
  assertEquals(runs.map(({ text }) => text), [
    "deno task bundle:workers",
    "deno bundle --platform=deno --output dist/workers/healthcheck.js deploy/healthcheck.ts",
  ]);
});

Deno.test("an incident goes through what the Dockerfile builds, which needs no module from anywhere", async (t) => {
  const ignore = await read("deploy/Dockerfile.dockerignore");
  const kept = [...ignore.matchAll(/^!(.+)$/gm)].map(([, path]) => path!);
  await using temporary = await makeTempDir();
  const context = `${temporary.path}/context`;
  // Away from the project, so that nothing of it can be found from there.
  const bundles = `${temporary.path}/worker`;
  const cache = `${temporary.path}/cache`;
  for (const path of [context, bundles, cache]) await Deno.mkdir(path);
  const [build] = dockerfile.stages;

  await t.step("what it is given is enough to build", async () => {
    for (const path of kept) {
      const parent = `${context}/${path}`.replace(/\/[^/]*$/, "");
      const copy = `mkdir -p "$1" && cp -R "$0" "$1"`;
      await run("sh", ["-c", copy, path, parent], { cwd: ROOT });
    }
    const printed: string[] = [];
    for (const { name, text } of build!.instructions) {
      if (name !== "RUN") continue;
      const [first, ...args] = text.split(" ");
      assertEquals(first, "deno");
      const { code, stdout, stderr } = await run(DENO, args, { cwd: context });
      assertEquals(code, 0, stderr);
      printed.push(stdout);
    }
    for (const worker of WORKERS) {
      assertMatch(
        printed[0]!,
        new RegExp(
          `dist/workers/${worker}\\.js +[\\d.]+ [KM]iB +reads its settings after \\d+ ms`,
        ),
      );
      const file = `${worker}.js`;
      await Deno.copyFile(
        `${context}/dist/workers/${file}`,
        `${bundles}/${file}`,
      );
    }
  });

  await t.step("each entry point starts without a cache", async () => {
    await Promise.all(WORKERS.map(async (worker) => {
      const { text = "" } = chainOf(dockerfile, worker).findLast(({ name }) =>
        name === "ENTRYPOINT"
      ) ?? {};
      const args = execForm(text).slice(1).map((word) =>
        word.replace(/^\/worker\//, `${bundles}/`)
      );
      const { code, stderr } = await run(DENO, args, {
        cwd: bundles,
        env: {
          DENO_DIR: "/nonexistent/deno",
          CORETEX_API_KEY: "any",
          CORETEX_GATEWAY_URL: "",
          CORDUM_GATEWAY_URL: "",
        },
      });
      assertEquals(code, 2, stderr);
      assert(stderr.startsWith("error: CORETEX_GATEWAY_URL is required"));
    }));
  });

  await t.step("an incident goes through them", async () => {
    await using core = await startDevcore({ reloadMs: 200 });
    await using stand = await startStand({
      platformEnv: core.env,
      spawn: (worker, { flags }) => ({
        file: `${bundles}/${worker}.js`,
        flags: [...flags, "--no-remote", "--no-npm", "--no-config"],
        more: { DENO_DIR: cache },
      }),
    });
    const { status, answer } = await stand.send({ ...sample, id: "bundled" });
    assertEquals(status, 202);
    const runId = String(answer["run_id"]);
    await approve(stand.platform, await stand.untilApproval(runId));
    assertEquals((await stand.untilEnded(runId))["status"], "succeeded");
    assertEquals(await filesBelow(`${cache}/npm`), []);
    assertEquals(await filesBelow(`${cache}/remote`), []);
  });
});

const DENO = Deno.execPath();

async function run(
  command: string,
  args: string[],
  options: Pick<Deno.CommandOptions, "cwd" | "env">,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args,
    ...options,
    env: { NO_COLOR: "1", ...options.env },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

async function makeTempDir(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir();
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
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

Deno.test("isAlive() goes by /healthz alone", async () => {
  let status = 200;
  const asked: string[] = [];
  await using server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
  }, (request) => {
    asked.push(new URL(request.url).pathname);
    return new Response("{}", { status });
  });
  const { hostname, port } = server.addr;
  assertEquals(await isAlive(`${hostname}:${port}`), true);
  status = 503;
  assertEquals(await isAlive(`${hostname}:${port}`), false);
  assertEquals(asked, ["/healthz", "/healthz"]);
  assertEquals(await isAlive("127.0.0.1:1"), false);
});

Deno.test("the images' health check runs with the flags that they give it", async () => {
  const { text = "" } =
    chainOf(dockerfile, "poster").findLast(({ name }) =>
      name === "HEALTHCHECK"
    ) ?? {};
  const command = execForm(text);
  assertEquals(command.at(-1), "127.0.0.1:9000");
  await using server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
  }, () => Response.json({ status: "ok" }));
  const ask = async (port: number) => {
    const args = command.slice(1).map((word) =>
      word.replace("/worker/healthcheck.js", "deploy/healthcheck.ts")
        .replace(":9000", `:${port}`)
    );
    return (await run(DENO, args, { cwd: ROOT })).code;
  };
  assertEquals(await ask(server.addr.port), 0);
  assertEquals(await ask(1), 1);
});
