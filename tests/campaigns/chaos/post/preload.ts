/**
 * Runs inside a poster before the poster itself, and gives it a clock that can
 * jump: SIGUSR2 sets it an hour ahead, SIGHUP an hour back. Timers are not
 * affected, just as when a machine's clock is set.
 *
 * (SIGUSR1 would open the runtime's debugger.)
 *
 * @module
 */

const JUMP_MS = 3_600_000;

/** The third argument says how many hours ahead the clock starts. */
let offsetMs = Number(Deno.args[2] ?? 0) * JUMP_MS;
const SystemDate = Date;

class JumpingDate extends SystemDate {
  constructor(...given: unknown[]) {
    const moment = given.length === 0 ? [JumpingDate.now()] : given;
    // The constructor takes more kinds of arguments than its type says.
    super(...(moment as [number]));
  }

  static override now(): number {
    return SystemDate.now() + offsetMs;
  }
}

globalThis.Date = JumpingDate as DateConstructor;

function jump(ms: number): void {
  offsetMs += ms;
  // Whoever sent the signal waits for this line.
  const line = JSON.stringify({ msg: "Clock jumped", offset_ms: offsetMs });
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}

Deno.addSignalListener("SIGUSR2", () => jump(JUMP_MS));
Deno.addSignalListener("SIGHUP", () => jump(-JUMP_MS));
