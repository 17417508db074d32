/**
 * Checks a catalogue, and shows what it means for one incident.
 *
 * @module
 */
import { readConfig } from "../lib/base/config.ts";
import { ConfigError } from "../lib/base/errors.ts";
import { counted } from "../lib/base/text.ts";
import {
  type Catalog,
  findEntry,
  readCatalog,
} from "../lib/evidence/catalog.ts";
import { COLLECTORS } from "../lib/evidence/collectors.ts";
import { COLLECTOR_SETTINGS } from "../lib/evidence/settings.ts";
import { type Subject, toSubject } from "../lib/evidence/subject.ts";
import { INTAKE_SETTINGS } from "../lib/intake/settings.ts";
import { command } from "./terminal/arguments.ts";
import {
  type CommandContext,
  CommandError,
  runCommand,
  UsageError,
} from "./terminal/command.ts";
import { readIncidentFile, SOURCES } from "./terminal/incident_file.ts";

const HELP = {
  usage: "deno task catalog --check FILE [INCIDENT] [--source NAME]",
  about:
    `Checks a catalogue of services, which ${COLLECTOR_SETTINGS.catalog.name} names.
With an incident, shows which entry fits it, and what each collector would ask.
Asks nobody.`,
  arguments: [[
    "INCIDENT",
    "an incident, or a webhook's body with --source; - for standard input",
  ]],
  argumentsMax: 1,
  options: {
    "check FILE": "the catalogue, in YAML",
    "source NAME": `who sends the webhook: ${SOURCES.join(", ")}`,
  },
  variables: [
    [INTAKE_SETTINGS.events.name, "as the ingester reads it"],
  ],
} as const;

const FILE_BYTES_MAX = 1024 * 1024;

export const main = command(HELP, async ({ values, positionals }, context) => {
  const { check, source } = values;
  if (check === undefined) {
    throw new UsageError("Name a catalogue: --check FILE");
  }
  const catalog = await readFile(check);
  context.out(`${check}: ${counted(catalog.length, "service")}, all valid`);
  const [file] = positionals;
  if (file === undefined) return;
  const incident = await readIncidentFile(file, { source, context });
  const known = toSubject(incident, new Date());
  const entry = findEntry(catalog, known);
  showSubject(known, context);
  if (entry === undefined) {
    context.out("Entry: none fits; every value of its match has to be equal");
  } else {
    context.out(
      `Entry: ${entry.name}, by ${listOf(Object.entries(entry.match))}`,
    );
  }
  showQuestions(entry === undefined ? known : { ...known, entry }, context);
});

async function readFile(path: string): Promise<Catalog> {
  const fail = (why: string) => new CommandError(`Cannot use ${path}: ${why}`);
  let text: string;
  try {
    const { size } = await Deno.stat(path);
    if (size > FILE_BYTES_MAX) throw fail("it is longer than 1 MiB");
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const missing = error instanceof Deno.errors.NotFound;
    throw fail(missing ? "there is no such file" : "it cannot be read");
  }
  try {
    return readCatalog(text);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw fail(error.message.replace(/^.*not valid: /, ""));
  }
}

function showSubject(
  { incidentId, service, namespace, cluster, labels }: Omit<Subject, "entry">,
  { out }: CommandContext,
): void {
  out(`Incident: ${incidentId}`);
  const named = Object.entries({ service, namespace, cluster })
    .filter(([, value]) => value !== undefined);
  const others = [...labels].filter(([name]) =>
    !(name in { namespace, cluster })
  );
  out(`It names: ${listOf([...named, ...others]) || "nothing to match"}`);
}

function showQuestions(subject: Subject, { out }: CommandContext): void {
  const config = readConfig(COLLECTOR_SETTINGS, () => undefined);
  for (const collector of COLLECTORS) {
    const questions = collector.questions(subject, config);
    if (typeof questions === "string") {
      out(`${collector.name}: nothing, ${questions}`);
      continue;
    }
    out(`${collector.name}:`);
    for (const { what } of questions) out(`  ${what}`);
  }
}

function listOf(pairs: (readonly [string, unknown])[]): string {
  return [...new Set(pairs.map(([name, value]) => `${name}=${value}`))]
    .join(", ");
}

if (import.meta.main) await runCommand(main);
