/**
 * A command's arguments and its help.
 *
 * @module
 */
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { messageOf } from "../../lib/base/errors.ts";
import { printable } from "../../lib/base/text.ts";
import {
  type CommandContext,
  CommandError,
  type Main,
  UsageError,
} from "./command.ts";

type Row = readonly [name: string, about: string];

/** A command line as people read it, and as {@linkcode command} does. */
export interface CommandLine {
  readonly usage: string;
  readonly about: string;
  /** What its arguments mean, beside options. */
  readonly arguments?: readonly Row[];
  /** How many arguments it takes, beside options; none if not given. */
  readonly argumentsMax?: number;
  /** Switches as `name`, the others as `name VALUE`, and what they mean. */
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

/** What a command line held. */
export interface Given<L extends CommandLine> {
  values: Values<L>;
  positionals: readonly string[];
}

const MESSAGE_CHARS_MAX = 300;

/**
 * Makes a command of its line and of what it does.
 *
 * @param run Returns the exit code, 0 if it returns nothing. It is not called
 * if only `--help` was asked for.
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
 * @returns `undefined` if `--help` was asked for and printed.
 * @throws {UsageError} For an argument that the command does not know.
 */
function readArgs<L extends CommandLine>(
  args: readonly string[],
  line: L,
  context: CommandContext,
): Given<L> | undefined {
  const { values, positionals } = parse(args, line);
  if (values["help"]) {
    context.out(renderHelp(line));
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
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    const [first = ""] = messageOf(error).split(". ", 1);
    throw new UsageError(printable(first, MESSAGE_CHARS_MAX));
  }
}

function renderHelp(line: CommandLine): string {
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
  const lines = [`Usage: ${usage}`, "", about, "", "Options:", ...rows(all)];
  if (variables.length > 0) lines.push("", "Variables:", ...rows(variables));
  return lines.join("\n");
}

/**
 * Reads the verb, which is `list` if none is given.
 *
 * @param verbs The options that each takes; another would be passed over in
 * silence.
 * @throws {UsageError}
 */
export function readVerb<V extends string>(
  { values, positionals: [verb = "list"] }: Given<CommandLine>,
  verbs: Readonly<Record<V | "list", readonly string[]>>,
): V | "list" {
  if (!Object.hasOwn(verbs, verb)) {
    const names = Object.keys(verbs).filter((name) => name !== "list");
    throw new UsageError(
      `'${printable(verb)}' is none of ${names.join(", ")}`,
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

/** @throws {CommandError} With exit code 2, if none has this name. */
export function readName<N extends string>(
  what: string,
  text: string,
  names: readonly N[],
): N {
  const name = names.find((name) => name === text);
  if (name !== undefined) return name;
  throw new CommandError(
    `There is no ${what} "${text}"; there are ${names.join(", ")}`,
    2,
  );
}
