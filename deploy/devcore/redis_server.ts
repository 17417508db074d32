/**
 * A small Redis for demos and tests: one database in memory, on loopback.
 *
 * Speaks RESP2 and knows the commands that the pack and its client library
 * use, in the words of Redis 7.0; any other is refused by name. It is stricter
 * than Redis: no inline commands, database 0 only, no options beyond those
 * below, lower bounds. A test can make a command fail, lose its reply or never
 * run.
 * Net: one port of 127.0.0.1. No environment, files or processes.
 *
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/
 * @module
 */
import { type Connection, Hangup, listenTcp, type TcpServer } from "./tcp.ts";

const VERSION = "7.0.15"; // Of the redis-server that the tests compare with.
const COMMAND_BYTES_MAX = 16 * 1024 * 1024; // All arguments together.
const ARGUMENTS_MAX = 1024; // With the command's name.
const LENGTH_BYTES_MAX = 32; // Of a line such as `*3`.
const SHOWN_BYTES_MAX = 128; // Of a name or arguments, in an error.
const CRLF = "\r\n";
const OK = "+OK\r\n";
const SYNTAX = "ERR syntax error";
const WRONG_TYPE =
  "WRONGTYPE Operation against a key holding the wrong kind of value";
// Before it is ready, ioredis waits for this `loading`.
const INFO = `# Server\r\nredis_version:${VERSION}\r\nloading:0\r\n`;

/**
 * A fault put in a command's way: an error in place of its reply, such as
 * `OOM command not allowed`; the socket cut after it ran; or cut before.
 */
export type Interception = { error: string } | "lose reply" | "disconnect";

interface RedisServerOptions {
  /** By default a free one. */
  readonly port?: number;
  /** The password of the user `default`, by default none. */
  readonly password?: string;
  /** Milliseconds since the epoch, by default the system's. */
  readonly clock?: () => number;
  /**
   * Sees every command before it runs: its name in capitals, its arguments
   * with one character per byte.
   */
  readonly intercept?: (
    command: string,
    args: readonly string[],
  ) => Interception | undefined;
}

interface RedisServer extends TcpServer {
  /** Where clients connect; holds no password. */
  readonly url: string;
  flushAll(): void;
}

/** Starts a Redis in this process. @throws {Deno.errors.AddrInUse} */
// deno-lint-ignore require-await -- A port that is taken should reject.
export async function startRedisServer(
  { port = 0, password, clock = Date.now, intercept }: RedisServerOptions = {},
): Promise<RedisServer> {
  const data = new Database(clock);
  const server = listenTcp(port, async (connection) => {
    const session = { data, password, authenticated: password === undefined };
    for (;;) {
      const [name = "", ...args] = await readCommand(connection);
      const command = name.toUpperCase();
      const fault = intercept?.(command, args);
      // Earlier commands of the same pipeline keep their replies.
      if (fault === "disconnect") throw new Hangup();
      const reply = typeof fault === "object"
        ? errorReply(fault.error)
        : run(session, name, args);
      if (fault === "lose reply") throw new Hangup();
      await connection.send(reply);
      if (command === "QUIT") throw new Hangup();
    }
  });
  const url = `redis://127.0.0.1:${server.port}`;
  return { ...server, url, flushAll: () => data.clear() };
}

async function readCommand(connection: Connection): Promise<string[]> {
  const count = await readLength(connection, "*", ARGUMENTS_MAX);
  const command: string[] = [];
  for (let bytesLeft = COMMAND_BYTES_MAX; command.length < count;) {
    const length = await readLength(connection, "$", bytesLeft);
    command.push(await connection.read(length));
    await connection.read(CRLF.length);
    bytesLeft -= length;
  }
  return command;
}

/** Reads a line such as `*3` (arguments) or `$5` (bytes). */
async function readLength(
  connection: Connection,
  sign: "*" | "$",
  max: number,
): Promise<number> {
  const line = await connection.readLine(LENGTH_BYTES_MAX);
  const refuse = (problem: string) =>
    new Hangup(errorReply(`ERR Protocol error: ${problem}`));
  if (!line.startsWith(sign)) {
    throw refuse(`expected '${sign}', got '${line.charAt(0)}'`);
  }
  const digits = /^.(0|[1-9]\d*)\r\n$/.exec(line)?.[1];
  if (digits === undefined || Number(digits) > max) {
    throw refuse(`invalid ${sign === "*" ? "multibulk" : "bulk"} length`);
  }
  return Number(digits);
}

