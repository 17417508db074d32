/**
 * Structured logs: a message and fields as one JSON line on standard error.
 *
 * Callers pass ids, codes, counts and lengths, never a payload. As a second
 * line of defence, the log replaces the process's own secrets in every text
 * before it cuts and writes the text. Characters that a terminal would act on
 * or not show are written as JSON escapes.
 *
 * @module
 */
import { messageOf } from "./errors.ts";
import { shorten, visibleJson } from "./text.ts";

/** The fields of a line beside its message. */
export type Fields = Readonly<
  Record<string, string | number | boolean | null | undefined>
>;

/** Writes lines at three levels. */
export interface Log {
  /** An event. */
  info(message: string, fields?: Fields): void;
  /** A failure that the process handles itself. */
  warn(message: string, fields?: Fields): void;
  /** A failure that needs a person. */
  error(message: string, fields?: Fields): void;
  /** The same log with `fields` on every line. */
  with(fields: Fields): Log;
}

/** The levels of lines, the least severe one first. */
export const LEVELS = ["info", "warn", "error"] as const;

/** How severe a line is. */
export type Level = typeof LEVELS[number];

/** Options of {@linkcode createLog}. */
export interface LogOptions {
  /** Values that must never be printed. */
  secrets?: readonly string[];
  /** Drops less severe lines; all are written if absent. */
  level?: Level;
  /** Takes one line without its line break. */
  write?: (line: string) => void;
  /** The time of day. */
  now?: () => Date;
}

const FIELD_CHARS_MAX = 2000;

/** Starts a log whose lines all carry `fields`. */
export function createLog(fields: Fields = {}, options: LogOptions = {}): Log {
  const { write = writeStderr, now = () => new Date() } = options;
  const mask = createMask(options.secrets ?? []);
  const least = LEVELS.indexOf(options.level ?? "info");
  const line = (level: Level) => (message: string, extra: Fields = {}) => {
    if (LEVELS.indexOf(level) < least) return;
    const record: Record<string, unknown> = {
      time: now().toISOString(),
      level,
      msg: mask(message),
    };
    for (const [key, value] of Object.entries({ ...fields, ...extra })) {
      record[key] = typeof value === "string"
        ? shorten(mask(value), FIELD_CHARS_MAX) // A cut could halve a secret.
        : value;
    }
    write(visibleJson(JSON.stringify(record)));
  };
  return {
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
    with: (extra) => createLog({ ...fields, ...extra }, options),
  };
}

/**
 * Makes a function that replaces every secret in a text by `[secret]`, both
 * verbatim and as JSON escapes it.
 *
 * Ignores secrets of fewer than four characters: replacing `k` would garble
 * every line and hide nothing.
 */
export function createMask(
  secrets: readonly string[],
): (text: string) => string {
  const needles = secrets.filter((secret) => secret.length >= 4)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)])
    .toSorted((a, b) => b.length - a.length);
  return (text) =>
    needles.reduce(
      (masked, needle) => masked.replaceAll(needle, "[secret]"),
      text,
    );
}

/** The text and code of an error as fields, without its cause. */
export function errorFields(error: unknown): Fields {
  const code = (error as { code?: unknown })?.code;
  return {
    error: messageOf(error),
    ...(typeof code === "string" ? { code } : {}),
  };
}

/** Like {@linkcode errorFields}, and the stack: for bugs, which need it. */
export function bugFields(error: unknown): Fields {
  const stack = error instanceof Error ? error.stack : undefined;
  return { ...errorFields(error), stack };
}

/** Writes a line to standard error, and gives up if nobody reads it. */
export function writeStderr(line: string): void {
  const bytes = new TextEncoder().encode(`${line}\n`);
  try {
    for (let at = 0; at < bytes.length;) {
      at += Deno.stderr.writeSync(bytes.subarray(at));
    }
  } catch {
    // A closed standard error must not stop the worker.
  }
}
