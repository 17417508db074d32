/**
 * docs/threat-model.md names the test that holds each of its claims.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);
const DOCUMENT = "docs/threat-model.md";
/** The start of a test or step, up to its name in any quotes. */
const NAMED =
  /(?:Deno\.test|t\.step)\(\s*(?:\{\s*name:\s*)?(["'`])((?:\\.|(?!\1)[^\\])*)\1/g;

/** The names of all tests; `…` stands for what a table fills in. */
async function readNames(folder: string, into: Set<string>): Promise<void> {
  for await (
    const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))
  ) {
    const path = `${folder}${name}`;
    if (isDirectory) await readNames(`${path}/`, into);
    else if (name.endsWith("_test.ts")) {
      const text = await Deno.readTextFile(new URL(path, ROOT));
      for (const [, , named] of text.matchAll(NAMED)) {
        const filled = named!.replace(/(?:\$\{[^}]*\}+)+/g, "…");
        into.add(filled.replace(/\\(.)/g, "$1"));
      }
    }
  }
}

/** What the tables with a column for tests claim, and the tests that they name. */
function readClaims(text: string): { claim: string; tests: string[] }[] {
  const tables = text.split(/\n\n+/).filter((part) =>
    /^\| What holds +\| Test +\|/.test(part)
  );
  return tables.flatMap((table) =>
    table.trim().split("\n").slice(2).map((row) => {
      const [claim = "", tests = ""] = row.slice(2, -2).split(" | ");
      const named = tests.matchAll(/`([^`]+)`/g);
      return {
        claim: claim.trim(),
        tests: [...named].map(([, name]) => name!),
      };
    })
  );
}

Deno.test("docs/threat-model.md names a test for every claim, and each exists", async () => {
  const names = new Set<string>();
  await readNames("tests/", names);
  assert(names.size > 1000, `only ${names.size} tests found`);
  const claims = readClaims(await Deno.readTextFile(new URL(DOCUMENT, ROOT)));
  assert(claims.length > 30, `only ${claims.length} claims found`);
  assertEquals(claims.filter(({ tests }) => tests.length === 0), []);
  const missing = claims.flatMap(({ tests }) => tests)
    .filter((name) => !names.has(name));
  assertEquals(missing, []);
});
