/**
 * What strikes the poster's process, and deliveries of its jobs.
 *
 * @module
 */
import { wait } from "../../../lib/base/time.ts";
import { BOUNDARIES, type Boundary } from "./boundaries.ts";
import type { Lane } from "./lane.ts";
import type { Draw, Fault } from "./fault.ts";
import type { Random } from "./random.ts";
import type { Handler, Stage, Verdict } from "./stage.ts";

/** Longer than the post's own timeout. */
const PAUSE_MS = 1_300;
/** Longer than what a command to Redis may take. */
const LONG_PAUSE_MS = 5_500;
const LONG_PAUSES = 0.05;
const BARRIER_MS = 1_000;
const LATE_MS = 300;
const never = new AbortController().signal;

/** SIGKILL, at each boundary. */
const KILLS: readonly Draw[] = BOUNDARIES.map((boundary) => () => ({
  name: `SIGKILL ${boundary}`,
  detail: "",
  arm: (_, { at }) => at(boundary, kill),
}));

const kill: Handler = async (poster): Promise<Verdict> => {
  await poster.kill();
  return "cut";
};

function drawPause(random: Random): Fault {
  const boundary = random.pick(BOUNDARIES);
  const ms = random.chance(LONG_PAUSES) ? LONG_PAUSE_MS : PAUSE_MS;
  const meanwhile = random.chance(0.6);
  return {
    name: "SIGSTOP for longer than a timeout",
    detail: `${boundary}, ${ms} ms${meanwhile ? ", job redelivered" : ""}`,
    arm: (lane, { stage, at }) =>
      at(boundary, (poster) => {
        poster.pause(ms);
        stage.also(wait(ms, never));
        if (meanwhile) deliverAll(lane, stage, lane.otherThan(poster));
        return "pass";
      }),
  };
}

function drawRedelivery(random: Random): Fault {
  const boundary = random.pick(BOUNDARIES);
  const same = random.chance(0.3);
  return {
    name: "redelivered while it runs",
    detail: `${boundary}, to ${same ? "the same" : "the other"} poster`,
    arm: (lane, { stage, at }) =>
      at(boundary, (poster) => {
        deliverAll(lane, stage, same ? poster : lane.otherThan(poster));
        return "pass";
      }),
  };
}

function deliverAll(
  lane: Lane,
  stage: Stage,
  to: Lane["posters"][number],
): void {
  for (const jobId of stage.jobIds) stage.also(lane.deliver(jobId, to));
}

const TWICE: Fault = {
  name: "dispatched twice in one flush",
  detail: "",
  arm: ({ core: { faults } }, { struck }) => {
    faults.onDispatch = () => {
      struck();
      return "twice";
    };
  },
};

const LATE: Fault = {
  name: "dispatched late",
  detail: "",
  arm: ({ core: { faults } }, { struck }) => {
    faults.onDispatch = () => {
      struck();
      return { lateMs: LATE_MS };
    };
  },
};

/** The platform believes that the job is running, and nobody has heard of it. */
const LOST: Fault = {
  name: "dispatched to nobody",
  detail: "",
  arm: (lane, { stage, struck }) => {
    const { faults } = lane.core;
    faults.onDispatch = () => {
      delete faults.onDispatch;
      struck();
      stage.losing++;
      for (const { nats } of lane.posters) nats.cutAll();
      return { lateMs: 20 };
    };
  },
};

/** Two posters look at the record before either has claimed. */
function drawRace(random: Random): Fault {
  const boundary = random.pick<Boundary>(["record read", "before claim"]);
  return {
    name: "two posters race for one job",
    detail: boundary,
    arm(lane, { stage, at }) {
      const meet = createBarrier(2);
      at(boundary, (poster) => {
        deliverAll(lane, stage, lane.otherThan(poster));
        return meet(poster);
      });
      at(boundary, meet);
    },
  };
}

/** A second run of the incident comes while the first is at work. */
function drawRuns(random: Random): Fault {
  const boundary = random.pick(BOUNDARIES);
  const meets = boundary === "record read" || boundary === "before claim";
  return {
    name: "new run while the first one posts",
    detail: boundary,
    arm(lane, { stage, at }) {
      const meet = createBarrier(2);
      at(boundary, async (poster): Promise<Verdict> => {
        const opening = openRun(lane, stage);
        stage.also(opening);
        if (meets) return await meet(poster);
        await opening;
        return "pass";
      });
      if (meets) at(boundary, meet);
    },
  };
}

async function openRun(lane: Lane, stage: Stage): Promise<void> {
  try {
    await lane.untilDispatched(await lane.approveRun(stage));
  } catch (error) {
    stage.note(`no other run: ${error}`);
  }
}

/** Holds who comes until so many are there. */
function createBarrier(count: number): Handler {
  const open = Promise.withResolvers<void>();
  let there = 0;
  return async (): Promise<Verdict> => {
    if (++there >= count) open.resolve();
    await Promise.race([open.promise, wait(BARRIER_MS, never)]);
    return "pass";
  };
}

function drawJump(random: Random): Fault {
  const boundary = random.pick(BOUNDARIES);
  const hours = random.pick<1 | -1>([1, -1]);
  return {
    name: "clock jumps by an hour",
    detail: `${boundary}, ${hours === 1 ? "ahead" : "back"}`,
    arm: (_, { at }) =>
      at(boundary, async (poster): Promise<Verdict> => {
        await poster.jump(hours);
        return "pass";
      }),
  };
}

/** A poster waits for a claim that nobody settles, and its clock jumps. */
function drawWaitingJump(random: Random): Fault {
  const hours = random.pick<1 | -1>([1, -1]);
  return {
    name: "clock jumps while it waits for a dead poster's claim",
    detail: hours === 1 ? "ahead" : "back",
    arm: (lane, { stage, at }) =>
      at("before connect", async (poster): Promise<Verdict> => {
        at("record read", async (other): Promise<Verdict> => {
          await other.jump(hours);
          return "pass";
        });
        await poster.kill();
        deliverAll(lane, stage, lane.otherThan(poster));
        return "cut";
      }),
  };
}

/** All of them; some are drawn twice as often, for they vary more. */
export const PROCESS_FAULTS: readonly Draw[] = [
  ...KILLS,
  drawPause,
  drawPause,
  drawRedelivery,
  drawRedelivery,
  () => TWICE,
  () => LATE,
  () => LOST,
  drawRace,
  drawRace,
  drawRuns,
  drawRuns,
  drawJump,
  drawWaitingJump,
];
