/**
 * A stand-in for Slack's incoming webhooks, for demos and tests.
 *
 * Says `ok` to what Slack takes and refuses the rest in Slack's words, keeps
 * what it received, and fails as networks fail when it is told to. One request
 * a connection. Net: one listening address on loopback, over http. No
 * environment, files or processes.
 *
 * @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 * @module
 */
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { wait } from "../../lib/base/time.ts";

/** An answer, word for word. */
export interface Answer {
  status: number;
  body?: string;
  headers?: Record<string, string>;
  /** How long to wait before each character of the body. */
  slowMs?: number;
  /** How long to wait before the answer. */
  lateMs?: number;
  /** Sends the whole answer a second time on the same connection. */
  twice?: boolean;
}

/** What it does with one request; `slack` is what Slack itself would do. */
export type Behaviour =
  | "slack"
  | "never answer"
  | "answer without end"
  | "reset before reading"
  | "reset after reading"
  | Answer;

/** One request that was read to its end. */
export interface Received {
  method: string;
  path: string;
  contentType: string;
  body: string;
  at: Date;
}

/** Sees what happens while it happens. */
export interface SlackWatch {
  /** A connection was made, and nothing of it was read yet. */
  connected?(): void;
  /** A request was read; its answer waits for this to resolve. */
  read?(request: Received, behaviour: Behaviour): void | Promise<void>;
  /** The answer was handed to the operating system. */
  answered?(): void;
}

/** A running stand-in. */
export interface SlackStandIn extends AsyncDisposable {
  /** Host and port, as `SLACK_ALLOWED_HOSTS` names it. */
  readonly host: string;
  /** A webhook URL; every path is one. */
  readonly url: string;
  /** The requests it read, in order. */
  readonly received: readonly Received[];
  /** How many connections were made, including those reset before reading. */
  connections(): number;
}

/** The refusals that Slack documents, and their status. */
export const SLACK_ERRORS: Readonly<Record<string, number>> = {
  invalid_payload: 400,
  no_text: 400,
  invalid_blocks: 400,
  invalid_blocks_format: 400,
  too_many_attachments: 400,
  user_not_found: 400,
  invalid_token: 403,
  action_prohibited: 403,
  posting_to_general_channel_denied: 403,
  team_disabled: 403, // Documented without its status.
  no_service: 404,
  no_service_id: 404,
  no_active_hooks: 404,
  no_team: 404,
  channel_not_found: 404,
  channel_is_archived: 410,
  rollup_error: 500,
};

const BLOCKS_MAX = 50;
const BODY_BYTES_MAX = 1024 * 1024;
const LONG_BODY = "x".repeat(128 * 1024);

/** Answers with one of {@linkcode SLACK_ERRORS}. */
export function refusal(token: string): Answer {
  return { status: SLACK_ERRORS[token] ?? 400, body: token };
}

/** Answers 429; `retryAfter` is the header as it is sent. */
export function rateLimited(retryAfter?: string): Answer {
  const headers = retryAfter === undefined ? {} : { "Retry-After": retryAfter };
  return { status: 429, body: "rate_limited", headers };
}

/**
 * Starts a stand-in on a free port of 127.0.0.1.
 *
 * @param options.behaviour What it does with the nth request, counted from 1.
 * @param options.watch Sees every request.
 */
export async function startSlack(
  { behaviour = () => "slack", watch = {} }: {
    behaviour?: (nth: number) => Behaviour;
    watch?: SlackWatch;
  } = {},
): Promise<SlackStandIn> {
  const received: Received[] = [];
  const behaviours = new WeakMap<Socket, Behaviour>();
  const stop = new AbortController();
  let connections = 0;
  const server = createServer(async (request, response) => {
    const how = behaviours.get(request.socket) ?? "slack";
    if (how === "reset before reading") {
      return void request.socket.resetAndDestroy();
    }
    try {
      const body = await readBody(request);
      const { method = "", url: path = "", headers } = request;
      const contentType = headers["content-type"] ?? "";
      const given = { method, path, contentType, body, at: new Date() };
      received.push(given);
      await watch.read?.(given, how);
      if (how === "reset after reading") request.socket.resetAndDestroy();
      else if (how === "answer without end") {
        response.writeHead(200).write(LONG_BODY); // And nothing more, ever.
      } else if (how !== "never answer") {
        const answer = typeof how === "string" ? judge(body) : how;
        await send(response, answer, stop.signal);
        watch.answered?.();
      }
    } catch {
      request.socket.destroy(); // The client has gone, or we close.
    }
  });
  server.on("connection", (socket: Socket) => {
    behaviours.set(socket, behaviour(++connections));
    watch.connected?.();
  });
  await new Promise<void>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve())
  );
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `http://${host}/services/T0EXAMPLE/B0EXAMPLE/standInSecret`,
    received,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      stop.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of request) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > BODY_BYTES_MAX) throw new RangeError("body too large");
  }
  return text + decoder.decode();
}

/** What Slack answers to a payload, as far as it documents that. */
function judge(body: string): Answer {
  let payload: unknown;
  try {
    payload = JSON.parse(body);
  } catch {
    return refusal("invalid_payload");
  }
  if (typeof payload !== "object" || payload === null) {
    return refusal("invalid_payload");
  }
  const { text, blocks, attachments } = payload as Record<string, unknown>;
  if (!text && !blocks && !attachments) return refusal("no_text");
  const wellFormed = blocks === undefined ||
    Array.isArray(blocks) && blocks.length <= BLOCKS_MAX &&
      blocks.every((block) => typeof block?.type === "string");
  return wellFormed ? { status: 200, body: "ok" } : refusal("invalid_blocks");
}

async function send(
  response: ServerResponse,
  { status, body = "", headers = {}, slowMs, lateMs = 0, twice }: Answer,
  signal: AbortSignal,
): Promise<void> {
  if (lateMs > 0) await wait(lateMs, signal);
  if (response.destroyed) return;
  if (twice) {
    // Written to the socket, since the library would not answer twice.
    const text = `HTTP/1.1 ${status} OK\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`;
    return void response.socket?.end(text + text);
  }
  response.writeHead(status, {
    "Content-Type": "text/plain; charset=utf-8",
    "Connection": "close",
    ...headers,
  });
  if (slowMs === undefined) return await finish(response, body);
  response.flushHeaders();
  for (const character of body) {
    await wait(slowMs, signal);
    if (response.destroyed) return;
    response.write(character);
  }
  response.end();
}

/** Resolves once the system has the whole answer, or the client is gone. */
function finish(response: ServerResponse, body: string): Promise<void> {
  return new Promise((resolve) => {
    response.once("close", resolve);
    response.end(body, () => resolve());
  });
}
