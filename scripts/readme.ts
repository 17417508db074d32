/**
 * Writes the tables of README.md from the code that they describe.
 *
 * @module
 */
import { variablesOf } from "../lib/base/config.ts";
import {
  derivePermissions,
  WORKER_SETTINGS,
  WORKERS,
} from "./launch/permissions.ts";
import { readEnvFile, readRequirements } from "./launch/environment.ts";
import { readArgs } from "./terminal/arguments.ts";
import {
  type CommandContext,
  CommandError,
  runCommand,
} from "./terminal/command.ts";

const HELP = {
  usage: "deno task readme [--check]",
  about:
    "Writes the tables of README.md anew from the workers' settings and permissions.",
  options: {
    check: { about: "change nothing; exit 1 if a table is out of date" },
  },
} as const;

const README = "README.md";

/** Whose addresses the table of permissions shows. */
const EXAMPLE = "deploy/env.example";

export async function main(
  args: readonly string[],
  context: CommandContext,
): Promise<number> {
  const given = readArgs(args, HELP, context);
  if (given === undefined) return 0;
  const before = await Deno.readTextFile(README);
  const after = await renderTables(before);
  if (before === after) {
    context.out(`${README} is up to date`);
    return 0;
  }
  if (given.values.check) {
    throw new CommandError(`${README} is out of date; run deno task readme`);
  }
  await Deno.writeTextFile(README, after);
  context.out(`${README} written`);
  return 0;
}

/** The text with every generated table written anew. */
export async function renderTables(text: string): Promise<string> {
  const tables: Record<string, string[][]> = {
    variables: variableRows(),
    permissions: await permissionRows(),
  };
  let rendered = text;
  for (const [name, rows] of Object.entries(tables)) {
    const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
    const pattern = new RegExp(`${begin}[\\s\\S]*${end}`);
    if (!pattern.test(rendered)) {
      throw new CommandError(`${README} has no place for the table of ${name}`);
    }
    rendered = rendered.replace(
      pattern,
      () => `${begin}\n\n${toMarkdown(rows)}\n\n${end}`,
    );
  }
  return rendered;
}

function variableRows(): string[][] {
  const rows = new Map<
    string,
    { about: string; fallback: Set<string>; users: string[] }
  >();
  for (const worker of WORKERS) {
    for (const setting of Object.values(WORKER_SETTINGS[worker])) {
      const row = rows.get(setting.name) ??
        { about: setting.about, fallback: new Set(), users: [] };
      const fallback = setting.fallback === undefined
        ? setting.required ? "required" : "unset"
        : `\`${setting.fallback}\``;
      row.fallback.add(fallback);
      row.users.push(worker);
      const others = setting.names.filter((name) => name !== setting.name);
      const also = others.length === 0
        ? ""
        : `; also \`${others.join("`, `")}\``;
      const secret = setting.secret ? "; a secret, also as file" : "";
      row.about = setting.about + also + secret;
      rows.set(setting.name, row);
    }
  }
  const header = ["Variable", "Default", "What it is", "Read by"];
  const body = [...rows].map(([name, { about, fallback, users }]) => [
    `\`${name}\``,
    [...fallback].join(", "),
    about,
    users.length === WORKERS.length ? "all" : users.join(", "),
  ]);
  return [header, ...body];
}

async function permissionRows(): Promise<string[][]> {
  const requirements = await readRequirements();
  const example = await readEnvFile(EXAMPLE);
  const header = ["Worker", "Its topic requires", "Net", "Environment"];
  const body = WORKERS.map((worker) => {
    const { net } = derivePermissions(
      worker,
      requirements[worker],
      (name) => example[name],
    );
    return [
      worker,
      requirements[worker].map((name) => `\`${name}\``).join(", ") ||
      "no topic",
      net.map(({ host, why }) => `\`${host}\` (${why})`).join(", "),
      `${variablesOf(WORKER_SETTINGS[worker]).length} names`,
    ];
  });
  return [header, ...body];
}

function toMarkdown([header = [], ...body]: string[][]): string {
  const widths = header.map((_, column) =>
    Math.max(...[header, ...body].map((row) => row[column]!.length))
  );
  const line = (row: string[]) =>
    `| ${
      row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")
    } |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(header), rule, ...body.map(line)].join("\n");
}

if (import.meta.main) await runCommand(main);
