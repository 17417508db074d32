/**
 * Programs of the system that a command or a test may run.
 *
 * @module
 */

/** Whether a program is there, and may be run. */
export async function hasProgram(name: string): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(name, {
      args: ["--version"],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    // It is elsewhere, and whoever asks may only run Debian's.
    if (error instanceof Deno.errors.NotCapable) return false;
    throw error;
  }
}
