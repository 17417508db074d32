/**
 * The derived permissions, proved on the real workers.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { COLLECTORS } from "../../lib/evidence/collectors.ts";
import { Stopped } from "../../scripts/terminal/command.ts";
import { main as permissions } from "../../scripts/permissions.ts";
import { WORKERS } from "../../scripts/launch/permissions.ts";
import {
  openProof,
  proveMinimal,
  proveRefusals,
  type Removal,
} from "../../scripts/launch/proof.ts";
import { call } from "../support/command.ts";

Deno.test("each worker's permissions are neither too many nor too few", async (t) => {
  await using stack = new AsyncDisposableStack();
  const proof = await openProof(stack);
  const { stand } = proof;

  for (const worker of WORKERS) {
    await t.step(
      `whatever else the ${worker} tries is refused, and it works on`,
      async () => {
        const tries = await proveRefusals(proof, worker);
        assertEquals(tries.filter(({ outcome }) => outcome === "allowed"), []);
        const tried = (pattern: RegExp) =>
          tries.filter((one) => pattern.test(one.tried));
        assert(tried(/^connect to /).length >= 6);
        assert(tried(/^read the variable /).length >= 5);
        assertEquals(
          tried(/^connect to (example\.com:443|169\.254\.169\.254:80)$/).length,
          2,
        );
        const imports = tried(/^import /);
        assertEquals(imports.length, 3);
        for (const { said } of imports) {
          assert(said.includes("--cached-only"), said);
        }
        for (
          const what of [
            /file/,
            /folder/,
            /process/,
            /FFI/,
            /host's name/,
            /addresses/,
          ]
        ) {
          assert(
            tried(what).every(({ said }) => said.startsWith("NotCapable")),
            String(what),
          );
          assert(tried(what).length > 0, String(what));
        }
      },
    );
  }

  for (const worker of WORKERS) {
    await t.step(
      `without any one of its permissions the ${worker} fails`,
      async () => {
        const removals = await proveMinimal(proof, worker);
        assertEquals(
          removals.filter(({ failure }) => failure === undefined),
          [],
        );
        const { net, read } = stand.permissions(worker);
        const variables = Object.keys(stand.variables(worker));
        assertEquals(
          removals.length,
          net.length + variables.length + read.length,
        );
        if (worker === "fetcher") assertCollectors(removals);
      },
    );
  }

  await t.step("the proof sees what is granted in excess", async () => {
    const { flags } = stand.permissions("summarizer");
    const more = flags.map((flag) =>
      flag.startsWith("--allow-net=") ? `${flag},example.com:443` : flag
    );
    const tries = await proveRefusals(proof, "summarizer", [
      ...more,
      "--allow-read=deno.json",
    ]);
    assertEquals(
      tries.filter(({ outcome }) => outcome === "allowed").map(({ tried }) =>
        tried
      ),
      ["connect to example.com:443", "read its own folder"],
    );
  });
});

/** Each collector that asks somebody fails alone without its host. */
function assertCollectors(removals: readonly Removal[]): void {
  const ours = ["NATS", "Redis", "the gateway", "serves its health here"];
  const hosts = removals.flatMap(({ removed, failure }) => {
    const [, why] = /^net \S+ \((.*)\)$/.exec(removed) ?? [];
    return why === undefined || ours.includes(why) ? [] : [failure!];
  });
  assertEquals(
    hosts.map((failure) => failure.split(":", 1)[0]!).toSorted(),
    COLLECTORS.map(({ name }) => name).filter((name) => name !== "history")
      .toSorted(),
  );
  for (const failure of hosts) {
    assertMatch(failure, /could not be asked: no permission for that host$/);
  }
}

Deno.test("permissions --prove stops its workers when it is stopped", async () => {
  const stop = new AbortController();
  const { code, stdout, stderr } = await call(
    permissions,
    ["summarizer", "--prove"],
    {
      signal: stop.signal,
      onLine: () => stop.abort(new Stopped("SIGTERM")),
    },
  );
  assertEquals([code, stderr], [143, "stopped\n"]);
  assert(!stdout.includes("roved"), stdout);
});
