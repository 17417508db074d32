/**
 * Whether pods and warnings still show a fault. Pure.
 *
 * "Recovered" is said only where an object proves it: a pod that is ready got
 * over what kept it from starting, and one that was told to end is no fault.
 *
 * @module
 */
import type { Health } from "../../incident.ts";
import type { Pod, Warning } from "./objects.ts";

/** A warning that was repeated since then still counts. */
const QUIET_MS = 5 * 60_000;
/** Of what is no pod, pods prove it only in the long run. */
const LONG_QUIET_MS = 15 * 60_000;
/** A pod passes these once, so one that is ready has passed them. */
const STARTING =
  /^(?:FailedScheduling|NotTriggerScaleUp|FailedMount|FailedAttachVolume|FailedCreatePodSandBox|ErrImagePull|ImagePullBackOff|InspectFailed)$/;
const PULLING = /\bpull(?:ing)? image\b/i;

/** Of those that shall run; a pod that ended well is no fault. */
export function podsHealth(pods: readonly Pod[]): Health {
  const meant = pods.filter((pod) =>
    !pod.isLeaving && pod.phase !== "Succeeded"
  );
  return meant.length > 0 && meant.every(({ isReady }) => isReady)
    ? "well"
    : "ill";
}

/** What ended a container may do so again, even while its pod is ready. */
export function troubleHealth({ isLeaving }: Pod): Health {
  return isLeaving ? "recovered" : "ill";
}

/** @param now When the pods were read; without it, age proves nothing. */
export function warningHealth(
  { kind, object, reason, message, to }: Warning,
  pods: readonly Pod[],
  now: Date | undefined,
): Health {
  const quietMs = now === undefined || to === ""
    ? 0
    : now.getTime() - Date.parse(to);
  const isWell = podsHealth(pods) === "well";
  if (kind !== "Pod") {
    return isWell && quietMs >= LONG_QUIET_MS ? "recovered" : "ill";
  }
  const pod = pods.find(({ name }) => name === object);
  if (pod?.isLeaving) return "recovered";
  // Of a pod that is gone, those that took its place tell.
  const isReady = pod?.isReady ?? isWell;
  const isStart = STARTING.test(reason) ||
    /^(?:Failed|BackOff)$/.test(reason) && PULLING.test(message);
  return isReady && (isStart || quietMs >= QUIET_MS) ? "recovered" : "ill";
}
