/**
 * Makes the pictures of README.md: the sample incident's message as a chat
 * shows it, and a finished demo as a terminal shows it.
 *
 * @module
 */
import { sha256Hex } from "../lib/base/digest.ts";
import { escapeHtml, renderHtml } from "../lib/message/html.ts";
import { previewMessage } from "./pictures/make.ts";
import { readIncident } from "./terminal/incident_file.ts";
import { command } from "./terminal/arguments.ts";
import { CommandError, runCommand } from "./terminal/command.ts";

const HELP = {
  usage: "deno task picture",
  about:
    "Renders the sample incident's message as .github/images/message.png,\n" +
    "runs the demo and writes what it prints as .github/images/demo.svg.\n" +
    "Needs Chromium, as chromium on the PATH.",
  options: {},
} as const;

const FOLDER = ".github/images";
const SAMPLE = "deploy/samples/sample_incident.json";
/** Of the page that the picture was made from. */
export const PAGE_DIGEST = `${FOLDER}/message.sha256`;

export const main = command(HELP, async (_, { out }) => {
  const page = await renderPage();
  const png = `${FOLDER}/message.png`;
  await photograph(page, png);
  await Deno.writeTextFile(PAGE_DIGEST, `${await digestOf(page)}\n`);
  out(`${png}  made from ${SAMPLE}`);
  const svg = `${FOLDER}/demo.svg`;
  const lines = await runDemo();
  await Deno.writeTextFile(svg, renderTerminal(lines));
  out(`${svg}  ${lines.length} lines`);
});

/** The sample incident's message, as if a person had approved it. */
export async function renderPage(): Promise<string> {
  const incident = await readIncident(SAMPLE);
  const { message } = await previewMessage(
    incident,
    {
      linkOrigins: ["https://incidents.example.com"],
      dashboardRunUrl: "https://coretex.example.com/runs/{run_id}",
      evidenceUrl: undefined,
    },
    {
      released: {
        approval: {
          by: "ada",
          at: "2026-01-15T09:31:40.512Z",
          ruleId: "incident-enricher-require-approval-post",
        },
        runId: "58bac4de-7e17-47a3-92d5-d5bf7a2e30ea",
      },
    },
  );
  return renderHtml(message.blocks, { title: incident.incident_id, note: "" });
}

export function digestOf(page: string): Promise<string> {
  return sha256Hex(new TextEncoder().encode(page));
}

const CHROMIUM = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"],
  ...["--no-first-run", "--disable-background-networking"],
  ...["--disable-component-update", "--disable-sync", "--hide-scrollbars"],
  "--force-device-scale-factor=2",
];
const WIDTH_PX = 800;
const MARGIN_PX = 20;

/** Writes a picture of a page's message, cut to its height. */
async function photograph(page: string, target: string): Promise<void> {
  const folder = await Deno.makeTempDir({ dir: "/tmp" });
  const file = `${folder}/page.html`;
  const chromium = async (height: number, action: string) => {
    const { success, stdout } = await new Deno.Command("chromium", {
      args: [
        ...CHROMIUM,
        `--user-data-dir=${folder}/profile`,
        `--window-size=${WIDTH_PX},${height}`,
        action,
        `file://${file}`,
      ],
      stderr: "null",
    }).output();
    if (!success) throw new CommandError("chromium failed");
    return new TextDecoder().decode(stdout);
  };
  try {
    // Only this copy measures itself: the page's own policy runs no script.
    await Deno.writeTextFile(
      file,
      page.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, "") +
        `<script>document.title = document.querySelector("main").offsetHeight</script>`,
    );
    const [, height] =
      /<title>(\d+)</.exec(await chromium(600, "--dump-dom")) ??
        [];
    if (height === undefined) throw new CommandError("No height was measured");
    await Deno.writeTextFile(
      file,
      page.replace("</style>", `body { padding: ${MARGIN_PX}px; }\n</style>`),
    );
    await chromium(Number(height) + 2 * MARGIN_PX, `--screenshot=${target}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function runDemo(): Promise<string[]> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "demo", "--as", "ada"],
    stderr: "null",
  }).output();
  if (!success) {
    throw new CommandError("The demo failed; run it by itself to see why");
  }
  const text = new TextDecoder().decode(stdout);
  return ["$ npx -y deno task demo", ...text.trimEnd().split("\n")];
}

const COLUMNS = 132;
const ROW_PX = 17;
const COLUMN_PX = 7.8;

/** Draws lines of text; headings stand out, longer lines end in an ellipsis. */
function renderTerminal(lines: readonly string[]): string {
  const width = Math.round(COLUMNS * COLUMN_PX + 2 * MARGIN_PX);
  const height = lines.length * ROW_PX + 2 * MARGIN_PX;
  const rows = lines.map((line, at) => {
    const cut = line.length > COLUMNS ? `${line.slice(0, COLUMNS - 1)}…` : line;
    const kind = /^(\$|demo: |[A-Z])/.test(line) ? ' class="h"' : "";
    return `<text x="${MARGIN_PX}" y="${
      MARGIN_PX + (at + 0.75) * ROW_PX
    }"${kind}>${escapeHtml(cut)}</text>`;
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

if (import.meta.main) await runCommand(main);
