/**
 * A small Redis for demos and tests: one database in memory, on loopback.
 *
 * Speaks RESP2 and knows the commands that the pack uses, in the words of
 * Redis 7.0; any other is an error with its name. It is stricter than Redis:
 * no inline commands, database 0 only, no options beyond those below, lower
 * bounds. A test can let a command fail, lose its reply or never run.
 * Net: one listening address. No environment, files or processes.
 *
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/
 * @module
 */
const VERSION = "7.0.15"; // Of the redis-server that the tests compare with.
const BULK_BYTES_MAX = 64 * 1024 * 1024;
const COMMAND_BYTES_MAX = 2 * BULK_BYTES_MAX;
const ARGUMENTS_MAX = 1_000_000;
const LENGTH_CHARACTERS_MAX = 32; // Of a line such as `*3`.
const CLIENTS_MAX = 256;
const REPLIES_BYTES_MAX = 1024 * 1024; // Then they are sent before going on.
const SHOWN_BYTES_MAX = 128; // Of a name or argument in an error, as in Redis.
const LINGER_MS = 2_000; // For a dismissed client to read the reason.

const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;
const ENCODER = new TextEncoder();
const UTF8 = new TextDecoder();
const LATIN1 = new TextDecoder("latin1");
const EMPTY = new Uint8Array();
const CRLF = bytes("\r\n");
const LF = 0x0a;
const [STAR, ANY, OPEN, CLOSE, NOT, TO, ESCAPE] = bytes("*?[]^-\\");
const INFO =
  `# Server\r\nredis_version:${VERSION}\r\nredis_mode:standalone\r\n` +
  "\r\n# Persistence\r\nloading:0\r\naof_enabled:0\r\n";
const SETTINGS = { appendonly: "no", save: "" };

/**
 * A fault put in a command's way: an error in place of its reply, such as
 * `OOM command not allowed`; the socket cut after it ran; or cut before.
 */
export type Interception = { error: string } | "lose reply" | "disconnect";

/** Where an embedded Redis listens and how it behaves. */
export interface RedisServerOptions {
  /** Address to listen on, by default 127.0.0.1. */
  readonly hostname?: string;
  /** Port to listen on, by default a free one. */
  readonly port?: number;
  /** Password of the user `default`, by default none. */
  readonly password?: string;
  /** Tells the time in ms since 1970, by default the system's. */
  readonly clock?: () => number;
  /** Sees every command, its name in capitals, before it runs. */
  readonly intercept?: (
    command: string,
    args: readonly Uint8Array[],
  ) => Interception | undefined;
}

/** A running embedded Redis. */
export interface RedisServer extends AsyncDisposable {
  /** Where clients connect, as `redis://127.0.0.1:6379`; holds no password. */
  readonly url: string;
  /** The address it listens on. */
  readonly hostname: string;
  /** The port it listens on. */
  readonly port: number;
  /** How often all data was lost: by FLUSHALL, FLUSHDB or flushAll(). */
  readonly flushed: number;
  /** Called whenever all data was lost. */
  onFlush?: () => void;
  /** Loses all data. */
  flushAll(): void;
  /** Lists the keys as UTF-8, oldest first. */
  keys(): string[];
  /** Cuts every client's socket without a word and goes on listening. */
  disconnectAll(): void;
  /** Cuts every client, stops listening and frees the port. */
  stop(): Promise<void>;
}

/**
 * Starts a Redis inside this process.
 *
 * @param options By default a free port of 127.0.0.1, without a password.
 * @returns The server, accepting connections; stop or dispose of it.
 * @throws {Deno.errors.AddrInUse} If the port is taken.
 */
