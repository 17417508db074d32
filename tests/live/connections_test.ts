/**
 * Connections as operators have them: credentials and TLS, with the platform's
 * own names for the variables, against servers started that way.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { startNatsServer } from "../../deploy/devcore/nats_server.ts";
import { startRedisServer } from "../../deploy/devcore/redis_server.ts";
import { startGateway } from "../../deploy/standins/gateway.ts";
import { readConfig, type Settings } from "../../lib/base/config.ts";
import { deadline } from "../../lib/base/deadline.ts";
import { ConfigError } from "../../lib/base/errors.ts";
import { createLog } from "../../lib/base/log.ts";
import { connectBus } from "../../lib/platform/bus.ts";
import { Gateway } from "../../lib/platform/gateway.ts";
import { GatewayError } from "../../lib/platform/gateway_error.ts";
import {
  BUS_SETTINGS,
  busEndpoint,
  GATEWAY_SETTINGS,
  gatewayEndpoint,
  STORE_SETTINGS,
  storeEndpoint,
} from "../../lib/platform/settings.ts";
import { connectStore } from "../../lib/platform/store.ts";
import { derivePermissions } from "../../scripts/launch/permissions.ts";
import { cacheWorkers, spawnWorker } from "../../scripts/launch/process.ts";
import {
  isMissing,
  startRealNats,
  startRealRedis,
} from "../support/real_servers.ts";
import { sideBySide } from "../support/side_by_side.ts";
import { until } from "../support/until.ts";

const pem = (name: string) =>
  new URL(`../testdata/tls/${name}`, import.meta.url).pathname;
const NATS_TLS = [
  "--tls",
  "--tlscert",
  pem("server.pem"),
  "--tlskey",
  pem("server.key"),
];
const NATS_MUTUAL = [
  ...NATS_TLS,
  "--tlsverify",
  "--tlscacert",
  pem("ca.pem"),
];
const REDIS_MUTUAL = [
  "--tls-cert-file",
  pem("server.pem"),
  "--tls-key-file",
  pem("server.key"),
  "--tls-ca-cert-file",
  pem("ca.pem"),
];
const REDIS_TLS = [...REDIS_MUTUAL, "--tls-auth-clients", "no"];

type Env = Record<string, string>;
const CA = pem("ca.pem");
const CLIENT = (prefix: string): Env => ({
  [`${prefix}_TLS_CERT`]: pem("client.pem"),
  [`${prefix}_TLS_KEY`]: pem("client.key"),
});

const WORKER_ENV: Env = {
  CORETEX_GATEWAY_URL: "https://127.0.0.1:8081",
  CORETEX_API_KEY: "k3y",
  CORETEX_TLS_CA: CA,
};

/** `env` with the server's address where `HOST` stands. */
function withHost(env: Env, port: number): Env {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name,
      value.replace("HOST", `127.0.0.1:${port}`),
    ]),
  );
}

function read<S extends Settings>(settings: S, env: Env, port: number) {
  const there = withHost(env, port);
  return readConfig(settings, (name) => there[name]);
}

/** Time for one attempt, not for a second. */
const BRIEF_MS = 400;
const LONG_MS = 10_000;

interface Attempt {
  lines: string[];
  /** Whether it is expected to connect. */
  works: boolean;
}

function client({ lines }: Attempt, signal: AbortSignal) {
  const log = createLog({}, { write: (line) => lines.push(line) });
  return { name: "test", log, signal };
}

async function tryBus(
  env: Env,
  port: number,
  attempt: Attempt = { lines: [], works: false },
): Promise<void> {
  using end = deadline(attempt.works ? LONG_MS : BRIEF_MS);
  await using bus = await connectBus({
    ...busEndpoint(read(BUS_SETTINGS, env, port)),
    ...client(attempt, end.signal),
  });
  await bus.flush();
}

async function tryStore(
  env: Env,
  port: number,
  attempt: Attempt,
): Promise<void> {
  using end = deadline(LONG_MS);
  const { signal } = end;
  await using store = await connectStore({
    ...storeEndpoint(read(STORE_SETTINGS, env, port)),
    ...client(attempt, signal),
  });
  await store.write("key", "value", 60, signal);
  assertEquals(await store.read("key", 100, signal), "value");
}

