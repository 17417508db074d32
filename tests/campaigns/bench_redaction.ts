/**
 * Measures what redaction costs: harmless text per KiB, hostile text per MiB,
 * and that twice the text takes twice the time.
 *
 * @module
 */
import process from "node:process";
import { startRedaction } from "../../lib/redact/redaction.ts";
import { command } from "../../scripts/terminal/arguments.ts";
import { type Main, runCommand } from "../../scripts/terminal/command.ts";
import {
  HOSTILE,
  HOSTILE_RULES,
  HOSTILE_VALUES,
  hostileText,
} from "../redact/corpus/hostile.ts";
import { harmlessTexts, plant } from "../redact/corpus/measure.ts";
import { PROSE } from "../redact/corpus/prose.ts";

/** The aim is half of it; a busy machine is no failure. */
const HARMLESS_US_PER_KIB_MAX = 40;
/** The aim is half of it, for the same reason. */
const HOSTILE_MS_PER_MIB_MAX = 200;
/** Four times the text may take so many times as long. */
const GROWTH_MAX = 10;
/** So much is redacted in each round. */
const WARM_KIB = 500;
/** Less is noise. */
const MEASURABLE_MS = 8;

const [SMALL, LARGE, HUGE] = [1 << 14, 1 << 16, 1 << 20];
/** Keys, items or levels of a hostile value, and four times of them. */
const VALUES = 2_500;
const SLOWEST = 20;
const ROUNDS = 5;
const TRIES = 3;

const HELP = {
  usage: "deno task bench:redaction [--quick]",
  about:
    `Measures how long redaction takes, the median of ${ROUNDS} rounds, corrected
by what a plain pass over a text takes at that moment.
Exit code 1 if harmless text takes more than ${HARMLESS_US_PER_KIB_MAX} µs per KiB, hostile text
more than ${HOSTILE_MS_PER_MIB_MAX} ms per MiB, or any text more than in proportion.`,
  options: { quick: "of the texts made from forms and frames only every 20th" },
} as const;

/** How long a call takes, in milliseconds. */
export type Clock = (call: () => void) => number;

/** What {@linkcode plainPass} takes on the machine that the aims are for. */
const PLAIN_PASS_MS = 0.55;
const PLAIN_TEXT = hostileText("level=error at checkout ", 1 << 18);

/** Reads a text once: the least that anything can cost. */
function plainPass(): number {
  let hash = 0;
  for (let at = 0; at < PLAIN_TEXT.length; at++) {
    hash = (hash << 5 | PLAIN_TEXT.charCodeAt(at) & 31) & 0x7fff;
  }
  return hash;
}

/**
 * How long a call takes. On a busy machine the clock on the wall tells too much;
 * processor time does if garbage is collected beside it.
 */
function shortestTime(call: () => void): number {
  const before = process.cpuUsage();
  const started = performance.now();
  call();
  const passed = performance.now() - started;
  const { user, system } = process.cpuUsage(before);
  return Math.min(passed, (user + system) / 1000);
}

/** The same, less if the machine is slower at this moment. */
const correctedTime: Clock = (call) => {
  const before = shortestTime(plainPass);
  const time = shortestTime(call);
  const pass = (before + shortestTime(plainPass)) / 2;
  return time / Math.max(1, pass / PLAIN_PASS_MS);
};

/** What is measured, and with what. */
export interface Bench {
  readonly redact: (value: unknown) => unknown;
  readonly clock: Clock;
  readonly hostile: readonly string[];
  readonly out: (line: string) => void;
}

/** Measures everything. @returns What took too long, one sentence each. */
export function benchRedaction(bench: Bench): string[] {
  return [
    ...benchHarmless(bench),
    ...benchValues(bench),
    ...benchHostile(bench),
  ];
}

/** Values that are large in another way than one text: four times of each. */
function benchValues({ redact, clock, out }: Bench): string[] {
  const problems: string[] = [];
  let worst = { name: "", ms: 0 };
  for (const [name, make] of Object.entries(HOSTILE_VALUES)) {
    const time = (size: number) => {
      const value = make(size);
      const call = () => clock(() => redact(value));
      return Math.min(call(), call(), call());
    };
    const [small, large] = [time(VALUES), time(4 * VALUES)];
    if (large > worst.ms) worst = { name, ms: large };
    if (large > MEASURABLE_MS && large > GROWTH_MAX * small) {
      problems.push(
        `${name} took ${small.toFixed(1)} ms, four times of it ${
          large.toFixed(1)
        } ms`,
      );
    }
  }
  out(
    `${Object.keys(HOSTILE_VALUES).length} hostile values: at most ${
      worst.ms.toFixed(0)
    } ms, of ${worst.name}`,
  );
  return problems;
}

