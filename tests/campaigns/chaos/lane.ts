/**
 * A lane: a platform of its own with two posters and a Slack, on which one
 * trial runs after the other.
 *
 * @module
 */
import type { JsonObject } from "../../../lib/base/json.ts";
import { type Devcore, startDevcore } from "../../../deploy/devcore/devcore.ts";
import {
  type Behaviour,
  type SlackStandIn,
  startSlack,
} from "../../../deploy/standins/slack.ts";
import { wait, within } from "../../../lib/base/time.ts";
import { sha256Hex } from "../../../lib/base/digest.ts";
import { createLog } from "../../../lib/base/log.ts";
import { type Bus, connectBus } from "../../../lib/platform/bus.ts";
import { decodePacket } from "../../../lib/platform/packet.ts";
import { connectStore, type Store } from "../../../lib/platform/store.ts";
import { recordKey } from "../../../lib/post/record.ts";
import { approve } from "../../../lib/operate/approvals.ts";
import { POST_TOPIC } from "../../../lib/operate/pack.ts";
import { installBundle } from "../../../lib/operate/install.ts";
import { archivePack, type PackFiles } from "../../../scripts/pack/pack.ts";
import { Platform, readAddress } from "../../../lib/operate/platform.ts";
import { Poster } from "./poster.ts";
import {
  type Preference,
  type Server,
  startNats,
  startRedis,
} from "./servers.ts";
import { Stage, trafficOf } from "./stage.ts";

/** What makes a lane. */
export interface LaneOptions {
  name: string;
  preference: Preference;
  /** For what its servers keep. */
  folder: string;
  pack: PackFiles;
  requires: readonly string[];
  /** Instead of the product's poster. */
  file: string | undefined;
  signal: AbortSignal;
}

const RELOAD_MS = 100;
const POLL_MS = 10;
const DISPATCH_MS = 6_000;
/** What goes on beside a trial is over long before. */
const PENDING_MS = 10_000;
const RECONNECT_MS = 10_000;
const WORKFLOW = "incident-enricher.enrich";
/** The shortest that the poster takes, for short trials. */
const POST_TIMEOUT_MS = 1_000;
const POST_SETTLE_MS = 150;
const quiet = createLog({}, { write() {} });

/** What the parts of a lane see of the trial that is on. */
interface View {
  stage: Stage | undefined;
  /** What Slack read, of all trials: one may come late. */
  readonly requests: { body: string; behaviour: Behaviour }[];
}

/** A platform with posters. */
export class Lane implements AsyncDisposable {
  readonly name: string;
  readonly core: Devcore;
  readonly natsServer: Server;
  readonly redisServer: Server;
  readonly posters: readonly [Poster, Poster];
  readonly platform: Platform;
  readonly store: Store;
  readonly #bus: Bus;
  readonly #slack: SlackStandIn;
  readonly #stack: AsyncDisposableStack;
  readonly #signal: AbortSignal;
  /** Jobs as they were dispatched, by their id. */
  readonly #packets = new Map<string, Uint8Array>();
  readonly #results = new Set<string>();
  readonly #view: View;

  private constructor(
    parts:
      & Pick<
        Lane,
        | "name"
        | "core"
        | "natsServer"
        | "redisServer"
        | "posters"
        | "platform"
        | "store"
      >
      & {
        bus: Bus;
        slack: SlackStandIn;
        stack: AsyncDisposableStack;
        signal: AbortSignal;
        view: View;
      },
  ) {
    this.name = parts.name;
    this.core = parts.core;
    this.natsServer = parts.natsServer;
    this.redisServer = parts.redisServer;
    this.posters = parts.posters;
    this.platform = parts.platform;
    this.store = parts.store;
    this.#bus = parts.bus;
    this.#slack = parts.slack;
    this.#stack = parts.stack;
    this.#signal = parts.signal;
    this.#view = parts.view;
    for (const poster of this.posters) {
      const subject = `worker.${poster.id}.jobs`;
      this.#bus.subscribe(subject, (bytes) => this.#onJob(poster, bytes));
    }
    this.#bus.subscribe("sys.job.result", (bytes) => this.#onResult(bytes));
  }

