/**
 * The desk's style, in light and dark. Every colour of text has a contrast of at
 * least 4.5 to 1 with what is behind it (WCAG 2.2, AA). Pure.
 *
 * @module
 */

import {
  CHART_CSS,
  DARK,
  EVIDENCE_CSS,
  LIGHT,
} from "../../message/page/style.ts";

export const STYLE = `
:root { color-scheme: light dark; ${LIGHT}
  --edge: #868f9b; --good: #146c34; --primary: #0b57c2; --on-primary: #fff; --danger: #b3152a; }
@media (prefers-color-scheme: dark) {
  :root { ${DARK}
    --edge: #77818e; --good: #6fd38f; --primary: #82b4ff; --on-primary: #0b1a30; --danger: #ff8a94; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; overflow-wrap: anywhere; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
a { color: var(--link); }
a:focus-visible, button:focus-visible, input:focus-visible, textarea:focus-visible,
summary:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--link);
  outline-offset: 2px; border-radius: 4px; }
main[tabindex]:focus-visible, h2[tabindex]:focus-visible { outline: none; }
.skip { position: absolute; left: -9999px; padding: 8px 12px; background: var(--card); }
.skip:focus { left: 8px; top: 8px; z-index: 1; }
.top { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 20px;
  padding: 10px 16px; background: var(--card); border-bottom: 1px solid var(--line); }
.top p { margin: 0; }
.name a { color: inherit; font-weight: 700; text-decoration: none; }
.top nav { display: flex; gap: 16px; flex: 1; }
.top nav a[aria-current] { color: inherit; font-weight: 700; text-decoration: none;
  border-bottom: 2px solid var(--link); }
main { max-width: 1240px; margin: 0 auto; padding: 12px 16px 48px; }
h1 { margin: 0 0 12px; font-size: 1.4rem; line-height: 1.3; }
h2 { margin: 0 0 8px; font-size: 1.05rem; line-height: 1.3; }
h3 { margin: 14px 0 4px; font-size: .95rem; }
p { margin: 0 0 6px; }
section { margin: 0 0 12px; padding: 14px 16px; background: var(--card);
  border: 1px solid var(--line); border-radius: 10px; }
.faint { color: var(--faint); font-size: .875rem; }
.kicker { margin: 4px 0 2px; }
.severity, .verb { font-weight: 700; letter-spacing: .03em; text-transform: uppercase;
  font-size: .875rem; }
.critical .severity { color: var(--critical); }
.error .severity { color: var(--error); }
.warning .severity { color: var(--warning); }
.info .severity { color: var(--info); }
.rows { margin: 0; padding: 0; list-style: none; }
.row { margin: 0 0 8px; padding: 10px 14px; background: var(--card);
  border: 1px solid var(--line); border-left: 6px solid var(--edge); border-radius: 8px; }
.row p { margin: 0; }
.row.critical { border-left-color: var(--critical); }
.row.error { border-left-color: var(--error); }
.row.warning { border-left-color: var(--warning); }
.row.info { border-left-color: var(--info); }
.headline { font-weight: 600; }
.note { font-size: .9rem; }
.problem, .verb.rejected { color: var(--danger); font-size: .9rem; }
.verb.approved { color: var(--good); }
.empty { padding: 24px 16px; background: var(--card); border: 1px solid var(--line);
  border-radius: 10px; }
.pager { display: flex; gap: 16px; margin-top: 12px; }
.notice { margin: 0 0 12px; padding: 10px 14px; background: var(--card);
  border: 1px solid var(--line); border-left: 6px solid var(--info); border-radius: 8px; }
.notice h2 { margin: 0 0 2px; }
.notice.good { border-left-color: var(--good); }
.notice.bad { border-left-color: var(--danger); }
.notice ul { margin: 0; padding-left: 20px; }
.columns { display: grid; gap: 0 16px; grid-template-columns: minmax(0, 1fr); }
dl.facts { display: grid; grid-template-columns: minmax(4.5rem, max-content) 1fr;
  gap: 2px 12px; margin: 0 0 10px; }
dl.facts dt { color: var(--faint); }
dl.facts dd { margin: 0; min-width: 0; }
form { margin: 10px 0 0; }
label { display: block; font-weight: 600; }
input:not([type=hidden]), textarea { width: 100%; max-width: 32rem; padding: 8px 10px; font: inherit;
  color: inherit; background: var(--code); border: 1px solid var(--edge); border-radius: 6px; }
button { min-height: 44px; padding: 8px 18px; font: inherit; font-weight: 700;
  border-radius: 8px; border: 2px solid var(--primary); cursor: pointer; }
button.primary { background: var(--primary); color: var(--on-primary); width: 100%; }
.name-form button.primary { width: auto; margin-top: 8px; }
button.danger { background: transparent; color: var(--danger); border-color: var(--danger); }
button:disabled { opacity: .6; cursor: default; }
.reject { padding-top: 10px; border-top: 1px solid var(--line); }
.slack { padding: 4px 12px; border: 1px solid var(--line); border-radius: 8px; overflow-wrap: anywhere; }
.slack h3 { margin: 8px 0 6px; font-size: 1.1rem; line-height: 1.3; }
.slack .section { margin: 8px 0 12px; }
.slack .section p, .slack .context p { margin: 0; }
.slack .item { display: flex; gap: 8px; }
.slack .item::before { content: "•"; }
.slack .rest { color: var(--faint); }
.slack .actions { display: flex; flex-wrap: wrap; gap: 8px; margin: 12px 0; }
.slack .actions a { padding: 4px 12px; border: 1px solid var(--edge); border-radius: 8px;
  color: inherit; font-weight: 700; font-size: 14px; text-decoration: none; }
.slack .context { display: flex; flex-wrap: wrap; gap: 2px 14px; margin: 6px 0;
  color: var(--faint); font-size: 13px; }
.slack mark { display: inline; margin: 0; padding: 0 2px; }
.sign { display: inline-block; width: .95em; height: .95em; border-radius: 50%;
  overflow: hidden; text-indent: 2em; white-space: nowrap; vertical-align: -.1em; }
.red { background: #dd2e44; } .orange { background: #f4900c; }
.yellow { background: #fdcb58; } .blue { background: #3b88c3; }
ul.links { display: flex; flex-wrap: wrap; gap: 6px 8px; margin: 10px 0 0; padding: 0; list-style: none; }
ul.claims, ul.plain { margin: 0; padding-left: 20px; }
ol.moments { margin: 0; padding: 0; list-style: none; }
ul.claims li, ul.plain li, ol.moments li { margin: 0 0 8px; unicode-bidi: isolate; }
ol.moments li { display: grid; grid-template-columns: 11.5rem 1fr; gap: 0 10px; }
.moments time { color: var(--faint); font-variant-numeric: tabular-nums; }
.change { border-left: 3px solid var(--course); padding-left: 6px; }
${EVIDENCE_CSS}${CHART_CSS}caption { text-align: left; color: var(--faint); }
@media (min-width: 960px) {
  .columns { grid-template-columns: minmax(0, 1fr) 22rem; align-items: start; }
  .reading { grid-column: 1; }
  .deciding { grid-column: 2; grid-row: 1 / span 2; position: sticky; top: 12px;
    max-height: calc(100vh - 24px); overflow-y: auto; }
}
@media (max-width: 560px) {
  main { padding: 12px 10px 40px; }
  ol.moments li { grid-template-columns: 1fr; }
  dl.facts { grid-template-columns: 1fr; gap: 0; }
  dl.facts dd { margin-bottom: 6px; }
  .chart text { font-size: 20px; }
}
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
@media print { .deciding, .top { display: none; } }
`;
