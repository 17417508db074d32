/**
 * Configuration from environment variables, read once at start.
 *
 * A worker declares what it reads as a record of settings; `readConfig` turns
 * the environment into a frozen, typed object or names every problem at once.
 * The same declarations yield the worker's `--allow-env` list and the README's
 * table, so no variable can be read without being permitted and documented.
 *
 * @module
 */
import { ConfigError } from "./errors.ts";

/** One thing that a process reads from its environment. */
export interface Setting<T> {
  /** The variable as documented, for example `NATS_URL`. */
  readonly name: string;
  /** Every spelling that is read, the first that is set wins. */
  readonly names: readonly string[];
  /** One line for people. */
  readonly about: string;
  /** A secret is also read from the file named by `<NAME>_FILE`, and masked. */
  readonly secret: boolean;
  /** The variable names a file, whose content is the value. */
  readonly file: boolean;
  /** As people would write it; `undefined` if there is none. */
  readonly fallback: string | undefined;
  /** A required setting without a value stops the process. */
  readonly required: boolean;
  /**
   * Turns the text of the variable `name` into a value.
   *
   * @throws {RangeError} Saying what was expected.
   */
  readonly parse: (text: string, name: string) => T;
}

/** Everything that a process reads from its environment. */
export type Settings = Readonly<Record<string, Setting<unknown>>>;

/** The values of settings. */
export type Config<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

/** What every setting says of itself. */
export interface Options<F> {
  /** One line for people. */
  about: string;
  /** Used when the variable is not set; without one it is required. */
  fallback?: F;
}

/** Options of {@linkcode integer}. */
export interface IntegerOptions extends Options<number> {
  /** The smallest value that is taken. */
  min: number;
  /** The largest value that is taken. */
  max: number;
}

const FILE_CHARS_MAX = 64 * 1024;

/** An absolute URL. Without a fallback it is required. */
export function url(name: string, options: Options<string>): Setting<string> {
  return declare(name, { ...options, parse: parseUrl });
}

/** A whole number within `min` and `max`, both included. */
export function integer(
  name: string,
  options: IntegerOptions,
): Setting<number> {
  const { min, max, fallback, about } = options;
  const parse = (text: string) => {
    const value = /^-?\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    throw new RangeError(`a whole number from ${min} to ${max}`);
  };
  return declare(name, {
    about,
    parse,
    ...(fallback === undefined ? {} : { fallback: String(fallback) }),
  });
}

/** `1`, `true`, `yes`, `on` or `0`, `false`, `no`, `off`, in any case. */
export function flag(
  name: string,
  options: Options<boolean>,
): Setting<boolean> {
  const { fallback, about } = options;
  const parse = (text: string) => {
    if (/^(1|true|yes|on)$/i.test(text)) return true;
    if (/^(0|false|no|off)$/i.test(text)) return false;
    throw new RangeError("1 or 0");
  };
  return declare(name, {
    about,
    parse,
    ...(fallback === undefined ? {} : { fallback: fallback ? "1" : "0" }),
  });
}

/** One of a few words. */
export function oneOf<const T extends string>(
  name: string,
  options: Options<T> & { values: readonly T[] },
): Setting<T> {
  const { values, ...rest } = options;
  const parse = (text: string) => {
    const value = values.find((value) => value === text.toLowerCase());
    if (value !== undefined) return value;
    throw new RangeError(`one of ${values.join(", ")}`);
  };
  return declare(name, { ...rest, parse });
}

/** Text that matches a pattern; `expected` says which, for people. */
export function text(
  name: string,
  options: Options<string> & { pattern?: RegExp; expected?: string },
): Setting<string> {
  const { pattern, expected = "text", ...rest } = options;
  const parse = (value: string) => {
    if (pattern === undefined || pattern.test(value)) return value;
    throw new RangeError(expected);
  };
  return declare(name, { ...rest, parse });
}

function itemsOf(text: string): string[] {
  return text.split(",").map((item) => item.trim()).filter(Boolean);
}

/** A comma-separated list of a few words, at least one. */
export function someOf<const T extends string>(
  name: string,
  options: Options<string> & { values: readonly T[] },
): Setting<readonly T[]> {
  const { values, ...rest } = options;
  const parse = (text: string) => {
    const items = itemsOf(text);
    const chosen = values.filter((value) => items.includes(value));
    const known = items.every((item) => chosen.some((value) => value === item));
    if (known && items.length > 0) return Object.freeze(chosen);
    throw new RangeError(`some of ${values.join(", ")}`);
  };
  return declare(name, { ...rest, parse });
}

/** Web origins such as `https://wiki.example.com`, comma-separated. */
export function origins(
  name: string,
  options: Options<string>,
): Setting<readonly string[]> {
  const parse = (text: string) => Object.freeze(itemsOf(text).map(parseOrigin));
  return declare(name, { ...options, parse });
}

