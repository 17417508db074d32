/**
 * Makes the files that workers read their secrets from.
 *
 * @module
 */
import { secretsOf } from "./launch/files/secrets.ts";
import { WORKERS } from "./launch/permissions.ts";
import { command } from "./terminal/arguments.ts";
import { CommandError, runCommand } from "./terminal/command.ts";
import { whyNot } from "./terminal/files.ts";

const FOLDER = "deploy/secrets";

const HELP = {
  usage: "deno task secrets [--out DIR]",
  about:
    `Makes ${FOLDER}/<worker>/<VARIABLE>, empty, for every secret of every worker,
and leaves each file that is there as it is. Fill in those that you use; an empty
one counts as unset.`,
  options: { "out DIR": `where the files go (default ${FOLDER})` },
} as const;

export const main = command(HELP, async ({ values }, { out }) => {
  const { out: root = FOLDER } = values;
  for (const worker of WORKERS) {
    const folder = `${root}/${worker}`;
    // Closed to everybody else, so that the files need not be: a container reads
    // them as a user of its own, whom this machine does not know.
    await attempt(folder, Deno.mkdir(folder, { recursive: true, mode: 0o700 }));
    for (const { name } of secretsOf(worker)) {
      const path = `${folder}/${name}`;
      const made = await attempt(path, makeEmpty(path));
      if (made) out(`${path} made`);
    }
  }
});

/** @returns Whether there was none before. */
async function makeEmpty(path: string): Promise<boolean> {
  try {
    await Deno.writeTextFile(path, "", { createNew: true });
    // Whatever the umask is.
    if (Deno.build.os !== "windows") await Deno.chmod(path, 0o644);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}

async function attempt<T>(path: string, made: Promise<T>): Promise<T> {
  try {
    return await made;
  } catch (error) {
    throw new CommandError(`Cannot make ${path}: ${whyNot(error)}`);
  }
}

if (import.meta.main) await runCommand(main);
