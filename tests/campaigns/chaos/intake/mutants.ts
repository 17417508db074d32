/**
 * Ingesters that are wrong on purpose, to test the campaign: it must catch each
 * of them. Runs as a process in the ingester's place.
 *
 * Each is the product's own ingester with a gateway client that lies to it, so
 * the product's files know nothing of mutants.
 *
 * @module
 */
import { InputRefusedError } from "../../../../lib/base/errors.ts";
import { Gateway } from "../../../../lib/platform/gateway.ts";
import { serveHttp } from "../../../../lib/base/service.ts";
import { INGESTER } from "../../../../workers/ingester.ts";

const { startRun } = Gateway.prototype;

export const MUTANTS: Readonly<Record<string, () => void>> = {
  /** Trusts the id in the answer to a start, even if its key is burned. */
  "no-read-back"() {
    Gateway.prototype.readRun = () => Promise.resolve({});
  },
  /** Makes up a new second and third spelling of a key each time. */
  "fresh-key"() {
    Gateway.prototype.startRun = function (workflowId, input, options) {
      const isAgain = /:[23]$/.test(options.key);
      const key = options.key + (isAgain ? `:${crypto.randomUUID()}` : "");
      return startRun.call(this, workflowId, input, { ...options, key });
    };
  },
  /** Treats every failure as permanent. */
  "drop-on-error"() {
    Gateway.prototype.startRun = async function (...given) {
      try {
        return await startRun.apply(this, given);
      } catch {
        throw new InputRefusedError("Cannot start a run");
      }
    };
  },
};

if (import.meta.main) {
  MUTANTS[Deno.args[1] ?? ""]!();
  await serveHttp(INGESTER);
}
