import { assert, assertEquals } from "@std/assert";
import { aborted, deadline, linkSignal } from "../../lib/base/deadline.ts";

const LONG_MS = 60_000;

/** Counts the listeners that a signal has. */
function counting(): { parent: AbortController; count: () => number } {
  const parent = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = AbortSignal.prototype;
  parent.signal.addEventListener = function (...args: unknown[]) {
    listeners++;
    return addEventListener.apply(this, args as never);
  };
  parent.signal.removeEventListener = function (...args: unknown[]) {
    listeners--;
    return removeEventListener.apply(this, args as never);
  };
  return { parent, count: () => listeners };
}

Deno.test("deadline() aborts when the time is up, and says so", async () => {
  using end = deadline(5);
  assertEquals([end.signal.aborted, end.passed], [false, false]);
  await aborted(end.signal);
  assertEquals(end.passed, true);
  assertEquals(end.signal.reason.name, "TimeoutError");
});

Deno.test("deadline() gives the reason that it was given", async () => {
  const reason = new Error("too slow");
  using end = deadline(5, undefined, reason);
  await aborted(end.signal);
  assertEquals(end.signal.reason, reason);
});

Deno.test("deadline() aborts with its parent, for the parent's reason", () => {
  const parent = new AbortController();
  using end = deadline(LONG_MS, parent.signal);
  parent.abort("stopped");
  assertEquals([end.signal.aborted, end.passed], [true, false]);
  assertEquals(end.signal.reason, "stopped");
});

Deno.test("deadline() has aborted if its parent has", () => {
  using end = deadline(LONG_MS, AbortSignal.abort("before"));
  assertEquals(end.signal.reason, "before");
  assertEquals(end.passed, false);
});

Deno.test("deadline() that was aborted by hand has not passed", async () => {
  using end = deadline(5);
  end.abort("enough");
  using after = deadline(20);
  await aborted(after.signal);
  assertEquals([end.signal.reason, end.passed], ["enough", false]);
});

// A timer that is left would be found by the test runner.
Deno.test("deadline() leaves no timer and no listener behind", () => {
  const { parent, count } = counting();
  {
    using _ = deadline(LONG_MS, parent.signal);
    assertEquals(count(), 1);
  }
  assertEquals(count(), 0);
});

Deno.test("linkSignal() follows each of several parents, one that has aborted too", () => {
  const { parent, count } = counting();
  {
    using both = linkSignal(parent.signal, new AbortController().signal);
    assertEquals([both.signal.aborted, count()], [false, 1]);
    parent.abort("gone");
    assertEquals(both.signal.reason, "gone");
  }
  assertEquals(count(), 0);
  using late = linkSignal(undefined, AbortSignal.abort("before"));
  assertEquals(late.signal.reason, "before");
});

Deno.test("linkSignal() follows its parent until it is disposed", () => {
  const { parent, count } = counting();
  const followed = linkSignal(parent.signal);
  const released = linkSignal(parent.signal);
  released[Symbol.dispose]();
  assertEquals(count(), 1);
  parent.abort("gone");
  assert(followed.signal.aborted);
  assertEquals(followed.signal.reason, "gone");
  assertEquals(released.signal.aborted, false);
  released.abort("now");
  assertEquals(released.signal.reason, "now");
});
