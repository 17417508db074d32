/**
 * Random byte strings for a server that must survive them.
 *
 * @module
 */
import { RawSocket } from "./raw_socket.ts";

const STRINGS = 10_000;
const ATTACKERS = 20;

/** Numbers from 0 to 1, the same for the same seed (xorshift32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/**
 * Sends 10,000 random strings to a port of 127.0.0.1, each on a connection of
 * its own, 20 at a time.
 *
 * @param words The protocol's own, which the strings mix with random bytes.
 * @param bytesShare How many of the parts are bytes, from 0 to 1.
 * @param begin The beginning of a string.
 */
export async function sendGarbage(
  port: number,
  words: readonly string[],
  { random, bytesShare, begin = () => "" }: {
    random: () => number;
    bytesShare: number;
    begin?: () => string;
  },
): Promise<void> {
  const byte = () => String.fromCharCode(Math.floor(random() * 256));
  const word = () => words[Math.floor(random() * words.length)] ?? "";
  let sent = 0;
  const attack = async () => {
    while (sent < STRINGS) {
      sent++;
      let garbage = begin();
      const length = Math.floor(random() * 30);
      for (let index = 0; index < length; index++) {
        garbage += random() < bytesShare ? byte() : word();
      }
      using socket = await RawSocket.open(port);
      await socket.send(garbage);
      await socket.finish();
      await socket.readToEnd();
    }
  };
  await Promise.all(Array.from({ length: ATTACKERS }, attack));
}
