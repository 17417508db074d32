/**
 * Stands between a worker and the platform's gateway, and answers in its place
 * when told to.
 *
 * @module
 */
import { freePort } from "../../scripts/launch/free_port.ts";

/** Answers a request itself, or passes it on. */
export type Trouble = (
  request: Request,
) => Response | Promise<Response> | undefined;

export interface GatewayFront extends AsyncDisposable {
  /** Without a path. */
  readonly url: string;
  /** What is wrong, if anything. */
  trouble: Trouble | undefined;
  /** Every request, as method and path, oldest first. */
  readonly calls: string[];
  /** Refuses connections from now on. */
  close(): Promise<void>;
  /** Takes them again. */
  open(): void;
}

/** Opens a front. @param target The gateway's URL. */
export function openFront(target: string): GatewayFront {
  const calls: string[] = [];
  const serve = async (request: Request): Promise<Response> => {
    const { pathname, search } = new URL(request.url);
    calls.push(`${request.method} ${pathname}`);
    const answer = await front.trouble?.(request);
    if (answer !== undefined) return answer;
    const { method, headers, body } = request;
    const url = target + pathname + search;
    return await fetch(url, { method, headers, body });
  };
  const port = freePort();
  const listen = () =>
    Deno.serve({
      hostname: "127.0.0.1",
      port,
      onListen() {},
      onError: () => new Response(null, { status: 502 }),
    }, serve);
  let server: ReturnType<typeof listen> | undefined = listen();
  const front: GatewayFront = {
    url: `http://127.0.0.1:${port}`,
    trouble: undefined,
    calls,
    async close() {
      await server?.shutdown();
      server = undefined;
    },
    open: () => void (server ??= listen()),
    [Symbol.asyncDispose]: () => front.close(),
  };
  return front;
}
