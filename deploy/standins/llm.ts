/**
 * A stand-in for servers of language models, for demos and tests: OpenAI's chat
 * completions, Ollama's chat, Anthropic's messages. It reads the evidence out of
 * the prompt and answers well, or in one of the ways in which models fail.
 *
 * Strict: a request that the real server would not take is refused as it would,
 * and noted as a mistake. Net: one listening address on loopback.
 *
 * @see docs/models.md for what is sent.
 * @module
 */
import { objectOf, parseJson } from "../../lib/base/json.ts";
import { within } from "../../lib/base/time.ts";

/** How to answer. */
export type Manner =
  /** Claims that the evidence shows. */
  | "well"
  /** As given in `claims`, whatever was asked. */
  | "obey"
  /** Altered numbers, invented ids, quotes, names, links and causes. */
  | "lie"
  /** Ends in the middle, and says so. */
  | "cut"
  | "refuse"
  | "abstain"
  /** Well, after `delayMs`. */
  | "slow"
  /** No answer until the stand-in closes. */
  | "hang"
  | "429"
  /** 429 and how long to wait; well after that. */
  | "429 once"
  /** 400 for a temperature, as models that think answer; well without. */
  | "picky"
  /** 429 that no wait changes. */
  | "spent"
  | "500"
  | "500 once"
  | "401"
  | "redirect"
  | "html"
  /** 200 and bytes that are no JSON, for a while. */
  | "garbage"
  /** 200 and the right shape, whose text is prose. */
  | "prose"
  /** 200 and JSON of another shape. */
  | "null"
  /** Longer than anybody reads. */
  | "huge";

/** Every {@linkcode Manner} that gives no claims. */
export const FAILING: readonly Manner[] = [
  "cut",
  "refuse",
  "abstain",
  "hang",
  "429",
  "spent",
  "500",
  "401",
  "redirect",
  "html",
  "garbage",
  "prose",
  "null",
  "huge",
];

/** A claim as a model makes it. */
export interface FakeClaim {
  section: string;
  evidence: string[];
  quote: string;
  text: string;
}

/** A piece of evidence as it stands in a prompt. */
export interface PromptItem {
  id: string;
  title: string;
  text: string;
}

/** A running stand-in. */
export interface ModelStandIn extends AsyncDisposable {
  readonly url: string;
  /** Bodies of all requests, in order. */
  readonly asked: readonly Record<string, unknown>[];
  /** Requests that the real server would not take. */
  readonly mistakes: readonly string[];
  manner: Manner;
  /** For `obey`. */
  claims: (items: readonly PromptItem[]) => readonly unknown[];
  /** For `slow`. */
  delayMs: number;
}

type Shape = "openai" | "ollama" | "anthropic";
type Body = Record<string, unknown>;

const PATHS: Readonly<Record<string, Shape>> = {
  "/v1/chat/completions": "openai",
  "/api/chat": "ollama",
  "/v1/messages": "anthropic",
};
/** What a key must be. */
export const KEY = "stand-in-key";
const JSON_TYPE = { "Content-Type": "application/json" };

