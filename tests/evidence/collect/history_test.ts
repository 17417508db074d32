import { assert, assertEquals } from "@std/assert";
import { history } from "../../../lib/evidence/collect/history.ts";
import {
  encodeHistory,
  historyKey,
  readHistory,
} from "../../../lib/history.ts";
import { toSubject } from "../../../lib/evidence/subject.ts";
import { collect, INCIDENT } from "../../support/collecting.ts";

const ITEM = {
  at: "2026-01-10T10:00:00Z",
  incidentId: "alertmanager:old",
  severity: "critical",
  title: "Checkout is slow",
  mode: "slack",
  runId: "run-1",
};
const env = {};

Deno.test("history: earlier posts about the subject are evidence", async () => {
  const posts = [
    encodeHistory({ ...ITEM, at: "2025-10-01T10:00:00Z" }), // Too long ago.
    encodeHistory({ ...ITEM, at: "2026-01-02T10:00:00Z", severity: "warning" }),
    encodeHistory(ITEM),
    encodeHistory({ ...ITEM, incidentId: "alertmanager:abc" }), // Its own.
    "garbage",
    JSON.stringify({ v: 2, ...ITEM }),
  ];
  const found = await collect(history, { env, posts });
  assertEquals(found.facts.map(({ name, value }) => `${name}: ${value}`), [
    "incidents in 30 days: 1 before this one",
    'last incident: 5 d ago: critical alertmanager:old, "Checkout is slow"',
  ]);
  assertEquals(found.timeline.length, 2);
  assertEquals(found.timeline[0]!.kind, "history");
});

Deno.test("history: nothing posted, no subject and switched off are told apart", async () => {
  const states = await Promise.all([
    collect(history, { env }),
    collect(history, { env, incident: { incident_id: "mock:1" } }),
    collect(history, { env: { HISTORY_DAYS: "0" } }),
  ]);
  assertEquals(states.map(({ lookups }) => lookups.map(({ state }) => state)), [
    ["nothing"],
    ["unconcerned"],
    ["off"],
  ]);
});

Deno.test("history: a store that fails is a gap", async () => {
  const found = await collect(history, {
    env,
    history: () => Promise.reject(new Error("Redis is away")),
  });
  assertEquals(found.lookups.map(({ state }) => state), ["failed"]);
  assertEquals(found.gaps.map(({ kind }) => kind), ["broken"]);
});

Deno.test("history: incidents of one subject share a key, others do not", () => {
  const now = new Date();
  const key = (change: Record<string, string>) => {
    const [alert] = INCIDENT.raw!["alerts"] as Record<string, unknown>[];
    const labels = { ...alert!["labels"] as Record<string, string>, ...change };
    return toSubject(
      { ...INCIDENT, raw: { alerts: [{ ...alert, labels }] } },
      now,
    ).key;
  };
  const same = key({});
  assertEquals(key({ severity: "info", alertname: "Other" }), same);
  assert(key({ namespace: "other" }) !== same);
  assert(key({ service: "cart" }) !== same);
  assertEquals(
    historyKey("t", same!),
    `incident-enricher:history:t:${same}`,
  );
  assertEquals(historyKey("t", "x:*"), undefined);
});

Deno.test("history: an item is bounded, whoever wrote it", () => {
  const long = readHistory(
    JSON.stringify({
      v: 1,
      ...ITEM,
      title: "x".repeat(5000),
      artifact: "evil",
    }),
  )!;
  assertEquals([long.title.length, long.artifact], [200, undefined]);
  for (const wrong of [{ at: "5" }, { incidentId: "" }, { incidentId: 7 }]) {
    assertEquals(
      readHistory(JSON.stringify({ v: 1, ...ITEM, ...wrong })),
      undefined,
    );
  }
});
