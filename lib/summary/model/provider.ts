/**
 * What a provider of models is. One file in this folder for each wire shape;
 * `providers.ts` lists them.
 *
 * @module
 */
import type { JsonObject } from "../../base/json.ts";
import type { ModelConfig } from "../settings.ts";

/** What a model is asked. */
export interface Prompt {
  readonly system: string;
  readonly user: string;
  /** JSON schema of the answer. */
  readonly schema: JsonObject;
  /** Of the answer. */
  readonly tokensMax: number;
}

/** One request in the provider's wire shape. */
export interface Call {
  /** Below the provider's address. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonObject;
}

/** Tokens as the provider counted them. */
export interface Tokens {
  readonly input: number;
  readonly output: number;
}

/** Why there is no answer to read. */
export type Failure =
  /** The daily budget is used up. */
  | "budget"
  /** The job's own budget is too small. */
  | "job budget"
  /** Nobody can tell what is left of the daily budget. */
  | "uncounted"
  /** Policy forbids to ask. */
  | "forbidden"
  /** No time was left. */
  | "no time"
  | "late"
  | "limited"
  /** Any other status but 200. */
  | "status"
  | "unreachable"
  /** Not what the wire shape promises: HTML, half a document, another shape. */
  | "garbled"
  | "cut"
  | "refusal";

/** A provider's answer, read from its wire shape. */
export type Said =
  & { readonly tokens?: Tokens }
  & (
    | { readonly text: string }
    | { readonly failed: Failure }
  );

/** Speaks one wire shape. Stateless. */
export interface Provider {
  /** As in `LLM_PROVIDER`. */
  readonly name: string;
  /** As people write it. */
  readonly title: string;
  /** Variables that it needs and lacks. */
  missing(config: ModelConfig): readonly string[];
  /** Which setting holds its address. */
  readonly urlVariable: string;
  url(config: ModelConfig): string;
  model(config: ModelConfig): string;
  /** Whether its schemas may limit lengths. */
  takesLengths(config: ModelConfig): boolean;
  call(prompt: Prompt, config: ModelConfig): Call;
  /** Reads the body of a 200. */
  read(body: JsonObject): Said;
  /**
   * Another request for the same, if a 400 says that the model does not take a
   * part of it.
   *
   * @param refused The body of that answer.
   */
  adjust?(body: JsonObject, refused: unknown): JsonObject | undefined;
  /** Whether a 429 or 5xx will be the same after a wait, such as no credit. */
  isFinal?(body: unknown): boolean;
}
