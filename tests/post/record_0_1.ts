/**
 * How version 0.1.0 folds and claims a record, frozen: during an upgrade, its
 * posters share records with newer ones. It knows no severities.
 *
 * @module
 */
import type { EventList } from "../../lib/post/record.ts";

/** The fields that it looks at. */
interface Event {
  type: string;
  token?: string;
  job_id?: string;
}

type State =
  | { state: "free" | "posted" | "marked" }
  | { state: "held" | "in doubt"; claim: Event };

export function fold010(items: readonly string[]): State {
  let state: State = { state: "free" };
  const seen = new Set<string | undefined>();
  for (const item of items) {
    const event: Event = JSON.parse(item);
    state = step(state, event, seen);
    if (event.type === "claim") seen.add(event.token);
  }
  return state;
}

function step(
  now: State,
  event: Event,
  seen: ReadonlySet<string | undefined>,
): State {
  if (now.state === "posted" || now.state === "marked") return now;
  const held = "claim" in now ? now.claim.token : undefined;
  switch (event.type) {
    case "posted":
    case "marked":
      return { state: event.type };
    case "claim":
      return now.state === "free" && !seen.has(event.token)
        ? { state: "held", claim: event }
        : now;
    case "refused":
      return now.state === "held" && held === event.token
        ? { state: "free" }
        : now;
    case "unknown":
      return now.state === "held" && held === event.token
        ? { ...now, state: "in doubt" }
        : now;
    default:
      return now.state === "free" || event.token === undefined ||
          event.token === held
        ? { state: "free" }
        : now;
  }
}

/**
 * Claims a post as a poster of 0.1.0 does.
 *
 * @returns The token of a claim that may send.
 */
export async function claim010(
  list: EventList,
  key: string,
  { jobId, wait }: { jobId: string; wait: (ms: number) => Promise<void> },
): Promise<string | undefined> {
  const read = async () => fold010(await list.list(key));
  let [waited, sameJob] = [false, false];
  while (true) {
    const token = crypto.randomUUID();
    let state = await read();
    if (state.state === "free") {
      if (sameJob) return undefined;
      const names = { job_id: jobId, run_id: "", digest: "d", host: "h" };
      const claim = {
        type: "claim",
        token,
        ...names,
        at: "2026-03-04T05:06:07Z",
      };
      await list.append(key, JSON.stringify(claim));
      try {
        state = await read();
      } catch (error) {
        const refused = { type: "refused", token, why: "unread", at: claim.at };
        await list.append(key, JSON.stringify(refused)).catch(() => {});
        throw error;
      }
      if (state.state === "free") continue;
    }
    if (!("claim" in state) || state.state === "in doubt") return undefined;
    if (state.claim.token === token) return token;
    sameJob = state.claim.job_id === jobId;
    if (waited) return undefined;
    waited = true;
    await wait(500);
  }
}
