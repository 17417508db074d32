/**
 * The addresses of a message's buttons. Pure.
 *
 * A button says "Open the incident" in our name, so the author of an alert must
 * not be able to choose its address. It leads to the source's own site, or to
 * one that the operator named.
 *
 * @module
 */
import type {
  LinkKind,
  NamedLink,
  NormalizedContext,
  SourceSystem,
} from "../incident.ts";
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
  const url = allowedUrl(source?.url, source?.system, origins);
  return url === undefined
    ? undefined
    : { id: "incident", label: "Open the incident", url };
}

const BUTTONS_MAX = 5;
const OF_CHARS_MAX = 40;
/** A word of a button that is not ours. */
const PLAIN = /^[A-Za-z][\w.-]*$/;
/** What is shown first if not all find room; the second runbook comes late. */
const RANKS: readonly string[] = [
  ...["incident", "bridge", "runbook", "change", "panel", "dashboard", "graph"],
  ...["silence", "logs", "runbook 2", "home", "run"],
];
/** From left to right. */
const ORDER: readonly string[] = [
  ...["incident", "bridge", "runbook", "runbook 2", "panel", "dashboard"],
  ...["logs", "graph", "change", "silence", "home", "run"],
];

/**
 * The buttons of a message: at most 5, of allowed origins, one of each kind but
 * for two runbooks. An Alertmanager's own page says little, so it comes late.
 *
 * @param number The incident's, as its source counts.
 * @param change The address of the change that is told first.
 */
export function messageLinks(
  { source, links = [] }: NormalizedContext,
  { origins, run, number, change }: {
    origins: readonly string[];
    run: Link | undefined;
    number: string | undefined;
    change?: string | undefined;
  },
): Link[] {
  const found = new Map<string, Link>();
  const incident = incidentLink(source, origins);
  if (incident !== undefined) {
    const isNumber = /^\d{1,10}$/.test(number ?? "");
    found.set(source?.system === "alertmanager" ? "home" : "incident", {
      ...incident,
      ...isNumber ? { label: `Open #${number}` } : {},
    });
  }
  const runbooks = links.filter(({ kind }) => kind === "runbook").length;
  for (const link of links) {
    const url = allowedUrl(link.url, source?.system, origins);
    const isSecond = link.kind === "runbook" && found.has(link.kind);
    const slot = isSecond ? "runbook 2" : link.kind;
    if (url === undefined || found.has(slot)) continue;
    const label = labelOf(link, runbooks > 1);
    found.set(slot, {
      id: link.kind,
      ...isSecond ? { nth: 2 } : {},
      label,
      url,
    });
  }
  const changed = allowedUrl(change, source?.system, origins);
  if (changed !== undefined) {
    found.set("change", { id: "change", label: "The change", url: changed });
  }
  // A panel is a part of its dashboard.
  if (found.has("panel")) found.delete("dashboard");
  if (run !== undefined) found.set("run", run);
  const best = RANKS.filter((slot) => found.has(slot)).slice(0, BUTTONS_MAX);
  return ORDER.filter((slot) => best.includes(slot))
    .map((slot) => found.get(slot)!);
}

/** An address that no button may open: its text is the whole of it. */
export interface Address {
  /** `Runbook`. */
  readonly label: string;
  readonly url: string;
}

/** Two lines of a phone; nobody reads more of an address. */
const ADDRESS_CHARS_MAX = 160;
const ADDRESSES_MAX = 2;
/** A form to fill in is no page to read. */
const ADDRESSES: readonly (readonly [LinkKind | "home", label: string])[] = [
  ["bridge", "Bridge"],
  ["runbook", "Runbook"],
  ["panel", "Panel"],
  ["dashboard", "Dashboard"],
  ["incident", "Incident"],
  ["logs", "Logs"],
  ["graph", "Graph"],
  ["home", "Alertmanager"],
];

/**
 * The first addresses of known fields whose origin is not allowed, one for each
 * kind whose first, the worst alert's, has no button.
 */
export function messageAddresses(
  { source, links = [] }: NormalizedContext,
  origins: readonly string[],
): Address[] {
  const own = source?.url === undefined ? [] : [{
    kind: source.system === "alertmanager"
      ? "home" as const
      : "incident" as const,
    url: source.url,
  }];
  const all = [...links, ...own];
  const isAllowed = (url: string) =>
    allowedUrl(url, source?.system, origins) !== undefined;
  const told = new Set<string>();
  return ADDRESSES.flatMap(([kind, label]) => {
    const urls = all.filter((link) => link.kind === kind)
      .map(({ url }) => url);
    if (urls[0] !== undefined && isAllowed(urls[0])) return [];
    const url = urls.filter((url) => !isAllowed(url))
      .map((url) => readWebUrl(url)?.href.replaceAll("|", "%7C") ?? "")
      .find((url) => url !== "" && url.length <= ADDRESS_CHARS_MAX);
    // Grafana's own page is that of its rule.
    if (url === undefined || told.has(url)) return [];
    told.add(url);
    return [{ label, url }];
  }).slice(0, ADDRESSES_MAX);
}

function labelOf({ kind, url, of = "" }: NamedLink, several: boolean): string {
  const name = PLAIN.test(of) && of.length <= OF_CHARS_MAX ? of : "";
  switch (kind) {
    case "incident":
      return "Open the incident";
    case "bridge":
      return "Join the bridge";
    case "runbook": {
      const page = /([A-Za-z][A-Za-z-]{0,23})\/?$/.exec(
        URL.parse(url)?.pathname ?? "",
      )?.[1];
      const which = page ?? name;
      return several && which !== "" ? `Runbook: ${which}` : "Runbook";
    }
    case "dashboard":
      return name === "" ? "Dashboard" : `Dashboard ${name}`;
    case "panel":
      return name === "" ? "Panel" : `Panel ${name}`;
    case "logs":
      return "Logs";
    case "graph":
      // A sender that names itself has no other page than this.
      return name === "Prometheus" || name === "Grafana" ? name : "Graph";
    case "silence":
      return "Silence";
  }
}

/** The address that people may follow; `undefined` for any other. */
export function allowedUrl(
  text: string | undefined,
  system: string | undefined,
  origins: readonly string[],
): string | undefined {
  const url = readWebUrl(text);
  if (url === undefined || system === undefined) return undefined;
  return origins.includes(url.origin) || isOwn(url, domainsOf(system))
    ? url.href
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