  /** Starts everything, the posters too. */
  static async start(options: LaneOptions): Promise<Lane> {
    const { name, preference, folder, requires, file, signal } = options;
    await using stack = new AsyncDisposableStack();
    const view: View = { stage: undefined, requests: [] };
    const nats = stack.use(await startNats(preference, `${folder}/nats`));
    const redis = stack.use(await startRedis(preference, `${folder}/redis`));
    const natsUrl = `nats://127.0.0.1:${nats.port}`;
    const redisUrl = `redis://127.0.0.1:${redis.port}`;
    const core = stack.use(
      await startDevcore({ reloadMs: RELOAD_MS, natsUrl, redisUrl }),
    );
    const slack = stack.use(
      await startSlack({
        behaviour: () => view.stage?.nextBehaviour() ?? "slack",
        watch: {
          connected: () => void view.stage?.slack("connected"),
          async read({ body }, behaviour) {
            view.requests.push({ body, behaviour });
            await view.stage?.slack("request written");
          },
          answered: () => void view.stage?.slack("answered"),
        },
      }),
    );
    const client = { name: "chaos", log: quiet, signal };
    const bus = stack.use(await connectBus({ ...client, url: natsUrl }));
    const store = stack.use(await connectStore({ ...client, url: redisUrl }));
    const address = readAddress((name) => core.env[name]);
    const platform = stack.use(
      new Platform(address, { signal, principal: "chaos" }),
    );
    await installBundle(platform, await archivePack(options.pack));
    const { CORETEX_GATEWAY_URL, CORETEX_API_KEY } = core.env;
    const posters = ["a", "b"].map((letter) =>
      stack.use(
        new Poster({
          id: `poster-${letter}`,
          natsPort: nats.port,
          redisPort: redis.port,
          requires,
          file,
          env: {
            CORETEX_GATEWAY_URL: CORETEX_GATEWAY_URL!,
            CORETEX_API_KEY: CORETEX_API_KEY!,
            SLACK_WEBHOOK_URL: slack.url,
            SLACK_ALLOWED_HOSTS: slack.host,
            POST_TIMEOUT_MS: `${POST_TIMEOUT_MS}`,
            POST_SETTLE_MS: `${POST_SETTLE_MS}`,
          },
          traffic: trafficOf(() => view.stage),
        }),
      )
    );
    const [a, b] = posters;
    await Promise.all(posters.map((poster) => poster.start()));
    return new Lane({
      name,
      core,
      natsServer: nats,
      redisServer: redis,
      posters: [a!, b!],
      platform,
      store,
      bus,
      slack,
      signal,
      view,
      stack: stack.move(),
    });
  }

  /** Begins a trial, with both posters there. */
  async begin(incidentId: string): Promise<Stage> {
    await Promise.all(this.posters.map((poster) => poster.start()));
    for (const poster of this.posters) poster.forget();
    const stage = new Stage(incidentId);
    this.#view.stage = stage;
    return stage;
  }

  /** Ends it: what it broke is whole again, or begins to be. */
  async end(stage: Stage): Promise<void> {
    stage.close();
    delete this.core.faults.onDispatch;
    const ended = Promise.allSettled(stage.pending);
    await within(PENDING_MS, ended).catch(() => {});
    await Promise.all(this.posters.map((poster) => poster.unjump()));
    for (const poster of this.posters) poster.start().catch(() => {});
    this.#view.stage = undefined;
    this.#packets.clear();
    this.#results.clear();
  }

  /** The other of the two. */
  otherThan(poster: Poster): Poster {
    const [a, b] = this.posters;
    return poster === a ? b : a;
  }

  /** One that runs, the given one rather than the other. */
  async liveOne(wanted: Poster): Promise<Poster> {
    if (wanted.alive) return wanted;
    const other = this.otherThan(wanted);
    if (other.alive) return other;
    await wanted.start();
    return wanted;
  }

