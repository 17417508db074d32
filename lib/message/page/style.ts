/**
 * The page's style, in light and dark, and the parts of it that the desk shares. Every colour of text has a contrast of at
 * least 4.5 to 1 with what is behind it (WCAG 2.2, AA). Pure.
 *
 * @module
 */

/** Colours, on light and on dark. */
export const LIGHT = `--page: #f3f4f6; --card: #fff; --ink: #1b1f24;
  --faint: #59626e; --line: #d5d9df; --link: #0b57c2; --mark: #ffedb0;
  --code: #f4f5f7; --critical: #b3152a; --error: #b04a00; --warning: #7a5b00;
  --info: #1f5fa8; --limit: #b3152a; --course: #0b57c2;`;
export const DARK =
  `--page: #101317; --card: #191d23; --ink: #e6e8eb; --faint: #a2abb6;
    --line: #363d47; --link: #82b4ff; --mark: #5a4708; --code: #12161b;
    --critical: #ff8a94; --error: #ffab70; --warning: #f0cb5b; --info: #8cc0ff;
    --limit: #ff8a94; --course: #82b4ff;`;

/** Pieces of evidence, and lines of them. */
export const EVIDENCE_CSS = `details { margin: 4px 0 0; }
summary { color: var(--faint); font-size: .875rem; cursor: pointer; }
article { padding: 10px 0; border-top: 1px solid var(--line); }
article h3 { margin-top: 0; }
article:first-of-type { border-top: 0; }
article:target { background: var(--code); }
pre { margin: 6px 0; padding: 8px 10px; background: var(--code); border: 1px solid var(--line);
  border-radius: 6px; font: 12.5px/1.5 ui-monospace, Menlo, Consolas, monospace;
  white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; }
code { font: .875em/1.4 ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
mark { display: block; margin: 0 -10px; padding: 0 10px; background: var(--mark); color: inherit; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { padding: 3px 12px 3px 0; text-align: left; vertical-align: top; }
`;

export const CHART_CSS = `figure { margin: 0 0 12px; }
figcaption { font-weight: 600; }
.chart svg { display: block; width: 100%; height: auto; }
.chart text { fill: var(--faint); font-size: 13px; }
.chart .grid { stroke: var(--line); }
.chart line.limit { stroke: var(--limit); stroke-dasharray: 6 4; }
.chart text.limit { fill: var(--limit); font-weight: 600; }
.chart .course { fill: none; stroke: var(--course); stroke-width: 2; stroke-linejoin: round; }
.chart .now { fill: var(--course); }
`;

/** No text of others may come in here: it could end the element. */
export const CSS = `
:root { color-scheme: light dark; ${LIGHT} }
@media (prefers-color-scheme: dark) {
  :root { ${DARK} }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; padding: 12px; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main, footer { max-width: 920px; margin: 0 auto; overflow-wrap: anywhere; }
header, section { margin: 0 0 12px; padding: 14px 16px; background: var(--card);
  border: 1px solid var(--line); border-radius: 10px; }
header { border-left-width: 6px; }
header.critical { border-left-color: var(--critical); }
header.error { border-left-color: var(--error); }
header.warning { border-left-color: var(--warning); }
header.info { border-left-color: var(--info); }
h1 { margin: 0 0 6px; font-size: 1.35rem; line-height: 1.3; }
h2 { margin: 0 0 8px; font-size: 1.05rem; line-height: 1.3; }
h3 { margin: 14px 0 4px; font-size: .95rem; }
p { margin: 0 0 6px; }
.severity { font-weight: 700; letter-spacing: .03em; }
.critical > .severity { color: var(--critical); }
.error > .severity { color: var(--error); }
.warning > .severity { color: var(--warning); }
.info > .severity { color: var(--info); }
.faint, footer { color: var(--faint); font-size: .875rem; }
a { color: var(--link); }
ul.links { display: flex; flex-wrap: wrap; gap: 6px 8px; margin: 10px 0 0; padding: 0; list-style: none; }
ul.links li { margin: 0; }
ul.links a { display: inline-block; padding: 4px 10px; border: 1px solid var(--line);
  border-radius: 8px; text-decoration: none; font-weight: 600; font-size: .9rem; }
ul.claims, ol.moments, ul.plain { margin: 0; padding-left: 20px; }
li { margin: 0 0 8px; unicode-bidi: isolate; }
ol.moments { padding-left: 0; list-style: none; }
ol.moments li { display: grid; grid-template-columns: 11.5rem 1fr; gap: 0 10px; }
time { color: var(--faint); font-variant-numeric: tabular-nums; }
ol.moments .change { margin-left: -9px; border-left: 3px solid var(--course); padding-left: 6px; }
${EVIDENCE_CSS}th { min-width: 8em; overflow-wrap: break-word; }
${CHART_CSS}@media (max-width: 560px) {
  ol.moments li { grid-template-columns: 1fr; }
  th, td { display: block; padding: 0; }
  td { padding-bottom: 6px; }
  .chart text { font-size: 20px; }
}
`;

/**
 * A style for one part of a document: every rule applies below `scope` only, and
 * what is meant for the whole document, to that part.
 *
 * @param css Ours, so plain: rules, and rules in `@media`.
 */
export function scopeCss(css: string, scope: string): string {
  return css.replace(/([^{};]+)\{/g, (whole, selectors: string) => {
    if (selectors.trim().startsWith("@")) return whole;
    const scoped = selectors.split(",").map((one) => {
      const selector = one.trim();
      return /^(?::root|html|body)$/.test(selector)
        ? scope
        : `${scope} ${selector}`;
    });
    return `${scoped.join(", ")} {`;
  });
}
