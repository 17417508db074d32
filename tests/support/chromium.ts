/**
 * Headless Chromium, where it is installed.
 *
 * @module
 */

import { hasProgram } from "../../scripts/launch/program.ts";

const FLAGS = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"],
  ...["--no-first-run", "--disable-background-networking"],
  ...["--disable-component-update", "--disable-sync"],
];

/** Whether there is a Chromium that tests may run. */
export const hasChromium = () => hasProgram("chromium");

/** Opens a page and waits for it. @returns What has become of it, as HTML. */
export async function domOf(page: string): Promise<string> {
  const folder = await Deno.makeTempDir({ dir: "/tmp" });
  try {
    const file = `${folder}/page.html`;
    await Deno.writeTextFile(file, page);
    const { success, stdout } = await new Deno.Command("chromium", {
      args: [
        ...FLAGS,
        `--user-data-dir=${folder}/profile`,
        "--virtual-time-budget=2000",
        "--dump-dom",
        `file://${file}`,
      ],
      stdin: "null",
      stderr: "null",
    }).output();
    if (!success) throw new Error("chromium failed");
    return new TextDecoder().decode(stdout);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
