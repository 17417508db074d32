/**
 * What the users of deploy/nats/users.conf cannot do, on a real `nats-server`.
 * tests/live/users_test.ts shows what they can.
 *
 * @module
 */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { connect, type NatsConnection } from "nats";
import { createLog } from "../../lib/base/log.ts";
import { connectBus } from "../../lib/platform/bus.ts";
import { Conversation } from "../../lib/platform/conversation.ts";
import type { PlatformConfig } from "../../lib/platform/settings.ts";
import { GatewayWatch } from "../../lib/platform/watch_gateway.ts";
import { read } from "../support/deploy.ts";
import { RawSocket } from "../support/raw_socket.ts";
import type { RealServer } from "../../scripts/launch/real_server.ts";
import { isMissing, startRealNats } from "../support/real_servers.ts";
import { until } from "../support/until.ts";
import {
  as,
  nameOf,
  PASSWORDS,
  startNatsWithUsers,
  type UserName,
  WORKERS_WITH_USERS,
} from "../support/users.ts";

/** What every worker publishes; all but the poster also report progress. */
const PUBLISHED = ["sys.heartbeat", "sys.handshake", "sys.job.result"];
const PROGRESS = "sys.job.progress";
/** What others publish, and what nobody does. */
const FOREIGN = [
  "sys.job.submit",
  "sys.job.cancel",
  "sys.job.dlq",
  "sys.workflow.event",
  "sys.other",
  "job.incident-enricher.post",
  "worker.somebody.jobs",
  "$JS.API.STREAM.NAMES",
  "_INBOX.any",
  ...WORKERS_WITH_USERS.map(jobsOf),
];
const WIDE = [">", "*", "sys.>", "sys.*.*", "worker.>", "worker.*.jobs"];

function jobsOf(who: UserName): string {
  return `worker.${nameOf(who)}.jobs`;
}

function enter(server: RealServer, who: UserName): Promise<NatsConnection> {
  const [user, pass] = [nameOf(who), PASSWORDS[who]];
  return connect({ servers: server.url, user, pass, reconnect: false });
}

const ignore = await isMissing(startRealNats);

Deno.test(
  "the users of NATS publish only what they should",
  { ignore },
  async () => {
    await using server = await startNatsWithUsers();
    const platform = await enter(server, "PLATFORM");
    const seen: string[] = [];
    platform.subscribe(">", {
      callback: (_, { subject }) => seen.push(subject),
    });
    await platform.flush();
    for (const who of WORKERS_WITH_USERS) {
      const worker = await enter(server, who);
      for (const subject of [...PUBLISHED, PROGRESS, ...FOREIGN]) {
        worker.publish(subject);
      }
      await worker.flush();
      await platform.flush();
      const may = who === "POSTER" ? PUBLISHED : [...PUBLISHED, PROGRESS];
      assertEquals(seen.splice(0), may, who);
      await worker.close();
    }
    await platform.close();
  },
);

Deno.test("the users of NATS hear only their own jobs and who is to stop", {
  ignore,
}, async () => {
  await using server = await startNatsWithUsers();
  for (const who of WORKERS_WITH_USERS) {
    const worker = await enter(server, who);
    const refused: string[] = [];
    const may = [jobsOf(who), "sys.job.cancel"];
    const asked = new Set([
      ...may,
      PROGRESS,
      ...PUBLISHED,
      ...FOREIGN,
      ...WIDE,
    ]);
    for (const subject of asked) {
      worker.subscribe(subject, {
        callback: (error) => error && refused.push(subject),
      });
    }
    await worker.flush();
    assertEquals([...asked.difference(new Set(refused))], may, who);
    await worker.close();
  }
});

Deno.test(
  "a worker with another worker's user ends before it announces itself",
  {
    ignore,
  },
  async () => {
    await using server = await startNatsWithUsers();
    const platform = await enter(server, "PLATFORM");
    const seen: string[] = [];
    platform.subscribe(">", {
      callback: (_, { subject }) => seen.push(subject),
    });
    await platform.flush();
    const log = createLog({}, { write() {} });
    for (const who of WORKERS_WITH_USERS) {
      const other = who === "POSTER" ? "FETCHER" : "POSTER";
      const url = as(other, server.url);
      const { signal } = new AbortController();
      await using bus = await connectBus({ url, name: "test", log, signal });
      await using watch = new GatewayWatch({
        ask: () => Promise.resolve(),
        log,
      });
      watch.start();
      const conversation = new Conversation({
        topic: "job.test",
        platform: { workerId: nameOf(who), maxParallel: 1 } as PlatformConfig,
        labels: {},
        bus,
        watch,
        log,
        mask: (text) => text,
        graceMs: 0,
        work: () => Promise.resolve(undefined),
      });
      await assertRejects(
        () => conversation.run(signal),
        Error,
        `This user of NATS may not subscribe to ${jobsOf(who)}`,
      );
      await bus.flush();
    }
    await platform.flush();
    assertEquals(seen, []);
    await platform.close();
  },
);

