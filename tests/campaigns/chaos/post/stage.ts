/**
 * What may become of a post: its jobs, their deliveries, its requests to Slack.
 *
 * @module
 */
import type { Behaviour } from "../../../../deploy/standins/slack.ts";
import {
  type Draw,
  type Fault,
  Stage,
  type Tools,
  type Verdict,
} from "../stage.ts";
import { type Boundary, isClaim, meaningOf } from "./boundaries.ts";
import { WORST_FIRST } from "../../../../lib/incident.ts";
import type { PostSeverity } from "../../../../lib/post/severity.ts";
import type { PostLane } from "./lane.ts";
import type { Poster } from "./poster.ts";

export type PostTools = Tools<PostStage, Boundary, Poster>;
export type PostFault = Fault<PostLane, PostTools>;
export type PostDraw = Draw<PostFault>;

/** A delivery of a job to one process. */
interface Delivery {
  jobId: string;
  poster: Poster;
  /** Which of the poster's processes got it. */
  starts: number;
}

export const SEVERITIES: readonly PostSeverity[] = [...WORST_FIRST, "unknown"];
const RECORD = "incident-enricher:posted:";
/** What a process logs before it publishes a result. */
const ANSWERED = ["Job answered", "Answering a redelivered job again"];
/** What a process logs when it is done with a delivery. */
const DONE = [
  ...ANSWERED,
  "Left a job to the process that does it",
  "Ignored a redelivered job that is in hand",
];

export class PostStage extends Stage<Boundary, Poster> {
  readonly deliveries: Delivery[] = [];
  /** Results that have left a process. */
  readonly #results: Delivery[] = [];
  /** In the order of their approval. */
  readonly jobIds: string[] = [];
  /** What each job's message says. */
  readonly severities = new Map<string, PostSeverity>();
  /** What Slack does with its next requests; after them it behaves. */
  readonly answers = this.schedule<() => Behaviour>();
  /** How many deliveries are about to be lost, so that nobody waits for them. */
  losing = 0;
  /** Whether Redis lost its data during this trial. */
  lostData = false;
  readonly #claimed = new WeakSet<Poster>();
  #sender: Poster | undefined;

  /** @param incidentId Unique to this trial. */
  constructor(readonly incidentId: string) {
    super();
  }

  /** Whether every process is done with its deliveries. */
  get isSettled(): boolean {
    return this.deliveries.every((one) => this.#unanswered(one) <= 0);
  }

  /** Treats unanswered deliveries as lost. */
  giveUp(): void {
    for (const one of [...this.deliveries]) {
      if (this.#unanswered(one) <= 0) continue;
      this.note(`${one.poster.id} has not answered ${one.jobId} in time`);
      this.deliveries.splice(this.deliveries.indexOf(one), 1);
    }
  }

  /** How many deliveries of the job this very process has not answered. */
  #unanswered({ poster, starts, jobId }: Delivery): number {
    if (!poster.alive || poster.starts !== starts) return 0;
    const count = (some: readonly Delivery[]) =>
      some.filter((one) =>
        one.poster === poster && one.starts === starts && one.jobId === jobId
      ).length;
    const said = (texts: readonly string[]) =>
      poster.lines.filter(({ starts: wrote, fields }) =>
        wrote === starts && fields["job"] === jobId &&
        texts.includes(String(fields["msg"]))
      ).length;
    const unpublished = said(ANSWERED) - count(this.#results);
    return Math.max(count(this.deliveries) - said(DONE), unpublished);
  }

  /** Sees a command of a poster to Redis. */
  redis(
    poster: Poster,
    when: "before" | "after",
    command: readonly string[],
  ): Verdict | Promise<Verdict> {
    const [name = "", key = "", value = ""] = command;
    const isRecord = key.startsWith(RECORD);
    const isOurs = isRecord
      ? key.includes(`:${this.incidentId}:`)
      : this.jobIds.some((jobId) => key.includes(jobId));
    if (!isOurs) return "pass";
    const claimed = this.#claimed.has(poster);
    const boundary = meaningOf(command, claimed)[when];
    if (isRecord && /^rpush$/i.test(name)) {
      if (isClaim(value)) this.#claimed.add(poster);
      else this.#claimed.delete(poster);
    }
    if (boundary === "before connect") this.#sender = poster;
    return boundary === undefined ? "pass" : this.reach(boundary, poster);
  }

  /** Sees a message of a poster to NATS; a result holds its job's id as text. */
  nats(
    poster: Poster,
    when: "before" | "after",
    subject: string,
    payload: Uint8Array,
  ): Verdict | Promise<Verdict> {
    if (subject !== "sys.job.result") return "pass";
    const text = new TextDecoder().decode(payload);
    const jobId = this.jobIds.find((jobId) => text.includes(jobId));
    if (jobId === undefined) return "pass";
    const { starts } = poster;
    if (when === "before") this.#results.push({ jobId, poster, starts });
    return this.reach(`${when} result`, poster);
  }

  /** Sees a request to Slack, which is that of the poster that claimed last. */
  async slack(boundary: Boundary): Promise<void> {
    if (this.#sender !== undefined) await this.reach(boundary, this.#sender);
  }
}
