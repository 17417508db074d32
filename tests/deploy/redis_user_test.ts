/**
 * What the users of deploy/redis/users.acl can and cannot do, on a real
 * `redis-server`.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Redis } from "ioredis";
import { createLog } from "../../lib/base/log.ts";
import { historyKey } from "../../lib/history.ts";
import { decisionsKey } from "../../lib/operate/decisions.ts";
import { noticeKey } from "../../lib/operate/notices/record.ts";
import { lookForTwin } from "../../lib/platform/instance.ts";
import { tokensKey } from "../../lib/summary/model/budget.ts";
import {
  connectStore,
  SNAPSHOT_KEY,
  type Store,
  StoreError,
} from "../../lib/platform/store.ts";
import { freePort } from "../../scripts/launch/free_port.ts";
import { RawSocket } from "../support/raw_socket.ts";
import type { RealServer } from "../../scripts/launch/real_server.ts";
import { isMissing, startRealRedis } from "../support/real_servers.ts";
import {
  aclFile,
  as,
  nameOf,
  PASSWORDS,
  startRedisWithUsers,
  type UserName,
} from "../support/users.ts";

const { signal } = new AbortController();
const log = createLog({}, { write() {} });
const LONG = 20_000; // Read in two parts.
const RECORD = "incident-enricher:posted:default:mock:1:artifact";
const JOB = "0b9f5a3e-0000-4000-8000-000000000001";
const APPROVAL = `incident-enricher:approval:${JOB}:post@1`;
const NOTICE = noticeKey({ jobId: `${JOB}:post@1`, since: 0 });
const DECISIONS = decisionsKey(0);
const DESTINATION = `incident-enricher:destination:${nameOf("POSTER")}`;
const ignore = await isMissing(startRealRedis);

type Call = (store: Store) => Promise<unknown>;
type Calls = Readonly<Record<string, Call>>;

const write = (key: string): Call => (store) =>
  store.write(key, "{}", 60, signal);
const readAll = (key: string): Call => (store) =>
  store.read(key, 2 * LONG, signal);
const append = (key: string): Call => (store) => store.append(key, "x", signal);
const find = (prefix: string): Call => (store) =>
  Array.fromAsync(store.scan(prefix, signal));
const list = (key: string): Call => (store) => store.list(key, signal);

/** What a worker does for the jobs of its step. */
function worker(who: UserName, step: string): Calls {
  const job = `${JOB}:${step}@1`;
  return {
    [`read the input of ${step}`]: readAll(`ctx:${job}`),
    [`write the result of ${step}`]: write(`res:${job}`),
    [`write why ${step} failed`]: write(`res:${job}:error`),
    "look at the workers": readAll(SNAPSHOT_KEY),
    [`look for a twin of ${step}`]: async (store) => {
      assertEquals(await lookForTwin(store, nameOf(who))(signal), undefined);
    },
  };
}

const TOKENS = tokensKey(new Date());
const HISTORY = historyKey("default", "a".repeat(64))!;
const READ_RECORD: Calls = { "read a record": list(RECORD) };
const RECORDS: Calls = {
  ...READ_RECORD,
  "append to a record": append(RECORD),
};

/** What each user does; nobody may do what only others do. */
const CALLS: Readonly<Record<Exclude<UserName, "PLATFORM">, Calls>> = {
  FETCHER: {
    ...worker("FETCHER", "fetch"),
    "read earlier posts": (store) => store.latest(HISTORY, 100, signal),
  },
  SUMMARIZER: {
    ...worker("SUMMARIZER", "summarize"),
    "count tokens": (store) => store.add(TOKENS, 1, 60, signal),
  },
  POSTER: {
    ...worker("POSTER", "post"),
    ...RECORDS,
    "read who signed": (store) => store.latest(APPROVAL, 100, signal),
    "say where posts go": write(DESTINATION),
    "note a post": append(HISTORY),
  },
  APPROVER: {
    "look at the workers": readAll(SNAPSHOT_KEY),
    ...READ_RECORD,
    "sign an approval": (store) => store.append(APPROVAL, "x", signal, 60),
    "find records": find("incident-enricher:posted:"),
    "find where posts go": find("incident-enricher:destination:"),
    "read where posts go": readAll(DESTINATION),
  },
  DESK: {
    "look at the workers": readAll(SNAPSHOT_KEY),
    ...READ_RECORD,
    "sign an approval": (store) => store.append(APPROVAL, "x", signal, 60),
    "find records": find("incident-enricher:posted:"),
    "find where posts go": find("incident-enricher:destination:"),
    "read where posts go": readAll(DESTINATION),
    "claim a notice": (store) => store.append(NOTICE, "x", signal, 60),
    "read who told of it": list(NOTICE),
    "note a decision": (store) => store.append(DECISIONS, "x", signal, 60),
    "read decisions": (store) => store.latest(DECISIONS, 100, signal),
  },
  OPERATOR: {
    "look at the workers": readAll(SNAPSHOT_KEY),
    ...RECORDS,
    "find records": find("incident-enricher:posted:"),
    // Redis tells names to whoever may scan, whatever they begin with.
    "find where posts go": find("incident-enricher:destination:"),
    "forget a record": (store) => store.delete(`${RECORD}:old`, signal),
  },
};
const ALL: Calls = Object.assign({}, ...Object.values(CALLS));
/** What is the platform's, or nobody's. */
const FORBIDDEN: Calls = {
  "read an input of another pack": readAll(`ctx:${JOB}:other@1`),
  "write an input": write(`ctx:${JOB}:post@1`),
  "read a result": readAll(`res:${JOB}:fetch@1`),
  "read a job": readAll(`job:meta:${JOB}:post@1`),
  "read what is configured": readAll("cfg:system:policy"),
  "write the snapshot": write(SNAPSHOT_KEY),
  "write a key of the pack's": write("incident-enricher:other"),
  "overwrite a record": write(RECORD),
  "overwrite a count of tokens": write(TOKENS),
  "overwrite an approval": write(APPROVAL),
  "overwrite what was told": write(NOTICE),
  "forget what was told": (store) => store.delete(NOTICE, signal),
  "overwrite decisions": write(DECISIONS),
  "forget an approval": (store) => store.delete(APPROVAL, signal),
  "read a worker's token": readAll("incident-enricher:worker:somebody"),
};