// deno-lint-ignore require-await -- A port that is taken should reject.
export async function startRedisServer(
  options: RedisServerOptions = {},
): Promise<RedisServer> {
  const { hostname = "127.0.0.1" } = options;
  const listener = Deno.listen({ hostname, port: options.port ?? 0 });
  const { port } = listener.addr;
  const clients = new Map<Client, Promise<void>>();
  const data = new Database(options.clock ?? Date.now);
  const accepting = accept();
  let flushed = 0;
  let stopped = false;

  async function accept(): Promise<void> {
    let id = 0;
    for await (const socket of listener) {
      try {
        socket.setNoDelay(true); // Else a reply may wait 40 ms for the last.
      } catch { // It has gone, which not every system minds: read() will tell.
      }
      const client = new Client(socket, { id: ++id, data, options, flushAll });
      const full = clients.size >= CLIENTS_MAX;
      const serving = client.serve(full).finally(() => clients.delete(client));
      clients.set(client, serving);
    }
  }

  function flushAll(): void {
    data.clear();
    flushed++;
    server.onFlush?.();
  }

  function disconnectAll(): void {
    for (const client of clients.keys()) client.close();
  }

  async function stop(): Promise<void> {
    if (!stopped) listener.close();
    stopped = true;
    await accepting;
    disconnectAll();
    await Promise.all(clients.values());
  }

  const server: RedisServer = {
    url: `redis://${hostname}:${port}`,
    hostname,
    port,
    get flushed() {
      return flushed;
    },
    flushAll,
    keys: () => data.entries().map(({ key }) => text(key)),
    disconnectAll,
    stop,
    [Symbol.asyncDispose]: stop,
  };
  return server;
}

type Value = Uint8Array | Uint8Array[];

interface Entry {
  readonly key: Uint8Array;
  /** Rises from key to key as they are created. */
  readonly age: number;
  value: Value;
  /** The last moment at which it lives. */
  expiresAtMs: number;
}

/** Keys and values. A key past its time goes when it is next met. */
class Database {
  readonly now: () => number;
  readonly #entries = new Map<string, Entry>();
  #ages = 0;

  constructor(now: () => number) {
    this.now = now;
  }

  find(key: Uint8Array): Entry | undefined {
    const entry = this.#entries.get(latin1(key));
    if (entry === undefined || this.now() <= entry.expiresAtMs) return entry;
    this.#entries.delete(latin1(key));
    return undefined;
  }

  /** Lists what lives, oldest first: a Map keeps the order of creation. */
  entries(): Entry[] {
    for (const [name, { expiresAtMs }] of this.#entries) {
      if (this.now() > expiresAtMs) this.#entries.delete(name);
    }
    return [...this.#entries.values()];
  }

  set(key: Uint8Array, value: Value, expiresAtMs: number): void {
    const age = this.find(key)?.age ?? ++this.#ages;
    this.#entries.set(latin1(key), { key, age, value, expiresAtMs });
  }

  remove(key: Uint8Array): boolean {
    return this.find(key) !== undefined && this.#entries.delete(latin1(key));
  }

  clear(): void {
    this.#entries.clear();
  }

  /**
   * Meets a few keys, younger before older, and tells where to go on. Whoever
   * is there from the first call to the last is met, whatever else goes; and
   * there is a last call, since what comes is younger than every cursor. A
   * call looks at all keys, which is fine for thousands.
   *
   * @param cursor The age to go on from; 0 is both the start and the end.
   */
  scan(cursor: number, count: number): [number, Entry[]] {
    const ahead = this.entries().toReversed()
      .filter(({ age }) => cursor === 0 || age <= cursor);
    return [ahead[count]?.age ?? 0, ahead.slice(0, count)];
  }
}

/** An error reply; the text starts with its code. */
class ReplyError extends Error {}

/** Bytes that are no command: the last reply on a connection. */
class ProtocolError extends Error {}

/** The client has gone or is to be cut off. */
class GoneError extends Error {}

/** What a client needs to know of its server. */
interface ServerView {
  readonly id: number;
  readonly data: Database;
  readonly options: RedisServerOptions;
  flushAll(): void;
}

/** One connection: reads commands, runs them, sends replies. */
class Client {
  readonly server: ServerView;
  authenticated: boolean;
  name: Uint8Array = EMPTY;
  /** Whether it said QUIT: nothing more is heard. */
  leaving = false;
  readonly #socket: Deno.TcpConn;
  readonly #buffer = new Uint8Array(64 * 1024);
  #unread: Uint8Array = EMPTY;
  #replies: Uint8Array[] = [];
  #repliesBytes = 0;
  #closed = false;

