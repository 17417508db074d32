/**
 * Ingesters that are wrong on purpose, so that the campaign itself is tested:
 * it has to catch each of them. Started in the ingester's place.
 *
 * Each is the product's own ingester with a gateway client that lies to it, so
 * that nothing in the product's files has to know.
 *
 * @module
 */
import { InputRefusedError } from "../../../../lib/base/errors.ts";
import { Gateway } from "../../../../lib/platform/gateway.ts";
import { serveHttp } from "../../../../lib/base/service.ts";
import { INGESTER } from "../../../../workers/ingester.ts";

const { startRun } = Gateway.prototype;

/** By the name that the command line knows. */
export const MUTANTS: Readonly<Record<string, () => void>> = {
  /** Trusts the id that a start was answered with, be its key burned. */
  "no-read-back"() {
    Gateway.prototype.readRun = () => Promise.resolve({});
  },
  /** Draws lots for a key's second and third spelling. */
  "fresh-key"() {
    Gateway.prototype.startRun = function (workflowId, input, options) {
      const isAgain = /:[23]$/.test(options.key);
      const key = options.key + (isAgain ? `:${crypto.randomUUID()}` : "");
      return startRun.call(this, workflowId, input, { ...options, key });
    };
  },
  /** Takes every failure for one that nobody can mend. */
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
