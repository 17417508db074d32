/**
 * The gateway stand-in as a process of its own, seen from the benchmark.
 *
 * @module
 */
import { CommandError } from "../../../scripts/terminal/command.ts";

/**
 * What the stand-in can do wrong with every tenth key, to show that it is
 * noticed: forget its start, answer 503 after it, or give another run's id.
 */
export const FAULTS = ["lose", "double", "mix"] as const;

export type Fault = typeof FAULTS[number];

export interface BenchGateway extends AsyncDisposable {
  /** Without a path. */
  readonly url: string;
  /** Ends it. @returns How often a run was started for each key. */
  end(): Promise<ReadonlyMap<string, number>>;
}

const FILE = new URL("gateway_process.ts", import.meta.url);

/** Starts a stand-in. @throws {CommandError} If it ends instead. */
export async function startBenchGateway(
  { delayMs, fault = "" }: { delayMs: number; fault?: Fault | undefined | "" },
): Promise<BenchGateway> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--allow-net=127.0.0.1:0", FILE.pathname],
      ...[String(delayMs), fault],
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).values();
  const { value: port = "" } = await output.next();
  if (!/^\d+\n$/.test(port)) {
    throw new CommandError("The gateway stand-in did not start");
  }
  const finish = async () => {
    await child.stdin.close();
    let text = "";
    for await (const chunk of output) text += chunk;
    await child.status;
    return new Map<string, number>(JSON.parse(text));
  };
  let ending: ReturnType<typeof finish> | undefined;
  const end = () => ending ??= finish();
  return {
    url: `http://127.0.0.1:${port.trim()}`,
    end,
    [Symbol.asyncDispose]: () => end().then(() => {}, () => {}),
  };
}
