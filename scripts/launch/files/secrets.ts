/**
 * Every worker's secrets as files: one per secret, named as its variable, in a
 * folder of the worker's own. Derived from the settings, so that none is left
 * out when a setting is added.
 *
 * @module
 */
import { fileVariablesOf } from "../../../lib/base/config.ts";
import type { Environment } from "../environment.ts";
import { WORKER_SETTINGS, type WorkerName, WORKERS } from "../permissions.ts";

/** A secret that a worker reads from a file. */
export interface SecretFile {
  /** The file's name, which is the setting's: `NATS_PASSWORD`. */
  name: string;
  /** The variable that names the file: `NATS_PASSWORD_FILE`. */
  variable: string;
  /** The variables that could hold the value itself; none if only a file can. */
  values: readonly string[];
  /** Whether the worker starts without it; an empty file is as good as none. */
  required: boolean;
}

/** Where a container finds its secrets, as Docker Compose mounts them. */
export const CONTAINER_FOLDER = "/run/secrets";
/** Where a pod does: below, since some runtimes mount things of their own there. */
export const POD_FOLDER = "/run/secrets/incident-enricher";

/** Where a service does; systemd copies each credential there. */
export function serviceFolder(worker: WorkerName): string {
  return `/run/credentials/incident-enricher@${worker}.service`;
}

/** A worker's secrets, in the order of its settings. */
export function secretsOf(worker: WorkerName): SecretFile[] {
  return Object.values(WORKER_SETTINGS[worker]).filter(({ secret }) => secret)
    .map((setting) => ({
      name: setting.name,
      variable: fileVariablesOf({ setting })[0]!,
      values: setting.file ? [] : setting.names,
      required: setting.required,
    }));
}

/**
 * The variables that name a worker's secrets. Where their files are always
 * there, most of them empty, they say nothing about what is set up.
 */
export function secretVariables(worker: WorkerName): string[] {
  return secretsOf(worker).map(({ variable }) => variable);
}

/** The variables that could hold some worker's secret, each one once. */
export function secretValues(): string[] {
  const all = WORKERS.flatMap(secretsOf).flatMap(({ values }) => values);
  return [...new Set(all)];
}

/** The variables that name a worker's secrets in a folder. */
export function secretEnvironment(
  worker: WorkerName,
  folder: string,
): Environment {
  return Object.fromEntries(
    secretsOf(worker).map(({ name, variable }) => [
      variable,
      `${folder}/${name}`,
    ]),
  );
}
