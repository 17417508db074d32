/**
 * Configuration from environment variables, read once at start.
 *
 * A worker declares what it reads as a record of settings. `readConfig` turns
 * the environment into a frozen, typed object or names every problem at once.
 * The same declarations yield the worker's `--allow-env` list and the tables in
 * docs/configuration.md, so no variable lacks permission or documentation.
 *
 * @module
 */
import { ConfigError } from "./errors.ts";

/** One thing that a process reads from its environment. */
export interface Setting<T> {
  /** The variable as documented, for example `NATS_URL`. */
  readonly name: string;
  /** Every accepted spelling; the first one that is set wins. */
  readonly names: readonly string[];
  /** One line for people. */
  readonly about: string;
  /** A secret is masked, and may also be in the file that `<NAME>_FILE` names. */
  readonly secret: boolean;
  /** The variable names a file, whose content is the value. */
  readonly file: boolean;
  /** The longest file, in characters; 65,536 if absent. */
  readonly charsMax?: number;
  /** In the form that people write; `undefined` if there is none. */
  readonly fallback: string | undefined;
  /** Without a value for a required setting, the process stops. */
  readonly required: boolean;
  /**
   * Turns the text of the variable `name` into a value.
   *
   * @throws {RangeError} States what was expected.
   */
  readonly parse: (text: string, name: string) => T;
}

/** Everything that a process reads from its environment. */
export type Settings = Readonly<Record<string, Setting<unknown>>>;

/** The values of settings. */
export type Config<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

/** Options of every setting. */
export interface Options<F> {
  /** One line for people. */
  about: string;
  /** Used when the variable is not set. Without one, the setting is required. */
  fallback?: F;
}

/** Options of {@linkcode integer}. */
export interface IntegerOptions extends Options<number> {
  /** The smallest accepted value. */
  min: number;
  /** The largest accepted value. */
  max: number;
}

const ADDRESS_CHARS_MAX = 500;
const FILE_CHARS_MAX = 64 * 1024;
/**
 * A host that a permission can name. A URL's may hold a comma, which would grant
 * two hosts, or `*`, which would grant many.
 */
const HOSTNAME_PATTERN = /^(?:\[[0-9a-f:.]+\]|[\w-]+(?:\.[\w-]+)*\.?)$/i;

/** An absolute URL. */
export function url(name: string, options: Options<string>): Setting<string> {
  return declare(name, options, (text) => {
    const url = URL.parse(text);
    // `localhost:8081` parses too: its scheme is "localhost:", it has no host.
    if (!url?.host) {
      throw new RangeError("an absolute URL with scheme and host");
    }
    if (HOSTNAME_PATTERN.test(url.hostname)) return text.replace(/\/+$/, "");
    throw new RangeError(
      "a URL of one host, without commas or other marks in its name",
    );
  });
}

/** An address of the web with a `{part}` after its host, to be filled in. */
export function addressOf(
  name: string,
  { part, ...options }: Options<string> & { part: string },
): Setting<string> {
  const mark = `{${part}}`;
  const expected = `an http or https URL with ${mark} after its host`;
  return declare(name, options, (text) => {
    const host = URL.parse(text);
    const isWeb = host !== null && /^https?:$/.test(host.protocol) &&
      host.username + host.password === "" &&
      HOSTNAME_PATTERN.test(host.hostname);
    const isPlain = text.length <= ADDRESS_CHARS_MAX && /^[!-~]+$/.test(text) &&
      !/[<>|"`\\]/.test(text);
    if (isWeb && isPlain && text.includes(mark)) return text;
    throw new RangeError(expected);
  });
}

/** A whole number from `min` to `max`, both included. */
export function integer(
  name: string,
  { min, max, ...options }: IntegerOptions,
): Setting<number> {
  return declare(name, options, (text) => {
    const value = /^-?\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    throw new RangeError(`a whole number from ${min} to ${max}`);
  });
}

/** `1`, `true`, `yes`, `on` or `0`, `false`, `no`, `off`, in any case. */
export function flag(
  name: string,
  options: Options<boolean>,
): Setting<boolean> {
  return declare(name, options, (text) => {
    if (/^(1|true|yes|on)$/i.test(text)) return true;
    if (/^(0|false|no|off)$/i.test(text)) return false;
    throw new RangeError("1 or 0");
  });
}

/** One of a few words. */
export function oneOf<const T extends string>(
  name: string,
  { values, ...options }: Options<T> & { values: readonly T[] },
): Setting<T> {
  return declare(name, options, (text) => {
    const value = values.find((value) => value === text.toLowerCase());
    if (value !== undefined) return value;
    throw new RangeError(`one of ${values.join(", ")}`);
  });
}

/** Text that matches a pattern, which `expected` describes for people. */
export function text(
  name: string,
  options: Options<string> & { pattern?: RegExp; expected?: string },
): Setting<string> {
  const { pattern = /^/, expected = "text", ...rest } = options;
  return declare(name, rest, (text) => {
    if (pattern.test(text)) return text;
    throw new RangeError(expected);
  });
}

/** A comma-separated list of a few words, at least one. */
export function someOf<const T extends string>(
  name: string,
  { values, ...options }: Options<string> & { values: readonly T[] },
): Setting<readonly T[]> {
  return declare(name, options, (text) => {
    const items = itemsOf(text);
    const chosen = values.filter((value) => items.includes(value));
    const known = items.every((item) => chosen.some((value) => value === item));
    if (known && items.length > 0) return Object.freeze(chosen);
    throw new RangeError(`some of ${values.join(", ")}`);
  });
}

/** Web origins such as `https://wiki.example.com`, comma-separated. */
export function origins(
  name: string,
  options: Options<string>,
): Setting<readonly string[]> {
  return declareList(name, options, (item) => {
    const url = URL.parse(item);
    // A path would suggest that only the pages below it are allowed.
    const isOrigin = url !== null && /^https?:$/.test(url.protocol) &&
      url.href === `${url.origin}/`;
    if (isOrigin) return url.origin;
    throw new RangeError("origins such as https://wiki.example.com");
  });
}

/** A comma-separated list of `host` or `host:port`, in lower case. */
export function hostList(
  name: string,
  options: Options<string>,
): Setting<readonly string[]> {
  return declareList(name, options, (item) => {
    const host = item.toLowerCase();
    const match = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::(\d{1,5}))?$/.exec(host);
    const port = Number(match?.[1] ?? 443);
    if (match !== null && port > 0 && port <= 65_535) return host;
    throw new RangeError(
      "host names, each with an optional :port, without scheme or *",
    );
  });
}

