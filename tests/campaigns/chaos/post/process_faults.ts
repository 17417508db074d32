/**
 * What strikes a poster's process and the deliveries of its jobs.
 *
 * @module
 */
import { delay } from "../../../../lib/base/time.ts";
import type { PostSeverity } from "../../../../lib/post/severity.ts";
import type { Random } from "../random.ts";
import type { Verdict } from "../stage.ts";
import { BOUNDARIES, type Boundary } from "./boundaries.ts";
import type { PostLane } from "./lane.ts";
import type { Poster } from "./poster.ts";
import {
  type PostDraw,
  type PostFault,
  type PostStage,
  SEVERITIES,
} from "./stage.ts";

/** Longer than the post's own timeout. */
const PAUSE_MS = 1_300;
/** Longer than a command to Redis may take. */
const LONG_PAUSE_MS = 5_500;
const LONG_PAUSES = 0.05;
const BARRIER_MS = 1_000;
const LATE_MS = 300;

/** SIGKILL, at each boundary. */
const KILLS: readonly PostDraw[] = BOUNDARIES.map((boundary) => () => ({
  name: `SIGKILL ${boundary}`,
  detail: "",
  arm: (_, { at }) =>
    at(boundary, async (poster): Promise<Verdict> => {
      await poster.kill();
      return "cut";
    }),
}));

/** Strikes the poster that reaches a boundary, and lets its traffic pass. */
function drawAt(
  name: string,
  draw: (random: Random) => {
    detail: string;
    strike: (
      poster: Poster,
      lane: PostLane,
      stage: PostStage,
    ) => void | Promise<void>;
  },
): PostDraw {
  return (random) => {
    const boundary = random.pick(BOUNDARIES);
    const { detail, strike } = draw(random);
    return {
      name,
      detail: `${boundary}, ${detail}`,
      arm: (lane, { stage, at }) =>
        at(boundary, (poster) => strike(poster, lane, stage)),
    };
  };
}

const drawPause = drawAt("SIGSTOP for longer than a timeout", (random) => {
  const ms = random.chance(LONG_PAUSES) ? LONG_PAUSE_MS : PAUSE_MS;
  const meanwhile = random.chance(0.6);
  return {
    detail: `${ms} ms${meanwhile ? ", job redelivered" : ""}`,
    strike(poster, lane, stage) {
      stage.also(poster.pause(ms, stage.signal));
      if (meanwhile) lane.deliverAll(stage, lane.otherThan(poster));
    },
  };
});

const drawRedelivery = drawAt("redelivered while it runs", (random) => {
  const same = random.chance(0.3);
  return {
    detail: `to ${same ? "the same" : "the other"} poster`,
    strike: (poster, lane, stage) =>
      lane.deliverAll(stage, same ? poster : lane.otherThan(poster)),
  };
});

const drawJump = drawAt("clock jumps by an hour", (random) => {
  const hours = random.pick<1 | -1>([1, -1]);
  return {
    detail: hours === 1 ? "ahead" : "back",
    strike: (poster) => poster.jump(hours),
  };
});

/** Strikes a job on its way from the platform. */
function dispatched(name: string, dispatch: "twice" | { lateMs: number }) {
  return (): PostFault => ({
    name,
    detail: "",
    arm({ core: { faults } }, { struck }) {
      faults.onDispatch = () => {
        struck();
        return dispatch;
      };
    },
  });
}

/** The platform believes that the job runs, but nobody has heard of it. */
const LOST: PostFault = {
  name: "dispatched to nobody",
  detail: "",
  arm(lane, { stage, struck }) {
    const { faults } = lane.core;
    faults.onDispatch = () => {
      delete faults.onDispatch;
      struck();
      stage.losing++;
      for (const { nats } of lane.replicas) nats.cutAll();
      return { lateMs: 20 };
    };
  },
};

/** Two posters read the record before either has claimed. */
function drawRace(random: Random): PostFault {
  const boundary = random.pick<Boundary>(["record read", "before claim"]);
  return {
    name: "two posters race for one job",
    detail: boundary,
    arm(lane, { stage, at }) {
      const meet = createBarrier(2);
      at(boundary, async (poster) => {
        lane.deliverAll(stage, lane.otherThan(poster));
        await meet();
      });
      at(boundary, meet, 2);
    },
  };
}

/** A second run of the incident starts while the first one posts. */
function drawRuns(random: Random): PostFault {
  const boundary = random.pick(BOUNDARIES);
  const severity = random.pick(SEVERITIES);
  const meets = boundary === "record read" || boundary === "before claim";
  return {
    name: "new run while the first one posts",
    detail: `${boundary}, as ${severity}`,
    arm(lane, { stage, at }) {
      const meet = createBarrier(2);
      at(boundary, async () => {
        const opening = openRun(lane, stage, severity);
        stage.also(opening);
        await (meets ? meet() : opening);
      });
      if (meets) at(boundary, meet, 2);
    },
  };
}

async function openRun(
  lane: PostLane,
  stage: PostStage,
  severity: PostSeverity,
): Promise<void> {
  try {
    await lane.untilDispatched(await lane.approveRun(stage, severity));
  } catch (error) {
    stage.note(`no other run: ${error}`);
  }
}

/** Holds everybody until so many are there. */
function createBarrier(count: number): () => Promise<void> {
  const open = Promise.withResolvers<void>();
  let there = 0;
  return async () => {
    if (++there >= count) open.resolve();
    await Promise.race([open.promise, delay(BARRIER_MS)]);
  };
}

/** The clock of a poster jumps while it waits for a dead one's claim. */
function drawWaitingJump(random: Random): PostFault {
  const hours = random.pick<1 | -1>([1, -1]);
  return {
    name: "clock jumps while it waits for a dead poster's claim",
    detail: hours === 1 ? "ahead" : "back",
    arm: (lane, { stage, at }) =>
      at("before connect", async (poster): Promise<Verdict> => {
        at("record read", (other) => other.jump(hours));
        await poster.kill();
        lane.deliverAll(stage, lane.otherThan(poster));
        return "cut";
      }),
  };
}

/** Those that vary more are drawn twice as often. */
export const PROCESS_FAULTS: readonly PostDraw[] = [
  ...KILLS,
  drawPause,
  drawPause,
  drawRedelivery,
  drawRedelivery,
  dispatched("dispatched twice in one flush", "twice"),
  dispatched("dispatched late", { lateMs: LATE_MS }),
  () => LOST,
  drawRace,
  drawRace,
  drawRuns,
  drawRuns,
  drawJump,
  drawWaitingJump,
];
