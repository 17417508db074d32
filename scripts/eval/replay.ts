/**
 * Makes the bundle that the fetcher would make of a case: through the sources,
 * the run of the collectors, redaction and numbering, with answers from the case
 * in place of other systems.
 *
 * @module
 */
import { type Config, readConfig } from "../../lib/base/config.ts";
import { createLog } from "../../lib/base/log.ts";
import { buildBundle } from "../../lib/evidence/bundle.ts";
import { collectFindings } from "../../lib/evidence/collect.ts";
import { type Collector, GapError } from "../../lib/evidence/collector.ts";
import { addCollected } from "../../lib/evidence/gather.ts";
import { runCollectors } from "../../lib/evidence/run_collectors.ts";
import { toSubject } from "../../lib/evidence/subject.ts";
import type { EvidenceBundle, IncidentInput } from "../../lib/incident.ts";
import { qualifiedId } from "../../lib/incident_id.ts";
import { toIncident } from "./alert.ts";
import type { Case } from "./case.ts";
import { readEvidence } from "./evidence.ts";
import type { Reply } from "./kind.ts";
import { newestMoment } from "./moments.ts";

/** What a summary is made of. */
export interface Made {
  readonly incident: IncidentInput;
  readonly bundle: EvidenceBundle;
  /** The whole text of each piece, by its id. */
  readonly texts: ReadonlyMap<string, string>;
}

const TIME_MS = 5000;
const LOG = createLog({}, { level: "error", write: () => {} });

/** The same case gives the same bundle. */
export async function replay(given: Case): Promise<Made> {
  const now = new Date(newestMoment(given));
  const incident = await toIncident(given, now.toISOString());
  const subject = toSubject(incident, now);
  const findings = collectFindings(incident);
  const replies = readEvidence(given, { subject, now });
  const collectors = collectorsOf(replies, given.down);
  const config: Config<Record<never, never>> = readConfig({}, () => undefined);
  const collected = await runCollectors(collectors, {
    config,
    subject,
    now,
    signal: new AbortController().signal,
    timeMs: TIME_MS,
    redaction: findings.redaction,
    log: LOG,
    history: () => Promise.resolve([]),
  });
  const whole = addCollected(findings, collected, {
    level: "standard",
    removed: findings.redaction.ledger(),
  });
  const texts = new Map<string, string>();
  const bundle = await buildBundle(qualifiedId(incident), whole, {
    now,
    put: (_, content) => {
      const id = `E${texts.size + 1}`;
      texts.set(id, new TextDecoder().decode(content));
      return Promise.resolve(`redis://art:case-${texts.size}`);
    },
  });
  return { incident, bundle, texts };
}

/** One collector a name, in the order of their first replies. */
function collectorsOf(
  replies: readonly Reply[],
  down: ReadonlyMap<string, string>,
): Collector[] {
  const names = new Set([
    ...replies.map(({ collector }) => collector),
    ...down.keys(),
  ]);
  return [...names].map((name) => {
    const own = replies.filter(({ collector }) => collector === name);
    const why = down.get(name);
    return {
      name,
      title: name,
      settings: {},
      isOn: () => true,
      reach: () => [],
      connect: () => undefined,
      questions: () =>
        own.length > 0 ? own.map(({ question }) => question) : [{
          id: "all",
          what: `what ${name} knows`,
          rank: 2,
          kind: "state",
        }],
      async *ask({ id }) {
        if (why !== undefined) throw new GapError("late", why);
        yield* own.find(({ question }) => question.id === id)!.findings;
      },
      check: () => Promise.resolve({ says: name }),
    };
  });
}
