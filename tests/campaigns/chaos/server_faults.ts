/**
 * What strikes NATS and Redis, and the connections to them.
 *
 * @module
 */
import { wait } from "../../../lib/base/time.ts";
import { BOUNDARIES, type Boundary } from "./boundaries.ts";
import type { Draw, Fault } from "./fault.ts";
import type { Random } from "./random.ts";
import type { Verdict } from "./stage.ts";

/** All but the one that nothing can be held at. */
const MOMENTS = BOUNDARIES.filter((boundary) => boundary !== "connected");
/** A command has run, and its reply is on its way. */
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
const never = new AbortController().signal;
const ERRORS = {
  READONLY: "READONLY You can't write against a read only replica.",
  OOM: "OOM command not allowed when used memory > 'maxmemory'.",
};

function drawRestart(random: Random): Fault {
  const boundary = random.pick(MOMENTS);
  return {
    name: "Redis restarted with its data",
    detail: boundary,
    arm: (lane, { at }) =>
      at(boundary, async (): Promise<Verdict> => {
        await lane.restartRedis("data");
        return "cut";
      }),
  };
}

function drawLoss(random: Random): Fault {
  const boundary = random.pick(MOMENTS);
  return {
    name: "Redis restarted without its data",
    detail: boundary,
    arm: (lane, { stage, at }) =>
      at(boundary, async (): Promise<Verdict> => {
        stage.lostData = true;
        await lane.restartRedis("nothing");
        return "cut";
      }),
  };
}

/**
 * Two posters have passed their checks, one of them sends, and before the other
 * claims, Redis loses its data, and the first one's claim with it.
 */
const LOSS_BETWEEN: Fault = {
  name: "Redis loses its data between two posters",
  detail: "",
  arm(lane, { stage, at }) {
    const lost = Promise.withResolvers<void>();
    at("record read", (poster) => {
      for (const jobId of stage.jobIds) {
        stage.also(lane.deliver(jobId, lane.otherThan(poster)));
      }
      return "pass";
    });
    at("record read", async (): Promise<Verdict> => {
      // The first may be refused, and never get there.
      await Promise.race([lost.promise, wait(BETWEEN_MS, never)]);
      return "cut";
    });
    at("result stored", async (): Promise<Verdict> => {
      stage.lostData = true;
      await lane.restartRedis("nothing");
      lost.resolve();
      return "cut";
    });
  },
};

function drawLostReply(random: Random): Fault {
  const boundary = random.pick(REPLIES);
  return {
    name: "Redis reply lost",
    detail: boundary,
    arm: (_, { at }) => at(boundary, () => "cut"),
  };
}

function drawError(word: keyof typeof ERRORS): Draw {
  return (random) => {
    const boundary = random.pick(APPENDS);
    const times = random.pick([1, 2]);
    return {
      name: `Redis says ${word}`,
      detail: `${boundary}, ${times} times`,
      arm(_, { at }) {
        for (let left = times; left > 0; left--) {
          at(boundary, () => ({ error: ERRORS[word] }));
        }
      },
    };
  };
}

function drawNatsRestart(random: Random): Fault {
  const boundary = random.pick(MOMENTS);
  return {
    name: "NATS restarted",
    detail: boundary,
    arm: (lane, { at }) =>
      at(boundary, async (): Promise<Verdict> => {
        await lane.restartNats();
        return RESULTS.includes(boundary) ? "cut" : "pass";
      }),
  };
}

function drawNatsCut(random: Random): Fault {
  const boundary = random.pick(RESULTS);
  return {
    name: "connection to NATS cut at the result",
    detail: boundary,
    arm: (_, { at }) => at(boundary, () => "cut"),
  };
}

/** All of them. */
export const SERVER_FAULTS: readonly Draw[] = [
  drawRestart,
  drawLoss,
  () => LOSS_BETWEEN,
  drawLostReply,
  drawError("READONLY"),
  drawError("OOM"),
  drawNatsRestart,
  drawNatsCut,
];
