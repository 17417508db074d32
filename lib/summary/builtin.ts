/**
 * The built-in summarizer: tells what the rules find in a bundle. Pure, without
 * a model.
 *
 * What it says in its own voice is known to be so; the evidence's words stand
 * in quotes, and no address becomes an instruction.
 *
 * @module
 */
import type { EvidenceBundle } from "../incident.ts";
import type { Draft } from "./draft.ts";
import { tell } from "./tell.ts";

/** Summarizes a bundle; the same one always gives the same draft. */
export function summarize(bundle: EvidenceBundle): Draft {
  return { report: tell(bundle), model: "builtin" };
}
