/**
 * Where people open a piece of evidence. Pure.
 *
 * @module
 */
import { isPlainUrl } from "./controls.ts";

const POINTER = /^redis:\/\/art:[\w.-]{1,200}$/;

/**
 * The address of an artifact.
 *
 * @param pattern `EVIDENCE_URL`, with `{pointer}` in place of the pointer.
 * @returns `undefined` without a pattern, or for a pointer that is none.
 */
export function evidenceUrl(
  pattern: string | undefined,
  pointer: string,
): string | undefined {
  if (pattern === undefined || !POINTER.test(pointer)) return undefined;
  const href = URL.parse(
    pattern.replaceAll("{pointer}", () => encodeURIComponent(pointer)),
  )?.href.replaceAll("|", "%7C");
  return href !== undefined && isPlainUrl(href) ? href : undefined;
}
