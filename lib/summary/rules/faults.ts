/**
 * What collectors found not to be as it should, beyond the first of each kind:
 * the reasons of pods, the numbers that moved, the errors. Pure.
 *
 * @module
 */
import { quoted } from "../../base/foreign.ts";
import type { Fact } from "../../incident.ts";
import { illness } from "./illness.ts";
import type { Known, Rule } from "./rule.ts";
import { verdictOf } from "./verdict.ts";

/** As `illness` cuts. */
const SAID_CHARS_MAX = 300;
const SHOWN = 6;
const TEXT_CHARS_MAX = 220;

export const faults: Rule = (known) => {
  const said = new Set(illness(known).map(({ text }) => text));
  const isNew = (fact: Fact) => !said.has(textOf(fact, SAID_CHARS_MAX));
  const isWell = verdictOf(known) !== undefined;
  return telling(known, isWell).filter(isNew).slice(0, SHOWN).map((fact) => ({
    place: "happened",
    text: textOf(fact, TEXT_CHARS_MAX),
    evidence: [...fact.evidence],
    collected: true,
  }));

  /** The ill ones first, then what lies beside them, then what is over. */
  function telling({ facts, context }: Known, isWell: boolean): Fact[] {
    const over = facts.filter(({ health }) => health === "recovered");
    if (isWell) return over;
    // A series is told whole.
    const drawn = new Set(
      (context.series ?? []).flatMap(({ evidence }) => evidence),
    );
    const beside = facts.filter(({ health, kind, evidence }) =>
      health === undefined && kind === "metric" &&
      !evidence.some((id) => drawn.has(id))
    );
    const ill = facts.filter(({ health }) => health === "ill");
    // What was told already has had its turn.
    return [...takingTurns([...ill, ...beside], isNew), ...over];
  }
};

function textOf({ name, value }: Fact, charsMax: number): string {
  return quoted(`${name}: ${value}`, charsMax);
}

/** One of each piece of evidence after the other, those first with least told. */
function takingTurns(
  facts: readonly Fact[],
  isNew: (fact: Fact) => boolean,
): Fact[] {
  const groups = Map.groupBy(facts, ({ evidence }) => evidence.join());
  const turns = [...groups.values()].flatMap((group) =>
    group.map((fact, turn) => ({ fact, turn }))
  );
  return turns.filter(({ fact }) => isNew(fact))
    .toSorted((a, b) => a.turn - b.turn).map(({ fact }) => fact);
}