  constructor(socket: Deno.TcpConn, server: ServerView) {
    this.#socket = socket;
    this.server = server;
    this.authenticated = server.options.password === undefined;
  }

  /** Answers commands until the client leaves, then closes the socket. */
  async serve(full: boolean): Promise<void> {
    try {
      if (full) {
        this.#reply(new ReplyError("ERR max number of clients reached"));
        this.leaving = true;
      }
      while (!this.leaving) await this.#answer(await this.#readCommand());
      await this.#dismiss();
    } catch (error) {
      if (error instanceof ProtocolError) {
        this.#reply(new ReplyError(`ERR Protocol error: ${error.message}`));
        await this.#dismiss();
      } else if (!(error instanceof GoneError)) {
        throw error;
      }
    } finally {
      this.close();
    }
  }

  /** Cuts the socket at once. */
  close(): void {
    if (!this.#closed) this.#socket.close();
    this.#closed = true;
  }

  async #answer([verb = EMPTY, ...args]: Uint8Array[]): Promise<void> {
    const fault = this.server.options.intercept?.(upper(verb), args);
    let reply: Reply = null;
    if (typeof fault === "object") reply = new ReplyError(fault.error);
    else if (fault !== "disconnect") reply = run(this, verb, args);
    const cut = fault === "disconnect" || fault === "lose reply";
    if (!cut) this.#reply(reply);
    // Earlier commands of the same pipeline keep their replies.
    if (cut || this.#repliesBytes > REPLIES_BYTES_MAX) await this.#flush();
    if (cut) throw new GoneError();
  }

  #reply(reply: Reply): void {
    const encoded = concat(encode(reply));
    this.#replies.push(encoded);
    this.#repliesBytes += encoded.length;
  }

  /** Sends all replies, no faster than the client reads them. */
  async #flush(): Promise<void> {
    const block = concat(this.#replies);
    this.#replies = [];
    this.#repliesBytes = 0;
    for (let at = 0; at < block.length;) {
      at += await this.#socket.write(block.subarray(at)).catch(leave);
    }
  }

  /** Sends the last replies and gives the client time to read them. */
  async #dismiss(): Promise<void> {
    const timer = setTimeout(() => this.close(), LINGER_MS);
    try {
      await this.#flush();
      await this.#socket.closeWrite().catch(leave);
      // A socket closed with bytes unread is reset: the reply might be lost.
      for (;;) await this.#read();
    } catch (error) {
      if (!(error instanceof GoneError)) throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #readCommand(): Promise<Uint8Array[]> {
    let count = 0; // None or fewer are no command at all.
    while (count <= 0) count = await this.#readLength("*", ARGUMENTS_MAX);
    const command: Uint8Array[] = [];
    let bytesLeft = COMMAND_BYTES_MAX;
    while (command.length < count) {
      const max = Math.min(bytesLeft, BULK_BYTES_MAX);
      const length = await this.#readLength("$", max);
      const bulk = await this.#readBytes(length + CRLF.length);
      if (bulk[length] !== CRLF[0] || bulk[length + 1] !== CRLF[1]) {
        throw new ProtocolError("expected end of bulk");
      }
      command.push(bulk.subarray(0, length));
      bytesLeft -= length;
    }
    return command;
  }

  /** Reads a line such as `*3`, a count of arguments, or `$5`, of bytes. */
  async #readLength(sign: "*" | "$", max: number): Promise<number> {
    let line = "";
    while (!line.endsWith("\n") && line.length < LENGTH_CHARACTERS_MAX) {
      if (this.#unread.length === 0) await this.#fill();
      const end = this.#unread.indexOf(LF) + 1 || this.#unread.length;
      const piece = this.#take(Math.min(end, LENGTH_CHARACTERS_MAX));
      line += String.fromCharCode(...piece);
      if (!line.startsWith(sign)) {
        const got = line.charAt(0);
        throw new ProtocolError(`expected '${sign}', got '${got}'`);
      }
    }
    const length = Number(/^.(0|-?[1-9]\d*)\r\n$/.exec(line)?.[1] ?? Infinity);
    if (length > max || (length < 0 && sign === "$")) {
      const what = sign === "*" ? "multibulk" : "bulk";
      throw new ProtocolError(`invalid ${what} length`);
    }
    return length;
  }

