/**
 * Decides where a post may go.
 *
 * A webhook URL is a credential and a way out. So it comes from the poster's own
 * environment, its host and port must be on a list, and it leaves this module
 * only inside a destination.
 *
 * @module
 */
import type { Config } from "../base/config.ts";
import { sha256Hex } from "../base/digest.ts";
import { JobError } from "../base/errors.ts";
import { optional } from "../base/json.ts";
import type { Destination as Wanted } from "../incident.ts";
import type { PostSettings } from "./settings.ts";

/** A destination that passed every check. */
export type Destination =
  | { kind: "artifact"; id: "artifact"; host: "artifact" }
  | {
    kind: "slack";
    /** Identifies the webhook without revealing it; one webhook has one id. */
    id: string;
    /** Host and, if not 443, port. */
    host: string;
    url: string;
  };

/** The limits of the poster's settings and of policy. */
export interface DestinationRules extends
  Pick<
    Config<PostSettings>,
    "slackWebhookUrl" | "slackAllowedHosts" | "allowInputUrl"
  > {
  /** Policy's list, which can only forbid hosts. */
  policyHosts: readonly string[] | undefined;
}

/** @throws {JobError} `DESTINATION_REFUSED`, without quoting the URL. */
export async function readDestination(
  wanted: Wanted | undefined,
  rules: DestinationRules,
): Promise<Destination> {
  if ((wanted?.mode ?? "artifact") === "artifact") {
    return { kind: "artifact", id: "artifact", host: "artifact" };
  }
  const given = rules.allowInputUrl ? wanted?.slack_webhook_url : undefined;
  const url = given ?? rules.slackWebhookUrl;
  if (url === undefined) {
    throw refuse("no webhook is configured; set SLACK_WEBHOOK_URL", "slack");
  }
  const part = given === undefined ? "slack" : undefined;
  return { kind: "slack", ...await checkUrl(url, rules, part) };
}

const URL_CHARS_MAX = 2000; // As in the schema of an incident.
// Scheme, host, port, path, query. Two parsers could read user info, upper case,
// escapes or backslashes differently, and a fragment would give one webhook two
// spellings.
const PLAIN_URL =
  /^(https?):\/\/([a-z0-9.-]{1,253})(?::([0-9]{1,5}))?(\/[\w.~/-]*(?:\?[\w.~/=&-]+)?)$/;
const ADDRESS = /^[0-9.]+$|^0x|\.0x/; // Any spelling of an IPv4 address.

async function checkUrl(
  text: string,
  { slackAllowedHosts, policyHosts }: DestinationRules,
  part: "slack" | undefined,
): Promise<{ id: string; host: string; url: string }> {
  const match = text.length > URL_CHARS_MAX ? null : PLAIN_URL.exec(text);
  const parsed = URL.parse(text);
  if (match === null || parsed === null) {
    throw refuse("the webhook is not a plain https URL", part);
  }
  const [, scheme, name = "", port = "", path] = match;
  const host = port === "" || (scheme === "https" && port === "443")
    ? name
    : `${name}:${port}`;
  const sameHost = parsed.hostname === name && !name.endsWith(".");
  if (!sameHost || parsed.host !== host) {
    throw refuse("the webhook's host is spelled oddly", part);
  }
  if (parsed.pathname + parsed.search !== path) {
    throw refuse("the webhook's path is spelled oddly", part);
  }
  // A list may write the port of https or leave it out.
  const allows = (hosts: readonly string[]) =>
    hosts.includes(host) ||
    (scheme === "https" && host === name && hosts.includes(`${name}:443`));
  if (!allows(slackAllowedHosts)) {
    const why = `host "${host}" is not allowed; set SLACK_ALLOWED_HOSTS`;
    throw refuse(why, part);
  }
  const loopback = /^(127\.0\.0\.1|localhost):[0-9]+$/.test(host);
  if (scheme !== "https" && !loopback) {
    throw refuse("the webhook must use https", part);
  }
  if (ADDRESS.test(name) && !loopback) {
    throw refuse("the webhook's host is an address, not a name", part);
  }
  if (policyHosts !== undefined && !allows(policyHosts)) {
    throw refuse(`policy does not allow host "${host}"`);
  }
  // With or without the port 443, it is the same webhook.
  const url = parsed.href;
  return { id: `slack:${(await sha256Hex(url)).slice(0, 16)}`, host, url };
}

/** @param part Names the poster's own settings, if they are at fault. */
function refuse(why: string, part?: "slack"): JobError {
  const options = optional("part", part);
  return new JobError("DESTINATION_REFUSED", `Cannot post: ${why}`, options);
}
