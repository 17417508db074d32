/**
 * Asks every collector that is set up about one incident, all at once and
 * within bounds. A collector that fails costs nothing but a gap.
 *
 * @module
 */
import type { Config, Settings } from "../base/config.ts";
import { deadline } from "../base/deadline.ts";
import { mapTexts, optional } from "../base/json.ts";
import { bugFields, type Log } from "../base/log.ts";
import { removeUnseen, shorten } from "../base/text.ts";
import type { MetricSeries } from "../collected.ts";
import {
  type Fact,
  type Gap,
  type Lookup,
  type LookupState,
  type TimelineEntry,
  toMoment,
} from "../incident.ts";
import type { Redaction } from "../redact/redaction.ts";
import { byMoment } from "../sources/fields.ts";
import type { Piece } from "../sources/source.ts";
import {
  type Collector,
  type Finding,
  type FoundPiece,
  GapError,
  type Question,
} from "./collector.ts";
import {
  type ClientOptions,
  CollectorClient,
  HostLanes,
  REQUESTS_MAX,
  toGapError,
} from "./connection.ts";
import { boundChange, boundSeries, fewSeries } from "./found.ts";
import type { Subject } from "./subject.ts";

/** What all collectors have found, in the order of the ranking; it cites names of pieces. */
export interface Collected {
  pieces: Piece[];
  facts: Fact[];
  /** Oldest first. */
  timeline: TimelineEntry[];
  series: MetricSeries[];
  gaps: Gap[];
  lookups: Lookup[];
}

export interface CollectOptions<S extends Settings> {
  readonly config: Config<S>;
  readonly subject: Subject;
  readonly now: Date;
  /** The job's. */
  readonly signal: AbortSignal;
  /** For all collectors together. */
  readonly timeMs: number;
  /** Of the whole run, so that its placeholders are the same everywhere. */
  readonly redaction: Redaction;
  readonly log: Log;
  /** Reads our own posts about the subject, the newest last. */
  history(): Promise<readonly string[]>;
}

/** Any more questions, the least important ones, are a gap. */
export const QUESTIONS_MAX = 12;
const FACTS_MAX = 12;
const ENTRIES_MAX = 20;
/** Of all questions; the source's own need room, too. */
const TIMELINE_MAX = 50;
const GAPS_MAX = 5;
/** As the schema of a bundle has it. */
const LOOKUPS_MAX = 50;
const NAME_CHARS_MAX = 100;
const VALUE_CHARS_MAX = 500;
const TITLE_CHARS_MAX = 300;
const WHAT_CHARS_MAX = 200;

/** One question on its way. */
interface Asked<S extends Settings> {
  readonly collector: Collector<S>;
  readonly question: Question;
  /** The last piece, or that there is nothing. */
  found: Exclude<Finding, { gap: Gap }> | undefined;
  readonly gaps: Gap[];
}

/**
 * Asks all questions.
 *
 * @throws The job's reason, if its signal aborts. No collector's failure throws.
 */