  async #readBytes(length: number): Promise<Uint8Array> {
    const whole = new Uint8Array(length);
    for (let filled = 0; filled < length;) {
      if (this.#unread.length === 0) await this.#fill();
      const piece = this.#take(length - filled);
      whole.set(piece, filled);
      filled += piece.length;
    }
    return whole;
  }

  #take(bytesMax: number): Uint8Array {
    const piece = this.#unread.subarray(0, bytesMax);
    this.#unread = this.#unread.subarray(piece.length);
    return piece;
  }

  async #fill(): Promise<void> {
    await this.#flush(); // Nothing is left to answer: the client may wait.
    this.#unread = await this.#read();
  }

  async #read(): Promise<Uint8Array> {
    const length = await this.#socket.read(this.#buffer).catch(leave);
    return this.#buffer.subarray(0, length ?? leave());
  }
}

/** A reset, like our own close(), is an end as any other. */
function leave(): never {
  throw new GoneError();
}

/** A status, an integer, a bulk string, nothing, a list, or an error. */
type Reply = string | number | Uint8Array | null | Reply[] | ReplyError;

/** As if three were always there: a command's bounds say how many are. */
type Args = [Uint8Array, Uint8Array, Uint8Array, ...Uint8Array[]];

/** Least and most arguments, and what to do with them. */
type Command = [number, number, (client: Client, args: Args) => Reply];

const COMMANDS = new Map(Object.entries<Command>({
  AUTH: [1, Infinity, authenticate],
  CLIENT: [1, 0, () => null], // No call fits: it takes a subcommand, as in
  "CLIENT GETNAME": [0, 0, ({ name }) => name.length > 0 ? name : null],
  "CLIENT ID": [0, 0, ({ server }) => server.id],
  "CLIENT SETINFO": [2, 2, () => "OK"],
  "CLIENT SETNAME": [1, 1, setName],
  CONFIG: [1, 0, () => null],
  "CONFIG GET": [1, Infinity, getSettings],
  DBSIZE: [0, 0, ({ server }) => server.data.entries().length],
  DEL: [
    1,
    Infinity,
    ({ server: { data } }, keys) =>
      keys.filter((key) => data.remove(key)).length,
  ],
  ECHO: [1, 1, (_, [message]) => message],
  EXISTS: [
    1,
    Infinity,
    ({ server: { data } }, keys) => keys.filter((key) => data.find(key)).length,
  ],
  EXPIRE: [2, Infinity, (client, args) => expire(client, args, "expire")],
  FLUSHALL: [0, Infinity, flush],
  FLUSHDB: [0, Infinity, flush],
  GET: [1, 1, (client, [key]) => readString(client, key) ?? null],
  GETRANGE: [3, 3, getRange],
  INFO: [0, Infinity, () => bytes(INFO)],
  LLEN: [1, 1, (client, [key]) => readList(client, key).length],
  LRANGE: [3, 3, listRange],
  PEXPIRE: [2, Infinity, (client, args) => expire(client, args, "pexpire")],
  PING: [0, 1, (_, args) => args.length === 0 ? "PONG" : args[0]],
  PTTL: [1, 1, (client, [key]) => timeLeft(client, key, 1)],
  QUIT: [0, Infinity, quit],
  RPUSH: [2, Infinity, append],
  SCAN: [1, Infinity, scan],
  SELECT: [1, 1, select],
  SET: [2, Infinity, set],
  STRLEN: [1, 1, (client, [key]) => readString(client, key)?.length ?? 0],
  TTL: [1, 1, (client, [key]) => timeLeft(client, key, 1000)],
  TYPE: [1, 1, ({ server }, [key]) => typeOf(server.data.find(key)?.value)],
}));

function run(client: Client, verb: Uint8Array, args: Uint8Array[]): Reply {
  try {
    const [name, known, rest] = recognize(verb, args);
    const [argsMin, argsMax, perform] = known;
    if (rest.length < argsMin || rest.length > argsMax) {
      const called = name.toLowerCase().replace(" ", "|");
      fail(`ERR wrong number of arguments for '${called}' command`);
    }
    if (!client.authenticated && perform !== authenticate && perform !== quit) {
      fail("NOAUTH Authentication required.");
    }
    return perform(client, rest as Args);
  } catch (error) {
    if (error instanceof ReplyError) return error;
    throw error;
  }
}

