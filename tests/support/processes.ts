/**
 * Lists processes, for tests that look for what was left behind.
 *
 * @module
 */

// Deno itself never reads /proc/<id>/cmdline, whatever its permissions. Systems
// without /proc have a `ps` instead.
const LIST = `if [ -r /proc/1/cmdline ]; then
  for id in /proc/[0-9]*; do
    line=$(tr '\\0' ' ' 2>/dev/null < "$id/cmdline") && echo "\${id#/proc/} $line"
  done
else
  ps -axo pid=,args=
fi`;

/** Finds the ids of processes whose command line holds all of `texts`. */
export async function processesWith(...texts: string[]): Promise<number[]> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", LIST],
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout).split("\n")
    .filter((line) => texts.every((text) => line.includes(text)))
    .map((line) => parseInt(line));
}