/** Where to listen. */
export interface Address {
  /** A name or an address; IPv6 without its brackets. */
  readonly hostname: string;
  /** 0 takes any free one. */
  readonly port: number;
}

/** `host:port` to listen on. */
export function address(
  name: string,
  options: Options<string>,
): Setting<Address> {
  return declare(name, options, (text) => {
    const match = /^(\[[0-9a-fA-F:]+\]|[^\s:[\]]*):(\d{1,5})$/.exec(text);
    const port = Number(match?.[2]);
    if (match === null || port > 65535) throw new RangeError("host:port");
    const given = match[1]!.replace(/^\[|\]$/g, "").toLowerCase();
    const names = new Map([["", "0.0.0.0"], ["localhost", "127.0.0.1"]]);
    const hostname = names.get(given) ?? given;
    // To listen on a name, the runtime wants permission for the address that
    // the name resolves to, and nobody could derive that from the name.
    if (!given.includes(":") && !/^\d{1,3}(\.\d{1,3}){3}$/.test(hostname)) {
      throw new RangeError("host:port with an address, not a name");
    }
    return Object.freeze({ hostname, port });
  });
}

/** A secret. */
export function secret(
  name: string,
  options: Options<string>,
): Setting<string> {
  return declare(name, { ...options, secret: true }, (text) => text);
}

/** The content of the file that the variable names. */
export function fileContent(
  name: string,
  { charsMax, ...options }: Options<string> & {
    secret?: boolean;
    charsMax?: number;
  },
): Setting<string> {
  const declared = declare(name, { ...options, file: true }, (text) => text);
  return charsMax === undefined
    ? declared
    : Object.freeze({ ...declared, charsMax });
}

/** Comma-separated secrets, all of them valid; an empty list if unset. */
export function secretList(
  name: string,
  { about }: { about: string },
): Setting<readonly string[]> {
  const options = { about, fallback: "", secret: true };
  return declareList(name, options, (item) => item);
}

/** The same setting, with `undefined` as its value if it is not set. */
export function optional<T>(setting: Setting<T>): Setting<T | undefined> {
  return Object.freeze({ ...setting, required: false });
}

/** The same setting, also read in another form from the variable `other`. */
export function alsoNamed<T>(
  setting: Setting<T>,
  other: string,
  convert: (text: string) => string,
): Setting<T> {
  const names = [...setting.names, other];
  const parse = (text: string, name: string) =>
    setting.parse(name === other ? convert(text) : text, name);
  return Object.freeze({ ...setting, names, parse });
}

/**
 * Reads every setting.
 *
 * @param env One variable's value, as `Deno.env.get` does. Empty means unset.
 * @param readFile Reads the file that `<NAME>_FILE` names.
 * @throws {ConfigError} Names every missing or wrong variable in one line,
 * without its value.
 */