/** Finds a command; a subcommand is taken from the arguments. */
function recognize(
  verb: Uint8Array,
  args: Uint8Array[],
): [string, Command, Uint8Array[]] {
  const name = upper(verb);
  const known = name.includes(" ") ? undefined : COMMANDS.get(name);
  const [first, ...rest] = args;
  if (known === undefined) {
    let start = "";
    for (const arg of args) {
      if (start.length >= SHOWN_BYTES_MAX) break;
      start += `'${shorten(arg, SHOWN_BYTES_MAX - start.length)}' `;
    }
    return fail(
      `ERR unknown command '${
        shorten(verb)
      }', with args beginning with: ${start}`,
    );
  }
  const parent = name === "CLIENT" || name === "CONFIG";
  if (!parent || first === undefined) return [name, known, args];
  const whole = `${name} ${upper(first)}`;
  const child = COMMANDS.get(whole) ??
    fail(`ERR unknown subcommand '${shorten(first)}'. Try ${name} HELP.`);
  return [whole, child, rest];
}

function fail(message: string): never {
  throw new ReplyError(message);
}

function authenticate(client: Client, args: Args): Reply {
  const { password } = client.server.options;
  const [given, user = "default", ...more] = args.map(text).toReversed();
  if (more.length > 0) fail("ERR syntax error");
  if (args.length === 1 && password === undefined) {
    fail(
      "ERR AUTH <password> called without any password configured for the " +
        "default user. Are you sure your configuration is correct?",
    );
  }
  if (user !== "default" || given !== (password ?? given)) {
    fail("WRONGPASS invalid username-password pair or user is disabled.");
  }
  client.authenticated = true;
  return "OK";
}

function setName(client: Client, [name]: Args): Reply {
  if (!/^[!-~]*$/.test(latin1(name))) {
    fail(
      "ERR Client names cannot contain spaces, newlines or special characters.",
    );
  }
  client.name = name;
  return "OK";
}

function getSettings(_: Client, args: Args): Reply {
  const names = args.map((name) => upper(name).toLowerCase());
  return Object.entries(SETTINGS)
    .filter(([name]) => names.includes(name)).flat().map(bytes);
}

function quit(client: Client): Reply {
  client.leaving = true;
  return "OK";
}

function select(_: Client, [index]: Args): Reply {
  return integer(index) === 0n ? "OK" : fail("ERR DB index is out of range");
}

function flush({ server }: Client, modes: Args): Reply {
  const known = modes.every((mode) => ["SYNC", "ASYNC"].includes(upper(mode)));
  if (modes.length > 1 || !known) fail("ERR syntax error");
  server.flushAll();
  return "OK";
}

function typeOf(value: Value | undefined): "none" | "list" | "string" {
  if (value === undefined) return "none";
  return Array.isArray(value) ? "list" : "string";
}

function readString(client: Client, key: Uint8Array): Uint8Array | undefined {
  const value = client.server.data.find(key)?.value;
  return Array.isArray(value) ? failType() : value;
}

function readList(client: Client, key: Uint8Array): Uint8Array[] {
  const value = client.server.data.find(key)?.value ?? [];
  return Array.isArray(value) ? value : failType();
}

function failType(): never {
  fail("WRONGTYPE Operation against a key holding the wrong kind of value");
}

/** Options of a command: does a value follow, and what cannot go with it. */
type Options = Record<string, [boolean, ...string[]]>;

function readOptions(args: Uint8Array[], known: Options) {
  const given = new Map<string, Uint8Array>();
  const left = args.values();
  for (const arg of left) {
    const name = upper(arg);
    const [valued, ...rivals] = known[name] ?? fail("ERR syntax error");
    const value = valued ? left.next().value : EMPTY;
    if (value === undefined || rivals.some((rival) => given.has(rival))) {
      fail("ERR syntax error");
    }
    given.set(name, value);
  }
  return given;
}

