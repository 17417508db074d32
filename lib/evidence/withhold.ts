/**
 * What the redaction level `full` leaves of findings: what is ill and how
 * badly, counts, and no text of the evidence. Pure.
 *
 * @module
 */
import { optional } from "../base/json.ts";
import type { Alerts, Fact, Gap, NormalizedContext } from "../incident.ts";
import { WITHHELD } from "../redact/redaction.ts";
import { listCounts } from "../removed.ts";
import { bareUrl, isStatus, isSubject } from "../sources/metadata.ts";

const WHY = "policy withholds texts and values (redaction level full)";
const COUNTS =
  /^\d+ (?:fact|timeline entr|course|description|other gap)\w{0,3}(?:, \d+ (?:fact|timeline entr|course|description|other gap)\w{0,3})*$/;

/** The context with its gaps. What went is counted as a gap. */
export function withholdContext(
  { context, gaps }: { context: NormalizedContext; gaps: Gap[] },
  incidentId = "",
): { context: NormalizedContext; gaps: Gap[] } {
  const { title, service, severity, occurred_at, source } = context;
  const { facts = [], timeline = [], series = [] } = context;
  const { description, status, alerts } = context;
  const kept = facts.filter(isCount);
  const known = gaps.filter(({ what, why }) =>
    why === WHY && COUNTS.test(what)
  );
  const what = listCounts([
    [facts.length - kept.length, "fact"],
    [timeline.length, "timeline entry"],
    [series.length, "course"],
    [description === undefined ? 0 : 1, "description"],
    [gaps.length - known.length, "other gap"],
  ]);
  const url = bareUrl(source?.url, incidentId);
  return {
    context: {
      ...optional("title", title),
      ...optional("severity", severity),
      ...optional("service", service),
      ...optional(
        "status",
        isStatus(status ?? "") ? status : undefined,
      ),
      ...source && {
        source: { system: source.system, ...optional("url", url) },
      },
      ...optional("occurred_at", occurred_at),
      ...kept.length > 0 && { facts: kept },
      ...optional("alerts", alerts && bareAlerts(alerts)),
    },
    gaps: what === "" ? known : [...known, { what, why: WHY }],
  };
}

/** Names of alerts, how bad they are, how many and since when. */
function bareAlerts(
  { firing, resolved, cut, worst, newest, places, groups, others }: Alerts,
): Alerts {
  return {
    firing,
    resolved,
    ...optional("cut", cut),
    ...optional("worst", worst),
    ...optional("newest", newest),
    ...optional("places", places),
    groups: groups.map(
      ({ name, severity, count, since, newest, places, evidence }) => ({
        // It may be the title, which stays, or a sentence.
        name: isSubject("alertname", name) ? name : WITHHELD,
        severity,
        count,
        ...optional("since", since),
        ...optional("newest", newest),
        ...optional("places", places),
        evidence,
      }),
    ),
    ...optional("others", others),
  };
}

function isCount({ name, value }: Fact): boolean {
  return isSubject(name, value) ||
    name === "alerts" && /^\d+ firing, \d+ resolved$/.test(value);
}
