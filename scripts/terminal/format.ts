/**
 * Formatting for a terminal.
 *
 * @module
 */
import { visible } from "../../lib/base/text.ts";
import type { CommandContext } from "./command.ts";

/** Longer lines are hard to read, shorter ones break every other word. */
const COLUMNS_MAX = 100;
const COLUMNS_MIN = 40;

/**
 * How to show a message: the width to break its lines at, none unless a terminal
 * shows them, and whether to use colours.
 */
export function outputStyle(
  { screen }: CommandContext,
): { columns: number; colour: boolean } {
  if (screen === undefined) return { columns: Infinity, colour: false };
  const width = screen.columns || COLUMNS_MAX;
  return {
    columns: Math.min(Math.max(width, COLUMNS_MIN), COLUMNS_MAX),
    colour: screen.colour,
  };
}

/** A heading; in colour where a terminal shows it. */
export function heading(
  text: string,
  { screen }: Pick<CommandContext, "screen">,
): string {
  const shown = visible(text);
  return screen?.colour ? `\x1b[1;36m${shown}\x1b[0m` : shown;
}

/** Prints lines that hold headings or a message's text. */
export function printStyled(
  lines: readonly string[],
  { styled, out }: Pick<CommandContext, "styled" | "out">,
): void {
  for (const line of lines) (styled ?? out)(line);
}

export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length))
  );
  return rows.map((row) =>
    row.map((cell, column) =>
      column === row.length - 1 ? cell : cell.padEnd(widths[column]!)
    )
      .join("  ").trimEnd()
  );
}

export function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

export function inBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const kib = bytes / 1024;
  return kib < 1024
    ? `${kib.toFixed(1)} KiB`
    : `${(kib / 1024).toFixed(1)} MiB`;
}
