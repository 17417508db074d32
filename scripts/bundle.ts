/**
 * Bundles `pack/` into the archive that the platform installs.
 *
 * @module
 */
import { command } from "./terminal/arguments.ts";
import { CommandError, runCommand } from "./terminal/command.ts";
import { whyNot } from "./terminal/files.ts";
import { inBytes } from "./terminal/format.ts";
import { bundlePack, readPackFolder } from "./pack/pack.ts";

const HELP = {
  usage: "deno task bundle [--pack DIR] [--out DIR]",
  about:
    "Checks the pack as strictly as the strictest platform, then archives it.\n" +
    "The same files give the same bytes on every machine.",
  options: {
    "pack DIR": "the pack's folder (default pack)",
    "out DIR": "where the archive goes (default dist)",
  },
} as const;

export const main = command(HELP, async ({ values }, { out }) => {
  const { pack = "pack", out: folder = "dist" } = values;
  const bundle = await bundlePack(await readPackFolder(pack));
  const path = `${folder}/${bundle.name}`;
  try {
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeFile(path, bundle.bytes);
  } catch (error) {
    throw new CommandError(`Cannot write ${path}: ${whyNot(error)}`);
  }
  out(
    `${path}  ${bundle.files.size} files, ${inBytes(bundle.bytes.length)}`,
  );
  out(`sha256 ${bundle.sha256}`);
});

if (import.meta.main) await runCommand(main);