interface Entry {
  /** Rises with every key that is created. */
  readonly age: number;
  readonly value: string | string[];
  readonly expiresAtMs: number;
}

/** Keys and values; an expired key is removed when it is next looked up. */
class Database {
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  #ages = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  now(): number {
    return this.#now();
  }

  find(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#now() <= entry.expiresAtMs) return entry;
    this.#entries.delete(key);
    return undefined;
  }

  string(key: string): string | undefined {
    const value = this.find(key)?.value;
    return typeof value === "object" ? fail(WRONG_TYPE) : value;
  }

  /** The list under a key, empty if there is none. */
  list(key: string): string[] {
    const value = this.find(key)?.value ?? [];
    return typeof value === "string" ? fail(WRONG_TYPE) : value;
  }

  set(key: string, value: string | string[], lifetimeMs: number): void {
    const age = this.find(key)?.age ?? ++this.#ages;
    const expiresAtMs = this.#now() + lifetimeMs;
    this.#entries.set(key, { age, value, expiresAtMs });
  }

  delete(key: string): boolean {
    return this.find(key) !== undefined && this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  /** The keys younger than an age, oldest first, and no more than asked for. */
  keysAfter(age: number, countMax: number): string[] {
    const keys: string[] = [];
    // A Map keeps the order of creation.
    for (const [key, entry] of this.#entries) {
      if (keys.length >= countMax) break;
      if (entry.age > age && this.find(key) !== undefined) keys.push(key);
    }
    return keys;
  }
}

interface Session {
  readonly data: Database;
  readonly password: string | undefined;
  authenticated: boolean;
}

/** Typed as at least three: each command checks how many there are. */
type Args = [string, string, string, ...string[]];

/** The fewest and most arguments, and what makes the reply. */
type Command = [number, number, (session: Session, args: Args) => string];

const COMMANDS = new Map(Object.entries<Command>({
  AUTH: [1, 2, authenticate],
  CLIENT: [1, 3, nameClient],
  DEL: [
    1,
    Infinity,
    ({ data }, keys) => integer(keys.filter((key) => data.delete(key)).length),
  ],
  EXPIRE: [2, 2, expire],
  GET: [1, 1, ({ data }, [key]) => bulk(data.string(key))],
  GETRANGE: [3, 3, getRange],
  INCRBY: [2, 2, increase],
  INFO: [0, Infinity, () => bulk(INFO)],
  LRANGE: [3, 3, listRange],
  PING: [
    0,
    1,
    (_, [message]: string[]) =>
      message === undefined ? "+PONG\r\n" : bulk(message),
  ],
  QUIT: [0, Infinity, () => OK], // And the caller hangs up.
  RPUSH: [2, Infinity, append],
  SCAN: [1, Infinity, scan],
  SELECT: [1, 1, select],
  SET: [2, Infinity, set],
  STRLEN: [1, 1, ({ data }, [key]) => integer(data.string(key)?.length ?? 0)],
}));

function run(session: Session, name: string, args: string[]): string {
  const command = name.toUpperCase();
  try {
    const [argsMin, argsMax, perform] = COMMANDS.get(command) ??
      fail(unknownCommand(name, args));
    if (args.length < argsMin || args.length > argsMax) {
      fail(
        `ERR wrong number of arguments for '${command.toLowerCase()}' command`,
      );
    }
    if (!session.authenticated && command !== "AUTH" && command !== "QUIT") {
      fail("NOAUTH Authentication required.");
    }
    return perform(session, args as Args);
  } catch (error) {
    if (error instanceof CommandError) return errorReply(error.message);
    throw error;
  }
}

/** Refuses one command; its message starts with a code. */
class CommandError extends Error {}

function fail(message: string): never {
  throw new CommandError(message);
}

function unknownCommand(name: string, args: string[]): string {
  const shown = args.map((arg) => `'${arg}' `).join("");
  return `ERR unknown command '${name.slice(0, SHOWN_BYTES_MAX)}', with args ` +
    `beginning with: ${shown.slice(0, SHOWN_BYTES_MAX)}`;
}

/** `AUTH [user] <password>` */
function authenticate(session: Session, args: string[]): string {
  const [given, user = "default"] = args.toReversed();
  if (user !== "default" || given !== session.password) {
    fail("WRONGPASS invalid username-password pair or user is disabled.");
  }
  session.authenticated = true;
  return OK;
}

/** Accepts a client's name, which nobody asks for. */
function nameClient(_: Session, [subcommand]: Args): string {
  return ["SETNAME", "SETINFO"].includes(subcommand.toUpperCase())
    ? OK
    : fail(`ERR unknown subcommand '${subcommand}'. Try CLIENT HELP.`);
}

