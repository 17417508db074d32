import { assertEquals } from "@std/assert";
import {
  type EvidenceItem,
  type IncidentInput,
  type ReportedSeverity,
  type SourceSystem,
  toMoment,
  toSeverity,
  withIds,
} from "../lib/incident.ts";
import { qualifiedId } from "../lib/incident_id.ts";

const SEVERITIES: [ReportedSeverity | undefined, string, rule: string][] = [
  ["critical", "critical", "reported as critical"],
  ["high", "error", "reported as high, so error"],
  ["error", "error", "reported as error"],
  ["medium", "warning", "reported as medium, so warning"],
  ["warning", "warning", "reported as warning"],
  ["low", "info", "reported as low, so info"],
  ["info", "info", "reported as info"],
  ["unknown", "warning", "reported as unknown, so warning"],
  [undefined, "warning", "none reported, so warning"],
];
for (const [reported, severity, rule] of SEVERITIES) {
  Deno.test(`toSeverity() makes ${severity} of ${reported} and says why`, () => {
    assertEquals(toSeverity(reported) as unknown, { severity, rule });
  });
}

const IDS: [SourceSystem | undefined, id: string, qualified: string][] = [
  ["pagerduty", "PT4KHLK", "pagerduty:PT4KHLK"],
  ["pagerduty", "pagerduty:PT4KHLK", "pagerduty:PT4KHLK"],
  // Whoever writes another source's name in front still comes from his own.
  ["mock", "pagerduty:PT4KHLK", "mock:pagerduty:PT4KHLK"],
  ["mock", "mockery", "mock:mockery"],
  [undefined, "INC-1", "mock:INC-1"],
  [undefined, "mock:INC-1", "mock:INC-1"],
];
for (const [system, id, qualified] of IDS) {
  Deno.test(`qualifiedId() makes ${qualified} of ${id} from ${system}`, () => {
    const incident: IncidentInput = {
      incident_id: id,
      ...(system === undefined ? {} : { source: { system } }),
    };
    assertEquals(qualifiedId(incident), qualified);
    const again = { ...incident, incident_id: qualified };
    assertEquals(qualifiedId(again), qualified);
  });
}

Deno.test("withIds() keeps ids and gives the others their place", () => {
  const item: EvidenceItem = {
    kind: "k",
    title: "t",
    artifact_ptr: "redis://art:1",
    content_type: "text/plain",
    bytes: 1,
  };
  const items = [item, { ...item, id: "E9" }, item];
  assertEquals(withIds(items).map(({ id }) => id), ["E1", "E9", "E3"]);
  assertEquals(withIds([]), []);
  assertEquals("id" in item, false);
});

const MOMENTS: [text: string, moment: string | undefined][] = [
  ["2026-01-15T09:30:00Z", "2026-01-15T09:30:00.000Z"],
  ["2026-01-15T09:30Z", "2026-01-15T09:30:00.000Z"],
  ["2026-01-15t09:30:00z", "2026-01-15T09:30:00.000Z"],
  ["2026-01-15T09:30:00.5+05:30", "2026-01-15T04:00:00.500Z"],
  ["2026-01-15T23:30:00-01:00", "2026-01-16T00:30:00.000Z"],
  ["2026-01-15T09:30:00.123456789Z", "2026-01-15T09:30:00.123Z"],
  ["2026-01-15T09:30:00.1234567890Z", undefined],
  ["0002-01-01T00:00:00Z", "0002-01-01T00:00:00.000Z"],
  ["0001-12-31T23:59:59Z", undefined], // Go's year for "not set".
  ["0000-01-01T00:00:00+00:01", undefined], // The year before 0.
  ["1970-01-01T00:00:00Z", undefined], // The second 0 for "not set".
  ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"],
  ["9999-12-31T23:59:00-00:01", undefined], // The year 10000.
  ["+012345-01-01T00:00:00Z", undefined],
  ["2026-13-01T00:00:00Z", undefined],
  ["2026-01-15T25:00:00Z", undefined],
  ["2026-01-15T09:30:00", undefined], // Of which zone?
  ["2026-01-15", undefined],
  ["2026-01-15 09:30:00Z", undefined],
  ["Thu, 15 Jan 2026 09:30:00 GMT", undefined],
  [" 2026-01-15T09:30:00Z", undefined],
  ["1768469400", undefined],
  ["12345", undefined],
  ["Alert 5", undefined],
  ["", undefined],
];
for (const [text, moment] of MOMENTS) {
  Deno.test(`toMoment() makes ${moment} of "${text}"`, () => {
    assertEquals(toMoment(text), moment);
  });
}

for (const value of [undefined, null, 1768469400, {}, ["2026-01-15T09:30Z"]]) {
  Deno.test(`toMoment() makes nothing of ${JSON.stringify(value)}`, () => {
    assertEquals(toMoment(value), undefined);
  });
}
