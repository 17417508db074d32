import { assert, assertEquals } from "@std/assert";
import { stepsOf } from "../../lib/evidence/runbook_steps.ts";

const ROWS: readonly [what: string, text: string, steps: string[]][] = [
  ["prose has none", "# Slow\n\nIt is slow. Wait.", []],
  ["one numbered item is no list of steps", "1. Alone", []],
  [
    "a numbered list",
    "# Slow\n\n1. Look at the pool.\n2. Drain it.\n",
    ["Look at the pool.", "Drain it."],
  ],
  [
    "the list under a heading of what to do, before any other",
    "# Slow\n\n1. It waits.\n2. It stops.\n\n## Mitigation\n\n- Drain **one** node\n- Tell [mail](https://mail.example/x)\n\n## See\n\n- that",
    ["Drain one node", "Tell mail"],
  ],
  [
    "of lists that say what to do, the numbered one",
    "## Diagnosis\n- maybe\n\n## Steps\n1) first\n2) second",
    ["first", "second"],
  ],
  ["bullets under another heading are none", "## Links\n- one\n- two", []],
  [
    "lines that go on, and none of what is below an item",
    "## Steps\n1. Ask the\n   database\n   - how\n   - why\n2. Then stop\n\nText.\n3. No more",
    ["Ask the database", "Then stop"],
  ],
  [
    "a command where the step is nothing without it",
    "## Fix\n1. Run:\n   ```sh\n   kubectl get pods\n   - not an item\n   ```\n2. `Wait`",
    ["Run: kubectl get pods", "Wait"],
  ],
  [
    "lists of HTML",
    '<h2 id="a">What to do</h2><ol class="x"><li>Stop &amp; look<ul><li>deep</li></ul></li><li>Go</li></ol><ul><li>menu</li></ul>',
    ["Stop & look", "Go"],
  ],
  ["boxes to tick", "## Checklist\n- [ ] one\n- [x] two", ["one", "two"]],
  [
    "five at most",
    `## Steps\n${"123456789".replace(/\d/g, "$&. step $&\n")}`,
    ["step 1", "step 2", "step 3", "step 4", "step 5"],
  ],
];
for (const [what, text, steps] of ROWS) {
  Deno.test(`stepsOf(): ${what}`, () => {
    assertEquals(stepsOf(text), steps);
  });
}

Deno.test("stepsOf() bounds a step, and takes time in proportion to the text", () => {
  const [step] = stepsOf(`## Steps\n1. ${"long ".repeat(100)}\n2. b`);
  assertEquals([step!.length, step!.at(-1)], [200, "…"]);
  const started = performance.now();
  for (const text of ["[", "<ol><li>", "**", "1. a\n ", "```\n", "&amp;"]) {
    stepsOf(`## Steps\n1. ${text.repeat(40_000)}`);
  }
  assert(performance.now() - started < 3_000);
});
