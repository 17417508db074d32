/**
 * What may strike a delivery: on its way to the ingester, in the ingester, on the
 * way to the gateway, and in the gateway.
 *
 * @module
 */
import { wait } from "../../../../lib/base/time.ts";
import type { Random } from "../random.ts";
import type { Replica } from "../replica.ts";
import {
  type IntakeDraw,
  type IntakeFault,
  type IntakeStage,
  type Moment,
  MOMENTS,
  type Network,
  type Strike,
} from "./stage.ts";
import type { Schedule } from "../stage.ts";

/** Longer than a request takes, shorter than its sender waits. */
const SHORT_MS = 100;
const LONG_MS = 900;
/** A later run would not be found by the ingester's reads. */
const RUN_LATE_MS_MAX = 1_000;
const AT_GATEWAY: readonly Moment[] = [
  "start arrived",
  "start handled",
  "read arrived",
  "read handled",
];

/** Strikes on the way to the ingester. */
function network(name: string, draw: (random: Random) => Network): IntakeDraw {
  return (random) => {
    const what = draw(random);
    const nth = random.pick([1, 1, 1, 2]);
    const times = random.pick([1, 1, 2]);
    return {
      name: `network ${name}`,
      detail: `${JSON.stringify(what)}, ${times} times from attempt ${nth}`,
      arm: (_, { stage, strike }) =>
        strike(stage.attempts, () => what, nth, times),
    };
  };
}

const NETWORK: readonly IntakeDraw[] = [
  network("refuses a connection", () => ({ does: "refuse" })),
  network("cuts before the request is whole", (random) => ({
    does: "cut",
    share: random.next(),
  })),
  network("cuts after the request, before the answer", (random) => ({
    does: "cut at",
    moment: random.pick(AT_GATEWAY),
  })),
  network("loses an answer", () => ({ does: "lose answer" })),
  network("is slow", (random) => ({
    does: "drip",
    pieces: random.between(3, 8),
    gapMs: random.between(10, 60),
  })),
  network("delivers twice at once", (random) => ({
    does: "double",
    to: random.pick(["same", "other"] as const),
  })),
];

type Choice = (random: Random) => Strike;

/** Strikes between the ingester and the gateway, or in the gateway. */
function request(
  route: "start" | "read",
  name: string,
  choices: readonly Choice[],
  timesMax = 3,
): IntakeDraw {
  return (random) => {
    const what = random.pick(choices)(random);
    const nth = random.pick([1, 1, 1, 2]);
    const times = random.between(1, timesMax);
    return {
      name: `${route} ${name}`,
      detail: `${JSON.stringify(what)}, ${times} times from ${nth}`,
      arm: (_, { stage, strike }) =>
        strike(stage.requests[route], () => what, nth, times),
    };
  };
}

/** The platform does nothing, and says why. */
function refused(status: number, text: string): () => Strike {
  return () => ({ undone: true, reply: { status, text } });
}

/** The platform does it, but something else answers. */
function garbled(status: number, text: string): () => Strike {
  return () => ({ reply: { status, text } });
}

const FAILURES: readonly (readonly [number, string])[] = [
  [500, "redis: connection refused\n"],
  [502, "<html><h1>502 Bad Gateway</h1></html>"],
  [503, "upstream unavailable\n"],
];
const SLOW: readonly Choice[] = [
  (random) => ({ lateMs: random.between(SHORT_MS, 2 * LONG_MS) }),
  (random) => ({ earlyMs: random.between(SHORT_MS, 2 * LONG_MS) }),
];
const UNDONE = FAILURES.map((failure) => refused(...failure));
const DONE = FAILURES.map((failure) => garbled(...failure));
const RESET: Choice = () => ({ undone: true, reply: "reset" });
const RATE_LIMITED = refused(429, "rate limited\n");
const GARBAGE: readonly Choice[] = [
  garbled(200, "<html>Please sign in</html>"),
  garbled(200, '{"run_id":'),
  garbled(200, ""),
  garbled(200, "null"),
];

/** What a proxy answers for a gateway that is being replaced. */
const PROXY_404: readonly Choice[] = [
  garbled(404, "404 page not found\n"),
  garbled(404, "default backend - 404"),
  garbled(404, "<html><h1>404 Not Found</h1></html>"),
];

