/**
 * A small NATS server for demos and tests: the core protocol, on loopback.
 *
 * Serves CONNECT, PING, PONG, SUB, UNSUB, PUB and HPUB with queue groups,
 * wildcards, headers and no-responders, in the words of nats-server 2.9. There
 * is no JetStream: nobody listens on `$JS.API.>`, so such a request gets 503.
 * It is stricter than nats-server: a message to an invalid or wildcard subject
 * is refused to every client, pedantic or not, verbs end at a space, and the
 * bounds below are lower.
 * Net: one listening address. No environment, files or processes.
 *
 * @see https://docs.nats.io/reference/reference-protocols/nats-protocol
 * @module
 */
const VERSION = "2.9.10"; // Of the nats-server that the tests compare with.
const LINE_BYTES_MAX = 4096; // One operation, without payload and line end.
const PAYLOAD_BYTES_MAX = 1024 * 1024;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024; // Waiting for one client to read.
const SUBSCRIPTIONS_MAX = 10_000; // Of one client.
const CLIENTS_MAX = 256;
const PINGS_UNANSWERED_MAX = 2;
const PING_INTERVAL_MS = 120_000;
const LINGER_MS = 2_000; // For a dismissed client to read the reason.

const LF = 0x0a;
const CRLF_BYTES = 2;
/** What nats-server assumes before CONNECT, and for what CONNECT leaves out. */
const CONNECT_DEFAULTS = {
  verbose: true,
  pedantic: true,
  echo: true,
  headers: false,
  no_responders: false,
};

/** Where an embedded NATS server listens and what it asks of clients. */
export interface NatsServerOptions {
  /** Address to listen on, by default 127.0.0.1. */
  readonly hostname?: string;
  /** Port to listen on, by default a free one. */
  readonly port?: number;
  /** Token that CONNECT must carry, by default none. */
  readonly token?: string;
  /** Largest message with its headers, by default 1 MiB, at most 16 MiB. */
  readonly payloadBytesMax?: number;
  /** Time between two PINGs to a client, by default 2 minutes. */
  readonly pingIntervalMs?: number;
}

/** A running embedded NATS server. */
export interface NatsServer extends AsyncDisposable {
  /** Where clients connect, as `nats://127.0.0.1:4222`; holds no token. */
  readonly url: string;
  /** The address it listens on. */
  readonly hostname: string;
  /** The port it listens on. */
  readonly port: number;
  /** Counts the connected clients. */
  connections(): number;
  /** Cuts every client's socket without a word and goes on listening. */
  disconnectAll(): void;
  /** Cuts every client, stops listening and frees the port. */
  stop(): Promise<void>;
}

/**
 * Starts a NATS server inside this process.
 *
 * @param options By default a free port of 127.0.0.1, without a token.
 * @returns The server, accepting connections; stop or dispose of it.
 * @throws {RangeError} If `payloadBytesMax` is over 16 MiB, more than a client
 * may leave unread.
 * @throws {Deno.errors.AddrInUse} If the port is taken.
 */
