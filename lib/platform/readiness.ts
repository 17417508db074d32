/**
 * Reports whether a process can do its work on the platform.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import { deadline } from "../base/deadline.ts";
import { messageOf } from "../base/errors.ts";
import type { Report } from "../base/health.ts";
import { type JsonObject, optional } from "../base/json.ts";
import { every } from "../base/time.ts";
import { PACK_ID, PACK_SCHEMAS } from "../schemas.ts";
import type { Gateway } from "./gateway.ts";
import { GatewayError } from "./gateway_error.ts";

type Check = () => string | undefined | Promise<string | undefined>;

export interface ReadinessOptions {
  gateway: Gateway;
  /** Reports the gateway's problem, if another part watches it already. */
  watched?: () => string | undefined;
  /** The workflow that must be installed, if the process starts one. */
  workflowId?: string;
  warnings?: readonly string[];
  /** Looks for more warnings, every five minutes at most. */
  look?: () => Promise<readonly string[]>;
  /** Further checks by name; each returns its problem, if any. */
  checks?: Readonly<Record<string, Check>>;
}

/** Probes are frequent, and the gateway's 50 requests a second are for all. */
const GATEWAY_EVERY_MS = 10_000;
const SCHEMAS_EVERY_MS = 300_000;
const LOOK_EVERY_MS = 300_000;
const ASK_MS = 2_000;

/** Answers `/readyz`. Asks the gateway now and then, and only when asked. */
export class Readiness {
  readonly #options: ReadinessOptions;
  readonly #gateway: () => Promise<Record<string, string>>;
  readonly #schemas: () => Promise<string[]>;
  readonly #look: () => Promise<readonly string[]>;

  constructor(options: ReadinessOptions) {
    const { watched, look = () => Promise.resolve([]) } = options;
    this.#options = options;
    this.#gateway = watched === undefined
      ? every(GATEWAY_EVERY_MS, () => this.#askGateway())
      : () => Promise.resolve(optional("gateway", watched()));
    this.#schemas = every(SCHEMAS_EVERY_MS, () => this.#compareSchemas());
    this.#look = every(LOOK_EVERY_MS, look);
  }

  /** Never throws: an unanswered question is a problem to report. */
  async report(): Promise<Report> {
    const { warnings = [], checks = {} } = this.#options;
    const gateway = await this.#gateway();
    const looking = this.#look();
    const schemas = "gateway" in gateway ? [] : await this.#schemas();
    const problems: Record<string, string> = {};
    for (const [name, check] of Object.entries(checks)) {
      Object.assign(problems, optional(name, await check()));
    }
    return {
      problems: { ...problems, ...gateway },
      warnings: [...warnings, ...schemas, ...await looking],
    };
  }

  async #askGateway(): Promise<Record<string, string>> {
    const { workflowId } = this.#options;
    const path = workflowId === undefined
      ? "/status"
      : `/workflows/${encodeURIComponent(workflowId)}`;
    try {
      await this.#get(path);
      return {};
    } catch (error) {
      const missing = error instanceof GatewayError && error.missing;
      return missing && workflowId !== undefined
        ? { workflow: `${workflowId} is not installed` }
        : { gateway: messageOf(error) };
    }
  }

  /** Compares the platform's schemas with the ones in this process. */
  async #compareSchemas(): Promise<string[]> {
    const answers = Object.entries(PACK_SCHEMAS).map(async ([name, ours]) => {
      const id = `${PACK_ID}/${name}`;
      try {
        const answer = await this.#get(`/schemas/${encodeURIComponent(id)}`);
        return isDeepStrictEqual((answer as JsonObject)["schema"], ours)
          ? []
          : [`${id} on the platform differs from the one in this worker`];
      } catch (error) {
        return [
          error instanceof GatewayError && error.missing
            ? `${id} is not installed`
            : `${id} cannot be compared: ${messageOf(error)}`,
        ];
      }
    });
    return (await Promise.all(answers)).flat();
  }

  async #get(path: string): Promise<unknown> {
    using end = deadline(ASK_MS);
    const { signal } = end;
    return await this.#options.gateway.call("GET", path, { signal });
  }
}
