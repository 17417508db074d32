/**
 * What is compared: the built-in, answers that a model once gave, and a model
 * that answers now.
 *
 * @module
 */
import {
  isObject,
  type JsonObject,
  objectOf,
  parseJson,
  stringOf,
} from "../../lib/base/json.ts";
import { providerOf } from "../../lib/summary/model/providers.ts";
import { PROVIDER_NAMES } from "../../lib/summary/settings.ts";
import { CommandError, UsageError } from "../terminal/command.ts";
import type { Case } from "./case.ts";
import { builtin, type Summarizer, summarizeWith } from "./summarize.ts";

/** One way to summarize. */
export interface Column extends AsyncDisposable {
  readonly name: string;
  /** `undefined` if it has nothing to say about a case. */
  of(given: Case): Summarizer | undefined;
}

/** Answers of a model, as they came. */
export interface Recorded {
  /** `smollm2-135m`. */
  readonly model: string;
  readonly answers: ReadonlyMap<string, JsonObject>;
}

export const BUILTIN: Column = {
  name: "builtin",
  of: () => builtin,
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** Reads the recorded answers; `undefined` if there is no such file. */
export async function readRecorded(
  path: string,
): Promise<Recorded | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new CommandError(`Cannot read ${path}`);
  }
  const value = parseJson(text);
  const answers = isObject(value) ? objectOf(value["answers"]) : undefined;
  if (!isObject(value) || answers === undefined) {
    throw new CommandError(`Cannot use ${path}: it holds no answers`);
  }
  return {
    model: stringOf(value["model"]) || "a model",
    answers: new Map(
      Object.entries(answers).flatMap(([name, answer]) =>
        isObject(answer) ? [[name, answer]] : []
      ),
    ),
  };
}

/** Plays recorded answers through the whole summarizer, on loopback. */
export function playRecorded({ answers }: Recorded): Column {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const [, name = ""] = new URL(request.url).pathname.split("/");
      const answer = answers.get(decodeURIComponent(name)) ?? {};
      return Response.json(toCompletion(answer));
    },
  );
  const { port } = server.addr;
  return {
    name: "recorded",
    of({ name }) {
      if (!answers.has(name)) return undefined;
      const variables: Readonly<Record<string, string>> = {
        LLM_PROVIDER: "openai",
        OPENAI_MODEL: "recorded",
        OPENAI_BASE_URL: `http://127.0.0.1:${port}/${
          encodeURIComponent(name)
        }/v1`,
      };
      return summarizeWith((variable) => variables[variable]);
    },
    async [Symbol.asyncDispose]() {
      await server.shutdown();
    },
  };
}

/** In the shape of OpenAI's chat completions. */
function toCompletion({ text, cut, tokens }: JsonObject): JsonObject {
  const { input = 0, output = 0 } = (objectOf(tokens) ?? {}) as {
    input?: number;
    output?: number;
  };
  return {
    object: "chat.completion",
    choices: [{
      index: 0,
      finish_reason: cut === true ? "length" : "stop",
      message: { role: "assistant", refusal: null, content: stringOf(text) },
    }],
    usage: { prompt_tokens: input, completion_tokens: output },
  };
}

/**
 * A model that answers now.
 *
 * @param named `provider` or `provider:model`; the rest stands in the variables
 * that the summarizer reads.
 * @throws {UsageError} If there is no such provider.
 */
export function askLive(
  named: string,
  env: (name: string) => string | undefined,
): Column {
  const [provider = "", ...rest] = named.split(":");
  const known = PROVIDER_NAMES.filter((name) =>
    providerOf({ llmProvider: name }) !== undefined
  );
  if (!known.some((name) => name === provider)) {
    throw new UsageError(
      `There is no provider "${provider}"; there are ${known.join(", ")}`,
    );
  }
  const model = rest.join(":");
  const summarize = summarizeWith((variable) => {
    if (variable === "LLM_PROVIDER") return provider;
    const isModel = variable === `${provider.toUpperCase()}_MODEL`;
    return isModel && model !== "" ? model : env(variable);
  });
  return {
    name: named,
    of: () => summarize,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
