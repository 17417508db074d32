/**
 * The stand-in's config documents, all of scope `system`.
 *
 * @module
 */
import { isObject, type JsonObject } from "../../lib/base/json.ts";
import { iso } from "./common.ts";

interface ConfigDocument {
  data: JsonObject;
  revision: number;
}

/** The document `default` is the one that every job gets. */
export class ConfigDocuments {
  readonly #clock: () => number;
  readonly #documents = new Map<string, ConfigDocument>();

  constructor(clock: () => number, initial: JsonObject) {
    this.#clock = clock;
    Object.keys(initial).forEach((key) => this.patch(key, initial[key]));
  }

  get(scopeId: string): ConfigDocument | undefined {
    return this.#documents.get(scopeId);
  }

  /** The map under a key of a document; empty if there is none. */
  read(scopeId: string, key: string): JsonObject {
    return (this.get(scopeId)?.data[key] ?? {}) as JsonObject;
  }

  /** Patches what the document `default` holds under a key. */
  patch(key: string, patch: unknown): void {
    const value = mergePatch(this.read("default", key), patch);
    this.#write("default", key, value);
  }

  /** Sets one entry of the map under a key, or deletes it. */
  setEntry(scopeId: string, key: string, id: string, entry?: unknown): void {
    const { [id]: _, ...others } = this.read(scopeId, key);
    const entries = entry === undefined ? others : { ...others, [id]: entry };
    this.#write(scopeId, key, entries);
  }

  #write(scopeId: string, key: string, value: unknown): void {
    const { data = {}, revision = 0 } = this.get(scopeId) ?? {};
    const document = {
      scope: "system",
      scope_id: scopeId,
      data: { ...data, [key]: value },
      revision: revision + 1,
      updated_at: iso(this.#clock()),
    };
    this.#documents.set(scopeId, document);
  }
}

/** RFC 7396: null deletes, maps merge, anything else replaces. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: JsonObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}
