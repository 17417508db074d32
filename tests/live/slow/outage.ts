/**
 * Outages of minutes: `deno task test:slow`. The name keeps this file out of
 * `deno task test`; `.ci/run` runs it beside the other tests.
 *
 * @module
 */
import { surviveOutages } from "../../support/outage.ts";

const AWAY_MS = 180_000;

Deno.test("workers survive three minutes without NATS or Redis, and connections that are half open, a post in hand", async () => {
  await surviveOutages([
    { of: "nats", awayMs: AWAY_MS },
    { of: "redis", awayMs: AWAY_MS },
    { of: "nats", awayMs: "frozen" },
    { of: "redis", awayMs: "frozen" },
  ]);
});
