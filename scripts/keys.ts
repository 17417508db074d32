/**
 * Makes the pair of keys that approvals are signed with.
 *
 * @module
 */
import {
  isKeyId,
  isKeyName,
  writePublicKey,
  writeSigningKey,
} from "../lib/post/keys.ts";
import { createKeys } from "../lib/post/signature.ts";
import { command } from "./terminal/arguments.ts";
import { CommandError, runCommand, UsageError } from "./terminal/command.ts";
import { whyNot } from "./terminal/files.ts";

const HELP = {
  usage: "deno task keys [--id ID] [--name NAME] [--out FILE]",
  about:
    "Makes a pair of Ed25519 keys: a private one, which signs approvals, and a public one, by\n" +
    "which posters check them. Keep the private key to yourself; nothing else keeps a copy.",
  options: {
    "id ID": "names the pair (default a digest of the public key)",
    "name NAME": "whose it is, as messages and results will say",
    "out FILE":
      "write the private key to a new file that only you can read,\nfor APPROVAL_SIGNING_KEY_FILE, instead of printing it",
  },
} as const;

const FILE_MODE = 0o600;

export const main = command(HELP, async ({ values }, { out, raw }) => {
  const { id, name, out: file } = values;
  if (id !== undefined && !isKeyId(id)) {
    throw new UsageError(
      "--id takes 1 to 40 letters and digits of ASCII, dots, dashes and underscores",
    );
  }
  if (name !== undefined && !isKeyName(name)) {
    throw new UsageError(
      "--name takes at most 80 letters, digits, blanks and . _ ' @ ( ) + -",
    );
  }
  const keys = await createKeys({ id, name });
  const secret = writeSigningKey(keys.signing);
  if (file === undefined) {
    out("Private, for the person who approves and for nobody else:");
    raw(`APPROVAL_SIGNING_KEY=${secret}`);
  } else {
    await writeNew(file, `${secret}\n`);
    out("The private key is written; the person who approves sets:");
    raw(`APPROVAL_SIGNING_KEY_FILE=${file}`);
  }
  out("Public, for every poster, after a comma if it has others:");
  raw(`APPROVAL_PUBLIC_KEYS=${writePublicKey(keys.public)}`);
});

/** @throws {CommandError} If there is such a file, or it cannot be written. */
async function writeNew(path: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, text, { createNew: true, mode: FILE_MODE });
  } catch (error) {
    const why = error instanceof Deno.errors.AlreadyExists
      ? "there is such a file, and a key is never written over"
      : whyNot(error);
    throw new CommandError(`Cannot write ${path}: ${why}`);
  }
}

if (import.meta.main) await runCommand(main);
