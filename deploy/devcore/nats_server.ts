/**
 * A small NATS server for demos and tests: the core protocol, on loopback.
 *
 * Serves CONNECT, PING, SUB, UNSUB, PUB and HPUB with queue groups, wildcards,
 * headers and no-responders, in the words of nats-server 2.9. There is no
 * JetStream: nobody listens on `$JS.API.>`, so such a request gets 503.
 * CONNECT's only options are `verbose`, `no_responders` and `auth_token`; every
 * client is expected to know headers and receives what it publishes. It is
 * stricter than nats-server: a message to an invalid or wildcard subject is
 * always refused, and the bounds below are lower.
 * Net: one port of 127.0.0.1. No environment, files or processes.
 *
 * @see https://docs.nats.io/reference/reference-protocols/nats-protocol
 * @module
 */
import { type Connection, Hangup, listenTcp, type TcpServer } from "./tcp.ts";

const VERSION = "2.9.10"; // Of the nats-server that the tests compare with.
const LINE_BYTES_MAX = 4096; // One operation with its line end, no payload.
const PAYLOAD_BYTES_MAX = 1024 * 1024; // With headers.
const UNSENT_BYTES_MAX = 16 * 1024 * 1024; // Per client.
const SUBSCRIPTIONS_MAX = 10_000; // Per client.
const CRLF = "\r\n";
const NO_RESPONDERS = "NATS/1.0 503\r\n\r\n";

// What may follow a verb, with each run of blanks as one.
const SUB = /^(?<subject>[^ ]+)( (?<queue>[^ ]+))? (?<id>[^ ]+)$/;
const UNSUB = /^(?<id>[^ ]+)( (?<max>\d{1,9}))?$/;
const PUB = /^(?<subject>[^ ]+)( (?<reply>[^ ]+))? (?<bytes>\d{1,9})$/;
const HPUB =
  /^(?<subject>[^ ]+)( (?<reply>[^ ]+))? (?<header>\d{1,9}) (?<bytes>\d{1,9})$/;

interface NatsServerOptions {
  /** By default a free one. */
  readonly port?: number;
  /** The token that CONNECT must carry, by default none. */
  readonly token?: string;
}

export interface NatsServer extends TcpServer {
  /** Where clients connect; holds no token. */
  readonly url: string;
}

/** Starts a NATS server in this process. @throws {Deno.errors.AddrInUse} */
// deno-lint-ignore require-await -- A port that is taken should reject.
export async function startNatsServer(
  { port = 0, token }: NatsServerOptions = {},
): Promise<NatsServer> {
  const clients = new Set<Client>();
  const server = listenTcp(port, async (connection) => {
    const client = new Client(connection, { clients, token });
    connection.send(`INFO ${JSON.stringify(info)}${CRLF}`);
    clients.add(client);
    try {
      for (;;) await client.operate();
    } finally {
      clients.delete(client);
    }
  });
  const info = {
    server_id: `DEVCORE${crypto.randomUUID().replaceAll("-", "")}`,
    server_name: "devcore",
    version: VERSION,
    proto: 1,
    host: "127.0.0.1",
    port: server.port,
    headers: true,
    max_payload: PAYLOAD_BYTES_MAX,
    ...(token !== undefined && { auth_required: true }),
  };
  return { ...server, url: `nats://127.0.0.1:${server.port}` };
}

interface ServerView {
  readonly clients: ReadonlySet<Client>;
  readonly token: string | undefined;
}

/** One client's interest in the subjects that match a pattern. */
interface Subscription {
  readonly client: Client;
  readonly id: string;
  readonly pattern: readonly string[];
  readonly queue: string | undefined;
  delivered: number;
  /** The subscription ends after so many messages. */
  deliveredMax: number;
}

class Client {
  readonly #connection: Connection;
  readonly #server: ServerView;
  readonly #subscriptions = new Map<string, Subscription>();
  #authorized: boolean;
  #verbose = true; // As nats-server assumes until CONNECT says otherwise.
  #noResponders = false;

  constructor(connection: Connection, server: ServerView) {
    this.#connection = connection;
    this.#server = server;
    this.#authorized = server.token === undefined;
  }

  /**
   * Performs the next operation.
   *
   * @throws {Hangup} If the client has left or has to leave.
   */
  async operate(): Promise<void> {
    const line = await this.#connection.readLine(LINE_BYTES_MAX);
    if (!line.endsWith("\n")) throw refusal("maximum control line exceeded");
    const words = line.replace(/[ \t\r\n]+$/, "").split(/[ \t]+/);
    const verb = words.shift()?.toUpperCase();
    const args = words.join(" ");
    if (!this.#authorized && verb !== "CONNECT") {
      throw refusal("Authorization Violation");
    }
    switch (verb) {
      case "CONNECT":
        return this.#connect(args);
      case "PING":
        return this.#send("PONG");
      case "PONG":
        return;
      case "SUB":
        return this.#subscribe(args);
      case "UNSUB":
        return this.#unsubscribe(args);
      case "PUB":
      case "HPUB":
        return await this.#publish(verb, args);
      default:
        throw refusal("Unknown Protocol Operation");
    }
  }

