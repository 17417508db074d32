/**
 * How soon people hear of what waits, how soon their click becomes a post, and
 * how soon a long list is there.
 *
 * @module
 */
import { startDevcore } from "../../../deploy/devcore/devcore.ts";
import { startSlack } from "../../../deploy/standins/slack.ts";
import { delay } from "../../../lib/base/time.ts";
import { startStand } from "../../../scripts/launch/stand.ts";
import { startDesk } from "../../support/desk.ts";
import { until } from "../../support/until.ts";
import { serveWaitingPosts } from "../../support/waiting_posts.ts";
import { percentile } from "./load.ts";

export interface DeskBounds {
  /** Incidents that people are told of and approve. */
  incidents: number;
  /** Approvals that wait, and how often they are listed. */
  waiting: number;
  looks: number;
}

export interface DeskResults {
  /** From a webhook to its notice, in ms. */
  notice: number[];
  /** From the click to the message in Slack. */
  post: number[];
  /** A list of all that waits, once it has been read. */
  list: number[];
  /** The most calls of the gateway that one list cost. */
  listCalls: number;
}

/** What people should wait at most, in ms; a median of twice that is too slow. */
const AIMS = [
  ["notice", "from a webhook to its notice", 2_000],
  ["post", "from a click to the posted message", 1_000],
  ["list", "a list of all that waits", 200],
] as const;
const CALLS_MAX = 1;
const NOTICES = "/notices";
const WAIT_MS = 30_000;

/** Measures all three. */
export async function benchDesk(
  bounds: DeskBounds,
  onStep: (what: string) => void = () => {},
): Promise<DeskResults> {
  onStep("notices and posts");
  const path = await benchPath(bounds.incidents);
  onStep("a long list");
  return { ...path, ...await benchList(bounds) };
}

async function benchPath(
  incidents: number,
): Promise<Pick<DeskResults, "notice" | "post">> {
  await using core = await startDevcore({ reloadMs: 200 });
  await using slack = await startSlack();
  await using stand = await startStand({ platformEnv: core.env, slack });
  await using desk = await startDesk({
    ...core.env,
    APPROVALS_SLACK_WEBHOOK_URL: `http://${slack.host}${NOTICES}`,
    APPROVALS_ALLOWED_HOSTS: slack.host,
  });
  const notice: number[] = [];
  const post: number[] = [];
  const arrival = async (kind: "notice" | "post", count: number) => {
    const those = () =>
      slack.received.filter(({ path }) =>
        (path === NOTICES) === (kind === "notice")
      );
    await until(kind, () => those().length >= count, WAIT_MS);
    return those()[count - 1]!.at.getTime();
  };
  for (let at = 1; at <= incidents; at++) {
    // At another moment of the desk's own round each time.
    await delay(1_100 + 300 * at % 2_000);
    const sent = Date.now();
    const { answer } = await stand.send({ id: `bench-${at}`, title: "Bench" });
    notice.push(await arrival("notice", at) - sent);
    const jobId = await stand.untilApproval(String(answer["run_id"]));
    const page = `/posts/${encodeURIComponent(jobId)}`;
    const { text } = await desk.get(page);
    const clicked = Date.now();
    const { status } = await desk.send(page, "approve", { page: text });
    if (status !== 303) throw new Error(`The approval got status ${status}`);
    post.push(await arrival("post", at) - clicked);
  }
  return { notice, post };
}

async function benchList(
  { waiting, looks }: DeskBounds,
): Promise<Pick<DeskResults, "list" | "listCalls">> {
  const ids = Array.from({ length: waiting }, (_, at) => `run-${at}:post@1`);
  await using core = await startDevcore();
  await using posts = serveWaitingPosts(ids);
  const env = { ...core.env, CORETEX_GATEWAY_URL: posts.url };
  // Else it would take 100 s to have read them all.
  await using desk = await startDesk(env, { readsASecond: waiting });
  await until(
    "the first list",
    async () => (await desk.get("/")).text.includes(`${waiting} posts`),
    WAIT_MS,
  );
  await until(
    "all of them",
    () => posts.count("/artifacts") === waiting,
    10 * WAIT_MS,
  );
  await delay(200);
  const list: number[] = [];
  let listCalls = 0;
  for (let at = 0; at < looks; at++) {
    const before = posts.calls.length;
    const asked = performance.now();
    const { text } = await desk.get("/");
    list.push(performance.now() - asked);
    listCalls = Math.max(listCalls, posts.calls.length - before);
    if (!text.includes(`${waiting} posts`)) throw new Error("A list is short");
  }
  return { list, listCalls };
}

/** A line each. */
export function renderDesk(results: DeskResults): string[] {
  const lines = AIMS.map(([name, what, aimMs]) => {
    const sorted = Float64Array.from(results[name]).sort();
    const [p50, longest] = [percentile(sorted, 0.5), sorted.at(-1)!];
    return `${what.padEnd(34)} p50 ${
      p50.toFixed(0)
    } ms, aim ${aimMs}, longest ${longest.toFixed(0)} ms of ${sorted.length}`;
  });
  const calls = `, at most ${results.listCalls} calls each`;
  return lines.with(-1, lines.at(-1)! + calls);
}

/** Says what keeps people waiting too long, or costs the platform too much. */
export function findSlowDesk(results: DeskResults): string[] {
  const slow = AIMS.flatMap(([name, what, aimMs]) => {
    const p50 = percentile(Float64Array.from(results[name]).sort(), 0.5);
    return p50 <= 2 * aimMs
      ? []
      : [`${what}: ${p50.toFixed(0)} ms, at most ${2 * aimMs} ms`];
  });
  const { listCalls } = results;
  return listCalls <= CALLS_MAX
    ? slow
    : [...slow, `a list cost ${listCalls} calls of the gateway`];
}