export async function runCollectors<S extends Settings>(
  collectors: readonly Collector<S>[],
  options: CollectOptions<S>,
): Promise<Collected> {
  const { config, timeMs, signal, redaction } = options;
  const lookups: Lookup[] = [];
  const all: Asked<S>[] = [];
  for (const collector of collectors) {
    const { name } = collector;
    if (!collector.isOn(config)) {
      lookups.push({ collector: name, state: "off", why: "not set up" });
      continue;
    }
    const questions = questionsOf(collector, options);
    if (typeof questions === "string") {
      lookups.push({ collector: name, state: "unconcerned", why: questions });
      continue;
    }
    for (const question of questions) {
      all.push({ collector, question, found: undefined, gaps: [] });
    }
  }
  // A stable sort: of equal ranks, the collectors' order counts.
  all.sort((a, b) => a.question.rank - b.question.rank);
  const asked = all.slice(0, QUESTIONS_MAX);
  for (const { question: { what }, gaps } of all.slice(QUESTIONS_MAX)) {
    const why = `at most ${QUESTIONS_MAX} questions are asked`;
    gaps.push({ what, why, kind: "limited" });
  }
  if (timeMs <= 0) {
    for (const { collector: { title }, question: { what }, gaps } of asked) {
      const why = `no time is left to ask ${title}`;
      gaps.push({ what, why, kind: "late" });
    }
    return assemble(all, lookups, redaction);
  }
  using end = deadline(timeMs, signal);
  const endMs = performance.now() + timeMs;
  const lanes = new HostLanes();
  await Promise.all(
    Map.groupBy(asked, ({ collector }) => collector).values().map(
      async (group) => {
        const budget = { max: REQUESTS_MAX, sent: 0 };
        await Promise.all(
          group.map((one) =>
            ask(one, options, { budget, lanes, signal: end.signal, endMs })
          ),
        );
      },
    ),
  );
  signal.throwIfAborted();
  return assemble(all, lookups, redaction);
}

/** A collector that cannot tell what to ask must not cost the others. */
function questionsOf<S extends Settings>(
  collector: Collector<S>,
  { subject, config, log }: CollectOptions<S>,
): readonly Question[] | string {
  try {
    return collector.questions(subject, config);
  } catch (error) {
    const { name } = collector;
    log.warn("A collector failed", { collector: name, ...bugFields(error) });
    return "it could not tell what to ask";
  }
}

/** Never throws: a failure is a gap, and what came before it stays. */
async function ask<S extends Settings>(
  asked: Asked<S>,
  { config, subject, now, log, history, timeMs }: CollectOptions<S>,
  surroundings: ClientOptions,
): Promise<void> {
  const { collector, question, gaps } = asked;
  const { title } = collector;
  const { signal } = surroundings;
  const fail = ({ kind, message: why }: GapError) =>
    void gaps.push({ what: question.what, why, kind });
  try {
    const connection = collector.connect(config, question);
    using client = connection && new CollectorClient(connection, surroundings);
    const findings = collector.ask(question, {
      config,
      subject,
      now,
      signal,
      history,
      get(path, options) {
        if (client !== undefined) return client.get(path, options);
        throw new TypeError(`${title} has no connection`);
      },
    });
    for await (const finding of untilAborted(findings, signal)) {
      if (!("gap" in finding)) asked.found = finding;
      else gaps.push(finding.gap);
    }
    if (signal.aborted && !gaps.some(({ kind }) => kind === "late")) {
      const why = `${title} did not finish within ${secondsOf(timeMs)}`;
      fail(new GapError("late", why));
    }
  } catch (error) {
    if (!(error instanceof GapError)) {
      // Its answer had another shape than it expects, or it is wrong.
      log.warn("A collector failed", {
        collector: collector.name,
        question: question.id,
        ...bugFields(error),
      });
    }
    fail(toGapError(error, title));
  }
}

/** Two digits are enough for people. */
function secondsOf(ms: number): string {
  return `${Number((ms / 1000).toPrecision(2))} s`;
}

/** Ends with the signal, even if the source waits for something else. */
async function* untilAborted<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const stop = () => resolve(undefined);
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop);
  try {
    while (true) {
      const next = iterator.next();
      next.catch(() => {}); // If nobody waits for it any more.
      const step = await Promise.race([next, promise]);
      if (step === undefined || step.done) return;
      yield step.value;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    iterator.return?.()?.catch(() => {});
  }
}

/**
 * Removes what nobody can see, then redacts, then cuts. What is blank then is
 * left out, since a bundle with it would not be valid.
 */
