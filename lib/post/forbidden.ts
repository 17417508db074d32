/**
 * Refuses a message that policy does not let out. Pure.
 *
 * @module
 */
import { JobError } from "../base/errors.ts";
import { findForbidden } from "../message/redact.ts";
import type { Message } from "../message/message.ts";
import type { Constraints, RedactionLevel } from "../platform/context.ts";
import { removedByKind } from "../removed.ts";

/**
 * Checks the approved message against the level of the post step. The poster
 * cannot redact it, because a person approved these bytes and no others.
 *
 * @throws {JobError} `REDACTION_INCOMPLETE` if a redaction would change it. At
 * `full`, also if it does not say that it was made at that level.
 */
export function refuseForbidden(
  message: Message,
  { redactionLevel: level }: Pick<Constraints, "redactionLevel">,
): void {
  const problem = describeForbidden(message, level);
  if (problem === undefined) return;
  throw new JobError(
    "REDACTION_INCOMPLETE",
    `Cannot post: ${problem}; give the steps before it the same level, then start the run again`,
  );
}

/** Why policy does not let a message out; `undefined` if it does. */
export function describeForbidden(
  message: Message,
  level: RedactionLevel,
): string | undefined {
  const forbidden = findForbidden(message, level);
  if (forbidden === undefined) return undefined;
  const { withheld, ...found } = forbidden;
  const what = withheld !== undefined
    ? "was made at another"
    : `still holds ${[...removedByKind(found).keys()].join(" and ")}`;
  return `policy wants redaction level "${level}" of the post step, and the approved message ${what}`;
}
