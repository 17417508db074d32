/**
 * The four workers.
 *
 * @module
 */
import type { LinkedSignal } from "../../lib/base/deadline.ts";
import { CommandError } from "../terminal/command.ts";
import { showProgress } from "../terminal/progress.ts";
import type { Scene } from "./scene.ts";

/**
 * Starts the workers, until the scheduler has one for every topic.
 *
 * @param stop Is aborted when a worker ends.
 */
export async function startWorkers(
  { stand, say }: Scene,
  stop: LinkedSignal,
): Promise<void> {
  say.begin(
    "workers",
    "Workers: four processes, each with its own permissions",
  );
  if (stand.slack !== undefined) {
    say.line(`Slack      a stand-in on this machine, ${stand.slack.host}`);
  }
  await stand.startWorkers();
  for (const { name, pid, flags, ended } of stand.workers.values()) {
    const net = flags.find((flag) => flag.startsWith("--allow-net"));
    say.line(`${name.padEnd(10)}  pid ${pid}  ${net}`);
    ended.then((code) =>
      stop.abort(new CommandError(`The ${name} ended with exit code ${code}`))
    );
  }
  const onProgress = showProgress(say.context);
  await stand.untilRoutable(() =>
    onProgress("waiting for the scheduler to see the workers")
  );
  say.line("the scheduler knows a worker for every topic");
}
