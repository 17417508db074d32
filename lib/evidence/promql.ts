/**
 * Takes the comparison of an alert's expression apart: on the left what is
 * measured, on the right the limit. Pure.
 *
 * An alert's expression has no value while the alert does not fire, so its
 * course is that of the left side alone.
 *
 * @module
 */
import type { SyntaxNode } from "@lezer/common";
import { parser } from "@prometheus-io/lezer-promql";

/** A comparison that an alert makes. */
export interface Comparison {
  /** PromQL of what is measured. */
  readonly series: string;
  /** As it reads with the series on the left: `>`. */
  readonly operator: string;
  /** PromQL of the limit. */
  readonly limit: string;
  /** The limit, if it is a plain number. */
  readonly value?: number;
}

const TEXT_CHARS_MAX = 4000;
const OPERATORS: Readonly<Record<string, string>> = {
  Gtr: ">",
  Gte: ">=",
  Lss: "<",
  Lte: "<=",
  Eql: "==",
  Neq: "!=",
};
/** As the operator reads from the other side. */
const MIRRORED: Readonly<Record<string, string>> = {
  ">": "<",
  ">=": "<=",
  "<": ">",
  "<=": ">=",
};
const NUMBERS = ["NumberDurationLiteral", "NumberLiteral"];

/**
 * Splits an alert's expression. Of several comparisons joined by `and` or
 * `unless`, takes the first.
 *
 * @returns `undefined` for an expression that compares nothing or is not PromQL.
 */
export function splitComparison(expression: string): Comparison | undefined {
  if (expression.length > TEXT_CHARS_MAX) return undefined;
  const tree = parser.parse(expression);
  let broken = false;
  tree.iterate({
    enter: ({ type }) => {
      broken ||= type.isError;
    },
  });
  const [root] = childrenOf(tree.topNode);
  if (broken || root === undefined) return undefined;
  const text = ({ from, to }: SyntaxNode) => expression.slice(from, to);
  return split(root, text);
}

type TextOf = (node: SyntaxNode) => string;

function split(given: SyntaxNode, text: TextOf): Comparison | undefined {
  const node = unwrap(given);
  if (node.name !== "BinaryExpr") return undefined;
  const children = childrenOf(node);
  const left = children[0];
  const right = children.at(-1);
  if (left === undefined || right === undefined) return undefined;
  if (node.getChild("And") !== null || node.getChild("Unless") !== null) {
    return split(left, text) ??
      (node.getChild("And") === null ? undefined : split(right, text));
  }
  const name = Object.keys(OPERATORS).find((name) =>
    node.getChild(name) !== null
  );
  if (name === undefined) return undefined;
  const operator = OPERATORS[name]!;
  if (isNumber(left) && !isNumber(right)) {
    return make(right, MIRRORED[operator] ?? operator, left, text);
  }
  return isNumber(left) ? undefined : make(left, operator, right, text);
}

function make(
  series: SyntaxNode,
  operator: string,
  limit: SyntaxNode,
  text: TextOf,
): Comparison {
  const value = numberOf(unwrap(limit), text);
  return {
    series: text(unwrap(series)),
    operator,
    limit: text(unwrap(limit)),
    ...value === undefined ? {} : { value },
  };
}

function unwrap(node: SyntaxNode): SyntaxNode {
  let inner = node;
  while (inner.name === "ParenExpr") {
    const [only] = childrenOf(inner);
    if (only === undefined) return inner;
    inner = only;
  }
  return inner;
}

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) {
    if (child.name !== "LineComment") children.push(child);
  }
  return children;
}

/** Whether a node is made of numbers alone, and so is no series. */
function isNumber(given: SyntaxNode): boolean {
  const node = unwrap(given);
  if (NUMBERS.includes(node.name)) return true;
  const children = childrenOf(node);
  const last = children.at(-1);
  if (last === undefined) return false;
  if (node.name === "UnaryExpr") return isNumber(last);
  return node.name === "BinaryExpr" && isNumber(children[0]!) &&
    isNumber(last);
}

function numberOf(node: SyntaxNode, text: TextOf): number | undefined {
  if (!NUMBERS.includes(node.name)) {
    if (node.name !== "UnaryExpr") return undefined;
    const inner = numberOf(unwrap(node.lastChild!), text);
    if (inner === undefined) return undefined;
    return text(node).trimStart().startsWith("-") ? -inner : inner;
  }
  const given = text(node).replaceAll("_", "").toLowerCase();
  if (/^[+-]?inf$/.test(given)) return given[0] === "-" ? -Infinity : Infinity;
  const value = Number(given.replace(/^\+/, ""));
  return given === "" || Number.isNaN(value) ? undefined : value;
}