const GATEWAY: readonly IntakeDraw[] = [
  request("start", "reset before it arrives", [RESET]),
  request("start", "reply lost", [() => ({ reply: "reset" })]),
  request("start", "hangs", [
    () => ({ undone: true, reply: "hang" }),
    () => ({ reply: "hang" }),
  ], 1),
  request("start", "answers 429, rate limited", [RATE_LIMITED]),
  request("start", "answers 5xx, undone", UNDONE),
  request("start", "answers 5xx, done", DONE),
  request("start", "answers 409", [
    refused(409, "idempotency key already used\n"),
  ], 1),
  request("start", "is slow", SLOW, 1),
  request("start", "answers garbage", [
    ...GARBAGE,
    garbled(200, '{"run_id":7}'),
  ]),
  request("read", "reset", [RESET]),
  request("read", "hangs", [() => ({ reply: "hang" })], 1),
  request("read", "answers 429, rate limited", [RATE_LIMITED]),
  request("read", "answers 5xx", UNDONE),
  request("read", "is slow", SLOW, 1),
  request("read", "answers garbage", GARBAGE, 5),
  request("read", "answers 404, not the platform's", PROXY_404, 5),
  drawDown,
];

/** Cuts connections, and refuses new ones for a while. */
function drawDown(random: Random): IntakeFault {
  const moment = random.pick([undefined, ...AT_GATEWAY]);
  const ms = random.between(SHORT_MS, LONG_MS);
  return {
    name: "gateway down",
    detail: `${moment ?? "from the beginning"}, ${ms} ms`,
    arm({ gateway }, { stage, struck, at }) {
      const goDown = () => stage.also(gateway.goDown(ms));
      if (moment !== undefined) return at(moment, goDown);
      struck();
      goDown();
    },
  };
}

function burnt(by: "limit" | "crash"): IntakeDraw {
  return (random) => {
    const times = random.pick([1, 1, 2]);
    return {
      name: `key burned by a ${by}`,
      detail: `${times} times`,
      arm: (_, { stage, strike }) => strike(stage.burns, () => by, 1, times),
    };
  };
}

function drawLateRun(random: Random): IntakeFault {
  const ms = random.between(SHORT_MS, RUN_LATE_MS_MAX);
  return {
    name: "run is late",
    detail: `${ms} ms`,
    arm(_, { stage, struck }) {
      stage.runLateMs = () => {
        struck();
        return ms;
      };
    },
  };
}

/** Strikes the replica that reaches a moment. */
function atMoment(
  name: string,
  strike: (
    replica: Replica,
    stage: IntakeStage,
    ms: number,
  ) => void | Promise<void>,
): IntakeDraw {
  return (random) => {
    const moment = random.pick(MOMENTS);
    const nth = random.pick([1, 1, 2]);
    const ms = random.between(SHORT_MS, LONG_MS);
    return {
      name,
      detail: `${moment}, time ${nth}, ${ms} ms`,
      arm: (_, { stage, at }) =>
        at(moment, (replica) => strike(replica, stage, ms), nth),
    };
  };
}

const PROCESS: readonly IntakeDraw[] = [
  atMoment("SIGKILL", async (replica, stage, ms) => {
    await replica.kill();
    stage.also(wait(ms, stage.signal).then(() => replica.start()));
  }),
  atMoment(
    "SIGSTOP",
    (replica, stage, ms) => stage.also(replica.pause(ms, stage.signal)),
  ),
  atMoment("SIGTERM", (replica, stage) => {
    stage.also(replica.stop().then(() => replica.start()));
  }),
];

/** Strikes all that have nothing of their own. */
function always<T>(
  name: string,
  what: T,
  scheduleOf: (stage: IntakeStage) => Schedule<() => T>,
): IntakeDraw {
  return () => ({
    name,
    detail: "",
    arm: (_, { stage, strike }) => strike(scheduleOf(stage), () => what, 0),
  });
}

const attempts = (stage: IntakeStage) => stage.attempts;
const starts = (stage: IntakeStage) => stage.requests.start;
const reads = (stage: IntakeStage) => stage.requests.read;
const INVALID = refused(400, "input schema validation failed: title\n");

/** The one fault after which a sender may be told to drop its delivery. */
export const REFUSES_INPUT = "gateway refuses the input";

/** What no number of redeliveries gets past. */
const THROUGHOUT: readonly IntakeDraw[] = [
  always("network refuses throughout", { does: "refuse" }, attempts),
  always("network loses every answer", { does: "lose answer" }, attempts),
  always(
    "gateway refuses the API key",
    refused(401, "unauthorized\n")(),
    starts,
  ),
  always(REFUSES_INPUT, INVALID(), starts),
  always("start answers garbage throughout", garbled(200, "ok")(), starts),
  always("read answers garbage throughout", garbled(200, "ok")(), reads),
];

/** Kinds of faults, and how often a trial draws from each. */
export const KINDS: readonly (readonly [share: number, IntakeDraw[]])[] = [
  [0.2, [...NETWORK]],
  [0.34, [...GATEWAY]],
  [0.24, [burnt("limit"), burnt("crash"), drawLateRun]],
  [0.16, [...PROCESS]],
  [0.06, [...THROUGHOUT]],
];
