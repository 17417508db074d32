/**
 * Runs a worker that serves HTTP: everything beside its own work.
 *
 * @module
 */
import type { Address, Config, Setting, Settings } from "./config.ts";
import { aborted } from "./deadline.ts";
import { healthAddress, openHealth, type Report } from "./health.ts";
import type { Level, Log } from "./log.ts";
import { type Environment, LOG_LEVEL, runProcess, start } from "./process.ts";
import { type HttpLimits, openServer } from "./server.ts";

/** The settings that every HTTP worker has. */
export type ServerSettings = {
  /** Where the worker takes requests. */
  readonly address: Setting<Address>;
  /** `HEALTH_ADDR`. */
  readonly healthAddress: Setting<Address | undefined>;
  /** `LOG_LEVEL`; every line is logged if absent. */
  readonly logLevel?: Setting<Level>;
};

/** The settings of an HTTP worker such as `ingester`. */
export function serverSettings(
  worker: string,
  address: Setting<Address>,
): Required<ServerSettings> {
  return { address, healthAddress: healthAddress(worker), logLevel: LOG_LEVEL };
}

/** The work of an HTTP worker. */
export interface HttpService extends Partial<Disposable & AsyncDisposable> {
  /**
   * Answers one request. Its exceptions become a 500 without their text. Its
   * signal aborts at shutdown, and when the client goes away.
   */
  handle(request: Request, signal: AbortSignal): Promise<Response>;
  /** Tells `/readyz` whether the worker can do its work. */
  report(): Promise<Report>;
}

/** Describes an HTTP worker. */
export interface HttpOptions<S extends Settings & ServerSettings> {
  /** Appears in every log line. */
  name: string;
  /** Everything that the worker reads from its environment. */
  settings: S;
  /** Opens the service, once for the process. */
  open: (settings: Config<S>, log: Log) => HttpService;
  /** Override the default limits. */
  limits?: Partial<HttpLimits>;
  /** Limits that the settings choose. */
  limitsOf?: (settings: Config<S>) => Partial<HttpLimits>;
}

/** An HTTP worker's surroundings; tests bring their own. */
export interface HttpEnvironment extends Environment {
  /** Called with the address once the worker listens. */
  onListen?: (url: string) => void;
  /** Tighter limits, for tests that wait for them. */
  limits?: Partial<HttpLimits>;
}

/** Serves until SIGINT or SIGTERM, then exits the process. */
export function serveHttp<S extends Settings & ServerSettings>(
  options: HttpOptions<S>,
): Promise<never> {
  return runProcess(
    options.name,
    (environment) => serveRequests(options, environment),
  );
}

/**
 * Serves until `signal` aborts.
 *
 * @throws {ConfigError} If the environment is wrong.
 * @throws If the worker cannot listen on an address.
 */
export async function serveRequests<S extends Settings & ServerSettings>(
  { name, settings, open, limits, limitsOf }: HttpOptions<S>,
  environment: HttpEnvironment,
): Promise<void> {
  const { signal, onListen, limits: others } = environment;
  const { config, log } = start(settings, environment, () => name);
  const { address, healthAddress } = config as Config<ServerSettings>;
  const service = open(config, log);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => service[Symbol.dispose]?.());
  stack.defer(() => service[Symbol.asyncDispose]?.());
  await using health = await openHealth({
    address: healthAddress,
    log,
    report: () => service.report(),
  });
  await using server = await openServer({
    address,
    log,
    signal,
    limits: { ...limits, ...limitsOf?.(config), ...others },
    handle: (request, signal) => service.handle(request, signal),
  });
  log.info("Worker ready", { url: server.url });
  onListen?.(server.url);
  await aborted(signal);
  health?.stopping();
  log.info("Worker stopping", { requests_held: server.requestsHeld });
  await server.close();
  log.info("Worker stopped");
}