  #connect(args: string): void {
    let options: Record<string, unknown> | null;
    try {
      options = JSON.parse(args);
    } catch {
      throw new Hangup();
    }
    const { token } = this.#server;
    if (token !== undefined && options?.auth_token !== token) {
      throw refusal("Authorization Violation");
    }
    this.#authorized = true;
    this.#verbose = options?.verbose !== false;
    this.#noResponders = options?.no_responders === true;
    this.#confirm();
  }

  #subscribe(args: string): void {
    const { subject = "", queue, id = "" } = parse(args, SUB);
    const pattern = subject.split(".");
    const valid = pattern.every((token, at) =>
      token !== "" && (token !== ">" || at === pattern.length - 1)
    );
    if (!valid) return this.#complain("Invalid Subject");
    if (this.#subscriptions.size >= SUBSCRIPTIONS_MAX) {
      return this.#complain("maximum subscriptions exceeded");
    }
    const counts = { delivered: 0, deliveredMax: Infinity };
    if (!this.#subscriptions.has(id)) { // The first with an id stands.
      const subscription = { client: this, id, pattern, queue, ...counts };
      this.#subscriptions.set(id, subscription);
    }
    this.#confirm();
  }

  #unsubscribe(args: string): void {
    const { id = "", max = "0" } = parse(args, UNSUB);
    const subscription = this.#subscriptions.get(id);
    if (subscription !== undefined) {
      subscription.deliveredMax = Number(max);
      this.#endIfDone(subscription);
    }
    this.#confirm();
  }

  async #publish(verb: "PUB" | "HPUB", args: string): Promise<void> {
    const { subject = "", reply, header = "0", bytes } = parse(
      args,
      verb === "PUB" ? PUB : HPUB,
    );
    const length = Number(bytes);
    if (Number(header) > length) throw new Hangup();
    if (length > PAYLOAD_BYTES_MAX) throw refusal("Maximum Payload Violation");
    const content = await this.#connection.read(length);
    if (await this.#connection.read(CRLF.length) !== CRLF) {
      throw refusal("Unknown Protocol Operation");
    }
    const tokens = subject.split(".");
    const valid = !tokens.some((token) => ["", "*", ">"].includes(token));
    if (!valid) this.#complain("Invalid Publish Subject");
    this.#confirm();
    const receivers = valid ? this.#choose(tokens) : [];
    // All that follows the subject is passed on as it came.
    const message = args.slice(subject.length) + CRLF + content;
    for (const receiver of receivers) {
      const start = `${verb.replace("PUB", "MSG")} ${subject} ${receiver.id}`;
      receiver.client.#deliver(receiver, start + message);
    }
    if (receivers.length === 0 && reply !== undefined && this.#noResponders) {
      this.#answerNoResponders(reply);
    }
  }

  /** Lists who gets a message: all without a queue, one of each queue. */
  #choose(subject: readonly string[]): Subscription[] {
    const chosen: Subscription[] = [];
    // As in nats-server, a queue's name alone makes a group, whatever the
    // patterns.
    const groups = new Map<string, Subscription[]>();
    for (const client of this.#server.clients) {
      for (const subscription of client.#subscriptions.values()) {
        const { pattern, queue } = subscription;
        if (!matches(pattern, subject)) continue;
        if (queue === undefined) chosen.push(subscription);
        else groups.set(queue, [...groups.get(queue) ?? [], subscription]);
      }
    }
    for (const group of groups.values()) {
      chosen.push(...group.splice(Math.random() * group.length, 1));
    }
    return chosen;
  }

  /** Tells a requester, on its own reply subject, that nobody listens. */
  #answerNoResponders(reply: string): void {
    const asker = this.#subscriptions.values().find(({ pattern, queue }) =>
      queue === undefined && matches(pattern, reply.split("."))
    );
    if (asker === undefined) return;
    const { length } = NO_RESPONDERS;
    const start = `HMSG ${reply} ${asker.id} ${length} ${length}`;
    this.#deliver(asker, start + CRLF + NO_RESPONDERS);
  }

  #deliver(subscription: Subscription, message: string): void {
    this.#send(message);
    subscription.delivered++;
    this.#endIfDone(subscription);
  }

  #endIfDone({ id, delivered, deliveredMax }: Subscription): void {
    if (delivered >= deliveredMax) this.#subscriptions.delete(id);
  }

  #confirm(): void {
    if (this.#verbose) this.#send("+OK");
  }

  #complain(error: string): void {
    this.#send(`-ERR '${error}'`);
  }

  #send(text: string): void {
    this.#connection.send(text + CRLF);
    // A slow consumer is cut off without a word, which it would not read.
    if (this.#connection.unsentBytes > UNSENT_BYTES_MAX) {
      this.#connection.close();
    }
  }
}

/** Splits arguments; nonsense ends the connection without a word. */
function parse(
  args: string,
  pattern: RegExp,
): Record<string, string | undefined> {
  const match = pattern.exec(args);
  if (match === null) throw new Hangup();
  return { ...match.groups };
}

function refusal(error: string): Hangup {
  return new Hangup(`-ERR '${error}'${CRLF}`);
}

/** `*` stands for one token, a last `>` for one or more. */
function matches(
  pattern: readonly string[],
  subject: readonly string[],
): boolean {
  const open = pattern.at(-1) === ">";
  const tokens = open ? pattern.slice(0, -1) : pattern;
  const fits = open
    ? subject.length > tokens.length
    : subject.length === tokens.length;
  return fits &&
    tokens.every((token, at) => token === "*" || token === subject[at]);
}