interface Row {
  name: string;
  args: string[];
  env: Env;
  works: boolean;
}

const NATS_ROWS: Row[] = [
  {
    name: "a token",
    args: ["--auth", "t0ken-of-nats"],
    env: { NATS_URL: "nats://HOST", NATS_TOKEN: "t0ken-of-nats" },
    works: true,
  },
  {
    name: "a wrong token",
    args: ["--auth", "t0ken-of-nats"],
    env: { NATS_URL: "nats://HOST", NATS_TOKEN: "s3cret-but-wrong" },
    works: false,
  },
  {
    name: "user and password",
    args: ["--user", "ada", "--pass", "p4ss-of-ada"],
    env: {
      NATS_URL: "nats://HOST",
      NATS_USERNAME: "ada",
      NATS_PASSWORD: "p4ss-of-ada",
    },
    works: true,
  },
  {
    name: "user and password in the URL",
    args: ["--user", "ada", "--pass", "p4ss/of ada"],
    env: { NATS_URL: "nats://ada:p4ss%2Fof%20ada@HOST" },
    works: true,
  },
  {
    name: "no password where one is needed",
    args: ["--user", "ada", "--pass", "p4ss-of-ada"],
    env: { NATS_URL: "nats://HOST" },
    works: false,
  },
  {
    name: "TLS with our own authority",
    args: NATS_TLS,
    env: { NATS_URL: "tls://HOST", NATS_TLS_CA: CA },
    works: true,
  },
  {
    name: "TLS with an authority that did not sign",
    args: NATS_TLS,
    env: { NATS_URL: "tls://HOST", NATS_TLS_CA: pem("other_ca.pem") },
    works: false,
  },
  {
    name: "TLS with no authority named",
    args: NATS_TLS,
    env: { NATS_URL: "tls://HOST" },
    works: false,
  },
  {
    name: "a client certificate",
    args: NATS_MUTUAL,
    env: { NATS_URL: "tls://HOST", NATS_TLS_CA: CA, ...CLIENT("NATS") },
    works: true,
  },
  {
    name: "another name in the certificate",
    args: NATS_TLS,
    env: {
      NATS_URL: "tls://HOST",
      NATS_TLS_CA: CA,
      NATS_TLS_SERVER_NAME: "server.test",
    },
    works: true,
  },
  {
    name: "a name that is not in the certificate",
    args: NATS_TLS,
    env: {
      NATS_URL: "tls://HOST",
      NATS_TLS_CA: CA,
      NATS_TLS_SERVER_NAME: "elsewhere.test",
    },
    works: false,
  },
  {
    name: "TLS asked for, and a server in the clear",
    args: ["--auth", "t0ken-of-nats"],
    env: {
      NATS_URL: "nats://HOST",
      NATS_TLS_CA: CA,
      NATS_TOKEN: "t0ken-of-nats",
    },
    works: false,
  },
];

