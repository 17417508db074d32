import { assert, assertEquals } from "@std/assert";
import { OWN_MARK } from "../../lib/base/foreign.ts";
import {
  contextBlock,
  header,
  type Link,
  linkButtons,
  section,
} from "../../lib/message/block_kit.ts";
import { findForbidden, redactMessage } from "../../lib/message/redact.ts";
import type { Message } from "../../lib/message/message.ts";
import {
  type RedactionLevel,
  startRedaction,
} from "../../lib/redact/redaction.ts";

const SECRET = ["ghp", "7Zq".repeat(12)].join("_");

function messageOf(...lines: string[]): Message {
  return {
    text: "CRITICAL: x",
    blocks: [header("x"), section(lines.join("\n"))],
  };
}

const FOUND: [what: string, line: string][] = [
  ["a credential", `got ${SECRET} at 10:42`],
  ["one behind an escape", "a&amp;password=hunter2x9Q&amp;b"],
  ["one in marks of code", `run \`tool --token ${SECRET}\``],
  ["one that no part held alone", "• “db_password: hunter2x9Qz” [E1]"],
];
for (const [what, line] of FOUND) {
  Deno.test(`redactMessage() takes out ${what}, and findForbidden() finds it`, () => {
    const message = messageOf("first", line, "last");
    assert(findForbidden(message, "standard") !== undefined);
    const redacted = redactMessage(message, startRedaction());
    assertEquals(findForbidden(redacted, "standard"), undefined);
    const { text } = redacted.blocks[1]!["text"] as { text: string };
    const [first, changed, last] = text.split("\n");
    assertEquals([first, last], ["first", "last"]);
    assert(changed!.includes("[secret:"), changed);
    assertEquals(findForbidden(message, "none"), undefined);
  });
}

Deno.test("redactMessage() keeps a line inert that it changes", () => {
  const line = `• “\`*a*\` \`https://evil.example\` &lt;b&gt; ${SECRET}” [E1]`;
  const redacted = redactMessage(messageOf(line), startRedaction());
  const { text } = redacted.blocks[1]!["text"] as { text: string };
  assertEquals(
    text,
    "• “`*a* https://evil.example` &lt;b&gt; [secret:token#1]” [E1]",
  );
});

const LEFT: [what: string, line: string][] = [
  ["placeholder", "• “DB_PASS=[secret:named#1]” [E1]"],
  ["placeholder that code marks divide", "`x?sig=[secret:named#10`]” [E2]"],
  ["half placeholder", "• “password=[secret:na…” [E1]"],
  ["name of an object", "• “secret: shop/checkout-tls” [E2]"],
  ["sentence about a credential", "• “token: unexpected end of JSON” [E1]"],
];
for (const [what, line] of LEFT) {
  Deno.test(`redactMessage() leaves a ${what}`, () => {
    const message = messageOf(line);
    assertEquals(redactMessage(message, startRedaction()), message);
    assertEquals(findForbidden(message, "standard"), undefined);
  });
}

const DESK = "redis%3A%2F%2Fart%3A3b504a0c-f5a1-4125-8615-87457576d86c";
const HOST = [10, 20, 30, 40].join(".");
const START = "!date^1768468800^09:20:00 UTC ({time} your time)|09:20:00 UTC";
const CONTROLS: [
  line: string,
  level: RedactionLevel,
  left: string | undefined,
][] = [
  // What is clean stays, at any level: the operator chose where the desk is.
  [`◆ Since <${START}>`, "strict", undefined],
  ["◆ Runbook: <https://a.example/x>", "strict", undefined],
  [`◆ <https://${HOST}/${DESK}|[E3]> “Logs”`, "strict", undefined],
  // What is not loses its link, and says what is left.
  [
    `◆ Since <${START}>, ${SECRET}`,
    "standard",
    "◆ Since 09:20:00 UTC, [secret:token#1]",
  ],
  [
    `◆ Runbook: <https://${HOST}/x>`,
    "strict",
    "◆ Runbook: `https://[secret:ip-address#1]/x`",
  ],
  [
    `◆ <https://a.example/${DESK}?token=${SECRET}|[E3]> “Logs”`,
    "standard",
    "◆ [E3] “Logs”",
  ],
];
for (const [line, level, left] of CONTROLS) {
  Deno.test(`redactMessage() makes "${left ?? line}" at ${level}`, () => {
    const message = messageOf(line);
    assertEquals(
      findForbidden(message, level) === undefined,
      left === undefined,
    );
    const redacted = redactMessage(message, startRedaction({ level }));
    const { text } = redacted.blocks[1]!["text"] as { text: string };
    assertEquals(text, left ?? line);
    assertEquals(findForbidden(redacted, level), undefined);
  });
}

Deno.test("redactMessage() takes away a button whose address says too much", () => {
  const url = (host: string, query = "") => `https://${host}/x${query}`;
  const button = (id: "incident" | "run", url: string): Link => ({
    id,
    label: "Open",
    url,
  });
  const host = [10, 20, 30, 40].join(".");
  const TOLD: [Link, level: RedactionLevel, stays: boolean][] = [
    [button("incident", url("a.example")), "strict", true],
    [button("incident", url(host)), "standard", true],
    [button("incident", url(host)), "strict", false],
    [button("incident", url("a.example", `?token=${SECRET}`)), "none", true],
    [button("incident", url("a.example", `?token=${SECRET}`)), "full", false],
    [button("run", url(host)), "strict", true],
    [button("run", url("a.example", `?token=${SECRET}`)), "standard", false],
  ];
  for (const [link, level, stays] of TOLD) {
    const message = {
      text: "x",
      blocks: [
        header("x"),
        linkButtons([link]),
        contextBlock("◆ Redaction level full: nothing removed"),
      ],
    };
    const redacted = redactMessage(message, startRedaction({ level }));
    const expected = [link.url, level, stays];
    assertEquals([link.url, level, redacted.blocks.length === 3], expected);
    const isFree = findForbidden(message, level) === undefined;
    assertEquals([link.url, level, isFree], expected);
    assertEquals(findForbidden(redacted, level), undefined);
  }
});

Deno.test("findForbidden() takes no foreign text for the line that says full", () => {
  const words = "Redaction level full: 3 texts and numbers removed";
  const message = (line: string): Message => ({
    text: "CRITICAL: x",
    blocks: [header("x"), contextBlock("◆ Incident mock:1", line)],
  });
  const withheld = { withheld: { count: 1, where: [] } };
  assertEquals(
    findForbidden(message(`${OWN_MARK} ${words}`), "full"),
    undefined,
  );
  assertEquals(findForbidden(message(words), "full"), withheld);
  assertEquals(findForbidden(message(`“${words}”`), "full"), withheld);
  assertEquals(findForbidden(messageOf(words), "full"), withheld);
});
