/**
 * The parts of the compose file that follow from the workers' settings.
 *
 * @module
 */
import type { WorkerName, WORKERS } from "../permissions.ts";
import {
  CONTAINER_FOLDER,
  secretEnvironment,
  secretsOf,
  secretValues,
} from "./secrets.ts";

/** Empties every variable that could hold a secret, for every service. */
export function renderNoSecrets(): string[] {
  return [
    "x-no-secrets: &no-secrets",
    ...secretValues().map((name) => `  ${name}: ""`),
  ];
}

/** The variables that name a service's secrets. */
export function renderSecretVariables(worker: WorkerName): string[] {
  return Object.entries(secretEnvironment(worker, CONTAINER_FOLDER))
    .map(([name, path]) => `${name}: ${path}`);
}

/** A service's secrets. */
export function renderServiceSecrets(worker: WorkerName): string[] {
  return secretsOf(worker).flatMap(({ name }) => [
    `- source: ${worker}_${name}`,
    `  target: ${name}`,
  ]);
}

/** The files of every service's secrets. */
export function renderSecretFiles(workers: typeof WORKERS): string[] {
  return workers.flatMap((worker) =>
    secretsOf(worker).flatMap(({ name }) => [
      `${worker}_${name}:`,
      `  file: ./secrets/${worker}/${name}`,
    ])
  );
}
