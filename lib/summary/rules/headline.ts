/**
 * What is wrong, in the worst alert's words with its number. Pure.
 *
 * Its words stand without quotes, as a headline's do.
 *
 * @module
 */
import { foreignLine } from "../../base/foreign.ts";
import { counted } from "../../base/text.ts";
import type { AlertGroup } from "../../incident.ts";
import { HEADER_CHARS_MAX } from "../../message/block_kit.ts";
import { headlineOf } from "../../message/headline.ts";
import { deploymentOfPod } from "../../workload.ts";
import type { Known, Rule } from "./rule.ts";

const PLACES_SHOWN = 3;
/** As teams write a priority; any other word could pass for one of ours. */
const PRIORITY = /^(?:P|SEV-?)[0-5]$/i;

/** `Disk of db-1 is 97 % full`, or `12 alerts on db-1, db-2, db-3`. */
export const headline: Rule = (known) => {
  const { context, worst, main, bundle } = known;
  const [first] = worst;
  const text = first === undefined
    ? foreignLine(context.title ?? "") || foreignLine(bundle.incident_id)
    : worst.length === 1
    ? ofOne(first)
    : ofSeveral(known);
  return [{
    place: "headline",
    text: text || "an incident without a name",
    evidence: [...first?.evidence ?? main],
  }];
};

/** `P1` or `SEV-1` if the sender gave one. */
export function priorityOf({ given }: Known): string | undefined {
  const priority = given.get("priority") ?? "";
  return PRIORITY.test(priority) ? priority.toUpperCase() : undefined;
}

/** `orders-db, eu-west-1-prod`. */
export function subjectOf({ context, worst }: Known): string | undefined {
  const { service, alerts } = context;
  // The places of a single alert's name stand in for a service.
  const own = worst.length === 1 ? placesOf(worst) : "";
  const ill = foreignLine(service ?? "");
  // A pod comes and goes; its workload is what people know.
  const what = (deploymentOfPod(ill) ?? ill) || own;
  const where = foreignLine(alerts?.place ?? "");
  return [what, where].filter((part) => part !== "").join(", ") || undefined;
}

function ofOne(group: AlertGroup): string {
  const { name, count, shared, value, limit } = group;
  const isMany = count > 1;
  const words = foreignLine(headlineWords(group) ?? "");
  const number = isMany && shared !== undefined && value !== undefined &&
      limit !== undefined
    // A sentence with a number of its own states the limit itself.
    ? foreignLine(
      /(?<![\w.])\d/.test(words)
        ? `(worst ${value})`
        : `(worst ${value}, limit ${limit})`,
    )
    : "";
  return words === "" ? foreignLine(name) : `${words}${number && ` ${number}`}`;
}

/** The sign of a severity, and the space after it. */
const SIGN_CHARS = 3;

/** Whether the headline is cut, so that its sentence must stand below, too. */
export function isCut(known: Known): boolean {
  const [priority, subject] = [priorityOf(known), subjectOf(known)];
  const report = {
    claims: [...headline(known)],
    ...priority !== undefined && { priority },
    ...subject !== undefined && { subject },
  };
  return SIGN_CHARS + headlineOf(report, known.context.severity).length >
    HEADER_CHARS_MAX;
}

/** The sentence that a headline about one name repeats. */
export function headlineWords(
  { count, says, shared }: AlertGroup,
): string | undefined {
  return count > 1 ? shared ?? says : says;
}

function ofSeveral({ context, groups }: Known): string {
  const { firing = 0, resolved = 0 } = context.alerts ?? {};
  const places = placesOf(groups, context.alerts?.places);
  return counted(firing || resolved, "alert") +
    (places === "" ? "" : ` on ${places}`);
}

/** `db-1, db-2, db-3 and 9 more`, without quotes. */
export function placesOf(
  groups: readonly AlertGroup[],
  /** How many there are, if the groups do not name all. */
  count = 0,
): string {
  const all = [...new Set(groups.flatMap(({ where = [] }) => where))]
    .map(foreignLine);
  const most = Math.max(
    count,
    all.length,
    ...groups.map(({ places = 0 }) => places),
  );
  // Policy may withhold every name, and a count alone says little.
  if (all.length === 0) return "";
  const rest = most - PLACES_SHOWN;
  const shown = all.slice(0, PLACES_SHOWN).join(", ");
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}
