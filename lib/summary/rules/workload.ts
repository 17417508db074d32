/**
 * Objects of Kubernetes that are ill for a reason of their own. Pure.
 *
 * @module
 */
import { named, quoted } from "../../base/foreign.ts";
import { counted } from "../../base/text.ts";
import type { Fact } from "../../incident.ts";
import { clockOf } from "./clock.ts";
import type { Rule } from "./rule.ts";

const TROUBLES_MAX = 2;
const NAME_CHARS_MAX = 80;
const MESSAGE_CHARS_MAX = 120;
const TROUBLE = /^(\d+) pods? of (\S+?)((?:, .*)?)$/s;
const WARNING = /^(.+?) ×(\d+), last at (\S+ \S+) UTC: (.*)$/s;
/** What a trouble of the pods themselves says better. */
const ECHOES = /^(?:BackOff|Failed|Killing)$/;

/**
 * `checkout: 2 of 3 ready; 2 pods OOMKilled (exit code 137, last 09:44:00); 8
 * restarts`.
 */
export const workload: Rule = ({ facts, asOf, sourceOf }) => {
  const own = facts.filter((fact) =>
    fact.kind === "state" && sourceOf(fact) === "kubernetes"
  );
  const troubles = own.flatMap((fact) => troubleOf(fact, asOf) ?? []);
  const ill = own.flatMap(deploymentOf).filter(({ isIll }) => isIll);
  if (ill.length + troubles.length === 0) {
    const [warning] = own.flatMap((fact) => warningOf(fact, asOf) ?? []);
    return warning === undefined ? [] : [warning];
  }
  const owner = ill[0]?.name ?? troubles[0]!.owner;
  const mine = troubles.filter((one) => one.owner === owner);
  const parts = [
    ...ill.filter(({ name }) => name === owner).map(({ says }) => says),
    ...mine.slice(0, TROUBLES_MAX).map(({ says }) => says),
    ...mine.length > TROUBLES_MAX
      ? [counted(mine.length - TROUBLES_MAX, "more reason")]
      : [],
    ...own.flatMap(restartsOf),
  ];
  const others = new Set([
    ...ill.map(({ name }) => name),
    ...troubles.map((one) => one.owner),
  ]).size - 1;
  const rest = others === 0 ? "" : `; ${counted(others, "more workload")} ill`;
  return [{
    place: "happened",
    text: `${named(owner, NAME_CHARS_MAX)}: ${parts.join("; ")}${rest}`,
    evidence: [...new Set(own.flatMap(({ evidence }) => evidence))].slice(0, 1),
    collected: true,
  }];
};

function deploymentOf({ name, value }: Fact) {
  const [, deployment] = /^Deployment (.+)$/.exec(name) ?? [];
  const [, ready, replicas, rest = ""] =
    /^(\d+) of (\d+) ready((?:, .*)?)$/s.exec(value) ?? [];
  if (deployment === undefined) return [];
  if (ready === undefined) {
    return value === "none of that name"
      ? [{ name: deployment, says: "no such Deployment", isIll: true }]
      : [];
  }
  const troubles = [...rest.matchAll(/, ((?:not )?\w+) \((\w+)\)/g)]
    .map(([, what, why]) => `${what} (${why})`);
  return [{
    name: deployment,
    says: [
      `${ready} of ${replicas} ready`,
      ...[...rest.matchAll(/, (\d+) updated/g)].map(([, count]) =>
        `${count} updated`
      ),
      ...rest.startsWith(", paused") ? ["paused"] : [],
      ...troubles,
    ].join(", "),
    isIll: Number(ready) < Number(replicas) || troubles.length > 0,
  }];
}

function troubleOf({ name, value }: Fact, asOf: string | undefined) {
  const [, count, owner, rest = ""] = TROUBLE.exec(value) ?? [];
  if (count === undefined || !/^\w+$/.test(name)) return undefined;
  const [, code] = /, exit code (\d+)/.exec(rest) ?? [];
  const [, last] = /, last at (\S+ \S+) UTC/.exec(rest) ?? [];
  const [, container] = /^, container ([\w.-]+)/.exec(rest) ?? [];
  const more = [
    ...container === undefined || container === owner
      ? []
      : [`container ${named(container)}`],
    ...code === undefined ? [] : [`exit code ${code}`],
    ...last === undefined ? [] : [`last ${clockOf(last, asOf)}`],
  ].join(", ");
  return {
    owner: owner!,
    // What has ended has a code; else it is the state of now.
    says: `${counted(Number(count), "pod")}${
      code === undefined && last === undefined ? " in" : ""
    } ${name}${more && ` (${more})`}`,
  };
}

function restartsOf({ name, value }: Fact): string[] {
  const [, count = "0"] = /; (\d+) restarts?$/.exec(value) ?? [];
  return name === "pods" && count !== "0"
    ? [counted(Number(count), "restart")]
    : [];
}

function warningOf({ name, value, evidence }: Fact, asOf: string | undefined) {
  const [, object, count, last, message = ""] = WARNING.exec(value) ?? [];
  if (object === undefined || ECHOES.test(name)) return undefined;
  return {
    place: "happened" as const,
    text: `${named(object, NAME_CHARS_MAX)} warns ${named(name)} ×${count}, ` +
      `last ${clockOf(last!, asOf)}: ${quoted(message, MESSAGE_CHARS_MAX)}`,
    evidence: [...evidence],
    collected: true,
  };
}
