/**
 * Holds the redaction to its aims on a corpus of its own.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { startRedaction } from "../../lib/redact/redaction.ts";
import { BARE_FRAMES, NAMED_FRAMES } from "./corpus/frames.ts";
import { HARMLESS } from "./corpus/harmless.ts";
import { KINDS } from "./corpus/kinds.ts";
import { LOOK_ALIKES } from "./corpus/look_alikes.ts";
import { asAlert, measure, plant } from "./corpus/measure.ts";
import { PROSE } from "./corpus/prose.ts";

const redact = (value: unknown) => startRedaction().value(value);
const { texts, redacted, missed, ...found } = measure(redact);

Deno.test("the corpus is as large as its gates need", () => {
  assert(KINDS.length >= 300, `${KINDS.length} kinds`);
  assertEquals(new Set(KINDS.map(({ name }) => name)).size, KINDS.length);
  for (const frames of [BARE_FRAMES, NAMED_FRAMES]) {
    assert(Object.keys(frames).length >= 10);
  }
  assert(PROSE.length >= 500, `${PROSE.length} lines of prose`);
  assert(LOOK_ALIKES.length >= 300, `${LOOK_ALIKES.length} look-alikes`);
  assert(Object.keys(HARMLESS).length >= 17);
});

Deno.test("startRedaction() takes out 99 % of planted credentials", () => {
  assert(
    redacted >= 0.99 * texts,
    `${redacted} of ${texts}; missed ${
      missed.slice(0, 20).map(({ kind, frame }) => `${kind} (${frame})`)
        .join(", ")
    }`,
  );
});

Deno.test("startRedaction() touches few look-alikes", () => {
  assert(
    found.lookAlikesTouched.length <= 0.05 * found.lookAlikes,
    found.lookAlikesTouched.join("\n"),
  );
});

Deno.test("startRedaction() changes no prose about credentials", () => {
  assertEquals(found.proseTouched, []);
});

Deno.test("startRedaction() changes no harmless string", () => {
  assertEquals(found.harmlessTouched, []);
});

Deno.test("startRedaction() changes nothing when it redacts a second time", () => {
  for (const { text } of plant()) {
    const once = redact(asAlert(text));
    assertEquals(redact(once), once);
  }
});
