import { assertRejects } from "@std/assert";
import { createLog } from "../../lib/base/log.ts";
import type { Bus } from "../../lib/platform/bus.ts";
import { Conversation } from "../../lib/platform/conversation.ts";
import type { PlatformConfig } from "../../lib/platform/settings.ts";
import { GatewayWatch } from "../../lib/platform/watch_gateway.ts";

Deno.test("run() throws if NATS closes the connection before the worker is ready", async () => {
  const bus: Partial<Bus> = {
    subscribe: () => () => {},
    flush: () => Promise.reject(new Error("CONNECTION_CLOSED")),
    ended: AbortSignal.abort(),
    connected: () => false,
  };
  const log = createLog({}, { write: () => {} });
  const conversation = new Conversation({
    topic: "job.test",
    platform: { workerId: "w", maxParallel: 1 } as PlatformConfig,
    labels: {},
    bus: bus as Bus,
    watch: new GatewayWatch({ ask: () => Promise.resolve(), log }),
    log,
    mask: (text) => text,
    graceMs: 0,
    work: () => Promise.resolve(undefined),
  });
  // Without an end of its own, it would wait until this signal aborts.
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(new Error("still trying")), 1_500);
  const failing = assertRejects(
    () => conversation.run(stop.signal),
    Error,
    "CONNECTION_CLOSED",
  );
  await failing.finally(() => clearTimeout(timer));
  if (stop.signal.aborted) throw stop.signal.reason;
});
