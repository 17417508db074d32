/**
 * Files that hold an incident or a webhook.
 *
 * @module
 */
import { readConfig } from "../../lib/base/config.ts";
import type { IncidentInput } from "../../lib/incident.ts";
import { parseBody, readBody } from "../../lib/intake/body.ts";
import { readAdmitted } from "../../lib/intake/delivery.ts";
import { Refusal } from "../../lib/intake/refusal.ts";
import { INTAKE_SETTINGS } from "../../lib/intake/settings.ts";
import { WEBHOOKS } from "../../lib/intake/webhooks.ts";
import { compileCheck } from "../../lib/schema_check.ts";
import { withoutSecrets } from "../../lib/sources/without_secrets.ts";
import { readName } from "./arguments.ts";
import { type CommandContext, CommandError } from "./command.ts";

/** The senders of webhooks: the last parts of their paths. */
export const SOURCES: readonly string[] = [...WEBHOOKS.keys()]
  .map((path) => path.split("/").at(-1)!);

/**
 * Reads an incident, or the webhook of a sender as the ingester reads it.
 *
 * @param source Who sends the webhook; an incident as a run takes it if absent.
 * @throws {CommandError} Saying what is wrong with the file, by path.
 */
export function readIncidentFile(
  file: string,
  { source, context }: {
    source?: string | undefined;
    context: CommandContext;
  },
): Promise<IncidentInput> {
  return source === undefined
    ? readIncident(file)
    : readWebhook(file, readName("source", source, SOURCES), context);
}

/** Reads an incident as a run takes it. @throws {CommandError} */
export async function readIncident(file: string): Promise<IncidentInput> {
  const value = await reading(file, async (bytes) => parseBody(await bytes));
  const problem = compileCheck("IncidentInput")(value);
  if (problem === undefined) return value as IncidentInput;
  throw cannotPreview(
    file,
    `${
      inWords(problem)
    }. If this is the body of a webhook, say who sends it with --source`,
  );
}

async function readWebhook(
  file: string,
  source: string,
  { env }: CommandContext,
): Promise<IncidentInput> {
  const webhook = WEBHOOKS.get(`/webhook/${source}`)!;
  const { events } = INTAKE_SETTINGS;
  const config = readConfig(
    INTAKE_SETTINGS,
    (name) => name === events.name ? env(name) : undefined,
  );
  const delivery = await reading(
    file,
    async (bytes) => await readAdmitted(await bytes, webhook, config),
  );
  if ("incident" in delivery) {
    return withoutSecrets(delivery.incident, config.redactionLevel).incident;
  }
  const { ignored } = delivery;
  const hint = ignored.startsWith("event ")
    ? `; ${events.name} says which events start one`
    : "";
  throw cannotPreview(file, `it starts no run (${ignored})${hint}`);
}

/** Reads a file within an ingester's bounds. */
async function reading<T>(
  file: string,
  read: (bytes: Promise<Uint8Array>) => Promise<T>,
): Promise<T> {
  try {
    const { readable } = file === "-" ? Deno.stdin : await Deno.open(file);
    return await read(readBody(readable));
  } catch (error) {
    if (error instanceof Refusal) {
      const why = error.message.replace(/^Cannot use the webhook's body: /, "")
        .replace(/^The body/, "it").replace(/^Cannot read .*/, UNREADABLE);
      throw cannotPreview(file, why);
    }
    const missing = error instanceof Deno.errors.NotFound;
    throw cannotPreview(file, missing ? "there is no such file" : UNREADABLE);
  }
}

const UNREADABLE = "it cannot be read";

function cannotPreview(file: string, why: string): CommandError {
  return new CommandError(
    `Cannot use ${file === "-" ? "standard input" : file}: ${why}`,
  );
}

const EXPECTATIONS: readonly [RegExp, string][] = [
  [/^must have required property '(.*)'$/, "is missing"],
  [/^must be (string|number|boolean)$/, "must be a $1"],
  [/^must be (integer|object)$/, "must be an $1"],
  [/^must be array$/, "must be a list"],
  [/^must NOT have fewer than 1 .*$/, "must not be empty"],
  [/^must NOT have fewer than (\d+) (\w+)$/, "must have at least $1 $2"],
  [/^must NOT have more than (\d+) (\w+)$/, "must have at most $1 $2"],
  [
    /^must match format "date-time"$/,
    "must be a date-time such as 2026-01-15T09:30:00Z",
  ],
  [/^must match format "uri"$/, "must be a URL"],
];

/** `"source.system" is missing` for a problem that a schema's check found. */
function inWords(problem: string): string {
  const [, pointer = "", said = ""] = /^(\/\S*) (.*)$/s.exec(problem) ?? [];
  const [, missing] = /^must have required property '(.*)'$/.exec(said) ?? [];
  const [, unknown] = /^must not have "(.*)"$/.exec(said) ?? [];
  const path = [...pointer.split("/"), missing ?? unknown ?? ""]
    .filter((part) => part !== "").join(".");
  const what = path === "" ? "it" : `"${path}"`;
  if (unknown !== undefined) return `${what} is not known`;
  const [pattern, words] =
    EXPECTATIONS.find(([pattern]) => pattern.test(said)) ?? [said, said];
  return `${what} ${said.replace(pattern, words)}`;
}
