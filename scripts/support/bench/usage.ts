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

let nth = 0;

Deno.addSignalListener("SIGUSR2", () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  // Whoever sent the signal waits for this line.
  const line = JSON.stringify({
    msg: "Usage",
    nth: ++nth,
    cpu_us: userCPUTime + systemCPUTime,
    rss_peak_kib: maxRSS,
  });
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
});
