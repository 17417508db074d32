/**
 * A message as a picture: one HTML page that looks like a chat. Pure.
 *
 * The page fetches nothing and runs nothing; all that comes from the message
 * is escaped. It is a likeness of Slack's layout, not Slack's own rendering.
 *
 * @module
 */
import type { JsonObject } from "../base/json.ts";
import type { PageParts } from "./page/page.ts";
import { CSS as PAGE_CSS, scopeCss } from "./page/style.ts";
import { readBlock, readMrkdwn, type Span, type Style } from "./mrkdwn.ts";

const TAGS: Readonly<Record<Style, string>> = {
  bold: "strong",
  italic: "em",
  strike: "s",
  code: "code",
  link: "u",
  mention: "mark",
};

const CSS = `
:root { color-scheme: light dark; --page: #eceef1; --card: #fff; --ink: #1d1c1d;
  --faint: #616061; --line: #d9d9dc; --code: #c01343; --code-bg: #f6f6f8;
  --mark: #fff0c2; }
@media (prefers-color-scheme: dark) {
  :root { --page: #0f1012; --card: #1a1d21; --ink: #e4e5e6; --faint: #a3a5a9;
    --line: #3c3f44; --code: #f0708b; --code-bg: #24272c; --mark: #5c4a10; }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 32px 16px; background: var(--page); color: var(--ink);
  font: 15px/1.46668 Lato, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 760px; margin: 0 auto; padding: 20px 24px 20px 20px; display: flex;
  gap: 12px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.avatar { flex: none; width: 38px; height: 38px; border-radius: 9px; background: #3b5bdb;
  color: #fff; display: grid; place-items: center; }
.avatar svg { width: 24px; height: 24px; }
.message { min-width: 0; flex: 1; overflow-wrap: anywhere; }
.by { font-weight: 800; }
.by small { margin-left: 6px; padding: 1px 4px; border-radius: 3px; background: var(--line);
  color: var(--faint); font-size: 10px; font-weight: 600; vertical-align: 2px; }
.by time { margin-left: 6px; color: var(--faint); font-size: 12px; font-weight: 400; }
h1 { margin: 8px 0 6px; font-size: 18px; line-height: 1.3; }
.sign { display: inline-block; width: 0.95em; height: 0.95em; border-radius: 50%;
  overflow: hidden; text-indent: 2em; white-space: nowrap; vertical-align: -0.1em; }
.red { background: #dd2e44; } .orange { background: #f4900c; }
.yellow { background: #fdcb58; } .blue { background: #3b88c3; }
p { margin: 0; }
.section { margin: 8px 0 12px; }
.item { display: flex; gap: 8px; }
.item::before { content: "•"; }
.rest { color: var(--faint); }
code { padding: 1px 3px; border: 1px solid var(--line); border-radius: 3px;
  background: var(--code-bg); color: var(--code);
  font: 12px/1.5 ui-monospace, Menlo, Consolas, monospace; }
mark { padding: 0 2px; border-radius: 3px; background: var(--mark); color: inherit; }
.actions { display: flex; flex-wrap: wrap; gap: 8px; margin: 12px 0; }
.actions a { padding: 4px 12px; border: 1px solid var(--line); border-radius: 8px;
  color: inherit; font-weight: 700; font-size: 14px; text-decoration: none; }
.actions a:hover { background: var(--code-bg); }
.context { display: flex; flex-wrap: wrap; gap: 2px 14px; margin: 6px 0;
  color: var(--faint); font-size: 13px; }
footer { max-width: 760px; margin: 10px auto 0; color: var(--faint); font-size: 12px; }
`;

// Three lines of a summary, the last one ticked off.
const AVATAR =
  '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round"><path d="M5 6h14M5 12h9M5 18h5M14 17l3 3 5-6"/></svg>';

/** Drawn here, as not every machine has a font for them. */
const SIGNS: ReadonlyMap<string, string> = new Map([
  ["\u{1F534}", "red"],
  ["\u{1F7E0}", "orange"],
  ["\u{1F7E1}", "yellow"],
  ["\u{1F535}", "blue"],
]);
const SIGN_PATTERN = new RegExp([...SIGNS.keys()].join("|"), "gu");

