/**
 * The demo: its steps in their order, and what it says when one fails.
 *
 * @module
 */
import type { Profile } from "../../deploy/devcore/profile.ts";
import {
  aborted,
  type LinkedSignal,
  linkSignal,
} from "../../lib/base/deadline.ts";
import { shorten } from "../../lib/base/text.ts";
import { type CommandContext, explain } from "../terminal/command.ts";
import { freePort } from "../launch/free_port.ts";
import { showProgress } from "../terminal/progress.ts";
import { decide, type Decision } from "./approval.ts";
import { checkRouting, showAuditTrail } from "./audit.ts";
import {
  notePast,
  startMonitoringStandIns,
  startStandIns,
} from "./evidence.ts";
import { type Observed, showGoals } from "./goals.ts";
import {
  type Accepted,
  awaitIncident,
  followRun,
  readSent,
  sendIncident,
} from "./incident.ts";
import { install, uninstall, upgrade } from "./installation.ts";
import { startMonitoring } from "./monitoring.ts";
import { openScene, startWorkers } from "./platform.ts";
import { type Scene, Transcript } from "./scene.ts";
import { createSender, type SenderName } from "./senders.ts";

/** What the demo is asked to do. */
export interface DemoOptions {
  /** The incident's id; Alertmanager's has none of its own. */
  incident: string;
  /** Who sends it. */
  source: SenderName;
  /** Ask a real Prometheus and Alertmanager, which also send the incident. */
  real: boolean;
  /** Post to a stand-in for Slack rather than to an artifact. */
  slack: boolean;
  /** What devcore plays, for when no platform is named. */
  profile: Profile | undefined;
  decision: Decision;
  keep: boolean;
  yes: boolean;
  principal: string;
}

/** Where the sample's own link leads, so that its button may. */
const SAMPLE_ORIGIN = "https://incidents.example.com";
/** The alert is as old as that when it arrives. */
const START_AGO_MS = 3 * 60_000;
/** About so long it takes until a real rule fires. */
const FIRES_AFTER_MS = 12_000;
const DESK_MS = 30_000;

/** Runs every step. @returns The exit code: 0 if every goal was shown. */
export async function runDemo(
  options: DemoOptions,
  context: CommandContext,
): Promise<number> {
  await using stack = new AsyncDisposableStack();
  using stop = linkSignal(context.signal);
  const { signal } = stop;
  const say = new Transcript(context);
  const stopped = aborted(signal).then(() => Promise.reject(signal.reason));
  let scene: Scene | undefined;
  const standIns: Record<string, string> = {};
  const deskAddress = `127.0.0.1:${freePort()}`;
  const play = async () => {
    const { principal, slack, source, profile, real } = options;
    const sender = createSender(source);
    const startedAt = new Date(
      Date.now() + (real ? FIRES_AFTER_MS : -START_AGO_MS),
    );
    const body = await sender.body(options.incident, startedAt.toISOString());
    const story = { startedAt, incident: await readSent(body, sender) };
    Object.assign(standIns, startStandIns(story, stack));
    if (!real) Object.assign(standIns, startMonitoringStandIns(story, stack));
    // Asked when a worker starts, which is when all of them are known.
    const env = () => ({
      ...sender.env,
      DESK_ADDR: deskAddress,
      LINK_ORIGINS: SAMPLE_ORIGIN,
      ...standIns,
    });
    const given = { principal, slack, profile, env, signal };
    scene = await openScene(given, say, stack);
    await notePast(scene, story);
    let send = (scene: Scene) => sendIncident(scene, sender, body);
    if (real) {
      const servers = await startMonitoring(scene, { story, sender }, stack);
      Object.assign(standIns, servers.env);
      send = (scene) => awaitIncident(scene, sender, servers.fire);
    }
    return await playSteps(scene, send, options, stop);
  };
  try {
    // A step may be waiting for a person, whom no signal calls off.
    const shown = await Promise.race([play(), stopped]);
    if (options.keep) {
      await startDesk(scene!);
      tellWhatRuns(scene!, standIns, `http://${deskAddress}/`);
      await aborted(signal);
      signal.throwIfAborted();
    }
    return shown ? 0 : 1;
  } catch (error) {
    context.signal.throwIfAborted(); // A stop is no failure.
    report(error, say, scene);
    return 1;
  }
}

/** Every step after the platform. @returns Whether every goal was shown. */
async function playSteps(
  scene: Scene,
  send: (scene: Scene) => Promise<Accepted>,
  options: DemoOptions,
  stop: LinkedSignal,
): Promise<boolean> {
  const { stand, say } = scene;
  const observed: Observed = {};
  const { bundle, installed } = await install(scene, options.yes);
  await startWorkers(scene, stop);
  const accepted = await send(scene);
  const { jobId, ruleId } = await followRun(scene, accepted.runId);
  observed.approval = `rule ${ruleId} held the post until a person decided`;
  const decided = await decide(scene, { ...accepted, jobId }, options);
  const artifacts = await showAuditTrail(scene, accepted, decided);
  if (decided.end !== "refused") {
    observed.artifacts = artifacts;
    observed.routing = checkRouting(scene, accepted, decided);
  }
  observed.upgrade = await upgrade(scene, bundle);
  observed.install = await uninstall(scene, installed);
  if (options.keep) {
    say.begin("install again", "Install again, to keep it");
    await stand.install(bundle, showProgress(say.context));
    say.line(`version ${bundle.version} is in force`);
  }
  const cause = decided.end === "refused" ? decided.cause : undefined;
  return showGoals(observed, cause, say);
}

function report(
  error: unknown,
  { step, context: { err } }: Transcript,
  scene: Scene | undefined,
): void {
  err("");
  `demo: failed at step "${step}": ${explain(error)}`.split("\n")
    .forEach((line) => err(line));
  for (const { name, lastLines } of scene?.stand.workers.values() ?? []) {
    if (lastLines.length === 0) continue;
    err("");
    err(`The last lines of the ${name}:`);
    for (const line of lastLines) err(`  ${shorten(line, 500)}`);
  }
}

/** Starts what people read and decide on in a browser. */
async function startDesk({ stand, say }: Scene): Promise<void> {
  say.begin("desk", "The approval desk");
  const desk = await stand.spawn("desk");
  await desk.waitFor("Worker ready", DESK_MS);
  say.line("pages to read, approve and reject what waits; no account needed");
}

function tellWhatRuns(
  { stand, core, say }: Scene,
  standIns: Readonly<Record<string, string>>,
  deskUrl: string,
): void {
  say.heading(
    "Everything keeps running until Ctrl-C. To try next, in another terminal:",
  );
  say.block([
    `desk ${deskUrl}`,
    "",
    `  curl -d @deploy/samples/sample_webhook.json ${stand.ingesterUrl}/webhook/mock`,
    "",
    // A platform that was named is named still, and its keys are not to be shown.
    ...Object.entries({ ...core?.env, ...standIns })
      .map(([name, value]) => `  export ${name}=${value}`),
    `  export INGESTER_ADDR=${new URL(stand.ingesterUrl).host}`,
    "  deno task approve_latest_post",
    "  deno task permissions",
    "  deno task uninstall --purge",
  ]);
}
