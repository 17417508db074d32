/**
 * Asks a worker in the same container whether it is alive: exit code 0 if so.
 *
 * Liveness, not readiness: who restarts what is unhealthy must not restart a
 * worker because the platform is away. A distroless image has no curl, so this
 * runs on the worker's own runtime. Its one argument is the worker's health
 * address, for example `127.0.0.1:9000`. Net: that address. Nothing else.
 *
 * @module
 */

const TIMEOUT_MS = 3_000;

/** Whether `/healthz` at `address` answers as it should, in time. */
export async function isAlive(address: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${address}/healthz`, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

if (import.meta.main) Deno.exit(await isAlive(Deno.args[0] ?? "") ? 0 : 1);