/** Starts it on a free port of 127.0.0.1. */
export function startModel(manner: Manner = "well"): ModelStandIn {
  const asked: Body[] = [];
  const mistakes: string[] = [];
  const closing = Promise.withResolvers<void>();
  let count = 0;
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
    onError: () => new Response(null, { status: 500 }),
  }, async (request) => {
    const shape = PATHS[new URL(request.url).pathname];
    const text = await request.text();
    if (shape === undefined || request.method !== "POST") {
      mistakes.push(`${request.method} ${new URL(request.url).pathname}`);
      return error("openai", 404, "not_found_error");
    }
    const body = objectOf(parseJson(text)) ?? {};
    const wrong = mistakeIn(shape, body, request.headers, model.manner);
    if (wrong !== undefined) {
      mistakes.push(wrong);
      return error(shape, 400, "invalid_request_error", wrong);
    }
    asked.push(body);
    return await answer(shape, body, count++);
  });
  const answer = async (shape: Shape, body: Body, nth: number) => {
    const manner = model.manner;
    switch (manner) {
      case "hang":
        await closing.promise;
        return error(shape, 503, "api_error");
      case "slow":
        await within(model.delayMs, closing.promise).catch(() => {});
        break;
      case "429":
        return error(shape, 429, "rate_limit_error");
      case "429 once":
        if (nth > 0) break;
        return error(shape, 429, "rate_limit_error", "", {
          "Retry-After": "0",
        });
      case "picky":
        if (body["temperature"] === undefined) break;
        return error(
          shape,
          400,
          "unsupported_value",
          "Unsupported value: 'temperature'",
          {},
          "temperature",
        );
      case "spent":
        return error(shape, 429, "insufficient_quota");
      case "500":
        return error(shape, 500, "api_error");
      case "500 once":
        if (nth > 0) break;
        return error(shape, 500, "api_error");
      case "401":
        return error(shape, 401, "authentication_error");
      case "redirect":
        return new Response(null, {
          status: 302,
          headers: { Location: "https://login.example/" },
        });
      case "html":
        return new Response("<html><body>Log in</body></html>", {
          headers: { "Content-Type": "text/html" },
        });
      case "garbage":
        return new Response(stream(64, "\u0000{]garbage,"), {
          headers: JSON_TYPE,
        });
      case "huge":
        return new Response(stream(1_000, "x".repeat(4_096)), {
          headers: JSON_TYPE,
        });
      case "null":
        return Response.json(null);
    }
    const items = itemsOf(userText(body));
    if (manner === "refuse") return say(shape, body, "", "refusal");
    if (manner === "prose") {
      return say(shape, body, "I am sorry, here is what I think: …", "stop");
    }
    if (manner === "cut") {
      const whole = JSON.stringify({ claims: wellFrom(items), abstain: null });
      return say(shape, body, whole.slice(0, 40), "length");
    }
    const claims = manner === "abstain"
      ? []
      : manner === "obey"
      ? model.claims(items)
      : manner === "lie"
      ? liesFrom(items, nth)
      : wellFrom(items);
    const abstain = claims.length === 0 ? "The evidence shows no cause." : null;
    return say(shape, body, JSON.stringify({ claims, abstain }), "stop");
  };
  const model: ModelStandIn = {
    url: `http://127.0.0.1:${server.addr.port}`,
    asked,
    mistakes,
    manner,
    claims: () => [],
    delayMs: 200,
    async [Symbol.asyncDispose]() {
      closing.resolve();
      await server.shutdown();
    },
  };
  return model;
}

function stream(pieces: number, text: string): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let left = pieces;
  return new ReadableStream({
    pull(controller) {
      if (left-- <= 0) controller.close();
      else controller.enqueue(bytes);
    },
  });
}

/** What the real server would refuse. */
function mistakeIn(
  shape: Shape,
  body: Body,
  headers: Headers,
  manner: Manner,
): string | undefined {
  const { model, messages, temperature } = body;
  if (typeof model !== "string" || model === "") return "model is required";
  if (!Array.isArray(messages) || messages.length === 0) {
    return "messages is required";
  }
  if (!/^application\/json/.test(headers.get("content-type") ?? "")) {
    return "Content-Type must be application/json";
  }
  switch (shape) {
    case "openai": {
      const format = body["response_format"] as Body | undefined;
      const wanted = format?.["json_schema"] as Body | undefined;
      if (wanted?.["strict"] !== true) return "response_format is not strict";
      const key = headers.get("authorization");
      if (key !== null && key !== `Bearer ${KEY}`) return "wrong key";
      return temperature === 0 || manner === "picky"
        ? undefined
        : "temperature must be 0";
    }
    case "ollama": {
      const options = body["options"] as Body | undefined;
      if (body["stream"] !== false) return "would stream";
      if (options?.["temperature"] !== 0) return "temperature must be 0";
      return typeof options["num_ctx"] === "number"
        ? undefined
        : "would cut the prompt";
    }
    case "anthropic":
      if (headers.get("x-api-key") !== KEY) return "wrong key";
      if (headers.get("anthropic-version") === null) return "no version";
      if (typeof body["max_tokens"] !== "number") return "no max_tokens";
      return temperature === 0 ? undefined : "temperature must be 0";
  }
}

function error(
  shape: Shape,
  status: number,
  type: string,
  message = type,
  headers: Record<string, string> = {},
  param: string | null = null,
): Response {
  const inner = { type, code: type, message };
  const body = shape === "ollama"
    ? { error: message }
    : shape === "anthropic"
    ? {
      type: "error",
      error: {
        ...inner,
        details: type === "insufficient_quota"
          ? { error_code: "enforced_spend_limit_reached" }
          : {},
      },
    }
    : { error: { ...inner, param } };
  return Response.json(body, { status, headers });
}

