/**
 * Outages of minutes: `deno task test:slow`. The name keeps this file out of
 * `deno task test`; `.ci/run` runs it beside the other tests.
 *
 * @module
 */
import { surviveOutage } from "../../support/outage.ts";

Deno.test("workers survive three minutes without NATS or Redis, a post in hand", async () => {
  await Promise.all([
    surviveOutage({ of: "nats", awayMs: 180_000 }),
    surviveOutage({ of: "redis", awayMs: 180_000 }),
  ]);
});
