/**
 * Shows the message of an incident without sending anything.
 *
 * @module
 */
import { readConfig } from "../lib/base/config.ts";
import { LINK_SETTINGS } from "../lib/message/settings.ts";
import { readArgs } from "./terminal/arguments.ts";
import {
  type CommandContext,
  CommandError,
  runCommand,
  UsageError,
} from "./terminal/command.ts";
import { outputStyle } from "./terminal/format.ts";
import { renderHtml } from "../lib/message/html.ts";
import { unescapeMrkdwn } from "../lib/message/mrkdwn.ts";
import { renderText } from "../lib/message/text.ts";
import {
  type Preview,
  previewMessage,
  readIncident,
} from "./support/preview.ts";

const HELP = {
  usage: "deno task preview FILE [--html FILE] [--json]",
  about: "Shows the message that an incident would become; sends nothing.\n" +
    "FILE is an incident as a run takes it, such as deploy/samples/sample_incident.json.",
  argumentsMax: 1,
  options: {
    html: {
      value: "FILE",
      about: "write a picture of it, below dist/ or /tmp",
    },
    json: {
      about: "print what Slack would get, for Slack's Block Kit Builder",
    },
  },
  variables: [
    ["LINK_ORIGINS", "as the summarizer reads it"],
    ["DASHBOARD_RUN_URL", "as the summarizer reads it"],
  ],
} as const;

export async function main(
  args: readonly string[],
  context: CommandContext,
): Promise<number> {
  const given = readArgs(args, HELP, context);
  if (given === undefined) return 0;
  const { values: { html, json }, positionals: [file] } = given;
  if (file === undefined) throw new UsageError("Name one file");
  const settings = readConfig(LINK_SETTINGS, context.env);
  const preview = await previewMessage(await readIncident(file), settings);
  if (html !== undefined) await writePicture(html, preview);
  if (json) context.out(JSON.stringify(preview.message, null, 2));
  else if (html === undefined) show(preview, context);
  else context.out(`${html} written; nothing was sent`);
  return 0;
}

function show({ message, digest }: Preview, context: CommandContext): void {
  for (const line of renderText(message.blocks, outputStyle(context))) {
    context.out(line);
  }
  context.out();
  context.out(`Notification: ${unescapeMrkdwn(message.text)}`);
  context.out(`Message sha256 ${digest}; nothing was sent`);
}

async function writePicture(path: string, preview: Preview): Promise<void> {
  const { incident, message, digest } = preview;
  const title = `Preview of ${incident.incident_id}`;
  const note = `${title}. Message sha256 ${digest}. Nothing was sent.`;
  try {
    await Deno.writeTextFile(path, renderHtml(message.blocks, { title, note }));
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
