/**
 * The beginning of a message.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { leadOf } from "../../lib/message/lead.ts";

const header = (text: string) => ({
  type: "header",
  text: { type: "plain_text", text },
});
const section = (text: string) => ({
  type: "section",
  text: { type: "mrkdwn", text },
});

Deno.test("leadOf() takes the headline and three lines, as people read them", () => {
  const lead = leadOf([
    header("\u{1F534} P1 · shop: 5 < 7"),
    section("*Orders* fail &lt;all&gt;\n\n<https://x.example|Look> at `a*b`"),
    {
      type: "actions",
      elements: [{ text: { text: "Open" }, url: "https://x" }],
    },
    section("*What we know*\n• one\n• two"),
    { type: "context", elements: [{ type: "mrkdwn", text: "small print" }] },
  ]);
  assertEquals(lead, {
    headline: "\u{1F534} P1 · shop: 5 < 7",
    lines: ["Orders fail <all>", "Look at a*b", "• one"],
  });
});

Deno.test("leadOf() is bounded and fit for a terminal", () => {
  const { headline, lines } = leadOf([
    header("a\x1b[2Jb\u202ec".padEnd(400, "x")),
    section("y".repeat(301)),
  ]);
  assertEquals([headline.length, headline.slice(0, 22)], [
    300,
    "a<U+001B>[2Jb<U+202E>c",
  ]);
  assertEquals(lines, [`${"y".repeat(299)}…`]);
});

Deno.test("leadOf() makes nothing of odd blocks", () => {
  const nothing = { headline: "", lines: [] };
  assertEquals(leadOf([]), nothing);
  assertEquals(leadOf([{}, { type: "section" }, { type: "divider" }]), nothing);
});
