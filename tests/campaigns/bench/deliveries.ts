/**
 * PagerDuty deliveries, signed and ready to send.
 *
 * @module
 */
import { createHmac } from "node:crypto";

export interface Delivery {
  /** The idempotency key that its run must have. */
  key: string;
  /** The whole HTTP request. */
  request: Uint8Array<ArrayBuffer>;
}

/** The event's id, to which digits are added. */
const ID = "01BENCH";
const DIGITS = 9;
const SAMPLE = new URL(
  "../../../deploy/samples/sample_pagerduty.json",
  import.meta.url,
);

/** Makes signed deliveries, each with an event id of its own. */
export async function makeDeliveries(
  count: number,
  secret: string,
): Promise<Delivery[]> {
  const { event } = JSON.parse(await Deno.readTextFile(SAMPLE));
  const body = JSON.stringify({ event: { ...event, id: ID } });
  const [before = "", after = ""] = body.split(ID);
  const encoder = new TextEncoder();
  return Array.from({ length: count }, (_, at) => {
    const id = ID + String(at).padStart(DIGITS, "0");
    const text = before + id + after;
    const signature = createHmac("sha256", secret).update(text).digest("hex");
    const head = [
      "POST /webhook/pagerduty HTTP/1.1",
      "Host: ingester.example.com",
      "User-Agent: PagerDuty-Webhook/V3.0",
      "Accept: */*",
      "Content-Type: application/json",
      `Content-Length: ${encoder.encode(text).length}`,
      `X-PagerDuty-Signature: v1=${signature}`,
      "X-Webhook-Id: 7f2a1bd6-9c5a-4a0e-9d3e-5f6f2e1c0d11",
      "X-Webhook-Subscription: PSUB1",
    ];
    return {
      key: `incident-enricher:pagerduty:${id}`,
      request: encoder.encode(`${head.join("\r\n")}\r\n\r\n${text}`),
    };
  });
}
