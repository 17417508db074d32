/**
 * The same evidence always gives the same bytes, wherever it is summarized.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { buildBundle } from "../../lib/evidence/bundle.ts";
import type { EvidenceBundle } from "../../lib/incident.ts";
import { collectSample, NOW } from "../../scripts/pictures/collected.ts";
import { digestsOf } from "../support/digests.ts";

/** With what every collector finds. */
async function collected(): Promise<EvidenceBundle> {
  const { incidentId, findings } = await collectSample();
  let artifacts = 0;
  return await buildBundle(incidentId, findings, {
    now: NOW,
    put: () => Promise.resolve(`redis://art:${++artifacts}`),
  });
}

Deno.test("a bundle gives the same bytes a hundred times, and in any time zone", async () => {
  const bundle = await collected();
  assert((bundle.lookups ?? []).length > 5);
  const expected = await digestsOf(bundle);
  for (let run = 0; run < 100; run++) {
    assertEquals(await digestsOf(structuredClone(bundle)), expected);
  }
  const file = await Deno.makeTempFile({ dir: "/tmp", suffix: ".json" });
  try {
    await Deno.writeTextFile(file, JSON.stringify(bundle));
    for (
      const [zone, offset, language] of [
        ["Asia/Kathmandu", -330, "de_DE.UTF-8"],
        ["America/Los_Angeles", 480, "tr_TR.UTF-8"],
      ] as const
    ) {
      const { stdout, success } = await new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "--no-prompt", "--cached-only", "--allow-read=/tmp"],
          ...["tests/support/digests.ts", file],
        ],
        env: { TZ: zone, LANG: language, LC_ALL: language },
      }).output();
      assert(success);
      const { digests, offset: real } = JSON.parse(
        new TextDecoder().decode(stdout),
      );
      // Nepal was half an hour behind its present time in 1970.
      assertEquals([digests, real], [expected, offset]);
    }
  } finally {
    await Deno.remove(file);
  }
});
