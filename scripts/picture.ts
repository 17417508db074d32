/**
 * Makes the pictures of the documentation: messages as a chat shows them, pages
 * beside them, and a finished demo as a terminal shows it.
 *
 * @module
 */
import type { Config } from "../lib/base/config.ts";
import { sha256Hex } from "../lib/base/digest.ts";
import { escapeHtml, renderBoth, renderHtml } from "../lib/message/html.ts";
import { pageDocument } from "../lib/message/page/page.ts";
import type { LINK_SETTINGS } from "../lib/message/settings.ts";
import { collectSample, NOW } from "./pictures/collected.ts";
import { type Preview, previewFindings } from "./pictures/make.ts";
import { photograph } from "./pictures/photograph.ts";
import { PICTURE_SAMPLES } from "./pictures/samples.ts";
import { command, readName } from "./terminal/arguments.ts";
import {
  type CommandContext,
  CommandError,
  runCommand,
} from "./terminal/command.ts";

const NAMES = ["readme", "messages", "demo"] as const;

const HELP = {
  usage: "deno task picture [--only NAME]",
  about:
    `readme: the sample incident's message and page, as .github/images/message.png.
messages: the messages and the page of docs/messages.md, in docs/images/.
demo: what the demo prints, as .github/images/demo.svg.
Needs Chromium, as chromium on the PATH.`,
  options: { "only NAME": `one of ${NAMES.join(", ")}; all if not given` },
} as const;

const FOLDER = ".github/images";
const MESSAGES_FOLDER = "docs/images";
/** Of the page that the picture was made from. */
export const PAGE_DIGEST = `${FOLDER}/message.sha256`;
const README_PX = { width: 1280, heightMax: 1060, scale: 1.5 };
/** A phone, and a window beside others. */
const WIDTHS = [420, 900] as const;
const PAGE_HEIGHT_MAX = 3600;

export const main = command(HELP, async ({ values }, context) => {
  const only = values.only === undefined
    ? undefined
    : readName("picture", values.only, NAMES);
  const makers: Record<typeof NAMES[number], () => Promise<void>> = {
    readme: () => makeReadme(context),
    messages: () => makeMessages(context),
    demo: () => makeDemo(context),
  };
  for (const name of only === undefined ? NAMES : [only]) await makers[name]();
});

async function makeReadme({ out }: CommandContext): Promise<void> {
  const page = await renderPage();
  const png = `${FOLDER}/message.png`;
  await photograph(page, png, README_PX);
  await Deno.writeTextFile(PAGE_DIGEST, `${await digestOf(page)}\n`);
  out(png);
}

async function makeDemo({ out }: CommandContext): Promise<void> {
  const svg = `${FOLDER}/demo.svg`;
  const lines = await runDemo();
  await Deno.writeTextFile(svg, renderTerminal(lines));
  out(`${svg}  ${lines.length} lines`);
}

async function makeMessages({ out }: CommandContext): Promise<void> {
  await Deno.mkdir(MESSAGES_FOLDER, { recursive: true });
  for (const { name, findings } of PICTURE_SAMPLES) {
    const preview = await previewSample(await findings());
    const chat = renderHtml(preview.message.blocks, { title: name, note: "" });
    for (const width of WIDTHS) {
      const png = `${MESSAGES_FOLDER}/${name}-${width}.png`;
      await photograph(inFrame(chat), png, { width, scale: 1.5 });
      out(png);
    }
    if (name !== "collected") continue;
    const page = pageDocument(opened(preview).page);
    for (const width of WIDTHS) {
      const png = `${MESSAGES_FOLDER}/page-${width}.png`;
      await photograph(page, png, { width, heightMax: PAGE_HEIGHT_MAX });
      out(png);
    }
  }
}

/** Without a footer's space and a margin that a window has. */
function inFrame(page: string): string {
  return page.replace(
    "</style>",
    "body { padding: 12px; }\nfooter { display: none; }\n</style>",
  );
}

/** The sample incident's message and page, as if a person had approved it. */
export async function renderPage(): Promise<string> {
  const preview = await previewSample(await collectSample());
  const { message, page } = opened(preview);
  return renderBoth(message.blocks, page, { title: "Sample", note: "" });
}

/** With the evidence of the first claims unfolded, as a reader would. */
function opened(preview: Preview): Preview {
  const { title, body } = preview.page;
  const parts = body.split("<section>").map((part) =>
    /^\s*<h2>What (?:happened|changed)/.test(part)
      ? part.replace("<details>", "<details open>")
      : part
  );
  return { ...preview, page: { title, body: parts.join("<section>") } };
}

const SETTINGS: Config<typeof LINK_SETTINGS> = {
  linkOrigins: [
    "https://runbooks.example.com",
    "https://grafana.example.com",
    "http://prometheus.example.com:9090",
    "http://alertmanager.example.com:9093",
    "https://meet.example.com",
  ],
  dashboardRunUrl: "https://coretex.example.com/runs/{run_id}",
  evidenceUrl: "https://coretex.example.com/evidence/{pointer}",
};

function previewSample(
  found: Parameters<typeof previewFindings>[0],
): Promise<Preview> {
  return previewFindings(found, SETTINGS, {
    now: NOW,
    released: {
      approval: {
        by: "ada",
        at: "2026-01-15T09:31:59.512Z",
        ruleId: "incident-enricher-require-approval-post",
      },
      runId: "58bac4de-7e17-47a3-92d5-d5bf7a2e30ea",
    },
  });
}

export function digestOf(page: string): Promise<string> {
  return sha256Hex(new TextEncoder().encode(page));
}

const MARGIN_PX = 20;

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
