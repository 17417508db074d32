/**
 * The steps that a runbook's text tells to take, in its own words. Pure.
 *
 * Markdown may hold lists of its own and of HTML. A heading says which of them
 * is about what to do; a list under another heading counts only if it is
 * numbered and no other does.
 *
 * @module
 */
import { shorten } from "../base/text.ts";

const TEXT_CHARS_MAX = 65_536;
const LINES_MAX = 3000;
const LINE_CHARS_MAX = 1000;
const STEPS_MAX = 5;
const STEP_CHARS_MAX = 200;
/** Headings of what to do. */
const DOING =
  /\b(?:mitigat\w*|steps?|fix(?:es)?|resol\w*|actions?|respon[ds]\w*|recover\w*|to do|triage|diagnos\w*|debug\w*|remed\w*|procedure|first|immediate\w*|troubleshoot\w*|check(?:s|list)?)\b/i;
const FENCE = /^\s{0,12}(?:```|~~~)/;
const ENTITIES: Readonly<Record<string, string>> = {
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
  "&nbsp;": " ",
  "&amp;": "&",
};

interface List {
  readonly isDoing: boolean;
  readonly isNumbered: boolean;
  readonly items: string[];
}

/** At most five, each on one line; none where no list tells what to do. */
export function stepsOf(text: string): string[] {
  const lists = listsOf(text);
  const best = lists.find(({ isDoing, isNumbered }) => isDoing && isNumbered) ??
    lists.find(({ isDoing }) => isDoing) ??
    lists.find(({ isNumbered, items }) => isNumbered && items.length > 1);
  return (best?.items ?? []).map(plain).filter((step) => step !== "")
    .slice(0, STEPS_MAX).map((step) => shorten(step, STEP_CHARS_MAX));
}

function listsOf(text: string): List[] {
  const lines = asMarkdown(text.slice(0, TEXT_CHARS_MAX)).split(/\r?\n/)
    .slice(0, LINES_MAX).map((line) => line.slice(0, LINE_CHARS_MAX));
  const lists: List[] = [];
  let isDoing = false;
  let isCode = false;
  let list: List | undefined;
  for (const line of lines) {
    if (FENCE.test(line)) {
      isCode = !isCode;
      continue;
    }
    const last = list?.items.length ?? 0;
    if (isCode) {
      // `Run:` says nothing without the command below it.
      if (list !== undefined && /:$/.test(list.items[last - 1]!)) {
        list.items[last - 1] += ` ${line.trim()}`;
      }
      continue;
    }
    const [, title] = /^#{1,6}\s+(\S.*)$/.exec(line) ??
      /^\*\*([^*]+)\*\*:?$/.exec(line) ?? [];
    if (title !== undefined) {
      isDoing = DOING.test(title);
      list = undefined;
      continue;
    }
    const [, indent = "", number, said] =
      /^(\s{0,12})(?:(\d{1,3})[.)]|[-*+])\s+(\S.*)$/.exec(line) ?? [];
    if (said !== undefined) {
      // Deeper ones explain the one above.
      if (list !== undefined && indent.length > 1) continue;
      const isNumbered = number !== undefined;
      if (list === undefined || list.isNumbered !== isNumbered) {
        list = { isDoing, isNumbered, items: [] };
        lists.push(list);
      }
      list.items.push(said.trim());
    } else if (list !== undefined && /^\s+\S/.test(line)) {
      list.items[last - 1] += ` ${line.trim()}`;
    } else if (line.trim() !== "") {
      list = undefined;
    }
  }
  return lists;
}

/** Headings and lists of HTML as Markdown has them; other tags are left out. */
function asMarkdown(text: string): string {
  const within: string[] = [];
  return text.replace(
    /<(\/?)([a-z][a-z\d]{0,9})\b[^<>]{0,500}>/gi,
    (_, close: string, tag: string) => {
      const name = tag.toLowerCase();
      if (name === "ol" || name === "ul") {
        if (close === "") within.push(name);
        else within.pop();
        return "\n";
      }
      if (name === "li") {
        const mark = within.at(-1) === "ol" ? "1." : "-";
        const indent = "  ".repeat(Math.max(0, within.length - 1));
        return close === "" ? `\n${indent}${mark} ` : "\n";
      }
      if (/^h[1-6]$/.test(name)) return close === "" ? "\n## " : "\n";
      return /^(?:p|div|br)$/.test(name) ? "\n" : "";
    },
  );
}

/** One line without Markdown's marks. */
function plain(step: string): string {
  return step
    .replace(/!\[[^\]]{0,200}\]\([^()\s]{0,500}\)/g, "")
    .replace(/\[([^\][]{1,200})\]\([^()\s]{0,500}\)/g, "$1")
    .replace(/^\[[ x]\]\s+/i, "")
    .replace(/\*\*|__|`/g, "")
    .replace(/&(?:lt|gt|quot|#39|nbsp|amp);/g, (entity) => ENTITIES[entity]!)
    .replace(/\s+/g, " ").trim();
}
