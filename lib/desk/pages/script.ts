/**
 * The desk's own script: it follows changes and moves through a list by keys.
 * Every page works without it. Pure.
 *
 * @module
 */

export const SCRIPT = `"use strict";
// Shows anew what the desk says has changed, and nothing else of the page.
let again, busy;
async function refresh() {
  again = true;
  if (busy) return;
  busy = true;
  try {
    while (again) {
      again = false;
      await show();
    }
  } finally {
    busy = false;
  }
}
async function show() {
  const answer = await fetch(location.href, { credentials: "same-origin" });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const [now, then] = [document, fresh].map((one) => one.getElementById("live"));
  if (!now || !then) return;
  // A form about another message or evidence than is shown decides unread; and
  // what was decided shows in more places than one.
  const { shows } = then.dataset;
  if (shows && shows !== now.dataset.shows) {
    if (shows === "decided") location.hash = "decide";
    return location.reload();
  }
  const [typed, empty] = [now, then].map((one) => one.querySelector("textarea"));
  if (typed && empty) empty.value = typed.value;
  const focused = now.contains(document.activeElement) ? document.activeElement : null;
  const [at, href] = [focused && focused.id, focused && focused.getAttribute("href")];
  now.replaceWith(then);
  document.title = fresh.title;
  if (!focused) return;
  const same = [...then.querySelectorAll("a, button, textarea, h2")].find((one) =>
    at ? one.id === at : href ? one.getAttribute("href") === href : false
  );
  (same || then.querySelector("h2, a") || document.getElementById("main")).focus();
}

// A browser keeps six connections to a desk, so hidden pages give theirs back.
let source;
function follow() {
  const path = document.body.dataset.events;
  if (!path || document.hidden || source) return;
  source = new EventSource(path);
  source.addEventListener("changed", () => refresh().catch(() => {}));
  source.addEventListener("error", () => {
    if (!source || source.readyState !== EventSource.CLOSED) return;
    source = undefined;
    setTimeout(follow, 10000);
  });
}
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) return void (follow(), refresh().catch(() => {}));
  if (source) source.close();
  source = undefined;
});
follow();

// Within a list, the arrows lead from one post to the next.
document.addEventListener("keydown", (event) => {
  const row = event.target.closest("ol.rows .row");
  const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
  const link = row && step && row[step] && row[step].querySelector("a");
  if (!link) return;
  event.preventDefault();
  link.focus();
});

// A decision is sent once.
document.addEventListener("submit", ({ target }) => {
  for (const button of target.querySelectorAll("button")) {
    setTimeout(() => button.disabled = true);
  }
});
`;
