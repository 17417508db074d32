import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  type PublicKey,
  readPublicKeys,
  readSigningKey,
  writePublicKey,
  writeSigningKey,
} from "../../lib/post/keys.ts";
import {
  createKeys,
  findSigners,
  sign,
  type Statement,
} from "../../lib/post/signature.ts";

const NOW = Date.parse("2026-11-29T12:00:00Z");
const STATEMENT: Statement = {
  tenant: "default",
  jobId: "run-1:post@1",
  digest: "ab".repeat(32),
  destination: "slack:0123456789abcdef",
  expiresAt: "2026-11-29T13:00:00.000Z",
};
const ada = await createKeys({ id: "ada-1", name: "Ada Lovelace" });
const bob = await createKeys();

/** Who signed, or why nobody did. */
async function found(
  items: readonly string[],
  { wanted = STATEMENT, keys = [ada.public, bob.public], nowMs = NOW }: {
    wanted?: Omit<Statement, "expiresAt">;
    keys?: readonly PublicKey[];
    nowMs?: number;
  } = {},
): Promise<string> {
  const { signers, problem } = await findSigners(items, wanted, {
    keys,
    nowMs,
  });
  return signers.length === 0
    ? problem
    : signers.map(({ id }) => id).join(" and ");
}

/** A list item with some of its fields replaced. */
function altered(item: string, changes: Record<string, unknown>): string {
  return JSON.stringify({ ...JSON.parse(item), ...changes });
}

// RFC 8032, section 7.1, the first test.
const RFC_SEED = Uint8Array.fromHex(
  "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
);
const RFC_PUBLIC = Uint8Array.fromHex(
  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
);

Deno.test("a signature is Ed25519's over one JSON list", async () => {
  const item = await sign({ id: "rfc", seed: RFC_SEED }, STATEMENT);
  const { signature, ...fields } = JSON.parse(item);
  assertEquals(fields, {
    v: 1,
    key: "rfc",
    tenant: "default",
    job_id: "run-1:post@1",
    message_sha256: "ab".repeat(32),
    destination: "slack:0123456789abcdef",
    expires_at: "2026-11-29T13:00:00.000Z",
  });
  const signed = '["incident-enricher approval v1","rfc","default",' +
    `"run-1:post@1","${"ab".repeat(32)}","slack:0123456789abcdef",` +
    '"2026-11-29T13:00:00.000Z"]';
  const key = await crypto.subtle.importKey(
    "raw",
    RFC_PUBLIC,
    "Ed25519",
    false,
    [
      "verify",
    ],
  );
  const isValid = await crypto.subtle.verify(
    "Ed25519",
    key,
    Uint8Array.fromBase64(signature, { alphabet: "base64url" }),
    new TextEncoder().encode(signed),
  );
  assertEquals(isValid, true);
});

Deno.test("findSigners() finds who signed exactly this, once each", async () => {
  const byAda = await sign(ada.signing, STATEMENT);
  const byBob = await sign(bob.signing, STATEMENT);
  assertEquals(await found([byAda]), "ada-1");
  assertEquals(
    await found([byAda, byBob, byAda]),
    `ada-1 and ${bob.public.id}`,
  );
  assertEquals(await found([]), "nobody signed it");
});

const elsewhere: readonly [Partial<Statement>, string][] = [
  [{ tenant: "other" }, "the signature belongs to another tenant"],
  [{ jobId: "run-2:post@1" }, "the signature belongs to another job"],
  [{ digest: "cd".repeat(32) }, "the signature belongs to another message"],
  [{ destination: "artifact" }, "the signature belongs to another destination"],
  [{ expiresAt: "2026-11-29T12:00:00.000Z" }, "the signature has expired"],
  [{ expiresAt: "never" }, "the signature has expired"],
];
for (const [changes, problem] of elsewhere) {
  const what = JSON.stringify(changes);
  Deno.test(`findSigners() refuses a signature of ${what}, as it is and rewritten`, async () => {
    const item = await sign(ada.signing, { ...STATEMENT, ...changes });
    assertEquals(await found([item]), problem);
    // The fields say what is wanted; the signature still says something else.
    const own = JSON.parse(await sign(bob.signing, STATEMENT));
    const { key: _, signature: __, ...fields } = own;
    assertEquals(
      await found([altered(item, fields)]),
      "its signature is false",
    );
  });
}

Deno.test("findSigners() takes a signature until the moment that it expires", async () => {
  const item = await sign(ada.signing, STATEMENT);
  const end = Date.parse(STATEMENT.expiresAt);
  assertEquals(await found([item], { nowMs: end - 1 }), "ada-1");
  assertEquals(
    await found([item], { nowMs: end }),
    "the signature has expired",
  );
});

Deno.test("findSigners() takes no signature by another key", async () => {
  const mallory = await createKeys({ id: "ada-1" });
  const forged = await sign(mallory.signing, STATEMENT);
  assertEquals(await found([forged]), "its signature is false");
  const unlisted = "the key that signed it is not in APPROVAL_PUBLIC_KEYS";
  const own = await sign({ ...mallory.signing, id: "mallory" }, STATEMENT);
  assertEquals(await found([own]), unlisted);
  const byAda = await sign(ada.signing, STATEMENT);
  assertEquals(
    await found([altered(byAda, { key: bob.public.id })]),
    "its signature is false",
  );
  assertEquals(await found([byAda], { keys: [bob.public] }), unlisted);
});

