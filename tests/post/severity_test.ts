/**
 * Which severity a post counts as.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { ReportedSeverity, Severity } from "../../lib/incident.ts";
import {
  outranks,
  type PostSeverity,
  readAs,
  severityOfPost,
} from "../../lib/post/severity.ts";

const SEVERITIES: [
  reported: ReportedSeverity | undefined,
  shown: Severity | undefined,
  PostSeverity,
][] = [
  ["critical", "critical", "critical"],
  ["high", "error", "error"],
  ["medium", "warning", "warning"],
  ["low", "info", "info"],
  // The fetcher knew more than the webhook.
  ["warning", "critical", "critical"],
  ["unknown", "critical", "critical"],
  [undefined, "info", "info"],
  // The message only assumes a warning.
  ["unknown", "warning", "unknown"],
  [undefined, "warning", "unknown"],
  ["critical", undefined, "unknown"],
  [undefined, undefined, "unknown"],
];
for (const [reported, shown, expected] of SEVERITIES) {
  Deno.test(`severityOfPost() says ${expected} when ${reported} is reported and ${shown} shown`, () => {
    assertEquals(
      severityOfPost(
        reported === undefined ? {} : { severity: reported },
        shown === undefined ? {} : { normalized_context: { severity: shown } },
      ),
      expected,
    );
  });
}

Deno.test("severityOfPost() says unknown without a context", () => {
  assertEquals(severityOfPost({ severity: "critical" }, {}), "unknown");
});

Deno.test("outranks() is true only for what is known to be worse", () => {
  const all: Severity[] = ["critical", "error", "warning", "info"];
  const over = ([...all, "unknown"] as const).map((one) =>
    all.filter((posted) => outranks(one, posted))
  );
  assertEquals(over, [
    ["error", "warning", "info"],
    ["warning", "info"],
    ["info"],
    [],
    [],
  ]);
  assertEquals(readAs("unknown"), "warning");
});