// deno-lint-ignore require-await -- A port that is taken should reject.
export async function startNatsServer(
  options: NatsServerOptions = {},
): Promise<NatsServer> {
  const { hostname = "127.0.0.1", token } = options;
  const { payloadBytesMax = PAYLOAD_BYTES_MAX } = options;
  if (payloadBytesMax > OUTPUT_BYTES_MAX) {
    throw new RangeError(
      `Cannot start NATS server: got payloadBytesMax ${payloadBytesMax}, expected at most ${OUTPUT_BYTES_MAX}`,
    );
  }
  const listener = Deno.listen({ hostname, port: options.port ?? 0 });
  const { port } = listener.addr;
  const clients = new Set<Client>(); // Without those that were dismissed.
  const sockets = new Map<Client, Promise<void>>();
  const info = {
    server_id: `DEVCORE${crypto.randomUUID().replaceAll("-", "")}`,
    server_name: "devcore",
    version: VERSION,
    proto: 1,
    host: hostname,
    port,
    headers: true,
    max_payload: payloadBytesMax,
    ...(token !== undefined && { auth_required: true }),
  };

  async function accept(): Promise<void> {
    for await (const socket of listener) {
      try {
        socket.setNoDelay(true); // Else a reply may wait 40 ms for the last.
      } catch { // It has gone, which not every system minds: read() will tell.
      }
      const client = new Client(socket, { clients, token, payloadBytesMax });
      client.send(`INFO ${JSON.stringify(info)}\r\n`);
      clients.add(client);
      if (clients.size > CLIENTS_MAX) {
        client.dismiss("maximum connections exceeded");
      }
      const serving = client.serve().finally(() => sockets.delete(client));
      sockets.set(client, serving);
    }
  }

  function disconnectAll(): void {
    for (const client of sockets.keys()) client.close();
  }

  const accepting = accept();
  const pinging = setInterval(() => {
    for (const client of clients) client.ping();
  }, options.pingIntervalMs ?? PING_INTERVAL_MS);
  let stopped = false;

  async function stop(): Promise<void> {
    clearInterval(pinging);
    if (!stopped) listener.close();
    stopped = true;
    await accepting;
    disconnectAll();
    await Promise.all(sockets.values());
  }

  return {
    url: `nats://${hostname}:${port}`,
    hostname,
    port,
    connections: () => clients.size,
    disconnectAll,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** What a client needs to know of its server. */
interface ServerView {
  readonly clients: Set<Client>;
  readonly token: string | undefined;
  readonly payloadBytesMax: number;
}

/** One client's interest in the subjects that match a pattern. */
interface Subscription {
  readonly client: Client;
  readonly id: string;
  readonly tokens: readonly string[];
  readonly queue: string | undefined;
  delivered: number;
  /** Ends the subscription once so many messages have been delivered. */
  deliveredMax: number;
}

/** A message; while it arrives, `content` is still filling up. */
interface Message {
  readonly subject: string;
  readonly reply: string | undefined;
  /** Length of the headers that `content` starts with, 0 for none. */
  readonly headerBytes: number;
  /** Headers, payload and the line end behind them. */
  readonly content: Uint8Array;
}

/** One client: its socket, its parser, its subscriptions, its output. */
class Client {
  readonly subscriptions = new Map<string, Subscription>();
  options = CONNECT_DEFAULTS;
  readonly #socket: Deno.TcpConn;
  readonly #server: ServerView;
  readonly #line = new Uint8Array(LINE_BYTES_MAX + CRLF_BYTES);
  #lineBytes = 0;
  #message: Message | undefined;
  #messageBytes = 0;
  #authorized: boolean;
  #output: Uint8Array[] = [];
  #outputBytes = 0;
  #flushing: Promise<void> | undefined;
  #pingsUnanswered = 0;
  #dismissed = false;
  #lingering: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(socket: Deno.TcpConn, server: ServerView) {
    this.#socket = socket;
    this.#server = server;
    this.#authorized = server.token === undefined;
  }

  /** Reads until the client leaves, then closes the socket. */
  async serve(): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    for (;;) {
      // A reset, like our own close(), is an end as any other.
      const length = await this.#socket.read(buffer).catch(() => null);
      if (length === null) break;
      // What a dismissed client sends is read too, and dropped: a socket
      // closed with bytes unread is reset, and the reason might be lost.
      this.#take(buffer.subarray(0, length));
    }
    this.dismiss();
    await this.#flushing;
    this.close();
  }

  /** Sends a PING, or dismisses a client that owes too many answers. */
  ping(): void {
    if (this.#pingsUnanswered++ < PINGS_UNANSWERED_MAX) this.send("PING\r\n");
    else this.dismiss("Stale Connection");
  }

  /** Queues output, or dismisses a client that leaves too much unread. */
  send(line: string, content: Uint8Array = new Uint8Array()): void {
    if (this.#dismissed) return;
    this.#output.push(bytes(line), content);
    this.#outputBytes += line.length + content.length;
    if (this.#outputBytes > OUTPUT_BYTES_MAX) {
      this.#output = []; // What is being written stays whole.
      this.dismiss("Slow Consumer");
    }
    this.#flushing ??= this.#flush();
  }

  /** Stops hearing the client, sends what is queued and the error, closes. */
  dismiss(error?: string): void {
    if (this.#dismissed) return;
    if (error !== undefined) this.#output.push(bytes(`-ERR '${error}'\r\n`));
    this.#dismissed = true;
    this.#server.clients.delete(this);
    this.#lingering = setTimeout(() => this.close(), LINGER_MS);
    this.#flushing ??= this.#flush();
  }

  /** Cuts the socket at once. */
  close(): void {
    if (this.#closed) return;
    this.#closed = this.#dismissed = true;
    this.#server.clients.delete(this);
    clearTimeout(this.#lingering);
    this.#socket.close();
  }

  async #flush(): Promise<void> {
    await Promise.resolve(); // Gathers all that one read sets off.
    try {
      while (this.#output.length > 0) {
        const batch = concat(this.#output);
        this.#output = [];
        for (let at = 0; at < batch.length;) {
          at += await this.#socket.write(batch.subarray(at));
        }
        this.#outputBytes -= batch.length;
      }
      if (this.#dismissed) await this.#socket.closeWrite();
    } catch { // The socket is gone, by the client's hand or by ours.
      this.close();
    }
    this.#flushing = undefined;
  }

  #take(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length && !this.#dismissed;) {
      const rest = chunk.subarray(at);
      at += this.#message === undefined
        ? this.#takeLine(rest)
        : this.#takeContent(this.#message, rest);
    }
  }

  /** Adds to the operation that is arriving; returns the bytes used. */
  #takeLine(chunk: Uint8Array): number {
    const newline = chunk.indexOf(LF);
    const piece = newline === -1 ? chunk : chunk.subarray(0, newline);
    const fitting = piece.subarray(0, this.#line.length - this.#lineBytes);
    this.#line.set(fitting, this.#lineBytes);
    this.#lineBytes += fitting.length;
    if (this.#lineBytes === this.#line.length) {
      this.dismiss("maximum control line exceeded");
    } else if (newline !== -1) {
      const line = text(this.#line.subarray(0, this.#lineBytes));
      this.#lineBytes = 0;
      // nats-server, too, leaves without a word if arguments make no sense.
      if (!this.#operate(line)) this.dismiss();
    }
    return piece.length + (newline === -1 ? 0 : 1);
  }

  /** Adds to the message that is arriving; returns the bytes used. */
  #takeContent(message: Message, chunk: Uint8Array): number {
    const { content } = message;
    const piece = chunk.subarray(0, content.length - this.#messageBytes);
    content.set(piece, this.#messageBytes);
    this.#messageBytes += piece.length;
    if (this.#messageBytes === content.length) {
      this.#message = undefined;
      if (text(content.subarray(-CRLF_BYTES)) === "\r\n") {
        this.#publish(message);
      } else this.dismiss("Unknown Protocol Operation");
    }
    return piece.length;
  }

  /** Does what a line asks for; false if its arguments make no sense. */
  #operate(line: string): boolean {
    const [name = "", ...args] = line.replace(/[ \t\r]+$/, "").split(
      /[ \t\r]+/,
    );
    const verb = name.toUpperCase();
    if (!this.#authorized && verb !== "CONNECT") {
      this.dismiss("Authorization Violation");
    } else if (verb === "CONNECT") {
      return this.#connect(line.slice(verb.length));
    } else if (verb === "PING") {
      this.send("PONG\r\n");
    } else if (verb === "PONG") {
      this.#pingsUnanswered = 0;
    } else if (verb === "SUB" && args.length > 0) {
      return this.#subscribe(args);
    } else if (verb === "UNSUB" && args.length > 0) {
      return this.#unsubscribe(args);
    } else if (verb === "PUB" && args.length > 0) {
      return this.#expect(args.toSpliced(-1, 0, "0")); // No header bytes.
    } else if (verb === "HPUB" && args.length > 0) {
      return this.options.headers && this.#expect(args);
    } else if (verb === "-ERR") {
      this.dismiss();
    } else if (verb !== "+OK" && verb !== "INFO") {
      this.dismiss("Unknown Protocol Operation");
    }
    return true;
  }

  #connect(json: string): boolean {
    let given: unknown;
    try {
      given = JSON.parse(new TextDecoder().decode(bytes(json)));
    } catch {
      return false;
    }
    if (typeof given !== "object" || Array.isArray(given)) return false;
    const fields: Record<string, unknown> = { ...given };
    const options = { ...CONNECT_DEFAULTS };
    for (const name of Object.keys(options) as (keyof typeof options)[]) {
      const value = fields[name] ?? options[name];
      if (typeof value !== "boolean") return false;
      options[name] = value;
    }
    const { token } = this.#server;
    if (token !== undefined && fields.auth_token !== token) {
      this.dismiss("Authorization Violation");
    } else if (options.no_responders && !options.headers) {
      this.dismiss("no responders requires headers support");
    } else {
      this.#authorized = true;
      this.options = options;
      this.#confirm();
    }
    return true;
  }

  #subscribe(args: string[]): boolean {
    if (args.length < 2 || args.length > 3) return false;
    const [subject = "", queue, id = queue ?? ""] = args;
    const tokens = subject.split(".");
    if (!isSubject(tokens)) {
      this.#complain("Invalid Subject");
    } else if (this.subscriptions.size >= SUBSCRIPTIONS_MAX) {
      this.#complain("maximum subscriptions exceeded");
    } else {
      if (!this.subscriptions.has(id)) {
        this.subscriptions.set(id, {
          client: this,
          id,
          tokens,
          queue: args.length === 3 ? queue : undefined,
          delivered: 0,
          deliveredMax: Infinity,
        });
      }
      this.#confirm();
    }
    return true;
  }

  #unsubscribe(args: string[]): boolean {
    if (args.length > 2) return false;
    const [id = "", max = "0"] = args;
    const subscription = this.subscriptions.get(id);
    if (subscription !== undefined) {
      subscription.deliveredMax = count(max) ?? 0;
      if (subscription.delivered >= subscription.deliveredMax) {
        this.subscriptions.delete(id);
      }
    }
    this.#confirm();
    return true;
  }

  /** Makes room for a message: subject, reply if any, header bytes, bytes. */
  #expect(args: string[]): boolean {
    const [headerBytes, totalBytes] = args.slice(-2).map(count);
    const [subject, reply, ...more] = args.slice(0, -2);
    if (subject === undefined || more.length > 0) return false;
    if (headerBytes === undefined || totalBytes === undefined) return false;
    if (headerBytes > totalBytes) return false;
    if (totalBytes > this.#server.payloadBytesMax) {
      this.dismiss("Maximum Payload Violation");
      return true;
    }
    if (!isLiteral(subject)) this.#complain("Invalid Publish Subject");
    const content = new Uint8Array(totalBytes + CRLF_BYTES);
    this.#message = { subject, reply, headerBytes, content };
    this.#messageBytes = 0;
    return true;
  }

  #publish(message: Message): void {
    this.#confirm();
    const { subject, reply } = message;
    const receivers = isLiteral(subject) ? this.#choose(subject) : [];
    for (const subscription of receivers) {
      const { client, id } = subscription;
      client.#sendMessage(id, message);
      if (++subscription.delivered >= subscription.deliveredMax) {
        client.subscriptions.delete(id);
      }
    }
    if (receivers.length > 0 || reply === undefined) return;
    if (this.options.no_responders) this.#answerNoResponders(reply);
  }

  /** Lists who gets a message: all without a queue, one of each queue. */
  #choose(subject: string): Subscription[] {
    const tokens = subject.split(".");
    const chosen: Subscription[] = [];
    // By name alone: as in nats-server, subscriptions to different patterns
    // are one group if they name the same queue.
    const groups = new Map<string, Subscription[]>();
    for (const client of this.#server.clients) {
      if (client === this && !this.options.echo) continue;
      for (const subscription of client.subscriptions.values()) {
        if (!matches(subscription.tokens, tokens)) continue;
        const { queue } = subscription;
        const group = queue === undefined ? chosen : groups.get(queue) ?? [];
        group.push(subscription);
        if (queue !== undefined) groups.set(queue, group);
      }
    }
    for (const group of groups.values()) {
      chosen.push(...group.splice(Math.random() * group.length, 1));
    }
    return chosen;
  }

  /** Tells a requester, on its own reply subject, that nobody listens. */
  #answerNoResponders(subject: string): void {
    const tokens = subject.split(".");
    const asker = this.subscriptions.values().find((subscription) =>
      subscription.queue === undefined && matches(subscription.tokens, tokens)
    );
    const content = bytes("NATS/1.0 503\r\n\r\n\r\n");
    const headerBytes = content.length - CRLF_BYTES;
    const message = { subject, reply: undefined, headerBytes, content };
    if (asker !== undefined) this.#sendMessage(asker.id, message);
  }

  /** Sends HMSG, or MSG if there are no headers or the client knows none. */
  #sendMessage(id: string, message: Message): void {
    const { subject, reply, headerBytes, content } = message;
    const start = [subject, id, ...(reply === undefined ? [] : [reply])];
    const total = content.length - CRLF_BYTES;
    if (headerBytes > 0 && this.options.headers) {
      const line = ["HMSG", ...start, headerBytes, total].join(" ");
      this.send(`${line}\r\n`, content);
    } else {
      const line = ["MSG", ...start, total - headerBytes].join(" ");
      this.send(`${line}\r\n`, content.subarray(headerBytes));
    }
  }

  #confirm(): void {
    if (this.options.verbose) this.send("+OK\r\n");
  }

  #complain(error: string): void {
    this.send(`-ERR '${error}'\r\n`);
  }
}