function open(server: RealServer, username: string, password: string) {
  const url = `${server.url}/1`; // Names a database, which takes a command.
  const name = "test";
  return connectStore({ url, username, password, name, log, signal });
}

/** The platform's connection to the same database, with values for reads. */
async function fill(server: RealServer): Promise<Redis & Disposable> {
  const redis = new Redis(`${as("PLATFORM", server.url)}/1`);
  const value = "x".repeat(LONG);
  for (const step of ["fetch", "summarize", "post"]) {
    await redis.set(`ctx:${JOB}:${step}@1`, value);
  }
  for (const key of [SNAPSHOT_KEY, DESTINATION]) await redis.set(key, value);
  return Object.assign(redis, { [Symbol.dispose]: () => redis.disconnect() });
}

async function isRefused(call: () => Promise<unknown>): Promise<boolean> {
  try {
    await call();
    return false;
  } catch (error) {
    assert(error instanceof StoreError, String(error));
    assertEquals(error.kind, "refused");
    return true;
  }
}

for (const [who, calls] of Object.entries(CALLS)) {
  const user = who as UserName;
  const name = nameOf(user);
  Deno.test(`the Redis user ${name} may do its work, and nothing else`, {
    ignore,
  }, async () => {
    await using server = await startRedisWithUsers();
    using _ = await fill(server);
    await using store = await open(server, name, PASSWORDS[user]);
    const done: string[] = [];
    for (const [what, call] of Object.entries({ ...ALL, ...FORBIDDEN })) {
      if (!await isRefused(() => call(store))) done.push(what);
    }
    assertEquals(done.toSorted(), Object.keys(calls).toSorted());
  });

  Deno.test(`the Redis user ${name} needs every rule that it has`, {
    ignore,
  }, async () => {
    await using server = await startRedisWithUsers();
    using platform = await fill(server);
    const [, line] = new RegExp(`^user ${name} on \\S+ (.*)$`, "m")
      .exec(await aclFile())!;
    const rules = line!.split(" ");
    const spare: string[] = [];
    for (const [i, rule] of rules.entries()) {
      if (rule === "(" || rule === ")") continue;
      const kept = selectors(rules.toSpliced(i, 1));
      const words = ["SETUSER", "less", "reset", "on", ">less", ...kept];
      await platform.call("ACL", words);
      await platform.call("ACL", ["LOG", "RESET"]);
      await using store = await open(server, "less", "less");
      for (const call of Object.values(calls)) {
        await isRefused(() => call(store));
      }
      const refused = await platform.call("ACL", ["LOG"]) as unknown[];
      if (refused.length === 0) spare.push(rule);
    }
    assertEquals(spare, []);
  });
}

/** The words as `ACL SETUSER` takes them: a selector is one. */
function selectors(rules: readonly string[]): string[] {
  return rules.join(" ").match(/\([^)]*\)|\S+/g)!;
}

Deno.test("Redis lets nobody in without a password of their own", {
  ignore,
}, async () => {
  await using server = await startRedisWithUsers();
  const ask = async (command: string) => {
    using socket = await RawSocket.open(server.port);
    await socket.send(`${command}\r\n`);
    return (await socket.readUntil("\r\n")).split(" ")[0]!.trim();
  };
  const users = Object.entries(PASSWORDS) as [UserName, string][];
  for (const [who] of users) {
    for (const [owner, password] of users) {
      assertEquals(
        await ask(`AUTH ${nameOf(who)} ${password}`),
        owner === who ? "+OK" : "-WRONGPASS",
      );
    }
  }
  assertEquals(await ask("GET ctx:any"), "-NOAUTH");
});

Deno.test("Redis does not start while a password is missing", {
  ignore,
}, async () => {
  const command = new Deno.Command("redis-server", {
    args: ["--port", `${freePort()}`, "--aclfile", "deploy/redis/users.acl"],
    signal: AbortSignal.timeout(5_000), // It would run until then.
  });
  const { code, stdout } = await command.output();
  assertEquals(code, 1);
  assertStringIncludes(
    new TextDecoder().decode(stdout),
    "password hash must be exactly 64",
  );
});
