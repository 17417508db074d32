/**
 * The webhooks that are taken: where, from whom, and what they mean.
 *
 * @module
 */
import type { Config } from "../base/config.ts";
import { readAlertmanagerDelivery } from "./alertmanager.ts";
import { Refusal } from "./body.ts";
import type { Delivery, Ignored } from "./delivery.ts";
import { readMockDelivery } from "./mock.ts";
import { readPagerDutyDelivery } from "./pagerduty.ts";
import type { IntakeSettings } from "./settings.ts";
import { verifyBearer, verifySignature } from "./signature.ts";

/** The ingester's configuration, as far as senders are concerned. */
export type IntakeConfig = Config<IntakeSettings>;

/** One webhook. */
export interface Source {
  /** Whether its body may call itself something else than JSON. */
  lax: boolean;
  /** What an operator should know: that it takes nothing, or from anybody. */
  notes(settings: IntakeConfig): readonly string[];
  /** Lets a request in by its headers alone. @throws {Refusal} */
  admit(headers: Headers, settings: IntakeConfig): void;
  /** Lets a body in, before it is parsed, if the headers do not suffice. @throws {Refusal} */
  admitBody?(bytes: Uint8Array, headers: Headers, settings: IntakeConfig): void;
  /** Says what it asks for. @throws {DeliveryError} If that will never be known. */
  read(
    body: unknown,
    settings: IntakeConfig,
  ): Delivery | Ignored | Promise<Delivery | Ignored>;
}

const RETRY_AFTER_S = "60";

/** Every webhook by its path. */
export const SOURCES: Readonly<Record<string, Source>> = {
  "/webhook/pagerduty": {
    lax: false,
    notes: ({ pagerdutySecrets }) =>
      closed(
        "/webhook/pagerduty",
        "PAGERDUTY_WEBHOOK_SECRETS",
        pagerdutySecrets,
      ),
    admit: (_, { pagerdutySecrets }) =>
      refuseClosed("PAGERDUTY_WEBHOOK_SECRETS", pagerdutySecrets),
    admitBody(bytes, headers, { pagerdutySecrets }) {
      const header = headers.get("x-pagerduty-signature");
      if (verifySignature(bytes, header, pagerdutySecrets)) return;
      throw new Refusal(
        401,
        "X-PagerDuty-Signature is not one of the body by a secret that is known here",
      );
    },
    read: (body, { events }) => readPagerDutyDelivery(body, events),
  },
  "/webhook/alertmanager": {
    lax: false,
    notes: ({ alertmanagerTokens }) =>
      closed(
        "/webhook/alertmanager",
        "ALERTMANAGER_WEBHOOK_TOKENS",
        alertmanagerTokens,
      ),
    admit(headers, { alertmanagerTokens }) {
      refuseClosed("ALERTMANAGER_WEBHOOK_TOKENS", alertmanagerTokens);
      requireBearer(headers, alertmanagerTokens);
    },
    read: (body) => readAlertmanagerDelivery(body),
  },
  "/webhook/mock": {
    lax: true,
    notes: ({ mockTokens, mockOpen, trustDestination }) => [
      ...mockOpen
        ? ["/webhook/mock is open to everybody: INGEST_MOCK_OPEN is set"]
        : closed("/webhook/mock", "MOCK_WEBHOOK_TOKENS", mockTokens),
      ...trustDestination
        ? [
          "Senders to /webhook/mock choose where posts go: INGEST_TRUST_DESTINATION is set",
        ]
        : [],
    ],
    admit(headers, { mockTokens, mockOpen }) {
      if (mockOpen) return;
      refuseClosed("MOCK_WEBHOOK_TOKENS", mockTokens);
      requireBearer(headers, mockTokens);
    },
    read: (body, { trustDestination }) =>
      readMockDelivery(body, trustDestination),
  },
};

function closed(
  path: string,
  variable: string,
  secrets: readonly string[],
): readonly string[] {
  return secrets.length > 0
    ? []
    : [`${path} is closed: ${variable} is not set`];
}

/** Never open for want of a secret; the sender comes again later. */
function refuseClosed(variable: string, secrets: readonly string[]): void {
  if (secrets.length > 0) return;
  throw new Refusal(503, `This webhook is closed: ${variable} is not set`, {
    "Retry-After": RETRY_AFTER_S,
  });
}

function requireBearer(headers: Headers, tokens: readonly string[]): void {
  if (verifyBearer(headers.get("authorization"), tokens)) return;
  throw new Refusal(401, "Authorization must be Bearer with a known token", {
    "WWW-Authenticate": "Bearer",
  });
}
