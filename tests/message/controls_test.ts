/**
 * What may stand between `<` and `>` in a message.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import {
  addressLink,
  evidenceLink,
  localTime,
  readControl,
  withoutControls,
} from "../../lib/message/controls.ts";
import { evidenceUrl } from "../../lib/message/evidence_url.ts";
import { renderHtml } from "../../lib/message/html.ts";
import { decodeMessage, encodeMessage } from "../../lib/message/message.ts";
import { renderText } from "../../lib/message/text.ts";

const DESK = "https://desk.example/redis%3A%2F%2Fart%3A7";
const MOMENT = "2026-01-15T09:20:00.000Z"; // 1768468800
const DATE = "!date^1768468800^09:20:00 UTC ({time} your time)|09:20:00 UTC";

Deno.test("readControl() reads an address, a citation and a moment", () => {
  assertEquals(readControl("https://a.example/x?y=1&amp;z=2"), {
    kind: "address",
    text: "https://a.example/x?y=1&z=2",
    url: "https://a.example/x?y=1&z=2",
  });
  assertEquals(
    readControl("http://a.example:9090/|http://a.example:9090/")?.kind,
    "address",
  );
  assertEquals(readControl(`${DESK}|[E3]`), {
    kind: "evidence",
    text: "[E3]",
    url: DESK,
  });
  assertEquals(readControl(DATE), { kind: "date", text: "09:20:00 UTC" });
  const dated = DATE.replaceAll("09:20:00 UTC", "2026-01-15 09:20:00 UTC");
  assertEquals(readControl(dated)?.text, "2026-01-15 09:20:00 UTC");
});

const POSING: readonly string[] = [
  "!channel",
  "!here|here",
  "@U024BE7LH",
  "#C024BE7LR|general",
  "!subteam^S1",
  "mailto:a@example.com",
  "javascript:alert(1)",
  "https://a.example", // No browser writes it so.
  "https://ada@a.example/",
  "https://a.example\\@b.example/",
  "https://a.example/|Runbook",
  "https://a.example/|https://b.example/",
  "https://a.example/|https://a.example/|x",
  "https://a.example/|[E1]", // Names no piece of evidence.
  `${DESK}|E1`,
  `${DESK}|[E1] Approved by ada`,
  `${DESK}|[E0]`,
  `${DESK}|`,
  "!date^1768468800^{date}|09:20:00 UTC",
  `${DATE}x`,
  DATE.replace("1768468800", "1768468801"),
  DATE.replace("^09:20:00", "^09:20:01"),
  DATE.replace("your time)|", "your time)^https://b.example/|"),
  DATE.replace("|09:20:00 UTC", "|now"),
  "!date^99999999999^09:20:00 UTC ({time} your time)|09:20:00 UTC",
  "",
];
for (const posing of POSING) {
  Deno.test(`readControl() refuses ${JSON.stringify(posing)}`, () => {
    assertEquals(readControl(posing), undefined);
    const line = `◆ Since <${posing}>`;
    assertEquals(withoutControls(line), line);
    for (const type of ["section", "context"]) {
      const error = assertThrows(() => read(line, type), SyntaxError);
      assertEquals(/has markup that is not escaped$/.test(error.message), true);
    }
  });
}

/** A message of one line, read back. */
function read(line: string, type: string) {
  const text = { type: "mrkdwn", text: line, verbatim: true };
  const block = type === "section"
    ? { type, text }
    : { type, elements: [text] };
  return decodeMessage(encodeMessage({ text: "t", blocks: [block] }));
}

Deno.test("decodeMessage() takes each kind only where it is written", () => {
  for (const control of [`${DESK}|[E3]`, "https://a.example/", DATE]) {
    const line = `◆ <${control}>`;
    const place = control.endsWith("]") ? "context" : "section";
    const elsewhere = place === "context" ? "section" : "context";
    read(line, place);
    assertThrows(() => read(line, elsewhere), SyntaxError);
    assertThrows(
      () =>
        decodeMessage(encodeMessage({
          text: line,
          blocks: read("◆ x", "section").blocks,
        })),
      SyntaxError,
      '"text" has markup',
    );
  }
});

