/**
 * Starts the real servers with the users that deploy/ ships.
 *
 * @module
 */
import { sha256Hex } from "../../lib/base/digest.ts";
import { read } from "./deploy.ts";
import type { RealServer } from "../../scripts/launch/real_server.ts";
import { startRealNats, startRealRedis } from "./real_servers.ts";

/** Whose password stands at which place of the files. */
export const PASSWORDS = {
  PLATFORM: "platform-secret",
  FETCHER: "fetcher-secret",
  SUMMARIZER: "summarizer-secret",
  POSTER: "poster-secret",
  APPROVER: "approver-secret",
  OPERATOR: "operator-secret",
  DESK: "desk-secret",
};

/** One of them. */
export type UserName = keyof typeof PASSWORDS;

/** Those who use both servers. */
export const WORKERS_WITH_USERS = ["FETCHER", "SUMMARIZER", "POSTER"] as const;

/** Starts `nats-server` with deploy/nats/users.conf as it is. */
export async function startNatsWithUsers(
  args: readonly string[] = [],
): Promise<RealServer> {
  const env = Object.entries(PASSWORDS).map((
    [who, password],
  ) => [`${who}_NATS_PASSWORD`, password]);
  const server = await startRealNats(
    ["--config", "users.conf", ...args],
    undefined,
    {
      files: { "users.conf": await read("deploy/nats/users.conf") },
      env: Object.fromEntries(env),
    },
  );
  return server!;
}

/** The text of deploy/redis/users.acl, with the digests of the passwords. */
export async function aclFile(): Promise<string> {
  let text = await read("deploy/redis/users.acl");
  for (const [who, password] of Object.entries(PASSWORDS)) {
    text = text.replace(`#${who}_SHA256`, `#${await sha256Hex(password)}`);
  }
  return text;
}

/** Starts `redis-server` with them. */
export async function startRedisWithUsers(): Promise<RealServer> {
  const server = await startRealRedis(["--aclfile", "users.acl"], undefined, {
    files: { "users.acl": await aclFile() },
  });
  return server!;
}

/** The same URL with a user's credentials in it. */
export function as(
  who: UserName,
  url: string,
): string {
  const there = new URL(url);
  there.username = nameOf(who);
  there.password = PASSWORDS[who];
  return there.href;
}

/** What a user is called. */
export function nameOf(who: UserName): string {
  return who === "PLATFORM"
    ? "platform"
    : `incident-enricher-${who.toLowerCase()}`;
}
