/**
 * What joins a name and its value. Pure.
 *
 * @module
 */
import type { Operator } from "./gate.ts";
import { after, charTable } from "./reading.ts";
import { isAlphanumeric } from "./shape.ts";

const CLOSE = String
  .raw`(?:\\{0,3}["'${"`"}]|&quot;|\\u0022)?(?:\[\d{1,4}\])?[\])]?[?!]?\*{0,2}`;
const QUOTE = String.raw`(?:\\{0,3}["'${"`"}]|&quot;)`;
const SPACES = String.raw`[ \t]{0,12}`;

/** `name: X`, `value: …`, and a block with a default, as Terraform has it. */
const PAIR = new RegExp(
  CLOSE +
    String
      .raw`(?:[\s,;{]{0,24}(?:["']?[\w-]{1,24}["']?\s{0,2}[:=]\s{0,2}[^\s,{}]{1,60},?\s{1,12}){0,2}|\s{0,4}\{[^{}]{0,160}?\s)(?:\\{0,3}["'])?(?:[vV]alue|VALUE|default|content)(?:\\{0,3}["'])?\s{0,4}(?:=>|[:=])[ \t]{0,8}`,
  "y",
);
const ELEMENT =
  /(?:[ \t][^<>]{0,80})?["']?>\s{0,24}(?:<!\[CDATA\[)?(?=[^\s<][^<]{0,256}<\/)/y;
/** `<key>name</key><string>…`: the value is in the next element. */
const NEXT_ELEMENT =
  /<\/[\w:.-]{1,40}>\s{0,40}(?:<[\w:.-]{1,40}(?:[ ][^<>]{0,60})?>\s{0,24}){1,2}(?=[^\s<][^<]{0,256}<\/)/y;
/** A field of a form, whose value stands behind an empty line. */
const PART = /["'](?:;[^\n]{0,100})?(?:\r?\n|\\r\\n|\\n){2}(?=\S)/y;
const TYPES = String
  .raw`(?:&?(?:'static )?str|string|String|text|bytes|\[\]byte|any|unknown|As String|char(?:\[\])?|final|Final|Secret\w{0,20}|Option\w{0,6}(?:[<[]\w{1,20}[>\]])?)`;
const TYPED = new RegExp(
  CLOSE + SPACES +
    String
      .raw`(?::[ ]?|[ ])${TYPES}(?:[ ]?\|[ ]?\w{1,20}){0,2}[ ]?=(?![=>])[ \t]{0,8}`,
  "y",
);
const ASSIGN = new RegExp(
  CLOSE + SPACES +
    String
      .raw`(?::{1,3}=|\?\?=?|\|\|=?|[?.+]=|={1,3}>?|!={1,2}|[-=]>|<-|\\u003d|%3D|→|or(?=[ ]["'])|(?<=password["']?[ ]{0,12})for[ ]\S{1,60}[ ]?=)` +
    SPACES,
  "yi",
);
const COLON = new RegExp(
  CLOSE + SPACES +
    String
      .raw`(?:(?<=password["']?[ ]{0,12})for[ ](?:user[ ])?\S{1,60}[ ]?:|(?:provided|supplied|received|sent|given|used|is)[ ]?:|:{2,3}(?=["' ])|:|%3A)\*{0,2}` +
    SPACES,
  "yi",
);
/** A block of YAML, or a text up to a mark as shells have it. */
const BLOCK = /[|>][+-]?\n[ \t]{1,40}|<<[-~]?["']?\w{1,20}["']?\n[ \t]{0,40}/y;
/** A value that has its line for itself. */
const LINE =
  /\r?\n[ \t]{1,40}(?=[^\s:#-]\S{3,200}(?<!:)[ \t]{0,4}(?:\r?\n|$))/y;
/** `{name, "…"}`, and a name that is an argument. */
const TUPLE = new RegExp(
  String.raw`[ \t]{0,4},[ \t]{0,4}(?:<<)?(?=${QUOTE}[^\s{}(),])`,
  "y",
);
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
/** Calls that leave what they are given as it is. */
const WRAPS = String
  .raw`Some|Ok|Just|String(?:::from|\.valueOf)?|new String|str|bytes|text|b|Buffer\.from|\w{0,20}Secure\w{0,20}|Secret\w{0,20}|\w{0,20}Sensitive\w{0,20}|pass(?:word)?`;
/** After an operator: the first item of a list or map, or a call's fallback. */
const NESTED = new RegExp(
  String
    .raw`(?:[[(]\s{0,20}(?=${QUOTE})|<<(?=${QUOTE})|\[\[(?=[^\s[\]])|q[qw]?[({[/|](?=\S)|\{(?=[^\s{}"'$]{4,200}\}(?:;|$))|(?:${WRAPS})\((?=${QUOTE})|\{\s{0,12}${QUOTE}?[\w.-]{1,60}${QUOTE}?\s{0,4}[:=]\s{0,4}(?=${QUOTE})|\n\s{0,40}-[ ]{1,4}(?=\S)|[\w.]{1,40}\(${QUOTE}\w{1,60}${QUOTE}(?:,|\)\s{0,3}(?:or|\|\||\?\?))\s{0,3}(?=${QUOTE}))`,
  "y",
);
const SPACE =
  /["']?(?:[ \t]{1,24}(?:\d[ ](?=\S))?|\n[ \t]{0,40}-[ ](?=[^\s-]))(?:is[ \t]|was[ \t])?(?=[^\s\-|&=:<>{}()[\],;])/y;

/**
 * What stands behind a name, and where the value starts.
 *
 * @param closed Whether an element is closed not far behind.
 */
export function readOperator(
  text: string,
  start: number,
  end: number,
  closed: boolean,
): { operator: Operator; at: number } | undefined {
  const before = text[start - 1] ?? "";
  const quoted = isIn(QUOTES, text, start - 1) ||
    before === ";" && text.startsWith("&quot;", start - 6);
  const markAt = skipCloses(text, end);
  // An escape of an operator, such as `\\u003d`.
  const isEscape = text.charCodeAt(markAt - 1) === BACKSLASH;
  const place = isEscape ? markAt - 1 : markAt;
  const mark = text[place] ?? "";
  const sets = mark === ":" || mark === "=";
  if (!sets && (quoted || isIn(PAIR_MARKS, text, place))) {
    const pair = quoted ||
      NAMED.test(text.slice(Math.max(0, start - 20), start));
    const at = pair ? after(PAIR, text, end) : undefined;
    if (at !== undefined) return { operator: "assign", at };
  }
  const tagged = closed && (quoted || before === "<" || before === ":");
  if (tagged && isIn(TAG_ENDS, text, end)) {
    const at = after(ELEMENT, text, end);
    if (at !== undefined) return { operator: "element", at };
  }
  if (closed && text[end] === "<" && before === ">") {
    const at = after(NEXT_ELEMENT, text, end);
    if (at !== undefined) return { operator: "comma", at };
  }
  if (quoted && isIn(PART_STARTS, text, place)) {
    const at = after(PART, text, end);
    if (at !== undefined) return { operator: "assign", at };
  }
  if (isIn(OPERATOR_MARKS, text, place) || mark === "\u2192") {
    const typed = mayBeTyped(text, place, mark)
      ? after(TYPED, text, end)
      : undefined;
    const assigns = mark !== ":" || isIn(ASSIGN_SECOND, text, markAt + 1);
    const at = typed ?? (assigns ? after(ASSIGN, text, end) : undefined);
    if (at !== undefined) {
      const block = after(BLOCK, text, at);
      if (block !== undefined) return { operator: "line", at: block };
      return nested(text, at, "assign");
    }
    const colons = isIn(COLON_STARTS, text, place);
    const colon = colons ? after(COLON, text, end) : undefined;
    if (colon !== undefined) {
      const block = after(BLOCK, text, colon);
      if (block !== undefined) return { operator: "line", at: block };
      const line = after(LINE, text, colon);
      if (line !== undefined) return { operator: "colon", at: line };
      return nested(text, colon, quoted ? "assign" : "colon");
    }
    const comma = mark !== ","
      ? undefined
      : quoted
      ? after(COMMA, text, end)
      : isIn(TUPLE_STARTS, text, start - 1)
      ? after(TUPLE, text, end)
      : undefined;
    const found = comma ??
      (mark === "(" ? after(CALL, text, end) : undefined) ??
      (mark === ">" ? after(GREATER, text, end) : undefined) ??
      (mark === "|" ? after(CELL, text, end) : undefined);
    if (found !== undefined) return { operator: "comma", at: found };
  }
  if (!isIn(SPACE_STARTS, text, end)) return undefined;
  const space = after(SPACE, text, end);
  if (space === undefined) return undefined;
  // Of an argument, its dashes belong to the name.
  return { operator: text[start] === "-" ? "argument" : "space", at: space };
}

const NAMED = /(?:name|key|variable|type|id)["']?\s{0,4}[:=]\s{0,4}$/i;
/** What may start an operator; without one of these only a blank is left. */
const OPERATOR_MARKS = charTable("=:?.+!-<>|%\\,&[(sofFApgirA");
/** What a colon may follow, and itself. */
const COLON_STARTS = charTable(":%fpsrgiPSRGIF");
const TUPLE_STARTS = charTable("({:");
/** A form's field ends its line with the name, or with more about it. */
const PART_STARTS = charTable("\r\n;u\\");
/** What may stand between a name and the word "value". */
const PAIR_MARKS = charTable("\n\r,;{");
const BACKSLASH = 92;

function isIn(table: Uint8Array, text: string, at: number): boolean {
  return table[text.charCodeAt(at)] === 1;
}

/** Whether a type may stand behind the mark, or starts with it. */
function mayBeTyped(text: string, at: number, mark: string): boolean {
  if (mark !== ":") return isIn(BARE_TYPE_STARTS, text, at);
  return isIn(TYPE_STARTS, text, text[at + 1] === " " ? at + 2 : at + 1);
}

const BARE_TYPE_STARTS = charTable("sA&[");
const TYPE_STARTS = charTable("&'sStb[auAcfFO");

function nested(
  text: string,
  at: number,
  operator: Operator,
): { operator: Operator; at: number } {
  const inner = mayNest(text, at) ? after(NESTED, text, at) : undefined;
  return inner === undefined
    ? { operator, at }
    : { operator: "item", at: inner };
}

/** Whether a list, a map or a call may stand at `at`. */
function mayNest(text: string, at: number): boolean {
  if (isIn(NESTS, text, at)) return true;
  let end = at;
  while (end - at <= 40 && isCallee(text, end)) end++;
  return end > at && isIn(NESTS, text, end) || text[at] === "q";
}

const NESTS = charTable("[({<\n");

function isCallee(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return isAlphanumeric(text, at) || code === 95 || code === 46 || code === 58;
}

/** The first character behind a name that closes nothing and is no blank. */
function skipCloses(text: string, end: number): number {
  let at = end;
  while (at - end < 16 && CLOSES[text.charCodeAt(at)] === 1) at++;
  return at;
}

const CLOSES = charTable(" \t\"'`])*\\");
const QUOTES = charTable("\"'`");
/** What may follow a colon that is a part of an operator, as in `:=`. */
const ASSIGN_SECOND = charTable("=:");
const TAG_ENDS = charTable(" \t\"'>");
const SPACE_STARTS = charTable(" \t\n\"'");