Deno.test("decodeMessage() takes citations that open one place, not two", () => {
  read(`◆ <${DESK}|[E3]> · <${DESK.replace("7", "8")}|[E4]>`, "context");
  const other = DESK.replace("desk", "evil");
  const two = `◆ <${DESK}|[E3]> · <${other}|[E4]>`;
  assertThrows(
    () => read(two, "context"),
    SyntaxError,
    "has evidence in more than one place",
  );
});

Deno.test("links and moments are read back as they are written", () => {
  const url = "https://a.example/x?y=1&z=%3C%7C";
  assertEquals(addressLink(url), "<https://a.example/x?y=1&amp;z=%3C%7C>");
  assertEquals(withoutControls(addressLink(url)), url.replace("&", "&amp;"));
  assertEquals(evidenceLink(DESK, "[E3]"), `<${DESK}|[E3]>`);
  // What is no citation stays text.
  assertEquals(evidenceLink(DESK, "[?]"), "[?]");
  assertEquals(localTime(MOMENT, "09:20:00 UTC"), `<${DATE}>`);
  // Another time than that of the moment is not followed by one.
  assertEquals(localTime(MOMENT, "09:21:00 UTC"), "09:21:00 UTC");
  assertEquals(localTime("soon", "09:20:00 UTC"), "09:20:00 UTC");
});

const URLS: [pattern: string | undefined, pointer: string, url?: string][] = [
  [undefined, "redis://art:7"],
  ["https://desk.example/{pointer}", "redis://art:7", DESK],
  [
    "http://desk.example:8080/open?p={pointer}&q=|",
    "redis://art:a-b",
    "http://desk.example:8080/open?p=redis%3A%2F%2Fart%3Aa-b&q=%7C",
  ],
  ["https://desk.example/{pointer}", "redis://art:7 x"],
  ["https://desk.example/{pointer}", "https://evil.example/"],
  ["https://{pointer}/", "redis://art:7"],
];
for (const [pattern, pointer, url] of URLS) {
  Deno.test(`evidenceUrl() makes ${url} of ${pattern} and ${pointer}`, () => {
    assertEquals(evidenceUrl(pattern, pointer), url);
  });
}

const SHOWN = [
  { type: "section", text: { type: "mrkdwn", text: `◆ Since <${DATE}>` } },
  {
    type: "section",
    text: { type: "mrkdwn", text: "◆ Runbook: <https://a.example/?b&amp;c>" },
  },
  {
    type: "context",
    elements: [{ type: "mrkdwn", text: `◆ <${DESK}|[E3]> “Logs”` }],
  },
];

Deno.test("a terminal shows UTC, whole addresses, and what a citation opens", () => {
  assertEquals(renderText(SHOWN, { columns: 200, colour: false }), [
    "│ ◆ Since 09:20:00 UTC",
    "│",
    "│ ◆ Runbook: https://a.example/?b&c",
    "│",
    "│ ◆ [E3] “Logs”",
    `│ [E3] ${DESK}`,
  ]);
});

Deno.test("a picture shows UTC, and links only what our messages may link", () => {
  const html = renderHtml([
    ...SHOWN,
    ...POSING.map((posing) => ({
      type: "section",
      text: { type: "mrkdwn", text: `<${posing}>` },
    })),
  ], { title: "t", note: "n" });
  assertEquals(
    [...html.matchAll(/<a href="([^"]*)"[^>]*>([^<]*)</g)].map((
      [, href, text],
    ) => [href, text]),
    [
      ["https://a.example/?b&amp;c", "https://a.example/?b&amp;c"],
      [DESK, "[E3]"],
    ],
  );
  assertEquals(html.includes("Since 09:20:00 UTC<"), true);
});
