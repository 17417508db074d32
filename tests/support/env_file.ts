/**
 * Environments of workers in files.
 *
 * @module
 */

/** A platform on four hosts. */
export const ENV_FILE = `# a comment
NATS_URL=nats://nats.example
REDIS_ADDR="redis.example:6380"
CORETEX_GATEWAY_URL=https://gateway.example
HEALTH_ADDR=127.0.0.1:9000
`;

/** Writes a file that is there while it is used. */
export async function withEnvFile<T>(
  text: string,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const path = await Deno.makeTempFile({ suffix: ".env" });
  try {
    await Deno.writeTextFile(path, text);
    return await use(path);
  } finally {
    await Deno.remove(path);
  }
}
