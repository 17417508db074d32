/**
 * A command's arguments and its help.
 *
 * @module
 */
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { messageOf } from "../../lib/base/errors.ts";
import { printable } from "../../lib/base/text.ts";
import { type CommandContext, type Main, UsageError } from "./command.ts";
import { heading, printStyled } from "./format.ts";

type Row = readonly [name: string, about: string];

/** A command line, for the help and for parsing. */
export interface CommandLine {
  readonly usage: string;
  readonly about: string;
  /** The positional arguments, for the help. */
  readonly arguments?: readonly Row[];
  /** How many positional arguments it takes, 0 by default. */
  readonly argumentsMax?: number;
  /** Descriptions by `name` for a switch, by `name VALUE` otherwise. */
  readonly options: Readonly<Record<string, string>>;
  /** The variables that it reads. */
  readonly variables?: readonly Row[];
}

/** The values of options: switches are `false` if not given. */
export type Values<L extends CommandLine> = {
  readonly [
    K in keyof L["options"] & string as K extends `${infer Name} ${string}`
      ? Name
      : K
  ]: K extends `${string} ${string}` ? string | undefined : boolean;
};

export interface Given<L extends CommandLine> {
  values: Values<L>;
  positionals: readonly string[];
}

const MESSAGE_CHARS_MAX = 300;
/** `a, b or c`. */
const EITHER = new Intl.ListFormat("en-GB", { type: "disjunction" });

/**
 * Makes a command.
 *
 * @param run Returns the exit code, or nothing for 0. Not called for `--help`.
 */
export function command<const L extends CommandLine>(
  line: L,
  run: (given: Given<L>, context: CommandContext) => Promise<number | void>,
): Main {
  return async (args, context) => {
    const given = readArgs(args, line, context);
    return given === undefined ? 0 : await run(given, context) ?? 0;
  };
}

/**
 * Reads a command's arguments.
 *
 * @returns `undefined` after printing the help for `--help`.
 * @throws {UsageError} For an argument that the command does not know.
 */
function readArgs<L extends CommandLine>(
  args: readonly string[],
  line: L,
  context: CommandContext,
): Given<L> | undefined {
  const { values, positionals } = parse(args, line);
  if (values["help"]) {
    printStyled(renderHelp(line, context), context);
    return undefined;
  }
  const unexpected = positionals[line.argumentsMax ?? 0];
  if (unexpected === undefined) {
    return { values: values as Values<L>, positionals };
  }
  throw new UsageError(
    `Unexpected argument '${printable(unexpected, MESSAGE_CHARS_MAX)}'`,
  );
}

function parse(args: readonly string[], line: CommandLine) {
  const options: ParseArgsOptionsConfig = {
    help: { type: "boolean", short: "h" },
  };
  for (const option of Object.keys(line.options)) {
    const [name = "", value] = option.split(" ");
    options[name] = value === undefined
      ? { type: "boolean", default: false }
      : { type: "string" };
  }
  // `deno task demo -- --keep`, as npm wants it, hands on the dashes.
  const own = args[0] === "--" ? args.slice(1) : [...args];
  try {
    return parseArgs({ args: own, options, allowPositionals: true });
  } catch (error) {
    const [first = ""] = messageOf(error)
      .replace(
        /^Option '(?:-\w, )?(--\S+) <value>' argument missing/,
        "$1 needs a value",
      )
      .split(". ", 1);
    throw new UsageError(printable(first, MESSAGE_CHARS_MAX));
  }
}

function renderHelp(line: CommandLine, context: CommandContext): string[] {
  const options = Object.entries(line.options).map(([option, about]): Row => [
    `--${option}`,
    about,
  ]);
  const { usage, about, arguments: named = [], variables = [] } = line;
  const all = [...named, ...options, ["--help", "print this"] as const];
  const width = Math.max(
    ...[...all, ...variables].map(([name]) => name.length),
  );
  const rows = (items: readonly Row[]) =>
    items.flatMap(([name, about]) =>
      about.split("\n").map((text, at) =>
        `  ${(at === 0 ? name : "").padEnd(width)}  ${text}`
      )
    );
  const title = (text: string) => heading(text, context);
  const lines = [`${title("Usage:")} ${usage}`, "", about]
    .flatMap((text) => text.split("\n"));
  lines.push("", title("Options:"), ...rows(all));
  if (variables.length > 0) {
    lines.push("", title("Variables:"), ...rows(variables));
  }
  return lines;
}

/**
 * Reads the verb, `list` by default.
 *
 * @param verbs The options that each verb takes. Any other is refused, because
 * it would be ignored silently.
 * @throws {UsageError}
 */
export function readVerb<V extends string>(
  { values, positionals: [verb = "list"] }: Given<CommandLine>,
  verbs: Readonly<Record<V | "list", readonly string[]>>,
): V | "list" {
  if (!Object.hasOwn(verbs, verb)) {
    const names = Object.keys(verbs).filter((name) => name !== "list");
    throw new UsageError(
      `Unknown command '${printable(verb)}'; expected ${EITHER.format(names)}`,
    );
  }
  const known = verb as V | "list";
  const wrong = Object.keys(values).find((name) =>
    values[name] !== undefined && values[name] !== false &&
    !verbs[known].includes(name)
  );
  if (wrong === undefined) return known;
  const whom = known === "list" ? "a list" : known;
  throw new UsageError(`--${wrong} does not go with ${whom}`);
}

/** @throws {UsageError} If none has this name. */
export function readName<N extends string>(
  what: string,
  text: string,
  names: readonly N[],
): N {
  const name = names.find((name) => name === text);
  if (name !== undefined) return name;
  throw new UsageError(
    `There is no ${what} "${printable(text)}"; there are ${names.join(", ")}`,
  );
}
