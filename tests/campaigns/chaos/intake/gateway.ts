/**
 * The stand-in gateway behind a relay, and everything that may go wrong between
 * it and an ingester. The campaign judges by the runs that it really created.
 *
 * @module
 */
import {
  type Asked,
  plain,
  startGateway,
  type Works,
} from "../../../../deploy/standins/gateway.ts";
import type { JsonObject } from "../../../../lib/base/json.ts";
import { delay } from "../../../../lib/base/time.ts";
import { Relay } from "../../../support/relay.ts";
import type { Lane } from "../campaign.ts";
import type { IntakeStage, Strike } from "./stage.ts";

export interface Run {
  id: string;
  key: string;
  input: JsonObject;
}

const TOKEN = /chaos-\d+-\d+/;

export class StruckGateway implements AsyncDisposable {
  readonly #gateway = startGateway((asked, works) => {
    this.#held++;
    return this.#answer(asked, works).finally(() => this.#held--);
  });
  readonly #relay = new Relay(this.#gateway.port);
  readonly url = `http://127.0.0.1:${this.#relay.port}`;
  /** The token of the trial that asked for each id ever given out. */
  readonly #tokens = new Map<string, string>();
  readonly #lane: Pick<Lane<IntakeStage>, "stage" | "replicas">;
  #held = 0;

  /** @param lane Has the current trial, and the replicas that ask. */
  constructor(lane: Pick<Lane<IntakeStage>, "stage" | "replicas">) {
    this.#lane = lane;
  }

  /** The runs of a trial; with an empty token, those of no trial. */
  runsOf(token: string): Run[] {
    return [...this.#gateway.runs.values()]
      .filter(({ id }) => this.#tokens.get(id) === token)
      .map(({ id, key, input }) => ({ id, key, input: JSON.parse(input) }));
  }

  /** How many requests are in hand. */
  get held(): number {
    return this.#held;
  }

  /** Cuts every connection and refuses new ones for a while. */
  goDown(ms: number): Promise<void> {
    return this.#relay.goDown(ms);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#relay[Symbol.asyncDispose]();
    await this.#gateway[Symbol.asyncDispose]();
  }

  async #answer(asked: Asked, works: Works): Promise<Response> {
    const { kind, runId, body, request } = asked;
    if (kind === "other") return works();
    const token = kind === "start"
      ? TOKEN.exec(body)?.[0] ?? ""
      : this.#tokens.get(runId) ?? "";
    // Late requests of an earlier trial do not concern this one.
    const on = this.#lane.stage;
    const stage = on?.token === token ? on : undefined;
    const asker = request.headers.get("x-api-key");
    const replica = this.#lane.replicas.find(({ id }) => id === asker)!;
    const [draw] = stage?.requests[kind].next() ?? [];
    const strike: Strike = draw?.() ?? {};
    await stage?.reach(`${kind} arrived`, replica);
    await delay(strike.earlyMs ?? 0);
    const own = strike.undone
      ? undefined
      : kind === "start"
      ? this.#start(asked, works, token, stage)
      : works();
    await stage?.reach(`${kind} handled`, replica);
    await delay(strike.lateMs ?? 0);
    const { reply } = strike;
    if (typeof reply === "object") return say(reply.status, reply.text);
    if (reply === undefined && own !== undefined) return own;
    const port = asked.callerPort();
    // The server does not always notice by itself that its client has gone.
    if (reply === "hang") await this.#relay.ended(port);
    else this.#relay.cut(port);
    return new Response();
  }

  /** @returns `undefined` for a crash between the key and its run. */
  #start(
    { key, runId }: Asked,
    works: Works,
    token: string,
    stage: IntakeStage | undefined,
  ): Response | undefined {
    if (this.#gateway.knows(key)) return works();
    this.#tokens.set(runId, token);
    const [burn] = stage?.burns.next() ?? [];
    const by = burn?.();
    if (by !== undefined) {
      // The platform reserves the key before it looks at the limit.
      this.#gateway.burn(key);
      return by === "crash"
        ? undefined
        : plain(429, "max concurrent runs reached\n");
    }
    stage?.note(`created ${runId} by ${key}`);
    return works({ lateMs: stage?.runLateMs() ?? 0 });
  }
}

function say(status: number, text: string): Response {
  const type = status === 200 ? "application/json" : "text/plain";
  return new Response(text, { status, headers: { "Content-Type": type } });
}
