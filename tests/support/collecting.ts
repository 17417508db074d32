/**
 * Runs one collector against its stand-in, and through every way to fail.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  type ApiStandIn,
  type Fault,
  FAULTS,
} from "../../deploy/standins/api.ts";
import { readConfig, type Settings } from "../../lib/base/config.ts";
import { createLog } from "../../lib/base/log.ts";
import type { Collector, CollectorIo } from "../../lib/evidence/collector.ts";
import { CollectorClient, HostLanes } from "../../lib/evidence/connection.ts";
import {
  type Collected,
  runCollectors,
} from "../../lib/evidence/run_collectors.ts";
import { type Subject, toSubject } from "../../lib/evidence/subject.ts";
import type { GapKind, IncidentInput } from "../../lib/incident.ts";
import {
  type RedactionLevel,
  startRedaction,
} from "../../lib/redact/redaction.ts";

/** The time of every test. */
export const NOW = new Date("2026-01-15T10:00:00Z");

/** How a collector is run. */
export interface Collecting {
  env: Readonly<Record<string, string>>;
  subject?: Partial<Subject>;
  incident?: IncidentInput;
  /** Instead of the time of every test. */
  now?: Date;
  timeMs?: number;
  level?: RedactionLevel;
  signal?: AbortSignal;
  /** Our own posts, as Redis has them. */
  posts?: readonly string[];
  /** Reads them in another way. */
  history?: () => Promise<readonly string[]>;
  /** Takes log lines. */
  log?: string[];
}

/** An incident of Alertmanager. */
export const INCIDENT: IncidentInput = {
  incident_id: "alertmanager:abc",
  title: "Checkout is slow",
  occurred_at: "2026-01-15T09:30:00Z",
  source: { system: "alertmanager" },
  raw: {
    alerts: [{
      status: "firing",
      startsAt: "2026-01-15T09:30:00Z",
      generatorURL:
        "http://prometheus.example/graph?g0.expr=latency_p99%3A5m+%3E+2&g0.tab=1",
      labels: {
        alertname: "CheckoutSlow",
        service: "checkout",
        namespace: "shop",
      },
      annotations: { summary: "p99 is 2.4 s" },
    }],
  },
};

/** Asks everything that the collector asks about the incident. */
export function collect(
  // deno-lint-ignore no-explicit-any
  collectors: Collector<any> | readonly Collector<any>[],
  { env, subject = {}, incident = INCIDENT, ...given }: Collecting,
): Promise<Collected> {
  const all = [collectors].flat();
  const settings = Object.assign(
    {},
    ...all.map(({ settings }) => settings),
  ) as Settings;
  const { timeMs = 10_000, level = "standard", posts = [], log = [] } = given;
  const { now = NOW } = given;
  return runCollectors(all, {
    config: readConfig(settings, (name) => env[name]),
    subject: { ...toSubject(incident, now), ...subject },
    now,
    signal: given.signal ?? new AbortController().signal,
    timeMs,
    redaction: startRedaction({ level }),
    log: createLog({}, { write: (line) => log.push(line) }),
    history: given.history ?? (() => Promise.resolve(posts)),
  });
}

/** What each failure is. */
const KINDS: Readonly<Record<Fault, readonly GapKind[]>> = {
  "401": ["refused"],
  "403": ["refused"],
  "404": ["absent"],
  "429": ["limited"],
  "429 with reset": ["limited"],
  "429 once": [],
  "500": ["broken"],
  "500 once": [],
  "redirect": ["broken"],
  "html": ["broken"],
  "half": ["broken"],
  "cut": ["broken"],
  "huge": ["cut"],
  "silent": ["late"],
  "null": ["broken"],
  "list": ["broken"],
};

/** A collector and its stand-in, for {@linkcode testFaults}. */
export interface FaultCase {
  // deno-lint-ignore no-explicit-any -- Collectors of any settings.
  collector: Collector<any>;
  start: () => ApiStandIn | Promise<ApiStandIn>;
  env: (url: string) => Record<string, string>;
  subject?: Partial<Subject>;
  incident?: IncidentInput;
  /** What of {@linkcode KINDS} is otherwise with this system. */
  kinds?: Partial<Record<Fault, readonly GapKind[]>>;
  /** Faults whose answer may also be a good one for this system. */
  harmless?: readonly Fault[];
}

/** Declares one test for each way in which the system can fail. */
export function testFaults(
  { collector, start, env, kinds, harmless = [], ...rest }: FaultCase,
): void {
  const { name } = collector;
  for (const fault of FAULTS) {
    Deno.test(`${name}: an API that answers with "${fault}" is a gap`, async () => {
      await using api = await start();
      api.fault = fault;
      const started = performance.now();
      const timeMs = fault === "silent" ? 200 : 5_000;
      const log: string[] = [];
      const found = await collect(collector, {
        ...rest,
        env: env(api.url),
        timeMs,
        log,
      });
      assert(performance.now() - started < 20_000);
      assert(api.asked.length > 0, "nothing was asked");
      if (harmless.includes(fault)) return;
      const states = found.lookups.map(({ state }) => state);
      assertEquals(new Set(states), new Set(["failed"]), fault);
      const expected = kinds?.[fault] ?? KINDS[fault];
      for (const { kind, what, why } of found.gaps) {
        assert(expected.includes(kind!), `${fault}: ${kind} (${why})`);
        assert(what !== "" && why !== "");
        assert(!/https?:|login\.example/.test(why), why);
      }
      assertEquals(found.pieces, []);
    });
  }
  for (const fault of ["429 once", "500 once"] as const) {
    Deno.test(`${name}: one "${fault}" is asked again`, async () => {
      await using api = await start();
      api.fault = fault;
      const found = await collect(collector, { ...rest, env: env(api.url) });
      assertEquals(found.gaps.filter(({ kind }) => kind === "broken"), []);
      assertEquals(api.mistakes, []);
      assert(found.lookups.every(({ state }) => state !== "failed"));
    });
  }
}

/** What a collector's `check()` gets. */
export function openIo<S extends Settings>(
  collector: Collector<S>,
  env: Readonly<Record<string, string>>,
): CollectorIo<S> {
  const config = readConfig(
    collector.settings as S,
    (name) => env[name],
  );
  const { signal } = new AbortController();
  const connection = collector.connect(config)!;
  const client = new CollectorClient(connection, {
    budget: { max: 5, sent: 0 },
    lanes: new HostLanes(),
    signal,
    endMs: performance.now() + 5_000,
  });
  return {
    config,
    subject: toSubject(INCIDENT, NOW),
    now: NOW,
    signal,
    get: (path, options) => client.get(path, options),
    history: () => Promise.resolve([]),
  };
}

/** What each look-up came to, in the order of the ranking. */
export function statesOf({ lookups }: Collected): string[] {
  return lookups.map(({ state, why }) =>
    why === undefined ? state : `${state}: ${why}`
  );
}

/** An incident with these labels beside its alertname. */
export function incidentWith(labels: Record<string, string>): IncidentInput {
  const [alert] = INCIDENT.raw!["alerts"] as Record<string, unknown>[];
  return {
    ...INCIDENT,
    raw: {
      alerts: [{ ...alert, labels: { alertname: "CheckoutSlow", ...labels } }],
    },
  };
}

/** What is known of the incident, in the order found. */
export function factsOf({ facts }: Collected): string[] {
  return facts.map(({ name, value }) => `${name}: ${value}`);
}
