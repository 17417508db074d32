/**
 * The whole path with one command: a platform, the pack, four workers, an
 * incident, an approval, a post, an upgrade, an uninstall.
 *
 * @module
 */
import { Demo, type DemoOptions } from "./support/demo.ts";
import { readArgs, runCommand } from "./support/cli.ts";
import { PLATFORM_VARIABLES } from "./support/platform.ts";
import { userName } from "./install.ts";

const HELP = {
  usage: "deno task demo [--id ID] [--reject] [--keep] [--as NAME] [--yes]",
  about:
    "Shows an incident becoming evidence, a summary, an approval and a post.\n" +
    "Runs on devcore, a stand-in platform, unless the variables below name a real one.\n" +
    "Exit code 0 only if all five goals of the pack were observed.",
  options: [
    ["--id ID", "the incident's id; an id sent before starts nothing new"],
    ["--reject", "reject the post and show that nothing was posted"],
    ["--keep", "leave everything running afterwards, until Ctrl-C"],
    ["--as NAME", "recorded as the approver (default your user name)"],
    ["--yes", "go on although somebody else's approvals would be lost"],
  ],
  variables: [...PLATFORM_VARIABLES, [
    "NATS_URL",
    "the platform's message bus",
  ]],
} as const;

async function main(args: readonly string[]): Promise<number | void> {
  const given = readArgs(args, HELP, {
    id: { type: "string" },
    reject: { type: "boolean" },
    keep: { type: "boolean" },
    as: { type: "string" },
    yes: { type: "boolean" },
  });
  if (given === undefined) return;
  const { id, reject, keep, as, yes } = given.values;
  const options: DemoOptions = {
    incident: String(id ?? `demo-${Date.now().toString(36)}`),
    reject: reject === true,
    keep: keep === true,
    yes: yes === true,
    principal: String(as ?? userName()),
    env: (name) => Deno.env.get(name),
  };
  await using demo = new Demo(options);
  return await demo.run();
}

if (import.meta.main) await runCommand(main);
