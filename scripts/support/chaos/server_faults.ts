/**
 * What strikes NATS and Redis, and the connections to them.
 *
 * @module
 */
import { BOUNDARIES, type Boundary } from "./boundaries.ts";
import type { Draw, Fault } from "./plan.ts";
import type { Random } from "./random.ts";
import type { Verdict } from "./relay.ts";

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

/**
 * With one poster at work: one that had passed its checks before the loss, and
 * claims after another has sent, would send again. Nothing is left then that
 * could tell it.
 */
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
  drawLostReply,
  drawError("READONLY"),
  drawError("OOM"),
  drawNatsRestart,
  drawNatsCut,
];
