/**
 * Starts real Prometheus and Alertmanager, as Debian names them, where they are
 * installed.
 *
 * @module
 */
import { deadline } from "../../lib/base/deadline.ts";
import { wait } from "../../lib/base/time.ts";
import { type RealServer, startReal } from "./real_server.ts";

const READY_MS = 20_000;
const POLL_MS = 50;

/**
 * Starts Alertmanager on a free loopback port, without gossip and with data of
 * its own.
 *
 * @param config The text of its alertmanager.yml.
 * @param folder Created for it instead of a temporary one.
 * @returns The server, accepting connections; undefined if not on the PATH.
 * @throws {Error} If it ends or stays silent instead; with what it printed.
 */
export function startRealAlertmanager(
  config: string,
  folder?: string,
): Promise<RealServer | undefined> {
  return startReal("prometheus-alertmanager", (port) => ({
    url: `http://127.0.0.1:${port}`,
    args: [
      "--config.file=alertmanager.yml",
      "--storage.path=data",
      `--web.listen-address=127.0.0.1:${port}`,
      "--cluster.listen-address=",
    ],
    files: { "alertmanager.yml": config },
  }), folder);
}

/** What a Prometheus is made of. */
export interface PrometheusFiles {
  /** The text of its prometheus.yml, which may name rules.yml. */
  config: string;
  rules?: string;
  /** The text of its web.yml, which may name users. */
  web?: string;
  /** What it knows from before it started, as OpenMetrics. */
  history?: string;
  /** Where it says that it is; nobody there is to be called. */
  externalUrl?: string;
}

/** How a Prometheus is started. */
export interface PrometheusOptions {
  /** Created for it instead of a temporary one. */
  folder?: string;
  /** For a Prometheus that lets nobody in without. */
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/**
 * Starts Prometheus on a free loopback port. `promtool` makes blocks of its
 * history first.
 *
 * @returns The server, answering queries; undefined if one of both is not on the
 * PATH.
 * @throws {Error} If it ends or stays silent instead; with what it printed.
 */
export async function startRealPrometheus(
  { config, rules, web, history, externalUrl }: PrometheusFiles,
  { folder, headers = {}, signal }: PrometheusOptions = {},
): Promise<RealServer | undefined> {
  const server = await startReal("prometheus", (port) => ({
    url: `http://127.0.0.1:${port}`,
    args: [
      "--config.file=prometheus.yml",
      "--storage.tsdb.path=data",
      "--storage.tsdb.retention.time=90d",
      `--web.listen-address=127.0.0.1:${port}`,
      "--web.route-prefix=/",
      `--web.external-url=${externalUrl ?? `http://127.0.0.1:${port}`}`,
      "--rules.alert.resend-delay=1s",
      ...web === undefined ? [] : ["--web.config.file=web.yml"],
    ],
    files: {
      "prometheus.yml": config,
      ...rules === undefined ? {} : { "rules.yml": rules },
      ...web === undefined ? {} : { "web.yml": web },
    },
    ...history === undefined
      ? {}
      : { prepare: (folder: string) => fillBlocks(folder, history) },
  }), folder);
  if (server === undefined) return undefined;
  try {
    await untilReady(server, { headers, ...signal && { signal } });
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

async function fillBlocks(folder: string, history: string): Promise<void> {
  await Deno.writeTextFile(`${folder}/history.om`, history);
  const { success, stdout, stderr } = await new Deno.Command("promtool", {
    args: [
      ...["tsdb", "create-blocks-from", "openmetrics"],
      ...["history.om", "data"],
    ],
    cwd: folder,
    stdin: "null",
  }).output();
  if (success) return;
  const said = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  throw new Error(`Cannot fill Prometheus: ${said.join("").slice(-1000)}`);
}

/** It takes connections before it can answer queries. */
async function untilReady(
  server: RealServer,
  { headers, signal }: {
    headers: Record<string, string>;
    signal?: AbortSignal;
  },
): Promise<void> {
  using end = deadline(READY_MS, signal);
  while (true) {
    const response = await fetch(`${server.url}/-/ready`, {
      headers,
      signal: end.signal,
    });
    await response.body?.cancel();
    if (response.ok) return;
    if (response.status !== 503) {
      throw new Error(
        `Prometheus answers ${response.status}: ${server.output}`,
      );
    }
    await wait(POLL_MS, end.signal);
  }
}
