/**
 * What every worker reads from its environment to reach the platform.
 *
 * @module
 */
import {
  alsoNamed,
  type Config,
  integer,
  optionalSecret,
  secret,
  type Setting,
  text,
  url,
} from "../config.ts";

/** The settings of {@linkcode platformSettings}. */
export type PlatformSettings = {
  /** `NATS_URL`. */
  readonly natsUrl: Setting<string>;
  /** `REDIS_URL` or `REDIS_ADDR`. */
  readonly redisUrl: Setting<string>;
  /** `CORETEX_GATEWAY_URL`. */
  readonly gatewayUrl: Setting<string>;
  /** `CORETEX_API_KEY`. */
  readonly apiKey: Setting<string>;
  /** `WORKER_ID`. */
  readonly workerId: Setting<string>;
  /** `WORKER_POOL`. */
  readonly workerPool: Setting<string>;
  /** `WORKER_MAX_PARALLEL`. */
  readonly maxParallel: Setting<number>;
  /** `WORKER_TOKEN`. */
  readonly workerToken: Setting<string | undefined>;
};

/** The values of {@linkcode PlatformSettings}. */
export type PlatformConfig = Config<PlatformSettings>;

/** `CORETEX_GATEWAY_URL`, as every process needs it. */
export const GATEWAY_URL: Setting<string> = url("CORETEX_GATEWAY_URL", {
  about: "HTTP address of the platform's gateway",
});

/** `CORETEX_API_KEY`, as every process needs it. */
export const API_KEY: Setting<string> = secret("CORETEX_API_KEY", {
  about: "the gateway's API key",
});

/** `REDIS_URL`, or `REDIS_ADDR` as host:port. */
export const REDIS_URL: Setting<string> = alsoNamed(
  url("REDIS_URL", {
    about: "the platform's Redis",
    fallback: "redis://127.0.0.1:6379",
  }),
  "REDIS_ADDR",
  (address) => `redis://${address}`,
);

/**
 * Declares the platform settings of one worker.
 *
 * @param id The worker's default id. Ids are stable: Cordum 1.0 counts every
 * new one against its licence until the old one has been silent for 30 s.
 * @param pool The pool that the pack's overlay maps the worker's topic to.
 */
export function platformSettings(id: string, pool: string): PlatformSettings {
  return {
    natsUrl: url("NATS_URL", {
      about: "the platform's message bus",
      fallback: "nats://127.0.0.1:4222",
    }),
    redisUrl: REDIS_URL,
    gatewayUrl: GATEWAY_URL,
    apiKey: API_KEY,
    workerId: text("WORKER_ID", {
      about: "name of this process on the bus, one live process each",
      fallback: id,
      // It becomes one token of a NATS subject.
      pattern: /^[^\s.*>]{1,100}$/,
      expected: "1 to 100 characters without blank, dot, * and >",
    }),
    workerPool: text("WORKER_POOL", {
      about: "scheduler pool that this worker joins",
      fallback: pool,
      pattern: /^\S{1,200}$/,
      expected: "a pool name without blanks",
    }),
    maxParallel: integer("WORKER_MAX_PARALLEL", {
      about: "jobs done at the same time; the scheduler stops at 90 % of it",
      fallback: 16,
      min: 2,
      max: 1000,
    }),
    workerToken: optionalSecret("WORKER_TOKEN", {
      about: "credential, where the platform attests its workers",
    }),
  };
}
