/**
 * Reads a pack's files into one model, and collects what is wrong with them.
 *
 * @module
 */
import { messageOf } from "../../lib/base/errors.ts";
import { isObject, type JsonObject, objectOf } from "../../lib/base/json.ts";
import { parse } from "@std/yaml";
import {
  decode,
  type Fields,
  type Reporter,
} from "../../deploy/devcore/shape.ts";
import * as shapes from "./shapes.ts";

/** A pack as its files say; whatever they lack is empty. */
export type Pack = NonNullable<ReturnType<typeof readPack>>;

/** What an item of a list is called, if not by the list's singular. */
const ITEMS: Readonly<Record<string, string>> = {
  config: "config overlay",
  policy: "policy overlay",
  policySimulations: "simulation",
};
/** How types are worded that have no rule. */
const TYPES: Readonly<Record<string, string>> = {
  string: "must be a quoted string",
  "[]string": "must be a list of strings",
  "map[string]string": "must be a mapping of strings",
  "map[string]interface {}": "must be a mapping",
  object: "must be a mapping",
  list: "must be a list",
};

/** Collects problems, each behind the place where it is. */
export class Problems implements Reporter {
  readonly found = new Set<string>();
  readonly #items = new Set<string>();

  add(place: string, problem: string): void {
    this.found.add(`${place}: ${problem}`);
  }

  placeOf(parent: string, list: string, item?: unknown): string {
    if (item === undefined) return `${parent} ${list}`;
    const { name, id = "" } = objectOf(item) ?? {};
    const [file] = parent.split(" ", 1);
    const place = `${file} ${ITEMS[list] ?? list.slice(0, -1)} ${name ?? id}`;
    if (this.#items.has(place)) this.add(place, "is declared twice");
    this.#items.add(place);
    return place;
  }

  unknownKey(place: string, key: string, fields: Fields): void {
    const known = Object.keys(fields).join(", ");
    this.add(place, `unknown key "${key}", expected ${known}`);
  }

  misfit(place: string, expected: string): void {
    this.add(place, TYPES[expected] ?? expected);
  }
}

/** Reads a pack; `undefined` if its manifest cannot be read. */
export function readPack(
  files: ReadonlyMap<string, string>,
  problems: Problems,
) {
  const unnamed = new Set(files.keys());
  const open = (path: string): JsonObject | undefined => {
    unnamed.delete(path);
    const text = files.get(path);
    if (text === undefined) return void problems.add(path, "is missing");
    try {
      const value = path.endsWith(".json") ? JSON.parse(text) : parse(text);
      if (isObject(value)) return value;
      problems.add(path, "must be a mapping");
    } catch (error) {
      const [line] = messageOf(error).split("\n", 1);
      problems.add(path, `cannot be parsed: ${line}`);
    }
  };
  /** Reads the files that a list names, but for those that cannot be opened. */
  const read = <E extends { path: string }, F extends Fields>(
    entries: readonly E[],
    shapeOf: (entry: E) => F,
  ) =>
    entries.flatMap((entry) => {
      const { path } = entry;
      const content = open(path);
      if (content === undefined) return [];
      return { path, ...decode(content, shapeOf(entry), path, problems) };
    });

  const yaml = open("pack.yaml");
  if (yaml === undefined) return undefined;
  const id = String(objectOf(yaml["metadata"])?.["id"] ?? "");
  const shape = shapes.ofManifest(id);
  const manifest = decode(yaml, shape, "pack.yaml", problems);
  const { resources, overlays, tests } = manifest;
  const configs = Map.groupBy(overlays.config, ({ key }) => key === "pools");
  const names = manifest.topics.map(({ name }) => name);
  const ofWorkflow = ({ id }: { id: string }) => shapes.ofWorkflow(id);
  const workflows = read(resources.workflows, ofWorkflow);
  const pack = {
    id,
    files,
    topics: new Map(manifest.topics.map((topic) => [topic.name, topic])),
    simulations: tests.policySimulations,
    schemaIds: resources.schemas.map(({ id }) => id),
    schemas: [
      ...resources.schemas.map(({ path }) => ({ path, schema: open(path) })),
      ...workflows.map(({ path, input_schema: schema }) => ({ path, schema })),
    ],
    workflows,
    pools: read(configs.get(true) ?? [], () => shapes.ofPools(id)),
    timeouts: read(configs.get(false) ?? [], () => shapes.ofTimeouts(names)),
    fragments: read(overlays.policy, () => shapes.FRAGMENT),
  };
  unnamed.forEach((path) => problems.add(path, "is not named in pack.yaml"));
  return pack;
}
