/**
 * What strikes NATS, Redis and the connections to them.
 *
 * @module
 */
import { delay } from "../../../../lib/base/time.ts";
import type { Verdict } from "../stage.ts";
import { BOUNDARIES, type Boundary } from "./boundaries.ts";
import type { PostLane } from "./lane.ts";
import type { PostDraw, PostFault, PostStage } from "./stage.ts";

/** All but the one at which no traffic can be held. */
const MOMENTS = BOUNDARIES.filter((boundary) => boundary !== "connected");
/** Redis has run a command, and its reply is on its way. */
const REPLIES: readonly Boundary[] = [
  "record read",
  "after claim",
  "before connect",
  "after outcome",
  "result stored",
];
const APPENDS: readonly Boundary[] = ["before claim", "before outcome"];
const RESULTS: readonly Boundary[] = ["before result", "after result"];
const BETWEEN_MS = 2_000;
const ERRORS = {
  READONLY: "READONLY You can't write against a read only replica.",
  OOM: "OOM command not allowed when used memory > 'maxmemory'.",
};

/** Strikes at one of these boundaries, and cuts the connection there. */
function cutAt(
  name: string,
  boundaries: readonly Boundary[],
  strike: (
    lane: PostLane,
    stage: PostStage,
    boundary: Boundary,
  ) => void | Verdict | Promise<Verdict | void> = () => {},
): PostDraw {
  return (random) => {
    const boundary = random.pick(boundaries);
    return {
      name,
      detail: boundary,
      arm: (lane, { stage, at }) =>
        at(boundary, async () => await strike(lane, stage, boundary) ?? "cut"),
    };
  };
}

async function loseData(lane: PostLane, stage: PostStage): Promise<void> {
  stage.lostData = true;
  await lane.restartRedis("nothing");
}

/**
 * Two posters have passed their checks and one of them sends. Before the other
 * one claims, Redis loses its data, including the first one's claim.
 */
const LOSS_BETWEEN: PostFault = {
  name: "Redis loses its data between two posters",
  detail: "",
  arm(lane, { stage, at }) {
    const lost = Promise.withResolvers<void>();
    at(
      "record read",
      (poster) => lane.deliverAll(stage, lane.otherThan(poster)),
    );
    at("record read", async (): Promise<Verdict> => {
      // The first poster may be refused, and never get that far.
      await Promise.race([lost.promise, delay(BETWEEN_MS)]);
      return "cut";
    }, 2);
    at("result stored", async (): Promise<Verdict> => {
      await loseData(lane, stage);
      lost.resolve();
      return "cut";
    });
  },
};

function drawError(word: keyof typeof ERRORS): PostDraw {
  return (random) => {
    const boundary = random.pick(APPENDS);
    const times = random.pick([1, 2]);
    return {
      name: `Redis says ${word}`,
      detail: `${boundary}, ${times} times`,
      arm(_, { at }) {
        for (let nth = 1; nth <= times; nth++) {
          at(boundary, () => ({ error: ERRORS[word] }), nth);
        }
      },
    };
  };
}

export const SERVER_FAULTS: readonly PostDraw[] = [
  cutAt(
    "Redis restarted with its data",
    MOMENTS,
    (lane) => lane.restartRedis("data"),
  ),
  cutAt("Redis restarted without its data", MOMENTS, loseData),
  () => LOSS_BETWEEN,
  cutAt("Redis reply lost", REPLIES),
  drawError("READONLY"),
  drawError("OOM"),
  cutAt("NATS restarted", MOMENTS, async (lane, _, boundary) => {
    await lane.restartNats();
    return RESULTS.includes(boundary) ? "cut" : "pass";
  }),
  cutAt("connection to NATS cut at the result", RESULTS),
];