export interface HtmlOptions {
  title: string;
  /** Below the picture, such as the digest. */
  note: string;
}

export function renderHtml(
  blocks: readonly JsonObject[],
  { title, note }: HtmlOptions,
): string {
  return documentOf(title, CSS, chatOf(blocks, note));
}

/**
 * The message beside its page, in one document: one below the other on a narrow
 * screen.
 */
export function renderBoth(
  blocks: readonly JsonObject[],
  page: PageParts,
  { title, note }: HtmlOptions,
): string {
  return documentOf(
    title,
    BOTH_CSS + scopeCss(CSS, ".chat") + scopeCss(PAGE_CSS, ".page"),
    `<div class="both">
<div class="chat">
${chatOf(blocks, note)}</div>
<div class="page">
${page.body}</div>
</div>
`,
  );
}

const BOTH_CSS = `
body { margin: 0; }
.both { display: grid; min-height: 100vh; }
@media (min-width: 900px) {
  .both { grid-template-columns: minmax(0, 5fr) minmax(0, 6fr); }
}
`;

function documentOf(title: string, css: string, body: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>${escapeHtml(title)}</title>
<style>${css}</style>
</head>
<body>
${body}</body>
</html>
`;
}

function chatOf(blocks: readonly JsonObject[], note: string): string {
  return `<main>
<div class="avatar" aria-hidden="true">${AVATAR}</div>
<div class="message">
<div class="by">Incident Enricher <small>APP</small><time>3:00 AM</time></div>
${renderBody(blocks)}
</div>
</main>
<footer>${escapeHtml(note)}</footer>
`;
}

/**
 * The blocks alone, for a page that brings its own style.
 *
 * @param heading The tag of a header, by its place in that page.
 */
export function renderBody(
  blocks: readonly JsonObject[],
  heading: "h1" | "h3" = "h1",
): string {
  return blocks.map((block) => renderBlock(block, heading)).join("\n");
}

/** Text as HTML, between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.toWellFormed().replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;");
}

function renderBlock(block: JsonObject, heading: "h1" | "h3"): string {
  const { type, texts, buttons } = readBlock(block);
  switch (type) {
    case "header":
      return `<${heading}>${texts.map(renderText).join("")}</${heading}>`;
    case "section":
    case "context":
      return `<div class="${type}">${texts.map(renderLines).join("")}</div>`;
    case "actions":
      return `<div class="actions">${buttons.map(renderButton).join("")}</div>`;
    default:
      return `<p class="rest">(a block of type ${escapeHtml(type)})</p>`;
  }
}

/** Text with signs of severity drawn, as not every machine has a font for them. */
export function renderText(text: string): string {
  return escapeHtml(text).replace(
    SIGN_PATTERN,
    (sign) => `<span class="sign ${SIGNS.get(sign)}">${sign}</span>`,
  );
}

function renderLines(mrkdwn: string): string {
  return mrkdwn.split("\n").map((line) => {
    const [kind, rest] = line.startsWith("• ")
      ? [' class="item"', line.slice(2)]
      : line.startsWith("… ")
      ? [' class="rest"', line]
      : ["", line];
    return `<p${kind}><span>${
      readMrkdwn(rest).map(renderSpan).join("")
    }</span></p>`;
  }).join("");
}

function renderSpan({ text, style, url }: Span): string {
  const inner = renderText(text);
  if (url !== undefined) {
    return `<a href="${escapeHtml(url)}" rel="noreferrer">${inner}</a>`;
  }
  return style === undefined
    ? inner
    : `<${TAGS[style]}>${inner}</${TAGS[style]}>`;
}

function renderButton({ label, url }: { label: string; url: string }): string {
  const address = URL.parse(url);
  const text = escapeHtml(label);
  // Anything but the web, such as `javascript:`, would act in this page.
  return address !== null && /^https?:$/.test(address.protocol)
    ? `<a href="${escapeHtml(address.href)}" rel="noreferrer">${text}</a>`
    : `<a>${text}</a>`;
}
