/**
 * Ingester: turns webhooks into runs of the workflow.
 *
 * Takes `POST /webhook/{pagerduty,alertmanager,mock}`. Answers 202 `{run_id,
 * incident_id}` once the run is there to be read, 200 `{ignored}` for what
 * starts none, or an error as JSON that says what to do. Talks to the gateway
 * only: no NATS, no Redis. Env: `SETTINGS`. No files, no processes.
 *
 * @module
 */
import { wait } from "../lib/backoff.ts";
import {
  type Address,
  address,
  type Config,
  oneOf,
  type Setting,
  text,
} from "../lib/config.ts";
import type { IncidentInput } from "../lib/incident.ts";
import {
  checkBodyType,
  parseBody,
  readBody,
  Refusal,
} from "../lib/intake/body.ts";
import {
  type Delivery,
  DeliveryError,
  type Ignored,
} from "../lib/intake/delivery.ts";
import {
  INTAKE_SETTINGS,
  type IntakeSettings,
} from "../lib/intake/settings.ts";
import { type Source, SOURCES } from "../lib/intake/sources.ts";
import { KeyBurnedError, startOnce } from "../lib/intake/start.ts";
import type { Report } from "../lib/health.ts";
import { errorFields } from "../lib/log.ts";
import { Gateway, GatewayError } from "../lib/platform/gateway.ts";
import { Readiness } from "../lib/platform/readiness.ts";
import {
  GATEWAY_SETTINGS,
  gatewayEndpoint,
  type GatewaySettings,
  HEALTH_ADDRESS,
} from "../lib/platform/settings.ts";
import { startRedaction } from "../lib/redact.ts";
import { type HttpContext, serveHttp } from "../lib/service.ts";

/** Senders give up after 5 s, and then send again. */
const ANSWER_MS = 4_500;
const RETRY_AFTER_S = "5";

/** Everything that this worker reads from its environment. */
export const SETTINGS: GatewaySettings & IntakeSettings & {
  readonly address: Setting<Address>;
  readonly healthAddress: Setting<Address | undefined>;
  readonly workflowId: Setting<string>;
  readonly destinationMode: Setting<"artifact" | "slack">;
} = {
  address: address("INGESTER_ADDR", {
    about: "host:port that webhooks are taken on",
    fallback: "127.0.0.1:8088",
  }),
  healthAddress: HEALTH_ADDRESS,
  ...GATEWAY_SETTINGS,
  ...INTAKE_SETTINGS,
  workflowId: text("INGESTER_WORKFLOW_ID", {
    about: "workflow that an incident starts",
    fallback: "incident-enricher.enrich",
  }),
  destinationMode: oneOf("DEFAULT_DESTINATION_MODE", {
    about: "where posts go: artifact or slack",
    values: ["artifact", "slack"],
    fallback: "artifact",
  }),
};

/** What its verb gets beside its input. */
export type Context = HttpContext<typeof SETTINGS>;

let inFlight = 0;

/** Answers one request. */
export async function handle(
  request: Request,
  context: Context,
): Promise<Response> {
  inFlight++;
  try {
    return await takeWebhook(request, context);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { status, message, headers } = error;
    context.log.warn("Refused a request", { status, error: message });
    return Response.json({ error: message, status }, { status, headers });
  } finally {
    inFlight--;
  }
}

async function takeWebhook(
  request: Request,
  context: Context,
): Promise<Response> {
  const { settings, log } = context;
  const { pathname } = new URL(request.url);
  const source = Object.hasOwn(SOURCES, pathname)
    ? SOURCES[pathname]!
    : undefined;
  if (source === undefined) {
    const paths = Object.keys(SOURCES).join(", ");
    throw new Refusal(404, `No such path; webhooks are POST ${paths}`);
  }
  if (request.method !== "POST") {
    throw new Refusal(405, `${pathname} takes POST only`, { Allow: "POST" });
  }
  if (inFlight > settings.inFlightMax) {
    throw new Refusal(429, "Too many webhooks at once; send it again later", {
      "Retry-After": RETRY_AFTER_S,
    });
  }
  const delivery = await readDelivery(source, request, context);
  if ("ignored" in delivery) {
    const { ignored } = delivery;
    log.info("Ignored a webhook", { path: pathname, why: ignored });
    return Response.json({ ignored });
  }
  const runId = await startRun(delivery, context);
  const { incident_id } = delivery.incident;
  log.info("Run started", { incident: incident_id, run: runId });
  return Response.json({ run_id: runId, incident_id }, { status: 202 });
}

