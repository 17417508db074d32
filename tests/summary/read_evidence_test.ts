/**
 * Reading pieces of evidence back.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { sha256Hex } from "../../lib/base/digest.ts";
import type { EvidenceItem } from "../../lib/incident.ts";
import type { Artifact } from "../../lib/platform/context.ts";
import { GatewayError } from "../../lib/platform/gateway_error.ts";
import { readEvidence } from "../../lib/summary/read_evidence.ts";

const NEVER = new AbortController().signal;
const bytesOf = (text: string) => new TextEncoder().encode(text);

async function item(
  text: string,
  more: Partial<EvidenceItem> = {},
): Promise<EvidenceItem> {
  return {
    kind: "incident.raw",
    title: "t",
    artifact_ptr: `redis://art:${text}`,
    content_type: "text/plain",
    bytes: 1,
    sha256: await sha256Hex(text),
    ...more,
  };
}

/** A gateway whose artifacts hold what their pointer says. */
function gatewayOf(read: (text: string) => Promise<string>) {
  const asked: string[] = [];
  return {
    asked,
    async readArtifact(
      pointer: string,
      bytesMax: number,
      _signal?: AbortSignal,
    ): Promise<Artifact> {
      assertEquals(bytesMax, 256 * 1024);
      asked.push(pointer);
      const text = await read(pointer.slice("redis://art:".length));
      return {
        bytes: bytesOf(text),
        contentType: "",
        retention: "",
        labels: {},
      };
    },
  };
}

const echo = (text: string) => Promise.resolve(text);

Deno.test("readEvidence() gives each text with its id, in the items' order", async () => {
  const gateway = gatewayOf(echo);
  const items = [await item("b", { id: "E7" }), await item("a")];
  assertEquals(await readEvidence(items, { gateway, signal: NEVER }), [
    { id: "E7", text: "b" },
    { id: "E2", text: "a" },
  ]);
  assertEquals(await readEvidence([], { gateway, signal: NEVER }), []);
});

Deno.test("readEvidence() says why a piece cannot be read, and reads the others", async () => {
  const gateway = gatewayOf((text) => {
    if (text === "gone") {
      const why = { error: "artifact not found" };
      return Promise.reject(
        new GatewayError("Cannot", 404, JSON.stringify(why)),
      );
    }
    if (text === "down") {
      return Promise.reject(new GatewayError("Cannot", 503, ""));
    }
    return Promise.resolve(text === "long" ? "x".repeat(256 * 1024 + 1) : text);
  });
  const items = [
    await item("down"),
    await item("gone"),
    await item("other", { sha256: await sha256Hex("changed") }),
    await item("long"),
    await item("x", { artifact_ptr: "redis://ctx:job" }),
    await item("x", { artifact_ptr: "http://127.0.0.1/" }),
    await item("last"),
    await item("undigested", { sha256: undefined as never }),
  ];
  const texts = await readEvidence(items, { gateway, signal: NEVER });
  assertEquals(texts.map(({ text, problem }) => text ?? problem), [
    "the gateway did not give it",
    "the platform has no such artifact any more",
    "its bytes have another digest",
    "it is too long",
    "its pointer names no artifact",
    "its pointer names no artifact",
    "last",
    "undigested",
  ]);
  assertEquals(
    gateway.asked,
    ["down", "gone", "other", "long", "last", "undigested"]
      .map((name) => `redis://art:${name}`),
  );
});

Deno.test("readEvidence() reads at most four at a time", async () => {
  let [now, most] = [0, 0];
  const gateway = gatewayOf(async (text) => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve));
    now--;
    return text;
  });
  const items = await Promise.all(
    Array.from({ length: 50 }, (_, at) => item(`n${at}`)),
  );
  const texts = await readEvidence(items, { gateway, signal: NEVER });
  assertEquals([texts.length, most, now], [50, 4, 0]);
  assert(texts.every(({ text }, at) => text === `n${at}`));
});

/** Answers for `late` only once it is called off. */
function slowGateway() {
  const gateway = gatewayOf(echo);
  return {
    ...gateway,
    readArtifact: (
      pointer: string,
      bytesMax: number,
      signal?: AbortSignal,
    ) =>
      pointer.endsWith("late")
        ? new Promise<Artifact>((_, reject) =>
          signal!.addEventListener("abort", () => reject(signal!.reason))
        )
        : gateway.readArtifact(pointer, bytesMax, signal),
  };
}

Deno.test("readEvidence() gives up what it has no time for", async () => {
  const items = await Promise.all(
    ["a", "late", "late", "late", "late", "b"].map((text) => item(text)),
  );
  const texts = await readEvidence(items, {
    gateway: slowGateway(),
    signal: NEVER,
    timeMs: 50,
  });
  const late = "there was not enough time";
  assertEquals(texts.map(({ text, problem }) => text ?? problem), [
    ...["a", late, late, late, late, late],
  ]);
});

Deno.test("readEvidence() throws the signal's reason if the job is aborted", async () => {
  const abort = new AbortController();
  const reason = new Error("the job's deadline has passed");
  const reading = readEvidence([await item("late")], {
    gateway: slowGateway(),
    signal: abort.signal,
  });
  abort.abort(reason);
  assertEquals(await assertRejects(() => reading), reason);
});
