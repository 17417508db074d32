/**
 * What Slack may do with a post. It serves the requests after that normally.
 *
 * @module
 */
import {
  type Behaviour,
  rateLimited,
  refusal,
} from "../../../../deploy/standins/slack.ts";
import type { PostDraw } from "./stage.ts";

const LATE_MS = 300;
/** Later than the poster waits. */
const TOO_LATE_MS = 1_200;
const OK = { status: 200, body: "ok" };

/** One of several behaviours, made when the request comes. */
type Choice = readonly [detail: string, make: () => Behaviour];

function fault(name: string, choices: readonly Choice[], times = 1): PostDraw {
  return (random) => {
    const [detail, make] = random.pick(choices);
    return {
      name: `Slack ${name}`,
      detail,
      arm: (_, { stage, strike }) => strike(stage.answers, make, 1, times),
    };
  };
}

function always(behaviour: Behaviour): Choice[] {
  return [["", () => behaviour]];
}

function body(text: string): Choice {
  return [JSON.stringify(text), () => ({ status: 200, body: text })];
}

function status(status: number): Choice {
  return [String(status), () => ({ status, body: "rollup_error" })];
}

function retryAfter(header: string | undefined): Choice {
  return [header ?? "no header", () => rateLimited(header)];
}

function retryAt(seconds: number): Choice {
  const date = () => new Date(Date.now() + seconds * 1000).toUTCString();
  return [`in ${seconds} s`, () => rateLimited(date())];
}

function token(name: string): Choice {
  return [name, () => refusal(name)];
}

export const SLACK_FAULTS: readonly PostDraw[] = [
  fault("answers late", always({ ...OK, lateMs: LATE_MS })),
  fault("answers too late", always({ ...OK, lateMs: TOO_LATE_MS })),
  fault("never answers", always("never answer")),
  fault("answers twice", always({ ...OK, twice: true })),
  fault(
    "answers 200 with another body",
    ["", "no", "<html>proxy</html>", '{"ok":false}'].map(body),
  ),
  fault("answers 200 without end", always("answer without end")),
  fault("answers 5xx", [500, 502, 503].map(status)),
  fault("answers 429 with seconds", ["0", "1", "60"].map(retryAfter)),
  fault("answers 429 with a date", [-3600, 0, 3600].map(retryAt)),
  fault(
    "answers 429 with nonsense",
    ["soon", "-1", "1e9", "", undefined].map(retryAfter),
  ),
  fault("answers 429 for ever", always(rateLimited("0")), 5),
  fault(
    "refuses",
    ["no_service", "invalid_token", "invalid_blocks"].map(token),
  ),
  fault("resets before reading", always("reset before reading")),
  fault("resets after reading", always("reset after reading")),
];
