/**
 * What the parts of the stand-in share: refusals, faults and plain values.
 *
 * @module
 */
import { isObject, type JsonObject } from "../../lib/base/json.ts";
import { createHash } from "node:crypto";
import type { Bus } from "../../lib/platform/bus.ts";
import type { JobRequest } from "../../lib/platform/gen/cap_pb.ts";
import type { Store } from "../../lib/platform/store.ts";

/** What every part needs from its surroundings. */
export interface Base {
  readonly bus: Bus;
  readonly store: Store;
  readonly natsUrl: string;
  readonly faults: Faults;
  /** Otherwise it is the platform of January 2026. */
  readonly isCordum1: boolean;
  /** What it calls itself. */
  readonly version: string;
  /** What is still to happen, unless Redis loses its data first. */
  readonly timers: Timers;
  /** Milliseconds since the epoch. */
  clock(): number;
  /** The value of a Redis key. */
  read(key: string): Promise<string | undefined>;
  /** Stores a value as JSON; a failure is only logged. */
  write(key: string, value: unknown): Promise<void>;
}

/** An answer other than the one asked for: a status and a line of text. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Record<string, string> = {},
    /** Shown by Cordum 1.0 alone. */
    readonly code?: string,
  ) {
    super(message);
  }
}

/** @throws {Refusal} 400, unless `holds`. */
export function need(holds: boolean, problem: string): asserts holds {
  if (!holds) throw new Refusal(400, problem);
}

/** @throws {Refusal} 404, if there is none. */
export function found<T>(value: T | undefined, problem: string): T {
  if (value === undefined) throw new Refusal(404, problem);
  return value;
}

type DispatchFault = "drop" | "twice" | { lateMs: number };

/** What can go wrong with a request; if the reply is lost, the work is done. */
type RouteFault = { status: number; body?: string } | "hang" | "lose reply";

/** What can be made to go wrong, before or while devcore runs. */
export interface Faults {
  onDispatch?: DispatchFault | ((job: JobRequest) => DispatchFault | undefined);
  onRoute?: (method: string, path: string) => RouteFault | undefined;
  /** How many new idempotency keys are taken without a run. */
  burnKeys?: number;
  /** The policy in force stays as it is. */
  freezePolicy?: boolean;
  /** How many approvals bounce; on coretexOS 0.6 all do. */
  bounceApprovals?: number;
}

/** Whether a counted fault strikes now. */
export function strikes(
  faults: Faults,
  name: "bounceApprovals" | "burnKeys",
): boolean {
  const left = faults[name] ?? 0;
  if (left > 0) faults[name] = left - 1;
  return left > 0;
}

/** Timers that go by a clock and end together. */
export class Timers {
  readonly #clock: () => number;
  readonly #pollMs: number;
  readonly #running = new Set<ReturnType<typeof setTimeout>>();

  /** @param pollMs How often to look at a clock that may leap. */
  constructor(clock: () => number, pollMs: number) {
    this.#clock = clock;
    this.#pollMs = pollMs;
  }

  after(ms: number, run: () => void): void {
    const at = this.#clock() + ms;
    const wait = (ms: number) => {
      const timer = setTimeout(() => {
        this.#running.delete(timer);
        const leftMs = at - this.#clock();
        if (leftMs > 0) wait(leftMs);
        else run();
      }, Math.min(ms, this.#pollMs));
      this.#running.add(timer);
    };
    wait(ms);
  }

  stop(): void {
    for (const timer of this.#running) clearTimeout(timer);
    this.#running.clear();
  }
}

/** Reads what a pointer leads to; `undefined` if it is not one to Redis. */
export async function readPointer(
  { read }: Pick<Base, "read">,
  pointer: string,
): Promise<string | undefined> {
  const key = /^redis:\/\/(.*)$/s.exec(pointer)?.[1];
  return key === undefined ? undefined : await read(key);
}

/** Parses JSON; `undefined` for anything else. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

export function isoSeconds(ms: number): string {
  return iso(ms).replace(/\.\d+Z$/, "Z");
}

/** Leaves out what Go does: empty strings, zeros, empty lists and maps. */
export function filled(fields: JsonObject): JsonObject {
  const isEmpty = (value: unknown) =>
    value === undefined || value === null || value === "" || value === 0 ||
    typeof value === "object" && Object.keys(value).length === 0;
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => !isEmpty(value)),
  );
}

/** A list as Go shows it: an empty one is null. */
export function listOrNull<T>(items: readonly T[] = []): readonly T[] | null {
  return items.length === 0 ? null : items;
}

/** In hex. */
export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** JSON with sorted keys. */
export function canonical(value: unknown): string {
  return JSON.stringify(
    value,
    (_, part) => isObject(part) ? sorted(part) : part,
  );
}

/** The entries of a map in the order of their keys. */
export function sorted<T>(map: Readonly<Record<string, T>>): Record<string, T> {
  const entries = Object.entries(map).toSorted(([a], [b]) => byBytes(a, b));
  return Object.fromEntries(entries);
}

/** Orders strings as the platform does, regardless of language. */
export function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
