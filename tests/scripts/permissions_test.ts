/**
 * What each worker may do, and the command that prints it.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { variablesOf } from "../../lib/base/config.ts";
import { ConfigError } from "../../lib/base/errors.ts";
import { readRequirements } from "../../scripts/launch/environment.ts";
import {
  derivePermissions,
  type Permissions,
  readWorkerNames,
  splitNet,
  toFlags,
  WORKER_SETTINGS,
  WORKERS,
} from "../../scripts/launch/permissions.ts";
import { main } from "../../scripts/permissions.ts";
import { call } from "../support/command.ts";
import { ENV_FILE, withEnvFile } from "../support/env_file.ts";

const ENV: Record<string, string> = {
  NATS_URL: "nats://nats.internal:4222",
  REDIS_URL: "redis://:pw@redis.internal",
  CORETEX_GATEWAY_URL: "https://gateway.internal",
  CORETEX_API_KEY: "k",
  INGESTER_ADDR: "0.0.0.0:8088",
};
const env = (more: Record<string, string> = {}) => (name: string) =>
  ({ ...ENV, ...more })[name];
const requirements = await readRequirements();
const netOf = (worker: typeof WORKERS[number], more = {}) =>
  derivePermissions(worker, requirements[worker], env(more)).net.map((
    { host },
  ) => host);

Deno.test("derivePermissions() grants each worker the platform and what its topic requires", () => {
  const platform = [
    "nats.internal:4222",
    "redis.internal:6379",
    "gateway.internal:443",
  ];
  assertEquals(netOf("fetcher"), platform);
  assertEquals(netOf("summarizer"), platform);
  assertEquals(netOf("poster"), [...platform, "hooks.slack.com:443"]);
  assertEquals(netOf("ingester"), ["0.0.0.0:8088", "gateway.internal:443"]);
});

Deno.test("derivePermissions() follows the poster's allowed hosts", () => {
  const hosts = netOf("poster", {
    SLACK_ALLOWED_HOSTS: "hooks.slack.com, slack.example:8443",
  });
  assertEquals(hosts.slice(3), ["hooks.slack.com:443", "slack.example:8443"]);
});

Deno.test("derivePermissions() grants the summarizer the one host of its model, and none without one", () => {
  const all = {
    OPENAI_API_KEY: "k",
    OPENAI_MODEL: "m",
    OPENAI_BASE_URL: "http://vllm.internal:8000/v1",
    OLLAMA_MODEL: "m",
    ANTHROPIC_MODEL: "m",
  };
  const hosts = (provider: string, more = {}) =>
    netOf("summarizer", { ...all, LLM_PROVIDER: provider, ...more }).slice(3);
  assertEquals(netOf("summarizer", all).slice(3), []);
  assertEquals(hosts("mock"), []);
  assertEquals(hosts("builtin"), []);
  assertEquals(hosts("openai"), ["vllm.internal:8000"]);
  assertEquals(hosts("openai", { OPENAI_BASE_URL: "" }), [
    "api.openai.com:443",
  ]);
  assertEquals(hosts("ollama"), ["127.0.0.1:11434"]);
  assertEquals(hosts("anthropic"), ["api.anthropic.com:443"]);
  // And nobody else, whatever they are told.
  for (const worker of ["fetcher", "poster", "ingester"] as const) {
    assertEquals(
      netOf(worker, { ...all, LLM_PROVIDER: "openai" }),
      netOf(worker),
    );
  }
});

Deno.test("derivePermissions() pins every host to a port, and never grants all", () => {
  for (const worker of WORKERS) {
    const { flags } = derivePermissions(worker, requirements[worker], env());
    assert(
      flags.includes("--no-prompt") && flags.includes("--cached-only") &&
        flags.includes("--ignore-env"),
    );
    const net = flags.find((flag) => flag.startsWith("--allow-net="))!;
    for (const host of net.slice("--allow-net=".length).split(",")) {
      assert(/^[\w.-]+:\d+$/.test(host), host);
    }
    const kinds = flags.filter((flag) => flag.startsWith("--allow")).map((
      flag,
    ) => flag.split("=")[0]);
    assertEquals(kinds, ["--allow-net", "--allow-env"]);
  }
});

Deno.test("derivePermissions() permits exactly the variables that the worker reads", () => {
  for (const worker of WORKERS) {
    const { flags } = derivePermissions(worker, requirements[worker], env());
    const granted = flags.find((flag) => flag.startsWith("--allow-env="))!
      .slice("--allow-env=".length).split(",");
    assertEquals(granted, variablesOf(WORKER_SETTINGS[worker]));
  }
});

Deno.test("derivePermissions() knows every requirement of the pack, and refuses one that it does not", () => {
  for (const worker of WORKERS) {
    derivePermissions(worker, requirements[worker], env());
  }
  assertEquals(Object.values(requirements).flat().toSorted(), [
    "llm",
    "network:egress",
    "slack:webhook",
  ]);
  assertThrows(
    () => derivePermissions("fetcher", ["gpu"], env()),
    RangeError,
    'Nothing is known of the requirement "gpu"',
  );
});

Deno.test("derivePermissions() says which variable is missing", () => {
  assertThrows(
    () => derivePermissions("ingester", [], () => undefined),
    ConfigError,
    "CORETEX_GATEWAY_URL is required (HTTP address of the platform's gateway)",
  );
});

Deno.test("derivePermissions() permits the file of a secret, that file and nothing else", () => {
  const { CORETEX_API_KEY: _, ...rest } = ENV;
  const withFile = (name: string) =>
    ({ ...rest, CORETEX_API_KEY_FILE: "/run/secrets/key" } as Record<
      string,
      string
    >)[name];
  const { read, flags } = derivePermissions(
    "fetcher",
    requirements.fetcher,
    withFile,
  );
  assertEquals(read, [{
    path: "/run/secrets/key",
    why: "CORETEX_API_KEY_FILE",
  }]);
  assertEquals(flags.at(-1), "--allow-read=/run/secrets/key");
});

Deno.test("derivePermissions() permits the two files of Kubernetes, wherever they are", () => {
  const reads = (more: Record<string, string>) =>
    derivePermissions("fetcher", requirements.fetcher, env(more)).read.map(
      ({ path, why }) => `${why}=${path}`,
    );
  const KUBERNETES_API_URL = "https://kube.internal:6443";
  const account = "/var/run/secrets/kubernetes.io/serviceaccount";
  assertEquals(reads({}), []);
  assertEquals(reads({ KUBERNETES_API_URL }), [
    `KUBERNETES_TOKEN_FILE=${account}/token`,
    `KUBERNETES_CA_FILE=${account}/ca.crt`,
  ]);
  // With another token, the usual authorities count unless a file is named.
  const KUBERNETES_TOKEN_FILE = "/etc/kube/token";
  assertEquals(reads({ KUBERNETES_API_URL, KUBERNETES_TOKEN_FILE }), [
    "KUBERNETES_TOKEN_FILE=/etc/kube/token",
  ]);
  assertThrows(
    () => reads({ KUBERNETES_API_URL, KUBERNETES_CA_FILE: "/a,/etc/passwd" }),
    ConfigError,
    "KUBERNETES_CA_FILE must name a file without a comma",
  );
});

for (const name of ["NATS_URL", "REDIS_URL", "CORETEX_GATEWAY_URL"]) {
  const scheme = new URL(ENV[name]!).protocol;
  for (const host of ["evil.example,nats:1", "*.example:1", "a%2Cb:1"]) {
    Deno.test(`derivePermissions() grants nothing for ${name}=${scheme}//${host}`, () => {
      assertThrows(
        () =>
          derivePermissions(
            "fetcher",
            requirements.fetcher,
            env({ [name]: `${scheme}//${host}` }),
          ),
        ConfigError,
        name,
      );
    });
  }
}

for (const path of ["/a,/etc/passwd", "/a\n/b", "/a\r/b", "/a\u2028/b"]) {
  Deno.test(`derivePermissions() grants nothing for the file ${JSON.stringify(path)}`, () => {
    const error = assertThrows(
      () =>
        derivePermissions(
          "fetcher",
          requirements.fetcher,
          env({ NATS_TLS_CA: path }),
        ),
      ConfigError,
      "NATS_TLS_CA must name a file without a comma",
    );
    assert(!error.message.includes(path));
  });
}

Deno.test("toFlags() grants a host with a port only", () => {
  for (const host of ["h", "h:", "a,b:1", "a b:1", "*.a:1", ":1"]) {
    assertThrows(
      () => toFlags({ net: [{ host, why: "NATS" }], env: [], read: [] }),
      ConfigError,
      "The host of NATS must be one name or address with a port",
    );
  }
});

Deno.test("a blank in a file's name never makes a second flag", async () => {
  const more = { NATS_TLS_CA: "/a --allow-run" };
  const line = await call(main, ["fetcher", "--flags"], {
    env: { ...ENV, ...more },
  });
  assertEquals([line.code, line.stdout], [2, ""]);
  assertStringIncludes(
    line.stderr,
    "NATS_TLS_CA must name a file without blanks",
  );
  const shown = await call(main, ["fetcher"], { env: { ...ENV, ...more } });
  assertStringIncludes(shown.stdout, " '--allow-read=/a --allow-run'");
});

Deno.test("splitNet() tells addresses that a worker listens on from those that it calls", () => {
  const { net } = derivePermissions(
    "ingester",
    [],
    // The gateway on the very port that the worker serves its health on.
    env({ HEALTH_ADDR: "[::1]:80", CORETEX_GATEWAY_URL: "http://[::1]" }),
  );
  const { listens, peers } = splitNet(net);
  assertEquals(listens.map(({ host }) => host), ["0.0.0.0:8088", "[::1]:80"]);
  assertEquals(peers.map(({ host }) => host), ["[::1]:80"]);
});

Deno.test("readWorkerNames() takes none for all, in the order of the path", () => {
  assertEquals(readWorkerNames([]), WORKERS);
  assertEquals(readWorkerNames(["poster", "fetcher"]), ["poster", "fetcher"]);
});

Deno.test("permissions prints each permission with its reason", () =>
  withEnvFile(ENV_FILE, async (path) => {
    const args = ["poster", "--env-file", path];
    const { code, stdout } = await call(main, args);
    assertEquals(code, 0);
    for (
      const row of [
        /net +nats\.example:4222 +NATS/,
        /net +redis\.example:6380 +Redis/,
        /net +gateway\.example:443 +the gateway/,
        /net +hooks\.slack\.com:443 +slack:webhook/,
        /net +127\.0\.0\.1:9000 +serves its health here/,
        /env +WORKER_TOKEN_FILE +credential .*, in a file/,
      ]
    ) assertMatch(stdout, row);
    assertStringIncludes(
      stdout,
      "--no-prompt --cached-only --ignore-env --allow-net=127.0.0.1:9000,nats.example:4222,redis.example:6380,gateway.example:443,hooks.slack.com:443 --allow-env=NATS_URL,",
    );
  }));

Deno.test("permissions --json has the shape that others rely on", () =>
  withEnvFile(ENV_FILE, async (path) => {
    const { stdout } = await call(main, ["--json", "--env-file", path]);
    const all = JSON.parse(stdout);
    assertEquals(Object.keys(all), [...WORKERS]);
    const bare = await call(main, ["--flags", "--env-file", path]);
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
  const bare = await call(main, ["fetcher"]);
  assertEquals(bare.code, 2);
  assertStringIncludes(bare.stderr, "CORETEX_GATEWAY_URL is required");
  assertStringIncludes(bare.stderr, "--env-file");
  await withEnvFile("NATS_ULR=nats://nats\n", async (path) => {
    const { code, stderr } = await call(main, ["--env-file", path]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, "sets NATS_ULR, which no worker reads");
  });
});
