/**
 * The user that docs/deployment.md has Redis make for the workers.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createLog } from "../../lib/base/log.ts";
import { lookForTwin } from "../../lib/platform/instance.ts";
import { connectStore, StoreError } from "../../lib/platform/store.ts";
import { read } from "../support/deploy.ts";
import { isMissing, startRealRedis } from "../support/real_servers.ts";

Deno.test("the documented Redis user may do all that workers do, and no more", {
  ignore: await isMissing(startRealRedis),
}, async () => {
  const [, name, rules] = /^ACL SETUSER (\S+) (.+)$/m.exec(
    await read("docs/deployment.md"),
  )!;
  const words = rules!.replace("PASSWORD", "s3cret").split(" ");
  await using redis = await startRealRedis(["--user", name!, ...words]);
  const { signal } = new AbortController();
  await using store = await connectStore({
    url: redis!.url,
    username: name!,
    password: "s3cret",
    name: "test",
    log: createLog({}, { write() {} }),
    signal,
  });
  assertEquals(await store.read("ctx:job", 10, signal), undefined);
  await store.write("res:job", "{}", 60, signal);
  await store.write("res:job:error", "{}", 60, signal);
  assertEquals(
    await store.read("sys:workers:snapshot", 10, signal),
    undefined,
  );
  const post = "incident-enricher:posted:default:mock:1:artifact";
  await store.append(post, "x".repeat(20_000), signal);
  assertEquals((await store.list(post, signal)).length, 1);
  const look = lookForTwin(store, "w-1");
  for (let i = 0; i < 3; i++) assertEquals(await look(signal), undefined);
  const token = await store.read("incident-enricher:worker:w-1", 99, signal);
  assert(token !== undefined);

  const forbidden = [
    () => store.write("ctx:job", "{}", 60, signal),
    () => store.read("res:job", 10, signal),
    () => store.read("job:meta:job", 10, signal),
    () => store.write("sys:workers:snapshot", "{}", 60, signal),
    () => store.delete(post, signal),
  ];
  for (const call of forbidden) {
    const error = await assertRejects(call, StoreError, "NOPERM");
    assertEquals(error.kind, "refused");
  }
});
