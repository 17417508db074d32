/**
 * Standard output and standard error, whether people or programs read them.
 *
 * On a terminal, lines are broken at spaces, and a line of progress is replaced
 * by whatever comes next. A program gets every line as it is.
 *
 * @module
 */
import { ellipsis, wrapLine } from "./wrap.ts";

/** One of a process's output streams. */
export interface Output {
  isTerminal(): boolean;
  writeSync(bytes: Uint8Array): number;
}

/** A terminal that shows standard output. */
export interface Screen {
  /** 0 if the terminal does not know its width. */
  readonly columns: number;
  readonly colour: boolean;
  /** Shows a line that the next one replaces. */
  readonly show: (line: string) => void;
}

export interface ConsoleOptions {
  stdout: Output;
  stderr: Output;
  /** The terminal's width, 0 if it is not known. */
  columns: () => number;
  /** Whether the terminal only shows plain lines, as with `TERM=dumb`. */
  plain: boolean;
  colour: boolean;
  /** Called once, when nobody reads standard output any more. */
  onClosed: () => void;
}

/** The width of a terminal that does not know its own. */
const COLUMNS = 100;
const CLEAR = "\r\x1b[K";

export class Console {
  readonly #options: ConsoleOptions;
  /** What a line of progress or a question left on the terminal's last line. */
  #left: "nothing" | "progress" | "question" = "nothing";
  #closed = false;

  constructor(options: ConsoleOptions) {
    this.#options = options;
  }

  /** Whether nobody reads standard output any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** `undefined` if standard output is no terminal that can replace a line. */
  get screen(): Screen | undefined {
    const { stdout, plain, columns, colour } = this.#options;
    if (plain || !stdout.isTerminal()) return undefined;
    return { columns: columns(), colour, show: (line) => this.#show(line) };
  }

  /** Prints lines on standard output. */
  out(text: string): void {
    this.#print(this.#options.stdout, text, true);
  }

  /** Prints on standard output what is not to be broken, such as JSON. */
  raw(text: string): void {
    this.#print(this.#options.stdout, text, false);
  }

  /** Prints lines on standard error. */
  err(text: string): void {
    this.#print(this.#options.stderr, text, true);
  }

  /** Prints a question; the answer follows on its line. */
  question(text: string): void {
    this.clear();
    this.#write(this.#options.stdout, text);
    this.#left = "question";
  }

  /** The answer ended the question's line. */
  answered(): void {
    this.#left = "nothing";
  }

  /** Removes what progress left, and ends the line of an open question. */
  clear(): void {
    const left = this.#left;
    this.#left = "nothing";
    if (left === "progress") this.#write(this.#options.stdout, CLEAR);
    if (left === "question") this.#write(this.#options.stdout, "\n");
  }

  #show(line: string): void {
    // A longer line would go on below, where nothing clears it. A terminal adds
    // the ^C that is typed.
    const shown = ellipsis(line, this.#columns - 3);
    this.#left = "progress";
    this.#write(this.#options.stdout, CLEAR + shown);
  }

  get #columns(): number {
    return this.#options.columns() || COLUMNS;
  }

  #print(stream: Output, text: string, breaks: boolean): void {
    this.clear();
    const lines = text.split("\n");
    const shown = breaks && stream.isTerminal()
      ? lines.flatMap((line) => wrapLine(line, this.#columns))
      : lines;
    this.#write(stream, shown.map((line) => `${line}\n`).join(""));
  }

  #write(stream: Output, text: string): void {
    const { stdout, onClosed } = this.#options;
    if (this.#closed && stream === stdout) return;
    const bytes = new TextEncoder().encode(text);
    try {
      for (let at = 0; at < bytes.length;) {
        at += stream.writeSync(bytes.subarray(at));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      if (stream !== stdout) return; // There is nobody left to tell.
      this.#closed = true;
      onClosed();
    }
  }
}
