/**
 * The message of an incident without a platform: what the fetcher and the
 * summarizer would make of it, with artifacts that are kept nowhere.
 *
 * @module
 */
import type { Config } from "../../lib/base/config.ts";
import { sha256Hex } from "../../lib/base/digest.ts";
import { buildBundle } from "../../lib/evidence/bundle.ts";
import { type IncidentInput, qualifiedId } from "../../lib/incident.ts";
import {
  encodeMessage,
  type Footer,
  type Message,
  withFooter,
} from "../../lib/message/render.ts";
import { compileCheck } from "../../lib/schema_check.ts";
import { summarize } from "../../lib/summary/builtin.ts";
import { collectFindings } from "../../lib/evidence/collect.ts";
import { composeMessage } from "../../lib/message/compose.ts";
import type { LINK_SETTINGS } from "../../lib/message/settings.ts";
import { CommandError } from "../terminal/command.ts";

/** A message as it would be posted. */
export interface Preview {
  incident: IncidentInput;
  /** With a footer that names nobody. */
  message: Message;
  /** Of the part that an approval would release. */
  digest: string;
}

/** What only a run knows of its message. */
export type Released = Omit<Footer, "digest">;

const PLACEHOLDERS: Released = {
  approval: { by: "(the approver)", at: "(the time)", ruleId: "(the rule)" },
  runId: "preview",
};

/**
 * Reads an incident as the workflow would take it.
 *
 * @throws {CommandError} Saying what is wrong with the file, by path.
 */
export async function readIncident(path: string): Promise<IncidentInput> {
  let value: unknown;
  try {
    value = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    const why = error instanceof SyntaxError
      ? "it is not JSON"
      : error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : "it cannot be read";
    throw new CommandError(`Cannot preview ${path}: ${why}`);
  }
  const problem = compileCheck("IncidentInput")(value);
  if (problem !== undefined) {
    throw new CommandError(
      `Cannot preview ${path}: it is no incident, ${problem}`,
    );
  }
  return value as IncidentInput;
}

/** Makes the message of an incident; the same incident gives the same bytes. */
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
  const footed = withFooter(message, { ...released, digest });
  return { incident, message: footed, digest };
}
