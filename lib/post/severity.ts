/**
 * The severity of a post: the one that people read in its message. Pure.
 *
 * @module
 */
import {
  type EvidenceBundle,
  type IncidentInput,
  isWorse,
  type Severity,
  toSeverity,
} from "../incident.ts";

/** What is known about a message's severity; `unknown` reads as a warning. */
export type PostSeverity = Severity | "unknown";

/**
 * The severity in a post's message. The message shows the bundle's, because the
 * fetcher may know more than the webhook said. What it shows without knowing it
 * is `unknown`.
 */
export function severityOfPost(
  { severity: reported }: Pick<IncidentInput, "severity">,
  { normalized_context: context }: Pick<EvidenceBundle, "normalized_context">,
): PostSeverity {
  const { severity } = context ?? {};
  const isReported = reported !== undefined && reported !== "unknown";
  const isAssumed = severity === toSeverity(reported).severity;
  return severity === undefined || isAssumed && !isReported
    ? "unknown"
    : severity;
}

/** A severity as people read it. */
export function readAs(severity: PostSeverity): Severity {
  return severity === "unknown" ? toSeverity(severity).severity : severity;
}

/** Whether a message says more than one before it. What is unknown never does. */
export function outranks(one: PostSeverity, posted: Severity): boolean {
  return one !== "unknown" && isWorse(one, posted);
}
