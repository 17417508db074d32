/**
 * The form of a model's answer: as it is asked for, and as it is checked.
 *
 * @module
 */
import type { JsonObject } from "../../base/json.ts";
import { type Check, compileSchema } from "../../schema_check.ts";
import type { ModelClaim } from "./claim.ts";

export const CLAIMS_MAX = 8;
/** Each that is left out is told and stored; with more, it is no answer. */
const ANSWER_CLAIMS_MAX = 64;
const QUOTE_CHARS_MAX = 120;
const TEXT_CHARS_MAX = 200;
const ABSTAIN_CHARS_MAX = 200;

/**
 * The schema that goes to the model. Evidence and quote stand before the text,
 * so that it copies first.
 *
 * @param ids Of the evidence that it is shown.
 * @param hasLimits Whether the server takes lengths; some refuse them.
 */
export function answerSchema(
  ids: readonly string[],
  hasLimits: boolean,
): JsonObject {
  const limited = (keywords: JsonObject) => hasLimits ? keywords : {};
  return {
    type: "object",
    additionalProperties: false,
    required: ["claims", "abstain"],
    properties: {
      claims: {
        type: "array",
        ...limited({ maxItems: CLAIMS_MAX }),
        items: {
          type: "object",
          additionalProperties: false,
          required: ["section", "evidence", "quote", "text"],
          properties: {
            section: { type: "string", enum: ["what", "cause", "next"] },
            evidence: {
              type: "array",
              items: { type: "string", enum: [...ids] },
              ...limited({ minItems: 1, maxItems: 3 }),
            },
            quote: {
              type: "string",
              ...limited({ maxLength: QUOTE_CHARS_MAX }),
            },
            text: {
              type: "string",
              ...limited({ maxLength: TEXT_CHARS_MAX }),
            },
          },
        },
      },
      abstain: {
        type: ["string", "null"],
        ...limited({ maxLength: ABSTAIN_CHARS_MAX }),
      },
    },
  };
}

/** An id that does not exist costs its claim, not all of them. */
const CLAIM: JsonObject = {
  type: "object",
  additionalProperties: false,
  required: ["section", "evidence", "quote", "text"],
  properties: {
    section: { enum: ["what", "cause", "next"] },
    evidence: {
      type: "array",
      minItems: 1,
      maxItems: 20,
      items: { type: "string", maxLength: 20 },
    },
    quote: { type: "string", minLength: 1, maxLength: QUOTE_CHARS_MAX },
    text: { type: "string", minLength: 8, maxLength: TEXT_CHARS_MAX },
  },
};

const ANSWER: JsonObject = {
  type: "object",
  required: ["claims"],
  properties: {
    claims: { type: "array", maxItems: ANSWER_CLAIMS_MAX },
    abstain: { type: ["string", "null"] },
  },
};

/** Compiled when a model first answers; most processes have none. */
let compiled: { claim: Check; answer: Check } | undefined;

function checks(): { claim: Check; answer: Check } {
  return compiled ??= {
    claim: compileSchema(CLAIM),
    answer: compileSchema(ANSWER),
  };
}

/** Whether a value has the form of a claim. */
export function isClaim(value: unknown): value is ModelClaim {
  return checks().claim(value) === undefined;
}

/** Whether a value has the form of an answer, whatever its claims are. */
export function isAnswer(
  value: unknown,
): value is { claims: unknown[]; abstain?: string | null } {
  return checks().answer(value) === undefined;
}
