/**
 * Ingester: turns webhooks into runs of the workflow.
 *
 * Takes `POST /webhook/{pagerduty,alertmanager,mock}`. Answers 202 `{run_id,
 * incident_id}` once the run can be read back, 200 `{ignored}` for a delivery
 * that starts no run, 200 `{run_id, incident_id, folded_into}` for one that
 * joined another incident's run, or `{error, status}` that says what to do.
 * Talks to the gateway only: no NATS, no Redis. Env: `SETTINGS`. No files, no
 * processes.
 *
 * @module
 */
import { address, type Config } from "../lib/base/config.ts";
import { aborted, deadline } from "../lib/base/deadline.ts";
import { objectOf } from "../lib/base/json.ts";
import { errorFields, type Log } from "../lib/base/log.ts";
import {
  type HttpOptions,
  type HttpService,
  serveHttp,
  type ServerSettings,
  serverSettings,
} from "../lib/base/service.ts";
import { Tally } from "../lib/base/tally.ts";
import { wait } from "../lib/base/time.ts";
import type { IncidentInput } from "../lib/incident.ts";
import { findWebhook, readDelivery, targetOf } from "../lib/intake/delivery.ts";
import { Places } from "../lib/intake/places.ts";
import {
  Refusal,
  tooLate,
  toRefusal,
  unavailable,
  wouldFail,
} from "../lib/intake/refusal.ts";
import { prepareRun } from "../lib/intake/prepare_run.ts";
import type { RunKeys } from "../lib/intake/run_key.ts";
import {
  INTAKE_SETTINGS,
  type IntakeSettings,
} from "../lib/intake/settings.ts";
import { type Started, startRun } from "../lib/intake/start_run.ts";
import { notesOn, WEBHOOKS } from "../lib/intake/webhooks.ts";
import { countRemoved } from "../lib/removed.ts";
import { Gateway } from "../lib/platform/gateway.ts";
import { watchPack } from "../lib/platform/pack_state.ts";
import { Readiness } from "../lib/platform/readiness.ts";
import {
  GATEWAY_SETTINGS,
  gatewayEndpoint,
  type GatewaySettings,
} from "../lib/platform/settings.ts";

/** Senders give up after 5 s and send again. */
const ANSWER_MS = 4_500;

/** Everything that this worker reads from its environment. */
export const SETTINGS: GatewaySettings & IntakeSettings & ServerSettings = {
  ...serverSettings(
    "ingester",
    address("INGESTER_ADDR", {
      about: "host:port to listen on for webhooks",
      fallback: "127.0.0.1:8088",
    }),
  ),
  ...GATEWAY_SETTINGS,
  ...INTAKE_SETTINGS,
};

/** The ingester's waits and its clock; tests bring their own. */
export interface Waits {
  /** From a request's headers to its answer. */
  answerMs?: number;
  /** Between two reads of a run that is not there yet. */
  pause?: typeof wait;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

/** Opens the service that answers webhooks. */
export function openIngester(
  config: Config<typeof SETTINGS>,
  log: Log,
  { answerMs: deadlineMs = ANSWER_MS, pause = wait, now = Date.now }: Waits =
    {},
): HttpService {
  const { workflowId } = config;
  const places = new Places(config);
  const late = tooLate(deadlineMs);
  const gateway = new Gateway({ ...gatewayEndpoint(config), deadlineMs });
  const tally = new Tally();
  const warnings = notesOn(config);
  for (const warning of warnings) log.info(warning);
  const findInactive = watchPack(gateway, log);
  const checks = { pack: findInactive };
  const readiness = new Readiness({ gateway, workflowId, warnings, checks });

  /** @throws {Refusal} */
  const take = async (
    request: Request,
    path: string,
    signal: AbortSignal,
  ): Promise<Response> => {
    const webhook = findWebhook(path, request.method);
    using place = places.enter(webhook, request.headers);
    const reading = { place, nowMs: now() };
    const delivery = await readDelivery(request, webhook, config, reading);
    if ("ignored" in delivery) {
      const { ignored } = delivery;
      tally.add(`ignored: ${ignored}`);
      log.info("Ignored a webhook", { path, why: ignored });
      return Response.json({ ignored });
    }
    const inactive = await Promise.race([findInactive(), aborted(signal)]);
    if (inactive !== undefined) throw wouldFail(inactive);
    const { incident, keys, removed } = await prepareRun(
      delivery,
      config,
      now(),
    );
    countRemoved(removed, (kind, count) => tally.add(kind, count));
    return answer(incident, await start(incident, keys, signal));
  };

  /** @throws {Refusal} */
  const start = async (
    incident: IncidentInput,
    keys: RunKeys,
    signal: AbortSignal,
  ): Promise<Started> => {
    try {
      return await startRun(incident, keys, {
        start: (incident, key) =>
          gateway.startRun(workflowId, incident, { key, signal }),
        burned: (key) => log.warn("A key is burned", { key }),
        read: (runId) => gateway.findRun(runId, signal),
        wait: (ms) => pause(ms, signal),
      });
    } catch (error) {
      log.warn("Cannot start a run", {
        incident: incident.incident_id,
        ...errorFields(signal.aborted ? signal.reason : error),
      });
      throw signal.aborted ? unavailable() : toRefusal(error) ?? error;
    }
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
      const path = targetOf(request);
      using end = deadline(deadlineMs, stopped, late);
      try {
        return await take(request, path, end.signal);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const { status, message, headers } = error;
        tally.add(`refused: ${status}`);
        const known = WEBHOOKS.has(path) ? { path } : {};
        log.warn("Refused a request", { ...known, status, error: message });
        return Response.json({ error: message, status }, { status, headers });
      }
    },
    report: async () => ({
      ...await readiness.report(),
      counts: tally.counts(),
    }),
    [Symbol.dispose]: () => gateway[Symbol.dispose](),
  };
}

/** The worker. */
export const INGESTER: HttpOptions<typeof SETTINGS> = {
  name: "incident-enricher-ingester",
  settings: SETTINGS,
  open: (config, log) => openIngester(config, log),
  // Known senders are faster, and a slower client would take a place of
  // INGEST_MAX_INFLIGHT before it has proved its identity.
  limits: { headersMs: 2_500, requestMs: 5_000 },
  limitsOf: ({ addressConnectionsMax }) => ({ addressConnectionsMax }),
};

if (import.meta.main) await serveHttp(INGESTER);
