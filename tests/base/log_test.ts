import { assertEquals } from "@std/assert";
import { JobError } from "../../lib/base/errors.ts";
import {
  createLog,
  createMask,
  errorFields,
  type Fields,
  type Level,
  LEVELS,
  type LogOptions,
} from "../../lib/base/log.ts";
import { UNSEEN } from "../support/unseen.ts";

const FIELD_CHARS_MAX = 2000;
const NOON = new Date("2026-01-15T12:00:00Z");
const TIME = NOON.toISOString();

function start(fields: Fields = {}, options: LogOptions = {}) {
  const lines: string[] = [];
  const log = createLog(fields, {
    write: (line) => lines.push(line),
    now: () => NOON,
    ...options,
  });
  return { log, lines };
}

/** The one line that a log with secrets writes. */
function written(secrets: string[], message: string, fields: Fields): string {
  const { log, lines } = start({}, { secrets });
  log.info(message, fields);
  assertEquals(lines.length, 1);
  return lines[0]!;
}

Deno.test("createLog() writes one JSON line: time, level, message, fields", () => {
  const { log, lines } = start({ worker: "w" });
  log.info("Worker ready", { jobs: 0, ok: true, none: null });
  assertEquals(lines, [
    `{"time":"${TIME}","level":"info","msg":"Worker ready","worker":"w","jobs":0,"ok":true,"none":null}`,
  ]);
});

for (const level of ["info", "warn", "error"] as const) {
  Deno.test(`createLog() writes ${level} lines by default`, () => {
    const { log, lines } = start();
    log[level]("m");
    assertEquals(lines, [`{"time":"${TIME}","level":"${level}","msg":"m"}`]);
  });
}

const LEAST: readonly [Level, string[]][] = [
  ["info", ["info", "warn", "error"]],
  ["warn", ["warn", "error"]],
  ["error", ["error"]],
];
for (const [least, written] of LEAST) {
  Deno.test(`createLog() at ${least} writes ${written.join(", ")}`, () => {
    const { log, lines } = start({}, { level: least });
    for (const level of LEVELS) log.with({ job: "j" })[level]("m");
    assertEquals(lines.map((line) => JSON.parse(line).level), written);
  });
}

Deno.test("createLog() leaves undefined fields out", () => {
  const { log, lines } = start({ a: undefined });
  log.info("m", { b: undefined });
  assertEquals(lines, [`{"time":"${TIME}","level":"info","msg":"m"}`]);
});

Deno.test("createLog() keeps line breaks and odd characters within the line", () => {
  const { log, lines } = start();
  const value = 'a\r\n"b"\u0000\ud800';
  log.info(value, { value });
  assertEquals(lines[0]!.includes("\n"), false);
  const parsed = JSON.parse(lines[0]!);
  assertEquals([parsed.msg, parsed.value], [value, value]);
});

Deno.test("createLog() shortens a field above 2000 characters and says so", () => {
  const { log, lines } = start();
  const longest = "x".repeat(FIELD_CHARS_MAX);
  log.info("m", { inside: longest, outside: longest + "x" });
  const { inside, outside } = JSON.parse(lines[0]!);
  assertEquals(inside, longest);
  assertEquals(outside, "x".repeat(FIELD_CHARS_MAX - 1) + "…");
});

Deno.test("with() adds fields to every line and leaves the log as it was", () => {
  const { log, lines } = start({ worker: "w", job: "none" });
  const child = log.with({ job: "j1" });
  child.info("m", { step: 1 });
  child.with({ step: 2 }).info("m");
  log.info("m");
  assertEquals(lines.map((line) => line.slice(line.indexOf('"worker"'))), [
    '"worker":"w","job":"j1","step":1}',
    '"worker":"w","job":"j1","step":2}',
    '"worker":"w","job":"none"}',
  ]);
});

