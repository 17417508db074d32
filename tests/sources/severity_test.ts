import { assertEquals } from "@std/assert";
import { severityOf } from "../../lib/sources/severity.ts";

/** The words of teams, by what they stand for. */
const WORDS = {
  critical: [
    ...["critical", "CRITICAL", " Crit ", "page", "pager", "fatal", "urgent"],
    ...["P1", "p0", "P1 - Critical", "P1: everything is down, call everybody"],
    ...["SEV_1", "sev-1", "SEV1", "Sev 0", "severity-1", "severity_1", "S1"],
    ...["1 - Critical", "Critical (1)", "prio 1", "Priority: 1", "emergency"],
  ],
  error: ["error", "err", "high", "major", "P2", "SEV-2", "2 - High", "s2"],
  warning: ["warning", "warn", "P3", "sev_3", "3 - Moderate", "minor"],
  info: ["info", "informational", "low", "P4", "P5", "SEV-5", "4 - Low"],
};
for (const [severity, words] of Object.entries(WORDS)) {
  for (const word of words) {
    Deno.test(`severityOf() takes "${word}" for ${severity}`, () => {
      assertEquals(severityOf(word), severity);
    });
  }
}

for (
  const word of [
    ...["", " ", "odd", "1", "5", "P6", "P10", "SEV", "p", "constructor"],
    ...["pagerduty", "criticality", "team on call is critical", "v1"],
  ]
) {
  Deno.test(`severityOf() does not know "${word}"`, () => {
    assertEquals(severityOf(word), undefined);
  });
}
