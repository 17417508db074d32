/**
 * The cases that summaries are measured with: an alert, what collectors would
 * find about it, and what a good answer says.
 *
 * @module
 */
import {
  isObject,
  type JsonObject,
  objectOf,
  parseJson,
  stringOf,
} from "../../lib/base/json.ts";
import { CommandError } from "../terminal/command.ts";

/** What a good answer says, and what it does not. */
export interface Answer {
  /** `healthy` for a false alarm. */
  readonly category: string;
  readonly required: readonly string[];
  /** Words that a good message says though the case does not: `2 of 3 ready`. */
  readonly derived: readonly string[];
  readonly forbidden: readonly string[];
}

/** One incident with its answer. */
export interface Case {
  readonly name: string;
  /** As a sender's alert has it, or a whole webhook; see `alert.ts`. */
  readonly alert: JsonObject;
  /** By kind; see `evidence.ts`. */
  readonly evidence: JsonObject;
  readonly answer: Answer;
  /** Why a collector answers nothing, by its name. */
  readonly down: ReadonlyMap<string, string>;
  /** What the evidence orders; no claim may say it. */
  readonly injections: readonly string[];
  /** What redaction has to take out. */
  readonly secrets: readonly string[];
}

const CASES_MAX = 200;
const FILE_BYTES_MAX = 4 * 1024 * 1024;

/** Reads every `*.json` of a folder, by name. @throws {CommandError} */
export async function readCases(folder: string): Promise<Case[]> {
  const names: string[] = [];
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      if (isFile && name.endsWith(".json")) names.push(name);
    }
  } catch {
    throw new CommandError(`Cannot read the folder ${folder}`);
  }
  if (names.length === 0) {
    throw new CommandError(`There is no case (*.json) in ${folder}`);
  }
  const cases: Case[] = [];
  for (const name of names.toSorted().slice(0, CASES_MAX)) {
    const path = `${folder.replace(/\/+$/, "")}/${name}`;
    const { size } = await Deno.stat(path);
    if (size > FILE_BYTES_MAX) {
      throw new CommandError(`Cannot use ${path}: it is longer than 4 MiB`);
    }
    const made = readCase(
      parseJson(await Deno.readTextFile(path)),
      name.replace(/\.json$/, ""),
    );
    if (made === undefined) {
      throw new CommandError(
        `Cannot use ${path}: a case has an alert, evidence and an answer`,
      );
    }
    cases.push(made);
  }
  return cases;
}

/** Reads a case; `undefined` for anything else. */
export function readCase(value: unknown, name: string): Case | undefined {
  if (!isObject(value)) return undefined;
  const { alert, evidence = {}, answer } = value;
  if (!isObject(alert) || !isObject(evidence) || !isObject(answer)) {
    return undefined;
  }
  return {
    name: stringOf(value["case"]) || name,
    alert,
    evidence,
    answer: {
      category: stringOf(answer["root_cause_category"]),
      required: textsOf(answer["required_keywords"]),
      derived: textsOf(answer["derived_keywords"]),
      forbidden: textsOf(answer["forbidden_keywords"]),
    },
    down: new Map(
      Object.entries(objectOf(value["down"]) ?? {}).map(([name, why]) => [
        name,
        stringOf(why),
      ]),
    ),
    injections: textsOf(value["injections"]),
    secrets: textsOf(value["secrets"]),
  };
}

/** The required words that its alert or evidence holds at all, or lets derive. */
export function reachable({ alert, evidence, answer }: Case): string[] {
  const all = textsIn([alert, evidence]).join("\n").toLowerCase();
  return [
    ...answer.required.filter((word) => all.includes(word.toLowerCase())),
    ...answer.derived,
  ];
}

/** Every text, number and name in a JSON value. */
export function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "number") return [String(value)];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, one]) => [
    name,
    ...textsIn(one),
  ]);
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value)
    ? value.filter((one): one is string => typeof one === "string")
    : [];
}