function getRange({ data }: Session, [key, ...range]: Args): string {
  const bounds = range.map(readInteger); // Before the value, as in Redis.
  const value = data.string(key) ?? "";
  return bulk(value.slice(...toBounds(bounds, value.length)));
}

function listRange({ data }: Session, [key, ...range]: Args): string {
  const bounds = range.map(readInteger);
  const list = data.list(key);
  return array(list.slice(...toBounds(bounds, list.length)));
}

function append({ data }: Session, [key, ...items]: Args): string {
  const list = data.list(key);
  if (list.length === 0) data.set(key, list, Infinity);
  return integer(list.push(...items));
}

function increase({ data }: Session, [key, by]: Args): string {
  const { value = "0", expiresAtMs = Infinity } = data.find(key) ?? {};
  if (typeof value === "object") fail(WRONG_TYPE);
  const sum = readInteger(value) + readInteger(by);
  data.set(key, String(sum), expiresAtMs - data.now());
  return integer(sum);
}

function expire({ data }: Session, [key, seconds]: Args): string {
  const lifetimeMs = readInteger(seconds) * 1000;
  const value = data.find(key)?.value;
  if (value === undefined) return integer(0);
  if (lifetimeMs > 0) data.set(key, value, lifetimeMs);
  else data.delete(key);
  return integer(1);
}

/**
 * `SCAN <cursor> [MATCH <prefix>*] [COUNT <keys>]`; the cursor is an age, so
 * that no key that stays is missed while others come and go.
 */
function scan({ data }: Session, [cursor, ...options]: Args): string {
  const given = readOptions(options, ["MATCH", "COUNT"]);
  const count = readInteger(given.get("COUNT") ?? "10");
  const pattern = given.get("MATCH") ?? "*";
  const prefix = /^([^*?[\\]*)\*$/.exec(pattern)?.[1] ?? fail(SYNTAX);
  if (!/^\d{1,15}$/.test(cursor)) fail("ERR invalid cursor");
  if (count < 1) fail(SYNTAX);
  const ahead = data.keysAfter(Number(cursor), count + 1);
  const keys = ahead.slice(0, count);
  const last = ahead.length > count ? data.find(keys.at(-1) ?? "") : undefined;
  const found = keys.filter((key) => key.startsWith(prefix));
  return `*2${CRLF}${bulk(`${last?.age ?? 0}`)}${array(found)}`;
}

function select(_: Session, [index]: Args): string {
  return readInteger(index) === 0 ? OK : fail("ERR DB index is out of range");
}

/** `SET <key> <value> [EX <seconds>] [GET]` */
function set({ data }: Session, [key, value, ...given]: Args): string {
  const asks = given.at(-1)?.toUpperCase() === "GET";
  const before = asks ? bulk(data.string(key)) : OK;
  const options = asks ? given.slice(0, -1) : given;
  const lifetime = readOptions(options, ["EX"]).get("EX");
  const seconds = lifetime === undefined ? Infinity : readInteger(lifetime);
  if (seconds <= 0) fail("ERR invalid expire time in 'set' command");
  data.set(key, value, seconds * 1000);
  return before;
}

function readOptions(args: string[], known: string[]): Map<string, string> {
  const given = new Map<string, string>();
  for (let at = 0; at < args.length; at += 2) {
    const [name = "", value = fail(SYNTAX)] = args.slice(at, at + 2);
    if (!known.includes(name.toUpperCase())) fail(SYNTAX);
    given.set(name.toUpperCase(), value);
  }
  return given;
}

/** Bounds for slice(); negative ones count from the end. */
function toBounds([first = 0, last = 0]: number[], length: number) {
  const place = (at: number) => at < 0 ? length + at : at;
  return [Math.max(0, place(first)), Math.max(0, place(last) + 1)] as const;
}

function readInteger(digits: string): number {
  return /^(0|-?[1-9]\d{0,14})$/.test(digits)
    ? Number(digits)
    : fail("ERR value is not an integer or out of range");
}

function errorReply(message: string): string {
  return `-${message.replace(/[\r\n]/g, " ")}${CRLF}`;
}

function integer(value: number): string {
  return `:${value}${CRLF}`;
}

function bulk(text: string | undefined): string {
  if (text === undefined) return `$-1${CRLF}`;
  return `$${text.length}${CRLF}${text}${CRLF}`;
}

function array(items: string[]): string {
  return `*${items.length}${CRLF}${items.map(bulk).join("")}`;
}
