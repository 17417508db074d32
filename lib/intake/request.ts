/**
 * From a request to what it asks for.
 *
 * @module
 */
import { checkBodyType, parseBody, readBody, Refusal } from "./body.ts";
import { type Delivery, DeliveryError, type Ignored } from "./delivery.ts";
import { type IntakeConfig, type Source, SOURCES } from "./sources.ts";

/** Finds the webhook that a request is for. @throws {Refusal} 404 or 405. */
export function findSource(path: string, method: string): Source {
  const source = Object.hasOwn(SOURCES, path) ? SOURCES[path] : undefined;
  if (source === undefined) {
    const paths = Object.keys(SOURCES).join(", ");
    throw new Refusal(404, `No such path; webhooks are POST ${paths}`);
  }
  if (method !== "POST") {
    throw new Refusal(405, `${path} takes POST only`, { Allow: "POST" });
  }
  return source;
}

/**
 * Reads a delivery. Nothing is parsed before its sender is known.
 *
 * @throws {Refusal} With the status that makes a sender come again only where
 * that may help.
 */
export async function readDelivery(
  { headers, body }: Request,
  source: Source,
  settings: IntakeConfig,
): Promise<Delivery | Ignored> {
  source.admit(headers, settings);
  checkBodyType(headers, source.lax);
  const bytes = await readBody(body);
  source.admitBody?.(bytes, headers, settings);
  try {
    return await source.read(parseBody(bytes), settings);
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    throw new Refusal(400, `Cannot use the webhook's body: ${error.message}`);
  }
}
