/**
 * A lane: a platform of its own with two posters and a Slack.
 *
 * @module
 */
import {
  type Devcore,
  startDevcore,
} from "../../../../deploy/devcore/devcore.ts";
import {
  type Behaviour,
  startSlack,
} from "../../../../deploy/standins/slack.ts";
import { sha256Hex } from "../../../../lib/base/digest.ts";
import type { JsonObject } from "../../../../lib/base/json.ts";
import { createLog } from "../../../../lib/base/log.ts";
import { wait, within } from "../../../../lib/base/time.ts";
import { approve } from "../../../../lib/operate/approvals.ts";
import { POST_TOPIC, WORKFLOW_ID } from "../../../../lib/operate/pack.ts";
import { connectBus } from "../../../../lib/platform/bus.ts";
import { decodePacket } from "../../../../lib/platform/packet.ts";
import { connectStore } from "../../../../lib/platform/store.ts";
import { recordKey } from "../../../../lib/post/events.ts";
import { writePublicKey } from "../../../../lib/post/keys.ts";
import {
  createKeys,
  sign,
  signaturesKey,
} from "../../../../lib/post/signature.ts";
import { Stand } from "../../../../scripts/launch/stand.ts";
import type { Severity } from "../../../../lib/incident.ts";
import { section } from "../../../../lib/message/block_kit.ts";
import { type PostSeverity, readAs } from "../../../../lib/post/severity.ts";
import type { Bundle } from "../../../../lib/operate/install.ts";
import type { Ground, Lane } from "../campaign.ts";
import { Poster } from "./poster.ts";
import { type Server, startNats, startRedis } from "./servers.ts";
import type { Sent } from "./oracle.ts";
import type { PostStage } from "./stage.ts";

export interface LaneOptions extends Ground {
  name: string;
  /** For what its servers keep on disk. */
  folder: string;
  bundle: Bundle;
}

const RELOAD_MS = 100;
const POLL_MS = 10;
const DISPATCH_MS = 6_000;
/** What goes on beside a trial is over long before that. */
const PENDING_MS = 10_000;
const RECONNECT_MS = 10_000;
/** The shortest that the poster takes, for short trials. */
const WAITS = { POST_TIMEOUT_MS: "1000", POST_SETTLE_MS: "150" };
/** As long as a post may wait: posters' clocks jump by hours. */
const SIGNATURE_TTL_S = 12 * 3_600;
const KEYS = await createKeys();
const quiet = createLog({}, { write() {} });

/** What the parts of a lane see of the current trial. */
interface View {
  stage: PostStage | undefined;
  /** What Slack read in all trials, since a request may come late. */
  readonly requests: { body: string; behaviour: Behaviour }[];
}

type Parts = Awaited<ReturnType<typeof startParts>>;

