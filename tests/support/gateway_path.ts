/**
 * The whole path, with a front before the poster's gateway only.
 *
 * @module
 */
import { startDevcore } from "../../deploy/devcore/devcore.ts";
import { startSlack } from "../../deploy/standins/slack.ts";
import sample from "../../deploy/samples/sample_webhook.json" with {
  type: "json",
};
import { POST_TOPIC } from "../../lib/operate/pack.ts";
import { freePort } from "../../scripts/launch/free_port.ts";
import { type Stand, startStand } from "../../scripts/launch/stand.ts";
import { openFront } from "./gateway_front.ts";

/**
 * Starts it.
 *
 * @param env More variables of the poster.
 * @param clock The platform's.
 */
export async function startPath(
  env: Record<string, string> = {},
  clock: () => number = Date.now,
) {
  await using stack = new AsyncDisposableStack();
  const core = stack.use(await startDevcore({ reloadMs: 200, clock }));
  const slack = stack.use(await startSlack());
  const front = stack.use(openFront(core.gatewayUrl));
  const health = `127.0.0.1:${freePort()}`;
  const stand = stack.use(
    await startStand({
      platformEnv: core.env,
      slack,
      env: (worker) =>
        worker === "poster"
          ? { CORETEX_GATEWAY_URL: front.url, HEALTH_ADDR: health, ...env }
          : {},
    }),
  );
  const whole = stack.move();
  return {
    core,
    slack,
    front,
    stand,
    /** What the poster says of itself. */
    async ready() {
      const response = await fetch(`http://${health}/readyz`);
      const { problems } = await response.json();
      return { status: response.status, problems };
    },
    /** Starts a run. @returns Its id, and its post that waits for approval. */
    async waiting(id: string): Promise<[string, string]> {
      const { answer } = await stand.send({ ...sample, id });
      const runId = String(answer["run_id"]);
      return [runId, await stand.untilApproval(runId)];
    },
    [Symbol.asyncDispose]: () => whole.disposeAsync(),
  };
}

/** Whether the scheduler sees a poster. */
export async function isRoutable(stand: Stand): Promise<boolean> {
  const { topics = {} } = await stand.platform.workers() ?? {};
  return topics[POST_TOPIC]?.available === true;
}