const REDIS_ROWS: Row[] = [
  {
    name: "a password",
    args: ["--requirepass", "p4ss-of-redis"],
    env: { REDIS_URL: "redis://HOST", REDIS_PASSWORD: "p4ss-of-redis" },
    works: true,
  },
  {
    name: "a password, and the address as host:port",
    args: ["--requirepass", "p4ss-of-redis"],
    env: { REDIS_ADDR: "HOST", REDIS_PASSWORD: "p4ss-of-redis" },
    works: true,
  },
  {
    name: "user, password and database in the URL",
    args: ["--user", "ada", "on", ">p4ss/of-ada", "~*", "&*", "+@all"],
    env: { REDIS_URL: "redis://ada:p4ss%2Fof-ada@HOST/3" },
    works: true,
  },
  {
    name: "a wrong password",
    args: ["--requirepass", "p4ss-of-redis"],
    env: { REDIS_URL: "redis://HOST", REDIS_PASSWORD: "s3cret-but-wrong" },
    works: false,
  },
  {
    name: "TLS with our own authority, and a password",
    args: [...REDIS_TLS, "--requirepass", "p4ss-of-redis"],
    env: {
      REDIS_URL: "rediss://HOST",
      REDIS_TLS_CA: CA,
      REDIS_PASSWORD: "p4ss-of-redis",
    },
    works: true,
  },
  {
    name: "TLS because an authority is named",
    args: REDIS_TLS,
    env: { REDIS_URL: "redis://HOST", REDIS_TLS_CA: CA },
    works: true,
  },
  {
    name: "TLS with an authority that did not sign",
    args: REDIS_TLS,
    env: { REDIS_URL: "rediss://HOST", REDIS_TLS_CA: pem("other_ca.pem") },
    works: false,
  },
  {
    name: "a client certificate",
    args: REDIS_MUTUAL,
    env: { REDIS_URL: "rediss://HOST", REDIS_TLS_CA: CA, ...CLIENT("REDIS") },
    works: true,
  },
  {
    name: "no client certificate where one is needed",
    args: REDIS_MUTUAL,
    env: { REDIS_URL: "rediss://HOST", REDIS_TLS_CA: CA },
    works: false,
  },
  {
    name: "another name in the certificate",
    args: REDIS_TLS,
    env: {
      REDIS_URL: "rediss://HOST",
      REDIS_TLS_CA: CA,
      REDIS_TLS_SERVER_NAME: "server.test",
    },
    works: true,
  },
  {
    name: "a name that is not in the certificate",
    args: REDIS_TLS,
    env: {
      REDIS_URL: "rediss://HOST",
      REDIS_TLS_CA: CA,
      REDIS_TLS_SERVER_NAME: "elsewhere.test",
    },
    works: false,
  },
  {
    name: "TLS asked for, and a server in the clear",
    args: [],
    env: { REDIS_URL: "rediss://HOST", REDIS_TLS_CA: CA },
    works: false,
  },
];

await cacheWorkers(["fetcher"]);
const noNats = await isMissing(startRealNats);
const noRedis = await isMissing(startRealRedis);

Deno.test({
  name: "nats-server: credentials and TLS connect, or are refused",
  ignore: noNats,
  fn: () =>
    sideBySide(NATS_ROWS, async ({ args, env, works }) => {
      const attempt = { lines: [], works };
      await using server = await startRealNats(args);
      const trying = tryBus(env, server!.port, attempt);
      if (works) await trying;
      else await assertRejects(() => trying, Error);
      assertSecretsKept(attempt.lines);
    }),
});

Deno.test({
  name: "redis-server: credentials and TLS connect, or are refused",
  ignore: noRedis,
  fn: () =>
    sideBySide(REDIS_ROWS, async ({ args, env, works }) => {
      const attempt = { lines: [], works };
      await using server = await startRealRedis(args);
      if (works) await tryStore(env, server!.port, attempt);
      else await assertWorkerRefused(env, server!.port, attempt.lines);
      assertSecretsKept(attempt.lines);
    }),
});

/** In a process of its own: the client's timers outlive a failed connection. */
async function assertWorkerRefused(
  env: Env,
  port: number,
  lines: string[] = [],
): Promise<void> {
  await using worker = spawnWorker("fetcher", ["network:egress"], {
    ...WORKER_ENV,
    ...withHost(env, port),
  });
  // Twice: it has survived the first, and goes on.
  await until("a second attempt", () => {
    const failed = "Cannot connect to Redis, trying again";
    return worker.lastLines.filter((line) => line.includes(failed)).length > 1;
  }, 20_000);
  assertEquals(await worker.stop(), 0);
  lines.push(...worker.lastLines);
}

function assertSecretsKept(lines: readonly string[]): void {
  for (const secret of ["t0ken", "p4ss", "s3cret", "PRIVATE KEY"]) {
    assert(!lines.join("\n").includes(secret), `a line has ${secret}`);
  }
}

Deno.test("a certificate without its key is a wrong environment", () => {
  const half = {
    NATS_TLS_CERT: pem("client.pem"),
    REDIS_TLS_KEY: pem("client.key"),
  };
  assertThrows(
    () => busEndpoint(read(BUS_SETTINGS, half, 1)),
    ConfigError,
    "NATS_TLS_CERT and NATS_TLS_KEY must be set together",
  );
  assertThrows(
    () => storeEndpoint(read(STORE_SETTINGS, half, 1)),
    ConfigError,
    "REDIS_TLS_CERT and REDIS_TLS_KEY must be set together",
  );
});