Deno.test("createLog() masks secrets in messages and fields", async (t) => {
  const secret = 'pa"ss\\wo\nrd';
  await t.step("as they are", () => {
    const line = written([secret], `m ${secret}`, { field: `f ${secret}!` });
    const { msg, field } = JSON.parse(line);
    assertEquals([msg, field], ["m [secret]", "f [secret]!"]);
  });
  await t.step("as JSON within a text spells them", () => {
    const line = written([secret], "m", { body: JSON.stringify({ secret }) });
    assertEquals(JSON.parse(line).body, '{"secret":"[secret]"}');
  });
  await t.step("in fields of the log itself", () => {
    const { log, lines } = start({ key: "s3cret" }, { secrets: ["s3cret"] });
    log.with({ token: "s3cret" }).info("m");
    const { key, token } = JSON.parse(lines[0]!);
    assertEquals([key, token], ["[secret]", "[secret]"]);
  });
  await t.step("where a field is cut in the middle of one", () => {
    const value = "x".repeat(FIELD_CHARS_MAX - 8) + "s3cret-s3cret";
    const line = written(["s3cret-s3cret"], "m", { value });
    assertEquals(line.includes("s3cret-"), false);
    assertEquals(JSON.parse(line).value.slice(-9), "x[secret]");
  });
  await t.step("and every line stays JSON", () => {
    const line = written(["true", "level", "1234"], "a level", {
      ok: true,
      count: 1234,
    });
    assertEquals(JSON.parse(line), {
      time: TIME,
      level: "info",
      msg: "a [secret]",
      ok: true,
      count: 1234,
    });
  });
});

const MASKED: [secrets: string[], text: string, masked: string][] = [
  [[], "nothing", "nothing"],
  [["abc"], "abc stays: too short", "abc stays: too short"],
  [["abcd"], "abcd goes, ABCD stays", "[secret] goes, ABCD stays"],
  [["abcd"], "abcdabcd", "[secret][secret]"],
  [["abcd", "abcdef"], "abcdef abcd", "[secret] [secret]"], // Longest first.
  [[".*(a)$&"], "a .*(a)$& b", "a [secret] b"], // No pattern, no template.
  [['q"uote'], String.raw`{"a":"q\"uote"}`, '{"a":"[secret]"}'],
];
for (const [secrets, text, masked] of MASKED) {
  Deno.test(`createMask() of ${JSON.stringify(secrets)} makes ${masked}`, () => {
    assertEquals(createMask(secrets)(text), masked);
  });
}

Deno.test("errorFields() gives text and code, never the cause", async (t) => {
  await t.step("of an error with a code", () => {
    const cause = new Error("https://hooks.slack.com/services/T/B/x");
    const error = new JobError("POST_IN_DOUBT", "words", { cause });
    assertEquals(errorFields(error), { error: "words", code: "POST_IN_DOUBT" });
  });
  await t.step("of one without", () => {
    assertEquals(errorFields(new TypeError("words")), { error: "words" });
  });
  await t.step("of one whose code is no text", () => {
    assertEquals(errorFields(new DOMException("words")), { error: "words" });
  });
  for (const thrown of [undefined, null]) {
    await t.step(`of ${thrown}`, () => {
      assertEquals(Object.keys(errorFields(thrown)), ["error"]);
    });
  }
});

/** Logs one line while standard error is replaced. */
function logTo(writeSync: (bytes: Uint8Array) => number): void {
  const original = Deno.stderr.writeSync;
  Deno.stderr.writeSync = writeSync;
  try {
    createLog({ a: "\u00e9" }, { now: () => NOON }).info("m");
  } finally {
    Deno.stderr.writeSync = original;
  }
}

Deno.test("createLog() writes to standard error unless told otherwise", async (t) => {
  const line = `{"time":"${TIME}","level":"info","msg":"m","a":"\u00e9"}\n`;
  for (const atOnce of [1, 7, 4096]) {
    await t.step(`which takes ${atOnce} bytes at a time`, () => {
      const taken: number[] = [];
      logTo((bytes) => {
        const part = bytes.subarray(0, atOnce);
        taken.push(...part);
        return part.length;
      });
      assertEquals(new TextDecoder().decode(new Uint8Array(taken)), line);
    });
  }
});

Deno.test("createLog() outlives a closed standard error", () => {
  let calls = 0;
  logTo(() => {
    calls++;
    throw new Deno.errors.BrokenPipe("closed");
  });
  assertEquals(calls, 1);
});

Deno.test("createLog() escapes what a terminal would act on or not show", () => {
  for (const [name, unseen] of UNSEEN) {
    const text = `a${unseen}b`;
    const line = written(["s3cret"], text, { [text]: text });
    assertEquals(/[^ -~]/.test(line), false, name);
    const { msg, [text]: field } = JSON.parse(line);
    assertEquals([msg, field], [text, text]);
  }
});
