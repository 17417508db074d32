/**
 * Where a poster posts to, as it tells approvers: ids and hosts, never a URL.
 *
 * @module
 */
import type { Config } from "../base/config.ts";
import { JobError } from "../base/errors.ts";
import { objectOf, parseJson, stringOf } from "../base/json.ts";
import { type Destination, readDestination } from "./destination.ts";
import { isKeyId } from "./keys.ts";
import type { PostSettings } from "./settings.ts";

export type Mode = Destination["kind"];

/** One poster's destinations. */
export interface Published {
  workerId: string;
  /** By the mode that an incident asks for. */
  modes: Partial<Record<Mode, { id: string; host: string }>>;
  /** Whether incidents may bring their own webhook. */
  takesInputUrl: boolean;
  /** The ids of the keys that may sign approvals; without any, none need to. */
  keys: readonly string[];
}

/** Each poster writes under this and its worker id. */
export const DESTINATION_PREFIX = "incident-enricher:destination:";
/** What a poster writes is shorter. */
export const PUBLISHED_BYTES_MAX = 4_096;

const VERSION = 1;
const MODES = ["artifact", "slack"] as const;
const ID: Readonly<Record<Mode, RegExp>> = {
  artifact: /^artifact$/,
  slack: /^slack:[0-9a-f]{16}$/,
};
const HOST_PATTERN = /^[a-z0-9.-]{1,253}(?::\d{1,5})?$/;

/** What a poster publishes, as a key of Redis and its value. */
export async function publish(
  workerId: string,
  settings: Config<PostSettings>,
): Promise<{ key: string; value: string }> {
  const found = await Promise.all(MODES.map(async (mode) => {
    const destination = await findDestination(mode, settings);
    if (destination === undefined) return [];
    const { id, host } = destination;
    return [[mode, { id, host }] as const];
  }));
  const value = JSON.stringify({
    v: VERSION,
    worker_id: workerId,
    modes: Object.fromEntries(found.flat()),
    input_url: settings.allowInputUrl,
    keys: settings.approvalKeys.map(({ id }) => id),
  });
  return { key: DESTINATION_PREFIX + workerId, value };
}

/** @returns `undefined` if the settings allow no such posts. */
async function findDestination(
  mode: Mode,
  settings: Config<PostSettings>,
): Promise<Destination | undefined> {
  try {
    return await readDestination({ mode }, {
      ...settings,
      policyHosts: undefined, // Each job brings policy's own.
    });
  } catch (error) {
    if (error instanceof JobError) return undefined;
    throw error;
  }
}

/** Reads what a poster published. @returns `undefined` if it is unreadable. */
export function readPublished(text: string): Published | undefined {
  const read = objectOf(parseJson(text));
  const modes = objectOf(read?.["modes"]);
  const workerId = stringOf(read?.["worker_id"]);
  if (read?.["v"] !== VERSION || modes === undefined || workerId === "") {
    return undefined;
  }
  const known = MODES.flatMap((mode) => {
    const { id, host } = objectOf(modes[mode]) ?? {};
    const fits = ID[mode].test(stringOf(id)) &&
      HOST_PATTERN.test(stringOf(host));
    return fits ? [[mode, { id, host }] as const] : [];
  });
  return {
    workerId,
    modes: Object.fromEntries(known) as Published["modes"],
    takesInputUrl: read["input_url"] === true,
    keys: [read["keys"]].flat().map(stringOf).filter(isKeyId),
  };
}
