/**
 * Bundles `pack/` into the archive that the platform installs.
 *
 * @module
 */
import { inBytes, readArgs, runCommand, say } from "./terminal/cli.ts";
import { bundlePack, readPackFolder } from "./pack/pack.ts";

const HELP = {
  usage: "deno task bundle [--pack DIR] [--out DIR]",
  about:
    "Checks the pack as strictly as the strictest platform, then archives it.\n" +
    "The same files give the same bytes on every machine.",
  options: [
    ["--pack DIR", "the pack's folder (default pack)"],
    ["--out DIR", "where the archive goes (default dist)"],
  ],
} as const;

async function main(args: readonly string[]): Promise<void> {
  const given = readArgs(args, HELP, {
    pack: { type: "string" },
    out: { type: "string" },
  });
  if (given === undefined) return;
  const { pack = "pack", out = "dist" } = given.values as Record<
    string,
    string
  >;
  const bundle = await bundlePack(await readPackFolder(pack));
  await Deno.mkdir(out, { recursive: true });
  const path = `${out}/${bundle.name}`;
  await Deno.writeFile(path, bundle.bytes);
  say(`${path}  ${bundle.files.size} files, ${inBytes(bundle.bytes.length)}`);
  say(`sha256 ${bundle.sha256}`);
}

if (import.meta.main) await runCommand(main);
