/**
 * An upgrade to a second version, made on the fly.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import { type Bundle, readFragments } from "../../lib/operate/install.ts";
import { WORKFLOW_ID } from "../../lib/operate/pack.ts";
import { PACK_ID } from "../../lib/schemas.ts";
import { bundlePack, type PackFiles } from "../pack/pack.ts";
import { CommandError } from "../terminal/command.ts";
import { inSeconds } from "../terminal/format.ts";
import { showProgress } from "../terminal/progress.ts";
import type { Scene } from "./scene.ts";

const FRAGMENT_KEY = `${PACK_ID}/safety`;
const FRAGMENT_FILE = "overlays/policy.fragment.yaml";
const SECOND_DESCRIPTION = "Changed by the demo to show an upgrade.";

/** Installs a second version over the first. @returns What that shows. */
export async function upgrade(
  { stand, say }: Scene,
  first: Bundle,
): Promise<string> {
  const { platform } = stand;
  say.begin("upgrade", "Upgrade");
  const before = await readFragments(platform);
  const next = await bundlePack(secondVersion(first.files));
  say.line(
    `bundled ${next.name} in memory: one schema, the workflow and the fragment changed`,
  );
  const { record, policyMs } = await stand.install(
    next,
    showProgress(say.context),
  );
  say.line(
    `installed over ${first.version}, version ${
      record["version"]
    }; policy in force after ${inSeconds(policyMs)}`,
  );
  const after = await readFragments(platform);
  const keys = Object.keys(after).filter((key) =>
    key.startsWith(`${PACK_ID}/`)
  );
  const workflow = await platform.find(`/workflows/${WORKFLOW_ID}`);
  const stored = await platform.find(`/schemas/${PACK_ID}%2FPostResult`);
  const schema = (stored?.["schema"] ?? {}) as JsonObject;
  const checks: [what: string, holds: boolean][] = [
    [
      "the fragment's key is the same",
      FRAGMENT_KEY in before && keys.join() === FRAGMENT_KEY,
    ],
    [
      "the fragment is the new one",
      after[FRAGMENT_KEY]?.["content"] === next.files.get(FRAGMENT_FILE),
    ],
    [
      "the workflow is the new one",
      workflow?.["description"] === SECOND_DESCRIPTION,
    ],
    [
      "the schema is the new one",
      schema["description"] === SECOND_DESCRIPTION,
    ],
  ];
  for (const [what, holds] of checks) {
    say.line(`${holds ? "ok   " : "WRONG"}  ${what}`);
  }
  if (!checks.every(([, holds]) => holds)) {
    throw new CommandError("The upgrade left something stale");
  }
  return `${first.version} to ${next.version} in place, fragment key ${FRAGMENT_KEY} kept, nothing stale`;
}

function secondVersion(files: PackFiles): PackFiles {
  const change = (path: string, from: RegExp, to: string): [string, string] => {
    const text = files.get(path) ?? "";
    if (from.test(text)) return [path, text.replace(from, to)];
    throw new CommandError(`The demo does not find ${from} in ${path}`);
  };
  return new Map([
    ...files,
    change("pack.yaml", /^ {2}version: .*$/m, "  version: 0.2.0"),
    change(
      "schemas/PostResult.json",
      /"description": "[^"]*"/,
      `"description": "${SECOND_DESCRIPTION}"`,
    ),
    change(
      "workflows/incident_enrich.yaml",
      /^description: .*$/m,
      `description: ${SECOND_DESCRIPTION}`,
    ),
    change(
      FRAGMENT_FILE,
      /reason: ".*"/,
      'reason: "Posting externally requires explicit approval, says version 0.2.0"',
    ),
  ]);
}
