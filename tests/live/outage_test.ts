/**
 * Connections lost and found. Outages of minutes are in `slow/`.
 *
 * @module
 */
import { type Outage, surviveOutage } from "../support/outage.ts";

const OUTAGES: Outage[] = [
  { of: "nats", awayMs: 10_000 },
  { of: "nats", awayMs: "frozen" },
  { of: "redis", awayMs: 10_000 },
  { of: "redis", awayMs: "frozen" },
];

// Each on a platform of its own, and side by side, since they mostly wait.
Deno.test("workers survive 10 s without NATS or Redis, and connections that are half open", async () => {
  await Promise.all(OUTAGES.map(surviveOutage));
});
