/**
 * A relay that reads what a client publishes to NATS.
 *
 * @see https://docs.nats.io/reference/reference-protocols/nats-protocol
 * @module
 */
import { Ended, join, type Pair, Relay } from "../../../support/relay.ts";
import type { Verdict } from "../stage.ts";

/** Sees each message before and after it reaches the server. */
export type NatsWatch = (
  when: "before" | "after",
  subject: string,
  payload: Uint8Array,
) => Verdict | Promise<Verdict>;

const TEXT = new TextDecoder();

export function relayNats(upstreamPort: number, watch: NatsWatch): Relay {
  return new Relay(upstreamPort, async (pair) => {
    // When one side ends, so does the other.
    const down = relayDown(pair).catch((error) => {
      if (!(error instanceof Ended)) throw error;
    }).finally(() => pair.close());
    try {
      while (true) if (!await relayOperation(pair, watch)) return;
    } finally {
      pair.close();
      await down;
    }
  });
}

async function relayDown({ client, server }: Pair): Promise<never> {
  while (true) await client.write(await server.some());
}

async function relayOperation(
  { client, server }: Pair,
  watch: NatsWatch,
): Promise<boolean> {
  const line = await client.line();
  const words = TEXT.decode(line).trim().split(/\s+/);
  const verb = words[0]?.toUpperCase();
  if (verb !== "PUB" && verb !== "HPUB") {
    await server.write(line);
    return true;
  }
  const payload = await client.bytes(Number(words.at(-1)) + 2);
  const [subject, bytes] = [words[1] ?? "", payload.subarray(0, -2)];
  if (await watch("before", subject, bytes) !== "pass") return false;
  await server.write(join([line, payload]));
  return await watch("after", subject, bytes) === "pass";
}
