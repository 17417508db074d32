/**
 * Exits with 0 if the worker in the same container is alive.
 *
 * It checks liveness, not readiness: a worker must not be restarted because the
 * platform is down. A distroless image has no curl, so this runs on the worker's
 * own runtime. Its one argument is the worker's health address, for example
 * `127.0.0.1:9000`. Net: that address. Nothing else.
 *
 * @module
 */

const TIMEOUT_MS = 3_000;

/** Whether `/healthz` at `address` answers with success in time. */
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
