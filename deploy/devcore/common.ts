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
  /** What is to happen later, unless Redis loses its data before. */
  readonly timers: Timers;
  /** Milliseconds since the epoch. */
  clock(): number;
  /** The value of a Redis key. */
  read(key: string): Promise<string | undefined>;
  /** Stores a value as JSON; a failure is only logged. */
  write(key: string, value: unknown): Promise<void>;
}

/** What a caller asked for and does not get: a status and a line of text. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }
}

/** Refuses with status 400 unless something holds. @throws {Refusal} */
export function need(holds: boolean, problem: string): asserts holds {
  if (!holds) throw new Refusal(400, problem);
}

/** What can be made to go wrong with a dispatch. */
export type DispatchFault = "drop" | "twice" | { lateMs: number };

/** What can be made to go wrong with a request; a lost reply is work done. */
export type RouteFault =
  | { status: number; body?: string }
  | "hang"
  | "lose reply";

/** What can be made to go wrong, before or while it runs. */
export interface Faults {
  /** What happens to a dispatch. */
  onDispatch?: DispatchFault | ((job: JobRequest) => DispatchFault | undefined);
  /** What happens to a request. */
  onRoute?: (method: string, path: string) => RouteFault | undefined;
  /** So many new idempotency keys are taken without a run. */
  burnKeys?: number;
  /** The policy in force stays as it is. */
  freezePolicy?: boolean;
  /** So many approvals bounce; coretexOS 0.6 is `Infinity`. */
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

/** Timers that end together. */
export class Timers {
  readonly #running = new Set<ReturnType<typeof setTimeout>>();

  /** Calls `run` once. */
  after(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#running.delete(timer);
      run();
    }, ms);
    this.#running.add(timer);
  }

  /** Ends all that still run. */
  stop(): void {
    for (const timer of this.#running) clearTimeout(timer);
    this.#running.clear();
  }
}

/** Parses JSON; `undefined` if it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A moment as the platform writes most of them. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** A moment in whole seconds. */
export function isoSeconds(ms: number): string {
  return iso(ms).replace(/\.\d+Z$/, "Z");
}

/** Without what Go leaves out: empty strings, zeros, empty lists and maps. */
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

/** SHA-256 of a text, in hex. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** JSON with sorted keys. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part) =>
    isObject(part)
      ? Object.fromEntries(
        Object.entries(part).toSorted(([a], [b]) => byBytes(a, b)),
      )
      : part);
}

/** Orders strings as the platform does, not by a language. */
export function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
