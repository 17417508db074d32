/**
 * A relay that reads what a client asks Redis, one command at a time.
 *
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/
 * @module
 */
import { join, type Pair, type Reader, Relay } from "../../../support/relay.ts";
import type { Verdict } from "../stage.ts";

/** Sees each command before and after it runs. */
export type RedisWatch = (
  when: "before" | "after",
  command: readonly string[],
) => Verdict | Promise<Verdict>;

const TEXT = new TextDecoder();
const BYTES = new TextEncoder();

export function relayRedis(upstreamPort: number, watch: RedisWatch): Relay {
  return new Relay(upstreamPort, async (pair) => {
    while (true) if (!await relayCommand(pair, watch)) return;
  });
}

/** Waits for each reply, so that one of ours can take its place. */
async function relayCommand(
  { client, server }: Pair,
  watch: RedisWatch,
): Promise<boolean> {
  const { raw, command } = await readCommand(client);
  const before = await watch("before", command);
  if (before === "cut") return false;
  if (typeof before === "object") {
    await client.write(BYTES.encode(`-${before.error}\r\n`));
    return true;
  }
  await server.write(raw);
  const reply = await readReply(server);
  if (await watch("after", command) !== "pass") return false;
  await client.write(reply);
  return true;
}

async function readCommand(
  client: Reader,
): Promise<{ raw: Uint8Array; command: string[] }> {
  const first = await client.line();
  const raw = [first];
  const command: string[] = [];
  const count = Number(TEXT.decode(first.subarray(1)));
  for (let at = 0; at < count; at++) {
    const header = await client.line();
    const length = Number(TEXT.decode(header.subarray(1)));
    const body = await client.bytes(length + 2);
    raw.push(header, body);
    command.push(TEXT.decode(body.subarray(0, length)));
  }
  return { raw: join(raw), command };
}

/** One reply of RESP2, whole. */
async function readReply(server: Reader): Promise<Uint8Array> {
  const first = await server.line();
  const kind = String.fromCharCode(first[0]!);
  const count = Number(TEXT.decode(first.subarray(1)));
  if (kind === "$" && count >= 0) {
    return join([first, await server.bytes(count + 2)]);
  }
  if (kind !== "*") return first;
  const parts = [first];
  for (let at = 0; at < count; at++) parts.push(await readReply(server));
  return join(parts);
}