const HARMLESS = {
  "harmless strings": { texts: harmlessTexts, gate: true },
  "prose about credentials": { texts: () => [...PROSE], gate: false },
  credentials: { texts: () => plant().map(({ text }) => text), gate: false },
} as const;

function benchHarmless({ redact, clock, out }: Bench): string[] {
  return Object.entries(HARMLESS).flatMap(([name, { texts, gate }]) => {
    const all = texts();
    const kib = all.reduce((sum, text) => sum + text.length, 0) / 1024;
    const rounds = Math.max(1, Math.ceil(WARM_KIB / kib));
    const measure = () =>
      clock(() => {
        for (let round = 0; round < rounds; round++) redact(all);
      });
    measure();
    const ms = median(measure);
    const us = 1000 * ms / kib / rounds;
    out(`${name}: ${us.toFixed(1)} µs per KiB`);
    return gate && us > HARMLESS_US_PER_KIB_MAX
      ? [`${name} took ${us.toFixed(1)} µs per KiB`]
      : [];
  });
}

function benchHostile({ redact, clock, hostile, out }: Bench): string[] {
  const time = (piece: string, length: number) => {
    const text = hostileText(piece, length);
    return clock(() => redact(text));
  };
  const problems: string[] = [];
  const measured = hostile.map((piece) => {
    const small = Math.min(time(piece, SMALL), time(piece, SMALL));
    return { piece, small };
  }).toSorted((a, b) => b.small - a.small);
  for (const { piece, small } of measured) {
    const grown = () => time(piece, LARGE);
    const large = Math.min(grown(), grown());
    if (large > MEASURABLE_MS && large > GROWTH_MAX * small) {
      problems.push(
        `${JSON.stringify(piece)} took ${
          small.toFixed(1)
        } ms, four times of it ${large.toFixed(1)} ms`,
      );
    }
  }
  // What grows faster would take forever.
  if (problems.length > 0) return problems;
  const slowest = measured.slice(0, SLOWEST).map(({ piece }) => ({
    piece,
    ms: settled(() => time(piece, HUGE)),
  })).toSorted((a, b) => b.ms - a.ms);
  for (const { piece, ms } of slowest) {
    if (ms <= HOSTILE_MS_PER_MIB_MAX) continue;
    problems.push(`${JSON.stringify(piece)} took ${ms.toFixed(0)} ms per MiB`);
  }
  const [worst] = slowest;
  if (worst !== undefined) {
    out(
      `${hostile.length} hostile texts: at most ${
        worst.ms.toFixed(0)
      } ms per MiB, of ${JSON.stringify(worst.piece)}`,
    );
  }
  return problems;
}

/** The median; of what is too slow, the best of three, since others run, too. */
function settled(measure: () => number): number {
  let best = median(measure);
  const near = HOSTILE_MS_PER_MIB_MAX * 2;
  for (let tries = 1; tries < TRIES; tries++) {
    if (best <= HOSTILE_MS_PER_MIB_MAX || best > near) break;
    best = Math.min(best, median(measure));
  }
  return best;
}

function median(measure: () => number): number {
  const times = Array.from({ length: ROUNDS }, measure);
  return times.toSorted((a, b) => a - b)[ROUNDS >> 1]!;
}

export const main: Main = command(HELP, ({ values }, { out, err }) => {
  const hostile = values.quick
    ? [...HOSTILE_RULES, ...HOSTILE.filter((_, at) => at % 20 === 0)]
    : HOSTILE;
  const redact = (value: unknown) => startRedaction().value(value);
  // The compiler has seen it all before anything is measured.
  for (const piece of HOSTILE) redact(hostileText(piece, 512));
  for (let round = 0; round < 20; round++) plainPass();
  const problems = benchRedaction({
    redact,
    clock: correctedTime,
    hostile,
    out,
  });
  for (const problem of problems) err(problem);
  return Promise.resolve(problems.length > 0 ? 1 : 0);
});

if (import.meta.main) await runCommand(main);
