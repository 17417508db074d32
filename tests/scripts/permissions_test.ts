import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../lib/base/errors.ts";
import { variablesOf } from "../../lib/base/config.ts";
import {
  derivePermissions,
  WORKER_SETTINGS,
  WORKERS,
} from "../../scripts/launch/permissions.ts";
import { readRequirements } from "../../scripts/launch/environment.ts";

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
