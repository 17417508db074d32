/**
 * A stand-in for the platform's gateway: run starts and reads, and everything
 * that may go wrong with them. What it lists as created is the truth that the
 * campaign judges by.
 *
 * @module
 */
import type { JsonObject } from "../../../../lib/base/json.ts";
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { wait } from "../../../../lib/base/time.ts";
import { join } from "../relay.ts";
import type { Stage, Strike } from "./stage.ts";

/** A run that was really created. */
export interface Run {
  id: string;
  key: string;
  input: JsonObject;
  readableAt: number;
}

interface Reply {
  status: number;
  text: string;
}

const HOSTNAME = "127.0.0.1";
const START = "/api/v1/workflows/incident-enricher.enrich/runs";
const READ = "/api/v1/workflow-runs/";
const RELISTEN_MS = 20;
const TOKEN = /chaos-\d+-\d+/;
const never = new AbortController().signal;

/** A gateway that knows keys and runs. */
export class StandInGateway implements AsyncDisposable {
  /** What was created, by the token of the trial that stands in its input. */
  readonly #runs = new Map<string, Run[]>();
  /** Keys are global and never expire. */
  readonly #keys = new Map<string, string>();
  /** Of every id that was ever told, which trial asked. */
  readonly #asked = new Map<string, string>();
  readonly #stage: () => Stage | undefined;
  #server: Server;
  #port = 0;
  #down: Promise<void> | undefined;
  #disposed = false;
  #held = 0;

  private constructor(stage: () => Stage | undefined) {
    this.#stage = stage;
    this.#server = this.#create();
  }

  /** Listens. @param stage The trial that is on. */
  static async start(stage: () => Stage | undefined): Promise<StandInGateway> {
    const gateway = new StandInGateway(stage);
    await gateway.#listen();
    return gateway;
  }

  /** For the ingesters. */
  get url(): string {
    return `http://${HOSTNAME}:${this.#port}`;
  }

  /** What was created for a trial; for none at all if the token is empty. */
  runsOf(token: string): readonly Run[] {
    return this.#runs.get(token) ?? [];
  }

  /** Requests that it has in hand. */
  get held(): number {
    return this.#held;
  }

  /** Cuts every connection and refuses new ones for a while. */
  goDown(ms: number): Promise<void> {
    return this.#down ??= this.#restart(ms).finally(() =>
      this.#down = undefined
    );
  }

  async #restart(ms: number): Promise<void> {
    this.#close();
    await wait(ms, never);
    while (!this.#disposed) {
      this.#server = this.#create();
      try {
        return await this.#listen();
      } catch { // Somebody's outgoing connection may have the port for a while.
        await wait(RELISTEN_MS, never);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#close();
    await this.#down;
  }

  #create(): Server {
    // Go's server keeps idle connections for ever.
    return createServer({ keepAliveTimeout: 0 }, (request, response) => {
      this.#held++;
      this.#serve(request, response)
        .catch(() => request.socket.destroy()) // The ingester went away.
        .finally(() => this.#held--);
    });
  }

  #listen(): Promise<void> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, HOSTNAME, () => {
        this.#port = (server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  #close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { method, url = "", headers } = request;
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = new TextDecoder().decode(join(chunks));
    const replica = String(headers["x-api-key"]);
    const isStart = method === "POST" && url === START;
    const isRead = method === "GET" && url.startsWith(READ);
    if (!isStart && !isRead) {
      return send(response, { status: 404, text: "404 page not found\n" });
    }
    const id = decodeURIComponent(url.slice(READ.length));
    const token = isStart
      ? TOKEN.exec(text)?.[0] ?? ""
      : this.#asked.get(id) ?? "";
    // What comes late, from a trial before, is none of this one's business.
    const on = this.#stage();
    const stage = on?.token === token ? on : undefined;
    const route = isStart ? "start" : "read";
    const [draw] = stage?.requests[route].next() ?? [];
    const strike: Strike = draw?.() ?? {};
    await stage?.reach(`${route} arrived`, replica);
    await pause(strike.earlyMs);
    const own = strike.undone ? undefined : isStart
      ? this.#start(
        String(headers["idempotency-key"] ?? ""),
        text,
        token,
        stage,
      )
      : this.#read(id);
    await stage?.reach(`${route} handled`, replica);
    await pause(strike.lateMs);
    const reply = strike.reply ?? own ?? "reset";
    if (reply === "hang") await gone(response);
    else if (reply === "reset") request.socket.destroy();
    else await send(response, reply);
  }

  /** A reply; `undefined` for a crash between the key and its run. */
  #start(
    key: string,
    text: string,
    token: string,
    stage: Stage | undefined,
  ): Reply | undefined {
    const known = this.#keys.get(key);
    if (known !== undefined) return json({ run_id: known });
    const id = crypto.randomUUID();
    // Reserved before the limit is looked at.
    if (key !== "") this.#keys.set(key, id);
    this.#asked.set(id, token);
    const [burn] = stage?.burns.next() ?? [];
    switch (burn?.()) {
      case "limit":
        return { status: 429, text: "max concurrent runs reached\n" };
      case "crash":
        return undefined;
    }
    const readableAt = performance.now() + (stage?.runLateMs() ?? 0);
    const run = { id, key, input: JSON.parse(text) as JsonObject, readableAt };
    this.#runs.set(token, [...this.#runs.get(token) ?? [], run]);
    stage?.note(`created ${id} by ${key}`);
    return json({ run_id: id });
  }

  #read(id: string): Reply {
    const all = this.#runs.get(this.#asked.get(id) ?? "") ?? [];
    const run = all.find((run) => run.id === id);
    if (run === undefined || performance.now() < run.readableAt) {
      return { status: 404, text: "not found\n" };
    }
    const { key, input } = run;
    return json({
      id,
      workflow_id: "incident-enricher.enrich",
      org_id: "default",
      team_id: "",
      input,
      context: null,
      status: "running",
      steps: {},
      idempotency_key: key,
    });
  }
}

function json(value: unknown): Reply {
  return { status: 200, text: `${JSON.stringify(value)}\n` };
}

function send(
  response: ServerResponse,
  { status, text }: Reply,
): Promise<void> {
  const type = status === 200
    ? "application/json"
    : "text/plain; charset=utf-8";
  response.writeHead(status, { "Content-Type": type });
  const ended = gone(response);
  response.end(text);
  return ended;
}

function gone(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) return resolve();
    response.once("finish", resolve).once("close", resolve);
  });
}

async function pause(ms = 0): Promise<void> {
  if (ms > 0) await wait(ms, never);
}