const garbage: readonly unknown[] = [
  "",
  "null",
  "[]",
  "{}",
  '{"v":1}',
  "{\u0000",
  "x".repeat(3_000),
];
Deno.test("findSigners() passes over what is no signature", async () => {
  const item = await sign(ada.signing, STATEMENT);
  const spoilt = [
    ...garbage as string[],
    altered(item, { v: 2 }),
    altered(item, { signature: "short" }),
    altered(item, { signature: 7 }),
    altered(item, { padding: "x".repeat(2_000) }),
  ];
  for (const one of spoilt) {
    assertEquals(await found([one]), "its signature cannot be read", one);
  }
  assertEquals(await found([...spoilt, item]), "ada-1");
});

Deno.test("findSigners() names the problem of the signature that came closest", async () => {
  const late = { ...STATEMENT, expiresAt: "2026-11-29T11:00:00Z" };
  const items = [
    await sign(bob.signing, { ...STATEMENT, jobId: "run-2:post@1" }),
    await sign(ada.signing, late),
    "{}",
  ];
  assertEquals(await found(items), "the signature has expired");
  assertEquals(
    await found(items.slice(0, 1)),
    "the signature belongs to another job",
  );
});

Deno.test("keys are lines that can be read back", () => {
  const { public: key, signing } = ada;
  const line = writePublicKey(key);
  assertMatch(line, /^ed25519:ada-1:[\w-]{43}:Ada Lovelace$/);
  assertEquals(readPublicKeys(line), [key]);
  const lines = ` ${line} , ${writePublicKey(bob.public)},`;
  assertEquals(readPublicKeys(lines), [key, bob.public]);
  assertEquals(readPublicKeys(""), []);
  assertEquals(readSigningKey(writeSigningKey(signing)), signing);
  assertMatch(writeSigningKey(signing), /^ed25519-secret:ada-1:[\w-]{43}$/);
  assertMatch(bob.public.id, /^[0-9a-f]{16}$/);
});

Deno.test("readPublicKeys() refuses what is no list of public keys", () => {
  const key = writePublicKey(ada.public).split(":")[2]!;
  const weak = (hex: string) =>
    Uint8Array.fromHex(hex).toBase64({
      alphabet: "base64url",
      omitPadding: true,
    });
  const wrong = [
    ",",
    "ed25519",
    `ed25519:${key}`,
    `ed25519:a b:${key}`,
    `ed25519:${"a".repeat(41)}:${key}`,
    `ed25519:a:${key.slice(1)}`,
    `ed25519:a:${key}A`,
    `ed25519:a:${key.slice(0, 42)}B`, // Bits beyond the 32 bytes.
    `ed25519:a:${key}:Eve\u202e`,
    `ed25519:a:${key}:`,
    `ed25519:a:${key}:Ada:x`,
    `rsa:a:${key}`,
    writeSigningKey(ada.signing),
    `ed25519:a:${key},ed25519:a:${writePublicKey(bob.public).split(":")[2]}`,
    `ed25519:zeros:${"A".repeat(43)}`,
    `ed25519:one:${weak(`01${"00".repeat(31)}`)}`,
    `ed25519:one:${weak(`01${"00".repeat(30)}80`)}`,
    Array.from({ length: 51 }, (_, at) => `ed25519:k${at}:${key}`).join(","),
  ];
  for (const text of wrong) {
    assertThrows(() => readPublicKeys(text), RangeError, "public keys", text);
  }
});

Deno.test("readSigningKey() refuses what is no private key", () => {
  const line = writeSigningKey(ada.signing);
  const wrong = [
    "",
    writePublicKey(ada.public),
    line.slice(0, -1),
    `${line}:Ada`,
    line.replace("ada-1", "a:b"),
  ];
  for (const text of wrong) {
    assertThrows(() => readSigningKey(text), RangeError, "a private key");
  }
});

Deno.test("a signature that names a person is none for another, or for nobody", async () => {
  const keys = [ada.public];
  const item = await sign(ada.signing, { ...STATEMENT, by: "Cy Bell" });
  const { by: _, expiresAt: __, ...wanted } = { ...STATEMENT, by: "" };
  const find = (items: string[]) =>
    findSigners(items, wanted, { keys, nowMs: NOW });
  assertEquals((await find([item])).signers, [
    { ...ada.public, by: "Cy Bell" },
  ]);
  const { by: ___, ...nameless } = JSON.parse(item);
  for (
    const forged of [
      altered(item, { by: "Mallory" }),
      altered(item, { v: 1 }),
      JSON.stringify(nameless),
      JSON.stringify({ ...nameless, v: 1 }),
    ]
  ) {
    const { signers, problem } = await find([forged]);
    assertEquals(signers, [], forged);
    assertMatch(problem, /its signature (is false|cannot be read)/);
  }
  const plain = await sign(ada.signing, STATEMENT);
  const named = altered(plain, { v: 2, by: "Mallory" });
  assertEquals((await find([named])).signers, []);
  assertEquals((await find([item, item, plain])).signers.length, 2);
});
