/**
 * What else is ill, and what hides it: other alerts, dependencies, targets that
 * are down, silences and inhibitions. Pure.
 *
 * @module
 */
import { named, quoted } from "../../base/foreign.ts";
import { counted } from "../../base/text.ts";
import type { Fact } from "../../incident.ts";
import type { Told } from "../../message/told.ts";
import { clock, clockOf } from "./clock.ts";
import type { Rule } from "./rule.ts";

const NAMES_MAX = 2;
const NAME_CHARS_MAX = 80;
const WORDS_CHARS_MAX = 120;
/** So many others elsewhere tell that more than this is ill. */
const MANY = 10;
const ALERT =
  /^(.+?)(?: ×(\d+))?, (critical|error|warning|info|of no severity), since (\S+ \S+) UTC(?:: (.*))?$/s;
const COUNTS = /^(\d+), (\d+) of them here(?:: (.*))?$/s;

export const illness: Rule = ({ facts, asOf }) => {
  const find = (name: string) => facts.filter((fact) => fact.name === name);
  const tell = (text: string, [{ evidence }]: [Fact, ...Fact[]]): Told => ({
    place: "happened",
    text,
    evidence: [...evidence],
    collected: true,
  });
  const told: Told[] = [];
  const dependencies = find("dependency firing");
  if (isSome(dependencies)) {
    const list = listOf(dependencies, asOf);
    if (list !== "") {
      told.push(tell(`A dependency is ill: ${list}`, dependencies));
    }
  }
  const down = find("dependencies down");
  if (isSome(down)) {
    const what = quoted(down[0].value, WORDS_CHARS_MAX);
    told.push(tell(`Down, and it depends on it: ${what}`, down));
  }
  const others = find("other alerts firing");
  const [, all = "0", here = "0"] = COUNTS.exec(others[0]?.value ?? "") ?? [];
  if (isSome(others) && here !== "0") {
    const list = listOf(find("also firing"), asOf);
    const rest = Number(all) - Number(here);
    told.push(tell(
      `${counted(Number(here), "other alert")} ${
        here === "1" ? "fires" : "fire"
      } here${list && `: ${list}`}${rest === 0 ? "" : `; ${rest} elsewhere`}`,
      others,
    ));
  } else if (isSome(others) && Number(all) >= MANY) {
    told.push(tell(`${all} other alerts fire, none of them here`, others));
  }
  const targets = find("targets down");
  const [, , near = "0", which = ""] = COUNTS.exec(targets[0]?.value ?? "") ??
    [];
  if (isSome(targets) && near !== "0") {
    told.push(tell(
      `Prometheus cannot reach ${counted(Number(near), "target")} here: ${
        quoted(which, WORDS_CHARS_MAX)
      }`,
      targets,
    ));
  }
  for (const fact of find("silenced").slice(0, 1)) {
    const [, until = "", by = "", comment = ""] =
      /^until (\S+) by (.*?): (.*)$/s.exec(fact.value) ?? [];
    if (until === "") continue;
    const who = named(by, NAME_CHARS_MAX);
    told.push(tell(
      `Silenced until ${
        clock(until, asOf, { seconds: false })
      } UTC by ${who}: ${quoted(comment, WORDS_CHARS_MAX)}`,
      [fact],
    ));
  }
  const inhibiting = find("inhibited by");
  if (isSome(inhibiting)) {
    const names = inhibiting.map(({ value }) => named(value, NAME_CHARS_MAX));
    told.push(
      tell(`Held back by ${[...new Set(names)].join(", ")}`, inhibiting),
    );
  }
  return told;
};

function isSome(facts: Fact[]): facts is [Fact, ...Fact[]] {
  return facts.length > 0;
}

/** `OrdersDbDown ×2 (critical, from 09:26): “no answer”, Lag (warning, …)`. */
function listOf(facts: readonly Fact[], asOf: string | undefined): string {
  const items = facts.flatMap(({ value }, at) => {
    const [, name = "", count, severity = "", since = "", words] =
      ALERT.exec(value) ?? [];
    if (name === "") return [];
    const times = count === undefined ? "" : ` ×${count}`;
    const how = severity === "of no severity" ? "" : `${severity}, `;
    const from = clockOf(since, asOf, { seconds: false });
    // The first one's words are enough.
    const said = at > 0 || words === undefined
      ? ""
      : `: ${quoted(words, WORDS_CHARS_MAX)}`;
    return [
      `${named(name, NAME_CHARS_MAX)}${times} (${how}from ${from})${said}`,
    ];
  });
  const left = items.length - NAMES_MAX;
  return items.slice(0, NAMES_MAX).join(", ") +
    (left > 0 ? ` and ${counted(left, "more name")}` : "");
}
