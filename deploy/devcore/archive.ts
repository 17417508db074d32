/**
 * The archive of a pack and the files in it, read as the platform reads them.
 *
 * @module
 */
import { isObject, type JsonObject } from "../../lib/base/json.ts";
import { UntarStream } from "@std/tar";
import { parse } from "@std/yaml";
import { need, parseJson, Refusal } from "./common.ts";

/** Texts by their path below the folder of `pack.yaml`. */
export type Files = ReadonlyMap<string, string>;

const FILES_MAX = 2048;
const FILE_BYTES_MAX = 32 * 1024 * 1024;

/** Unpacks an archive; one folder around everything is stripped. @throws {Refusal} */
export async function readArchive(archive: Uint8Array): Promise<Files> {
  const files = new Map<string, string>();
  const roots = new Set<string>();
  try {
    const entries = new Blob([archive as BlobPart]).stream()
      .pipeThrough(new DecompressionStream("gzip"))
      .pipeThrough(new UntarStream());
    for await (const { path, header, readable } of entries) {
      const name = cleanPath(path);
      roots.add(name.split("/", 1)[0]!);
      if (readable === undefined) continue;
      const fits = header.size <= FILE_BYTES_MAX && files.size < FILES_MAX;
      need(fits, "archive too large");
      files.set(name, await new Response(readable).text());
    }
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal(400, "unexpected EOF");
  }
  if (files.has("pack.yaml")) return files;
  const [root = ""] = roots;
  need(
    roots.size === 1 && files.has(`${root}/pack.yaml`),
    "pack.yaml not found in archive root",
  );
  return new Map(
    [...files].map(([name, text]) => [name.slice(root.length + 1), text]),
  );
}

function cleanPath(path: string): string {
  need(!path.startsWith("/"), `absolute archive path: ${path}`);
  const parts: string[] = [];
  for (const part of path.split("/")) {
    const leaves = part === ".." && parts.pop() === undefined;
    need(!leaves, `invalid archive path: ${path}`);
    if (!["", ".", ".."].includes(part)) parts.push(part);
  }
  // Whatever cleans to the root itself is refused, even a bare "./".
  need(parts.length > 0, `invalid archive path: ${path}`);
  return parts.join("/");
}

/** @throws {Refusal} */
export function readFile(files: Files, path: string): string {
  const text = files.get(cleanPath(path));
  need(text !== undefined, `open ${path}: no such file or directory`);
  return text;
}

/** @param word What the refusal calls the file. @throws {Refusal} */
export function readObject(
  files: Files,
  path: string,
  word: string,
): JsonObject {
  const text = readFile(files, path);
  const value = parseJson(text) ?? parseYaml(text);
  need(isObject(value), `${word} file must be an object`);
  return value;
}

/** @param prefix What the refusal starts with. @throws {Refusal} */
export function parseYaml(text: string, prefix = ""): unknown {
  try {
    return parse(text);
  } catch (error) {
    const [line] = (error as Error).message.split("\n", 1);
    throw new Refusal(400, `${prefix}yaml: ${line}`);
  }
}
