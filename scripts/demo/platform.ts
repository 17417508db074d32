/**
 * The platform, named or devcore, and the workers on it.
 *
 * @module
 */
import { startDevcore } from "../../deploy/devcore/devcore.ts";
import type { Profile } from "../../deploy/devcore/profile.ts";
import { startSlack } from "../../deploy/standins/slack.ts";
import { readConfig } from "../../lib/base/config.ts";
import type { LinkedSignal } from "../../lib/base/deadline.ts";
import { optional } from "../../lib/base/json.ts";
import {
  PLATFORM_SETTINGS,
  readPlatformEnv,
} from "../../lib/operate/platform.ts";
import { checkBus, openStore, REACH_MS } from "../../lib/operate/reach.ts";
import type { BusEndpoint, Endpoint } from "../../lib/platform/endpoint.ts";
import {
  busEndpoint,
  GATEWAY_SETTINGS,
  storeEndpoint,
} from "../../lib/platform/settings.ts";
import { Stand, type StandOptions } from "../launch/stand.ts";
import { CommandError } from "../terminal/command.ts";
import { showProgress } from "../terminal/progress.ts";
import type { Scene, Transcript } from "./scene.ts";

/** Devcore reloads often, so that nobody waits for the platform's 30 s. */
const DEVCORE_RELOAD_MS = 400;
const RUN_MS = 120_000;
const POLL_MS = 150;

/** What the profiles of devcore stand for. */
const NAMES: Readonly<Record<Profile, string>> = {
  "cordum-2026-01": "Cordum of January 2026",
  "cordum-1.0": "Cordum 1.0",
};

export interface SceneOptions
  extends Omit<StandOptions, "platformEnv" | "slack"> {
  slack: boolean;
  profile: Profile | undefined;
}

/**
 * Opens a stand on the platform that the environment names, otherwise on devcore.
 *
 * @param stack Ends the stand and what was started for it.
 */
export async function openScene(
  { profile, ...options }: SceneOptions,
  say: Transcript,
  stack: AsyncDisposableStack,
): Promise<Scene> {
  const env = (name: string) => say.context.env(name) || undefined;
  const named = GATEWAY_SETTINGS.gatewayUrl.names.some(env);
  const address = env("REDIS_ADDR") && `redis://${env("REDIS_ADDR")}`;
  const [nats, redis] = [env("NATS_URL"), env("REDIS_URL") ?? address];
  const { signal = say.context.signal } = options;
  if (!named) {
    await checkServers({
      ...nats && { nats: { url: nats } },
      ...redis && { redis: { url: redis } },
    }, signal);
  }
  const core = named ? undefined : stack.use(
    await startDevcore({
      ...optional("profile", profile),
      reloadMs: DEVCORE_RELOAD_MS,
      ...optional("natsUrl", nats),
      ...optional("redisUrl", redis),
    }),
  );
  const platformEnv = core?.env ?? readPlatformEnv(env);
  const config = readConfig(PLATFORM_SETTINGS, (name) => platformEnv[name]);
  const { gatewayUrl, natsUrl, redisUrl } = config;
  if (named) {
    const nats = busEndpoint(config);
    await checkServers({ nats, redis: storeEndpoint(config) }, signal);
  }
  const slack = options.slack ? stack.use(await startSlack()) : undefined;
  const given = { timeoutMs: RUN_MS, pollMs: POLL_MS, ...options };
  const stand = stack.use(await Stand.open({ ...given, platformEnv, slack }));
  say.heading(
    core === undefined
      ? `Platform: ${await readVersion(stand) ?? "coretexOS 0.6 or older"}`
      : `Platform: devcore, a stand-in ${
        profile === undefined ? "" : `for ${NAMES[profile]} `
      }on this machine`,
  );
  say.line(`gateway ${gatewayUrl}`);
  say.line(`NATS ${new URL(natsUrl).host}, Redis ${new URL(redisUrl).host}`);
  return { stand, core, say, redis: storeEndpoint(config) };
}

/** Nothing below would say which of these it waits for. @throws {OutsideError} */
async function checkServers(
  { nats, redis }: { nats?: BusEndpoint; redis?: Endpoint },
  signal: AbortSignal,
): Promise<void> {
  const connect = async (redis: Endpoint) => {
    await using _ = await openStore(redis, REACH_MS, signal);
  };
  await Promise.all([
    nats && checkBus(nats, REACH_MS, signal),
    redis && connect(redis),
  ]);
}

/** The platform's version; coretexOS 0.6 tells none. */
export async function readVersion(
  { platform }: Stand,
): Promise<string | undefined> {
  const { build } = await platform.call("GET", "/status") as {
    build?: { version?: string };
  };
  return build && `version ${build.version}`;
}

/**
 * Starts the workers, until the scheduler has one for every topic.
 *
 * @param stop Is aborted when a worker ends.
 */
export async function startWorkers(
  { stand, say }: Scene,
  stop: LinkedSignal,
): Promise<void> {
  say.begin(
    "workers",
    "Workers: four processes, each with its own permissions",
  );
  if (stand.slack !== undefined) {
    say.line(`Slack      a stand-in on this machine, ${stand.slack.host}`);
  }
  await stand.startWorkers();
  for (const { name, pid, flags, ended } of stand.workers.values()) {
    const net = flags.find((flag) => flag.startsWith("--allow-net"));
    say.line(`${name.padEnd(10)}  pid ${pid}  ${net}`);
    ended.then((code) =>
      stop.abort(new CommandError(`The ${name} ended with exit code ${code}`))
    );
  }
  const onProgress = showProgress(say.context);
  await stand.untilRoutable(() =>
    onProgress("waiting for the scheduler to see the workers")
  );
  say.line("the scheduler knows a worker for every topic");
}
