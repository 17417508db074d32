/**
 * The whole path with one command: a platform, the pack, four workers, an
 * incident, an approval, a post, an upgrade, an uninstall.
 *
 * @module
 */
import { PROFILES } from "../deploy/devcore/profile.ts";
import { GATEWAY_SETTINGS } from "../lib/platform/settings.ts";
import { needPrograms } from "./demo/monitoring.ts";
import { runDemo } from "./demo/run_demo.ts";
import { command, readName } from "./terminal/arguments.ts";
import { needTerminal } from "./terminal/ask.ts";
import {
  CommandError,
  needName,
  runCommand,
  userName,
} from "./terminal/command.ts";
import { PLATFORM_VARIABLES } from "./terminal/platform.ts";
import { SENDER_NAMES } from "./demo/senders.ts";

const HELP = {
  usage: "deno task demo [OPTIONS]",
  about:
    "Shows an incident becoming evidence, a summary, an approval and a post.\n" +
    "Runs on devcore, a stand-in platform, unless the variables below name a real one.\n" +
    "Exit code 0 only if all five goals of the pack were observed.",
  options: {
    "source NAME": `who sends the incident: ${SENDER_NAMES.join(", ")}
by default ${SENDER_NAMES[0]}, with --id ${SENDER_NAMES[1]}`,
    "id ID":
      "the incident's id; one sent before starts nothing new; not for alertmanager",
    "profile NAME": `what devcore plays: ${PROFILES.join(", ")} (default ${
      PROFILES[0]
    })`,
    real:
      "ask Debian's Prometheus and Alertmanager, whose rule really fires,\nin place of their stand-ins; takes up to a minute",
    slack: "post to a local stand-in for Slack and show what it received",
    reject: "reject the post and show that nothing was posted",
    interactive: "show the message and ask you; no rejects it",
    keep:
      "leave everything running afterwards, and an approval desk, until Ctrl-C",
    "as NAME": "recorded as the approver (default your user name)",
    yes: "go on although somebody else's approvals would be lost",
  },
  variables: [...PLATFORM_VARIABLES, [
    "NATS_URL",
    "the platform's message bus",
  ]],
} as const;

export const main = command(HELP, async ({ values }, context) => {
  const { id, real, slack, reject, interactive, keep, as, yes } = values;
  if (interactive) {
    if (reject) {
      throw new CommandError("Choose one of --reject and --interactive", 2);
    }
    needTerminal(
      context,
      "--interactive",
      "without it the demo approves by itself, and --reject rejects",
    );
  }
  const given = values.source ?? SENDER_NAMES[id === undefined ? 0 : 1];
  const source = readName("source", given, SENDER_NAMES);
  if (source === "alertmanager" && id !== undefined) {
    throw new CommandError(
      "Leave out --id: Alertmanager names an incident by its group and when it began",
      2,
    );
  }
  if (real) {
    if (source !== "alertmanager") {
      throw new CommandError(
        "Leave out --source and --id: with --real, Alertmanager sends the incident",
        2,
      );
    }
    await needPrograms();
  }
  const profile = values.profile === undefined
    ? undefined
    : readName("profile", values.profile, PROFILES);
  const [named] = GATEWAY_SETTINGS.gatewayUrl.names.filter(context.env);
  if (profile !== undefined && named !== undefined) {
    throw new CommandError(
      `Leave out --profile: ${named} names a platform`,
      2,
    );
  }
  return await runDemo({
    profile,
    source,
    real,
    // As PagerDuty's own ids are.
    incident: id ?? `DEMO${Date.now().toString(36).toUpperCase()}`,
    slack,
    decision: interactive ? "ask" : reject ? "reject" : "approve",
    keep,
    yes,
    principal: interactive
      ? needName(context, as, "--as NAME")
      : as ?? userName(context) ?? "the demo",
  }, context);
});

if (import.meta.main) await runCommand(main);
