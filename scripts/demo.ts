/**
 * The whole path with one command: a platform, the pack, four workers, an
 * incident, an approval, a post, an upgrade, an uninstall.
 *
 * @module
 */
import { Demo, type DemoOptions } from "./demo/demo.ts";
import {
  CommandError,
  needTerminal,
  readArgs,
  runCommand,
} from "./terminal/cli.ts";
import { PLATFORM_VARIABLES } from "./support/platform.ts";
import { SENDER_NAMES, type SenderName } from "./demo/senders.ts";
import { userName } from "./install.ts";

const HELP = {
  usage: "deno task demo [OPTIONS]",
  about:
    "Shows an incident becoming evidence, a summary, an approval and a post.\n" +
    "Runs on devcore, a stand-in platform, unless the variables below name a real one.\n" +
    "Exit code 0 only if all five goals of the pack were observed.",
  options: [
    [
      "--source NAME",
      `who sends the incident: ${SENDER_NAMES.join(", ")}; by default ${
        SENDER_NAMES[0]
      }`,
    ],
    [
      "--id ID",
      "the incident's id; one sent before starts nothing new; not for alertmanager",
    ],
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
    source: { type: "string" },
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
  const source = readSource(given.values["source"] as string | undefined);
  if (source === "alertmanager" && id !== undefined) {
    throw new CommandError(
      "Leave out --id: Alertmanager names an incident by its group and when it began",
      2,
    );
  }
  const options: DemoOptions = {
    source,
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

function readSource(text: string = SENDER_NAMES[0]): SenderName {
  const name = SENDER_NAMES.find((name) => name === text);
  if (name !== undefined) return name;
  throw new CommandError(
    `There is no source "${text}"; there are ${SENDER_NAMES.join(", ")}`,
    2,
  );
}

if (import.meta.main) await runCommand(main);
