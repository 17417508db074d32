/**
 * Asks each collector's system whether it lets itself be asked, for `/readyz`.
 *
 * @module
 */
import type { Config, Settings } from "../base/config.ts";
import { deadline } from "../base/deadline.ts";
import type { Collector } from "./collector.ts";
import { CollectorClient, HostLanes, toGapError } from "./connection.ts";

const CHECK_MS = 3_000;
const REQUESTS_MAX = 3;

/**
 * Checks all that are set up, with one cheap read each.
 *
 * @returns One sentence for each that cannot be asked. Never throws.
 */
export async function checkCollectors<S extends Settings>(
  collectors: readonly Collector<S>[],
  config: Config<S>,
  checkMs: number = CHECK_MS,
): Promise<string[]> {
  const lanes = new HostLanes();
  const problems = await Promise.all(
    collectors.filter((collector) => collector.isOn(config)).map(
      async (collector) => {
        const { title, name } = collector;
        using end = deadline(checkMs);
        try {
          const connection = collector.connect(config);
          if (connection === undefined) return [];
          using client = new CollectorClient(connection, {
            budget: { max: REQUESTS_MAX, sent: 0 },
            lanes,
            signal: end.signal,
            endMs: performance.now() + checkMs,
          });
          await collector.check({
            config,
            get: (path, options) => client.get(path, options),
          });
          return [];
        } catch (error) {
          const { message } = toGapError(error, title);
          return [`collector ${name} cannot ask: ${message}`];
        }
      },
    ),
  );
  return problems.flat();
}
