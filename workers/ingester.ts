/**
 * Ingester: turns webhooks into runs of the workflow.
 *
 * Takes `POST /webhook/{pagerduty,alertmanager,mock}`. Answers 202 `{run_id,
 * incident_id}` once the run is there to be read, 200 with `{ignored}` for what
 * starts none and with `{run_id, incident_id, folded_into}` for what joined
 * another incident's, or `{error, status}` that says what to do. Talks to the
 * gateway only: no NATS, no Redis. Env: `SETTINGS`. No files, no processes.
 *
 * @module
 */
import { type JsonObject, objectOf } from "../lib/base/json.ts";
import { deadline } from "../lib/base/deadline.ts";
import { wait } from "../lib/base/time.ts";
import {
  type Address,
  address,
  type Config,
  oneOf,
  type Setting,
  text,
} from "../lib/base/config.ts";
import type { IncidentInput } from "../lib/incident.ts";
import { Refusal, RETRY_AFTER_S } from "../lib/intake/body.ts";
import { runKey } from "../lib/intake/run_key.ts";
import { withoutSecrets } from "../lib/intake/without_secrets.ts";
import { findSource, readDelivery } from "../lib/intake/request.ts";
import {
  INTAKE_SETTINGS,
  type IntakeSettings,
} from "../lib/intake/settings.ts";
import { SOURCES } from "../lib/intake/sources.ts";
import {
  KeyBurnedError,
  type Started,
  startOnce,
} from "../lib/intake/start_run.ts";
import { Tally } from "../lib/base/tally.ts";
import { errorFields, type Log } from "../lib/base/log.ts";
import { Gateway, GatewayError } from "../lib/platform/gateway.ts";
import { Readiness } from "../lib/platform/readiness.ts";
import {
  GATEWAY_SETTINGS,
  gatewayEndpoint,
  type GatewaySettings,
  HEALTH_ADDRESS,
} from "../lib/platform/settings.ts";
import {
  type HttpOptions,
  type HttpService,
  serveHttp,
} from "../lib/base/service.ts";

/** Senders give up after 5 s, and then send again. */
const ANSWER_MS = 4_500;
const LATE = new DOMException(
  `The platform has not answered within ${ANSWER_MS} ms of the request`,
  "TimeoutError",
);

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

/** What it works with. */
type IngesterConfig = Config<typeof SETTINGS>;

/** Opens what answers webhooks. */
function open(settings: IngesterConfig, log: Log): HttpService {
  const gateway = new Gateway({
    ...gatewayEndpoint(settings),
    deadlineMs: ANSWER_MS,
  });
  const tally = new Tally();
  const { workflowId } = settings;
  const warnings = Object.values(SOURCES).flatMap(({ notes }) =>
    notes(settings)
  );
  for (const warning of warnings) log.info(warning);
  const readiness = new Readiness({ gateway, workflowId, warnings });
  let inFlight = 0;

  /** @throws {Refusal} */
  const take = async (
    request: Request,
    path: string,
    signal: AbortSignal,
  ): Promise<Response> => {
    const source = findSource(path, request.method);
    if (inFlight > settings.inFlightMax) {
      throw new Refusal(429, "Too many webhooks at once; send it again later", {
        "Retry-After": RETRY_AFTER_S,
      });
    }
    const delivery = await readDelivery(request, source, settings);
    if ("ignored" in delivery) {
      const { ignored } = delivery;
      tally.add(`ignored: ${ignored}`);
      log.info("Ignored a webhook", { path, why: ignored });
      return Response.json({ ignored });
    }
    const key = await runKey(delivery, settings.cooldownS);
    const incident = toInput(delivery.incident, settings);
    const context = { gateway, workflowId, log, signal };
    return answer(incident, await startRun(incident, key, context));
  };

  const answer = (
    { incident_id }: IncidentInput,
    { runId, run }: Started,
  ): Response => {
    const other = objectOf(run["input"])?.["incident_id"];
    const fields = { incident: incident_id, run: runId };
    if (typeof other === "string" && other !== incident_id) {
      tally.add("folded");
      log.info("Folded a webhook into a run", { ...fields, into: other });
      return Response.json({ run_id: runId, incident_id, folded_into: other });
    }
    tally.add("taken");
    log.info("Took a webhook", fields);
    return Response.json({ run_id: runId, incident_id }, { status: 202 });
  };

  return {
    async handle(request, stopped) {
      inFlight++;
      const { pathname: path } = new URL(request.url);
      using end = deadline(ANSWER_MS, stopped, LATE);
      try {
        return await take(request, path, end.signal);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const { status, message, headers } = error;
        tally.add(`refused: ${status}`);
        const known = Object.hasOwn(SOURCES, path) ? { path } : {};
        log.warn("Refused a request", { ...known, status, error: message });
        return Response.json({ error: message, status }, { status, headers });
      } finally {
        inFlight--;
      }
    },
    report: async () => ({
      ...await readiness.report(),
      counts: tally.counts(),
    }),
    [Symbol.dispose]: () => gateway[Symbol.dispose](),
  };
}

