/**
 * Tells open pages that what they show has changed. The pages then ask for
 * themselves; an event carries nothing but that.
 *
 * @module
 */
import { DeskRefusal } from "./refusal.ts";

/** Pages that are told at the same time. */
const STREAMS_MAX = 64;
/** Nobody looks at more, and the others want to look, too. */
const PERSON_STREAMS_MAX = 16;
/** A browser comes back by itself. */
const STREAM_MS = 10 * 60_000;
/** Shows that a client is gone, and keeps proxies from giving up. */
const BEAT_MS = 15_000;
/** Changes that come together are told once. */
const TOGETHER_MS = 250;

export class Live {
  #open = 0;
  readonly #persons = new Map<string, number>();

  /** Pages that are told now. */
  get open(): number {
    return this.#open;
  }

  /**
   * A stream that says whenever something changes.
   *
   * @param watch Is given what to call after a change; returns what ends that.
   * @throws {DeskRefusal} If too many are open.
   */
  stream(
    watch: (changed: () => void) => () => void,
    { person, gone }: { person: string; gone: AbortSignal },
  ): ReadableStream<Uint8Array> {
    const own = this.#persons.get(person) ?? 0;
    if (this.#open >= STREAMS_MAX || own >= PERSON_STREAMS_MAX) throw tooMany();
    this.#count(person, 1);
    const encoder = new TextEncoder();
    let close = () => {};
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        const say = (text: string) => controller.enqueue(encoder.encode(text));
        let isOpen = true;
        let soon: ReturnType<typeof setTimeout> | undefined;
        const unwatch = watch(() => {
          // What was being read may be there only after the page has gone.
          if (!isOpen) return;
          soon ??= setTimeout(() => {
            soon = undefined;
            say("event: changed\ndata: 1\n\n");
          }, TOGETHER_MS);
        });
        const beat = setInterval(() => say(": still here\n\n"), BEAT_MS);
        const end = setTimeout(() => close(), STREAM_MS);
        close = () => {
          if (!isOpen) return;
          isOpen = false;
          this.#count(person, -1);
          unwatch();
          clearTimeout(soon);
          clearInterval(beat);
          clearTimeout(end);
          gone.removeEventListener("abort", close);
          try {
            controller.close();
          } catch {
            // The client closed it.
          }
        };
        gone.addEventListener("abort", close);
        if (gone.aborted) return close();
        say("retry: 3000\n\n");
      },
      cancel: () => close(),
    });
  }

  #count(person: string, change: number): void {
    this.#open += change;
    const own = (this.#persons.get(person) ?? 0) + change;
    if (own > 0) this.#persons.set(person, own);
    else this.#persons.delete(person);
  }
}

function tooMany(): DeskRefusal {
  return new DeskRefusal(
    503,
    "Too many pages are open",
    "This page does not follow changes by itself; load it again to see them.",
    { "Retry-After": "30" },
  );
}
