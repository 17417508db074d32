/**
 * The part of `jsr:@std/tar` that this project uses, for networks that reach
 * npm but not JSR.
 *
 * deno.json `links` this folder in place of the package of the same name and
 * version. It is no fork: the classes have the original's names and signatures
 * and rest on `npm:modern-tar`. Delete the `links` entry, run once with
 * `--frozen=false`, and the original serves in its place.
 *
 * @module
 */
import {
  createTarDecoder,
  createTarPacker,
  type TarHeader,
} from "npm:modern-tar@0.8.6";

/** Header fields of an entry; `mtime` in seconds since the epoch. */
export interface TarStreamOptions {
  mode?: number;
  uid?: number;
  gid?: number;
  mtime?: number;
  uname?: string;
  gname?: string;
}

/** A file to write: its `readable` yields exactly `size` bytes. */
export interface TarStreamFile {
  type: "file";
  path: string;
  size: number;
  readable: ReadableStream<Uint8Array>;
  options?: TarStreamOptions;
}

/** A folder to write. */
export interface TarStreamDir {
  type: "directory";
  path: string;
  options?: TarStreamOptions;
}

/** What {@linkcode TarStream} takes. */
export type TarStreamInput = TarStreamFile | TarStreamDir;

/** What {@linkcode UntarStream} gives; a folder has no `readable`. */
export interface TarStreamEntry {
  path: string;
  header: { name: string; size: number; typeflag: string };
  readable?: ReadableStream<Uint8Array>;
}

/** Turns files and folders into the bytes of an archive. */
export class TarStream implements TransformStream<TarStreamInput, Uint8Array> {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<TarStreamInput>;

  constructor() {
    const { readable, controller } = createTarPacker();
    this.readable = readable;
    this.writable = new WritableStream({
      async write(input) {
        const { mtime, ...rest } = input.options ?? {};
        const header: TarHeader = {
          name: input.path,
          type: input.type,
          size: input.type === "file" ? input.size : 0,
          ...rest,
          ...(mtime === undefined ? {} : { mtime: new Date(mtime * 1000) }),
        };
        const body = controller.add(header);
        if (input.type === "file") await input.readable.pipeTo(body);
        else await body.close();
      },
      close: () => controller.finalize(),
      abort: (reason) => controller.error(reason),
    });
  }
}

const TYPEFLAGS: Record<string, string> = {
  file: "0",
  link: "1",
  symlink: "2",
  directory: "5",
};

/** Turns the bytes of an archive into its entries, one after the other. */
export class UntarStream
  implements TransformStream<Uint8Array, TarStreamEntry> {
  readonly readable: ReadableStream<TarStreamEntry>;
  readonly writable: WritableStream<Uint8Array>;

  constructor() {
    const decoder = createTarDecoder({ strict: true });
    this.writable = decoder.writable;
    this.readable = decoder.readable.pipeThrough(
      new TransformStream({
        transform({ header, body }, controller) {
          const typeflag = TYPEFLAGS[header.type ?? "file"] ?? "?";
          controller.enqueue({
            path: header.name,
            header: { name: header.name, size: header.size, typeflag },
            ...(typeflag === "0" ? { readable: body } : {}),
          });
        },
      }),
    );
  }
}
