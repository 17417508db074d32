/**
 * A port for a process that has to know its own before it starts.
 *
 * @module
 */

/**
 * Below what systems give to connections and to whoever asks for any port, so
 * that only another caller of this function could take it meanwhile.
 */
const FIRST = 20_000;
const COUNT = 10_000;
const TRIES = 100;
const given = new Set<number>();

/**
 * A port of 127.0.0.1 that is free, and that this process was not given before.
 *
 * @throws {Error} If none is found.
 */
export function freePort(): number {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (given.has(port) || !isFree(port)) continue;
    given.add(port);
    return port;
  }
  throw new Error("No port of this machine is free");
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}
