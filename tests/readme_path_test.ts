/**
 * README.md: the way from nothing to a message in Slack, typed as it stands
 * there, and the table of what to do if nothing arrives.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import config from "../deno.json" with { type: "json" };
import { startDevcore } from "../deploy/devcore/devcore.ts";
import { startSlack } from "../deploy/standins/slack.ts";
import { WEBHOOKS } from "../lib/intake/webhooks.ts";
import { freePort } from "../scripts/launch/free_port.ts";
import type { Main } from "../scripts/terminal/command.ts";
import { call } from "./support/command.ts";
import { processesWith } from "./support/processes.ts";
import { HAS_TERMINALS, startOnTerminal } from "./support/task.ts";
import { until } from "./support/until.ts";

const ROOT = new URL("../", import.meta.url);
const README = await Deno.readTextFile(new URL("README.md", ROOT));
const TASKS: Readonly<Record<string, { command: string }>> = config.tasks;

/** A section with the sections below it. */
function section(title: string): string {
  const start = README.indexOf(`# ${title}\n`);
  assert(start > 0, title);
  const end = README.indexOf("\n## ", start);
  return README.slice(start, end);
}

const PATH = section("From nothing to a message in Slack");
const [, BLOCK = ""] = /```sh\n([\s\S]*?)```/.exec(PATH) ?? [];
/** The variables to set, from the text before the lines. */
const VARIABLES = [
  ...PATH.slice(0, PATH.indexOf("```sh")).matchAll(/`([A-Z][A-Z_]+)`/g),
].map(([, name]) => name!);

Deno.test("README.md: it takes at most ten lines to a message in Slack", () => {
  const lines = BLOCK.trim().split("\n");
  assert(lines.length <= 10, `${lines.length}`);
});

Deno.test({
  name: "README.md: these lines, typed as they stand, bring a message to Slack",
  ignore: !HAS_TERMINALS,
  async fn() {
    await using core = await startDevcore({ reloadMs: 200 });
    await using slack = await startSlack();
    const file = await Deno.makeTempFile({ suffix: ".env" });
    const ingester = `127.0.0.1:${freePort()}`;
    const values: Record<string, string> = {
      CORETEX_GATEWAY_URL: core.gatewayUrl,
      CORETEX_API_KEY: core.env["CORETEX_API_KEY"]!,
      NATS_URL: core.natsUrl,
      REDIS_ADDR: new URL(core.redisUrl).host,
      SLACK_WEBHOOK_URL: slack.url,
      DEFAULT_DESTINATION_MODE: "slack",
      MOCK_WEBHOOK_TOKENS: "a-word",
    };
    // What README.md says to set is enough.
    assertEquals([...VARIABLES].toSorted(), Object.keys(values).toSorted());
    const stand = { SLACK_ALLOWED_HOSTS: slack.host, INGESTER_ADDR: ingester };

    const shell = startOnTerminal(`PS1= exec sh`, {
      TERM: "dumb",
      USER: "ada",
      // The lines name these themselves.
      ...Object.fromEntries(Object.keys(values).map((name) => [name, ""])),
    });
    let seen = "";
    const reading = (async () => {
      const text = shell.stdout.pipeThrough(new TextDecoderStream());
      for await (const part of text) seen += part;
    })();
    const keyboard = shell.stdin.getWriter();
    const type = async (line: string, expected: RegExp, count = 1) => {
      const from = seen.length;
      await keyboard.write(new TextEncoder().encode(`${line}\n`));
      await until(
        `${expected} after ${line}`,
        () => (seen.slice(from).match(expected)?.length ?? 0) >= count,
        120_000,
      ).catch((error) => {
        throw new Error(`${error.message}\n${seen.slice(from)}`);
      });
    };
    try {
      await type(
        `stty -echo; deno() { ${Deno.execPath()} "$@"; }; echo typ""ing`,
        /typing\r/g,
      );
      const [copy, read, install, ...rest] = statements()
        .map((line) =>
          line.replaceAll("deploy/.env", file)
            .replaceAll("127.0.0.1:8088", ingester)
        );
      const [start, send, approve, ...none] = rest;
      assertEquals(none, []);
      await type(`${copy}\necho cop""ied`, /copied\r/g);
      const text = await Deno.readTextFile(file);
      await Deno.writeTextFile(
        file,
        Object.entries({ ...values, ...stand }).reduce(set, text),
      );
      await type(`${read}\necho $MOCK_WEBHOOK_TOKENS`, /a-word\r/g);
      await type(install!, /In force: /g);
      await type(start!, /"msg":"Worker ready"/g, 4);
      await type(send!, /"run_id":"[^"]+"/g);
      await until("the approval", async () => {
        const answer = await fetch(`${core.gatewayUrl}/api/v1/approvals`, {
          headers: { "X-API-Key": values["CORETEX_API_KEY"]! },
        });
        return (await answer.text()).includes("job.incident-enricher.post");
      }, 30_000);
      await type(approve!, /\[y\/N\] |\[y\/n\] /g);
      await type("y", /Posted to /g);
      assertEquals(slack.received.length, 1);
      const [, kill = ""] = /`(kill [ %\d]+)`/.exec(PATH) ?? [];
      await type(`${kill}; wait; echo end""ed`, /ended\r/g);
      const host = new URL(core.gatewayUrl).host;
      await until(
        "the workers' end",
        async () => (await processesWith(host)).length === 0,
        20_000,
      );
    } finally {
      await keyboard.write(
        new TextEncoder().encode("kill %1 %2 %3 %4; wait; exit\n"),
      )
        .catch(() => {});
      await shell.status;
      await keyboard.close().catch(() => {});
      await reading;
      await Deno.remove(file);
    }
  },
});

