/**
 * Runs inside a poster, before it: a clock that can be made to jump.
 *
 * SIGUSR2 sets the clock an hour ahead, SIGHUP an hour back; timers go on as
 * they were, as they do when a machine's clock is set. (SIGUSR1 would open the
 * runtime's debugger.) Loaded with `--preload`, so that the poster's own files
 * stay as they are.
 *
 * @module
 */

const JUMP_MS = 3_600_000;

/** The third argument is how many hours ahead it starts. */
let offsetMs = Number(Deno.args[2] ?? 0) * JUMP_MS;
const SystemDate = Date;

class JumpingDate extends SystemDate {
  constructor(...given: unknown[]) {
    const moment = given.length === 0 ? [JumpingDate.now()] : given;
    // The constructor takes more shapes than its type can say.
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
