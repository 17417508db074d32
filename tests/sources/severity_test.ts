import { assertEquals } from "@std/assert";
import { reportedAs, severityOf } from "../../lib/sources/severity.ts";

/** What teams and vendors write, by what they mean. */
const KNOWN = {
  critical: [
    ...["critical", "CRITICAL", " Crit ", "page", "Pager", "fatal", "urgent"],
    ...["disaster", "Blocker", "emerg", "emergency", "panic", "alert"],
    ...["immediate", "Highest", "very high", "Very-High"],
    ...["P1", "p0", "P-1", "P_1", "P 1", "P01", "S1", "s-1", "prio 1"],
    ...["SEV_1", "sev-1", "SEV1", "Sev 0", "SEV#1", "Sev.1", "SEV\u20131"],
    ...["severity-1", "severity_1", "Severity 1", "Severity: 1", "severity1"],
    ...["Priority: 1", "priority=1", "P1 incident", "\uFF30\uFF11"],
    ...["1 - Critical", "1-critical", "Critical (1)", "(1) Critical"],
    ...["SEV1 - Critical", "P1 (High)", "severity_critical", "\u{1F534} CRIT!"],
    ...["P1: everything is down, call everybody", "P1 - Customers affected"],
    ...["P1 outage of the shop", "Critical - not one order for an hour"],
    ...["high/critical", "P3/P1"],
  ],
  error: [
    ...["error", "ERR", "high", "Major", "severe", "serious"],
    ...["P2", "SEV-2", "s2", "2 - High", "Sev2 - Warning", "HIGH (2)"],
  ],
  warning: [
    ...["warning", "Warn", "medium", "moderate", "minor", "Average", "ticket"],
    ...["P3", "sev_3", "3 - Moderate", "warning, not critical", "P3 - Low"],
  ],
  info: [
    ...["info", "Information", "informational", "notice", "low", "none", "ok"],
    ...["lowest", "trivial", "debug", "very low", "5 - Planning"],
    ...["P4", "P5", "SEV-5", "4 - Low", "low: high load, as usual"],
  ],
};
for (const [severity, texts] of Object.entries(KNOWN)) {
  for (const text of texts) {
    Deno.test(`severityOf() takes "${text}" for ${severity}`, () => {
      assertEquals(severityOf(text), severity);
    });
  }
}

const UNKNOWN = [
  ...["", " ", "-", "odd", "constructor", "unknown", "not classified"],
  // No scale is known for a number alone.
  ...["0", "1", "5", "1 - 2", "10"],
  ...["P6", "P10", "P-10", "p99", "SEV10", "SEV", "p", "v1", "P1x", "xP1"],
  ...["P1.5", "P1/2", "P1 2 3", "high 2 low 3", "P1 not this time"],
  ...["not critical", "non-critical", "noncritical", "no page", "uncritical"],
  ...["pagerduty", "criticality", "critical path", "mission critical"],
  ...["high availability", "error budget", "S3 bucket", "info@example.com"],
  ...["team on call is critical", "minor upgrade", "prod-critical"],
];
for (const text of UNKNOWN) {
  Deno.test(`severityOf() does not know "${text}"`, () => {
    assertEquals(severityOf(text), undefined);
  });
}

Deno.test("severityOf() reads long texts without delay", () => {
  const start = performance.now();
  assertEquals(severityOf("critical ".repeat(100_000)), undefined);
  assertEquals(severityOf("(".repeat(100_000)), undefined);
  assertEquals(performance.now() - start < 1000, true);
});

Deno.test("reportedAs() keeps the sender's words in the rule", () => {
  assertEquals(reportedAs("label severity", "SEV_1"), {
    severity: "critical",
    severity_rule: 'label severity "SEV_1", so critical',
  });
  assertEquals(reportedAs("severity", "warning"), {
    severity: "warning",
    severity_rule: 'severity "warning"',
  });
  assertEquals(reportedAs("priority", "not critical"), {
    severity: "unknown",
    severity_rule:
      'priority "not critical" is not a known severity, so warning',
  });
  const long = reportedAs("label severity", `P1 ${"x".repeat(500)}`);
  assertEquals(long.severity, "critical");
  assertEquals(long.severity_rule.length < 200, true);
});
