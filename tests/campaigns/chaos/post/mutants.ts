/**
 * Posters that are wrong on purpose, to test the campaign: it must catch each of
 * them. Runs as a process in the poster's place.
 *
 * Each is the product's own verb with a record that lies to it, so the product's
 * files know nothing of mutants.
 *
 * @module
 */
import { JobError } from "../../../../lib/base/errors.ts";
import type { PostInput, PostResult } from "../../../../lib/incident.ts";
import type { JobContext, JobStore } from "../../../../lib/platform/context.ts";
import { runWorker } from "../../../../lib/platform/worker.ts";
import type { Claim, PostEvent } from "../../../../lib/post/events.ts";
import { post, SETTINGS } from "../../../../workers/poster.ts";

type Verb = (
  input: PostInput,
  context: JobContext<typeof SETTINGS>,
) => Promise<PostResult>;

/** Sends without a claim: nobody else sees the one that it believes it made. */
const skipClaim: Verb = async (input, context) => {
  let own: string[] = [];
  return await post(input, {
    ...context,
    store: {
      ...context.store,
      // deno-lint-ignore require-await -- The store's own needs it.
      list: async () => own,
      async append(key, item) {
        if (read(item).type === "claim") own = [item];
        else await context.store.append(key, item);
      },
    },
  });
};

/** Treats an unknown outcome as a refusal, and tries again. */
const retryUnknown: Verb = async (input, context) => {
  const store: JobStore = {
    ...context.store,
    async append(key, item) {
      const event = read(item);
      await context.store.append(
        key,
        event.type === "unknown"
          ? JSON.stringify({ ...event, type: "refused" })
          : item,
      );
    },
  };
  try {
    return await post(input, { ...context, store });
  } catch (error) {
    if (!(error instanceof JobError && error.code === "POST_IN_DOUBT")) {
      throw error;
    }
    return await post(input, { ...context, store });
  }
};

/** Shows the poster another severity of what was posted. */
function seenAs(change: (event: Claim) => Partial<Claim>): Verb {
  return (input, context) =>
    post(input, {
      ...context,
      store: {
        ...context.store,
        async list(key) {
          const items = await context.store.list(key);
          return items.map((item) => {
            const event = read(item);
            const isOwn = event.type === "claim" &&
              event.job_id === context.job.id;
            return event.type === "claim" && !isOwn
              ? JSON.stringify({ ...event, ...change(event) })
              : item;
          });
        },
      },
    });
}

/** Knows no severities, so nothing is worse than what was posted. */
const dropWorse = seenAs(() => ({ severity: "critical" }));

/** Takes whatever was posted for the least. */
const sendEqual = seenAs(() => ({ severity: "info" }));

function read(item: string): PostEvent {
  return JSON.parse(item);
}

export const MUTANTS: Readonly<Record<string, Verb>> = {
  "skip-claim": skipClaim,
  "retry-unknown": retryUnknown,
  "drop-worse": dropWorse,
  "send-equal": sendEqual,
};

if (import.meta.main) {
  await runWorker({
    topic: "job.incident-enricher.post",
    settings: SETTINGS,
    input: "PostInput",
    output: "PostResult",
    labels: { "_content.payload_json": "{}" },
    handle: MUTANTS[Deno.args[1] ?? ""]!,
  });
}
