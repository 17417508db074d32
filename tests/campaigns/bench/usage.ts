/**
 * Runs inside a worker, before it: says at SIGUSR2 what it has used so far.
 *
 * Loaded with `--preload`, since nobody else is told: Deno reads no other
 * process's `/proc`, whatever it is permitted. (SIGUSR1 would open the
 * runtime's debugger.)
 *
 * @module
 */
import process from "node:process";

const SAMPLE_MS = 100;

let nth = 0;
let rssPeak = 0;

// Not the system's own `maxRSS`: a process begins with that of whoever started it.
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
