/**
 * Why a file or folder that a person named cannot be used. Pure.
 *
 * @module
 */

const { errors } = Deno;
const REASONS: readonly [new () => Error, string][] = [
  [errors.NotFound, "there is no such file or folder"],
  [errors.IsADirectory, "it is a folder"],
  [errors.NotADirectory, "it is no folder"],
  [errors.PermissionDenied, "your user may not"],
  [
    errors.NotCapable,
    "this command's permissions in deno.json do not cover it",
  ],
];

/** Says why a file or folder cannot be read or written, in a few words. */
export function whyNot(error: unknown): string {
  return REASONS.find(([kind]) => error instanceof kind)?.[1] ?? "it failed";
}