function assemble<S extends Settings>(
  all: readonly Asked<S>[],
  off: readonly Lookup[],
  redaction: Redaction,
): Collected {
  const result: Collected = {
    pieces: [],
    facts: [],
    timeline: [],
    series: [],
    gaps: [],
    lookups: [],
  };
  const words = (text: string, charsMax: number, blank = "unknown") =>
    shorten(redaction.kept(seen(text)).trim() || blank, charsMax);
  for (const { collector, question, ...asked } of all) {
    const { found, gaps } = mapTexts(
      { found: asked.found, gaps: asked.gaps },
      seen,
    );
    const name = `${collector.name}/${question.id}`;
    const what = words(question.what, WHAT_CHARS_MAX);
    const lookup = (state: LookupState, why?: string): Lookup => ({
      collector: collector.name,
      question: what,
      state,
      ...why === undefined ? {} : { why: words(why, VALUE_CHARS_MAX) },
    });
    const said = gaps.slice(0, GAPS_MAX).map((
      { what: of, why, kind, ...counts },
    ) => ({
      what: words(of, WHAT_CHARS_MAX, what),
      why: words(why, VALUE_CHARS_MAX),
      ...optional("kind", kind),
      ...optional("got", countOf(counts.got)),
      ...optional("of", countOf(counts.of)),
    }));
    result.gaps.push(...said);
    if (found === undefined) {
      const why = said[0]?.why ?? `${collector.title} said nothing`;
      result.lookups.push(lookup("failed", why));
      if (said.length === 0) result.gaps.push({ what, why, kind: "broken" });
      continue;
    }
    if ("nothing" in found) {
      result.lookups.push(lookup("nothing", found.nothing));
      continue;
    }
    const { piece, facts = [], timeline = [], series = [] } = found;
    const evidence = [name];
    result.lookups.push({ ...lookup("found"), evidence });
    result.pieces.push(toPiece(name, piece, redaction));
    result.facts.push(
      ...facts.filter(({ name }) => name.trim() !== "").slice(0, FACTS_MAX)
        .map(({ name, value, kind, health }) => ({
          name: words(name, NAME_CHARS_MAX),
          // A fact's name tells whether its value is a secret.
          value: shorten(
            Object.values(redaction.value({ [name]: value }))[0] ?? "",
            VALUE_CHARS_MAX,
          ),
          kind: kind ?? question.kind,
          ...optional("health", health),
          evidence,
        })),
    );
    result.timeline.push(
      ...timeline.map((entry) => ({ ...entry, at: toMoment(entry.at) ?? "" }))
        .filter(({ at, text }) => at !== "" && text.trim() !== "")
        .slice(0, ENTRIES_MAX)
        .map(({ at, text, kind, change }) => ({
          at,
          text: shorten(redaction.text(text), VALUE_CHARS_MAX),
          kind: kind ?? question.kind,
          ...optional("change", change && boundChange(change, redaction)),
          evidence,
        })),
    );
    result.series.push(
      ...series.map((one) => ({ ...boundSeries(one, redaction), evidence })),
    );
  }
  result.timeline = result.timeline.slice(0, TIMELINE_MAX).sort(byMoment);
  for (const { why = "", ...lookup } of off) {
    result.lookups.push({ ...lookup, why: words(why, VALUE_CHARS_MAX) });
  }
  result.lookups = result.lookups.slice(0, LOOKUPS_MAX);
  result.series = fewSeries(result.series);
  return result;
}

function seen(text: string): string {
  return removeUnseen(text.toWellFormed());
}

/** A count as a bundle may have it; another system may have made it. */
function countOf(count: number | undefined): number | undefined {
  return Number.isSafeInteger(count) && count! >= 0 ? count : undefined;
}

function toPiece(
  name: string,
  piece: FoundPiece,
  redaction: Redaction,
): Piece {
  const shared = {
    name,
    kind: name.replace("/", "."),
    title: shorten(
      redaction.kept(piece.title).trim() || name,
      TITLE_CHARS_MAX,
    ),
  };
  return "text" in piece
    ? {
      ...shared,
      contentType: piece.contentType,
      content: redaction.text(piece.text),
    }
    : {
      ...shared,
      contentType: "application/json",
      content: JSON.stringify(redaction.value(piece.value), null, 2),
    };
}
