/**
 * The senders of webhooks that the demo plays.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import { createHmac } from "node:crypto";

/** A sender, and the settings with which the ingester accepts it. */
export interface Sender {
  /** What it sends, for people. */
  readonly what: string;
  /** The ingester's path. */
  readonly path: string;
  /** The ingester's variables. */
  readonly env: Readonly<Record<string, string>>;
  /** Proves who sends these bytes. */
  prove(body: string): Record<string, string>;
  /** A sample of what it sends, about the incident `id`, which began `now`. */
  body(id: string, now: string): Promise<string>;
}

/** The names of the senders; the first is the default. */
export const SENDER_NAMES = ["alertmanager", "pagerduty", "mock"] as const;

/** One of {@linkcode SENDER_NAMES}. */
export type SenderName = typeof SENDER_NAMES[number];

/** Makes a sender with a fresh credential. */
export function createSender(name: SenderName): Sender {
  return SENDERS[name](crypto.randomUUID());
}

const SENDERS: Readonly<Record<SenderName, (secret: string) => Sender>> = {
  pagerduty: (secret) => ({
    what: "signed PagerDuty webhook",
    path: "/webhook/pagerduty",
    env: { PAGERDUTY_WEBHOOK_SECRETS: secret },
    prove(body) {
      const digest = createHmac("sha256", secret).update(body).digest("hex");
      return { "X-PagerDuty-Signature": `v1=${digest}` };
    },
    async body(id, now) {
      const { event } = await readSample("sample_pagerduty");
      const { data } = event as { data: JsonObject };
      const url = `https://shop.pagerduty.com/incidents/${
        encodeURIComponent(id)
      }`;
      return JSON.stringify({
        event: {
          ...event as JsonObject,
          id: `event-of-${id}`,
          occurred_at: now,
          data: { ...data, id, html_url: url, created_at: now },
        },
      });
    },
  }),
  alertmanager: (secret) => ({
    what: "Alertmanager webhook with its token",
    path: "/webhook/alertmanager",
    env: { ALERTMANAGER_WEBHOOK_TOKENS: secret },
    prove: () => ({ Authorization: `Bearer ${secret}` }),
    async body(_, now) {
      const sample = await readSample("sample_alertmanager");
      const alerts = (sample["alerts"] as JsonObject[]).filter(({ status }) =>
        status === "firing"
      );
      return JSON.stringify({
        ...sample,
        alerts: alerts.map((alert) => ({ ...alert, startsAt: now })),
      });
    },
  }),
  mock: () => ({
    what: "mock webhook",
    path: "/webhook/mock",
    env: {},
    prove: () => ({}),
    async body(id, now) {
      const sample = await readSample("sample_webhook");
      return JSON.stringify({ ...sample, id, occurred_at: now });
    },
  }),
};

async function readSample(name: string): Promise<JsonObject> {
  return JSON.parse(await Deno.readTextFile(`deploy/samples/${name}.json`));
}
