import { assert, assertEquals, assertMatch } from "@std/assert";
import { main as keys } from "../../scripts/keys.ts";
import { readPublicKeys, readSigningKey } from "../../lib/post/keys.ts";
import { findSigners, sign } from "../../lib/post/signature.ts";
import { call } from "../support/command.ts";
import { runTask } from "../support/task.ts";

/** The value of a variable among printed lines. */
function valueOf(stdout: string, name: string): string {
  const [, value] = new RegExp(`^${name}=(.*)$`, "m").exec(stdout) ?? [];
  assert(value !== undefined, stdout);
  return value;
}

Deno.test("keys prints a pair that fits", async () => {
  const { code, stdout, stderr } = await runTask("keys", [
    "--id",
    "ada-2026",
    "--name",
    "Ada Lovelace",
  ], {});
  assertEquals([code, stderr], [0, ""]);
  const signing = readSigningKey(valueOf(stdout, "APPROVAL_SIGNING_KEY"));
  const listed = readPublicKeys(valueOf(stdout, "APPROVAL_PUBLIC_KEYS"));
  const statement = {
    tenant: "default",
    jobId: "j",
    digest: "d",
    destination: "artifact",
    expiresAt: "2026-11-29T13:00:00Z",
  };
  const found = await findSigners([await sign(signing, statement)], statement, {
    keys: listed,
    nowMs: Date.parse("2026-11-29T12:00:00Z"),
  });
  assertEquals(
    found.signers.map(({ id, name }) => [id, name]),
    [["ada-2026", "Ada Lovelace"]],
  );
});

Deno.test("keys names a pair by a digest, and makes another one each time", async () => {
  const made = await Promise.all([call(keys), call(keys)]);
  const ids = made.map(({ stdout }) =>
    readPublicKeys(valueOf(stdout, "APPROVAL_PUBLIC_KEYS"))[0]!.id
  );
  for (const id of ids) assertMatch(id, /^[0-9a-f]{16}$/);
  assert(ids[0] !== ids[1]);
});

Deno.test("keys writes a new file that only its owner reads, and never over one", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/ada.key`;
    const { code, stdout } = await call(keys, ["--out", file]);
    assertEquals(code, 0);
    assertEquals(valueOf(stdout, "APPROVAL_SIGNING_KEY_FILE"), file);
    assert(!stdout.includes("ed25519-secret"));
    const { mode } = await Deno.stat(file);
    assertEquals(mode! & 0o777, 0o600);
    const text = await Deno.readTextFile(file);
    const { id } = readSigningKey(text.trim());
    assertEquals(
      id,
      readPublicKeys(valueOf(stdout, "APPROVAL_PUBLIC_KEYS"))[0]!.id,
    );

    const again = await call(keys, ["--out", file]);
    assertEquals([again.code, again.stdout, again.stderr], [
      1,
      "",
      `error: Cannot write ${file}: there is such a file, and a key is never written over\n`,
    ]);
    assertEquals(await Deno.readTextFile(file), text);
    const lost = await call(keys, ["--out", `${folder}/none/ada.key`]);
    assertEquals(
      lost.stderr,
      `error: Cannot write ${folder}/none/ada.key: there is no such file or folder\n`,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("keys refuses an id or a name that no list could hold", async () => {
  for (const args of [["--id", "a:b"], ["--id", ""], ["--name", "a,b"]]) {
    const { code, stdout, stderr } = await call(keys, args);
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, /^error: --(id|name) takes /);
  }
});