/** An answer in the wire shape. */
function say(
  shape: Shape,
  body: Body,
  text: string,
  end: "stop" | "length" | "refusal",
): Response {
  const [input, output] = [JSON.stringify(body), text].map(({ length }) =>
    Math.ceil(length / 4)
  );
  const { model } = body;
  if (shape === "ollama") {
    return Response.json({
      model,
      message: {
        role: "assistant",
        content: end === "refusal" ? "I cannot help with that." : text,
      },
      done: true,
      done_reason: end === "length" ? "length" : "stop",
      prompt_eval_count: input,
      eval_count: output,
    });
  }
  if (shape === "anthropic") {
    const reasons = {
      stop: "end_turn",
      length: "max_tokens",
      refusal: "refusal",
    };
    return Response.json({
      type: "message",
      role: "assistant",
      model,
      content: end === "refusal" ? [] : [{ type: "text", text }],
      stop_reason: reasons[end],
      usage: { input_tokens: input, output_tokens: output },
    });
  }
  return Response.json({
    object: "chat.completion",
    model,
    choices: [{
      index: 0,
      finish_reason: end === "length" ? "length" : "stop",
      message: {
        role: "assistant",
        refusal: end === "refusal" ? "I cannot help with that." : null,
        content: end === "refusal" ? null : text,
      },
    }],
    usage: { prompt_tokens: input, completion_tokens: output },
  });
}

function userText({ messages }: Body): string {
  const list = messages as { role?: string; content?: unknown }[];
  return String(list.find(({ role }) => role === "user")?.content ?? "");
}

/** The evidence in a prompt. */
function itemsOf(prompt: string): PromptItem[] {
  return [
    ...prompt.matchAll(/^<<<(\w+) (E\d+) ([^\n]*)\n([^]*?)\n\1>>>$/gm),
  ].map(([, , id = "", title = "", text = ""]) => ({ id, title, text }));
}

/** The first value with a number that an item states, and what it stands in. */
function valuesOf({ text }: PromptItem): { quote: string; number: string }[] {
  return [
    ...text.matchAll(
      /[A-Za-z][^"\\{}[\]<>`*_~|@#&;/:]{6,60}?\b(\d+(?:\.\d+)?)(?= %| s\b| ms\b)/g,
    ),
  ]
    .map(([quote, number = ""]) => ({ quote, number }));
}

/** Claims that say what an item says. */
function wellFrom(items: readonly PromptItem[]): FakeClaim[] {
  const claims = items.flatMap((item) =>
    valuesOf(item).slice(0, 1).map(({ quote, number }) => ({
      section: "what",
      evidence: [item.id],
      quote,
      text: `The value reached ${number} in the evidence.`,
    }))
  );
  return claims.slice(0, 8);
}

/** Each one false in one way and right in all others; another one each time. */
function liesFrom(items: readonly PromptItem[], nth: number): FakeClaim[] {
  const able = items.filter((item) => valuesOf(item).length > 0);
  const item = able[nth % Math.max(1, able.length)];
  const [value] = item === undefined ? [] : valuesOf(item);
  if (item === undefined || value === undefined) return [];
  const { quote, number } = value;
  const claim = (part: Partial<FakeClaim>): FakeClaim => ({
    section: "what",
    evidence: [item.id],
    quote,
    text: `The value reached ${number} in the evidence.`,
    ...part,
  });
  const altered = alter(number, nth);
  return [
    claim({ text: `The value reached ${altered} in the evidence.` }),
    claim({ evidence: [`E${60 + (nth % 30)}`] }),
    claim({ quote: quote.replace(number, altered) }),
    claim({ text: `The host db-${7 + nth}.prod reached ${number}.` }),
    claim({
      section: "cause",
      text: `The release of version v9.${nth}.1 caused the value of ${number}.`,
    }),
    claim({ text: `It reached ${number} at 03:${10 + (nth % 50)}:59.` }),
    claim({ text: `It reached ${number}, see evil${nth}.example for more.` }),
    claim({ text: `It reached ${number} and is resolved now.` }),
  ];
}

/** One digit is another, as models copy. */
function alter(number: string, nth: number): string {
  const at = number.search(/\d(?=\D*$)/);
  const digit = (Number(number[at]) + 1 + (nth % 8)) % 10;
  return `${number.slice(0, at)}${digit}${number.slice(at + 1)}`;
}