/** Tells whether tokens make a pattern: none empty, `>` only as the last. */
function isSubject(tokens: readonly string[]): boolean {
  return tokens.every((token, index) =>
    token !== "" && (token !== ">" || index === tokens.length - 1)
  );
}

/** Tells whether a subject can be published to. */
function isLiteral(subject: string): boolean {
  const tokens = subject.split(".");
  return !tokens.some((token) => ["", "*", ">"].includes(token));
}

/** `*` stands for one token, a last `>` for one or more. */
function matches(
  pattern: readonly string[],
  subject: readonly string[],
): boolean {
  const open = pattern.at(-1) === ">";
  if (
    open ? subject.length < pattern.length : subject.length !== pattern.length
  ) {
    return false;
  }
  return pattern.every((token, index) =>
    token === "*" || token === subject[index] ||
    (open && index === pattern.length - 1)
  );
}

/** Reads a length of at most nine digits, as nats-server does. */
function count(digits: string): number | undefined {
  return /^\d{1,9}$/.test(digits) ? Number(digits) : undefined;
}

// One character a byte, so that subjects pass unchanged in any encoding.
function text(line: Uint8Array): string {
  return String.fromCharCode(...line);
}

function bytes(line: string): Uint8Array {
  const codes = new Uint8Array(line.length);
  for (let at = 0; at < line.length; at++) codes[at] = line.charCodeAt(at);
  return codes;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
