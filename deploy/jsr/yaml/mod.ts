/**
 * The part of `jsr:@std/yaml` that this project uses, for networks that reach
 * npm but not JSR.
 *
 * deno.json `links` this folder in place of the package of the same name and
 * version. It is no fork: the functions have the original's names and
 * signatures and rest on `npm:js-yaml`. Delete the `links` entry, run once
 * with `--frozen=false`, and the original serves in its place.
 *
 * @module
 */
import { dump, load, loadAll } from "npm:js-yaml@5.5.0";

/**
 * Parses one YAML document.
 *
 * @returns The value, `null` for an empty document.
 * @throws {SyntaxError} If the text is not YAML, or a mapping repeats a key.
 */
export function parse(content: string): unknown {
  const isEmpty = content.replace(/^\s*#.*$/gm, "").trim() === "";
  return isEmpty ? null : attempt(() => load(content));
}

/** Parses every document of a stream. @throws {SyntaxError} As for one. */
export function parseAll(content: string): unknown {
  return attempt(() => loadAll(content));
}

export function stringify(data: unknown): string {
  return dump(data);
}

function attempt(load: () => unknown): unknown {
  try {
    return load();
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new SyntaxError(problem);
  }
}
