/**
 * Redacts a bundle that any step may have written. Pure.
 *
 * @module
 */
import { optional } from "../base/json.ts";
import type {
  EvidenceBundle,
  EvidenceItem,
  Fact,
  Lookup,
  TimelineEntry,
} from "../incident.ts";
import { safeId } from "../incident_id.ts";
import { COLLECTOR_TITLES } from "../lookups.ts";
import {
  addLedgers,
  type Redaction,
  type RedactionLedger,
  WITHHELD,
} from "../redact/redaction.ts";
import { boundLedger } from "../removed.ts";
import { redactUrl } from "../sources/without_secrets.ts";
import { withholdContext } from "./withhold.ts";

const KIND = /^[a-z_]{1,30}(?:\.[a-z_]{1,30}(?:-\d{1,2})?){0,3}$/;
const CONTENT_TYPE = /^[a-z]{1,20}\/[\w.+-]{1,40}(?:; charset=utf-8)?$/;
/** The titles that the fetcher gives. */
const TITLE =
  /^(?:(?:Payload|(?:PagerDuty|Alertmanager|Grafana) webhook) as received|Alerts: \d+ firing, \d+ resolved|Incident in plain fields)$/;

/**
 * The bundle without what the redaction's level forbids. Pointers and digests
 * stay, since they name what is stored.
 */
export function redactBundle(
  bundle: EvidenceBundle,
  redaction: Redaction,
): EvidenceBundle {
  const { incident_id, collected_at, evidence, gaps = [], lookups = [] } =
    bundle;
  const { redacted, source, ...context } = bundle.normalized_context ?? {};
  const isFull = redaction.level === "full";
  const given = {
    context: { ...context, ...optional("source", source) },
    gaps,
  };
  const left = isFull ? withholdContext(given, incident_id) : given;
  const { facts, timeline, links = [], ...about } = left.context;
  const { source: from, ...rest } = redaction.kept(about);
  const url = redactUrl(left.context.source?.url, redaction.kept);
  const addresses = links.flatMap(({ kind, of, ...link }) => {
    const url = redactUrl(link.url, redaction.kept);
    return url === undefined
      ? []
      : [{ kind, url, ...optional("of", redaction.kept(of)) }];
  });
  const missing = redaction.kept(left.gaps).map(({ what, why, ...rest }) => {
    // Both stand on one line.
    const line = `${what}: ${why}`;
    const isSafe = redaction.kept(line) === line;
    return { what, why: isSafe ? why : WITHHELD, ...rest };
  });
  return {
    incident_id: safeId(incident_id),
    collected_at,
    evidence: evidence.map((item) =>
      redactItem(isFull ? bareItem(item) : item, redaction)
    ),
    ...bundle.normalized_context && {
      normalized_context: {
        ...rest,
        ...facts && {
          facts: facts.map((fact) => redactFact(fact, redaction)),
        },
        ...timeline && {
          timeline: timeline.map((entry) => redactEntry(entry, redaction)),
        },
        ...addresses.length > 0 && { links: addresses },
        ...from && { source: { system: from.system, ...optional("url", url) } },
        ...redacted && { redacted: boundLedger(redacted, redaction.kept) },
      },
    },
    ...missing.length > 0 && { gaps: missing },
    ...lookups.length > 0 && {
      lookups: redaction.kept(isFull ? lookups.map(bareLookup) : lookups),
    },
  };
}

/** A fact is a label, which may name an object such as a Secret. */
function redactFact(fact: Fact, { kept }: Redaction): Fact {
  const { labels } = kept({ labels: { [fact.name]: fact.value } });
  const [[name, value] = [fact.name, WITHHELD]] = Object.entries(labels);
  return { ...fact, name, value };
}

/** An address that is none any more after redaction is left out. */
function redactEntry(
  { change, ...entry }: TimelineEntry,
  { kept }: Redaction,
): TimelineEntry {
  if (change === undefined) return kept(entry);
  const { url, ...rest } = change;
  const link = redactUrl(url, kept);
  return {
    ...kept(entry),
    change: { ...kept(rest), ...optional("url", link) },
  };
}

/** The bundle with what this step removed beside what was removed before. */
export function withRemoved(
  bundle: EvidenceBundle,
  removed: RedactionLedger,
): EvidenceBundle {
  if (Object.keys(removed).length === 0) return bundle;
  const { redacted = {}, ...context } = bundle.normalized_context ?? {};
  const all = boundLedger(addLedgers(redacted, removed));
  return { ...bundle, normalized_context: { ...context, redacted: all } };
}

function redactItem(item: EvidenceItem, { kept }: Redaction): EvidenceItem {
  const { kind, title, content_type } = item;
  return { ...item, ...kept({ kind, title, content_type }) };
}

/** Only how it ended; a name that is none of ours could be a text. */
function bareLookup({ collector, state }: Lookup): Lookup {
  const isKnown = COLLECTOR_TITLES.has(collector);
  return { collector: isKnown ? collector : "other", state };
}

/** An item whose words are ours. */
function bareItem(item: EvidenceItem): EvidenceItem {
  const { kind, title, content_type } = item;
  const known = KIND.test(kind) ? kind : "evidence";
  return {
    ...item,
    kind: known,
    title: TITLE.test(title) ? title : known,
    content_type: CONTENT_TYPE.test(content_type)
      ? content_type
      : "application/octet-stream",
  };
}
