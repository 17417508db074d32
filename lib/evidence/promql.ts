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

/** Endings of names by Prometheus' own rules for naming. */
const UNITS: readonly (readonly [ending: RegExp, unit: string])[] = [
  [/_seconds(?:_bucket|_sum)?$/, "s"],
  [/_milliseconds(?:_bucket|_sum)?$/, "ms"],
  [/_bytes$/, "B"],
  [/_percent(?:age)?$/, "%"],
  [/_celsius$/, "°C"],
];
/** Functions whose value has the unit of what they are given. */
const SAME_UNIT =
  /^(?:(?:avg|min|max|quantile|last)_over_time|abs|ceil|floor|round|sort(?:_desc)?|clamp(?:_min|_max)?|delta|idelta|label_replace|label_join)$/;

/**
 * The unit of an expression, where its name says so and nothing that is done
 * with it makes another one of it. Of a histogram's quantile that of its name.
 *
 * @see https://prometheus.io/docs/practices/naming/#base-units
 */
export function unitOf(expression: string): string | undefined {
  if (expression.length > TEXT_CHARS_MAX) return undefined;
  const [root] = childrenOf(parser.parse(expression).topNode);
  const text = ({ from, to }: SyntaxNode) => expression.slice(from, to);
  return root === undefined ? undefined : unitIn(unwrap(root), text);
}

function unitIn(node: SyntaxNode, text: TextOf): string | undefined {
  const inner = (parent: SyntaxNode | null, within = unitIn) =>
    childrenOf(parent ?? node).map(unwrap).filter(({ name }) =>
      !NUMBERS.includes(name) && !/Grouping|Modifier|Literal|Op$/.test(name)
    ).flatMap((child) => within(child, text) ?? []);
  switch (node.name) {
    case "VectorSelector": {
      const name = /^[\w:]+/.exec(text(node))?.[0] ?? "";
      return UNITS.find(([ending]) => ending.test(name))?.[1];
    }
    case "MatrixSelector":
    case "OffsetExpr":
    case "SubqueryExpr":
    case "StepInvariantExpr":
      return inner(node)[0];
    case "AggregateExpr":
      return /^\s*(?:count|stddev|stdvar|group)\b/.test(text(node))
        ? undefined
        : inner(node.getChild("FunctionCallBody"))[0];
    case "FunctionCall": {
      const [name = ""] = text(node).split("(", 1);
      const body = node.getChild("FunctionCallBody");
      // A bucket's name says the unit of what falls into it.
      if (name.trim() === "histogram_quantile") {
        const found = /\b[\w:]+_bucket\b/.exec(text(node))?.[0] ?? "";
        return UNITS.find(([ending]) => ending.test(found))?.[1];
      }
      return SAME_UNIT.test(name.trim()) ? inner(body)[0] : undefined;
    }
    case "BinaryExpr": {
      const [left, right] = [node.firstChild, node.lastChild].map((side) =>
        side === null ? undefined : unitIn(unwrap(side), text)
      );
      const isSum = node.getChild("Add") ?? node.getChild("Sub");
      return isSum !== null && left === right ? left : undefined;
    }
  }
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
