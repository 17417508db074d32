import { assert, assertEquals } from "@std/assert";
import {
  groupLines,
  messageOf,
  templateOf,
} from "../../lib/evidence/log_templates.ts";

const TEMPLATES: readonly (readonly [line: string, template: string])[] = [
  ["took 250 ms, 3 of 5 tries", "took <n> ms, <n> of <n> tries"],
  ["no route to 10.0.0.7:5432", "no route to <n>"],
  ["2026-01-15T09:31:02.123Z ERROR down", "<time> ERROR down"],
  ["2026-01-15 09:31:02,123 ERROR down", "<time> ERROR down"],
  ["09:31:02 down since 08:00:00.5", "<time> down since <time>"],
  ["order 7d3a1b9c-0e4f-4a1b-8c2d-9e8f7a6b5c4d lost", "order <id> lost"],
  ["at 0x7ffe12ab in deadbeef01 and 9f8e7d6c", "at <id> in <id> and <id>"],
  ["user \"ada\" and user 'bob'", "user <text> and user <text>"],
  // An apostrophe quotes nothing, and a word of letters a to f is no id.
  ["can't add, won't feedbeef", "can't add, won't feedbeef"],
  ["users' and hosts' names", "users' and hosts' names"],
  ["a  \t b", "a b"],
];

Deno.test("templateOf() replaces what differs between lines, and no words", () => {
  for (const [line, template] of TEMPLATES) {
    assertEquals(templateOf(line), template, line);
  }
});

const MESSAGES: readonly (readonly [line: string, message: string])[] = [
  ["plain text", "plain text"],
  ['{"ts":1,"level":"error","msg":"no connection"}', "no connection"],
  ['{"message":"failed","err":"timeout"}', "failed: timeout"],
  ['{"msg":"a","error":{"message":"b"}}', "a: b"],
  ['{"error":"only this"}', "only this"],
  ['{"level":"error"}', '{"level":"error"}'],
  ['{"msg":"cut in the mid', '{"msg":"cut in the mid'],
  ['ts=1 level=error msg="say \\"hi\\"" err=timeout', 'say "hi": timeout'],
  ["level=error msg=down", "down"],
  ["retry after error=timeout", "retry after error=timeout"],
  ["\x1b[31mred\x1b[0m and \u202eleft", "red and left"],
];

Deno.test("messageOf() takes the message out of JSON and logfmt, and leaves other lines", () => {
  for (const [line, message] of MESSAGES) {
    assertEquals(messageOf(line), message, line);
  }
});

Deno.test("groupLines() counts, and tells lines of one millisecond apart", () => {
  const ms = "1768469462000";
  const lines = [
    { at: `${ms}000003`, text: "b 1" },
    { at: `${ms}000002`, text: "a 2" },
    { at: `${ms}000001`, text: "a 1" },
    { at: `${ms}000004`, text: "b 2" },
  ];
  const groups = groupLines(lines);
  assertEquals(groups, [
    {
      template: "a <n>",
      count: 2,
      first: `${ms}000001`,
      last: `${ms}000002`,
      example: "a 1",
    },
    {
      template: "b <n>",
      count: 2,
      first: `${ms}000003`,
      last: `${ms}000004`,
      example: "b 1",
    },
  ]);
  assertEquals(groupLines(lines.toReversed()), groups);
});

Deno.test("groupLines() takes little time for long and odd lines", () => {
  const parts = ['"', "'", "{", "\\", "1:", "a1", "msg=", 'msg="\\', "0x"];
  const started = performance.now();
  for (const part of parts) {
    const text = part.repeat(250_000 / part.length);
    const groups = groupLines(
      Array.from({ length: 20 }, (_, at) => ({ at: `${at}`, text })),
    );
    for (const { template, example } of groups) {
      assert(template.length <= 400 && example.length <= 2000, part);
    }
  }
  assert(performance.now() - started < 3000);
});
