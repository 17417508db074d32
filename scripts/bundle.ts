/**
 * Bundles `pack/` into the archive that the platform installs.
 *
 * @module
 */
import { readArgs } from "./terminal/arguments.ts";
import { type CommandContext, runCommand } from "./terminal/command.ts";
import { inBytes } from "./terminal/format.ts";
import { bundlePack, readPackFolder } from "./pack/pack.ts";

const HELP = {
  usage: "deno task bundle [--pack DIR] [--out DIR]",
  about:
    "Checks the pack as strictly as the strictest platform, then archives it.\n" +
    "The same files give the same bytes on every machine.",
  options: {
    pack: { value: "DIR", about: "the pack's folder (default pack)" },
    out: { value: "DIR", about: "where the archive goes (default dist)" },
  },
} as const;

export async function main(
  args: readonly string[],
  context: CommandContext,
): Promise<number> {
  const given = readArgs(args, HELP, context);
  if (given === undefined) return 0;
  const { pack = "pack", out = "dist" } = given.values;
  const bundle = await bundlePack(await readPackFolder(pack));
  await Deno.mkdir(out, { recursive: true });
  const path = `${out}/${bundle.name}`;
  await Deno.writeFile(path, bundle.bytes);
  context.out(
    `${path}  ${bundle.files.size} files, ${inBytes(bundle.bytes.length)}`,
  );
  context.out(`sha256 ${bundle.sha256}`);
  return 0;
}

if (import.meta.main) await runCommand(main);
