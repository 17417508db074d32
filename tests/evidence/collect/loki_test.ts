import { assertEquals } from "@std/assert";
import {
  type FakeStream,
  startLokiApi,
} from "../../../deploy/standins/loki.ts";
import { loki } from "../../../lib/evidence/collect/loki.ts";
import { collect, testFaults } from "../../support/collecting.ts";

const env = (url: string) => ({ LOKI_URL: url });
/** Nanoseconds of a time of the day. */
const at = (clock: string, ns = "000000000") =>
  `${Date.parse(`2026-01-15T${clock}Z`) / 1000}${ns}`;

const APP: FakeStream = {
  stream: { namespace: "shop", app: "checkout", pod: "checkout-a" },
  lines: [
    [at("08:40:00"), "error: cart 17 is empty"],
    [at("09:26:00"), "error: cart 4711 is empty"],
    [at("09:27:00"), "info: all is well"],
    [at("09:31:02"), "error: no connection to 10.0.0.7:5432 after 250 ms"],
    [at("09:31:04"), "error: no connection to 10.0.0.8:5432 after 251 ms"],
  ],
};

function factsOf(found: Awaited<ReturnType<typeof collect>>) {
  return found.facts.map(({ name, value }) => `${name}: ${value}`);
}

testFaults({
  collector: loki,
  start: () => startLokiApi({ streams: [APP] }),
  env,
});

Deno.test("loki: error lines are grouped, and what the hour before lacks is new", async () => {
  await using api = startLokiApi({ streams: [APP] });
  const found = await collect(loki, { env: env(api.url) });
  assertEquals(api.mistakes, []);
  assertEquals(api.asked.length, 2);
  assertEquals(factsOf(found), [
    "error lines: 3 of 2 kinds, 1 of them new against the hour before",
    "new error: error: no connection to 10.0.0.7:5432 after 250 ms ×2, first 09:31:02 UTC",
    "error as before: error: cart 4711 is empty ×1, first 09:26:00 UTC",
  ]);
  assertEquals(found.timeline.map(({ at, kind, text }) => [at, kind, text]), [[
    "2026-01-15T09:31:02.000Z",
    "log",
    "New error in the logs: error: no connection to 10.0.0.7:5432 after 250 ms",
  ]]);
  assertEquals(found.gaps, []);
});
