/**
 * The ingester and the pack's record on the platform.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type Asked, never, plain } from "../../deploy/standins/gateway.ts";
import { startRig } from "../support/ingester.ts";

const record = (status: unknown) => () => Response.json({ id: "x", status });
const inactive = (status: string) => ({
  error: "Cannot start a run: pack incident-enricher is " + status +
    " on the platform, not ACTIVE; send the webhook again later",
  status: 503,
});

const REFUSED: [string, () => Response][] = [
  ["DISABLED", record("DISABLED")],
  ["INACTIVE", record("INACTIVE")],
];
for (const [status, pack] of REFUSED) {
  Deno.test(`the ingester answers 503 while its pack is ${status}`, async () => {
    await using rig = await startRig({ HEALTH_ADDR: "127.0.0.1:0" }, { pack });
    const { status: code, body, headers } = await rig.ask(
      "/webhook/mock",
      '{"id":"A"}',
    );
    assertEquals([code, body], [503, inactive(status)]);
    assertEquals(headers.get("retry-after"), "5");
    assertEquals(rig.starts, []);
    await rig.ask("/webhook/mock", '{"id":"B"}');
    const lines = rig.log.map((line) => JSON.parse(line));
    assertEquals(
      lines.filter(({ level }) => level === "error").map(({ msg }) => msg),
      [
        `Not ready: pack incident-enricher is ${status} on the platform, not ACTIVE; run deno task install`,
      ],
    );
    const { url } = lines.find(({ msg }) => /readyz/.test(msg));
    const ready = await fetch(`${url}/readyz`);
    const { problems } = await ready.json();
    assertEquals([ready.status, problems["pack"]], [
      503,
      `pack incident-enricher is ${status} on the platform, not ACTIVE`,
    ]);
  });
}

const TAKEN: [string, (asked: Asked) => Response | Promise<Response>][] = [
  ["active", record("ACTIVE")],
  ["forbidden to read", () => plain(403, "forbidden\n")],
  ["unknown to a proxy", () => plain(404, "<html>404 Not Found</html>")],
  ["unknown to a router", () => plain(404, "404 page not found\n")],
  [
    "not installed, as the run's start will say",
    () => plain(404, "not found\n"),
  ],
  ["out of reach", () => plain(502, "bad gateway")],
  ["refused for too many requests", () => plain(429, "slow down")],
  ["no record", () => Response.json([])],
  ["without a status", record(undefined)],
  ["silent", never],
];
for (const [what, pack] of TAKEN) {
  Deno.test(`the ingester takes a webhook while its pack is ${what}`, async () => {
    await using rig = await startRig({}, { pack });
    const started = performance.now();
    const { status } = await rig.ask("/webhook/mock", '{"id":"A"}');
    assertEquals([status, rig.starts.length], [202, 1]);
    const tookMs = performance.now() - started;
    assert(tookMs < 2_000, `${tookMs} ms`);
  });
}

Deno.test("the ingester asks once for many webhooks, and never for a stranger", async () => {
  let asked = 0;
  const pack = () => {
    asked++;
    return Response.json({ status: "ACTIVE" });
  };
  await using rig = await startRig({}, { pack });
  const strange = await rig.ask("/webhook/pagerduty", "{}");
  assertEquals([strange.status, asked], [401, 0]);
  const answers = await Promise.all(
    [1, 2, 3, 4, 5].map((id) => rig.ask("/webhook/mock", `{"id":"${id}"}`)),
  );
  assertEquals(answers.map(({ status }) => status), [202, 202, 202, 202, 202]);
  assertEquals(asked, 1);
});
