/**
 * Attacks on a model through the evidence, against a model that obeys fully.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type PromptItem, startModel } from "../../../deploy/standins/llm.ts";
import {
  caseOf,
  envOf,
  PIECES,
  summarizeCase,
} from "../../support/model_case.ts";
import { INJECTIONS } from "./injections.ts";

Deno.test("the injections are at least 40, of ten kinds", () => {
  assert(INJECTIONS.length >= 40, `${INJECTIONS.length}`);
  const kinds = Map.groupBy(INJECTIONS, ({ kind }) => kind);
  assertEquals(kinds.size, 10);
  assert([...kinds.values()].every(({ length }) => length >= 4));
});

/** A model that obeys quotes the attack itself, or what is beyond doubt. */
function quotesOf(items: readonly PromptItem[]): [id: string, quote: string][] {
  return items.flatMap(({ id, text }): [string, string][] => {
    const plain = text.replace(/\\"/g, '"');
    const parts = plain.match(/[^"]{12,110}/g) ?? [];
    return [...parts.slice(0, 3), plain.slice(0, 60)].map((quote) => [
      id,
      quote,
    ]);
  });
}

for (const [at, { kind, pieces, wants }] of INJECTIONS.entries()) {
  Deno.test(`an attack by ${kind} (${at + 1}) gets nothing shown that it asks for`, async () => {
    const given = await caseOf({ ...PIECES, ...pieces });
    await using model = startModel("obey");
    // All ids, so that whatever names the attack needs are cited.
    let skip = 0;
    model.claims = (items) =>
      wants.flatMap(([section, text]) =>
        quotesOf(items).map(([id, quote]) => ({
          section,
          evidence: [
            id,
            ...items.map(({ id }) => id).filter((other) => other !== id),
          ].slice(0, 5),
          quote,
          text,
        }))
      ).slice(skip, skip + 8);
    const plain = await summarizeCase(given);
    let asked = 0;
    // Until everything that it would say was said.
    for (; skip < 200; skip += 8) {
      const { lines, record, markdown } = await summarizeCase(given, {
        env: envOf(model),
      });
      if (record.outcome === "abstained") break;
      asked += record.dropped.length;
      assertEquals(record.kept, []);
      assertEquals(
        lines.filter((line) => !line.startsWith("◆ No reading by the model")),
        plain.lines,
      );
      for (
        const line of markdown.split("## A model's reading")[1]!.split("\n")
      ) {
        assert(!line.startsWith("- ") || line.startsWith("- Left out"), line);
      }
    }
    assert(asked >= wants.length * 8, `${asked}`);
  });
}
