/**
 * The demo's steps, in their order.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import { type Devcore, startDevcore } from "../../deploy/devcore/devcore.ts";
import { type SlackStandIn, startSlack } from "../../deploy/standins/slack.ts";
import { wait } from "../../lib/base/time.ts";
import { sha256Hex } from "../../lib/base/digest.ts";
import { shorten } from "../../lib/base/text.ts";
import type {
  EvidenceBundle,
  PostResult,
  Summary,
} from "../../lib/incident.ts";
import { decodeMessage, encodeMessage } from "../../lib/message/render.ts";
import { GATEWAY_SETTINGS } from "../../lib/platform/settings.ts";
import { WORKERS } from "../launch/permissions.ts";
import {
  approve,
  follow,
  readProposal,
  reject,
} from "../../lib/operate/approvals.ts";
import { askYesOrNo } from "../terminal/ask.ts";
import {
  type CommandContext,
  CommandError,
  explain,
} from "../terminal/command.ts";
import { inBytes, inSeconds, outputStyle, table } from "../terminal/format.ts";
import { Progress, showProgress } from "../terminal/progress.ts";
import {
  installBundle,
  type Installed,
  type Leftovers,
  uninstallPack,
} from "../../lib/operate/install.ts";
import {
  confirmLoss,
  describeLeftovers,
  SIDE_EFFECTS,
  simulationRow,
} from "../terminal/installation.ts";
import { PACK_ID, POST_TOPIC, WORKFLOW_ID } from "../../lib/operate/pack.ts";
import { readConfig } from "../../lib/base/config.ts";
import { renderText } from "../../lib/message/text.ts";
import {
  type Bundle,
  bundlePack,
  type PackFiles,
  readPackFolder,
} from "../pack/pack.ts";
import {
  Platform,
  PLATFORM_SETTINGS,
  readAddress,
  readPlatformEnv,
} from "../../lib/operate/platform.ts";
import {
  cacheWorkers,
  spawnWorker,
  type WorkerProcess,
} from "../launch/process.ts";
import { createSender, type Sender, type SenderName } from "./senders.ts";
import { freePort } from "../launch/free_port.ts";
import { readRequirements } from "../launch/environment.ts";

/** What the demo is asked to do. */
export interface DemoOptions {
  /** The incident's id; Alertmanager's has none of its own. */
  incident: string;
  /** Who sends it. */
  source: SenderName;
  /** Post to a stand-in for Slack rather than to an artifact. */
  slack: boolean;
  /** What becomes of the post; `ask` asks on the terminal. */
  decision: "approve" | "reject" | "ask";
  keep: boolean;
  yes: boolean;
  principal: string;
  context: CommandContext;
}

type GoalName = "install" | "routing" | "approval" | "artifacts" | "upgrade";

/** The goals of the pack, as its design words them. */
const GOALS: readonly (readonly [GoalName, string])[] = [
  ["install", "pack install and uninstall"],
  ["routing", "routing overlays"],
  ["approval", "policy fragment forces approval"],
  ["artifacts", "artifacts"],
  ["upgrade", "upgrade path"],
];

const FRAGMENT_KEY = `${PACK_ID}/safety`;
/** Devcore reloads often, so that nobody waits for the platform's 30 s. */
const DEVCORE_RELOAD_MS = 400;
const POLL_MS = 150;
const WORKER_READY_MS = 30_000;
const ROUTABLE_MS = 45_000;
const RUN_MS = 120_000;
/** Where the sample's own link leads, so that its button may. */
const SAMPLE_ORIGIN = "https://incidents.example.com";
const ARTIFACT_BYTES_MAX = 8 * 1024 * 1024;
const APPROVALS_MAX = 3;

