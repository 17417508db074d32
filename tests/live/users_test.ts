/**
 * The whole path on real servers that know a user per worker, as deploy/ ships
 * them.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Redis } from "ioredis";
import { connect } from "nats";
import { startDevcore } from "../../deploy/devcore/devcore.ts";
import sample from "../../deploy/samples/sample_webhook.json" with {
  type: "json",
};
import { startSlack } from "../../deploy/standins/slack.ts";
import { openPosts } from "../../lib/operate/posts.ts";
import { decodePacket } from "../../lib/platform/packet.ts";
import { writePublicKey, writeSigningKey } from "../../lib/post/keys.ts";
import { createKeys } from "../../lib/post/signature.ts";
import { main as approvals } from "../../scripts/approvals.ts";
import { freePort } from "../../scripts/launch/free_port.ts";
import { startStand } from "../../scripts/launch/stand.ts";
import { call } from "../support/command.ts";
import {
  isMissing,
  startRealNats,
  startRealRedis,
} from "../support/real_servers.ts";
import { until } from "../support/until.ts";
import {
  as,
  nameOf,
  PASSWORDS,
  startNatsWithUsers,
  startRedisWithUsers,
  WORKERS_WITH_USERS,
} from "../support/users.ts";

const { signal } = new AbortController();
const ALL_PUBLISH = ["sys.handshake", "sys.heartbeat", "sys.job.result"];

Deno.test(
  "the whole path with a user per worker, of which each may do exactly what it does",
  {
    ignore: await isMissing(startRealNats, startRealRedis),
  },
  async (t) => {
    const monitor = freePort();
    await using nats = await startNatsWithUsers(["--http_port", `${monitor}`]);
    await using redis = await startRedisWithUsers();
    const database = (url: string) => `${url.replace(/\/$/, "")}/1`;
    await using core = await startDevcore({
      reloadMs: 200,
      natsUrl: as("PLATFORM", nats.url),
      redisUrl: database(as("PLATFORM", redis.url)),
    });
    await using tap = await tapBus(as("PLATFORM", nats.url));
    await using slack = await startSlack();
    const keys = await createKeys();
    // The approver's, who needs no NATS.
    const platformEnv = {
      ...core.env,
      NATS_URL: nats.url,
      REDIS_URL: database(as("APPROVER", redis.url)),
    };
    await using stand = await startStand({
      platformEnv,
      slack,
      env: (worker) => {
        if (worker === "ingester") return {};
        const who = worker.toUpperCase() as "FETCHER" | "SUMMARIZER" | "POSTER";
        return {
          APPROVAL_PUBLIC_KEYS: writePublicKey(keys.public),
          NATS_USERNAME: nameOf(who),
          NATS_PASSWORD: PASSWORDS[who],
          REDIS_URL: database(redis.url),
          REDIS_USERNAME: nameOf(who),
          REDIS_PASSWORD: PASSWORDS[who],
        };
      },
    });

    await t.step("an approved incident is posted", async () => {
      const { answer } = await stand.send({ ...sample, id: "users" });
      const jobId = await stand.untilApproval(String(answer["run_id"]));
      const { code, stderr } = await call(approvals, [
        "approve",
        jobId,
        "--yes",
      ], {
        env: {
          ...platformEnv,
          APPROVAL_SIGNING_KEY: writeSigningKey(keys.signing),
        },
      });
      assertEquals([code, stderr], [0, ""]);
      assertEquals(slack.received.length, 1);
      const run = await stand.untilEnded(String(answer["run_id"]));
      assertEquals(run["status"], "succeeded");
    });

    await t.step("the operator lists and forgets the post", async () => {
      const url = database(as("OPERATOR", redis.url));
      await using posts = await openPosts({ url }, signal);
      const [post, ...more] = await posts.find(() => true);
      assertEquals(more, []);
      assertEquals(await posts.delete(post!.key), true);
    });

    await t.step("workers publish to all that they may", async () => {
      const subjects = tap.subjects();
      await until("every worker's handshake", () => subjects.size === 3);
      for (const who of WORKERS_WITH_USERS) {
        const progress = who === "POSTER" ? [] : ["sys.job.progress"];
        assertEquals(
          subjects.get(nameOf(who)),
          new Set([...ALL_PUBLISH, ...progress]),
          who,
        );
      }
    });

    await t.step("workers subscribe to all that they may", async () => {
      const url = `http://127.0.0.1:${monitor}/connz?auth=true&subs=true`;
      const { connections } = await (await fetch(url)).json() as {
        connections: {
          authorized_user: string;
          subscriptions_list: string[];
        }[];
      };
      for (const who of WORKERS_WITH_USERS) {
        const name = nameOf(who);
        const found = connections.find(({ authorized_user: user }) =>
          user === name
        );
        assertEquals(found?.subscriptions_list.toSorted(), [
          "sys.job.cancel",
          `worker.${name}.jobs`,
        ]);
      }
    });

    await t.step("neither server refused anything", async () => {
      assertEquals(nats.output.match(/.*violation.*/gi) ?? [], []);
      assertEquals(await redisRefusals(as("PLATFORM", redis.url)), []);
    });
  },
);

/** Notes on which subjects each sender's packets come by. */
async function tapBus(url: string) {
  const { username: user, password, host } = new URL(url);
  const pass = decodeURIComponent(password);
  const connection = await connect({ servers: host, user, pass });
  const found = new Map<string, Set<string>>();
  connection.subscribe("sys.>", {
    callback(_, { subject, data }) {
      const { senderId } = decodePacket(data);
      if (!senderId.startsWith("incident-enricher-")) return;
      if (!found.has(senderId)) found.set(senderId, new Set());
      found.get(senderId)!.add(subject);
    },
  });
  await connection.flush();
  return {
    subjects: () => found,
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

/** What Redis answered with an error since it started. */
async function redisRefusals(url: string): Promise<string[]> {
  const redis = new Redis(url, { disableClientInfo: true });
  const stats = await redis.info("errorstats");
  redis.disconnect();
  return stats.match(/^errorstat_.*$/gm) ?? [];
}
