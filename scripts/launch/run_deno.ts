/**
 * Subcommands of the Deno that runs this.
 *
 * @module
 */

/** The folder of the project. */
export const ROOT = new URL("../../", import.meta.url);

/** How a subcommand ended, and what it wrote on standard error. */
export interface DenoRun {
  code: number;
  said: string;
}

/** Runs `deno ARGS` in the project's folder and waits for its end. */
export async function runDeno(...args: string[]): Promise<DenoRun> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).output();
  return { code, said: new TextDecoder().decode(stderr).trim() };
}
