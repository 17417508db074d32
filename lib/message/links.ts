/**
 * The addresses of a message's buttons. Pure.
 *
 * A button says "Open the incident" in our name, so the author of an alert must
 * not be able to choose its address. It leads to the source's own site, or to
 * one that the operator named.
 *
 * @module
 */
import type { SourceSystem } from "../incident.ts";
import { PAGERDUTY_DOMAINS } from "../sources/pagerduty/links.ts";
import type { Link } from "./block_kit.ts";

/** Each source serves its domains and their subdomains over https. */
const SOURCE_DOMAINS: Readonly<
  Record<SourceSystem, readonly string[]>
> = {
  pagerduty: PAGERDUTY_DOMAINS,
  // Only the operator knows an Alertmanager's address and sets `LINK_ORIGINS`.
  alertmanager: [],
  mock: [],
};

/** Slack takes 3000, but two links must leave room for the message. */
const URL_CHARS_MAX = 2000;

/**
 * The button that opens an incident at its source.
 *
 * @param origins Allowed beside the source's own domains.
 * @returns `undefined` if the incident names no allowed address.
 */
export function incidentLink(
  source: { system: string; url?: string } | undefined,
  origins: readonly string[],
): Link | undefined {
  const url = readWebUrl(source?.url);
  if (url === undefined || source === undefined) return undefined;
  const allowed = origins.includes(url.origin) ||
    isOwn(url, domainsOf(source.system));
  return allowed
    ? { id: "incident", label: "Open the incident", url: url.href }
    : undefined;
}

/**
 * The button that opens a run in the platform's dashboard.
 *
 * @param address The configured one, with `{run_id}` in the place of the id;
 * without that, the id becomes the last part of the path.
 * @returns `undefined` if no dashboard is configured, or there is no run.
 */
export function runLink(
  address: string | undefined,
  runId: string,
): Link | undefined {
  if (address === undefined || runId === "") return undefined;
  const id = encodeURIComponent(runId.toWellFormed());
  const whole = address.includes("{run_id}")
    ? address.replaceAll("{run_id}", () => id)
    : `${address.replace(/\/+$/, "")}/${id}`;
  const url = readWebUrl(whole);
  return url && { id: "run", label: "Open the run", url: url.href };
}

function readWebUrl(text: string | undefined): URL | undefined {
  const url = URL.parse(text ?? "");
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  // `https://pagerduty.com@elsewhere.example` looks like PagerDuty.
  if (url.username !== "" || url.password !== "") return undefined;
  // The message's length counts it as JSON.
  return JSON.stringify(url.href).length <= URL_CHARS_MAX ? url : undefined;
}

function domainsOf(system: string): readonly string[] {
  return Object.hasOwn(SOURCE_DOMAINS, system)
    ? SOURCE_DOMAINS[system as SourceSystem]
    : [];
}

function isOwn({ protocol, port, hostname }: URL, domains: readonly string[]) {
  return protocol === "https:" && port === "" &&
    domains.some((domain) =>
      hostname === domain || hostname.endsWith(`.${domain}`)
    );
}
