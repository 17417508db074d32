/**
 * A lane: a gateway of its own with two ingesters.
 *
 * @module
 */
import { spawnWorker } from "../../../../scripts/launch/process.ts";
import type { Lane } from "../campaign.ts";
import { type Mutant, Replica, spawnOptions } from "../replica.ts";
import { StruckGateway } from "./gateway.ts";
import { SECRET, TOKEN } from "./letters.ts";
import type { IntakeStage } from "./stage.ts";

export interface LaneOptions {
  name: string;
  /** `cooldown`: its ingesters have one. */
  kind: string;
  requires: readonly string[];
  mutant: Mutant | undefined;
}

const COOLDOWN_S = 3_600;

export class IntakeLane implements Lane<IntakeStage> {
  readonly name: string;
  readonly kind: string;
  readonly gateway: StruckGateway;
  readonly replicas: readonly [Replica, Replica];
  stage: IntakeStage | undefined;

  private constructor({ name, kind, requires, mutant }: LaneOptions) {
    this.name = name;
    this.kind = kind;
    const gateway = this.gateway = new StruckGateway(this);
    const replica = (id: string) =>
      new Replica(id, () =>
        spawnWorker("ingester", requires, {
          INGESTER_ADDR: "127.0.0.1:0",
          CORETEX_GATEWAY_URL: gateway.url,
          // Tells the gateway who asks.
          CORETEX_API_KEY: id,
          PAGERDUTY_WEBHOOK_SECRETS: SECRET,
          ALERTMANAGER_WEBHOOK_TOKENS: TOKEN,
          INGEST_MAX_AGE_S: "0", // Every letter bears the same date.
          INGEST_COOLDOWN_S: kind === "cooldown" ? `${COOLDOWN_S}` : "0",
        }, spawnOptions(mutant)));
    this.replicas = [replica("replica-a"), replica("replica-b")];
  }

  static async start(options: LaneOptions): Promise<IntakeLane> {
    await using stack = new AsyncDisposableStack();
    const lane = stack.use(new IntakeLane(options));
    await Promise.all(lane.replicas.map((replica) => replica.start()));
    stack.move();
    return lane;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.replicas.map((replica) => replica[Symbol.asyncDispose]()),
    );
    await this.gateway[Symbol.asyncDispose]();
  }
}