/** The block's lines, those that belong together in one. */
function statements(): string[] {
  const joined = BLOCK.trim().replaceAll(/ *\\\n */g, " ");
  const lines: string[] = [];
  let isOpen = false;
  for (const line of joined.split("\n")) {
    if (isOpen) lines.push(`${lines.pop()}\n${line}`);
    else lines.push(line);
    if (/^for /.test(line)) isOpen = true;
    if (/^done/.test(line)) isOpen = false;
  }
  return lines;
}

/** Sets a variable in a file, as a person would edit it. */
function set(text: string, [name, value]: [string, string]): string {
  const line = new RegExp(`^(# )?${name}=.*$`, "m");
  assertMatch(text, line);
  return text.replace(line, () => `${name}=${value}`);
}

const ROWS = section("Nothing arrives?").split("\n")
  .filter((line) => line.startsWith("| "))
  .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()))
  .slice(2);

Deno.test("README.md: each trouble has a command that exists, and a cure", async () => {
  assert(ROWS.length >= 12);
  const health = ["/healthz", "/readyz"];
  for (const [symptom = "", look = "", cure = "", ...none] of ROWS) {
    assertEquals(none, []);
    assert(symptom !== "" && cure !== "");
    const [, command = ""] = /^`([^`]+)`/.exec(look) ?? [];
    const [, path] = /^curl (?:-.* )?http:\/\/[^/ ]+(\/\S*)$/.exec(command) ??
      [];
    if (path !== undefined) {
      assert(health.includes(path) || WEBHOOKS.has(path), command);
    } else if (command !== "npm ping") await assertTask(command);
  }
  for (
    const [text] of ROWS.map((row) => row.join("|"))
      .join("|").matchAll(/`deno task [^`]+`/g)
  ) {
    await assertTask(text.slice(1, -1));
  }
});

/** A task with this name, whose help has this verb and these options. */
async function assertTask(command: string): Promise<void> {
  const [deno, word, task = "", verb = "", ...rest] = command.split(" ");
  assertEquals([deno, word], ["deno", "task"], command);
  assert(task in TASKS, command);
  const [, script] = / (scripts\/\w+\.ts)$/.exec(TASKS[task]!.command) ?? [];
  const { main } = await import(`${ROOT}${script}`) as { main: Main };
  const { stdout: help } = await call(main, ["--help"]);
  if (/^[a-z]+$/.test(verb)) assertStringIncludes(help, ` ${task} ${verb} `);
  for (const option of [verb, ...rest].filter((part) => part.startsWith("-"))) {
    assertStringIncludes(help, `${option} `, command);
  }
}

/** What a row quotes, and where the product says it. */
const SAID: readonly [quoted: string, said: string][] = [
  ["This webhook is closed", "This webhook is closed: "],
  ["not ACTIVE", "on the platform, not ACTIVE"],
  ["refused the ingester's own key", "refused the ingester's own key"],
  ["ignored", "Response.json({ ignored })"],
  ["No poster is up to take the job", "} is up to take the job"],
  ["It can no longer be approved", "It can no longer be approved: "],
  ["approving sends nothing", ", approving sends nothing"],
  ["Posted as an artifact", '"as an artifact"'],
];

Deno.test("README.md: what the table quotes is what the product says", async () => {
  const sources: string[] = [];
  for (const folder of ["lib", "scripts", "workers"]) {
    await readAll(new URL(`${folder}/`, ROOT), sources);
  }
  const all = sources.join("\n");
  const first = ROWS.map(([symptom]) => symptom!);
  for (const [quoted, said] of SAID) {
    assert(first.some((row) => row.includes(`\`${quoted}\``)), quoted);
    assertStringIncludes(all, said);
  }
  const codes = first.flatMap((row) =>
    row.match(/`[A-Z]+(?:_[A-Z]+)+`/g) ?? []
  );
  assert(codes.length >= 3);
  for (const code of codes) assertStringIncludes(all, `"${code.slice(1, -1)}"`);
});

async function readAll(folder: URL, into: string[]): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) await readAll(new URL(`${name}/`, folder), into);
    else into.push(await Deno.readTextFile(new URL(name, folder)));
  }
}
