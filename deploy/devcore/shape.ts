/**
 * The shapes of a pack's documents, and the one reader of them.
 *
 * A shape lists the fields of a document with their Go types. The platform
 * silently drops a key that it does not know, so any other key is a problem.
 * Devcore refuses the first problem; `deno task bundle` reads the same shapes
 * and reports every problem.
 *
 * @module
 */
import { isObject, type JsonObject, objectOf } from "../../lib/base/json.ts";
import { Refusal } from "./common.ts";

interface GoTypes {
  bool: boolean;
  int64: number;
  float64: number;
  string: string;
  "[]string": string[];
  "map[string]string": Record<string, string>;
  "map[string]interface {}": JsonObject;
}

type GoType = keyof GoTypes;

/** Restricts a field beyond its type; only bundling has such rules. */
export class Rule<T extends GoType = GoType> {
  constructor(
    readonly type: T,
    /** Also asked about a field that is missing or null. */
    readonly holds: (value: unknown) => boolean,
    readonly problem: (name: string, value: unknown) => string,
    /** Whether the problem is reported of the field or of its object. */
    readonly of: "field" | "object" = "object",
  ) {}
}

/** A mapping from names to objects of one shape; also for bundling only. */
export class MapOf<F extends Fields = Fields> {
  constructor(readonly fields: F, readonly name?: Rule<"string">) {}
}

type Leaf = GoType | Rule;

/** The fields of a document, nested as the document is. */
export interface Fields {
  readonly [name: string]: Leaf | MapOf | Fields | readonly [Fields];
}

/** Several fields of one type. */
export function each<T extends Leaf, Name extends string>(
  type: T,
  ...names: Name[]
): Record<Name, T> {
  const fields = names.map((name) => [name, type]);
  return Object.fromEntries(fields) as Record<Name, T>;
}

/** What {@linkcode decode} returns for a shape. */
export type Decoded<S> = S extends GoType ? GoTypes[S]
  : S extends Rule<infer T> ? GoTypes[T]
  : S extends MapOf<infer F> ? Record<string, Decoded<F>>
  : S extends readonly [infer Item] ? Decoded<Item>[]
  : { -readonly [Name in keyof S]: Decoded<S[Name]> };

/** Names places and takes the problems found there. */
export interface Reporter {
  /** The place of a field, or of one `item` of a list. */
  placeOf(parent: string, name: string, item?: unknown): string;
  unknownKey(place: string, key: string, fields: Fields): void;
  /** @param expected A type, or the problem of a broken {@linkcode Rule}. */
  misfit(place: string, expected: string, value: unknown): void;
}

/** Throws the first problem, a wrong type in the platform's words. */
const REFUSE: Reporter = {
  placeOf: (parent, name) => `${parent}.${name}`,
  unknownKey(place, key) {
    throw new Refusal(400, `devcore does not implement ${place}.${key}`);
  },
  misfit(place, type, value) {
    const got = Array.isArray(value) ? "array" : typeof value;
    const problem =
      `cannot unmarshal ${got} into Go struct field ${place} of type ${type}`;
    throw new Refusal(400, `json: ${problem}`);
  },
};

/**
 * Reads an object; what is missing, null or of a wrong type gets its type's
 * zero value, as in Go.
 *
 * @throws {Refusal} The first problem, unless `reporter` takes them.
 */
export function decode<F extends Fields>(
  from: unknown,
  fields: F,
  place: string,
  reporter: Reporter = REFUSE,
): Decoded<F> {
  if (!isObject(from)) reporter.misfit(place, "object", from);
  const given = isObject(from) ? from : {};
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(fields, key)) reporter.unknownKey(place, key, fields);
  }
  const decoded = Object.entries(fields).map(([name, type]) => [
    name,
    decodeField(given[name], type, place, name, reporter),
  ]);
  return Object.fromEntries(decoded);
}

function decodeField(
  value: unknown,
  type: Fields[string],
  parent: string,
  name: string,
  reporter: Reporter,
): unknown {
  const place = reporter.placeOf(parent, name);
  if (type instanceof Rule) {
    if (!type.holds(value)) {
      const problem = type.problem(name, value);
      reporter.misfit(type.of === "field" ? place : parent, problem, value);
    }
    return IS_TYPE[type.type](value) ? value : zeroOf(type.type);
  }
  const isMissing = value === undefined || value === null;
  if (typeof type === "string") {
    if (IS_TYPE[type](value)) return value;
    if (!isMissing) reporter.misfit(place, type, value);
    return zeroOf(type);
  }
  if (type instanceof MapOf) {
    if (!isObject(value ?? {})) reporter.misfit(place, "object", value);
    const entries = Object.entries(objectOf(value) ?? {}).map(([key, item]) => {
      const place = reporter.placeOf(parent, name, { name: key });
      const isNamed = type.name?.holds(key) ?? true;
      if (!isNamed) reporter.misfit(place, type.name!.problem(name, key), key);
      return [key, decode(item, type.fields, place, reporter)];
    });
    return Object.fromEntries(entries);
  }
  if (!(type instanceof Array)) {
    return decode(value ?? {}, type, place, reporter);
  }
  const isList = Array.isArray(value);
  if (!isList && !isMissing) reporter.misfit(place, "list", value);
  return (isList ? value : []).map((item) =>
    decode(item, type[0], reporter.placeOf(parent, name, item), reporter)
  );
}

const IS_TYPE: Readonly<Record<GoType, (value: unknown) => boolean>> = {
  bool: (value) => typeof value === "boolean",
  int64: Number.isInteger,
  float64: (value) => typeof value === "number",
  string: isText,
  "[]string": (value) => Array.isArray(value) && value.every(isText),
  "map[string]string": (value) =>
    isObject(value) && Object.values(value).every(isText),
  "map[string]interface {}": isObject,
};

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function zeroOf(type: GoType): unknown {
  if (type === "bool") return false;
  if (type === "string") return "";
  if (type === "[]string") return [];
  return type.startsWith("map") ? {} : 0;
}
