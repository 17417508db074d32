/**
 * A worker that serves HTTP: everything that it does beside its own work.
 *
 * @module
 */
import {
  type Address,
  type Config,
  readConfig,
  secretsOf,
  type Setting,
  type Settings,
} from "./config.ts";
import { ConfigError } from "./errors.ts";
import { openHealth, type Report } from "./health.ts";
import { createLog, errorFields, type Log } from "./log.ts";
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
export interface HttpEnvironment {
  /** One variable's value. */
  env: (name: string) => string | undefined;
  /** Aborts to stop: requests in hand are answered, then it returns. */
  signal: AbortSignal;
  /** Takes log lines. */
  write?: (line: string) => void;
  /** Told the address once it listens. */
  onListen?: (url: string) => void;
  /** Tighter limits than the usual ones, for tests that wait for them. */
  limits?: Partial<HttpLimits>;
}

/**
 * Serves until SIGINT or SIGTERM, then exits the process: 0 after a stop that
 * was asked for, 1 if it cannot listen, 2 for a wrong environment.
 */
export async function serveHttp<S extends Settings & ServerSettings>(
  options: HttpOptions<S>,
): Promise<never> {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(name, () => stop.abort());
  }
  try {
    await serveRequests(options, {
      env: (name) => Deno.env.get(name),
      signal: stop.signal,
    });
  } catch (error) {
    if (error instanceof ConfigError) {
      Deno.stderr.writeSync(
        new TextEncoder().encode(`error: ${error.message}\n`),
      );
      Deno.exit(2);
    }
    createLog({ worker: options.name }).error(
      "Worker ended",
      errorFields(error),
    );
    Deno.exit(1);
  }
  Deno.exit(0);
}

/**
 * Serves until `signal` aborts.
 *
 * @throws {ConfigError} If the environment is wrong.
 * @throws If an address cannot be listened on.
 */
export async function serveRequests<S extends Settings & ServerSettings>(
  { name, settings, open, limits }: HttpOptions<S>,
  { env, signal, write, onListen, limits: others }: HttpEnvironment,
): Promise<void> {
  const config = readConfig(settings, env);
  const { address, healthAddress } = config as Config<ServerSettings>;
  const secrets = secretsOf(settings, config);
  const log = createLog({ worker: name }, { secrets, ...(write && { write }) });
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
  await new Promise<void>((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  health?.stopping();
  log.info("Worker stopping", { requests_held: server.requestsHeld });
  await server.close();
  log.info("Worker stopped");
}
