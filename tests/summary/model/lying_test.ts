/**
 * A model that lies: of 200 false claims none is shown.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { startModel } from "../../../deploy/standins/llm.ts";
import { caseOf, envOf, summarizeCase } from "../../support/model_case.ts";

const ROUNDS = 25;
const LIES = 200;

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
  assertEquals(total, LIES);
  // Each for what is wrong with it.
  assertEquals([...reasons].sort(), [
    ["no such quote", ROUNDS],
    ["not copied", 5 * ROUNDS],
    ["reserved", ROUNDS],
    ["unknown id", ROUNDS],
  ]);
});
