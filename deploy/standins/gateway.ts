/**
 * A stand-in for the platform's gateway as workers see it: it starts one run
 * per idempotency key, reads runs and says that it works. The caller scripts
 * everything that goes wrong.
 *
 * Does as little as possible, since benchmarks run against it. Net: 127.0.0.1.
 * No environment, files or processes.
 *
 * @module
 */

export interface Run {
  readonly id: string;
  readonly key: string;
  readonly workflowId: string;
  /** JSON text, as it arrived. */
  input: string;
  /** When reads begin to find it, by `performance.now()`. */
  readonly readableAt: number;
}

export interface Asked {
  readonly kind: "start" | "read" | "other";
  /** Its body has been read already. */
  readonly request: Request;
  /** As it arrived, escapes included. */
  readonly path: string;
  /** The query and its question mark, or nothing. */
  readonly search: string;
  /** The idempotency key of a start; a unique one if it came without. */
  readonly key: string;
  /** The run that is read, or to which the key leads. */
  readonly runId: string;
  readonly body: string;
  /** The port at the caller's end of the connection. */
  callerPort(): number;
}

/** Answers a request as the platform would. */
export type Works = (
  /** A different key, and how late a new run can be read. */
  changes?: { key?: string; lateMs?: number },
) => Response;

/** Answers a request in the platform's place. */
export type Answer = (
  asked: Asked,
  works: Works,
) => Response | Promise<Response>;

export interface GatewayStandIn extends AsyncDisposable {
  /** Without a path. */
  readonly url: string;
  readonly port: number;
  /** Every run that was created, by id, oldest first. */
  readonly runs: ReadonlyMap<string, Run>;
  /** Whether a key was ever used; keys are global and never expire. */
  knows(key: string): boolean;
  /** Makes a key lead to a run that does not exist. */
  burn(key: string): void;
}

const START = /^\/api\/v1\/workflows\/([^/]+)\/runs$/;
const READ = "/api/v1/workflow-runs/";
const STATUS = "/api/v1/status";
const JSON_TYPE = { headers: { "Content-Type": "application/json" } };

/** The id of the run that a key leads to. */
export function runIdOf(key: string): string {
  return `run-of-${key}`;
}

/** Answers in plain text, as the platform does when something is wrong. */
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
    info: Deno.ServeHandlerInfo<Deno.NetAddr>,
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
      callerPort: () => info.remoteAddr.port,
    };
    return await answer(asked, (changes = {}) => {
      if (isRead) return read(asked.runId);
      if (path === STATUS) return new Response("{}\n", JSON_TYPE);
      if (workflowId === undefined) return plain(404, "404 page not found\n");
      const { lateMs = 0 } = changes;
      return start(workflowId, changes.key ?? key, asked.body, lateMs);
    });
  }

  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
    // Mostly a failed assertion of a test.
    onError: (error) => plain(500, `The stand-in failed: ${error}\n`),
  }, serve);
  const { port } = server.addr;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    runs,
    knows: (key) => keys.has(key),
    burn: (key) => void keys.add(key),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
