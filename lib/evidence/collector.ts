/**
 * A collector asks one outside system about an incident. Each collector is one
 * file in `lib/evidence/collect/`; `collectors.ts` lists them all.
 *
 * @module
 */
import type { Config, Settings } from "../base/config.ts";
import type { Change, MetricSeries } from "../collected.ts";
import type { EvidenceKind, Gap, GapKind, Health } from "../incident.ts";
import type { Subject } from "./subject.ts";

/** A host that a collector may call, or a file that it may read, and why. */
export type Reach =
  | { readonly host: string; readonly why: string }
  | { readonly file: string; readonly why: string };

/** One thing to look up. It becomes one artifact at most. */
export interface Question {
  /** Unique in its collector: `deployments`. */
  readonly id: string;
  /** One noun phrase for people: `deployments of shop/cart since 07:30`. */
  readonly what: string;
  /** As in the ranking of evidence: 1 is worth the most. */
  readonly rank: number;
  readonly kind: EvidenceKind;
}

/** A piece of evidence. Its redacted JSON, or its text, becomes the artifact. */
export type FoundPiece =
  & { title: string }
  & ({ value: unknown } | { text: string; contentType: string });

/** A named value that the piece shows. */
export interface FoundFact {
  name: string;
  value: string;
  /** The question's if absent. */
  kind?: EvidenceKind;
  /** How it stands, if the piece shows that. */
  health?: Health;
}

/** Something that happened at one moment. */
export interface FoundEntry {
  /** RFC 3339. */
  at: string;
  text: string;
  /** The question's if absent. */
  kind?: EvidenceKind;
  change?: Change;
}

/** The course of a number that the piece shows. */
export type FoundSeries = Omit<MetricSeries, "evidence">;

/**
 * What has been learned about a question so far. A later piece replaces an
 * earlier one, so that a collector can hand over what it has before it asks
 * for more; gaps add up.
 */
export type Finding =
  | {
    piece: FoundPiece;
    facts?: readonly FoundFact[];
    timeline?: readonly FoundEntry[];
    series?: readonly FoundSeries[];
  }
  /** Asked, and there is nothing: one clause such as `no deployment`. */
  | { nothing: string }
  | { gap: Gap };

/** The answer to a request. */
export interface Answer {
  /** The parsed JSON, or the text where that was asked for. */
  readonly value: unknown;
  readonly headers: Headers;
}

/** A request below the connection's address. */
export interface GetOptions {
  /** In this order; `undefined` is left out. */
  readonly query?: Iterable<readonly [name: string, value: string | undefined]>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Content types to take as text; JSON if absent. */
  readonly text?: readonly string[];
}

/** Where a collector's requests go. */
export interface HttpConnection {
  /** As people write the system: `Prometheus`. */
  readonly title: string;
  /** Scheme, host, perhaps a path; no slash at the end. */
  readonly url: string;
  /** Asked anew for each request, since a token may be replaced. */
  headers?(): Record<string, string> | Promise<Record<string, string>>;
  /** PEM; trusted beside the well-known authorities. */
  readonly ca?: string | undefined;
  /** How long to wait after a 429, in milliseconds, if the answer says so. */
  resetMs?(headers: Headers, nowMs: number): number | undefined;
  /** Whether a refusal is a rate limit under another status. */
  isLimit?(status: number, headers: Headers, body: unknown): boolean;
}

/** A collector's only way out, for one question. */
export interface CollectorIo<S extends Settings = Settings> {
  readonly config: Config<S>;
  readonly subject: Subject;
  readonly now: Date;
  /** Aborts when the time for collecting is over. */
  readonly signal: AbortSignal;
  /**
   * Asks for a path below the connection's address.
   *
   * @param path Begins with `/`; its parts are already escaped.
   * @throws {GapError} For every answer but a good one.
   */
  get(path: string, options?: GetOptions): Promise<Answer>;
  /** Our own posts about the subject, the newest last; see `lib/history.ts`. */
  history(): Promise<readonly string[]>;
}

/** The result of a collector's check. */
export interface Check {
  /** One clause: `Prometheus 2.42.0`. */
  says: string;
}

/** Asks one outside system. Stateless; every call gets what it needs. */
export interface Collector<S extends Settings = Settings> {
  /** `prometheus`: prefix of kinds, label of metrics. */
  readonly name: string;
  /** As people write it: `Prometheus`. */
  readonly title: string;
  readonly settings: Settings;
  /** Whether it is set up. */
  isOn(config: Config<S>): boolean;
  /** What it needs to reach with these settings; empty while it is off. */
  reach(config: Config<S>): readonly Reach[];
  /** Where its requests go; `undefined` if it makes none. */
  connect(config: Config<S>, question?: Question): HttpConnection | undefined;
  /** What to look up; a text says why the incident does not concern it. Pure. */
  questions(subject: Subject, config: Config<S>): readonly Question[] | string;
  /** Yields what it learns, so that a timeout keeps what came before. */
  ask(question: Question, io: CollectorIo<S>): AsyncIterable<Finding>;
  /** One cheap authorised read. @throws {GapError} If it fails. */
  check(io: Pick<CollectorIo<S>, "config" | "get">): Promise<Check>;
}

/** A request that brought nothing; it becomes a gap. */
export class GapError extends Error {
  override name = "GapError";
  readonly kind: GapKind;
  /** Of the answer; 0 without one. */
  readonly status: number;

  /** @param why One clause, which becomes the gap's. */
  constructor(kind: GapKind, why: string, status = 0) {
    super(why);
    this.kind = kind;
    this.status = status;
  }
}
