/**
 * What to do next, only if it is concrete: the change just before, the runbook's
 * own steps, whom to page, the first check of a well-known alert. Pure.
 *
 * @module
 */
import { named, quoted } from "../../base/foreign.ts";
import { ageOf } from "../../base/text.ts";
import type { ChangeKind } from "../../collected.ts";
import type { Told } from "../../message/told.ts";
import { FIRST_CHECKS } from "../first_checks.ts";
import { changesBefore, type MadeChange } from "./change_ranks.ts";
import { clock } from "./clock.ts";
import type { Known, Rule } from "./rule.ts";
import { isTaken } from "./state.ts";
import { verdictOf } from "./verdict.ts";

const NAME_CHARS_MAX = 80;
const STEP_CHARS_MAX = 180;
const STEPS_MAX = 2;
const CHECKS_MAX = 2;
/** An older change is told, but no more than that. */
const NEAR_MS = 60 * 60 * 1000;

/** What undoes a change of each kind. */
const UNDO: Readonly<Record<ChangeKind, string>> = {
  deployment: "roll it back",
  rollout: "roll it back",
  rollback: "see what it brought back",
  restart: "read the log of the run before it",
  scale: "scale back",
  merge: "revert it",
  config: "change it back",
  flag: "switch it back",
  maintenance: "ask who does it to stop",
  other: "undo it",
};

export const next: Rule = (known) => {
  // What is well needs no undoing.
  if (verdictOf(known) !== undefined) return [];
  const steps = stepsOf(known);
  return [
    ...ofChange(known),
    ...steps,
    ...ofOwner(known),
    // A runbook knows better what to check first.
    ...steps.length > 0 ? [] : checksOf(known),
  ];
};

/** What it was stands above. */
function ofChange(known: Known): Told[] {
  const { asOf } = known;
  const crossed = crossedBy(known);
  const near = changesBefore(known).find(({ ms, at }) =>
    ms <= NEAR_MS && Date.parse(at) <= crossed
  );
  if (near === undefined) return [];
  const { change, at, ms } = near;
  const what = change === undefined
    ? `the change of ${clock(at, asOf)}`
    : nameOf(near, asOf);
  return [{
    place: "next",
    text: `See if ${what}, ${ageOf(ms)} before, explains it; if so, ${
      UNDO[change?.what ?? "deployment"]
    }`,
    evidence: [...near.evidence],
    ...near.isCollected && { collected: true },
  }];
}

/**
 * When the worst alert's number had crossed its limit, which is before the alert
 * fired: no later change explains it.
 */
function crossedBy({ series, worst: [first] }: Known): number {
  const own = series.find(({ alert, beyond }) =>
    alert === first?.name && beyond !== false
  );
  return own?.crossed === undefined
    ? Infinity
    : Date.parse(own.crossed) + 1000 * own.step_s;
}

/** `the deployment of checkout v1.4.2`. */
function nameOf({ change, at }: MadeChange, asOf: string | undefined): string {
  const { what, of, version } = change!;
  const kind = {
    deployment: "deployment",
    rollout: "rollout",
    rollback: "rollback",
    restart: "restart",
    scale: "scaling",
    merge: "merge",
    config: "configuration change",
    flag: "flag change",
    maintenance: "maintenance",
    other: "change",
  }[what];
  if (of === undefined) return `the ${kind} of ${clock(at, asOf)}`;
  const isBare = version !== undefined && what === "deployment";
  const more = isBare ? ` ${named(version, NAME_CHARS_MAX)}` : "";
  return `the ${kind} of ${named(of, NAME_CHARS_MAX)}${more}`;
}

function stepsOf({ facts }: Known): Told[] {
  return facts.flatMap(({ name, value, kind, evidence }): Told[] => {
    const [, step] = /^runbook, step (\d)$/.exec(name) ?? [];
    if (step === undefined || kind === undefined) return [];
    return [{
      place: "next",
      text: `Runbook, step ${step}: ${quoted(value, STEP_CHARS_MAX)}`,
      evidence: [...evidence],
      collected: true,
    }];
  }).slice(0, STEPS_MAX);
}

/** Only where nobody is on it and it is urgent. */
function ofOwner(known: Known): Told[] {
  const { facts, context: { severity } } = known;
  const owner = facts.find(({ name, kind }) =>
    name === "owner" && kind === "people"
  );
  const isUrgent = severity === "critical" || severity === "error";
  if (owner === undefined || !isUrgent || isTaken(known)) return [];
  return [{
    place: "next",
    text: `Page ${
      named(owner.value, NAME_CHARS_MAX)
    }, the owner in the catalogue`,
    evidence: [...owner.evidence],
    collected: true,
  }];
}

function checksOf({ worst }: Known): Told[] {
  return worst.flatMap(
    ({ name, where = [], worst: place = where[0], evidence }): Told[] => {
      const check = FIRST_CHECKS.get(name)?.check;
      if (check === undefined) return [];
      if (place === undefined && check.includes("{where}")) return [];
      const what = check.replace(
        "{where}",
        () => named(place ?? "", NAME_CHARS_MAX),
      );
      return [{
        place: "next",
        text: `For ${named(name, NAME_CHARS_MAX)}, ${what}`,
        evidence: [...evidence],
      }];
    },
  ).slice(0, CHECKS_MAX);
}