function set({ server }: Client, [key, value, ...options]: Args): Reply {
  const { data } = server;
  const given = readOptions(options, {
    NX: [false, "XX"],
    XX: [false, "NX"],
    EX: [true, "EX", "PX", "KEEPTTL"],
    PX: [true, "EX", "PX", "KEEPTTL"],
    KEEPTTL: [false, "EX", "PX"],
  });
  const amount = given.get("EX") ?? given.get("PX");
  let expiresAtMs = Infinity;
  if (amount !== undefined) {
    if (integer(amount) <= 0n) failExpiry("set");
    const lifetimeMs = integer(amount) * (given.has("EX") ? 1000n : 1n);
    expiresAtMs = moment(data.now(), lifetimeMs) ?? failExpiry("set");
  }
  const entry = data.find(key);
  if (given.has(entry === undefined ? "XX" : "NX")) return null;
  const keep = entry !== undefined && given.has("KEEPTTL");
  data.set(key, value, keep ? entry.expiresAtMs : expiresAtMs);
  return "OK";
}

function expire(
  { server: { data } }: Client,
  [key, amount, option]: Args,
  command: "expire" | "pexpire",
): Reply {
  if (option !== undefined) fail(`ERR Unsupported option ${shorten(option)}`);
  const lifetimeMs = integer(amount) * (command === "expire" ? 1000n : 1n);
  const expiresAtMs = moment(data.now(), lifetimeMs) ?? failExpiry(command);
  const entry = data.find(key);
  if (entry === undefined) return 0;
  if (expiresAtMs <= data.now()) data.remove(key);
  else entry.expiresAtMs = expiresAtMs;
  return 1;
}

/** Adds a lifetime to now; undefined if 64 bits of ms do not hold it. */
function moment(nowMs: number, lifetimeMs: bigint): number | undefined {
  const at = BigInt(Math.trunc(nowMs)) + lifetimeMs;
  const fits = lifetimeMs >= -INT64_MAX - 1n && at <= INT64_MAX;
  return fits ? Number(at) : undefined;
}

function failExpiry(command: string): never {
  fail(`ERR invalid expire time in '${command}' command`);
}

function timeLeft({ server }: Client, key: Uint8Array, unitMs: number): Reply {
  const entry = server.data.find(key);
  if (entry === undefined) return -2;
  if (entry.expiresAtMs === Infinity) return -1;
  return Math.round((entry.expiresAtMs - server.data.now()) / unitMs);
}

function getRange(client: Client, [key, first, last]: Args): Reply {
  const [start, end] = [Number(integer(first)), Number(integer(last))];
  const value = readString(client, key) ?? EMPTY;
  if (start < 0 && end < 0 && start > end) return EMPTY;
  // Unlike in LRANGE, an end before the first byte means the first byte.
  const from = start < 0 ? Math.max(0, value.length + start) : start;
  const to = end < 0 ? Math.max(0, value.length + end) : end;
  return value.subarray(from, to + 1);
}

function listRange(client: Client, [key, first, last]: Args): Reply {
  const [start, end] = [Number(integer(first)), Number(integer(last))];
  const list = readList(client, key);
  const from = start < 0 ? Math.max(0, list.length + start) : start;
  const to = end < 0 ? list.length + end : end;
  return to < from ? [] : list.slice(from, to + 1);
}

function append(client: Client, [key, ...items]: Args): Reply {
  const { data } = client.server;
  const list = readList(client, key);
  if (list.length === 0) data.set(key, list, Infinity);
  for (const item of items) list.push(item);
  return list.length;
}

function scan({ server }: Client, [position, ...options]: Args): Reply {
  const cursor = latin1(position);
  if (!/^\d{1,20}$/.test(cursor) || BigInt(cursor) > UINT64_MAX) {
    fail("ERR invalid cursor");
  }
  const known: Options = { MATCH: [true], COUNT: [true], TYPE: [true] };
  const given = readOptions(options, known);
  const count = Number(integer(given.get("COUNT") ?? bytes("10")));
  if (count < 1) fail("ERR syntax error");
  const pattern = given.get("MATCH") ?? bytes("*");
  const type = given.get("TYPE");
  const [next, met] = server.data.scan(Number(cursor), count);
  const fitting = met.filter(({ key, value }) =>
    globMatches(pattern, key) &&
    (type === undefined || typeOf(value).toUpperCase() === upper(type))
  );
  return [bytes(`${next}`), fitting.map(({ key }) => key)];
}