function parseOrigin(item: string): string {
  const url = URL.parse(item);
  // A path would suggest that only what is below it is meant.
  const isOrigin = url !== null && /^https?:$/.test(url.protocol) &&
    url.href === `${url.origin}/`;
  if (isOrigin) return url.origin;
  throw new RangeError("origins such as https://wiki.example.com");
}

/** A comma-separated list of `host` or `host:port`, in lower case. */
export function hostList(
  name: string,
  options: Options<string>,
): Setting<readonly string[]> {
  const parse = (value: string) =>
    Object.freeze(
      itemsOf(value.toLowerCase())
        .map((host) => {
          const [, port = "443"] =
            /^[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::(\d{1,5}))?$/.exec(host) ??
              [, "no"];
          if (Number(port) > 0 && Number(port) <= 65_535) return host;
          throw new RangeError(
            "names of hosts, each perhaps with :port, without scheme and *",
          );
        }),
    );
  return declare(name, { ...options, parse });
}

/** Where to listen. */
export interface Address {
  /** A name or an address, an IPv6 one without its brackets. */
  readonly hostname: string;
  /** 0 takes any free one. */
  readonly port: number;
}

/** `host:port` to listen on. */
export function address(
  name: string,
  options: Options<string>,
): Setting<Address> {
  return declare(name, { ...options, parse: parseAddress });
}

function parseAddress(value: string): Address {
  const match = /^(\[[0-9a-fA-F:]+\]|[^\s:[\]]*):(\d{1,5})$/.exec(value);
  const port = Number(match?.[2]);
  if (match === null || port > 65535) throw new RangeError("host:port");
  const given = match[1]!.replace(/^\[|\]$/g, "").toLowerCase();
  const hostname = given === ""
    ? "0.0.0.0"
    : given === "localhost"
    ? "127.0.0.1"
    : given;
  // Listening on a name is listening on what it resolves to, for which the
  // runtime wants a permission that nobody could derive from the name.
  if (!given.includes(":") && !/^\d{1,3}(\.\d{1,3}){3}$/.test(hostname)) {
    throw new RangeError("host:port with an address, not a name");
  }
  return Object.freeze({ hostname, port });
}

/** A secret. Without a fallback it is required. */
export function secret(
  name: string,
  options: Options<string>,
): Setting<string> {
  return declare(name, { ...options, secret: true, parse: (value) => value });
}

/** The content of the file that the variable names. */
export function fileContent(
  name: string,
  options: Options<string> & { secret?: boolean },
): Setting<string> {
  return declare(name, { ...options, file: true, parse: (content) => content });
}

/** Secrets, comma-separated, all of which are good; none if unset. */
export function secretList(
  name: string,
  options: { about: string },
): Setting<readonly string[]> {
  return declare(name, {
    ...options,
    fallback: "",
    secret: true,
    parse: (value) => Object.freeze(itemsOf(value)),
  });
}

/** The same setting, or nothing if it is not set. */
export function optional<T>(setting: Setting<T>): Setting<T | undefined> {
  return Object.freeze({ ...setting, required: false });
}

/** The same setting, also read from the variable `other`, in another form. */
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
 * @throws {ConfigError} Names every variable that is missing or wrong, in one
 * line and never with its value.
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
  if (content.length > FILE_CHARS_MAX) {
    throw new ConfigError(
      `${variable} names a file above ${FILE_CHARS_MAX} characters`,
    );
  }
  const text = content.trim();
  // An empty secret counts as unset; an empty certificate is a mistake.
  if (text === "" && setting.file) {
    throw new ConfigError(`${variable} names an empty file`);
  }
  return text || undefined;
}

/** The variable that names a file for `name`, if there can be one. */
function fileVariableOf(
  name: string,
  { file, secret }: Setting<unknown>,
): string | undefined {
  if (file) return name;
  return secret ? `${name}_FILE` : undefined;
}

/** Every variable that may be read for these settings, in order, once each. */
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
    const values = [config[key] as unknown].flat().filter(isText);
    return setting.secret ? values : values.flatMap(passwordsOf);
  });
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
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

function declare<T>(
  name: string,
  options: {
    about: string;
    fallback?: string;
    secret?: boolean;
    file?: boolean;
    parse: (text: string) => T;
  },
): Setting<T> {
  const { about, fallback, parse } = options;
  const { secret = false, file = false } = options;
  // Every platform variable exists under the platform's old and new name.
  const twin = name.replace(/^CORETEX_/, "CORDUM_");
  const names = twin === name ? [name] : [name, twin];
  const required = fallback === undefined;
  return Object.freeze({
    name,
    names,
    about,
    secret,
    file,
    fallback,
    required,
    parse,
  });
}

function parseUrl(value: string): string {
  // Without a host it is `localhost:8081`, whose scheme would be "localhost:".
  if (URL.parse(value)?.host) return value.replace(/\/+$/, "");
  throw new RangeError("an absolute URL with scheme and host");
}
