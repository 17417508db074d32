/**
 * The catalogue's command.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { main } from "../../scripts/catalog.ts";
import { call } from "../support/command.ts";
import { runTask } from "../support/task.ts";

const SAMPLE = "deploy/samples/sample_catalog.yaml";
const PAGERDUTY = "deploy/samples/sample_pagerduty.json";

Deno.test("deno task catalog checks a catalogue", async () => {
  const { code, stdout } = await runTask("catalog", ["--check", SAMPLE]);
  assertEquals([code, stdout], [0, `${SAMPLE}: 1 service, all valid\n`]);
});

Deno.test("catalog shows which entry fits a webhook, and what would be asked", async () => {
  const { code, stdout } = await call(main, [
    "--check",
    SAMPLE,
    PAGERDUTY,
    "--source",
    "pagerduty",
  ]);
  assertEquals(code, 0);
  assertStringIncludes(stdout, "Entry: checkout, by service=checkout-api\n");
  assertStringIncludes(stdout, "prometheus:\n  targets that are down\n");
  assertMatch(
    stdout,
    /^alertmanager:\n {2}other alerts\n {2}silences and inhibitions$/m,
  );
});

Deno.test("catalog says what an incident names when no entry fits", async () => {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  const incident = { incident_id: "mock:1", service: "cart" };
  await Deno.writeTextFile(file, JSON.stringify(incident));
  const { stdout } = await call(main, ["--check", SAMPLE, file]);
  assertStringIncludes(stdout, "It names: service=cart\nEntry: none fits");
  assertMatch(stdout, /^runbook: nothing, neither alert nor catalogue/m);
  await Deno.remove(file);
});

const WRONG: [what: string, yaml: string, said: string][] = [
  ["no YAML", "services: [", ""],
  ["no list", "services: {}", 'nothing but the list "services"'],
  ["another key", "services: []\nextra: 1", 'nothing but the list "services"'],
  ["no name", "services: [{match: {service: a}}]", 'services[0] has no "name"'],
  ["no match", "services: [{name: a}]", 'services[0] has no "match"'],
  [
    "an empty match",
    "services: [{name: a, match: {}}]",
    "services[0].match must name a service, namespace or label",
  ],
  [
    "a name that is not known",
    "services: [{name: a, match: {service: a}, repo: x/y}]",
    'services[0] has "repo"; known are name, match, repository',
  ],
  [
    "a repository that is none",
    "services: [{name: a, match: {service: a}, repository: ../x}]",
    "services[0].repository must be owner/name",
  ],
  [
    "a dashboard that is no address",
    "services: [{name: a, match: {service: a}, dashboards: ['javascript:x']}]",
    "services[0].dashboards[0] must be an http or https address",
  ],
  [
    "a text of several lines",
    'services: [{name: "a\\nb", match: {service: a}}]',
    "services[0].name must be a text of one line",
  ],
];
for (const [what, yaml, said] of WRONG) {
  Deno.test(`catalog refuses ${what}`, async () => {
    const file = await Deno.makeTempFile({ suffix: ".yaml" });
    await Deno.writeTextFile(file, yaml);
    const { code, stderr } = await call(main, ["--check", file]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, `error: Cannot use ${file}: `);
    assertStringIncludes(stderr, said);
    await Deno.remove(file);
  });
}

Deno.test("catalog says so without a catalogue", async () => {
  const { code, stderr } = await call(main, []);
  assertEquals(code, 2);
  assertStringIncludes(stderr, "--check FILE");
  const missing = await call(main, ["--check", "nowhere.yaml"]);
  assertStringIncludes(missing.stderr, "nowhere.yaml: there is no such file");
});
