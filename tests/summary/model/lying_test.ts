/**
 * A model that lies: of 200 false claims none is shown.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { startModel } from "../../../deploy/standins/llm.ts";
import { checkClaims } from "../../../lib/summary/model/check.ts";
import { caseOf, envOf, summarizeCase } from "../../support/model_case.ts";
import { LIES, type Said, SEEN, TRUE } from "./lies.ts";

const ROUNDS = 25;
const LIES_TOLD = 200;

Deno.test("of 200 false claims none is shown, and each is counted", async () => {
  await using model = startModel("lie");
  const given = await caseOf();
  const plain = await summarizeCase(given);
  const reasons = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    const { lines, record, summary } = await summarizeCase(given, {
      env: envOf(model),
    });
    assertEquals(record.kept, []);
    assertEquals(summary.model, "builtin");
    assertEquals(
      lines.filter((line) => !line.startsWith("◆ No reading by the model")),
      plain.lines,
    );
    for (const { reason } of record.dropped) {
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
  }
  const total = [...reasons.values()].reduce((sum, count) => sum + count, 0);
  assertEquals(total, LIES_TOLD);
  // Each for what is wrong with it.
  assertEquals([...reasons].sort(), [
    ["no such quote", ROUNDS],
    ["not copied", 5 * ROUNDS],
    ["reserved", ROUNDS],
    ["unknown id", ROUNDS],
  ]);
});

const IDS_MAX = 5;
/** What a claim cites beside its own: the more, the more there is to borrow. */
const BESIDE: readonly (readonly string[])[] = [
  [],
  ["E1", "E2", "E3", "E5", "E7"],
  ["E4", "E6", "E5"],
];

function keptOf(claims: readonly Said[], beside: readonly string[]): string[] {
  return claims.filter(([section, evidence, quote, text]) => {
    const ids = new Set([...evidence.split(","), ...beside]);
    const claim = {
      section,
      evidence: [...ids].slice(0, IDS_MAX),
      quote,
      text,
    };
    return checkClaims([claim], SEEN).kept.length > 0;
  }).map(([, , , text]) => text);
}

Deno.test("no lie of what stands in the evidence is kept, whatever is cited beside it", () => {
  assert(LIES.length >= 180, `${LIES.length}`);
  for (const beside of BESIDE) assertEquals(keptOf(LIES, beside), []);
});

Deno.test("what the evidence shows is kept", () => {
  for (const beside of BESIDE) {
    assertEquals(keptOf(TRUE, beside), TRUE.map(([, , , text]) => text));
  }
});

Deno.test("what is stored of claims that are left out is bounded", async () => {
  await using model = startModel("obey");
  const given = await caseOf();
  for (
    const [claims, outcome] of [
      [Array.from({ length: 65 }, () => ({})), "garbled"],
      [[{ text: "x".repeat(100_000) }], "nothing left"],
    ] as const
  ) {
    model.claims = () => claims;
    const { record, markdown } = await summarizeCase(given, {
      env: envOf(model),
    });
    assertEquals(record.outcome, outcome);
    assert(JSON.stringify(record.dropped).length < 1_000);
    assert(markdown.length < 10_000);
  }
});
