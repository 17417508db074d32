/**
 * What a terminal shows of a program's output. Pure.
 *
 * @module
 */

/**
 * The lines that are left on a terminal of endless height, styles removed.
 *
 * @param columns Longer lines go on below, as on a terminal.
 */
export function screenOf(output: string, columns: number): string[] {
  const rows: string[][] = [[]];
  let column = 0;
  // deno-lint-ignore no-control-regex -- A terminal's codes.
  for (const [token] of output.matchAll(/\x1b\[[\d;]*[A-Za-z]|[^\x1b]/gu)) {
    if (token === "\r") column = 0;
    else if (token === "\n") {
      rows.push([]);
      column = 0;
    } else if (token === "\x1b[K") rows.at(-1)!.length = column;
    else if (!token.startsWith("\x1b")) {
      if (column === columns) {
        rows.push([]);
        column = 0;
      }
      rows.at(-1)![column++] = token;
    }
  }
  return rows.map((row) => Array.from(row, (cell) => cell ?? " ").join(""));
}
