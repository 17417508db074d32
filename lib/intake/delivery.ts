/**
 * Reads a delivery from a request.
 *
 * @module
 */
import {
  type Delivery,
  DeliveryError,
  type Ignored,
} from "../sources/source.ts";
import { ignoreOld } from "./age.ts";
import { checkBodyType, parseBody, readBody } from "./body.ts";
import type { Place } from "./places.ts";
import { Refusal } from "./refusal.ts";
import type { IntakeConfig } from "./settings.ts";
import { admit, type TakenWebhook, WEBHOOKS } from "./webhooks.ts";

/** The request target as it was sent, with its query. */
export function targetOf({ url }: Request): string {
  return url.slice(new URL(url).origin.length);
}

/**
 * Finds a request's webhook.
 *
 * @param path The whole request target: no webhook takes a query.
 * @throws {Refusal} 404 or 405.
 */
export function findWebhook(path: string, method: string): TakenWebhook {
  const webhook = WEBHOOKS.get(path);
  if (webhook === undefined) {
    const paths = [...WEBHOOKS.keys()].join(", ");
    throw new Refusal(404, `No such path; webhooks are POST ${paths}`);
  }
  if (method !== "POST") {
    throw new Refusal(405, `${path} takes POST only`, { Allow: "POST" });
  }
  return webhook;
}

/**
 * Reads a delivery of a sender whose headers were admitted. Parses nothing
 * before the sender has proved its identity.
 *
 * @param options `nowMs` is in milliseconds since the epoch.
 * @throws {Refusal} Its status makes a sender come back only if that may help.
 */
export async function readDelivery(
  { headers, body }: Request,
  webhook: TakenWebhook,
  config: IntakeConfig,
  { place, nowMs }: { place: Place; nowMs: number },
): Promise<Delivery | Ignored> {
  checkBodyType(headers, webhook.lax);
  const bytes = await place.keepFor(readBody(body));
  admit(webhook, { headers, body: bytes }, config);
  const delivery = await readAdmitted(bytes, webhook, config);
  return webhook.signsTime && "key" in delivery
    ? ignoreOld(delivery, config.maxAgeS, nowMs)
    : delivery;
}

/**
 * Reads a delivery whose sender needs no more proof.
 *
 * @throws {Refusal} 400.
 */
export async function readAdmitted(
  bytes: Uint8Array,
  webhook: TakenWebhook,
  config: IntakeConfig,
): Promise<Delivery | Ignored> {
  try {
    return await webhook.read(parseBody(bytes), config);
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    throw new Refusal(400, `Cannot use the webhook's body: ${error.message}`);
  }
}
