/**
 * docs/collectors.md: the example in it is a collector like any other.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { startApi } from "../../deploy/standins/api.ts";
import { COLLECTORS } from "../../lib/evidence/collectors.ts";
import { COLLECTOR_SETTINGS } from "../../lib/evidence/settings.ts";
import { COLLECTOR_TITLES } from "../../lib/lookups.ts";
import { collect, openIo, testFaults } from "../support/collecting.ts";
import { statusPage } from "./example_collector.ts";

const LINES_MAX = 60;
const EXAMPLE = await Deno.readTextFile(
  new URL("./example_collector.ts", import.meta.url),
);
const DOCUMENT = await Deno.readTextFile(
  new URL("../../docs/collectors.md", import.meta.url),
);

const INCIDENTS: readonly unknown[] = [
  { name: "Slow pushes", impact: "minor", created_at: "2026-01-15T09:20:00Z" },
  {
    name: "No deployments",
    impact: "major",
    created_at: "2026-01-15T08:50:00Z",
    incident_updates: [{ body: "ask ops@provider.example" }],
  },
];
const start = (incidents: readonly unknown[] = INCIDENTS) =>
  startApi({
    routes: {
      "/api/v2/incidents/unresolved.json": () => ({ incidents }),
      "/api/v2/status.json": () => ({ status: { indicator: "minor" } }),
    },
  });
const env = (url: string) => ({ STATUS_PAGE_URL: url });

testFaults({ collector: statusPage, start, env });

Deno.test("the documentation's collector tells what is open, the oldest first", async () => {
  await using api = start();
  const found = await collect(statusPage, { env: env(api.url) });
  assertEquals(found.pieces.map(({ kind, title }) => [kind, title]), [
    ["statuspage.open", "2 open incidents"],
  ]);
  assertEquals(found.facts.map(({ name, value }) => [name, value]), [[
    "provider",
    "No deployments (impact major); Slow pushes (impact minor)",
  ]]);
  assertEquals(found.timeline.map(({ at, text }) => [at, text]), [
    ["2026-01-15T08:50:00.000Z", "No deployments (impact major)"],
    ["2026-01-15T09:20:00.000Z", "Slow pushes (impact minor)"],
  ]);
  assertEquals(found.gaps, []);
  assert(!JSON.stringify(found).includes("provider.example"));
  assertEquals(api.mistakes, []);
});

Deno.test("the documentation's collector says that nothing is open, or that there is more", async () => {
  await using none = start([]);
  const { lookups } = await collect(statusPage, { env: env(none.url) });
  assertEquals(lookups.map(({ state, why }) => [state, why]), [
    ["nothing", "the provider names no open incident"],
  ]);
  const shapeless = [null, 1, {}, { name: " ", impact: 1, created_at: "x" }];
  await using many = start([
    ...shapeless,
    ...Array.from({ length: 9_998 }, () => ({ name: "down" })),
  ]);
  const { gaps, facts, timeline } = await collect(statusPage, {
    env: env(many.url),
  });
  assertEquals(gaps.map(({ kind, got, of }) => [kind, got, of]), [
    ["cut", 10, 10_000],
  ]);
  assertEquals([facts.length, timeline], [1, []]);
});

Deno.test("the documentation's collector is off without its setting, and checks with it", async () => {
  const { lookups } = await collect(statusPage, { env: {} });
  assertEquals(lookups.map(({ state }) => state), ["off"]);
  await using api = start();
  const io = openIo(statusPage, env(api.url));
  assertEquals(await statusPage.check(io), { says: "its status" });
});

Deno.test(`docs/collectors.md quotes the example, which has at most ${LINES_MAX} lines`, () => {
  assert(EXAMPLE.trimEnd().split("\n").length <= LINES_MAX);
  assertStringIncludes(DOCUMENT, `\`\`\`ts\n${EXAMPLE}\`\`\`\n`);
});

Deno.test("docs/collectors.md has a section for every collector, with its settings", () => {
  const sections = new Map(
    DOCUMENT.split(/^### /m).slice(1).map((section) => {
      const [title = "", ...text] = section.split("\n");
      return [title, text.join("\n")];
    }),
  );
  for (const { name, settings } of COLLECTORS) {
    const title = COLLECTOR_TITLES.get(name) ?? "";
    const heading = title[0]!.toUpperCase() + title.slice(1);
    const text = sections.get(heading);
    assert(text !== undefined, `no section ${heading}`);
    const [first] = Object.values(settings);
    assertStringIncludes(text, `\`${first!.name}\``);
  }
  const named = [...DOCUMENT.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)]
    .map(([, name]) => name!);
  const known = Object.values(COLLECTOR_SETTINGS).map(({ name }) => name);
  const missing = known.filter((name) => !named.includes(name));
  assertEquals(missing, []);
});