export function readConfig<S extends Settings>(
  settings: S,
  env: (name: string) => string | undefined,
  readFile: (path: string) => string = Deno.readTextFileSync,
): Config<S> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(settings)) {
    try {
      values[key] = readSetting(setting, env, readFile);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(error.message);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems.join("; "));
  return Object.freeze(values) as Config<S>;
}

function readSetting(
  setting: Setting<unknown>,
  env: (name: string) => string | undefined,
  readFile: (path: string) => string,
): unknown {
  for (const name of setting.names) {
    const found = lookUp(name, setting, env, readFile);
    if (found === undefined) continue;
    try {
      return setting.parse(found, name);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new ConfigError(`${name} must be ${error.message}`);
    }
  }
  if (setting.fallback !== undefined) {
    return setting.parse(setting.fallback, setting.name);
  }
  if (!setting.required) return undefined;
  throw new ConfigError(`${setting.name} is required (${setting.about})`);
}

function lookUp(
  name: string,
  setting: Setting<unknown>,
  env: (name: string) => string | undefined,
  readFile: (path: string) => string,
): string | undefined {
  const value = setting.file ? undefined : env(name)?.trim();
  const variable = fileVariableOf(name, setting);
  const path = variable === undefined ? undefined : env(variable)?.trim();
  if (value) return value;
  if (!path) return undefined;
  let content: string;
  try {
    content = readFile(path);
  } catch (error) {
    throw new ConfigError(
      error instanceof Deno.errors.NotCapable
        ? `${variable} names a file without permission to read it; deno task run_worker grants it`
        : `${variable} names a file that cannot be read`,
    );
  }
  const { charsMax = FILE_CHARS_MAX } = setting;
  if (content.length > charsMax) {
    throw new ConfigError(
      `${variable} names a file longer than ${charsMax} characters`,
    );
  }
  const text = content.trim();
  // An empty secret counts as unset, so that a deployment can name a file for
  // each; an empty certificate is a mistake.
  if (text === "" && setting.file && !setting.secret) {
    throw new ConfigError(`${variable} names an empty file`);
  }
  return text || undefined;
}

/**
 * The text of a file that may be replaced while the process runs, without blanks
 * around it; `undefined` if it is empty, too long or cannot be read.
 */
export function readReplacedFile(path: string): string | undefined {
  try {
    const content = Deno.readTextFileSync(path);
    return content.length > FILE_CHARS_MAX
      ? undefined
      : content.trim() || undefined;
  } catch {
    return undefined;
  }
}

/** The variable that names a file for `name`, if there can be one. */
function fileVariableOf(
  name: string,
  { file, secret }: Setting<unknown>,
): string | undefined {
  if (file) return name;
  return secret ? `${name}_FILE` : undefined;
}

/** Every variable that these settings may read, in order, each one once. */
export function variablesOf(settings: Settings): string[] {
  const names = Object.values(settings).flatMap((setting) =>
    setting.names.flatMap((name) => [
      name,
      fileVariableOf(name, setting) ?? name,
    ])
  );
  return [...new Set(names)];
}

/** The variables among them that name a file to read. */
export function fileVariablesOf(settings: Settings): string[] {
  return Object.values(settings).flatMap((setting) =>
    setting.names.flatMap((name) => fileVariableOf(name, setting) ?? [])
  );
}

/** The values that must never be printed: secrets, and passwords in URLs. */
export function secretsOf<S extends Settings>(
  settings: S,
  config: Config<S>,
): string[] {
  return Object.entries(settings).flatMap(([key, setting]) => {
    const values = [config[key] as unknown].flat().filter((value) =>
      typeof value === "string"
    ).filter(Boolean);
    return setting.secret ? values : values.flatMap(passwordsOf);
  });
}

function passwordsOf(value: string): string[] {
  const password = URL.parse(value)?.password ?? "";
  if (password === "") return [];
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}

function itemsOf(text: string): string[] {
  return text.split(",").map((item) => item.trim()).filter(Boolean);
}

type Declaration = Options<string | number | boolean> & {
  secret?: boolean;
  file?: boolean;
};

function declareList(
  name: string,
  options: Declaration,
  parseItem: (item: string) => string,
): Setting<readonly string[]> {
  const parse = (text: string) => Object.freeze(itemsOf(text).map(parseItem));
  return declare(name, options, parse);
}

function declare<T>(
  name: string,
  { about, fallback, secret = false, file = false }: Declaration,
  parse: (text: string) => T,
): Setting<T> {
  // Every platform variable exists under the platform's old and new name.
  const twin = name.replace(/^CORETEX_/, "CORDUM_");
  const value = typeof fallback === "boolean" ? Number(fallback) : fallback;
  return Object.freeze({
    name,
    names: twin === name ? [name] : [name, twin],
    about,
    secret,
    file,
    fallback: value?.toString(),
    required: fallback === undefined,
    parse,
  });
}
