/**
 * What every page of the desk has around its own content. Pure.
 *
 * @module
 */
import { h, type Markup, type Part } from "../html.ts";

/** Where the desk's own files are. */
export const STYLE_PATH = "/desk.css";
export const SCRIPT_PATH = "/desk.js";

/** What surrounds a page. */
export interface Frame {
  /** Of the page, for tabs and screen readers. */
  title: string;
  /** Who reads it; `undefined` before they have said so. */
  person: { name: string; signedIn: boolean } | undefined;
  /** Where events about what is shown come from; none if absent. */
  events?: string;
  /** Without a script, the page loads itself again after a while. */
  reload?: { afterS: number; path: string };
  /** Which of the two lists it is. */
  at?: "waiting" | "decided";
}

/** One whole page. */
export function layout(
  { title, person, events = "", reload, at }: Frame,
  body: Part,
): Markup {
  return h`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Approval desk</title>
<link rel="stylesheet" href="${STYLE_PATH}">
<script src="${SCRIPT_PATH}" defer></script>
${
    reload === undefined
      ? ""
      : h`<noscript><meta http-equiv="refresh" content="${reload.afterS};url=${reload.path}"></noscript>`
  }
</head>
<body data-events="${events}">
<a class="skip" href="#main">Skip to the content</a>
<header class="top">
<p class="name"><a href="/">Approval desk</a></p>
<nav aria-label="Lists">
${link("/", "Waiting", at === "waiting")}
${link("/decided", "Decided", at === "decided")}
</nav>
${person === undefined ? "" : whoOf(person)}
</header>
<main id="main" tabindex="-1">
${body}
</main>
</body>
</html>
`;
}

function link(path: string, text: string, isHere: boolean): Markup {
  return isHere
    ? h`<a href="${path}" aria-current="page">${text}</a>`
    : h`<a href="${path}">${text}</a>`;
}

function whoOf({ name, signedIn }: NonNullable<Frame["person"]>): Markup {
  return h`<p class="who">You decide as <strong>${name}</strong>${
    signedIn ? "" : h` <a href="/name">not you?</a>`
  }</p>`;
}

/** A box that says what is wrong or what came of it, and what to do. */
export function notice(
  kind: "good" | "bad" | "note",
  heading: string,
  text: Part,
): Markup {
  const role = kind === "bad" ? "alert" : "status";
  return h`<div class="notice ${kind}" role="${role}">
<h2>${heading}</h2>
<div>${text}</div>
</div>`;
}
