/**
 * What changed before it began: the nearest that concern the subject first. Pure.
 *
 * Only what a collector calls a change, or what a sender without kinds writes
 * down as one; never an alert, never after the start. What several systems tell
 * of one deployment is one line.
 *
 * @module
 */
import { named, quoted } from "../../base/foreign.ts";
import { ageOf } from "../../base/text.ts";
import type { Change } from "../../collected.ts";
import { titleOf } from "../../lookups.ts";
import { changesBefore, type MadeChange } from "./change_ranks.ts";
import { clock } from "./clock.ts";
import { noChange } from "./no_change.ts";
import type { Known, Rule } from "./rule.ts";

const SHOWN = 3;
const NAME_CHARS_MAX = 80;
const VERSION_CHARS_MAX = 100;
const TEXT_CHARS_MAX = 200;

/** `09:26:00, 4 min before: checkout v1.4.2 deployed to production by ada`. */
export const changes: Rule = (known) => {
  if (known.since === undefined) return [];
  const found = changesBefore(known);
  if (found.length === 0) return noChange(known);
  return found.slice(0, SHOWN).map((made) => ({
    place: "changed",
    text: lineOf(made, known),
    evidence: [...made.evidence],
    ...made.isCollected && { collected: true },
  }));
};

function lineOf(made: MadeChange, { asOf }: Known): string {
  const { at, ms, sources } = made;
  const [first, ...others] = sources.map(titleOf);
  const also = first === undefined || others.length === 0
    ? ""
    : ` (also in ${others.join(" and ")})`;
  return `${clock(at, asOf)}, ${ageOf(ms)} before: ${wordsOf(made)}${also}`;
}

/** A change in our own words as far as its parts are known, else quoted. */
export function wordsOf({ change, text }: MadeChange): string {
  if (change === undefined) return quoted(text, TEXT_CHARS_MAX);
  const { says = "", by, url: _, state } = change;
  const done = doneOf(change);
  const who = by === undefined
    ? ""
    : done === undefined
    ? `, from ${named(by, NAME_CHARS_MAX)}`
    : ` by ${named(by, NAME_CHARS_MAX)}`;
  const failed = /^(?:failure|error|failed)$/i.test(state ?? "")
    ? ", which failed"
    : "";
  // Who deployed need not be named again.
  const brought = by === undefined ? says : says.replaceAll(` (${by})`, "");
  const said = says === "" ? "" : quoted(brought, TEXT_CHARS_MAX);
  if (done !== undefined) {
    return `${done}${who}${failed}${said === "" ? "" : `: ${said}`}`;
  }
  const { of } = change;
  const isNamed = of !== undefined && !says.split(/[^\w.-]+/).includes(of);
  const on = isNamed ? ` on ${named(of, NAME_CHARS_MAX)}` : "";
  return `${said || quoted(text, TEXT_CHARS_MAX)}${on}${who}`;
}

/** What was done to what; only a system that knows gives these parts. */
function doneOf(
  { what, of, version, where }: Change,
): string | undefined {
  if (of === undefined) return undefined;
  const name = named(of, NAME_CHARS_MAX);
  // The number of a pull request is a name, too.
  const made = /^#\d{1,9}$/.test(version ?? "")
    ? version!
    : version === undefined
    ? ""
    : named(version, VERSION_CHARS_MAX);
  const place = where === undefined ? "" : named(where, NAME_CHARS_MAX);
  const into = place === "" ? "" : ` in ${place}`;
  switch (what) {
    case "deployment":
      return version === undefined
        ? undefined
        : `${name} ${made} deployed${place === "" ? "" : ` to ${place}`}`;
    case "rollout":
      return `${name} rolled out${into}${made && `, ${made}`}`;
    case "rollback":
      return where === undefined
        ? undefined
        : `${name} rolled back${into}${made && `, ${made}`}`;
    case "restart":
      return where === undefined ? undefined : `${name} restarted${into}`;
    case "merge":
      return version === undefined ? undefined : `${made} merged into ${name}`;
    default:
      return undefined;
  }
}