/** One run of the demo. */
export class Demo implements AsyncDisposable {
  readonly #options: DemoOptions;
  readonly #stack = new AsyncDisposableStack();
  readonly #context: CommandContext;
  readonly #observed = new Map<GoalName, string>();
  readonly #started = performance.now();
  readonly #processes = new Map<string, WorkerProcess>();
  /** Why not every goal can be shown, if that is the platform's doing. */
  #cause: string | undefined;
  #step = "";
  #core: Devcore | undefined;
  #slack: SlackStandIn | undefined;
  /** Whether the post was rejected by decision, not by the platform. */
  #rejected = false;
  /** The variables that name the platform, for the workers. */
  #platformEnv!: Readonly<Record<string, string>>;
  #platform!: Platform;
  #ingesterUrl = "";
  #bundle!: Bundle;
  readonly #sender: Sender;

  constructor(options: DemoOptions) {
    this.#options = options;
    this.#context = options.context;
    this.#sender = createSender(options.source);
  }

  /** Runs every step. @returns The exit code. */
  async run(): Promise<number> {
    try {
      await this.#runSteps();
    } catch (error) {
      this.#explain(error);
      return 1;
    }
    const code = this.#summarizeGoals();
    if (this.#options.keep) await this.#keep();
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #runSteps(): Promise<void> {
    await this.#named("platform", () => this.#startPlatform());
    const installed = await this.#named("install", () => this.#installPack());
    await this.#named("workers", () => this.#startWorkers());
    const { runId, incidentId } = await this.#named(
      "incident",
      () => this.#sendIncident(),
    );
    const jobId = await this.#named("run", () => this.#followRun(runId));
    const result = await this.#named(
      "approval",
      () => this.#decide(runId, jobId),
    );
    await this.#named(
      "audit trail",
      () => this.#showAuditTrail(runId, incidentId, result),
    );
    await this.#named("upgrade", () => this.#upgrade());
    await this.#named("uninstall", () => this.#uninstall(installed));
    if (this.#options.keep) {
      await this.#named("install again", () => this.#installAgain());
    }
  }

  /** Runs one step, so that a failure can say which it was. */
  async #named<T>(step: string, run: () => Promise<T>): Promise<T> {
    this.#context.signal.throwIfAborted();
    this.#step = step;
    const ended = Promise.race([run(), this.#aborted(), this.#workerEnded()]);
    return await ended as T;
  }

  #aborted(): Promise<never> {
    const { signal } = this.#context;
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), {
        once: true,
      });
    });
  }

  /** Rejects when a worker ends that should run. */
  #workerEnded(): Promise<never> {
    return Promise.race([...this.#processes.values()].map(async (process) => {
      const code = await process.ended;
      throw new CommandError(
        `The ${process.name} ended with exit code ${code}`,
      );
    }));
  }

  #heading(text: string): void {
    this.#context.out();
    this.#context.out(`${text}`);
  }

  #line(text: string): void {
    this.#context.out(
      `  ${inSeconds(performance.now() - this.#started).padStart(7)}  ${text}`,
    );
  }

  async #startPlatform(): Promise<void> {
    const { principal } = this.#options;
    const env = (name: string) => this.#context.env(name);
    const named = GATEWAY_SETTINGS.gatewayUrl.names.some((name) => env(name));
    if (!named) {
      this.#core = this.#stack.use(
        await startDevcore({
          reloadMs: DEVCORE_RELOAD_MS,
          ...pick("natsUrl", env("NATS_URL")),
          ...pick(
            "redisUrl",
            env("REDIS_URL") ?? fromAddress(env("REDIS_ADDR")),
          ),
        }),
      );
    }
    this.#platformEnv = this.#core?.env ?? readPlatformEnv(env);
    const { signal } = this.#context;
    const envOf = (name: string) => this.#platformEnv[name];
    const { gatewayUrl, natsUrl, redisUrl } = readConfig(
      PLATFORM_SETTINGS,
      envOf,
    );
    this.#platform = this.#stack.use(
      new Platform(readAddress(envOf), { signal, principal }),
    );
    const { build } = await this.#platform.call("GET", "/status") as {
      build?: { version?: string };
    };
    const version = build === undefined
      ? "coretexOS 0.6 or older"
      : `version ${build.version}`;
    this.#heading(
      this.#core === undefined
        ? `Platform: ${version}`
        : "Platform: devcore, a stand-in on this machine",
    );
    this.#line(`gateway ${gatewayUrl}`);
    this.#line(`NATS ${hostOf(natsUrl)}, Redis ${hostOf(redisUrl)}`);
  }

  async #installPack(): Promise<Installed> {
    this.#heading("Pack");
    const files = await readPackFolder("pack");
    this.#bundle = await bundlePack(files);
    await Deno.mkdir("dist", { recursive: true });
    await Deno.writeFile(`dist/${this.#bundle.name}`, this.#bundle.bytes);
    this.#line(
      `bundled dist/${this.#bundle.name}, ${
        inBytes(this.#bundle.bytes.length)
      }`,
    );
    this.#line(`sha256 ${this.#bundle.sha256}`);
    await this.#refuseForeignWorkers();
    await this.#stopBeforeForeignApprovals();
    if (this.#core === undefined) {
      this.#line(
        "a real platform reloads policy and routing every 30 s: this takes up to a minute",
      );
    }
    const installed = await this.#install(this.#bundle);
    this.#line(
      `installed, status ${installed.record["status"]}; policy in force after ${
        inSeconds(installed.policyMs)
      }, routing after ${inSeconds(installed.routingMs)}`,
    );
    if (installed.forced) {
      this.#line(
        "installed with force: the platform's own version is unknown to it",
      );
    }
    const rows = installed.simulations.map((one) => [
      "simulation",
      ...simulationRow(one),
    ]);
    for (const row of table(rows)) this.#line(row);
    this.#line("what else this changes for the platform:");
    for (const effect of SIDE_EFFECTS) this.#line(`  ${effect}`);
    return installed;
  }

  /** Installs, over whatever an earlier run has left. */
  async #install(bundle: Bundle): Promise<Installed> {
    const path = `/workflows/${encodeURIComponent(WORKFLOW_ID)}`;
    const upgrade = await this.#platform.find(path) !== undefined ||
      await this.#platform.find(`/packs/${PACK_ID}`) !== undefined;
    return await installBundle(this.#platform, bundle, {
      upgrade,
      onProgress: showProgress(this.#context),
    });
  }

  /** Two processes with one worker id would do every job twice. */
  async #refuseForeignWorkers(): Promise<void> {
    const snapshot = await this.#platform.workers();
    const running =
      snapshot?.workers.filter(({ worker_id: id }) =>
        id.startsWith(`${PACK_ID}-`)
      ) ?? [];
    if (running.length === 0) return;
    const names = running.map(({ worker_id: id }) => id).join(", ");
    throw new CommandError(
      `Workers of this pack run on that platform already: ${names}. Stop them, wait 30 s, and start the demo again`,
    );
  }

  async #stopBeforeForeignApprovals(): Promise<void> {
    const waiting = await this.#platform.waiting();
    if (waiting.length === 0) return;
    await confirmLoss(this.#platform, this.#context, this.#options.yes);
  }

  async #startWorkers(): Promise<void> {
    this.#heading("Workers: four processes, each with its own permissions");
    await cacheWorkers(WORKERS);
    const requirements = await readRequirements();
    const port = freePort();
    if (this.#options.slack) {
      this.#slack = this.#stack.use(await startSlack());
      this.#line(`Slack      a stand-in on this machine, ${this.#slack.host}`);
    }
    for (const worker of WORKERS) {
      const process = spawnWorker(worker, requirements[worker], {
        ...this.#platformEnv,
        INGESTER_ADDR: `127.0.0.1:${port}`,
        INGEST_MOCK_OPEN: "1",
        ...this.#sender.env,
        LINK_ORIGINS: SAMPLE_ORIGIN,
        ...this.#slack === undefined
          ? { DEFAULT_DESTINATION_MODE: "artifact" }
          : {
            DEFAULT_DESTINATION_MODE: "slack",
            SLACK_WEBHOOK_URL: this.#slack.url,
            SLACK_ALLOWED_HOSTS: this.#slack.host,
          },
      });
      this.#processes.set(worker, process);
      this.#stack.use(process);
    }
    for (const process of this.#processes.values()) {
      await process.waitFor("Worker ready", WORKER_READY_MS);
      this.#line(
        `${process.name.padEnd(10)}  pid ${process.pid}  ${
          process.flags.find((flag) => flag.startsWith("--allow-net"))
        }`,
      );
    }
    this.#ingesterUrl = `http://127.0.0.1:${port}`;
    await this.#untilRoutable();
    this.#line("the scheduler knows a worker for every topic");
  }

  async #untilRoutable(): Promise<void> {
    const progress = new Progress(
      "waiting for the scheduler to see the workers",
      this.#context,
    );
    while (true) {
      const snapshot = await this.#platform.workers();
      const topics = Object.entries(snapshot?.topics ?? {}).filter(([topic]) =>
        topic.startsWith(`job.${PACK_ID}.`)
      );
      if (
        topics.length === 3 && topics.every(([, { available }]) => available)
      ) return;
      if (progress.seconds * 1000 > ROUTABLE_MS) {
        throw new CommandError("The scheduler does not see the workers");
      }
      progress.tick();
      await wait(POLL_MS, this.#context.signal);
    }
  }

  async #sendIncident(): Promise<{ runId: string; incidentId: string }> {
    this.#heading("Incident");
    const { incident } = this.#options;
    const body = await this.#sender.body(incident, new Date().toISOString());
    const proof = this.#sender.prove(body);
    if (Object.keys(proof).length > 0) await this.#showRefusal(body);
    const { status, answer } = await this.#sendWebhook(body, proof);
    if (status !== 202) {
      throw new CommandError(
        `The ingester answered status ${status}: ${answer["error"]}`,
      );
    }
    const runId = String(answer["run_id"]);
    const incidentId = String(answer["incident_id"]);
    this.#line(
      `${this.#sender.what} sent for ${incidentId}, answered 202 with run ${runId}`,
    );
    return { runId, incidentId };
  }

  /** Shows that nobody gets in without what proves who sends. */
  async #showRefusal(body: string): Promise<void> {
    const { status } = await this.#sendWebhook(body, {});
    if (status !== 401) {
      throw new CommandError(
        `The ingester answered status ${status} to a webhook that nobody proved, expected 401`,
      );
    }
    this.#line("the same webhook from anybody else: refused with 401");
  }

  async #sendWebhook(
    body: string,
    headers: Record<string, string>,
  ): Promise<{ status: number; answer: JsonObject }> {
    const response = await fetch(this.#ingesterUrl + this.#sender.path, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body,
      signal: AbortSignal.any([
        this.#context.signal,
        AbortSignal.timeout(10_000),
      ]),
    });
    return { status: response.status, answer: await response.json() };
  }

  /** Follows a run until its post waits for approval. @returns The post's job id. */
  async #followRun(runId: string): Promise<string> {
    const shown = new Set<string>();
    const progress = new Progress("waiting for the run", this.#context);
    while (progress.seconds * 1000 < RUN_MS) {
      const run = await this.#platform.call("GET", `/workflow-runs/${runId}`);
      this.#showSteps(run, shown);
      const waiting = (await this.#platform.waiting()).filter(({ jobId }) =>
        jobId.startsWith(`${runId}:`)
      );
      const post = waiting.find(({ topic }) => topic === POST_TOPIC);
      if (post !== undefined) {
        this.#line(
          `post       waits for approval, demanded by rule ${post.ruleId}`,
        );
        this.#observed.set(
          "approval",
          `rule ${post.ruleId} held the post until a person decided`,
        );
        return post.jobId;
      }
      if (waiting[0] !== undefined) {
        throw new CommandError(
          `The platform wants approval for ${waiting[0].topic}, by rule ${
            waiting[0].ruleId
          }: its own rules object to the input`,
        );
      }
      if (
        String(run["status"]) !== "running" &&
        String(run["status"]) !== "pending"
      ) {
        throw new CommandError(explainEndedRun(run));
      }
      await wait(POLL_MS, this.#context.signal);
    }
    throw new CommandError(
      `The run's post did not ask for approval within ${RUN_MS / 1000} s`,
    );
  }

  #showSteps(run: JsonObject, shown: Set<string>): void {
    const outputs =
      ((run["context"] as JsonObject | null)?.["steps"] ?? {}) as Record<
        string,
        { output?: unknown }
      >;
    for (const step of ["fetch", "summarize"]) {
      const output = outputs[step]?.output;
      if (output === undefined || shown.has(step)) continue;
      shown.add(step);
      if (step === "fetch") this.#showEvidence(output as EvidenceBundle);
      else this.#showSummary(output as Summary);
    }
  }

  #showEvidence({ evidence, gaps = [] }: EvidenceBundle): void {
    this.#line(
      `fetch      ${evidence.length} pieces of evidence, each an artifact`,
    );
    for (const { id, kind, title, bytes, artifact_ptr } of evidence) {
      this.#line(
        `           [${id}] ${title} (${kind}, ${
          inBytes(bytes)
        }) ${artifact_ptr}`,
      );
    }
    for (const { what, why } of gaps) {
      this.#line(`           missing: ${what}, ${why}`);
    }
  }

  #showSummary({ summary_md, model, confidence }: Summary): void {
    this.#line(`summarize  by ${model}, confidence ${confidence}`);
    this.#context.out();
    for (const line of summary_md.trim().split("\n")) {
      this.#context.out(`    | ${line}`);
    }
    this.#context.out();
  }

  /** Approves or rejects. @returns What was posted, if anything. */
  async #decide(runId: string, jobId: string): Promise<PostResult | undefined> {
    const { principal } = this.#options;
    const { decision } = this.#options;
    this.#heading(decision === "reject" ? "Rejection" : "Approval");
    const { digest, digestHolds, blocks } = await readProposal(
      this.#platform,
      jobId,
    );
    this.#line(
      `the message to be posted has sha256 ${digest}${
        digestHolds ? "" : ", which is NOT the one that the summary names"
      }`,
    );
    if (decision === "ask") this.#showMessage(blocks);
    this.#rejected = decision === "reject" ||
      decision === "ask" &&
        !await askYesOrNo(this.#context, `  Post this as ${principal}?`);
    if (this.#rejected) {
      await reject(this.#platform, jobId, "rejected in the demo");
      await this.#showRejected(runId, jobId);
      return undefined;
    }
    for (let attempt = 1; attempt <= APPROVALS_MAX; attempt++) {
      const approved = await approve(this.#platform, jobId);
      this.#line(
        approved
          ? `approved as ${principal}, with an empty body`
          : "somebody else decided it",
      );
      const followed = await follow(this.#platform, jobId, RUN_MS);
      if (followed.end === "succeeded") {
        this.#line(`post       done, job ${jobId}`);
        await this.#showReceived(digest);
        return followed.result as unknown as PostResult;
      }
      if (followed.end === "failed") {
        throw new CommandError(
          `The post failed: ${followed.code} ${followed.message}`,
        );
      }
      if (followed.end === "still running") {
        throw new CommandError(`The post is still ${followed.state}`);
      }
      this.#line("it bounced: the job waits for approval again");
      if (await this.#neverReleases()) break;
    }
    this.#cause ??= "every approval bounced";
    await reject(this.#platform, jobId, "the platform does not release it");
    this.#line(`rejected, since ${this.#cause}`);
    return undefined;
  }

  #showMessage(blocks: readonly JsonObject[]): void {
    const { columns, colour } = outputStyle(this.#context);
    this.#context.out();
    for (const line of renderText(blocks, { columns: columns - 2, colour })) {
      this.#context.out(`  ${line}`);
    }
    this.#context.out();
  }

  /** What went out, as the other side has it, is what was approved. */
  async #showReceived(digest: string | undefined): Promise<void> {
    if (this.#slack === undefined) return;
    const [post, ...more] = this.#slack.received;
    if (post === undefined || more.length > 0) {
      throw new CommandError(
        `Slack received ${this.#slack.received.length} messages, expected 1`,
      );
    }
    const { text, blocks } = JSON.parse(post.body);
    const approved = decodeMessage(
      encodeMessage({ text, blocks: blocks.slice(0, -1) }),
    );
    const received = await sha256Hex(encodeMessage(approved));
    if (received !== digest) {
      throw new CommandError(
        `Slack received a message with sha256 ${received}, approved was ${digest}`,
      );
    }
    this.#line("Slack received one message: what was approved, and the footer");
    this.#showMessage(blocks);
  }

  /** coretexOS 0.6 reads its own approvals back wrongly, so that none counts. */
  async #neverReleases(): Promise<boolean> {
    const { build } = await this.#platform.call("GET", "/status");
    if (build !== undefined) return false;
    this.#cause =
      "this platform is coretexOS 0.6, which never releases an approved job";
    this.#line(this.#cause);
    return true;
  }

  async #showRejected(runId: string, jobId: string): Promise<void> {
    const progress = new Progress("waiting for the run to end", this.#context);
    let run = await this.#platform.call("GET", `/workflow-runs/${runId}`);
    while (
      ["running", "pending"].includes(String(run["status"])) &&
      progress.seconds < 30
    ) {
      await wait(POLL_MS, this.#context.signal);
      run = await this.#platform.call("GET", `/workflow-runs/${runId}`);
    }
    const job = await this.#platform.call(
      "GET",
      `/jobs/${encodeURIComponent(jobId)}`,
    );
    this.#line(`rejected: job ${job["state"]}, run ${run["status"]}`);
    const taken = this.#processes.get("poster")!.lastLines.some((line) =>
      line.includes(jobId)
    );
    if (taken || job["state"] !== "DENIED") {
      throw new CommandError("The rejected job reached the poster");
    }
    if (this.#slack !== undefined && this.#slack.connections() > 0) {
      throw new CommandError("Slack was called for a rejected post");
    }
    this.#line(
      "nothing was posted: the poster never got the job, and the job has no result of ours",
    );
  }

  async #showAuditTrail(
    runId: string,
    incidentId: string,
    result: PostResult | undefined,
  ): Promise<void> {
    this.#heading("Audit trail");
    if (result !== undefined) {
      for (const [name, value] of Object.entries(result)) {
        this.#line(
          `${name.padEnd(16)} ${
            typeof value === "object" ? JSON.stringify(value) : value
          }`,
        );
      }
    }
    const run = await this.#platform.call("GET", `/workflow-runs/${runId}`);
    const steps = (run["context"] as JsonObject)["steps"] as Record<
      string,
      { output: JsonObject }
    >;
    const { evidence } = steps["fetch"]!.output as unknown as EvidenceBundle;
    const summary = steps["summarize"]!.output as unknown as Summary;
    const pointers = [
      ...evidence.map(({ artifact_ptr }) => artifact_ptr),
      summary.artifact_ptr,
      summary.message_ptr,
      result?.artifact_ptr,
    ].filter((pointer) => pointer !== undefined);
    const rows: string[][] = [];
    for (const pointer of pointers) {
      rows.push(await this.#checkArtifact(pointer, incidentId));
    }
    for (const row of table(rows)) this.#line(row);
    const wrong = rows.filter((row) => row.at(-1) !== "digest ok").length;
    if (wrong > 0) {
      throw new CommandError(`${wrong} artifacts are not what was stored`);
    }
    if (result === undefined && !this.#rejected) return;
    this.#observed.set(
      "artifacts",
      `${rows.length} artifacts stored, read back, digests right`,
    );
    this.#observeRouting(runId);
  }

  async #checkArtifact(pointer: string, incidentId: string): Promise<string[]> {
    const { signal } = this.#context;
    const artifact = await this.#platform.gateway.readArtifact(
      pointer,
      ARTIFACT_BYTES_MAX,
      signal,
    );
    const { kind = "", sha256 = "", incident_id: incident = incidentId } =
      artifact.labels;
    const digest = await sha256Hex(artifact.bytes);
    const right = digest === sha256 && incident === incidentId;
    return [
      pointer,
      kind,
      inBytes(artifact.bytes.length),
      artifact.retention,
      right ? "digest ok" : "digest WRONG",
    ];
  }

  /** Each worker's own log says which jobs it got. */
  #observeRouting(runId: string): void {
    const served = [["fetcher", "fetch"], ["summarizer", "summarize"], [
      "poster",
      "post",
    ]]
      .filter(([, step]) => !(this.#rejected && step === "post"));
    const right = served.every(([worker, step]) =>
      this.#processes.get(worker!)!.lastLines.some((line) =>
        line.includes(`${runId}:${step}@`)
      )
    );
    if (!right) {
      throw new CommandError("A job did not go to the worker of its pool");
    }
    this.#observed.set(
      "routing",
      `${served.length} topics, ${served.length} pools: each job went to the one worker of its pool`,
    );
  }

  /** A second version, made on the fly, in place of the first. */
  async #upgrade(): Promise<void> {
    this.#heading("Upgrade");
    const before = await this.#fragments();
    const next = await bundlePack(secondVersion(this.#bundle.files));
    this.#line(
      `bundled ${next.name} in memory: one schema, the workflow and the fragment changed`,
    );
    const { record, policyMs } = await this.#install(next);
    this.#line(
      `installed over ${this.#bundle.version}, version ${
        record["version"]
      }; policy in force after ${inSeconds(policyMs)}`,
    );
    const after = await this.#fragments();
    const keys = Object.keys(after).filter((key) =>
      key.startsWith(`${PACK_ID}/`)
    );
    const workflow = await this.#platform.find(
      `/workflows/${encodeURIComponent(WORKFLOW_ID)}`,
    );
    const schema = await this.#platform.find(
      `/schemas/${encodeURIComponent(`${PACK_ID}/PostResult`)}`,
    );
    const checks: [string, boolean][] = [
      [
        "the fragment's key is the same",
        FRAGMENT_KEY in before && sameItems(keys, [FRAGMENT_KEY]),
      ],
      [
        "the fragment is the new one",
        after[FRAGMENT_KEY]?.["content"] ===
          next.files.get("overlays/policy.fragment.yaml"),
      ],
      [
        "the workflow is the new one",
        workflow?.["description"] === SECOND_DESCRIPTION,
      ],
      [
        "the schema is the new one",
        ((schema?.["schema"] ?? {}) as JsonObject)["description"] ===
          SECOND_DESCRIPTION,
      ],
    ];
    for (const [what, holds] of checks) {
      this.#line(`${holds ? "ok   " : "WRONG"}  ${what}`);
    }
    if (!checks.every(([, holds]) => holds)) {
      throw new CommandError("The upgrade left something stale");
    }
    this.#observed.set(
      "upgrade",
      `${this.#bundle.version} to ${next.version} in place, fragment key ${FRAGMENT_KEY} kept, nothing stale`,
    );
  }

  async #fragments(): Promise<Record<string, JsonObject>> {
    return ((await this.#platform.config("policy"))["bundles"] ?? {}) as Record<
      string,
      JsonObject
    >;
  }

  async #uninstall({ record, simulations }: Installed): Promise<void> {
    this.#heading("Uninstall");
    const leftovers = await uninstallPack(this.#platform, PACK_ID, {
      purge: false,
    });
    for (const line of describeLeftovers(leftovers)) this.#line(line);
    this.#line("workflow and schemas go only with --purge");
    const passed = simulations.every(({ ok }) => ok);
    if (record["status"] !== "ACTIVE" || !passed || !isClean(leftovers)) {
      throw new CommandError("The uninstall left something that it should not");
    }
    this.#observed.set(
      "install",
      `ACTIVE with ${simulations.length} of ${simulations.length} simulations right, then DISABLED with no topic and no fragment left`,
    );
  }

  #summarizeGoals(): number {
    this.#heading("Goals");
    const rows = GOALS.map(([name, about], at) => [
      String(at + 1),
      about,
      this.#observed.has(name) ? "shown" : "NOT SHOWN",
      this.#observed.get(name) ?? this.#cause ?? "",
    ]);
    for (const row of table(rows)) this.#context.out(`  ${row}`);
    this.#context.out();
    if (this.#cause !== undefined) this.#context.out(`demo: ${this.#cause}`);
    this.#context.out(
      `demo: ${this.#observed.size} of ${GOALS.length} goals shown`,
    );
    return this.#observed.size === GOALS.length && this.#cause === undefined
      ? 0
      : 1;
  }

  async #installAgain(): Promise<void> {
    this.#heading("Install again, to keep it");
    await this.#install(this.#bundle);
    this.#line(`version ${this.#bundle.version} is in force`);
  }

  async #keep(): Promise<void> {
    this.#heading(
      "Everything keeps running until Ctrl-C. To try next, in another terminal:",
    );
    this.#context.out();
    this.#context.out(
      `  curl -d @deploy/samples/sample_webhook.json ${this.#ingesterUrl}/webhook/mock`,
    );
    this.#context.out();
    // A platform that was named is named still, and its keys are not to be shown.
    if (this.#core !== undefined) {
      for (const [name, value] of Object.entries(this.#core.env)) {
        this.#context.out(`  export ${name}=${value}`);
      }
    }
    this.#context.out(
      `  export INGESTER_ADDR=${new URL(this.#ingesterUrl).host}`,
    );
    this.#context.out("  deno task approve_latest_post");
    this.#context.out("  deno task permissions");
    this.#context.out("  deno task uninstall --purge");
    this.#context.out();
    await Promise.race([this.#aborted(), this.#workerEnded()]).catch(
      (error) => {
        if (!this.#context.signal.aborted) this.#explain(error);
      },
    );
  }

  #explain(error: unknown): void {
    this.#context.err("");
    this.#context.err(
      `demo: failed at step "${this.#step}": ${explain(error)}`,
    );
    for (const { name, lastLines } of this.#processes.values()) {
      if (lastLines.length === 0) continue;
      this.#context.err(`\nThe last lines of the ${name}:`);
      for (const line of lastLines) {
        this.#context.err(`  ${shorten(line, 500)}`);
      }
    }
  }
}

