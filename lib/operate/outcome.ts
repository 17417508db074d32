/**
 * What became of an approved job, in words.
 *
 * @module
 */
import { type JsonObject, objectOf, stringOf } from "../base/json.ts";
import { printable, utcOf } from "../base/text.ts";
import {
  type Bounce,
  type Followed,
  type Hindrance,
  workerOf,
} from "./approvals.ts";
import { POST_TOPIC } from "./pack.ts";

/** What became of a job. */
export interface Outcome {
  /** Whether what was approved has been done. */
  done: boolean;
  /** What has happened, without a full stop. */
  said: string;
  /** What to do now; empty if nothing is to be done. */
  remedy: string;
  /** What is known of it, by name. */
  facts: readonly (readonly [string, string])[];
  warnings: readonly string[];
}

/** Why nothing happens to an approved job, and what helps. */
export function describeHindrance(
  hindrance: Hindrance,
  topic: string,
): { because: string; cure: string } {
  if (hindrance === "no worker") {
    return { because: `no ${workerOf(topic)} is up`, cure: "start one" };
  }
  return {
    because:
      "the platform's licence lets nothing run while so many jobs are unfinished",
    cure: "decide what waits (deno task approvals), or cancel a run",
  };
}

/** Says what became of an approved job. @param principal Who approved it. */
export function describeOutcome(
  { jobId, topic, principal }: {
    jobId: string;
    topic: string;
    principal: string;
  },
  followed: Followed,
): Outcome {
  const isPost = topic === POST_TOPIC;
  const not = (said: string, remedy = ""): Outcome => ({
    ...{ done: false, said, remedy },
    ...{ facts: [], warnings: [] },
  });
  switch (followed.end) {
    case "succeeded": {
      const { result } = followed;
      if (isPost) return describePosted(jobId, principal, result);
      const said = `Done: ${printable(JSON.stringify(result), 1_000)}`;
      return { ...not(said), done: true };
    }
    case "failed": {
      const { code, message } = followed;
      const why = printable(`${code} ${message}`, 1_000);
      return code === "POST_IN_DOUBT"
        ? not(
          `In doubt: ${why}`,
          "Look into the channel, then settle it: deno task posts",
        )
        : not(`${isPost ? "Not posted" : "Not done"}: ${why}`);
    }
    case "bounced":
      return not(
        `The job waits for approval again: ${
          BOUNCED[followed.why](workerOf(topic))
        }`,
      );
    case "still running": {
      const { state, hindrance } = followed;
      const why = hindrance === undefined
        ? ""
        : `${describeHindrance(hindrance, topic).because}, and `;
      return not(
        `Nothing is known yet: ${why}the job is still ${printable(state)}`,
      );
    }
  }
}

const BOUNCED: Readonly<Record<Bounce, (who: string) => string>> = {
  "no worker": (who) =>
    `no ${who} is up to take it. Start one, then approve it once more`,
  "never released": () =>
    "this platform is coretexOS 0.6, which never releases an approved job",
  "not placed": (who) =>
    `no ${who} was free to take it at that moment. Approve it once more`,
};

function describePosted(
  jobId: string,
  principal: string,
  result: JsonObject,
): Outcome {
  const text = (name: string) => printable(stringOf(result[name]), 300);
  const at = utcOf(text("posted_at"));
  const host = text("destination_host");
  const where = host === "" ? "as an artifact" : `to ${host}`;
  const { warnings: given } = result;
  const warnings = (Array.isArray(given) ? given : []).map(String)
    .filter((warning) => !warning.startsWith("Not sent: "))
    .map((warning) => printable(warning, 500));
  // A job that was done again repeats its own message.
  if (result["repeat"] === true && text("job_id") !== jobId) {
    const as = text("posted_as") === "" ? "" : ` as ${text("posted_as")}`;
    const there = host === "" ? "" : ` ${where}`;
    const said = `Not sent: posted before${as} on ${at}${there}`;
    return { done: false, said, remedy: "", facts: [], warnings };
  }
  const update = objectOf(result["update_of"]);
  const what = update === undefined
    ? ""
    : `, an update of the ${printable(stringOf(update["severity"]))} of ${
      utcOf(stringOf(update["posted_at"]))
    }`;
  const said = result["dry_run"] === true
    ? "Nothing was sent: it is a dry run"
    : `Posted ${where} on ${at}${what}`;
  const facts = factsOf(result, principal);
  return { done: true, said, remedy: "", facts, warnings };
}

function factsOf(result: JsonObject, principal: string): Outcome["facts"] {
  const approval = objectOf(result["approval"]);
  const by = stringOf(approval?.["by"]);
  const own = by === "" || by === principal;
  const facts = [
    ["approver", own ? by : `${by}, as the platform goes by the API key`],
    ["signed by", stringOf(approval?.["signed_by"])],
    ["run", stringOf(result["run_id"])],
    ["copy", stringOf(result["artifact_ptr"])],
  ] as const;
  return facts.filter(([, fact]) => fact !== "")
    .map(([name, fact]) => [name, printable(fact, 300)] as const);
}
