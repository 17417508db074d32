/**
 * Reads an incident as the fetcher does, and checks what it gives.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { buildBundle } from "../../lib/evidence/bundle.ts";
import { collectFindings } from "../../lib/evidence/collect.ts";
import type { EvidenceBundle, IncidentInput } from "../../lib/incident.ts";
import { qualifiedId } from "../../lib/incident_id.ts";
import { compileCheck } from "../../lib/schema_check.ts";

/** What a job's result may have. */
const RESULT_BYTES_MAX = 200 * 1024;
const checkBundle = compileCheck("EvidenceBundle");

/**
 * Builds the bundle of an incident: valid, small enough, and with citations of
 * what is there.
 *
 * @returns It, and the content of each of its pieces by id.
 */
export async function bundleOf(
  incident: IncidentInput,
): Promise<{ bundle: EvidenceBundle; pieces: Record<string, unknown> }> {
  const stored: [id: string, content: unknown][] = [];
  const bundle = await buildBundle(
    qualifiedId(incident),
    collectFindings(incident),
    {
      now: new Date("2026-01-15T09:33:00Z"),
      put({ content }) {
        const id = `E${stored.length + 1}`;
        stored.push([id, JSON.parse(content)]);
        return Promise.resolve(`redis://art:${id}`);
      },
    },
  );
  assertEquals(checkBundle(bundle), undefined);
  const { length } = new TextEncoder().encode(JSON.stringify(bundle));
  assert(length < RESULT_BYTES_MAX, `${length} bytes`);
  const ids = bundle.evidence.map(({ id }) => id);
  const { facts = [], timeline = [] } = bundle.normalized_context ?? {};
  for (const { evidence } of [...facts, ...timeline]) {
    for (const id of evidence) assert(ids.includes(id), id);
  }
  return { bundle, pieces: Object.fromEntries(stored) };
}
