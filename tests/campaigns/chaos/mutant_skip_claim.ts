/**
 * The mutant `skipClaim` as a process, started in the poster's place.
 *
 * @module
 */
import { runWorker } from "../../../lib/platform/worker.ts";
import { SETTINGS } from "../../../workers/poster.ts";
import { skipClaim } from "./mutants.ts";

if (import.meta.main) {
  await runWorker({
    topic: "job.incident-enricher.post",
    settings: SETTINGS,
    input: "PostInput",
    output: "PostResult",
    labels: { "_content.payload_json": "{}" },
    handle: skipClaim,
  });
}
