/**
 * One line for each name of an alert, the worst first. Pure.
 *
 * @module
 */
import { named, quoted } from "../../base/foreign.ts";
import { sentencesOf, withoutStop } from "../../base/sentence.ts";
import { type AlertGroup, isWorse } from "../../incident.ts";
import { clock } from "./clock.ts";
import { SUBJECT_CHARS_MAX } from "../../message/headline.ts";
import { moreNames } from "../../message/more.ts";
import type { Told } from "../../message/told.ts";
import { deploymentOfPod } from "../../workload.ts";
import { headlineWords, isCut, placesOf, subjectOf } from "./headline.ts";
import type { Known, Rule } from "./rule.ts";

const LINES_MAX = 5;
/** Where other systems tell what happened, too. */
const LINES_BESIDE_OTHERS = 3;
const NAME_CHARS_MAX = 80;
const PLACES_CHARS_MAX = 100;
const SENTENCE_CHARS_MAX = 220;
/** Of a single alert, which has the message for itself. */
const REST_CHARS_MAX = 300;

/** `HostHighCpuLoad ×3, from 09:20 · “CPU on db-1 is 97.4 %”`. */
export const groups: Rule = (known) => {
  const { groups, context: { alerts, title = "" } } = known;
  // A single alert stands in the headline; what else it says is its name.
  const isOne = groups.length === 1 && groups[0]!.count === 1;
  if (isOne) return ofSingle(known, groups[0]!, title);
  // What the headline says stands there already.
  const above = known.worst.length === 1
    ? headlineWords(known.worst[0]!)
    : undefined;
  const said = new Set(
    above === undefined || isCut(known)
      ? []
      : [quoted(above, SENTENCE_CHARS_MAX)],
  );
  const lines = groups.map((group) => lineOf(group, known, said));
  const more = alerts?.others;
  const isTold = known.series.length + known.facts.length > 0;
  const linesMax = isTold ? LINES_BESIDE_OTHERS : LINES_MAX;
  // One that is left over would need a line for saying so.
  const isOneLeft = groups.length === linesMax + 1 && more === undefined;
  const left = isOneLeft ? [] : groups.slice(linesMax);
  const names = left.length + (more?.groups ?? 0);
  if (names === 0) return [...lines, ...firstOf(known)];
  const shown = lines.slice(0, groups.length - left.length);
  const count = left.reduce((sum, { count }) => sum + count, 0) +
    (more?.alerts ?? 0);
  const severity = [left[0]?.severity, more?.severity].flatMap((one) =>
    one ?? []
  ).reduce((worst, one) => isWorse(one, worst) ? one : worst);
  const of = {
    names,
    alerts: count,
    worst: severity,
    ...more !== undefined && { unlisted: more.groups },
  };
  return [...shown, {
    place: "happened",
    text: moreNames(of),
    of,
    evidence: [...left[0]?.evidence ?? groups[0]!.evidence],
  }];
};

function lineOf(
  group: AlertGroup,
  known: Known,
  said: Set<string>,
): Told {
  const { asOf, worst, groups, context: { service = "" } } = known;
  const { name, severity, count, since, says, shared, evidence } = group;
  // The state says since when the only name fires.
  const from = since === undefined || groups.length === 1
    ? ""
    : `, from ${clock(since, asOf, { seconds: false })}`;
  // A single alert's summary repeats what it says.
  const words = [says, count > 1 ? shared : undefined].flatMap((text) =>
    text === undefined ? [] : quoted(text, SENTENCE_CHARS_MAX)
  ).find((text) => !said.has(text));
  if (words !== undefined) said.add(words);
  const what = words === undefined ? "" : ` · ${words}`;
  // A headline about several names says where they are,
  // and that of an incident without a service begins with them.
  const isAbove = group === worst[0] && service.trim() === "" &&
    (subjectOf(known) ?? "").length <= SUBJECT_CHARS_MAX;
  const places = worst.length === 1 && count > 1 && !isAbove
    ? placesOf([group])
    : "";
  const where = places === "" ? "" : ` on ${named(places, PLACES_CHARS_MAX)}`;
  const times = count > 1 ? ` ×${count}${where}` : "";
  return {
    place: "happened",
    severity,
    of: { names: 1, alerts: count, worst: severity },
    text: `${named(name, NAME_CHARS_MAX)}${times}${from}${what}`,
    evidence: [...evidence],
  };
}

function ofSingle(
  known: Known,
  group: AlertGroup,
  title: string,
): readonly Told[] {
  const { says, shared, name, severity, evidence } = group;
  const { context } = known;
  const rest = [
    ...shared === undefined || says?.includes(shared) ? [] : [`${shared}.`],
    ...says !== undefined && isCut(known) ? [says] : [],
    ...sentencesOf(context.description ?? "").filter((sentence) =>
      ![says, shared].includes(withoutStop(sentence)) &&
      !isBegunBy(sentence, says)
    ),
  ].join(" ");
  // The headline names the workload of a pod.
  const pod = deploymentOfPod(context.service ?? "") === undefined
    ? ""
    : ` on ${named(context.service!, NAME_CHARS_MAX)}`;
  if (says !== undefined) {
    return [{
      place: "happened",
      severity,
      text: `${named(name, NAME_CHARS_MAX)}${pod}${
        rest === "" ? "" : ` · ${quoted(rest, REST_CHARS_MAX)}`
      }`,
      evidence: [...evidence],
    }];
  }
  const { given } = known;
  const has = [
    "description",
    ...context.severity_rule?.startsWith("none reported") ?? true
      ? ["severity"]
      : [],
    ...given.has("runbook") ? [] : ["runbook"],
  ];
  return title !== name && title !== "" ? [] : [{
    place: "happened",
    text: `The alert says nothing more: it has no ${listOf(has)}`,
    evidence: [...evidence],
  }];
}

/** Whether a group's sentence is the beginning of this one. */
function isBegunBy(sentence: string, says = ""): boolean {
  return says.endsWith("…") && sentence.startsWith(says.slice(0, -1));
}

function listOf(words: readonly string[]): string {
  return words.length < 2
    ? words.join("")
    : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/** `db-1 was first each time`, of at least two names on several places. */
function firstOf({ groups }: Known): readonly Told[] {
  const several = groups.filter(({ where = [] }) => where.length > 1);
  const firsts = new Set(several.map(({ where = [] }) => where[0]!));
  const [first] = firsts;
  return several.length < 2 || firsts.size !== 1 ? [] : [{
    place: "happened",
    text: `${named(first!, NAME_CHARS_MAX)} was first each time`,
    evidence: [...several[0]!.evidence],
  }];
}
