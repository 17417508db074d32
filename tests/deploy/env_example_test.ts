/**
 * deploy/env.example: every variable that a worker reads, in its own words.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { readConfig, variablesOf } from "../../lib/base/config.ts";
import { WORKER_SETTINGS, WORKERS } from "../../scripts/launch/permissions.ts";
import { example, exampleText } from "../support/deploy.ts";

const settings = WORKERS.flatMap((worker) =>
  Object.values(WORKER_SETTINGS[worker])
);

Deno.test("env.example sets what the design names, and nothing of a model", () => {
  assertEquals({ ...example }, {
    CORETEX_GATEWAY_URL: "http://gateway:8081",
    CORETEX_API_KEY: "devkey",
    NATS_URL: "nats://nats:4222",
    REDIS_ADDR: "redis:6379",
    WORKER_POOL: "",
    SLACK_WEBHOOK_URL: "",
    INGESTER_ADDR: "0.0.0.0:8088",
    DESK_ADDR: "0.0.0.0:8090",
  });
});

Deno.test("env.example names every variable that a worker reads, and no other", () => {
  const variables = new Set(
    settings.flatMap((setting) => variablesOf({ setting })),
  );
  const named = exampleText.match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? [];
  assertEquals([...new Set(named)].toSorted(), [...variables].toSorted());
});

Deno.test("env.example describes each variable in the setting's own line", () => {
  for (const { about, fallback, names } of settings) {
    const block = exampleText.split("\n\n").find((block) =>
      names.some((name) => new RegExp(`^(# )?${name}=`, "m").test(block))
    );
    assert(block !== undefined, names[0]);
    assertEquals(block.split("\n")[0], `# ${about}`);
    if (fallback === undefined) continue;
    const name = names.find((name) => name in example);
    assert(name !== undefined || block.includes(fallback), names[0]);
  }
});

Deno.test("env.example is an environment that every worker takes", () => {
  for (const worker of WORKERS) {
    readConfig(WORKER_SETTINGS[worker], (name) => example[name]);
  }
});
