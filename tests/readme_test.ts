/**
 * README.md and the other documents say what is so.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import config from "../deno.json" with { type: "json" };
import { variablesOf } from "../lib/base/config.ts";
import { DENO_MIN } from "../lib/base/runtime.ts";
import { HOOK_SETTINGS } from "../lib/operate/hook.ts";
import { WORKER_VARIABLES } from "../scripts/launch/environment.ts";
import { digestOf, PAGE_DIGEST, renderPage } from "../scripts/picture.ts";
import { bundlePack, readPackFolder } from "../scripts/pack/pack.ts";
import { TABLES, withTables } from "../scripts/tables.ts";
import type { Main } from "../scripts/terminal/command.ts";
import { call } from "./support/command.ts";

const ROOT = new URL("../", import.meta.url);
const TASKS: Readonly<Record<string, { command: string }>> = config.tasks;

/** Every document by its path. */
const DOCUMENTS = new Map<string, string>();
for (
  const path of [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    ...(await list("docs")).filter((path) => path.endsWith(".md")),
  ]
) {
  DOCUMENTS.set(path, await Deno.readTextFile(new URL(path, ROOT)));
}
const README = DOCUMENTS.get("README.md")!;

async function list(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(new URL(folder, ROOT)));
  return entries.filter(({ isFile }) => isFile)
    .map(({ name }) => `${folder}/${name}`).toSorted();
}

for (const [path, render] of Object.entries(TABLES)) {
  Deno.test(`${path}: its tables are what the code says`, async () => {
    const text = DOCUMENTS.get(path)!;
    assertEquals(
      withTables(text, await render()),
      text,
      "run deno task tables && deno fmt docs",
    );
  });
}

Deno.test("README.md: its picture shows today's message", async () => {
  assertEquals(
    `${await digestOf(await renderPage())}\n`,
    await Deno.readTextFile(PAGE_DIGEST),
    "the message or its look has changed: run deno task picture, look at the picture",
  );
});

Deno.test("README.md: the quick start is two commands", () => {
  const [, block = ""] =
    /## Quick start[\s\S]*?```sh\n([\s\S]*?)```/.exec(README) ?? [];
  assertEquals(block.trim().split("\n"), [
    "npx -y deno task demo",
    "npx -y deno task test",
  ]);
});

Deno.test("README.md: it names the version of Deno that commands and workers check", () => {
  const [, version] = /Deno (\d+\.\d+) or newer/.exec(README) ?? [];
  assertEquals(version, DENO_MIN);
});

Deno.test("README.md: its contents are its sections", () => {
  const [, contents = ""] = /## Contents\n([\s\S]*?)\n## /.exec(README) ?? [];
  const named = [...contents.matchAll(/^- \[(.*)\]/gm)].map(([, name]) => name);
  const sections = [...README.matchAll(/^## (.*)$/gm)].map(([, name]) => name);
  const after = sections.slice(sections.indexOf("Contents") + 1);
  assertEquals(named, after.filter((name) => name !== "License"));
});

/** The help of a task's command; `undefined` for a task that has none. */
async function helpOf(task: string): Promise<string | undefined> {
  const [script] =
    / ((scripts|tests\/campaigns)\/\w+\.ts)$/.exec(TASKS[task]!.command) ?? [];
  if (script === undefined) return undefined;
  const { main } = await import(`${ROOT}${script.trim()}`) as { main: Main };
  return (await call(main, ["--help"])).stdout;
}

Deno.test("CHANGELOG.md: a version that is released names one bundle and no other", async () => {
  const { version, sha256 } = await bundlePack(await readPackFolder("pack"));
  const released = new Map(
    [...DOCUMENTS.get("CHANGELOG.md")!.matchAll(
      /^## ([\d.]+)\n[\s\S]*?`([0-9a-f]{64})`/gm,
    )].map(([, name, digest]) => [name!, digest!]),
  );
  assert(released.size > 0);
  assertEquals(
    released.get(version) ?? sha256,
    sha256,
    "the pack has changed: raise its version",
  );
});

for (const [path, text] of DOCUMENTS) {
  Deno.test(`${path}: every task that it names exists and knows its options`, async () => {
    const commands = text.matchAll(/deno task (?:-q )?([\w:]+)([^#`)\n]*)/g);
    for (const [command, task, rest] of commands) {
      assert(task! in TASKS, command);
      const options = rest!.match(/--[\w-]+/g) ?? [];
      if (options.length === 0) continue;
      const help = await helpOf(task!);
      for (const option of options) {
        assertStringIncludes(help ?? "", `${option} `, command);
      }
    }
  });

  Deno.test(`${path}: every file, folder and section that it names is there`, async () => {
    const links = [...text.matchAll(/(?:\]\(|src=")([^)"]+)[)"]/g)]
      .map(([, target]) => target!)
      .filter((target) => !target.startsWith("https://"));
    for (const target of links) {
      const [file, section] = target.split("#");
      const url = file === ""
        ? new URL(path, ROOT)
        : new URL(file!, ROOT + path);
      const { isFile } = await Deno.stat(url);
      if (section === undefined) continue;
      assert(isFile, target);
      const titles = (await Deno.readTextFile(url)).matchAll(/^#+ (.*)$/gm);
      const anchors = [...titles].map(([, title]) =>
        title!.toLowerCase().replace(/[^\w -]/g, "").replaceAll(" ", "-")
      );
      assert(anchors.includes(section), target);
    }
    const quoted = [...text.matchAll(/`((?:\.?[\w-]+\/)+[\w.@-]*)`/g)]
      .map(([, target]) => target!)
      .filter((target) =>
        !/^dist\/|^incident-enricher\/|^deploy\/\.env$/.test(target)
      );
    for (const target of quoted) await Deno.stat(new URL(target, ROOT));
    if (path === "README.md") assert(links.length > 8 && quoted.length > 5);
  });

  Deno.test(`${path}: every variable that it names is read`, () => {
    const known = new Set([
      ...WORKER_VARIABLES,
      ...variablesOf(HOOK_SETTINGS),
      ...["POST_IN_DOUBT", "POST_REFUSED"], // Codes.
    ]);
    const prefixes =
      "NATS|REDIS|CORETEX|CORDUM|WORKER|HEALTH|INGEST|INGESTER|" +
      "PAGERDUTY|ALERTMANAGER|MOCK|DEFAULT|LINK|DASHBOARD|SLACK|POST|POSTER|APPROVALS";
    const named = text.matchAll(
      new RegExp(`\\b(?:${prefixes})_[A-Z_]+\\b`, "g"),
    );
    for (const [name] of named) assert(known.has(name), name);
  });
}
