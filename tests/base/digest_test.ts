import { assertEquals } from "@std/assert";
import { sha256Hex } from "../../lib/base/digest.ts";

// The one-block, two-block and million-byte examples that NIST publishes for
// SHA-256, and the digest of nothing.
const VECTORS: [what: string, content: string, digest: string][] = [
  [
    "nothing",
    "",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  ],
  [
    "three letters",
    "abc",
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  ],
  [
    "56 letters",
    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  ],
  [
    "a million letters",
    "a".repeat(1_000_000),
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
  ],
];

for (const [what, content, digest] of VECTORS) {
  Deno.test(`sha256Hex() digests ${what} as published, as text and as bytes`, async () => {
    assertEquals(await sha256Hex(content), digest);
    assertEquals(await sha256Hex(new TextEncoder().encode(content)), digest);
  });
}

Deno.test("sha256Hex() digests a text as UTF-8", async () => {
  const bytes = new Uint8Array([0xC3, 0xA9, 0xF0, 0x9F, 0x94, 0xA5]);
  assertEquals(await sha256Hex("\u00E9\u{1F525}"), await sha256Hex(bytes));
});

Deno.test("sha256Hex() digests only the part that a view shows", async () => {
  const whole = new TextEncoder().encode("xxabcxx");
  const expected = await sha256Hex("abc");
  assertEquals(await sha256Hex(whole.subarray(2, 5)), expected);
});