const SECOND_DESCRIPTION = "Changed by the demo to show an upgrade.";

/** The pack as a second version would be. */
function secondVersion(files: PackFiles): PackFiles {
  const change = (path: string, from: RegExp, to: string): [string, string] => {
    const text = files.get(path) ?? "";
    if (!from.test(text)) {
      throw new CommandError(`The demo does not find ${from} in ${path}`);
    }
    return [path, text.replace(from, to)];
  };
  return new Map([
    ...files,
    change("pack.yaml", /^ {2}version: .*$/m, "  version: 0.2.0"),
    change(
      "schemas/PostResult.json",
      /"description": "[^"]*"/,
      `"description": "${SECOND_DESCRIPTION}"`,
    ),
    change(
      "workflows/incident_enrich.yaml",
      /^description: .*$/m,
      `description: ${SECOND_DESCRIPTION}`,
    ),
    change(
      "overlays/policy.fragment.yaml",
      /reason: ".*"/,
      'reason: "Posting externally requires explicit approval, says version 0.2.0"',
    ),
  ]);
}

function isClean({ status, topics, pools, fragments }: Leftovers): boolean {
  const emptied = Object.values(pools).every((pool) =>
    Object.keys(pool as object).length === 0
  );
  return status === "DISABLED" && topics.length === 0 &&
    fragments.length === 0 && emptied;
}

function explainEndedRun(run: JsonObject): string {
  const steps = Object.values(
    (run["steps"] ?? {}) as Record<string, JsonObject>,
  );
  const failed = steps.find(({ error }) =>
    error !== undefined && error !== null
  );
  const why = ((failed?.["error"] ?? {}) as JsonObject)["message"];
  if (failed === undefined) {
    return `The run is ${
      run["status"]
    } already: an incident with this id was sent before, and nothing new was started`;
  }
  return `The run is ${run["status"]}: step ${
    failed["step_id"]
  } failed with ${why}`;
}

function fromAddress(address: string | undefined): string | undefined {
  return address ? `redis://${address}` : undefined;
}

function pick<K extends string>(
  key: K,
  value: string | undefined,
): { [P in K]?: string } {
  return (value ? { [key]: value } : {}) as { [P in K]?: string };
}

function sameItems(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item) => b.includes(item));
}

function hostOf(url: string): string {
  return new URL(url).host;
}
