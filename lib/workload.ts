/**
 * Names of what Kubernetes runs. Pure.
 *
 * @module
 */

/** Names that the controllers make end in letters of this alphabet. */
export const RANDOM = "[bcdfghjklmnpqrstvwxz2456789]";

/** The Deployment that a pod of this name belongs to, if its name is of that form. */
export function deploymentOfPod(name: string): string | undefined {
  return RegExp(`^(.+)-${RANDOM}{6,10}-${RANDOM}{5}$`).exec(name)?.[1];
}
