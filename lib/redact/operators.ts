/**
 * What joins a name and its value. Pure.
 *
 * @module
 */
import type { Operator } from "./gate.ts";
import { after } from "./reading.ts";

const CLOSE = String
  .raw`(?:\\{0,3}["'${"`"}]|&quot;|\\u0022)?(?:\[\d{1,4}\])?[\])]?[?!]?`;
const QUOTE = String.raw`(?:\\{0,3}["'${"`"}]|&quot;)`;
const SPACES = String.raw`[ \t]{0,12}`;

/** `name: X`, `value: …`, and a block with a default, as Terraform has it. */
const PAIR = new RegExp(
  CLOSE +
    String
      .raw`(?:[\s,;{]{0,24}|\s{0,4}\{[^{}]{0,160}?\s)(?:\\{0,3}["'])?(?:[vV]alue|VALUE|default|content)(?:\\{0,3}["'])?\s{0,4}(?:=>|[:=])[ \t]{0,8}`,
  "y",
);
const ELEMENT = /(?:[ \t][^<>]{0,80})?["']?>\s{0,24}(?=[^\s<][^<]{0,256}<\/)/y;
const TYPES = String
  .raw`(?:&?(?:'static )?str|string|String|text|bytes|\[\]byte|any|unknown|char|final|Final|Secret\w{0,20}|Option\w{0,6}(?:[<[]\w{1,20}[>\]])?)`;
const TYPED = new RegExp(
  CLOSE + SPACES +
    String
      .raw`(?::[ ]?|[ ])${TYPES}(?:[ ]?\|[ ]?\w{1,20}){0,2}[ ]?=(?![=>])[ \t]{0,8}`,
  "y",
);
const ASSIGN = new RegExp(
  CLOSE + SPACES +
    String
      .raw`(?::{1,3}=|\?\?=?|\|\|=?|[?.+]=|={1,3}>?|!={1,2}|[-=]>|<-|\\u003d|%3D|or(?=[ ]["'])|(?<=password["']?[ ]{0,12})for[ ]\S{1,60}[ ]?=)` +
    SPACES,
  "yi",
);
const COLON = new RegExp(CLOSE + SPACES + String.raw`(?::|%3A)` + SPACES, "yi");
const BLOCK = /[|>][+-]?\n[ \t]{1,40}/y;
const COMMA = new RegExp(
  String.raw`${QUOTE}[ \t]{0,4},\s{0,12}(?=${QUOTE})`,
  "y",
);
/** `withToken("…")`, and a row of a table. */
const CALL = new RegExp(String.raw`\((?=${QUOTE})`, "y");
/** `name>value`, of an element that is not closed. */
const GREATER = new RegExp(
  CLOSE + String.raw`[ \t]{0,4}>[ \t]{0,4}(?=[^\s=>])`,
  "y",
);
const CELL = /[ \t]{1,20}\|[ \t]{1,20}(?=[^\s|])/y;
/** After an operator: the first item of a list or map, or a call's fallback. */
const NESTED = new RegExp(
  String
    .raw`(?:[[(]\s{0,20}(?=${QUOTE})|\{\s{0,12}${QUOTE}?\w{1,40}${QUOTE}?\s{0,4}[:=]\s{0,4}(?=${QUOTE})|\n\s{0,40}-[ ]{1,4}(?=\S)|[\w.]{1,40}\(${QUOTE}\w{1,60}${QUOTE}(?:,|\)\s{0,3}(?:or|\|\||\?\?))\s{0,3}(?=${QUOTE}))`,
  "y",
);
const SPACE =
  /["']?(?:[ \t]{1,4}|\n[ \t]{0,40}-[ ](?=[^\s-]))(?:is[ \t]|was[ \t])?(?=[^\s\-|&=:<>{}()[\],;])/y;

/** What stands behind a name, and where the value starts. */
export function readOperator(
  text: string,
  start: number,
  end: number,
  dashes: number,
): { operator: Operator; at: number } | undefined {
  const before = text[start - 1] ?? "";
  const quoted = `"'\``.includes(before) && before !== "" ||
    before === ";" && text.startsWith("&quot;", start - 6);
  const mark = markBehind(text, end);
  if (quoted || PAIR_MARKS.has(mark)) {
    const pair = quoted ||
      NAMED.test(text.slice(Math.max(0, start - 20), start));
    const at = pair ? after(PAIR, text, end) : undefined;
    if (at !== undefined) return { operator: "assign", at };
  }
  if (quoted || before === "<" || before === ":") {
    const at = after(ELEMENT, text, end);
    if (at !== undefined) return { operator: "element", at };
  }
  if (mark !== "" && OPERATOR_MARKS.has(mark)) {
    const typed = mark === ":" || mark === "s" || mark === "&" || mark === "["
      ? after(TYPED, text, end)
      : undefined;
    const at = typed ?? after(ASSIGN, text, end);
    if (at !== undefined) return nested(text, at, "assign");
    const colon = after(COLON, text, end);
    if (colon !== undefined) {
      const block = after(BLOCK, text, colon);
      if (block !== undefined) return { operator: "line", at: block };
      return nested(text, colon, quoted ? "assign" : "colon");
    }
    const comma = quoted ? after(COMMA, text, end) : undefined;
    const found = comma ??
      (mark === "(" ? after(CALL, text, end) : undefined) ??
      (mark === ">" ? after(GREATER, text, end) : undefined) ??
      (mark === "|" ? after(CELL, text, end) : undefined);
    if (found !== undefined) return { operator: "comma", at: found };
  }
  const space = after(SPACE, text, end);
  if (space === undefined) return undefined;
  return { operator: dashes > 0 ? "argument" : "space", at: space };
}

const NAMED = /(?:name|key|variable)["']?\s{0,4}[:=]\s{0,4}$/i;
/** What may start an operator; without one of these only a blank is left. */
const OPERATOR_MARKS = new Set("=:?.+!-<>|%\\,&[(sofF");
/** What may stand between a name and the word "value". */
const PAIR_MARKS = new Set("\n\r,;{");

function nested(
  text: string,
  at: number,
  operator: Operator,
): { operator: Operator; at: number } {
  const inner = after(NESTED, text, at);
  return inner === undefined
    ? { operator, at }
    : { operator: "item", at: inner };
}

/** The first character behind a name that closes nothing and is no blank. */
function markBehind(text: string, end: number): string {
  let at = end;
  while (at - end < 16 && CLOSES.has(text[at] ?? "")) at++;
  // An escape of an operator, such as `\\u003d`.
  return text[at - 1] === "\\" ? "\\" : text[at] ?? "";
}

const CLOSES = new Set(" \t\"'`])\\");
