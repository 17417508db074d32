/**
 * A lane: a gateway of its own with two ingesters, on which one trial runs
 * after the other.
 *
 * @module
 */
import { StruckGateway } from "./gateway.ts";
import { SECRET, TOKEN } from "./letters.ts";
import { Replica, type ReplicaOptions } from "./replica.ts";
import { Stage } from "./stage.ts";

/** What makes a lane. */
export interface LaneOptions
  extends Pick<ReplicaOptions, "requires" | "mutant"> {
  name: string;
  /** Whether its ingesters have a cooldown. */
  cooldown: boolean;
}

const COOLDOWN_S = 3_600;

/** A gateway with ingesters. */
export class Lane implements AsyncDisposable {
  readonly name: string;
  readonly cooldown: boolean;
  readonly gateway: StruckGateway;
  readonly replicas: readonly [Replica, Replica];
  readonly #view: { stage: Stage | undefined };

  private constructor(
    { name, cooldown, requires, mutant }: LaneOptions,
    gateway: StruckGateway,
    view: { stage: Stage | undefined },
  ) {
    const replica = (id: string) =>
      new Replica({
        id,
        requires,
        mutant,
        env: {
          CORETEX_GATEWAY_URL: gateway.url,
          // By which the gateway knows who asks.
          CORETEX_API_KEY: id,
          PAGERDUTY_WEBHOOK_SECRETS: SECRET,
          ALERTMANAGER_WEBHOOK_TOKENS: TOKEN,
          INGEST_COOLDOWN_S: cooldown ? `${COOLDOWN_S}` : "0",
        },
      });
    this.name = name;
    this.cooldown = cooldown;
    this.gateway = gateway;
    this.replicas = [replica("replica-a"), replica("replica-b")];
    this.#view = view;
  }

  /** Starts everything, the ingesters too. */
  static async start(options: LaneOptions): Promise<Lane> {
    const view: { stage: Stage | undefined } = { stage: undefined };
    const gateway = new StruckGateway(() => view.stage);
    await using stack = new AsyncDisposableStack();
    const lane = stack.use(new Lane(options, gateway, view));
    await lane.#ready();
    stack.move();
    return lane;
  }

  async #ready(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.start()));
  }

  /** Begins a trial, with both ingesters there. */
  async begin(token: string): Promise<Stage> {
    await this.#ready();
    for (const replica of this.replicas) replica.forget();
    return this.#view.stage = new Stage(token);
  }

  /** Ends it. */
  end(): void {
    this.#view.stage?.disarm();
    this.#view.stage = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.replicas.map((replica) => replica[Symbol.asyncDispose]()),
    );
    await this.gateway[Symbol.asyncDispose]();
  }
}
