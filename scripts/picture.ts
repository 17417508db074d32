/**
 * Makes the picture of README.md: a finished demo, as a terminal shows it.
 *
 * @module
 */
import { readArgs } from "./terminal/arguments.ts";
import {
  type CommandContext,
  CommandError,
  runCommand,
} from "./terminal/command.ts";

const HELP = {
  usage: "deno task picture",
  about: "Runs the demo and writes what it prints as .github/images/demo.svg.",
  options: {},
} as const;

const TARGET = ".github/images/demo.svg";
const COLUMNS = 132;
const ROW_PX = 17;
const COLUMN_PX = 7.8;
const MARGIN_PX = 20;

export async function main(
  args: readonly string[],
  context: CommandContext,
): Promise<number> {
  if (readArgs(args, HELP, context) === undefined) return 0;
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "demo", "--id", "INC-1042", "--as", "ada"],
    stderr: "null",
  }).output();
  if (!success) {
    throw new CommandError("The demo failed; run it by itself to see why");
  }
  const lines = [
    "$ npx -y deno task demo",
    ...new TextDecoder().decode(stdout).trimEnd().split("\n"),
  ];
  await Deno.writeTextFile(TARGET, render(lines));
  context.out(`${TARGET}  ${lines.length} lines`);
  return 0;
}

/** Draws lines of text; headings stand out, longer lines end in an ellipsis. */
function render(lines: readonly string[]): string {
  const width = Math.round(COLUMNS * COLUMN_PX + 2 * MARGIN_PX);
  const height = lines.length * ROW_PX + 2 * MARGIN_PX;
  const rows = lines.map((line, at) => {
    const cut = line.length > COLUMNS ? `${line.slice(0, COLUMNS - 1)}…` : line;
    const kind = /^(\$|demo: |[A-Z])/.test(line) ? ' class="h"' : "";
    return `<text x="${MARGIN_PX}" y="${
      MARGIN_PX + (at + 0.75) * ROW_PX
    }"${kind}>${escape(cut)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" viewBox="0 0 ${width} ${height}" role="img" aria-label="A finished demo">`,
    "<style>text{font:13px ui-monospace,Menlo,Consolas,monospace;fill:#c9d1d9;white-space:pre}.h{fill:#7ee787;font-weight:600}</style>",
    `<rect width="100%" height="100%" rx="8" fill="#0d1117"/>`,
    ...rows,
    "</svg>",
    "",
  ].join("\n");
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(
    ">",
    "&gt;",
  );
}

if (import.meta.main) await runCommand(main);
