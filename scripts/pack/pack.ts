/**
 * The pack as files: reading, checking and archiving it.
 *
 * @module
 */
import { TarStream, type TarStreamInput } from "@std/tar";
import { parse } from "@std/yaml";
import { gzipSync } from "fflate";
import { sha256Hex } from "../../lib/base/digest.ts";
import { readBounded } from "../../lib/base/http.ts";
import type { Bundle } from "../../lib/operate/install.ts";
import { CommandError, LinesError } from "../terminal/command.ts";
import { whyNot } from "../terminal/files.ts";
import { findProblems } from "./rules.ts";

/** A pack's files by path, sorted by path. */
export type PackFiles = ReadonlyMap<string, string>;

const ARCHIVE_BYTES_MAX = 16 * 1024 * 1024;

export async function readPackFolder(folder: string): Promise<PackFiles> {
  const files: [string, string][] = [];
  const visit = async (path: string) => {
    for await (const entry of Deno.readDir(`${folder}/${path}`)) {
      const child = path + entry.name;
      if (entry.isDirectory) await visit(`${child}/`);
      else files.push([child, await Deno.readTextFile(`${folder}/${child}`)]);
    }
  };
  await visit("").catch((error) => {
    throw new CommandError(
      `Cannot read the pack in ${folder}: ${whyNot(error)}`,
    );
  });
  return new Map(files.toSorted(([a], [b]) => a < b ? -1 : 1));
}

/**
 * Checks a pack and archives it.
 *
 * The bytes depend only on the files and the lock file: entries are sorted and
 * carry no time, owner or mode of this machine, and the compressor is a pinned
 * library, not the runtime's.
 *
 * @throws {LinesError} Lists everything that a platform would refuse or
 * misread.
 */
export async function bundlePack(files: PackFiles): Promise<Bundle> {
  const problems = findProblems(files);
  if (problems.length > 0) {
    throw new LinesError(
      `The pack cannot be bundled:\n  ${problems.join("\n  ")}`,
    );
  }
  return await archivePack(files);
}

/** Archives a pack without checking it. */
export async function archivePack(files: PackFiles): Promise<Bundle> {
  const { metadata: { id, version } } = parse(files.get("pack.yaml")!) as {
    metadata: { id: string; version: string };
  };
  const entries = [...files].map(([path, content]): TarStreamInput => {
    const bytes = new TextEncoder().encode(content);
    return {
      type: "file",
      path,
      size: bytes.length,
      readable: new Blob([bytes]).stream(),
      options: { mode: 0o644, mtime: 0, uid: 0, gid: 0, uname: "", gname: "" },
    };
  });
  const tar = await readBounded(
    ReadableStream.from(entries).pipeThrough(new TarStream()),
    ARCHIVE_BYTES_MAX,
  );
  const bytes = gzipSync(tar, { level: 9, mtime: 0 });
  const name = `${id}-${version}.tgz`;
  return { id, version, name, bytes, sha256: await sha256Hex(bytes), files };
}
