/**
 * Pictures of HTML, by headless Chromium.
 *
 * @module
 */
import { CommandError } from "../terminal/command.ts";
import { shrinkPng } from "./png.ts";

const FLAGS = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"],
  ...["--no-first-run", "--disable-background-networking"],
  ...["--disable-component-update", "--disable-sync", "--hide-scrollbars"],
  "--disable-lcd-text", // Grey letters take half the space of coloured ones.
];
/** A taller page is cut. */
const HEIGHT_MAX = 6000;

export interface PhotographOptions {
  /** In the page's own pixels. */
  width: number;
  /** What is seen of a taller page. */
  heightMax?: number;
  /** Pixels of the picture for each of the page's. */
  scale?: number;
}

/** Writes a picture of a page, as high as the page is. */
export async function photograph(
  page: string,
  target: string,
  { width, heightMax = HEIGHT_MAX, scale = 1 }: PhotographOptions,
): Promise<void> {
  const folder = await Deno.makeTempDir({ dir: "/tmp" });
  const file = `${folder}/page.html`;
  const chromium = async (height: number, action: string) => {
    const { success, stdout } = await new Deno.Command("chromium", {
      args: [
        ...FLAGS,
        `--force-device-scale-factor=${scale}`,
        `--user-data-dir=${folder}/profile`,
        `--window-size=${width},${height}`,
        action,
        `file://${file}`,
      ],
      stderr: "null",
    }).output();
    if (!success) throw new CommandError("chromium failed");
    return new TextDecoder().decode(stdout);
  };
  try {
    // Only this copy measures itself: the page's own policy runs no script. A
    // window is at least 500 pixels wide until its picture is taken.
    await Deno.writeTextFile(
      file,
      page.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, "") +
        `<style>html { width: ${width}px }</style><script>document.title = Math.ceil(document.body.getBoundingClientRect().height)</script>`,
    );
    const [, height] =
      /<title>(\d+)</.exec(await chromium(800, "--dump-dom")) ??
        [];
    if (height === undefined) throw new CommandError("No height was measured");
    await Deno.writeTextFile(file, page);
    const shown = Math.min(Number(height), heightMax);
    const picture = `${folder}/page.png`;
    await chromium(shown, `--screenshot=${picture}`);
    await Deno.writeFile(target, await shrinkPng(await Deno.readFile(picture)));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
