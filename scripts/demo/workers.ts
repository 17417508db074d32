/**
 * The four workers.
 *
 * @module
 */
import { showProgress } from "../terminal/progress.ts";
import type { Scene } from "./scene.ts";

/** Starts the workers, until the scheduler has one for every topic. */
export async function startWorkers({ stand, say }: Scene): Promise<void> {
  say.begin(
    "workers",
    "Workers: four processes, each with its own permissions",
  );
  if (stand.slack !== undefined) {
    say.line(`Slack      a stand-in on this machine, ${stand.slack.host}`);
  }
  await stand.startWorkers();
  for (const { name, pid, flags } of stand.workers.values()) {
    const net = flags.find((flag) => flag.startsWith("--allow-net"));
    say.line(`${name.padEnd(10)}  pid ${pid}  ${net}`);
  }
  const onProgress = showProgress(say.context);
  await stand.untilRoutable(() =>
    onProgress("waiting for the scheduler to see the workers")
  );
  say.line("the scheduler knows a worker for every topic");
}
