/**
 * What the demo's steps share: the stand that they play on, and what they print.
 *
 * @module
 */
import type { Devcore } from "../../deploy/devcore/devcore.ts";
import type { JsonObject } from "../../lib/base/json.ts";
import type { Endpoint } from "../../lib/platform/endpoint.ts";
import { renderText } from "../../lib/message/text.ts";
import type { Stand } from "../launch/stand.ts";
import type { CommandContext } from "../terminal/command.ts";
import {
  heading,
  inSeconds,
  outputStyle,
  printStyled,
  table,
} from "../terminal/format.ts";

/** What a step plays on. */
export interface Scene {
  stand: Stand;
  /** `undefined` on a platform that was named. */
  core: Devcore | undefined;
  /** The platform's. */
  redis: Endpoint;
  say: Transcript;
}

/** Prints headings, and lines with the time since the start. */
export class Transcript {
  readonly #started = performance.now();
  /** The step that is on, for when it fails. */
  step = "platform";

  constructor(readonly context: CommandContext) {}

  /** Begins a step; not each has a heading. */
  begin(step: string, heading?: string): void {
    this.step = step;
    if (heading !== undefined) this.heading(heading);
  }

  heading(text: string): void {
    this.context.out();
    printStyled([heading(text, this.context)], this.context);
  }

  line(text: string): void {
    const time = inSeconds(performance.now() - this.#started);
    this.context.out(`  ${time.padStart(7)}  ${text}`);
  }

  table(rows: readonly (readonly string[])[]): void {
    for (const line of table(rows)) this.line(line);
  }

  /** Lines to be copied or read as they are, between blank lines. */
  block(lines: Iterable<string>): void {
    for (const line of ["", ...lines, ""]) this.context.raw(line);
  }

  /** A message as people see it. */
  message(blocks: readonly JsonObject[]): void {
    const { columns, colour } = outputStyle(this.context);
    const lines = renderText(blocks, { columns: columns - 2, colour });
    const rows = lines.map((line) => `  ${line}`);
    printStyled(["", ...rows, ""], this.context);
  }
}