/** Without secrets: the platform stores it before any worker of ours sees it. */
function toInput(
  incident: IncidentInput,
  { destinationMode: mode }: IngesterConfig,
): IncidentInput {
  return {
    ...withoutSecrets(incident),
    // Only a trusted sender's delivery has one.
    destination: incident.destination ?? { mode },
  };
}

interface RunContext {
  gateway: Gateway;
  workflowId: string;
  log: Log;
  signal: AbortSignal;
}

/**
 * Starts the run of a key with an incident, or finds the run that it has.
 *
 * @throws {Refusal} 503 and come back, unless that can never help.
 */
async function startRun(
  incident: IncidentInput,
  key: string,
  { gateway, workflowId, log, signal }: RunContext,
): Promise<Started> {
  let refused = false;
  try {
    return await startOnce(incident, key, {
      async start(incident, spelled) {
        if (spelled !== key) log.warn("A key is burned", { next: spelled });
        try {
          return await gateway.startRun(workflowId, incident, {
            key: spelled,
            signal,
          });
        } catch (error) {
          refused = refusesInput(error);
          throw error;
        }
      },
      read: (runId) => readRun(gateway, runId, signal),
      wait: (ms) => wait(ms, signal),
    });
  } catch (error) {
    log.warn("Cannot start a run", {
      incident: incident.incident_id,
      ...errorFields(signal.aborted ? signal.reason : error),
    });
    throw refused ? INPUT_REFUSED : explain(error, signal);
  }
}

/**
 * Whether the platform will never take this input. No other 400 may lose an
 * alert: a TLS port that is spoken to in plain HTTP answers one, too, and
 * PagerDuty drops what gets one.
 */
function refusesInput(error: unknown): boolean {
  return error instanceof GatewayError && error.status === 400 &&
    !error.foreign && /\b(?:schema|validation|invalid)\b/i.test(error.detail);
}

const INPUT_REFUSED = new Refusal(
  400,
  "The platform refused the incident; the ingester's log says why",
);

/**
 * Only the platform knows that there is no such run. A router whose gateway is
 * just being replaced says 404 too; if that counted, a second run would be
 * started beside the first.
 */
async function readRun(
  gateway: Gateway,
  runId: string,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  try {
    return await gateway.readRun(runId, signal);
  } catch (error) {
    if (error instanceof GatewayError && error.missing) return undefined;
    throw error;
  }
}

function explain(error: unknown, signal: AbortSignal): unknown {
  const retry = { "Retry-After": RETRY_AFTER_S };
  if (error instanceof GatewayError && [401, 403].includes(error.status)) {
    return new Refusal(
      502,
      "The platform refused the ingester's own key; send the webhook again later",
      retry,
    );
  }
  const known = error instanceof GatewayError ||
    error instanceof KeyBurnedError || signal.aborted;
  if (!known) return error;
  return new Refusal(
    503,
    "Cannot start a run now; send the webhook again later",
    retry,
  );
}

/** The worker. */
export const INGESTER: HttpOptions<typeof SETTINGS> = {
  name: "incident-enricher-ingester",
  settings: SETTINGS,
  open,
  // What comes slower is none of our senders', and holds a place of
  // INGEST_MAX_INFLIGHT before anybody knows who sends it.
  limits: { headersMs: 2_500, requestMs: 5_000 },
};

if (import.meta.main) await serveHttp(INGESTER);
