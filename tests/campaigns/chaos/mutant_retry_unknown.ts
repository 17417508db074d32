/**
 * The mutant `retryUnknown` as a process, started in the poster's place.
 *
 * @module
 */
import { runWorker } from "../../../lib/platform/worker.ts";
import { SETTINGS } from "../../../workers/poster.ts";
import { retryUnknown } from "./mutants.ts";

if (import.meta.main) {
  await runWorker({
    topic: "job.incident-enricher.post",
    settings: SETTINGS,
    input: "PostInput",
    output: "PostResult",
    labels: { "_content.payload_json": "{}" },
    handle: retryUnknown,
  });
}
