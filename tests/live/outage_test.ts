/**
 * Connections lost and found. Outages of minutes, and connections that go silent,
 * are in `slow/`.
 *
 * @module
 */
import { surviveOutages } from "../support/outage.ts";

/** Longer than a command, a connection and a flush may take. */
const AWAY_MS = 6_000;

Deno.test("workers survive 6 s without NATS or Redis", async () => {
  await surviveOutages([
    { of: "nats", awayMs: AWAY_MS },
    { of: "redis", awayMs: AWAY_MS },
  ]);
});
