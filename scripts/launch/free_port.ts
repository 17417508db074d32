/**
 * A port for a process that has to know its own before it starts.
 *
 * @module
 */

/** A port of 127.0.0.1 that was free a moment ago; somebody may take it. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
