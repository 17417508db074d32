/**
 * A worker that serves HTTP: everything that it does beside its own work.
 *
 * @module
 */
import type { Address, Config, Setting, Settings } from "./config.ts";
import { aborted } from "./deadline.ts";
import { openHealth, type Report } from "./health.ts";
import type { Log } from "./log.ts";
import { type Environment, runProcess, start } from "./process.ts";
import { type HttpLimits, openServer } from "./server.ts";

/** The settings that every HTTP worker has. */
export type ServerSettings = {
  /** Where it takes requests. */
  readonly address: Setting<Address>;
  /** `HEALTH_ADDR`. */
  readonly healthAddress: Setting<Address | undefined>;
};

/** What a worker does with its requests. */
export interface HttpService extends Partial<Disposable> {
  /**
   * Answers one request. Its exceptions become a 500 without their text; its
   * signal aborts when the client goes away and at shutdown.
   */
  handle(request: Request, signal: AbortSignal): Promise<Response>;
  /** Whether it can do its work, for `/readyz`. */
  report(): Promise<Report>;
}

/** What makes an HTTP worker. */
export interface HttpOptions<S extends Settings & ServerSettings> {
  /** Stands on every log line. */
  name: string;
  /** Everything that it reads from its environment. */
  settings: S;
  /**
   * Makes what answers, once for the process.
   *
   * @param log Names the worker in every line.
   */
  open: (settings: Config<S>, log: Log) => HttpService;
  /** Other limits than the usual ones. */
  limits?: Partial<HttpLimits>;
}

/** What an HTTP worker runs in; tests bring their own. */
export interface HttpEnvironment extends Environment {
  /** Told the address once it listens. */
  onListen?: (url: string) => void;
  /** Tighter limits than the usual ones, for tests that wait for them. */
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
 * @throws If an address cannot be listened on.
 */
export async function serveRequests<S extends Settings & ServerSettings>(
  { name, settings, open, limits }: HttpOptions<S>,
  environment: HttpEnvironment,
): Promise<void> {
  const { signal, onListen, limits: others } = environment;
  const { config, log } = start(settings, environment, () => name);
  const { address, healthAddress } = config as Config<ServerSettings>;
  const service = open(config, log);
  using stack = new DisposableStack();
  stack.defer(() => service[Symbol.dispose]?.());
  await using health = await openHealth({
    address: healthAddress,
    log,
    report: () => service.report(),
  });
  await using server = await openServer({
    address,
    log,
    signal,
    limits: { ...limits, ...others },
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
