/**
 * What holds of every value, on values drawn from a seed: it never throws,
 * keeps shapes, changes nothing the second time and leaves nothing planted.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  type RedactionLevel,
  startRedaction,
  WITHHELD,
} from "../../lib/redact/redaction.ts";
import { HOSTILE, HOSTILE_VALUES, hostileText } from "./corpus/hostile.ts";
import { plant } from "./corpus/measure.ts";
import { type Random, startRandom } from "./corpus/random.ts";

const SEEDS = [1, 20261129, 77];
const VALUES_EACH = 150;
const LEVELS: readonly RedactionLevel[] = ["none", "standard", "strict"];

const PLANTED = plant().filter(({ core }) => core.length < 100);
const KEYS = [
  "password",
  "name",
  "value",
  "data",
  "kind",
  "headers",
  "a b",
  "",
];

function drawText(r: Random): string {
  switch (r.below(6)) {
    case 0:
      return r.pick(PLANTED).text;
    case 1:
      return hostileText(r.pick(HOSTILE), r.below(400));
    case 2:
      return r.pick(PLANTED).text + r.pick(HOSTILE) + r.pick(PLANTED).text;
    case 3:
      return JSON.stringify({ [r.pick(KEYS)]: r.pick(PLANTED).text });
    case 4: {
      const { text } = r.pick(PLANTED);
      return text.slice(r.below(text.length), r.below(text.length));
    }
    default:
      return r.of(
        "\ud800\udc00\u200b\ufdfa%5\\u0=:\"'[secret:a#1] \n",
        r.below(60),
      );
  }
}

function drawValue(r: Random, depth = 0): unknown {
  const kind = r.below(depth > 3 ? 5 : 8);
  if (kind < 3) return drawText(r);
  if (kind === 3) return r.pick([null, true, false, 0, -1.5, 12345678]);
  if (kind === 4) return [];
  const items = Array.from(
    { length: r.below(4) },
    () => drawValue(r, depth + 1),
  );
  if (kind === 5) return items;
  return Object.fromEntries(
    items.map((
      item,
      at,
    ) => [r.pick(KEYS) + (r.below(2) === 0 ? "" : at), item]),
  );
}

/** The kinds of all that a value holds, without its texts. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value !== "object" || value === null) {
    // A number that a field gives away becomes a placeholder.
    return typeof value === "number" ? "string" : typeof value;
  }
  return Object.values(value).map(shapeOf);
}

Deno.test("startRedaction() keeps shapes and changes nothing the second time", () => {
  for (const seed of SEEDS) {
    const r = startRandom(seed);
    for (let at = 0; at < VALUES_EACH; at++) {
      const value = drawValue(r);
      const given = JSON.stringify(value);
      for (const level of LEVELS) {
        const once = startRedaction({ level }).value(value);
        const said = `${level}, seed ${seed}, value ${at}: ${given}`;
        assertEquals(shapeOf(once), shapeOf(value), said);
        assertEquals(startRedaction({ level }).value(once), once, said);
      }
      assertEquals(JSON.stringify(value), given, "the value itself changed");
    }
  }
});

Deno.test("startRedaction() leaves nothing planted, in whichever order levels come", () => {
  const r = startRandom(5);
  for (let at = 0; at < 400; at++) {
    const { text, core } = r.pick(PLANTED);
    const value = { annotations: { description: text } };
    for (
      const [first, second] of [["standard", "strict"], [
        "strict",
        "standard",
      ]] as const
    ) {
      const twice = startRedaction({ level: second }).value(
        startRedaction({ level: first }).value(value),
      );
      const alone = startRedaction({ level: first }).value(value);
      const left = JSON.stringify(twice).includes(core);
      const leftAlone = JSON.stringify(alone).includes(core);
      assert(!left || leftAlone, `${first}, ${second}: ${text}`);
    }
  }
});

Deno.test("startRedaction() keeps the placeholders of fields and keys", () => {
  const token = "Q7x".repeat(8);
  for (
    const value of [
      { auths: { "r.example": { auth: token } } },
      { [`password=${token}`]: 1 },
    ]
  ) {
    const once = startRedaction().value(value);
    assert(!JSON.stringify(once).includes(token));
    const [again, kept] = [startRedaction().value(once), JSON.stringify(once)];
    assertEquals(JSON.stringify(again), kept);
  }
});

Deno.test("startRedaction() takes hostile values", () => {
  for (const [name, make] of Object.entries(HOSTILE_VALUES)) {
    const once = startRedaction().value(make(1_000));
    assertEquals(startRedaction().value(once), once, name);
    assert(!JSON.stringify(once).includes("hunter22"), name);
  }
});

Deno.test("startRedaction() withholds what is deeper than 200 levels", () => {
  const deep = (levels: number): unknown =>
    levels === 0 ? "the end" : [deep(levels - 1)];
  const at = (levels: number) =>
    JSON.stringify(startRedaction().value(deep(levels)));
  assert(at(200).includes("the end"));
  assert(at(201).includes(WITHHELD) && !at(201).includes("the end"));
  assert(at(3_000).includes(WITHHELD));
});
