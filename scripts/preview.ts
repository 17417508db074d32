/**
 * Shows the message of an incident without sending anything.
 *
 * @module
 */
import { readConfig } from "../lib/base/config.ts";
import { ConfigError } from "../lib/base/errors.ts";
import {
  CommandError,
  outputStyle,
  readArgs,
  runCommand,
  say,
} from "./terminal/cli.ts";
import { renderHtml } from "../lib/message/html.ts";
import { unescapeMrkdwn } from "../lib/message/mrkdwn.ts";
import { renderText } from "../lib/message/text.ts";
import {
  type Preview,
  PREVIEW_SETTINGS,
  previewMessage,
  readIncident,
} from "./support/preview.ts";

const HELP = {
  usage: "deno task preview FILE [--html FILE] [--json]",
  about: "Shows the message that an incident would become; sends nothing.\n" +
    "FILE is an incident as a run takes it, such as deploy/samples/sample_incident.json.",
  options: [
    ["--html FILE", "write a picture of it, below dist/ or /tmp"],
    ["--json", "print what Slack would get, for Slack's Block Kit Builder"],
  ],
  variables: [
    ["LINK_ORIGINS", "as the summarizer reads it"],
    ["DASHBOARD_RUN_URL", "as the summarizer reads it"],
  ],
} as const;

async function main(args: readonly string[]): Promise<void> {
  const given = readArgs(args, HELP, {
    html: { type: "string" },
    json: { type: "boolean" },
  });
  if (given === undefined) return;
  const { values: { html, json }, positionals: [file, ...more] } = given;
  if (file === undefined || more.length > 0) {
    throw new CommandError("Name one file; see --help", 2);
  }
  const settings = readSettings();
  const preview = await previewMessage(await readIncident(file), settings);
  if (typeof html === "string") await writePicture(html, preview);
  if (json === true) {
    return say(JSON.stringify(preview.message, null, 2));
  }
  if (html === undefined) return show(preview);
  say(`${html} written; nothing was sent`);
}

function readSettings() {
  try {
    return readConfig(PREVIEW_SETTINGS, (name) => Deno.env.get(name));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CommandError(error.message, 2);
  }
}

function show({ message, digest }: Preview): void {
  for (const line of renderText(message.blocks, outputStyle())) say(line);
  say();
  say(`Notification: ${unescapeMrkdwn(message.text)}`);
  say(`Message sha256 ${digest}; nothing was sent`);
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