async function startParts(
  { embedded, mutant, signal, folder, bundle }: LaneOptions,
  view: View,
  stack: AsyncDisposableStack,
) {
  const kind = embedded ? "embedded" : "real";
  const nats = stack.use(await startNats(kind, `${folder}/nats`));
  const redis = stack.use(await startRedis(kind, `${folder}/redis`));
  const [natsUrl, redisUrl] = [nats.url, redis.url];
  const core = stack.use(
    await startDevcore({ reloadMs: RELOAD_MS, natsUrl, redisUrl }),
  );
  const slack = stack.use(
    await startSlack({
      behaviour: () => view.stage?.answers.next()[0]?.() ?? "slack",
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
  const stand = stack.use(
    await Stand.open({
      platformEnv: core.env,
      slack,
      env: {
        ...WAITS,
        // Then a poster does all that it does without, and two reads more.
        APPROVAL_PUBLIC_KEYS: writePublicKey(KEYS.public),
      },
      principal: "chaos",
      signal,
    }),
  );
  await stand.install(bundle);
  const [a, b] = ["poster-a", "poster-b"].map((id) =>
    stack.use(
      new Poster(id, {
        natsPort: nats.port,
        redisPort: redis.port,
        mutant,
        spawn: (env, options) => stand.spawnBeside("poster", env, options),
        stage: () => view.stage,
      }),
    )
  );
  const posters: readonly [Poster, Poster] = [a!, b!];
  await Promise.all(posters.map((poster) => poster.start()));
  return { nats, redis, core, slack, bus, store, stand, posters };
}

export class PostLane implements Lane<PostStage> {
  readonly name: string;
  readonly kind = "";
  readonly replicas: readonly [Poster, Poster];
  readonly core: Devcore;
  readonly servers: { nats: Server; redis: Server };
  readonly #parts: Parts;
  readonly #view: View;
  readonly #stack: AsyncDisposableStack;
  readonly #signal: AbortSignal;
  /** The packets of dispatched jobs, by job id. */
  readonly #packets = new Map<string, Uint8Array>();
  readonly #results = new Set<string>();

  private constructor(
    { name, signal }: LaneOptions,
    parts: Parts,
    view: View,
    stack: AsyncDisposableStack,
  ) {
    const { nats, redis, core, posters, bus } = parts;
    this.name = name;
    this.replicas = posters;
    this.core = core;
    this.servers = { nats, redis };
    this.#parts = parts;
    this.#view = view;
    this.#stack = stack;
    this.#signal = signal;
    for (const poster of posters) {
      const subject = `worker.${poster.id}.jobs`;
      bus.subscribe(subject, (bytes) => this.#onJob(poster, bytes));
    }
    bus.subscribe("sys.job.result", (bytes) => this.#onResult(bytes));
  }

  static async start(options: LaneOptions): Promise<PostLane> {
    await using stack = new AsyncDisposableStack();
    const view: View = { stage: undefined, requests: [] };
    const parts = await startParts(options, view, stack);
    return new PostLane(options, parts, view, stack.move());
  }

  get stage(): PostStage | undefined {
    return this.#view.stage;
  }

  set stage(stage: PostStage | undefined) {
    this.#view.stage = stage;
  }

  async end(stage: PostStage): Promise<void> {
    delete this.core.faults.onDispatch;
    const ended = Promise.allSettled(stage.pending);
    await within(PENDING_MS, ended).catch(() => {});
    await Promise.all(this.replicas.map((poster) => poster.unjump()));
    for (const poster of this.replicas) poster.start().catch(() => {});
    this.#packets.clear();
    this.#results.clear();
  }

  otherThan(poster: Poster): Poster {
    const [a, b] = this.replicas;
    return poster === a ? b : a;
  }

  /** The wanted poster or, if only the other one runs, that one. */
  async liveOne(wanted: Poster): Promise<Poster> {
    if (wanted.alive) return wanted;
    const other = this.otherThan(wanted);
    if (other.alive) return other;
    await wanted.start();
    return wanted;
  }

  /** Makes the incident one that was posted before. */
  async plant(stage: PostStage, severity: Severity): Promise<void> {
    const { store } = this.#parts;
    const at = new Date().toISOString();
    const facts = { job_id: "before", run_id: "before" };
    const token = "before";
    const claim = { type: "claim", token, ...facts, digest: "d", host: "h" };
    const result = { posted_at: at, message_sha256: "d".repeat(64), ...facts };
    const key = await this.#keyOf(stage);
    for (
      const event of [
        { ...claim, severity, at },
        { type: "posted", token, result, at },
      ]
    ) await store.append(key, JSON.stringify(event), this.#signal);
  }

  /** Starts a run of the incident and approves its post. @returns The job. */
  async approveRun(stage: PostStage, severity: PostSeverity): Promise<string> {
    const { platform } = this.#parts.stand;
    // So that a request tells what it says.
    const block = section(severity);
    const message = JSON.stringify({ text: stage.incidentId, blocks: [block] });
    const pointer = await platform.gateway.putArtifact({
      content: message,
      contentType: "application/json",
      retention: "short",
    }, this.#signal);
    const incident_id = stage.incidentId.replace(/^mock:/, "");
    const json = {
      incident: { incident_id, severity, destination: { mode: "slack" } },
      evidence: {
        incident_id,
        collected_at: new Date().toISOString(),
        evidence: [],
        normalized_context: { severity: readAs(severity) },
      },
      summary: {
        incident_id,
        summary_md: "# Chaos",
        highlights: [],
        action_items: [],
        message_ptr: pointer,
        message_sha256: await sha256Hex(message),
      },
    };
    const path = `/workflows/${WORKFLOW_ID}/runs`;
    const run = await platform.call("POST", path, { json });
    const jobId = `${run["run_id"]}:post@1`;
    stage.jobIds.push(jobId);
    stage.severities.set(jobId, severity);
    const { message_sha256: digest } = json.summary;
    await this.#sign(jobId, digest);
    await approve(platform, jobId);
    return jobId;
  }

  async #sign(jobId: string, digest: string): Promise<void> {
    const { slack, store } = this.#parts;
    const item = await sign(KEYS.signing, {
      tenant: "default",
      jobId,
      digest,
      destination: `slack:${(await sha256Hex(slack.url)).slice(0, 16)}`,
      expiresAt: new Date(Date.now() + SIGNATURE_TTL_S * 1000).toISOString(),
    });
    const key = signaturesKey(jobId);
    await store.append(key, item, this.#signal, SIGNATURE_TTL_S);
  }

  /** Waits until a job was dispatched. @throws {Error} If it never is. */
  async untilDispatched(jobId: string): Promise<void> {
    const seen = await this.#until(() => this.#packets.has(jobId), DISPATCH_MS);
    if (!seen) throw new Error(`${jobId} was never dispatched`);
  }

  /**
   * Delivers a job to one poster as it was dispatched. The stage knows once this
   * resolves, since the server tells us of the delivery before it confirms.
   */
  async deliver(jobId: string, poster: Poster): Promise<void> {
    const packet = this.#packets.get(jobId);
    if (packet === undefined) return;
    const { bus } = this.#parts;
    bus.publish(`worker.${poster.id}.jobs`, packet);
    await bus.flush();
  }

  /** Delivers every job of the trial while the rest goes on. */
  deliverAll(stage: PostStage, to: Poster): void {
    for (const jobId of stage.jobIds) stage.also(this.deliver(jobId, to));
  }

  /** Waits until every process is done, and gives up on late ones. */
  async settle(stage: PostStage, patienceMs: number): Promise<void> {
    const settled = await this.#until(() => stage.isSettled, patienceMs);
    if (!settled) stage.giveUp();
  }

  /** @returns `undefined` if the platform does not know the job. */
  async readJob(jobId: string): Promise<JsonObject | undefined> {
    const path = `/jobs/${encodeURIComponent(jobId)}`;
    return await this.#parts.stand.platform.find(path);
  }

  /** Whether a poster has published a result for the job. */
  wasAnswered(jobId: string): boolean {
    return this.#results.has(jobId);
  }

  async readRecord(stage: PostStage): Promise<string[]> {
    const key = await this.#keyOf(stage);
    return await this.#parts.store.list(key, this.#signal);
  }

  async #keyOf({ incidentId }: PostStage): Promise<string> {
    const digest = await sha256Hex(this.#parts.slack.url);
    const destination = `slack:${digest.slice(0, 16)}`;
    return recordKey({ tenant: "default", incidentId, destination });
  }

  /** What Slack did with each request it read for the incident. */
  requests({ incidentId }: PostStage): Sent[] {
    const text = JSON.stringify(incidentId);
    return this.#view.requests.filter(({ body }) => body.includes(text))
      .map(({ body, behaviour }) => {
        const { blocks: [{ text: said }] } = JSON.parse(body);
        const isUpdate = body.includes(" Update: now ");
        return { severity: said.text, isUpdate, behaviour };
      });
  }

  /** Restarts NATS; resolves when the platform is connected again. */
  async restartNats(): Promise<void> {
    await this.servers.nats.restart();
    for (const poster of this.replicas) poster.nats.cutAll();
    await this.#untilConnected("nats");
  }

  /** Restarts Redis, with or without what it held. */
  async restartRedis(keeping: "data" | "nothing"): Promise<void> {
    const { redis } = this.servers;
    await (keeping === "data" ? redis.restart() : redis.restartEmpty());
    for (const poster of this.replicas) poster.redis.cutAll();
    await this.#untilConnected("redis");
  }

  /** Waits for the platform's connection and for our own. */
  async #untilConnected(which: "nats" | "redis"): Promise<void> {
    const { bus, store, stand } = this.#parts;
    const ours = which === "nats" ? bus : store;
    await this.#until(() => ours.connected(), RECONNECT_MS);
    await this.#until(
      async () => {
        const status = await stand.platform.call("GET", "/status");
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
    const { stage } = this;
    if (!stage?.jobIds.includes(jobId) || !poster.process) return;
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
