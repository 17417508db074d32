/**
 * Writes the tables of docs/ from the code that they describe.
 *
 * @module
 */
import { variablesOf } from "../lib/base/config.ts";
import { COLLECTORS } from "../lib/evidence/collectors.ts";
import { COLLECTOR_TITLES } from "../lib/lookups.ts";
import { FORMS, URLS } from "../lib/redact/forms.ts";
import { CLASSES } from "../lib/redact/shape.ts";
import { readEnvFile, readRequirements } from "./launch/environment.ts";
import { type Entry, groupVariables } from "./launch/files/env_example.ts";
import {
  derivePermissions,
  splitNet,
  WORKER_SETTINGS,
  WORKERS,
} from "./launch/permissions.ts";
import { command } from "./terminal/arguments.ts";
import { CommandError, runCommand } from "./terminal/command.ts";

const HELP = {
  usage: "deno task tables [--check]",
  about:
    "Writes the tables of docs/ from the workers' settings and permissions.",
  options: {
    check: "change nothing; exit 1 if a table is out of date",
  },
} as const;

/** Whose addresses the table of permissions shows. */
const EXAMPLE = "deploy/env.example";

/** The documents with a generated part, and what writes it. */
export const TABLES: Readonly<Record<string, () => Promise<string>>> = {
  "docs/collectors.md": () => Promise.resolve(collectorTable()),
  "docs/configuration.md": () => Promise.resolve(variableTables()),
  "docs/permissions.md": permissionTable,
  "docs/redaction.md": () => Promise.resolve(redactionTables()),
};

export const main = command(HELP, async ({ values }, { out }) => {
  for (const [path, render] of Object.entries(TABLES)) {
    const before = await Deno.readTextFile(path);
    const after = withTables(before, await render());
    if (before === after) {
      out(`${path} is up to date`);
    } else if (values.check) {
      throw new CommandError(`${path} is out of date; run deno task tables`);
    } else {
      await Deno.writeTextFile(path, after);
      out(`${path} written`);
    }
  }
});

/** The text with its generated part replaced. */
export function withTables(text: string, tables: string): string {
  const [begin, end] = ["<!-- begin generated -->", "<!-- end generated -->"];
  const [before, , after] = text.split(new RegExp(`${begin}|${end}`));
  if (after === undefined) throw new CommandError("There is no generated part");
  return `${before}${begin}\n\n${tables}\n\n${end}${after}`;
}

function variableTables(): string {
  return [...groupVariables()].map(([users, entries]) => {
    const title = users[0]!.toUpperCase() + users.slice(1);
    return `## ${title}\n\n${
      toMarkdown([
        ["Variable", "Default", "Meaning"],
        ...entries.map(variableRow),
      ])
    }`;
  }).join("\n\n");
}

function variableRow({ setting, fallbacks }: Entry): string[] {
  const { name, about, required, secret } = setting;
  const others = variablesOf({ setting }).filter((other) => other !== name);
  const notes = [
    about,
    ...secret ? ["secret"] : [],
    ...others.length > 0 ? [`also ${toCode(others)}`] : [],
  ];
  const defaults = [...fallbacks].map((text) =>
    text !== "" ? `\`${text}\`` : required ? "required" : "unset"
  );
  return [`\`${name}\``, defaults.join(", "), notes.join("; ")];
}

function collectorTable(): string {
  return toMarkdown([
    ["Collector", "Name", "Settings"],
    ...COLLECTORS.map(({ name, settings }) => [
      COLLECTOR_TITLES.get(name) ?? name,
      `\`${name}\``,
      toCode(Object.values(settings).map(({ name }) => name)),
    ]),
  ]);
}

async function permissionTable(): Promise<string> {
  const requirements = await readRequirements();
  const example = await readEnvFile(EXAMPLE);
  const rows = WORKERS.map((worker) => {
    const requires = requirements[worker];
    const { net } = derivePermissions(
      worker,
      requires,
      (name) => example[name],
    );
    const { listens, peers } = splitNet(net);
    return [
      worker,
      toCode(requires) || "no topic",
      toCode(listens.map(({ host }) => host)),
      toCode(peers.map(({ host }) => host)),
      `${variablesOf(WORKER_SETTINGS[worker]).length} names`,
    ];
  });
  return toMarkdown([
    ["Worker", "Topic requires", "Listens on", "Connects to", "Environment"],
    ...rows,
  ]);
}

/** The classes of the notation, then the formats, then the addresses. */
function redactionTables(): string {
  const groups = Map.groupBy(FORMS, ({ group }) => group);
  // A row of a table ends at "|", even within code.
  const code = (text: string) => `\`${text.replaceAll("|", "\\|")}\``;
  const heading = ["Vendor", "What", "Form", "Source"];
  const link = (source: string) => `[${new URL(source).host}](${source})`;
  const sections = [...groups].map(([group, forms]) =>
    `### ${group}\n\n${
      toMarkdown([
        heading,
        ...forms.map(({ vendor, what, shape, source }) => [
          vendor,
          what,
          code(shape),
          link(source),
        ]),
      ])
    }`
  );
  const urls = URLS.map(({ vendor, what, host, path, source }) => [
    vendor,
    what,
    code(`${host.startsWith(".") ? "*" : ""}${host}${path}`),
    link(source),
  ]);
  const classes = Object.entries(CLASSES).map(([name, spelled]) => [
    `\`{${name}}\``,
    code(spelled),
  ]);
  return [
    `## Classes\n\n${toMarkdown([["Class", "Characters"], ...classes])}`,
    `## Formats\n\n${FORMS.length} formats are recognized wherever they stand.`,
    ...sections,
    `## Addresses\n\n${URLS.length} addresses are taken as a whole.\n\n${
      toMarkdown([heading, ...urls])
    }`,
  ].join("\n\n");
}

function toCode(texts: readonly string[]): string {
  return texts.map((text) => `\`${text}\``).join(", ");
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
