/**
 * Reads JSON from outside before anything has checked its shape. Pure.
 *
 * @module
 */
import { shorten } from "./text.ts";

/** A parsed JSON object. */
export type JsonObject = Record<string, unknown>;

/** Parses JSON; `undefined` for any other text. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a value is a JSON object: neither a list nor `null`. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `value` if it is a JSON object, otherwise `undefined`. */
export function objectOf(value: unknown): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

/** `value` if it is a string, otherwise empty. */
export function stringOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/**
 * The trimmed text of a string, shortened to `charsMax` characters.
 *
 * @returns `undefined` for a blank string and for anything else.
 */
export function textOf(value: unknown, charsMax: number): string | undefined {
  const text = stringOf(value).trim();
  return text === "" ? undefined : shorten(text, charsMax);
}

/** Like {@linkcode textOf}, but also takes numbers and booleans. */
export function plainTextOf(
  value: unknown,
  charsMax: number,
): string | undefined {
  const isPlain = typeof value === "number" || typeof value === "boolean";
  return textOf(isPlain ? String(value) : value, charsMax);
}

/** A property to spread into an object; nothing for `undefined`. */
export function optional<K extends string, V>(
  key: K,
  value: V | undefined,
): { [P in K]?: V } {
  return value === undefined ? {} : { [key]: value } as { [P in K]?: V };
}

/**
 * The same JSON value with every text and name in it changed. Where two names
 * become one, the one that was so already wins.
 */
export function mapTexts<T>(value: T, change: (text: string) => string): T {
  const map = (value: unknown): unknown => {
    if (typeof value === "string") return change(value);
    if (Array.isArray(value)) return value.map(map);
    if (!isObject(value)) return value;
    const names = new Map(
      Object.keys(value).map((name) => [name, change(name)]),
    );
    const kept = [...names].filter(([name, changed]) =>
      name === changed || !names.has(changed)
    );
    return Object.fromEntries(
      kept.map(([name, changed]) => [changed, map(value[name])]),
    );
  };
  return map(value) as T;
}
