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
  if (content.replace(/^\s*#.*$/gm, "").trim() === "") return null;
  try {
    return load(content);
  } catch (error) {
    throw new SyntaxError(
      error instanceof Error ? error.message : String(error),
    );
  }
}

/**
 * Parses every document of a stream, those that `---` divides.
 *
 * @throws {SyntaxError} If one is not YAML, or a mapping repeats a key.
 */
export function parseAll(content: string): unknown {
  try {
    return loadAll(content);
  } catch (error) {
    throw new SyntaxError(
      error instanceof Error ? error.message : String(error),
    );
  }
}

/** Writes a plain value as one YAML document. */
export function stringify(data: unknown): string {
  return dump(data);
}