  /** Starts a run of the incident and approves its post. @returns The job. */
  async approveRun(stage: Stage): Promise<string> {
    const { incidentId } = stage;
    const message = JSON.stringify({
      text: incidentId,
      blocks: [{ type: "divider" }],
    });
    const pointer = await this.platform.gateway.putArtifact({
      content: message,
      contentType: "application/json",
      retention: "short",
      labels: {},
    }, this.#signal);
    const bare = incidentId.replace(/^mock:/, "");
    const run = await this.platform.call(
      "POST",
      `/workflows/${WORKFLOW}/runs`,
      {
        json: {
          incident: { incident_id: bare, destination: { mode: "slack" } },
          evidence: {
            incident_id: bare,
            collected_at: new Date().toISOString(),
            evidence: [],
          },
          summary: {
            incident_id: bare,
            summary_md: "# Chaos",
            highlights: [],
            action_items: [],
            message_ptr: pointer,
            message_sha256: await sha256Hex(message),
          },
        },
      },
    );
    const jobId = `${run["run_id"]}:post@1`;
    stage.jobIds.push(jobId);
    await approve(this.platform, jobId);
    return jobId;
  }

  /** Waits until a job was dispatched. @throws {Error} If it never is. */
  async untilDispatched(jobId: string): Promise<void> {
    const seen = await this.#until(() => this.#packets.has(jobId), DISPATCH_MS);
    if (!seen) throw new Error(`${jobId} was never dispatched`);
  }

  /** Whether a job was dispatched so far. */
  wasDispatched(jobId: string): boolean {
    return this.#packets.has(jobId);
  }

  /**
   * Delivers a job, as it was dispatched, to one poster. Once this resolves, the
   * stage knows of it: the server tells us of the delivery before it confirms.
   */
  async deliver(jobId: string, poster: Poster): Promise<void> {
    const packet = this.#packets.get(jobId);
    if (packet === undefined) return;
    this.#bus.publish(`worker.${poster.id}.jobs`, packet);
    await this.#bus.flush();
  }

  /** Waits until every process is done; `false` if one is not in time. */
  async settle(stage: Stage, patienceMs: number): Promise<boolean> {
    const settled = await this.#until(() => stage.isSettled, patienceMs);
    if (!settled) stage.giveUp();
    return settled;
  }

  /** The job as the platform has it; `undefined` if it knows none. */
  async readJob(jobId: string): Promise<JsonObject | undefined> {
    return await this.platform.find(`/jobs/${encodeURIComponent(jobId)}`);
  }

  /** Whether some poster's result for the job was heard. */
  wasAnswered(jobId: string): boolean {
    return this.#results.has(jobId);
  }

  /** What is kept of the incident's post. */
  async readRecord(stage: Stage): Promise<string[]> {
    const destination = `slack:${
      (await sha256Hex(this.#slack.url)).slice(0, 16)
    }`;
    const { incidentId } = stage;
    const key = recordKey({ tenant: "default", incidentId, destination });
    return await this.store.list(key, this.#signal);
  }

  /** What Slack did with each request for the incident that it read. */
  requests(stage: Stage): Behaviour[] {
    const text = JSON.stringify(stage.incidentId);
    return this.#view.requests.filter(({ body }) => body.includes(text))
      .map(({ behaviour }) => behaviour);
  }

  /** Restarts NATS; resolves when the platform is connected again. */
  async restartNats(): Promise<void> {
    await this.natsServer.restart();
    for (const poster of this.posters) poster.nats.cutAll();
    await this.#untilConnected("nats");
  }

  /** Restarts Redis, with or without what it held. */
  async restartRedis(keeping: "data" | "nothing"): Promise<void> {
    if (keeping === "data") await this.redisServer.restart();
    else await this.redisServer.restartEmpty();
    for (const poster of this.posters) poster.redis.cutAll();
    await this.#untilConnected("redis");
  }

  /** The platform's connection and our own. */
  async #untilConnected(which: "nats" | "redis"): Promise<void> {
    const ours = which === "nats" ? this.#bus : this.store;
    await this.#until(() => ours.connected(), RECONNECT_MS);
    await this.#until(
      async () => {
        const status = await this.platform.call("GET", "/status");
        const { connected, ok } = status[which] as JsonObject;
        return connected === true || ok === true;
      },
      RECONNECT_MS,
      100,
    );
  }

  async #until(
    holds: () => boolean | Promise<boolean>,
    timeoutMs: number,
    pollMs = POLL_MS,
  ): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while (!await holds()) {
      if (performance.now() > deadline) return false;
      await wait(pollMs, this.#signal);
    }
    return true;
  }

  #onJob(poster: Poster, bytes: Uint8Array): void {
    const { payload } = decodePacket(bytes);
    if (payload.case !== "jobRequest" || payload.value.topic !== POST_TOPIC) {
      return;
    }
    const { jobId } = payload.value;
    this.#packets.set(jobId, bytes);
    const stage = this.#view.stage;
    if (stage?.jobIds.includes(jobId) !== true || !poster.exists) return;
    stage.note(`${poster.id} is sent ${jobId}`);
    if (stage.losing > 0) return void stage.losing--;
    stage.deliveries.push({ jobId, poster, starts: poster.starts });
  }

  #onResult(bytes: Uint8Array): void {
    const { payload } = decodePacket(bytes);
    if (payload.case === "jobResult") this.#results.add(payload.value.jobId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