async function serveGateway(): Promise<AsyncDisposable & { port: number }> {
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    cert: await Deno.readTextFile(pem("server.pem")),
    key: await Deno.readTextFile(pem("server.key")),
    onListen() {},
  }, () => Response.json({ ok: true }));
  return {
    port: server.addr.port,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

for (
  const [name, ca, works] of [
    ["signed by our own authority answers", "ca.pem", true],
    ["signed by another authority is not called", "other_ca.pem", false],
    ["signed by nobody known is not called", undefined, false],
  ] as const
) {
  Deno.test(`a gateway over https ${name}`, async () => {
    await using server = await serveGateway();
    const env = {
      CORETEX_GATEWAY_URL: "https://HOST",
      CORDUM_API_KEY: "k3y",
      ...(ca === undefined ? {} : { CORDUM_TLS_CA: pem(ca) }),
    };
    using gateway = new Gateway({
      ...gatewayEndpoint(read(GATEWAY_SETTINGS, env, server.port)),
      deadlineMs: 300,
    });
    const { signal } = new AbortController();
    const calling = gateway.call("GET", "/status", { signal });
    if (works) return assertEquals(await calling, { ok: true });
    const error = await assertRejects(() => calling, GatewayError);
    assertStringIncludes(error.message, "TLS handshake failed");
  });
}

Deno.test("the files that the environment names may be read, those and no others", () => {
  const { read, flags } = derivePermissions("fetcher", [], (name) =>
    ({
      ...WORKER_ENV,
      NATS_TLS_CA: "/etc/nats/ca.pem",
      NATS_TOKEN_FILE: "/run/secrets/token",
      ...CLIENT("REDIS"),
    })[name]);
  assertEquals(
    read.map(({ path, why }) => [why, path]).toSorted(),
    [
      ["CORETEX_TLS_CA", CA],
      ["NATS_TLS_CA", "/etc/nats/ca.pem"],
      ["NATS_TOKEN_FILE", "/run/secrets/token"],
      ["REDIS_TLS_CERT", pem("client.pem")],
      ["REDIS_TLS_KEY", pem("client.key")],
    ],
  );
  assertEquals(
    flags.filter((flag) => flag.startsWith("--allow-read")),
    [`--allow-read=${read.map(({ path }) => path).join(",")}`],
  );
});

Deno.test({
  name:
    "a worker process connects with certificates, token and password from files",
  ignore: noNats || noRedis,
  fn: async () => {
    const token = await Deno.makeTempFile();
    await Deno.writeTextFile(token, "p4ss-of-redis\n");
    await using nats = await startRealNats(NATS_MUTUAL);
    await using redis = await startRealRedis([
      ...REDIS_MUTUAL,
      "--requirepass",
      "p4ss-of-redis",
    ]);
    await using gateway = startGateway();
    await using worker = spawnWorker("fetcher", ["network:egress"], {
      ...WORKER_ENV,
      CORETEX_GATEWAY_URL: gateway.url,
      NATS_URL: `tls://127.0.0.1:${nats!.port}`,
      NATS_TLS_CA: CA,
      ...CLIENT("NATS"),
      REDIS_URL: redis!.url,
      REDIS_PASSWORD_FILE: token,
      REDIS_TLS_CA: CA,
      ...CLIENT("REDIS"),
    });
    await worker.waitFor("Worker ready", 20_000);
    assertEquals(await worker.stop(), 0);
    await Deno.remove(token);
  },
});

// What stands in for the servers must be as strict as they are.
Deno.test("the embedded servers speak no TLS, and a client that asks for it is refused", async () => {
  await using nats = await startNatsServer();
  await using redis = await startRedisServer();
  const [natsPort, redisPort] = [nats.url, redis.url].map((url) =>
    Number(new URL(url).port)
  );
  await assertRejects(() => tryBus({ NATS_URL: "tls://HOST" }, natsPort!));
  await assertWorkerRefused({ REDIS_URL: "rediss://HOST" }, redisPort!);
});
