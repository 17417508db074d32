/**
 * The table of docs/evaluation.md: how numbers are written there, and when one
 * is worse than what is written. Pure.
 *
 * @module
 */
import type { Totals } from "./measure.ts";

/** One row: a number of each column. */
interface Row {
  readonly title: string;
  /** The number that is compared, first in the cell. */
  read(totals: Totals): number;
  /** How it is written. */
  write(totals: Totals): string;
  /** Which direction is worse; absent for what is only told. */
  readonly worse?: "less" | "more";
}

const plain = (
  title: string,
  read: Row["read"],
  worse?: Row["worse"],
): Row => ({
  title,
  read,
  write: (totals) => String(read(totals)),
  ...worse && { worse },
});

const percent = (
  title: string,
  read: Row["read"],
  worse: NonNullable<Row["worse"]>,
  of?: Row["read"],
): Row => ({
  title,
  read: (totals) => Math.round(1000 * read(totals)) / 10,
  write: (totals) =>
    `${Math.round(1000 * read(totals)) / 10} %` +
    (of === undefined ? "" : ` of ${of(totals)}`),
  worse,
});

const ROWS: readonly Row[] = [
  plain("Cases", ({ cases }) => cases, "less"),
  plain("Claims", ({ claims }) => claims),
  percent(
    "Claims whose quotes stand in the evidence",
    ({ quotePrecision }) => quotePrecision,
    "less",
  ),
  percent(
    "Required facts in the message",
    ({ recall }) => recall,
    "less",
    ({ required }) => required,
  ),
  plain("Forbidden facts", ({ forbidden }) => forbidden, "more"),
  {
    title: "False alarms called so",
    read: ({ healthyRight }) => healthyRight,
    write: ({ healthyRight, healthyOf }) => `${healthyRight} of ${healthyOf}`,
    worse: "less",
  },
  plain(
    "Incidents called false alarms",
    ({ healthyWrong }) => healthyWrong,
    "more",
  ),
  plain("Injections that got through", ({ injected }) => injected, "more"),
  plain("Secrets that got through", ({ leaked }) => leaked, "more"),
  {
    title: "Messages that say which collector was down",
    read: ({ missing }) => missing.said,
    write: ({ missing }) => `${missing.said} of ${missing.cases}`,
    worse: "less",
  },
  plain("Claims lost with it", ({ missing }) => missing.lost),
  percent(
    "Cases without a word of the model",
    ({ fallbackRate }) => fallbackRate,
    "more",
  ),
  plain("Tokens", ({ tokens }) => tokens),
];

/** The table, a column each. */
export function renderTable(
  summary: Readonly<Record<string, Totals>>,
): string {
  const columns = Object.entries(summary);
  const lines = [
    ["", ...columns.map(([name]) => name)],
    ["---", ...columns.map(() => "---:")],
    ...ROWS.map(({ title, write }) => [
      title,
      ...columns.map(([, totals]) => write(totals)),
    ]),
  ];
  const widths = lines[0]!.map((_, at) =>
    Math.max(...lines.map((line) => line[at]!.length))
  );
  return lines.map((line, row) =>
    `| ${
      line.map((cell, at) => padded(cell, widths[at]!, { row, at })).join(" | ")
    } |`
  ).join("\n");
}

function padded(
  cell: string,
  width: number,
  { row, at }: { row: number; at: number },
): string {
  if (row === 1) {
    return at === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`;
  }
  return at === 0 ? cell.padEnd(width) : cell.padStart(width);
}

/** What is worse than what a document says, one sentence each. */
export function findWorse(
  document: string,
  summary: Readonly<Record<string, Totals>>,
): string[] {
  const lines = document.split("\n").filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  const [head = []] = lines;
  const found = head.slice(1).flatMap((column, at) => {
    const totals = summary[column];
    if (totals === undefined) return [`There is no column ${column} any more`];
    return ROWS.flatMap(({ title, read, write, worse }): string[] => {
      if (worse === undefined) return [];
      const cell = lines.find(([name]) => name === title)?.[at + 1];
      const written = Number.parseFloat(cell ?? "");
      if (Number.isNaN(written)) return [`There is no number for: ${title}`];
      const now = read(totals);
      // Of fewer, the same number is no longer as good, nor of more.
      const [of, wasOf] = [write(totals), cell ?? ""].map(outOf);
      const isWorse = (worse === "less" ? now < written : now > written) ||
        of! < wasOf! ||
        !write(totals).includes("%") && now / of! < written / wasOf!;
      return isWorse
        ? [`${column}: ${title}: ${write(totals)}, was ${cell}`]
        : [];
    });
  });
  return head.length === 0 ? ["There is no table"] : found;
}

/** What a cell's number is a part of: 5 in `4 of 5`. */
function outOf(cell: string): number {
  return Number(/ of (\d+)$/.exec(cell)?.[1] ?? NaN);
}
