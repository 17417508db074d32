/**
 * The goals of the pack, and which of them a demo has shown.
 *
 * @module
 */
import { table } from "../terminal/format.ts";
import type { Transcript } from "./scene.ts";

/** The goals as the pack's design words them. */
const GOALS = {
  install: "pack install and uninstall",
  routing: "routing overlays",
  approval: "policy fragment forces approval",
  artifacts: "artifacts",
  upgrade: "upgrade path",
};

/** What was observed of each goal that was shown. */
export type Observed = { [G in keyof typeof GOALS]?: string };

/**
 * Prints the goals.
 *
 * @param cause Why not every goal can be shown, if the platform is the reason.
 * @returns Whether all were shown.
 */
export function showGoals(
  observed: Observed,
  cause: string | undefined,
  say: Transcript,
): boolean {
  const { out } = say.context;
  say.heading("Goals");
  const goals = Object.entries(GOALS) as [keyof Observed, string][];
  const rows = goals.map(([goal, about], at) => [
    String(at + 1),
    about,
    observed[goal] === undefined ? "NOT SHOWN" : "shown",
    observed[goal] ?? cause ?? "",
  ]);
  for (const row of table(rows)) out(`  ${row}`);
  out();
  if (cause !== undefined) out(`demo: ${cause}`);
  const shown = Object.keys(observed).length;
  out(`demo: ${shown} of ${goals.length} goals shown`);
  return shown === goals.length && cause === undefined;
}
