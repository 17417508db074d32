/**
 * Shows the message of an incident without sending anything.
 *
 * @module
 */
import { readConfig } from "../lib/base/config.ts";
import { named } from "../lib/base/foreign.ts";
import type { IncidentInput } from "../lib/incident.ts";
import { INTAKE_SETTINGS } from "../lib/intake/settings.ts";
import { renderBoth } from "../lib/message/html.ts";
import { LINK_SETTINGS } from "../lib/message/settings.ts";
import { renderNotification, renderText } from "../lib/message/text.ts";
import { REDACTION_LEVELS } from "../lib/removed.ts";
import { command, readName } from "./terminal/arguments.ts";
import {
  type CommandContext,
  CommandError,
  runCommand,
  UsageError,
} from "./terminal/command.ts";
import { type Preview, previewMessage } from "./pictures/make.ts";
import { readIncidentFile, SOURCES } from "./terminal/incident_file.ts";
import { outputStyle, printStyled } from "./terminal/format.ts";

const EXAMPLE = "deploy/samples/sample_incident.json";

const HELP = {
  usage: "deno task preview FILE [--source NAME] [--level NAME]\n" +
    "                         [--html FILE] [--json]",
  about: "Shows the message that an incident would produce; sends nothing.\n" +
    `FILE holds an incident as a run takes it, such as ${EXAMPLE},\n` +
    "or with --source the body of a webhook, which needs no signature here.",
  arguments: [["FILE", "the file, or - for standard input"]],
  argumentsMax: 1,
  options: {
    "source NAME": `who sends the webhook: ${SOURCES.join(", ")}`,
    "html FILE": "write it and the page beside it as HTML, below dist/ or /tmp",
    "level NAME": `policy's redaction level: ${REDACTION_LEVELS.join(", ")}`,
    json: "print what Slack would receive, for its Block Kit Builder",
  },
  variables: [
    ["LINK_ORIGINS", "as the summarizer reads it"],
    ["DASHBOARD_RUN_URL", "as the summarizer reads it"],
    ["EVIDENCE_URL", "as the summarizer reads it"],
    [INTAKE_SETTINGS.events.name, "as the ingester reads it"],
  ],
} as const;

export const main = command(HELP, async ({ values, positionals }, context) => {
  const { html, json, source, level = "standard" } = values;
  const wanted = readName("level", level, REDACTION_LEVELS);
  const [file] = positionals;
  if (file === undefined) {
    throw new UsageError("Name one file, or - for standard input");
  }
  const settings = readConfig(LINK_SETTINGS, context.env);
  const incident = await readIncidentFile(file, { source, context });
  const preview = await previewMessage(incident, settings, { level: wanted });
  if (html !== undefined) await writePicture(html, incident, preview);
  if (json) context.raw(JSON.stringify(preview.message, null, 2));
  else if (html === undefined) show(preview, context);
  else context.out(`${html} written; nothing was sent`);
});

function show({ message, digest }: Preview, context: CommandContext): void {
  const { out } = context;
  printStyled(renderText(message.blocks, outputStyle(context)), context);
  out();
  renderNotification(message.text, outputStyle(context))
    .forEach((line) => out(line));
  out(`Message sha256 ${digest}; nothing was sent`);
}

async function writePicture(
  path: string,
  { incident_id }: IncidentInput,
  { message, digest, page }: Preview,
): Promise<void> {
  const title = `Preview of ${named(incident_id)}`;
  const note = `${title}. Message sha256 ${digest}. Nothing was sent.`;
  try {
    await Deno.writeTextFile(
      path,
      renderBoth(message.blocks, page, { title, note }),
    );
  } catch (error) {
    const why = error instanceof Deno.errors.NotCapable
      ? "it may write below dist/ and /tmp only"
      : error instanceof Deno.errors.NotFound
      ? "there is no such folder"
      : "it cannot be written";
    throw new CommandError(`Cannot write ${path}: ${why}`);
  }
}

if (import.meta.main) await runCommand(main);
