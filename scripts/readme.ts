/**
 * Writes the tables of README.md from the code that they describe.
 *
 * @module
 */
import { type Setting, variablesOf } from "../lib/base/config.ts";
import {
  derivePermissions,
  WORKER_SETTINGS,
  WORKERS,
} from "./launch/permissions.ts";
import { readEnvFile, readRequirements } from "./launch/environment.ts";
import { command } from "./terminal/arguments.ts";
import { CommandError, runCommand } from "./terminal/command.ts";

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

export const main = command(HELP, async ({ values }, { out }) => {
  const before = await Deno.readTextFile(README);
  const after = await renderTables(before);
  if (before === after) return out(`${README} is up to date`);
  if (values.check) {
    throw new CommandError(`${README} is out of date; run deno task readme`);
  }
  await Deno.writeTextFile(README, after);
  out(`${README} written`);
});

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
  const uses = WORKERS.flatMap((worker) =>
    Object.values(WORKER_SETTINGS[worker]).map((setting) => ({
      worker,
      setting,
    }))
  );
  const header = ["Variable", "Default", "What it is", "Read by"];
  const body = [...Map.groupBy(uses, ({ setting }) => setting.name)].map(
    ([name, uses]) => {
      const users = uses.map(({ worker }) => worker);
      return [
        `\`${name}\``,
        [...new Set(uses.map(({ setting }) => defaultOf(setting)))].join(", "),
        describe(uses[0]!.setting),
        users.length === WORKERS.length ? "all" : users.join(", "),
      ];
    },
  );
  return [header, ...body];
}

function defaultOf({ fallback, required }: Setting<unknown>): string {
  if (fallback !== undefined) return `\`${fallback}\``;
  return required ? "required" : "unset";
}

function describe({ name, names, about, secret }: Setting<unknown>): string {
  const others = names.filter((other) => other !== name);
  const also = others.length === 0 ? "" : `; also \`${others.join("`, `")}\``;
  return about + also + (secret ? "; a secret, also as file" : "");
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
