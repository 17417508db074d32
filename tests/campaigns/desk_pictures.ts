/**
 * Makes the pictures of docs/desk.md: the desk in a real browser, with the
 * demo's incident and two smaller ones.
 *
 * @module
 */
import { startDevcore } from "../../deploy/devcore/devcore.ts";
import { WORKFLOW_ID } from "../../lib/operate/pack.ts";
import {
  startMonitoringStandIns,
  startStandIns,
} from "../../scripts/demo/evidence.ts";
import { readSent } from "../../scripts/demo/incident.ts";
import { createSender } from "../../scripts/demo/senders.ts";
import { type Stand, startStand } from "../../scripts/launch/stand.ts";
import { command } from "../../scripts/terminal/arguments.ts";
import { runCommand } from "../../scripts/terminal/command.ts";
import { startBrowser, type Tab } from "../support/browser.ts";
import { startDesk } from "../support/desk.ts";

const HELP = {
  usage: "deno task picture:desk",
  about: "Photographs the desk into docs/images. Needs Chromium.",
  options: {},
} as const;

const FOLDER = "docs/images";
const START_AGO_MS = 3 * 60_000;
const OTHERS = [
  { id: "disk", title: "Disk of db-1 is 92 % full", severity: "warning" },
  {
    id: "cert",
    title: "Certificate of shop.example.com ends in 6 days",
    severity: "info",
  },
] as const;

export const main = command(HELP, async (_, { out }) => {
  await using stack = new AsyncDisposableStack();
  const core = stack.use(await startDevcore({ reloadMs: 200 }));
  const sender = createSender("alertmanager");
  const startedAt = new Date(Date.now() - START_AGO_MS);
  const body = await sender.body("DEMO", startedAt.toISOString());
  const story = { startedAt, incident: await readSent(body, sender) };
  const standIns = {
    ...startStandIns(story, stack),
    ...startMonitoringStandIns(story, stack),
  };
  const stand = stack.use(
    await startStand({
      platformEnv: core.env,
      env: { ...sender.env, ...standIns },
    }),
  );
  const desk = stack.use(await startDesk(core.env));
  const browser = stack.use(await startBrowser());
  const jobId = await start(stand, story.incident);
  for (const { id, ...facts } of OTHERS) {
    await start(stand, { incident_id: `mock:${id}`, service: id, ...facts });
  }
  const photograph = async (tab: Tab, name: string, height?: number) => {
    const picture = await tab.picture({ height });
    await Deno.writeFile(`${FOLDER}/desk-${name}.png`, picture);
    out(`${FOLDER}/desk-${name}.png`);
  };
  const enter = async (options: Parameters<typeof browser.open>[0]) => {
    const tab = await browser.open(options);
    await tab.goto(desk.url);
    await tab.eval("document.getElementById('name').focus()");
    await tab.type("Ana Lima");
    await tab.press("Enter");
    await tab.until(
      "the list",
      "document.querySelectorAll('a.headline').length === 3",
    );
    return tab;
  };
  const path = `${desk.url}/posts/${encodeURIComponent(jobId)}`;
  const light = await enter({ width: 1180, height: 860 });
  await photograph(light, "list", 440);
  await light.goto(path);
  await photograph(light, "post");
  await light.eval(
    "for (const one of document.querySelectorAll('.claims details')) one.open = true",
  );
  await light.eval("document.querySelector('.claims').scrollIntoView()");
  await photograph(light, "evidence");
  const narrow = await enter({ width: 360, height: 740, dark: true });
  await narrow.goto(path);
  await photograph(narrow, "narrow");
  await light.goto(path);
  await light.click(".approve button");
  await light.says("Posted as an artifact");
  await light.eval("scrollTo(0, 0)");
  await photograph(light, "posted");
  await light.goto(`${desk.url}/decided`);
  await photograph(light, "decided", 260);
  return 0;
});

/** @returns The job of a post that waits. */
async function start(stand: Stand, input: unknown): Promise<string> {
  const { gateway, signal } = stand.platform;
  const key = crypto.randomUUID();
  return await stand.untilApproval(
    await gateway.startRun(WORKFLOW_ID, input, { key, signal }),
  );
}

if (import.meta.main) await runCommand(main);
