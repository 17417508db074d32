/**
 * One trial on its lane: what is to happen at which boundary, and what did.
 *
 * @module
 */
import type { Behaviour } from "../../../deploy/standins/slack.ts";
import { type Boundary, isClaim, meaningOf } from "./boundaries.ts";
import type { Poster, Traffic } from "./poster.ts";

/** What becomes of what passes. */
export type Verdict =
  | "pass"
  /** The connection is cut here. */
  | "cut"
  /** It is done, and the connection is cut before the reply. */
  | "lose reply"
  /** This reply of Redis in place of its own. */
  | { error: string };

/** Happens at a boundary; what passes waits for it. */
export type Handler = (poster: Poster) => Verdict | Promise<Verdict>;

/** Something that happened, for whoever repeats a trial. */
export interface Note {
  ms: number;
  what: string;
}

/** A delivery of a job to one process. */
export interface Delivery {
  jobId: string;
  poster: Poster;
  /** Which process it was. */
  starts: number;
}

/** What a fault arranges itself with. */
export interface FaultStage {
  readonly stage: Stage;
  /** It strikes now. */
  struck(): void;
  /** Strikes when a post next gets there. */
  at(boundary: Boundary, handler: Handler): void;
}

const RECORD = "incident-enricher:posted:";
const NOTES_MAX = 200;
/** How a process says that it is done with one delivery. */
const DONE = new Set([
  "Job answered",
  "Left a job to the process that does it",
  "Answering a redelivered job again",
  "Ignored a redelivered job that is in hand",
]);

/** What one trial has arranged and seen. */
export class Stage {
  /** Of the trial's incident; no other stage has the same. */
  readonly incidentId: string;
  readonly notes: Note[] = [];
  readonly deliveries: Delivery[] = [];
  /** Jobs of this trial, in the order of their approval. */
  readonly jobIds: string[] = [];
  /** What Slack does with the next requests; then what Slack does. */
  #behaviours: (() => Behaviour)[] = [];
  /** Faults that struck, by their place in the plan. */
  readonly struck = new Set<number>();
  /** Deliveries that are about to be lost, and are not waited for. */
  losing = 0;
  /** Whether Redis lost its data during this trial. */
  lostData = false;
  readonly #pending: Promise<unknown>[] = [];
  readonly #over = Promise.withResolvers<Verdict>();
  readonly #handlers = new Map<Boundary, Handler[]>();
  readonly #claimed = new WeakSet<Poster>();
  readonly #start = performance.now();
  #sender: Poster | undefined;

  constructor(incidentId: string) {
    this.incidentId = incidentId;
  }

  /** Arranges that `handler` is called when a post next gets there. */
  at(boundary: Boundary, handler: Handler): void {
    const handlers = this.#handlers.get(boundary) ?? [];
    this.#handlers.set(boundary, [...handlers, handler]);
  }

  /** The same stage, for one fault of the plan: it counts what strikes. */
  forFault(place: number): FaultStage {
    return {
      stage: this,
      struck: () => void this.struck.add(place),
      at: (boundary, handler) =>
        this.at(boundary, (poster) => {
          this.struck.add(place);
          return handler(poster);
        }),
    };
  }

  /** Takes in what goes on beside the trial and has to end before it. */
  also(promise: Promise<unknown>): void {
    promise.catch(() => {}); // Told to whoever waits for it, perhaps later.
    this.#pending.push(promise);
  }

  /** What goes on, or went on, beside the trial. */
  get pending(): readonly Promise<unknown>[] {
    return this.#pending;
  }

  /** Arranges what Slack does with one more request. */
  answer(behaviour: () => Behaviour): void {
    this.#behaviours.push(behaviour);
  }

  /** What Slack does with the next request, if it is arranged. */
  nextBehaviour(): Behaviour | undefined {
    return this.#behaviours.shift()?.();
  }

  /** The trial has ended: what is still held is cut. */
  close(): void {
    this.disarm();
    this.#over.resolve("cut");
  }

  /** Nothing that was arranged happens any more. */
  disarm(): void {
    this.#handlers.clear();
    this.#behaviours = [];
  }

  /** Writes down what happened. */
  note(what: string): void {
    if (this.notes.length >= NOTES_MAX) return;
    this.notes.push({ ms: Math.round(performance.now() - this.#start), what });
  }

  /** Whether every process is done with every delivery that it got. */
  get isSettled(): boolean {
    return this.deliveries.every((one) => this.#unanswered(one) <= 0);
  }

  /** Takes what was not answered so far for lost on its way. */
  giveUp(): void {
    for (const one of [...this.deliveries]) {
      if (this.#unanswered(one) <= 0) continue;
      this.note(`${one.poster.id} has not answered ${one.jobId} in time`);
      this.deliveries.splice(this.deliveries.indexOf(one), 1);
    }
  }

  /** How many deliveries of the job this very process has said nothing of. */
  #unanswered({ poster, starts, jobId }: Delivery): number {
    if (!poster.alive || poster.starts !== starts) return 0;
    const sent = this.deliveries.filter((one) =>
      one.poster === poster && one.starts === starts && one.jobId === jobId
    );
    const done = poster.lines.filter(({ starts: wrote, fields }) =>
      wrote === starts && fields["job"] === jobId &&
      DONE.has(String(fields["msg"]))
    );
    return sent.length - done.length;
  }

  /** A command of a poster to Redis. */
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

  /** A message of a poster to NATS; a result names its job in plain text. */
  nats(
    poster: Poster,
    when: "before" | "after",
    subject: string,
    payload: Uint8Array,
  ): Verdict | Promise<Verdict> {
    if (subject !== "sys.job.result") return "pass";
    const text = new TextDecoder().decode(payload);
    if (!this.jobIds.some((jobId) => text.includes(jobId))) return "pass";
    return this.reach(
      when === "before" ? "before result" : "after result",
      poster,
    );
  }

  /** Something happened at Slack; the request is that of who claimed last. */
  async slack(boundary: Boundary): Promise<void> {
    if (this.#sender !== undefined) await this.reach(boundary, this.#sender);
  }

  /** A poster is at a boundary. */
  async reach(boundary: Boundary, poster: Poster): Promise<Verdict> {
    this.note(`${poster.id} ${boundary}`);
    const [handler, ...rest] = this.#handlers.get(boundary) ?? [];
    if (handler === undefined) return "pass";
    this.#handlers.set(boundary, rest);
    const happening = Promise.resolve(handler(poster));
    this.also(happening);
    // Whoever waits for what goes on learns of the failure.
    const verdict = happening.catch((): Verdict => "cut");
    return await Promise.race([verdict, this.#over.promise]);
  }
}

/** Traffic of a lane, seen by the stage that is on, if one is. */
export function trafficOf(stage: () => Stage | undefined): Traffic {
  return {
    redis: (...given) => stage()?.redis(...given) ?? "pass",
    nats: (...given) => stage()?.nats(...given) ?? "pass",
  };
}
