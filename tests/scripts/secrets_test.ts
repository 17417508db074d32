/**
 * The command that makes the files of secrets.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { secretsOf } from "../../scripts/launch/files/secrets.ts";
import { WORKERS } from "../../scripts/launch/permissions.ts";
import { main } from "../../scripts/secrets.ts";
import { call } from "../support/command.ts";

const modeOf = async (path: string) => (await Deno.stat(path)).mode! & 0o777;

Deno.test("secrets makes a file of each secret, and keeps what is there", async () => {
  const root = await Deno.makeTempDir();
  const folder = `${root}/secrets`;
  try {
    const first = await call(main, ["--out", folder]);
    assertEquals([first.code, first.stderr], [0, ""]);
    const names = WORKERS.flatMap((worker) =>
      secretsOf(worker).map(({ name }) => `${worker}/${name}`)
    );
    assertEquals(
      first.stdout,
      names.map((name) => `${folder}/${name} made\n`).join(""),
    );
    // Users of this machine are kept out by the folder, so that the user of a
    // container, which is mounted the file alone, can read it.
    assertEquals(await modeOf(folder), 0o700);
    assertEquals(await modeOf(`${folder}/poster`), 0o700);
    assertEquals(await modeOf(`${folder}/poster/SLACK_WEBHOOK_URL`), 0o644);

    const kept = `${folder}/poster/SLACK_WEBHOOK_URL`;
    await Deno.writeTextFile(kept, "https://hooks.slack.com/x");
    await Deno.remove(`${folder}/fetcher/NATS_TOKEN`);
    const second = await call(main, ["--out", folder]);
    assertEquals(second.stdout, `${folder}/fetcher/NATS_TOKEN made\n`);
    assertEquals(await Deno.readTextFile(kept), "https://hooks.slack.com/x");

    await Deno.writeTextFile(`${root}/file`, "");
    const wrong = await call(main, ["--out", `${root}/file`]);
    assertEquals(wrong.code, 1);
    assertStringIncludes(wrong.stderr, `error: Cannot make ${root}/file/ing`);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
