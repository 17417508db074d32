/**
 * The table of webhooks, and whom they admit.
 *
 * @module
 */
import { optional } from "../base/json.ts";
import { ALERTMANAGER } from "../sources/alertmanager/webhook.ts";
import { MOCK } from "../sources/mock/webhook.ts";
import { PAGERDUTY } from "../sources/pagerduty/webhook.ts";
import type { Webhook } from "../sources/source.ts";
import { Refusal } from "./refusal.ts";
import {
  INTAKE_SETTINGS,
  type IntakeConfig,
  type IntakeSettings,
} from "./settings.ts";

/** A webhook that reads its part of {@linkcode IntakeConfig}. */
export type TakenWebhook = Omit<Webhook<IntakeSettings>, "settings">;

const ALL: readonly TakenWebhook[] = [PAGERDUTY, ALERTMANAGER, MOCK];

export const WEBHOOKS: ReadonlyMap<string, TakenWebhook> = new Map(
  ALL.map((webhook) => [webhook.path, webhook]),
);

/** The webhooks that admit anybody at all. */
export function openWebhooks(config: IntakeConfig): TakenWebhook[] {
  return ALL.filter(({ open, secrets }) =>
    config[secrets].length > 0 || open !== undefined && config[open]
  );
}

/** Notes for an operator: which webhooks are closed or open to everybody. */
export function notesOn(config: IntakeConfig): string[] {
  return ALL.flatMap((webhook) => {
    const { path, open, secrets } = webhook;
    const notes = webhook.notes?.(config) ?? [];
    if (open !== undefined && config[open]) {
      const { name } = INTAKE_SETTINGS[open];
      return [`${path} is open to everybody: ${name} is set`, ...notes];
    }
    if (config[secrets].length > 0) return notes;
    const { name } = INTAKE_SETTINGS[secrets];
    return [`${path} is closed: ${name} is not set`, ...notes];
  });
}

const CLOSED_RETRY_S = "60";
const NO_BYTES = new Uint8Array();

/**
 * Admits a request: first by its headers, as far as they suffice, then by its
 * body. A webhook without secrets is closed, and the sender should come back
 * later.
 *
 * @param body The original bytes; absent before they are read.
 * @throws {Refusal} 503 if the webhook is closed, 401 without a valid proof.
 */
export function admit(
  { open, secrets, proof }: TakenWebhook,
  { headers, body }: { headers: Headers; body?: Uint8Array },
  config: IntakeConfig,
): void {
  if (open !== undefined && config[open]) return;
  const known = config[secrets];
  if (known.length === 0) {
    const { name } = INTAKE_SETTINGS[secrets];
    const closed = `This webhook is closed: ${name} is not set`;
    throw new Refusal(503, closed, { "Retry-After": CLOSED_RETRY_S });
  }
  if (proof.by !== (body === undefined ? "headers" : "body")) return;
  const given = headers.get(proof.header);
  if (proof.verify(given, known, body ?? NO_BYTES)) return;
  const { refusal, challenge } = proof;
  throw new Refusal(401, refusal, optional("WWW-Authenticate", challenge));
}