/** Reads a 64-bit integer, spelled as Redis would spell it. */
function integer(digits: Uint8Array): bigint {
  const spelled = /^(0|-?[1-9]\d{0,18})$/.test(latin1(digits));
  const value = spelled ? BigInt(latin1(digits)) : INT64_MAX + 1n;
  if (value <= INT64_MAX && value >= -INT64_MAX - 1n) return value;
  return fail("ERR value is not an integer or out of range");
}

/** Matches a glob of Redis; takes at most the product of both lengths. */
function globMatches(pattern: Uint8Array, subject: Uint8Array): boolean {
  let [at, index] = [0, 0];
  let [retryAt, retryIndex] = [-1, 0]; // Behind the last star: try more there.
  while (index < subject.length) {
    const next = matchByte(pattern, at, subject[index] ?? 0);
    if (pattern[at] === STAR) {
      [retryAt, retryIndex] = [++at, index];
    } else if (next !== undefined) {
      [at, index] = [next, index + 1];
    } else if (retryAt >= 0) {
      [at, index] = [retryAt, ++retryIndex];
    } else {
      return false;
    }
  }
  while (pattern[at] === STAR) at++;
  return at === pattern.length;
}

/** Matches `?`, `[a-z]`, `[^a]`, `\*` or a byte; returns the place behind. */
function matchByte(
  pattern: Uint8Array,
  at: number,
  byte: number,
): number | undefined {
  const [first, second] = pattern.subarray(at, at + 2);
  if (first === ESCAPE && second !== undefined) {
    return second === byte ? at + 2 : undefined;
  }
  if (first !== OPEN) {
    return first === ANY || first === byte ? at + 1 : undefined;
  }
  const negated = second === NOT;
  let found = false;
  let place = at + (negated ? 2 : 1);
  while (place < pattern.length && pattern[place] !== CLOSE) {
    let [low = 0, next, high] = pattern.subarray(place, place + 3);
    if (low === ESCAPE && next !== undefined) {
      [low, high] = [next, next];
      place += 2;
    } else if (next === TO && high !== undefined) {
      place += 3;
    } else {
      high = low;
      place += 1;
    }
    found ||= Math.min(low, high) <= byte && byte <= Math.max(low, high);
  }
  // Redis takes a class that is never closed to end with the pattern.
  if (found === negated) return undefined;
  return Math.min(place + 1, pattern.length);
}

/** Writes a reply in RESP2, in pieces. */
function encode(reply: Reply): Uint8Array[] {
  if (typeof reply === "string") return [bytes(`+${reply}\r\n`)];
  if (typeof reply === "number") return [bytes(`:${reply}\r\n`)];
  if (reply === null) return [bytes("$-1\r\n")];
  if (reply instanceof ReplyError) {
    return [bytes(`-${reply.message.replace(/[\r\n]/g, " ")}\r\n`)];
  }
  const head = [
    bytes(`${Array.isArray(reply) ? "*" : "$"}${reply.length}\r\n`),
  ];
  return Array.isArray(reply)
    ? head.concat(reply.flatMap(encode))
    : head.concat(reply, CRLF);
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(
    pieces.reduce((sum, piece) => sum + piece.length, 0),
  );
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function bytes(characters: string): Uint8Array {
  return ENCODER.encode(characters);
}

function text(utf8: Uint8Array): string {
  return UTF8.decode(utf8);
}

/** Reads any bytes: each has a character of its own, so no two texts agree. */
function latin1(binary: Uint8Array): string {
  return LATIN1.decode(binary);
}

function upper(word: Uint8Array): string {
  return latin1(word).toUpperCase();
}

/** What an error shows of an argument. */
function shorten(argument: Uint8Array, bytesMax = SHOWN_BYTES_MAX): string {
  return text(argument.subarray(0, bytesMax));
}
