/**
 * The text of deploy/env.example, written from the workers' settings.
 *
 * @module
 */
import { type Setting, variablesOf } from "../../../lib/base/config.ts";
import { WORKER_SETTINGS, type WorkerName, WORKERS } from "../permissions.ts";

/** Variables that the example sets; all others are commented out. */
const VALUES: Readonly<Record<string, string>> = {
  CORETEX_GATEWAY_URL: "http://gateway:8081",
  CORETEX_API_KEY: "devkey",
  NATS_URL: "nats://nats:4222",
  REDIS_ADDR: "redis:6379",
  WORKER_POOL: "",
  SLACK_WEBHOOK_URL: "",
  INGESTER_ADDR: "0.0.0.0:8088",
  DESK_ADDR: "0.0.0.0:8090",
};

/** What a setting's one line has no room for. */
const NOTES: Readonly<Record<string, string>> = {
  CORETEX_GATEWAY_URL: "8081 is the platform's HTTP port, 8080 its gRPC port",
  CORETEX_API_KEY: "replace it; containers read it from a file instead",
  WORKER_POOL: "each worker has a pool of its own",
  INGESTER_ADDR: "every address, as a container needs it",
  DESK_ADDR:
    "every address, as a container needs it; then a proxy signs people in",
  ...Object.fromEntries(WORKERS.map((worker) => [
    `${worker.toUpperCase()}_HEALTH_ADDR`,
    "HEALTH_ADDR is for a file of one worker",
  ])),
};

const HEADER = `\
# What the workers read from their environment, one file for all five. Copy it
# to deploy/.env, which git ignores, and set what differs. Written by: deno task
# flags
#
# Empty means unset. Lines that are commented out show the defaults. Secrets are
# for workers that run from source: all five could read them here, so containers,
# units and pods take each from a file (deno task secrets).
`;

/** A variable of one or more workers. */
export interface Entry {
  setting: Setting<unknown>;
  users: WorkerName[];
  /** More than one where the default depends on the worker. */
  fallbacks: Set<string>;
}

/** Every variable that a worker reads: set, or commented out with its default. */
export function renderEnvExample(): string {
  const sections = [...groupVariables()].map(([users, entries]) =>
    [`# --- ${users}`, ...entries.map(renderEntry)].join("\n\n")
  );
  return `${[HEADER.trimEnd(), ...sections].join("\n\n")}\n`;
}

/** Every variable by who reads it; what all workers read comes first. */
export function groupVariables(): Map<string, Entry[]> {
  const entries = new Map<string, Entry>();
  for (const worker of WORKERS) {
    for (const setting of Object.values(WORKER_SETTINGS[worker])) {
      const entry = entries.get(setting.name) ??
        { setting, users: [], fallbacks: new Set<string>() };
      entry.users.push(worker);
      entry.fallbacks.add(setting.fallback ?? "");
      entries.set(setting.name, entry);
    }
  }
  const sorted = [...entries.values()].toSorted((a, b) =>
    b.users.length - a.users.length
  );
  return Map.groupBy(
    sorted,
    ({ users }) =>
      users.length === WORKERS.length ? "every worker" : users.join(", "),
  );
}

function renderEntry({ setting, fallbacks }: Entry): string {
  const names = variablesOf({ setting });
  const name = names.find((name) => name in VALUES) ?? setting.name;
  const others = names.filter((other) => other !== name);
  const notes = [
    others.length === 0 ? [] : `also ${others.join(", ")}`,
    NOTES[name] ?? [],
    // Their defaults differ by worker; one value for all would be wrong.
    fallbacks.size < 2 ? [] : `by default ${[...fallbacks].join(", ")}`,
  ].flat();
  const comments = [setting.about, ...notes].map((line) => `# ${line}`);
  const [fallback = ""] = fallbacks.size === 1 ? fallbacks : [];
  const line = name in VALUES
    ? `${name}=${VALUES[name]}`
    : `# ${name}=${fallback}`;
  return [...comments, line].join("\n");
}
