/**
 * The whole path with one command: a platform, the pack, four workers, an
 * incident, an approval, a post, an upgrade, an uninstall.
 *
 * @module
 */
import { Demo, type DemoOptions } from "./support/demo.ts";
import {
  CommandError,
  needTerminal,
  readArgs,
  runCommand,
} from "./support/cli.ts";
import { PLATFORM_VARIABLES } from "./support/platform.ts";
import { userName } from "./install.ts";

const HELP = {
  usage:
    "deno task demo [--id ID] [--slack] [--reject | --interactive] [--keep] [--as NAME] [--yes]",
  about:
    "Shows an incident becoming evidence, a summary, an approval and a post.\n" +
    "Runs on devcore, a stand-in platform, unless the variables below name a real one.\n" +
    "Exit code 0 only if all five goals of the pack were observed.",
  options: [
    ["--id ID", "the incident's id; an id sent before starts nothing new"],
    ["--slack", "post to a local stand-in for Slack and show what it received"],
    ["--reject", "reject the post and show that nothing was posted"],
    ["--interactive", "show the message and ask you; no rejects it"],
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
    slack: { type: "boolean" },
    reject: { type: "boolean" },
    interactive: { type: "boolean" },
    keep: { type: "boolean" },
    as: { type: "string" },
    yes: { type: "boolean" },
  });
  if (given === undefined) return;
  const { id, slack, reject, interactive, keep, as, yes } = given.values;
  if (interactive === true) {
    if (reject === true) {
      throw new CommandError("Choose one of --reject and --interactive", 2);
    }
    needTerminal(
      "--interactive",
      "without it the demo approves by itself, and --reject rejects",
    );
  }
  const options: DemoOptions = {
    incident: String(id ?? `demo-${Date.now().toString(36)}`),
    slack: slack === true,
    decision: interactive === true
      ? "ask"
      : reject === true
      ? "reject"
      : "approve",
    keep: keep === true,
    yes: yes === true,
    principal: String(as ?? userName()),
    env: (name) => Deno.env.get(name),
  };
  await using demo = new Demo(options);
  return await demo.run();
}

if (import.meta.main) await runCommand(main);
