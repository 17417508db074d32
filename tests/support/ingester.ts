/**
 * The whole ingester behind its real server, before the stand-in gateway.
 *
 * @module
 */
import { createHmac } from "node:crypto";
import {
  type Answer as GatewayAnswer,
  type Asked,
  startGateway,
} from "../../deploy/standins/gateway.ts";
import type { HttpLimits } from "../../lib/base/server.ts";
import { serveRequests } from "../../lib/base/service.ts";
import { INGESTER, openIngester, type Waits } from "../../workers/ingester.ts";
import { until } from "./until.ts";

/** The newer of the two secrets of PagerDuty. */
export const SECRET = "s3cret-of-pagerduty";
/** Good while secrets are rotated. */
export const OLD_SECRET = "old-secret";
/** The token of Alertmanager. */
export const TOKEN = "t0ken-of-alertmanager";
/** What the ingester shows to the gateway. */
export const API_KEY = "k3y";

const JSON_TYPE = { "content-type": "application/json" };

/** An answer of the ingester. */
export interface Answer {
  status: number;
  body: Record<string, unknown>;
  headers: Headers;
}

/** A running ingester. */
export interface Rig extends AsyncDisposable {
  url: string;
  /** The keys and inputs of the runs started so far. */
  readonly starts: { key: string; input: Record<string, unknown> }[];
  /** The requests to the gateway, but for the pack's record. */
  asked: Asked[];
  log: string[];
  send(
    path: string,
    body: BodyInit,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: Record<string, unknown> }>;
  /** The same, with the answer's headers. */
  ask(
    path: string,
    body: BodyInit,
    headers?: Record<string, string>,
  ): Promise<Answer>;
}

/** How a rig differs from the usual one. */
export interface RigOptions {
  /** Of the ingester's server. */
  limits?: Partial<HttpLimits>;
  /** Of the ingester. */
  waits?: Waits;
  /** Answers in the gateway's place, or does not. */
  gateway?: GatewayAnswer;
  /** Answers for the pack's record; by default it is ACTIVE. */
  pack?: (asked: Asked) => Response | Promise<Response>;
  /** Where the ingester looks for the gateway, given where it is. */
  route?: (gatewayUrl: string) => string;
}

/** Starts an ingester with these variables beside the usual ones. */
export async function startRig(
  env: Record<string, string> = {},
  {
    limits = {},
    waits = {},
    gateway: answer = (_, works) => works(),
    pack = () => Response.json({ status: "ACTIVE" }),
    route = (url) => url,
  }: RigOptions = {},
): Promise<Rig> {
  const asked: Asked[] = [];
  const gateway = startGateway((one, works) => {
    if (one.path === "/api/v1/packs/incident-enricher") return pack(one);
    asked.push(one);
    return answer(one, works);
  });
  const variables: Record<string, string> = {
    INGESTER_ADDR: "127.0.0.1:0",
    CORETEX_GATEWAY_URL: route(gateway.url),
    CORETEX_API_KEY: API_KEY,
    PAGERDUTY_WEBHOOK_SECRETS: `${OLD_SECRET}, ${SECRET}`,
    ALERTMANAGER_WEBHOOK_TOKENS: TOKEN,
    INGEST_MOCK_OPEN: "1",
    // What tests send bears the same date for ever.
    INGEST_MAX_AGE_S: "0",
    ...env,
  };
  const stop = new AbortController();
  const log: string[] = [];
  let url = "";
  const ended = serveRequests(
    { ...INGESTER, open: (config, log) => openIngester(config, log, waits) },
    {
      env: (name) => variables[name],
      signal: stop.signal,
      write: (line) => log.push(line),
      onListen: (address) => url = address,
      limits,
    },
  );
  let failure: unknown;
  ended.catch((error) => failure = error);
  await until("the ingester to listen", () => url !== "" || failure);
  if (failure !== undefined) {
    await gateway[Symbol.asyncDispose]();
    throw failure;
  }
  const ask: Rig["ask"] = async (path, body, headers = {}) => {
    const response = await fetch(url + path, {
      method: "POST",
      body,
      headers: { ...JSON_TYPE, ...headers },
    });
    return {
      status: response.status,
      body: await response.json(),
      headers: response.headers,
    };
  };
  return {
    url,
    asked,
    get starts() {
      return [...gateway.runs.values()].map(({ key, input }) => ({
        key,
        input: JSON.parse(input),
      }));
    },
    log,
    ask,
    async send(path, body, headers) {
      const { status, body: answered } = await ask(path, body, headers);
      return { status, body: answered };
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
      await gateway[Symbol.asyncDispose]();
    },
  };
}

/** PagerDuty's signature of a body. */
export function sign(body: string | Uint8Array, secret = SECRET): string {
  return `v1=${createHmac("sha256", secret).update(body).digest("hex")}`;
}
