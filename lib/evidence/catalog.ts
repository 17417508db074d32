/**
 * The catalogue: what a team knows about its services and no alert says, such as
 * the repository. `CATALOG_FILE` names it.
 *
 * ```yaml
 * services:
 *   - name: checkout
 *     match: { service: checkout-api, namespace: shop }
 *     repository: example/checkout
 *     kubernetes: { namespace: shop, deployment: checkout-api }
 *     logs: '{app="checkout"}'
 *     owner: payments
 *     dashboards: [https://grafana.example/d/checkout]
 *     depends_on: [orders-db]
 *     runbook: https://wiki.example/runbooks/checkout.md
 * ```
 *
 * @module
 */
import { parse } from "@std/yaml";
import { ConfigError, messageOf } from "../base/errors.ts";
import { isObject, type JsonObject } from "../base/json.ts";

/** What an entry can match. */
export interface Place {
  readonly service?: string;
  readonly namespace?: string;
  readonly cluster?: string;
  readonly labels: ReadonlyMap<string, string>;
}

/** What the catalogue says about one service. */
export interface CatalogEntry {
  readonly name: string;
  /** Every given one must be equal; labels by name. */
  readonly match: Readonly<Record<string, string>>;
  /** `owner/name`. */
  readonly repository?: string;
  readonly environment?: string;
  readonly kubernetes?: {
    readonly namespace?: string;
    readonly deployment?: string;
    readonly selector?: string;
  };
  /** A LogQL selector. */
  readonly logs?: string;
  readonly owner?: string;
  readonly dashboards?: readonly string[];
  readonly depends_on?: readonly string[];
  readonly runbook?: string;
}

export type Catalog = readonly CatalogEntry[];

const ENTRIES_MAX = 1000;
const TEXT_CHARS_MAX = 500;
const LIST_MAX = 20;

type Reader = (value: unknown, at: string) => unknown;

const text = (pattern: RegExp, expected: string): Reader => (value, at) => {
  if (
    typeof value === "string" && value !== "" &&
    value.length <= TEXT_CHARS_MAX && pattern.test(value)
  ) return value;
  throw new RangeError(`${at} must be ${expected}`);
};
const anyText = text(/^[^\p{Cc}]*$/u, "a text of one line");
const webUrl = text(/^https?:\/\/[^\s]+$/, "an http or https address");
const list = (item: Reader): Reader => (value, at) => {
  if (!Array.isArray(value) || value.length > LIST_MAX) {
    throw new RangeError(`${at} must be a list of at most ${LIST_MAX}`);
  }
  return value.map((one, index) => item(one, `${at}[${index}]`));
};
const record = (fields: Readonly<Record<string, Reader>>): Reader =>
(
  value,
  at,
) => {
  if (!isObject(value)) throw new RangeError(`${at} must be a mapping`);
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => {
      const read = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (read !== undefined) return [name, read(one, `${at}.${name}`)];
      throw new RangeError(
        `${at} has "${name.slice(0, 60)}"; known are ${
          Object.keys(fields).join(", ")
        }`,
      );
    }),
  );
};
const labels: Reader = (value, at) => {
  if (!isObject(value)) throw new RangeError(`${at} must be a mapping`);
  if (Object.keys(value).length === 0) {
    throw new RangeError(`${at} must name a service, namespace or label`);
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name,
      anyText(one, `${at}.${name.slice(0, 60)}`),
    ]),
  );
};

const readEntry = record({
  name: anyText,
  match: labels,
  repository: text(
    /^(?!\.{1,2}\/)[\w.-]+\/(?!\.{1,2}$)[\w.-]+$/,
    "owner/name",
  ),
  environment: anyText,
  kubernetes: record({
    namespace: anyText,
    deployment: anyText,
    selector: anyText,
  }),
  logs: text(/^\{.+\}/, 'a LogQL selector such as {app="checkout"}'),
  owner: anyText,
  dashboards: list(webUrl),
  depends_on: list(anyText),
  runbook: webUrl,
});

/**
 * Reads a catalogue.
 *
 * @throws {ConfigError} Says what is wrong and where.
 */
export function readCatalog(yaml: string): Catalog {
  const fail = (why: string) =>
    new ConfigError(`CATALOG_FILE names a catalogue that is not valid: ${why}`);
  let document: unknown;
  try {
    document = parse(yaml);
  } catch (error) {
    throw fail(messageOf(error).split("\n", 1)[0]!);
  }
  const services = isObject(document) ? document["services"] : undefined;
  if (
    !Array.isArray(services) || Object.keys(document as JsonObject).length > 1
  ) {
    throw fail('it must be a mapping with nothing but the list "services"');
  }
  if (services.length > ENTRIES_MAX) {
    throw fail(`it has ${services.length} services, at most ${ENTRIES_MAX}`);
  }
  try {
    return services.map((service, at) => {
      const where = `services[${at}]`;
      const entry = readEntry(service, where) as CatalogEntry;
      for (const name of ["name", "match"] as const) {
        if (entry[name] === undefined) {
          throw new RangeError(`${where} has no "${name}"`);
        }
      }
      return entry;
    });
  } catch (error) {
    if (error instanceof RangeError) throw fail(error.message);
    throw error;
  }
}

/**
 * The entry that fits best: every value that its `match` names is equal, and it
 * names the most; of several, the first.
 */
export function findEntry(
  catalog: Catalog,
  { service, namespace, cluster, labels }: Place,
): CatalogEntry | undefined {
  const valueOf = (name: string) =>
    ({ service, namespace, cluster })[name] ?? labels.get(name);
  const [best] = catalog
    .filter(({ match }) =>
      Object.entries(match).every(([name, value]) => valueOf(name) === value)
    )
    .toSorted((a, b) =>
      Object.keys(b.match).length - Object.keys(a.match).length
    );
  return best;
}
