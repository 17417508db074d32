/**
 * Shows the message of an incident without sending anything.
 *
 * @module
 */
import { type Config, readConfig } from "../lib/base/config.ts";
import { sha256Hex } from "../lib/base/digest.ts";
import { buildBundle } from "../lib/evidence/bundle.ts";
import { collectFindings } from "../lib/evidence/collect.ts";
import { type IncidentInput, qualifiedId } from "../lib/incident.ts";
import { composeMessage } from "../lib/message/compose.ts";
import { renderHtml } from "../lib/message/html.ts";
import { unescapeMrkdwn } from "../lib/message/mrkdwn.ts";
import {
  encodeMessage,
  type Footer,
  type Message,
  withFooter,
} from "../lib/message/render.ts";
import { LINK_SETTINGS } from "../lib/message/settings.ts";
import { renderText } from "../lib/message/text.ts";
import { compileCheck } from "../lib/schema_check.ts";
import { summarize } from "../lib/summary/builtin.ts";
import { command } from "./terminal/arguments.ts";
import {
  type CommandContext,
  CommandError,
  runCommand,
  UsageError,
} from "./terminal/command.ts";
import { outputStyle } from "./terminal/format.ts";

const HELP = {
  usage: "deno task preview FILE [--html FILE] [--json]",
  about: "Shows the message that an incident would produce; sends nothing.\n" +
    "FILE holds an incident as a run takes it, such as deploy/samples/sample_incident.json.",
  argumentsMax: 1,
  options: {
    "html FILE": "write it as an HTML page, below dist/ or /tmp",
    json: "print what Slack would receive, for its Block Kit Builder",
  },
  variables: [
    ["LINK_ORIGINS", "as the summarizer reads it"],
    ["DASHBOARD_RUN_URL", "as the summarizer reads it"],
  ],
} as const;

/** A message as it would be posted. */
interface Preview {
  /** With its footer. */
  message: Message;
  /** Of the part that an approval would release. */
  digest: string;
}

/** What only a run knows of its message. */
type Released = Omit<Footer, "digest">;

const PLACEHOLDERS: Released = {
  approval: { by: "(the approver)", at: "(the time)", ruleId: "(the rule)" },
  runId: "preview",
};

export const main = command(HELP, async ({ values, positionals }, context) => {
  const { html, json } = values;
  const [file] = positionals;
  if (file === undefined) throw new UsageError("Name one file");
  const settings = readConfig(LINK_SETTINGS, context.env);
  const incident = await readIncident(file);
  const preview = await previewMessage(incident, settings);
  if (html !== undefined) await writePicture(html, incident, preview);
  if (json) context.raw(JSON.stringify(preview.message, null, 2));
  else if (html === undefined) show(preview, context);
  else context.out(`${html} written; nothing was sent`);
});

/** @throws {CommandError} Saying what is wrong with the file, by path. */
export async function readIncident(path: string): Promise<IncidentInput> {
  const fail = (why: string) => {
    throw new CommandError(`Cannot preview ${path}: ${why}`);
  };
  const text = await Deno.readTextFile(path).catch((error) =>
    fail(
      error instanceof Deno.errors.NotFound
        ? "there is no such file"
        : "it cannot be read",
    )
  );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    fail("it is not JSON");
  }
  const problem = compileCheck("IncidentInput")(value);
  if (problem !== undefined) fail(`it is not a valid incident, ${problem}`);
  return value as IncidentInput;
}

/**
 * Makes the message that the fetcher and the summarizer would make of an
 * incident, with artifacts that are kept nowhere. The same incident gives the
 * same bytes.
 */
export async function previewMessage(
  incident: IncidentInput,
  settings: Config<typeof LINK_SETTINGS>,
  released: Released = PLACEHOLDERS,
): Promise<Preview> {
  let artifacts = 0;
  const pointer = () => `redis://art:preview-${++artifacts}`;
  const bundle = await buildBundle(
    qualifiedId(incident),
    collectFindings(incident),
    { now: new Date(), put: () => Promise.resolve(pointer()) },
  );
  const message = composeMessage(bundle, summarize(bundle), {
    summaryPtr: pointer(),
    runId: released.runId,
    settings,
  });
  const digest = await sha256Hex(encodeMessage(message));
  const footer = { ...released, digest };
  return { message: withFooter(message, footer), digest };
}

function show({ message, digest }: Preview, context: CommandContext): void {
  const { out } = context;
  renderText(message.blocks, outputStyle(context)).forEach((line) => out(line));
  out();
  out(`Notification: ${unescapeMrkdwn(message.text)}`);
  out(`Message sha256 ${digest}; nothing was sent`);
}

async function writePicture(
  path: string,
  { incident_id }: IncidentInput,
  { message, digest }: Preview,
): Promise<void> {
  const title = `Preview of ${incident_id}`;
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
