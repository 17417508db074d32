/**
 * README.md says what is so.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { digestOf, PAGE_DIGEST, renderPage } from "../scripts/picture.ts";
import { renderTables } from "../scripts/readme.ts";
import config from "../deno.json" with { type: "json" };

const readme = await Deno.readTextFile("README.md");
const tasks: Record<string, unknown> = config.tasks;

Deno.test("README.md: its tables are what the code says", async () => {
  assertEquals(
    await renderTables(readme),
    readme,
    "run deno task readme && deno fmt README.md",
  );
});

Deno.test("README.md: its picture shows today's message", async () => {
  assertEquals(
    `${await digestOf(await renderPage())}\n`,
    await Deno.readTextFile(PAGE_DIGEST),
    "the message or its look has changed: run deno task picture, look at the picture",
  );
});

Deno.test("README.md: every task that it names exists", () => {
  const named = [...readme.matchAll(/deno task ([\w:]+)/g)].map(([, name]) =>
    name!
  );
  assert(named.length >= 8);
  for (const name of named) assert(name in tasks, name);
});

Deno.test("README.md: the quick start is two commands", () => {
  const [, block = ""] =
    /## Quick start[\s\S]*?```sh\n([\s\S]*?)```/.exec(readme) ?? [];
  assertEquals(block.trim().split("\n"), [
    "npx -y deno task demo",
    "npx -y deno task test",
  ]);
});

Deno.test("README.md: every file and folder that it names is there", async () => {
  const linked = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map(([, target]) =>
    target!
  );
  const quoted = [...readme.matchAll(/`((?:\.?[\w-]+\/)+[\w.-]*)`/g)].map((
    [, path],
  ) => path!);
  const paths = [...linked, ...quoted].filter((path) =>
    !/^https?:|^dist\/|^incident-enricher\//.test(path)
  );
  assert(paths.length > 8);
  const rooms = ["platform/", "intake/", "evidence/", "summary/", "post/"];
  const parts = ["devcore/", "standins/", "jsr/"];
  for (const path of paths) {
    const folder = rooms.includes(path)
      ? "lib/"
      : parts.includes(path)
      ? "deploy/"
      : "";
    await Deno.stat(folder + path);
  }
});