Deno.test("compose and Kubernetes files name each worker's own user", async () => {
  for (const file of ["docker-compose.workers.yaml", "k8s/workers.yaml"]) {
    const text = await read(`deploy/${file}`);
    for (const server of ["NATS", "REDIS"]) {
      const named = new RegExp(
        `^ *# (?:- name: )?${server}_USERNAME:?(?:\n *# +value:)? (\\S+)$`,
        "gm",
      );
      assertEquals(
        [...text.matchAll(named)].map(([, user]) => user),
        [...WORKERS_WITH_USERS, ...server === "REDIS" ? ["DESK"] as const : []]
          .map(nameOf),
      );
    }
  }
});

Deno.test("a worker says once which subject its user may not publish to", {
  ignore,
}, async () => {
  await using server = await startNatsWithUsers();
  const lines: string[] = [];
  await using bus = await connectBus({
    url: as("POSTER", server.url),
    name: "test",
    log: createLog({}, { write: (line) => lines.push(line) }),
    signal: new AbortController().signal,
  });
  for (let i = 0; i < 3; i++) bus.publish(PROGRESS, new Uint8Array());
  bus.publish("sys.heartbeat", new Uint8Array());
  await bus.flush();
  await until("the server's refusal", () => lines.length > 1);
  const said = lines.map((line) => JSON.parse(line)).slice(1);
  assertEquals(said.map(({ level, subject }) => [level, subject]), [
    ["error", PROGRESS],
  ]);
});

Deno.test(
  "with JetStream, as the platform uses it, a worker gets its jobs and no stream",
  {
    ignore,
  },
  async () => {
    const args = ["--jetstream", "--store_dir", "."];
    await using server = await startNatsWithUsers(args);
    const platform = await enter(server, "PLATFORM");
    const manager = await platform.jetstreamManager();
    await manager.streams.add({ name: "SYS", subjects: ["sys.>"] });
    await manager.streams.add({ name: "JOBS", subjects: ["worker.*.jobs"] });
    const worker = await enter(server, "POSTER");
    const seen: string[] = [];
    worker.subscribe(jobsOf("POSTER"), {
      callback: (error, message) =>
        seen.push(error?.message ?? message.subject),
    });
    await worker.flush();
    await platform.jetstream().publish(jobsOf("POSTER"));
    worker.publish("sys.job.result");
    await until("the job", () => seen.length > 0);
    assertEquals(seen, [jobsOf("POSTER")]);
    await until("the result", async () => {
      const { state } = await manager.streams.info("SYS");
      return state.messages === 1;
    });
    await assertRejects(() => worker.jetstreamManager(), Error, "Permissions");
    await worker.close();
    await platform.close();
  },
);

Deno.test("NATS lets nobody in without a password of their own", {
  ignore,
}, async () => {
  await using server = await startNatsWithUsers();
  const ask = async (credentials: { user?: string; pass?: string }) => {
    using socket = await RawSocket.open(server.port);
    await socket.readUntil("\r\n");
    const hello = JSON.stringify({ verbose: true, ...credentials });
    await socket.send(`CONNECT ${hello}\r\n`);
    return (await socket.readUntil("\r\n")).trim();
  };
  const VIOLATION = "-ERR 'Authorization Violation'";
  for (const who of [...WORKERS_WITH_USERS, "PLATFORM"] as const) {
    const user = nameOf(who);
    for (const [owner, pass] of Object.entries(PASSWORDS)) {
      assertEquals(
        await ask({ user, pass }),
        owner === who ? "+OK" : VIOLATION,
      );
    }
    assertEquals(await ask({ user }), VIOLATION);
  }
  assertEquals(await ask({}), VIOLATION);
});

Deno.test("NATS does not start while a password is missing", {
  ignore,
}, async () => {
  const command = new Deno.Command("nats-server", {
    args: ["-t", "--config", "deploy/nats/users.conf"],
  });
  const { code, stderr } = await command.output();
  assertEquals(code, 1);
  assertStringIncludes(
    new TextDecoder().decode(stderr),
    "variable reference for 'PLATFORM_NATS_PASSWORD'",
  );
});
