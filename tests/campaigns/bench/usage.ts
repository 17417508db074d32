/**
 * Runs inside a worker before the worker itself, and logs at SIGUSR2 what the
 * process has used so far.
 *
 * Nobody else could tell: Deno does not read another process's `/proc`, whatever
 * its permissions. (SIGUSR1 would open the runtime's debugger.)
 *
 * @module
 */
import process from "node:process";

const SAMPLE_MS = 100;

let nth = 0;
let rssPeak = 0;

// The system's own `maxRSS` starts with that of the parent process.
function sample(): void {
  rssPeak = Math.max(rssPeak, Deno.memoryUsage().rss);
}

setInterval(sample, SAMPLE_MS).unref();

Deno.addSignalListener("SIGUSR2", () => {
  sample();
  const { user, system } = process.cpuUsage();
  // Whoever sent the signal waits for this line.
  const line = JSON.stringify({
    msg: "Usage",
    nth: ++nth,
    cpu_us: user + system,
    rss_peak_bytes: rssPeak,
  });
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
});
