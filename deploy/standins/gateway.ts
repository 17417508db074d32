/**
 * A stand-in for the platform's gateway as an ingester sees it: it starts one
 * run for each idempotency key and reads it back. Whoever starts it scripts what
 * goes wrong.
 *
 * Does as little as it can, since benchmarks run against it. Net: 127.0.0.1. No
 * environment, files or processes.
 *
 * @module
 */

/** A run that was really created. */
export interface Run {
  readonly id: string;
  readonly key: string;
  readonly workflowId: string;
  /** JSON text, as it came. */
  input: string;
  /** By `performance.now()`; before it, reads find no run. */
  readonly readableAt: number;
}

/** A request, read to its end. */
export interface Asked {
  readonly kind: "start" | "read" | "other";
  /** Its body has been read. */
  readonly request: Request;
  /** As it came, escapes and all. */
  readonly path: string;
  /** The query with its question mark, or nothing. */
  readonly search: string;
  /** The idempotency key of a start; one without gets one that nobody has. */
  readonly key: string;
  /** Of the run that is read, or that this key leads to. */
  readonly runId: string;
  readonly body: string;
  /** Where the caller's connection comes from. */
  callerPort(): number;
}

/** How a request is answered as the platform would. */
export type Works = (
  /** Another key than the one that came, and how late the new run can be read. */
  changes?: { key?: string; lateMs?: number },
) => Response;

/** Answers a request in the platform's place. */
export type Answer = (
  asked: Asked,
  works: Works,
) => Response | Promise<Response>;

/** A running stand-in. */
export interface GatewayStandIn extends AsyncDisposable {
  /** Without a path. */
  readonly url: string;
  readonly port: number;
  /** Every run that was created, by its id, oldest first. */
  readonly runs: ReadonlyMap<string, Run>;
  /** Whether a key was ever used; keys are global and never expire. */
  knows(key: string): boolean;
  /** Uses a key up: it leads to the id of a run that does not exist. */
  burn(key: string): void;
  /** Forgets runs and keys. */
  forget(): void;
}

const START = /^\/api\/v1\/workflows\/([^/]+)\/runs$/;
const READ = "/api/v1/workflow-runs/";
const JSON_TYPE = { headers: { "Content-Type": "application/json" } };

/** The id of the run that a key leads to. */
export function runIdOf(key: string): string {
  return `run-of-${key}`;
}

/** Answers with a status and a plain text, as the platform says what is wrong. */
export function plain(status: number, text: string): Response {
  return new Response(text, { status });
}

/** Answers when the caller has gone. */
export function never({ request: { signal } }: Asked): Promise<Response> {
  return new Promise((resolve) => {
    const gone = () => resolve(new Response());
    if (signal.aborted) gone();
    else signal.addEventListener("abort", gone, { once: true });
  });
}

/**
 * Starts a stand-in on a free port of 127.0.0.1.
 *
 * @param answer Called for every request; by default all works.
 */
export function startGateway(
  answer: Answer = (_, works) => works(),
): GatewayStandIn {
  const runs = new Map<string, Run>();
  const keys = new Set<string>();

  function start(
    workflowId: string,
    key: string,
    input: string,
    lateMs: number,
  ): Response {
    const id = runIdOf(key);
    if (!keys.has(key)) {
      keys.add(key);
      const readableAt = performance.now() + lateMs;
      runs.set(id, { id, key, workflowId, input, readableAt });
    }
    return new Response(`{"run_id":${JSON.stringify(id)}}\n`, JSON_TYPE);
  }

  function read(id: string): Response {
    const run = runs.get(id);
    if (run === undefined || performance.now() < run.readableAt) {
      return plain(404, "not found\n");
    }
    const { workflowId, input, key } = run;
    const head = JSON.stringify({ id, workflow_id: workflowId });
    const tail = JSON.stringify({
      org_id: "default",
      team_id: "",
      context: null,
      status: "running",
      steps: {},
      idempotency_key: key,
    });
    return new Response(
      `${head.slice(0, -1)},"input":${input},${tail.slice(1)}\n`,
      JSON_TYPE,
    );
  }

  async function serve(
    request: Request,
    { remoteAddr }: Deno.ServeHandlerInfo<Deno.NetAddr>,
  ): Promise<Response> {
    const { method, url } = request;
    const { pathname: path, search } = new URL(url);
    const isRead = method === "GET" && path.startsWith(READ);
    const workflowId = method === "POST" ? START.exec(path)?.[1] : undefined;
    const key = workflowId === undefined
      ? ""
      : request.headers.get("idempotency-key") || crypto.randomUUID();
    const asked: Asked = {
      kind: isRead ? "read" : workflowId === undefined ? "other" : "start",
      request,
      path,
      search,
      key,
      runId: isRead
        ? decodeURIComponent(path.slice(READ.length))
        : runIdOf(key),
      body: method === "GET" ? "" : await request.text(),
      callerPort: () => remoteAddr.port,
    };
    return await answer(asked, (changes = {}) => {
      if (isRead) return read(asked.runId);
      if (workflowId === undefined) return plain(404, "404 page not found\n");
      const { lateMs = 0 } = changes;
      return start(workflowId, changes.key ?? key, asked.body, lateMs);
    });
  }

  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
    // Told to whoever asks: it is mostly a test's own failed assertion.
    onError: (error) => plain(500, `The stand-in failed: ${error}\n`),
  }, serve);
  const { port } = server.addr;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    runs,
    knows: (key) => keys.has(key),
    burn: (key) => void keys.add(key),
    forget() {
      runs.clear();
      keys.clear();
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