/** Nothing is parsed before its sender is known. */
async function readDelivery(
  source: Source,
  { headers, body }: Request,
  { settings }: Context,
): Promise<Delivery | Ignored> {
  await source.admit(headers, settings);
  checkBodyType(headers, source.lax);
  const bytes = await readBody(body);
  await source.admitBody(bytes, headers, settings);
  try {
    return await source.read(parseBody(bytes), settings);
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    throw new Refusal(400, `Cannot use the webhook's body: ${error.message}`);
  }
}

async function startRun(
  delivery: Delivery,
  { settings, log, signal: stopped }: Context,
): Promise<string> {
  const signal = AbortSignal.any([stopped, AbortSignal.timeout(ANSWER_MS)]);
  const { workflowId, destinationMode: mode } = settings;
  using gateway = new Gateway({
    ...gatewayEndpoint(settings),
    deadlineMs: ANSWER_MS,
  });
  const incident = {
    ...withoutSecrets(delivery.incident),
    destination: { mode },
  };
  try {
    return await startOnce({ ...delivery, incident }, {
      start: (incident, key) =>
        gateway.startRun(workflowId, incident, { key, signal }),
      exists: (runId) => runExists(gateway, runId, signal),
      wait: (ms) => wait(ms, signal),
    });
  } catch (error) {
    log.warn("Cannot start a run", {
      incident: incident.incident_id,
      ...errorFields(error),
    });
    throw explain(error, signal);
  }
}

/** The platform stores a run's input before any worker of ours sees it. */
function withoutSecrets(
  { incident_id, ...rest }: IncidentInput,
): IncidentInput {
  return { incident_id, ...startRedaction().value(rest) };
}

async function runExists(
  gateway: Gateway,
  runId: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await gateway.readRun(runId, signal);
    return true;
  } catch (error) {
    if (error instanceof GatewayError && error.status === 404) return false;
    throw error;
  }
}

/** What the sender is told: 503 and come back, unless that can never help. */
function explain(error: unknown, signal: AbortSignal): Refusal {
  if (error instanceof GatewayError && error.status === 400) {
    return new Refusal(
      400,
      "The platform refused the incident; the ingester's log says why",
    );
  }
  if (
    error instanceof GatewayError && [401, 403].includes(error.status)
  ) {
    return new Refusal(
      502,
      "The platform refused the ingester's own key; send the webhook again later",
      { "Retry-After": RETRY_AFTER_S },
    );
  }
  const known = error instanceof GatewayError ||
    error instanceof KeyBurnedError || signal.aborted;
  if (!known) throw error;
  return new Refusal(
    503,
    "Cannot start a run now; send the webhook again later",
    {
      "Retry-After": RETRY_AFTER_S,
    },
  );
}

/** Whether runs can be started. */
export function readiness(
  settings: Config<typeof SETTINGS>,
): () => Promise<Report> {
  const gateway = new Gateway(gatewayEndpoint(settings));
  const { workflowId } = settings;
  const warnings = Object.values(SOURCES).flatMap(({ note }) =>
    note(settings) ?? []
  );
  const readiness = new Readiness({ gateway, workflowId, warnings });
  return () => readiness.report();
}

if (import.meta.main) {
  await serveHttp({
    name: "incident-enricher-ingester",
    settings: SETTINGS,
    handle,
    readiness,
  });
}
