/**
 * The campaign against posters: no incident gets two messages, and none is lost
 * silently.
 *
 * @module
 */
import { parse } from "@std/yaml";
import { cacheWorkers } from "../../../../scripts/launch/process.ts";
import {
  archivePack,
  type PackFiles,
  readPackFolder,
} from "../../../../scripts/pack/pack.ts";
import { type Severity, WORST_FIRST } from "../../../../lib/incident.ts";
import {
  outranks,
  type PostSeverity,
  readAs,
} from "../../../../lib/post/severity.ts";
import type { Plan, Suite } from "../campaign.ts";
import { PostLane } from "./lane.ts";
import { MUTANTS } from "./mutants.ts";
import { ENDS, type Evidence, judge } from "./oracle.ts";
import { AGAIN, play, WORSE } from "./play.ts";
import { PROCESS_FAULTS } from "./process_faults.ts";
import { SERVER_FAULTS } from "./server_faults.ts";
import { SLACK_FAULTS } from "./slack_faults.ts";
import {
  type PostDraw,
  PostStage,
  type PostTools,
  SEVERITIES,
} from "./stage.ts";

export interface PostPlan extends Plan<PostLane, PostTools> {
  incidentId: string;
  /** The severity that was posted before the trial. */
  before: Severity | undefined;
  /** Of the first run. */
  severity: PostSeverity;
  /** Of another run, if there is one. */
  again: PostSeverity;
}

const WORKFLOW_FILE = "workflows/incident_enrich.yaml";
const NO_FAULT: PostDraw = () => ({
  name: "no fault",
  detail: "",
  arm: (_, { struck }) => struck(),
});
const FIRST = [NO_FAULT, ...PROCESS_FAULTS, ...SERVER_FAULTS];
/** The shares of trials with only a Slack fault, and with another one too. */
const SLACK_ALONE = 0.3;
const SLACK_TOO = 0.2;
/** The share of incidents that have a message before the trial. */
const POSTED_BEFORE = 0.4;
/** The share of first runs that are worse than what was posted before. */
const RISES = 0.7;

export const POST: Suite<PostLane, PostStage, PostPlan, Evidence> = {
  option: "",
  lanes: 4,
  ends: ENDS,
  mutants: Object.keys(MUTANTS),
  mutantsFile: "tests/campaigns/chaos/post/mutants.ts",
  draw(random, seed, trial) {
    const first = random.pick(FIRST)(random);
    const second = random.pick(SLACK_FAULTS)(random);
    const kind = random.next();
    const faults = kind < SLACK_ALONE
      ? [second]
      : kind < SLACK_ALONE + SLACK_TOO
      ? [first, second]
      : [first];
    const way = random.pick(AGAIN);
    const before = random.next() < POSTED_BEFORE
      ? random.pick(WORST_FIRST)
      : undefined;
    // Faults strike only what is sent.
    const rises = random.next() < RISES;
    const severity = random.pick(rises ? worseThan([before]) : SEVERITIES);
    const again = random.pick(
      way === WORSE ? worseThan([before, severity]) : SEVERITIES,
    );
    const incidentId = `mock:chaos-${seed}-${trial}`;
    return { trial, faults, way, incidentId, before, severity, again };
  },
  async prepare(ground, stack) {
    await cacheWorkers(["poster"]);
    const bundle = await archivePack(reduce(await readPackFolder("pack")));
    const folder = `dist/chaos-${Deno.pid}`;
    stack.defer(() => Deno.remove(folder, { recursive: true }).catch(() => {}));
    return (name) =>
      PostLane.start({ ...ground, name, bundle, folder: `${folder}/${name}` });
  },
  begin: ({ incidentId }) => new PostStage(incidentId),
  play,
  judge,
  facts: ({ before, jobs, record, requests }) => [
    `posted before ${before ?? "no"}`,
    ...jobs.map((job) => `job ${JSON.stringify(job)}`),
    ...record.map((item) => `record ${item}`),
    ...requests.map((one) => `Slack ${JSON.stringify(one)}`),
  ],
  servers: ({ servers: { nats, redis } }) => ({
    nats: nats.kind,
    redis: redis.kind,
  }),
};

/** All severities, if none is worse. */
function worseThan(
  posted: readonly (PostSeverity | undefined)[],
): readonly PostSeverity[] {
  const worse = WORST_FIRST.filter((one) =>
    posted.every((other) => other === undefined || outranks(one, readAs(other)))
  );
  return worse.length > 0 ? worse : SEVERITIES;
}

/**
 * Reduces the pack's workflow to its post step, which takes from the run's input
 * what the steps before it would have made. Policy, routing and the step itself
 * stay as they are.
 */
function reduce(files: PackFiles): PackFiles {
  const workflow = parse(files.get(WORKFLOW_FILE)!) as {
    steps: { post: Record<string, unknown> };
    input_schema: unknown;
  };
  const { depends_on: _, ...post } = workflow.steps.post;
  const input = {
    incident: "${input.incident}",
    evidence: "${input.evidence}",
    summary: "${input.summary}",
  };
  const { input_schema: __, ...rest } = workflow;
  const reduced = { ...rest, steps: { post: { ...post, input } } };
  return new Map([...files, [WORKFLOW_FILE, JSON.stringify(reduced)]]);
}
