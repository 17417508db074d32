/**
 * Which processes run, for tests that want to know what was left behind.
 *
 * @module
 */

// Deno refuses to read /proc/<id>/cmdline itself, whatever it is permitted;
// where there is no /proc there is a `ps`.
const LIST = `if [ -r /proc/1/cmdline ]; then
  for id in /proc/[0-9]*; do
    line=$(tr '\\0' ' ' 2>/dev/null < "$id/cmdline") && echo "\${id#/proc/} $line"
  done
else
  ps -axo pid=,args=
fi`;

/** The ids of processes whose command line holds every one of `texts`. */
export async function processesWith(...texts: string[]): Promise<number[]> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", LIST],
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout).split("\n")
    .filter((line) => texts.every((text) => line.includes(text)))
    .map((line) => parseInt(line));
}
